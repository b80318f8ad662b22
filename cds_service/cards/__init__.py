"""From recommendations to cards: wording, ranking, merging, and the orders behind one click."""

from cds_service.cards.build import CardContext, all_cards, build_cards, folded
from cds_service.cards.built import BuiltCard
from cds_service.cards.document import decision_document
from cds_service.cards.fingerprints import fingerprint, may_be_quiet

__all__ = [
    "BuiltCard",
    "CardContext",
    "all_cards",
    "build_cards",
    "decision_document",
    "fingerprint",
    "folded",
    "may_be_quiet",
]
