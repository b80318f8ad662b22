"""Whether a reference range is meant for this patient, by sex and by age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.fhir.datatypes import CodeableConcept, Range, ReferenceRange

_SEX_CODES = {
    "male": "male",
    "m": "male",
    "man": "male",
    "men": "male",
    "males": "male",
    "248153007": "male",
    "female": "female",
    "f": "female",
    "woman": "female",
    "women": "female",
    "females": "female",
    "248152002": "female",
}
_YEARS_PER_UNIT = {
    "a": Decimal(1),
    "y": Decimal(1),
    "yr": Decimal(1),
    "yrs": Decimal(1),
    "year": Decimal(1),
    "years": Decimal(1),
    "mo": Decimal(1) / 12,
    "month": Decimal(1) / 12,
    "months": Decimal(1) / 12,
    "wk": Decimal(7) / Decimal("365.25"),
    "week": Decimal(7) / Decimal("365.25"),
    "weeks": Decimal(7) / Decimal("365.25"),
    "d": Decimal(1) / Decimal("365.25"),
    "day": Decimal(1) / Decimal("365.25"),
    "days": Decimal(1) / Decimal("365.25"),
}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a range fits the patient: whether it may, whether that is sure, how specifically."""

    possible: bool
    certain: bool
    specificity: int


_NO_FIT = Fit(False, True, 0)


def fit(entry: ReferenceRange, sex: str | None, age_years: Decimal | int | None) -> Fit:
    """How a range fits a patient of this sex and age in years, as far as they are known."""
    certain, specificity = True, 0
    if entry.applies_to:
        wanted = _sexes(entry.applies_to)
        if wanted is None:
            return _NO_FIT
        specificity += 1
        if sex is None:
            certain = False
        elif sex not in wanted:
            return _NO_FIT
    if entry.age is not None and (entry.age.low or entry.age.high):
        inside = _age_inside(entry.age, age_years)
        if inside is False:
            return _NO_FIT
        specificity += 1
        certain = certain and inside is True
    return Fit(True, certain, specificity)


def _sexes(groups: Iterable[CodeableConcept]) -> frozenset[str] | None:
    """The sexes a range is for; None when it is for a group that is not told by sex alone."""
    found: set[str] = set()
    for group in groups:
        words = [coding.code for coding in group.coding if coding.code] or [group.label or ""]
        sexes = {_SEX_CODES.get(word.strip().lower()) for word in words} - {None}
        if len(sexes) != 1:
            return None
        found |= {sex for sex in sexes if sex}
    return frozenset(found)


def _age_inside(age: Range, age_years: Decimal | int | None) -> bool | None:
    """Whether the age lies in the range; None when that cannot be told."""
    answers: list[bool | None] = []
    for bound, is_low in ((age.low, True), (age.high, False)):
        if bound is None or bound.number is None:
            continue
        unit = (bound.code or bound.unit or "a").strip().lower()
        factor = _YEARS_PER_UNIT.get(unit)
        if factor is None or age_years is None:
            answers.append(None)
        elif is_low:
            answers.append(Decimal(age_years) >= bound.number * factor)
        else:
            # "18 to 64 years" includes the whole year in which the patient is 64.
            answers.append(Decimal(age_years) < (bound.number + 1) * factor)
    if False in answers:
        return False
    return None if None in answers else True
