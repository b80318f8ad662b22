"""Facts as they bear on the one drug that a rule is asked about: ordered, offered or running.

What one drug did to a patient speaks against that drug. Whether it speaks against another one is
for a reviewed row to say; so the rows can tell the two apart, without a row for every drug.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from cds_service.rules import THE_DRUG, Collection, FactSource, FactValue, Findings

INTOLERANCES = "intolerances to ALK inhibitors"
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
        return caused_by_the_drug(found, (self._drug,)) if isinstance(found, Findings) else found

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


def caused_by_the_drug(found: Findings, ingredients: Iterable[str]) -> Findings:
    """The findings, those that one of the ingredients caused marked as caused by the drug asked
    about."""
    asked = frozenset(ingredients)
    if not any(asked & item.causes for item in found.findings):
        return found
    marked = tuple(
        structs.replace(item, causes=item.causes | {THE_DRUG}) if asked & item.causes else item
        for item in found.findings
    )
    return structs.replace(found, findings=marked)
