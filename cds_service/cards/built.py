"""A card beside the recommendations it was made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.alk import Recommendation
from cds_service.protocol import Card


@dataclass(frozen=True, slots=True)
class BuiltCard:
    """A card with the recommendations it stands for, the first being the one that leads.

    `fault` is the error, for the log only, that left the card without its own words.
    """

    card: Card
    recommendations: tuple[Recommendation, ...] = field(repr=False)
    fault: Exception | None = field(default=None, repr=False)

    @property
    def rule_id(self) -> str:
        """The rule behind the card."""
        return self.recommendations[0].rule_id

    @property
    def uuid(self) -> str:
        """The id of this showing of the card."""
        return self.card.uuid or ""
