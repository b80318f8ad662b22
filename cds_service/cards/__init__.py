"""From recommendations to cards: wording, ranking, merging, and the orders behind one click."""

from cds_service.cards.build import BuiltCard, CardContext, build_cards
from cds_service.cards.document import decision_document

__all__ = ["BuiltCard", "CardContext", "build_cards", "decision_document"]
