"""The label's dose ladder applied to what the patient takes. Nothing here exceeds the label."""

from __future__ import annotations

from decimal import Decimal

from cds_service.alk.decision import Dose
from cds_service.facts.patient import DoseTaken
from cds_service.knowledge.drugs import Drug, LadderLevel


def level_of(drug: Drug, dose: DoseTaken | None) -> LadderLevel | None:
    """The ladder step that the patient takes, or None when the dose is unknown or no step."""
    if dose is None or dose.amount_mg is None or dose.per_day is None:
        return None
    if dose.per_day != int(dose.per_day):
        return None
    return drug.ladder_level(dose.amount_mg, int(dose.per_day))


def as_dose(drug: Drug, level: LadderLevel) -> Dose:
    """A ladder step as a dose of the drug."""
    return Dose(drug.ingredient, level.amount_mg, level.per_day)


def resumed(drug: Drug, taken: DoseTaken | None, how: str) -> tuple[Dose | None, bool]:
    """The dose to resume after a hold, and whether the label asks to stop instead.

    `how` is the table's word (`same`, `next lower`, `next lower or stop`). The dose is None when
    it cannot be told (dose not readable, or the table leaves it open). The flag is True when the
    patient already takes the lowest step and the next one would be below it.
    """
    level = level_of(drug, taken)
    if level is None or not how:
        return None, False
    if how == "same":
        return as_dose(drug, level), False
    lower = drug.next_lower(level)
    if lower is None:
        return None, True
    return as_dose(drug, lower), False


def above_label(drug: Drug, dose: DoseTaken) -> bool | None:
    """Whether a dose exceeds the label's full dose; None when it cannot be read.

    The daily amount and the single amount both count: 600 mg three times a day, 900 mg twice a
    day and 1200 mg once a day are all above 600 mg twice a day.
    """
    daily = dose.daily_mg
    if daily is None or dose.amount_mg is None:
        return None
    full = drug.dosing.full_dose
    return daily > full.daily_mg or dose.amount_mg > full.amount_mg


def off_ladder(drug: Drug, dose: DoseTaken) -> bool | None:
    """Whether a dose is no step of the label (nor its lead-in); None when it cannot be read."""
    if dose.amount_mg is None or dose.per_day is None:
        return None
    if level_of(drug, dose) is not None:
        return False
    lead_in = drug.dosing.lead_in
    if lead_in is None:
        return True
    return lead_in.amount_mg != dose.amount_mg or Decimal(lead_in.per_day) != dose.per_day
