"""The label's dose ladder applied to what the patient takes. Nothing here exceeds the label."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cds_service.alk.decision import Dose
from cds_service.facts.patient import DoseTaken
from cds_service.knowledge.dose_cells import DoseCell, read_dose_cell
from cds_service.knowledge.drugs import Dose as LabelDose
from cds_service.knowledge.drugs import Drug, LadderLevel


def level_of(drug: Drug, dose: DoseTaken | None, *, lead_in: bool = False) -> LadderLevel | None:
    """The ladder step that the patient takes, or None when the dose is unknown or no step."""
    if dose is None or dose.amount_mg is None or dose.per_day is None:
        return None
    if dose.per_day != int(dose.per_day):
        return None
    return drug.ladder_level(dose.amount_mg, int(dose.per_day), lead_in=lead_in)


def as_dose(drug: Drug, level: LadderLevel) -> Dose:
    """A ladder step as a dose of the drug."""
    return Dose(drug.ingredient, level.amount_mg, level.per_day)


def resumed(
    drug: Drug, taken: DoseTaken | None, how: str, *, lead_in: bool = False
) -> tuple[Dose | None, bool]:
    """The dose to resume after a hold, and whether the label asks to stop instead.

    `how` is the table's word (`same`, `next lower`, `next lower or stop`, `same or next lower`) or
    a fixed label dose (`250 x 1`). The dose is None when it cannot be told (dose not readable, or
    the table leaves it open); of "same or next lower" it is the lower one, the safer reading. The
    flag is True when the patient already takes the lowest step and the next one would be below it.
    `lead_in` says that the patient is in the first days, on the lower dose that leads to the full
    one: its own steps count then, and an order read at the dose it leads to is not that dose yet.
    """
    if lead_in:
        taken = _in_lead_in(drug, taken)
    level = level_of(drug, taken, lead_in=lead_in)
    if level is None or not how:
        return None, False
    fixed = read_dose_cell(how) if how[0].isdigit() else None
    if fixed is not None and fixed.dose is not None:
        return _fixed(drug, level, fixed.dose)
    if how == "same":
        return as_dose(drug, level), False
    lower = drug.next_lower(level, lead_in=lead_in)
    if how == "same or next lower" and lower is None:
        return as_dose(drug, level), False
    if lower is None:
        # Where lower steps exist that were not read, the last one listed is not the lowest.
        return None, drug.ladder.below_minimum != "not read"
    return as_dose(drug, lower), False


def _in_lead_in(drug: Drug, taken: DoseTaken | None) -> DoseTaken | None:
    """The dose of the first days: never more than the label's lead-in."""
    lead = drug.dosing.lead_in
    if lead is None or taken is None or taken.daily_mg is None or taken.daily_mg <= lead.daily_mg:
        return taken
    return DoseTaken(lead.amount_mg, Decimal(lead.per_day), taken.as_text)


def lead_in_under(drug: Drug, cell: DoseCell) -> Decimal | None:
    """Milligrams of the first days when a `dose` cell changes the dose that follows them.

    None when the drug has no lead-in, or when the cell does not say what becomes of it.
    """
    lead = drug.dosing.lead_in
    instead = cell.instead_of(lead) if lead is not None else None
    return min(lead.amount_mg, instead.amount_mg) if lead is not None and instead else None


def _fixed(drug: Drug, level: LadderLevel, dose: LabelDose) -> tuple[Dose | None, bool]:
    """A dose that the table fixes. Whoever was already below it must not be raised to it."""
    if level.daily_mg < dose.daily_mg:
        return None, False
    return as_label_dose(drug, dose), False


def above_label(drug: Drug, dose: DoseTaken, raised: LabelDose | None = None) -> bool | None:
    """Whether a dose exceeds the label's full dose; None when it cannot be read.

    The daily amount and the single amount both count: 600 mg three times a day, 900 mg twice a
    day and 1200 mg once a day are all above 600 mg twice a day. Of a day's total that nobody
    divides only the day counts; how it is divided is asked on a card of its own. `raised` is a
    higher dose that the label gives this patient because of another medication.
    """
    daily = dose.daily_mg
    if daily is None:
        return None
    full = raised or drug.dosing.full_dose
    # The lowest steps may be taken less often but be larger each time than a step above them.
    largest = max(full.amount_mg, *(level.amount_mg for level in drug.ladder.levels))
    return daily > full.daily_mg or (not dose.not_divided and (dose.amount_mg or 0) > largest)


def off_ladder(drug: Drug, dose: DoseTaken, raised: LabelDose | None = None) -> bool | None:
    """Whether a dose is no step of the label (nor its lead-in); None when it cannot be read.

    A day's total that no step makes up is none of them, however it is divided; where one does,
    the division decides.
    """
    known = [drug.dosing.lead_in, raised]
    if dose.not_divided:
        totals = {step.daily_mg for step in (*drug.ladder.levels, *known) if step is not None}
        return None if dose.daily_mg in totals else True
    if dose.amount_mg is None or dose.per_day is None:
        return None
    if level_of(drug, dose) is not None:
        return False
    return not any(
        other is not None
        and other.amount_mg == dose.amount_mg
        and Decimal(other.per_day) == dose.per_day
        for other in known
    )


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What a `dose` cell means for a dose that is taken or ordered.

    `fits`: nothing to change. `lower`, `higher`: take `dose` instead. `open`: the label gives no
    answer for this dose, or two of them, so a person must decide.
    """

    how: Literal["fits", "lower", "higher", "open"]
    dose: Dose | None = None


def adjusted(drug: Drug, cell: DoseCell, taken: DoseTaken | None) -> Adjusted:
    """How a dose compares with the one that the label gives in this situation.

    Of a dose that cannot be read nothing is known but what the label gives to everybody.
    """
    to_all = as_label_dose(drug, cell.dose) if cell.dose is not None else None
    if taken is None or taken.daily_mg is None:
        return Adjusted("lower", to_all) if to_all is not None else Adjusted("open")
    daily = taken.daily_mg
    if to_all is not None:
        return Adjusted("fits") if daily <= to_all.daily_mg else Adjusted("lower", to_all)
    if taken.amount_mg is None or taken.per_day is None:
        # Below every dose that the row leads to, it fits however it is divided.
        lowest = min(after.daily_mg for _, after in cell.replaced)
        return Adjusted("fits") if daily < lowest else Adjusted("open")
    if taken.per_day != int(taken.per_day) or not 1 <= taken.per_day <= 4:
        return Adjusted("open")
    now = LabelDose(amount_mg=taken.amount_mg, per_day=int(taken.per_day))
    instead = cell.instead_of(now)
    if instead is None:
        lowest = min(after.daily_mg for _, after in cell.replaced)
        return Adjusted("fits") if cell.gives(now) or daily < lowest else Adjusted("open")
    if cell.gives(now):
        # The dose is a result of this row and also a dose that the row lowers: was it lowered
        # for this reason already? The order does not say.
        return Adjusted("open")
    how: Literal["lower", "higher"] = "lower" if instead.daily_mg < daily else "higher"
    return Adjusted(how, as_label_dose(drug, instead))


def as_label_dose(drug: Drug, dose: LabelDose) -> Dose:
    """A dose of a table as a dose of the drug."""
    return Dose(drug.ingredient, dose.amount_mg, dose.per_day)
