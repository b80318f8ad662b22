"""Facts as they bear on the one drug that a rule is asked about: ordered, offered or running.

What one drug did to a patient speaks against that drug. Whether it speaks against another one is
for a reviewed row to say; so the rows can tell the two apart, without a row for every drug.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from cds_service.rules import THE_DRUG, FactSource, FactValue, Findings


class AboutDrug:
    """The facts of a patient, asked about one drug."""

    def __init__(self, facts: FactSource, drug: str) -> None:
        self._facts = facts
        self._drug = drug

    def find(self, name: str) -> FactValue | None:
        """The fact; findings that the drug caused say so."""
        found = self._facts.find(name)
        return caused_by_the_drug(found, (self._drug,)) if isinstance(found, Findings) else found


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
