"""How recommendations about one drug are settled, as `settlement.yaml` has it."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import Literal, get_args

from pydantic import Field, model_validator

from cds_service.knowledge.concept_models import Words
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

FILE = "settlement.yaml"

Said = Literal[
    "stopped", "held", "refused", "rewritten", "combination", "avoided", "lowered", "questioned"
]
"""What a recommendation says of a drug, in words that the file explains."""

Offer = Literal["start", "resume", "correct", "lower", "higher", "end"]
"""What a one-click order does to a drug; `higher` is any of them above a lowered dose, `end` ends
the order of another one in whose place the drug comes."""

ONE_CLICK_ORDERS: tuple[Offer, ...] = ("start", "resume", "correct", "lower", "end")


class SettlementRow(Frozen):
    """One row; `says` is the reason as a card gives it, with `{drug}` for the drug."""

    id: str = Field(pattern=r"^settle-[a-z-]+$")
    said: Said
    takes: tuple[Offer, ...] = Field(min_length=1)
    card: Literal["joins", "stays"]
    apart: tuple[Offer, ...] = ()
    """Of what is taken, that which keeps a card of its own although the others join."""
    says: Words

    @model_validator(mode="after")
    def _names_the_drug(self) -> SettlementRow:
        if "{drug}" not in self.says:
            raise ValueError("words that name the drug as {drug}")
        return self

    @model_validator(mode="after")
    def _sets_apart_what_joins(self) -> SettlementRow:
        if not set(self.apart) <= (set(self.takes) if self.card == "joins" else set()):
            raise ValueError("under apart only what is taken, and joins")
        return self


class SameQuestion(Frozen):
    """Rules that ask one thing of one order: the first of them that speaks leads."""

    id: str = Field(pattern=r"^settle-[a-z-]+$")
    asks: Words
    rules: tuple[Words, ...] = Field(min_length=2)


class Settlement(Frozen):
    """The whole file: one row for everything that can be said, the strongest first, and which rules
    ask the same."""

    source: Words
    verified: bool
    rows: tuple[SettlementRow, ...]
    same_question: tuple[SameQuestion, ...] = ()

    @model_validator(mode="after")
    def _settles_everything(self) -> Settlement:
        said = [row.said for row in self.rows]
        if sorted(said) != sorted(get_args(Said)):
            raise ValueError(f"exactly one row for each of {', '.join(get_args(Said))}")
        return self


STRICTEST = Settlement(
    source="built in",
    verified=False,
    rows=tuple(
        SettlementRow(
            id=f"settle-{said}",
            said=said,
            takes=("higher",) if said == "lowered" else ONE_CLICK_ORDERS,
            card="stays",
            says="another recommendation speaks against {drug}",
        )
        for said in get_args(Said)
    ),
)
"""For a release that has no such file: whatever speaks against a drug takes every order of it."""


def load_settlement(
    file: Traversable, sources: frozenset[str], rules: frozenset[str] | None = None
) -> Settlement:
    """Reads the file. Raises KnowledgeError with the place and what was expected.

    `rules` are the ids of all rules of the release.
    """
    if not file.is_file():
        return STRICTEST
    found = validate(Settlement, read_mapping(file), str(file), "")
    if found.source not in sources:
        raise KnowledgeError(str(file), "source", "an id of sources.yaml")
    known = frozenset(rule for row in found.same_question for rule in row.rules)
    known = rules if rules is not None else known
    for row in found.same_question:
        for rule in sorted(frozenset(row.rules) - known):
            expected = f"the id of a rule (found {rule!r})"
            raise KnowledgeError(str(file), f"same_question.{row.id}.rules", expected)
    return found
