"""Facts as they bear on the one drug that a rule is asked about: ordered, offered or running.

What one drug did to a patient speaks against that drug. Whether it speaks against another one is
for a reviewed row to say; so the rows can tell the two apart, without a row for every drug.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from cds_service.rules import A_DRUG, THE_DRUG, Collection, FactSource, FactValue, Finding, Findings

INTOLERANCES = "intolerances to ALK inhibitors"
USED = "ALK inhibitors used"
_ANOTHER_DRUG = "another drug"
OF_THE_OFFERED = "intolerances to the offered drug"


class AboutDrug:
    """The facts of a patient, asked about one drug."""

    def __init__(self, facts: FactSource, drug: str) -> None:
        self._facts = facts
        self._drug = drug

    def find(self, name: str) -> FactValue | None:
        """The fact; findings that the drug caused say so."""
        if name == OF_THE_OFFERED:
            return self._intolerances()
        found = self._facts.find(name)
        if not isinstance(found, Findings):
            return found
        return caused_by_the_drug(found, (self._drug,), self._facts.find(USED))

    def _intolerances(self) -> FactValue | None:
        """Those to the drug, unless it runs or is on hold: then the rows about its reactions and
        its orders ask."""
        recorded = self._facts.find(INTOLERANCES)
        if not isinstance(recorded, Collection):
            return recorded
        for listed in ("active ALK inhibitors", "paused ALK inhibitors"):
            taken = self._facts.find(listed)
            if isinstance(taken, Collection) and any(
                self._drug in one.names for one in taken.items
            ):
                return Collection((), complete=True)
        own = tuple(item for item in recorded.items if self._drug in item.names)
        return Collection(own, recorded.complete, recorded.incomplete)


def caused_by_the_drug(
    found: Findings, ingredients: Iterable[str], used: FactValue | None = None
) -> Findings:
    """The findings, those that one of the ingredients caused marked as caused by the drug asked
    about.

    `used` are all ALK inhibitors ever taken: one that never was caused nothing, so what an unnamed
    drug caused another one did.
    """
    asked = frozenset(ingredients)
    never = (
        isinstance(used, Collection)
        and used.complete
        and not any(asked & item.names for item in used.items)
    )
    marked = tuple(_marked(item, asked, never=never) for item in found.findings)
    if all(one is other for one, other in zip(marked, found.findings, strict=True)):
        return found
    return structs.replace(found, findings=marked)


def _marked(item: Finding, asked: frozenset[str], *, never: bool) -> Finding:
    if asked & item.causes:
        return structs.replace(item, causes=item.causes | {THE_DRUG})
    if never and item.causes == {A_DRUG}:
        return structs.replace(item, causes=item.causes | {_ANOTHER_DRUG})
    return item
