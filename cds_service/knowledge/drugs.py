"""One ALK inhibitor as its label describes it: `drugs/<ingredient>/drug.yaml`.

No drug is named here. Amounts are milligrams of the ingredient, frequencies are doses per day.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from cds_service.knowledge.code_models import Code
from cds_service.knowledge.label_statements import (
    Indication,
    LabelledText,
    LabelRevision,
    Reproduction,
    Statement,
)
from cds_service.knowledge.yaml_files import Frozen


def _exact(value: object) -> object:
    # A YAML float has lost its exactness before it reaches a Decimal.
    if not isinstance(value, float):
        return value
    raise ValueError("a whole number or a decimal in quotes")


Milligrams = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0)]
DosesPerDay = Annotated[int, Field(ge=1, le=4)]


class Dose(Frozen):
    """An amount taken a number of times a day."""

    amount_mg: Milligrams
    per_day: DosesPerDay

    @property
    def daily_mg(self) -> Decimal:
        """Total milligrams a day."""
        return self.amount_mg * self.per_day


class LeadIn(Dose):
    """A lower first dose for `days` days; `escalate_only_if` must hold before `then`."""

    days: int = Field(gt=0)
    then: Dose
    escalate_only_if: str


class LadderLevel(Dose):
    """One step of the reduction ladder; level 0 is the full dose, higher levels are lower."""

    level: int = Field(ge=0)


class Ladder(Statement):
    """The label's dose steps in descending order, and what holds at the bottom.

    Where the lower steps were not read nobody can say that the last one listed is the lowest.
    """

    levels: tuple[LadderLevel, ...] = Field(min_length=1)
    lead_in_levels: tuple[LadderLevel, ...] = ()
    below_minimum: Literal["permanently discontinue", "not read"]
    re_escalation: Literal["label is silent", "prohibited"]

    @model_validator(mode="after")
    def _descends(self) -> Ladder:
        for levels in (self.levels, self.lead_in_levels):
            if [step.level for step in levels] != list(range(len(levels))):
                raise ValueError("levels numbered 0, 1, 2 ... in order")
            daily = [step.daily_mg for step in levels]
            if sorted(set(daily), reverse=True) != daily:
                raise ValueError("each level to have a lower daily amount than the one before")
        return self


class Units(Frozen):
    """`count` capsules or tablets of one strength."""

    strength_mg: Milligrams
    count: int = Field(gt=0)


class DispensedDose(Statement):
    """The capsules or tablets that make up one dose."""

    amount_mg: Milligrams
    units: tuple[Units, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _adds_up(self) -> DispensedDose:
        if sum(unit.strength_mg * unit.count for unit in self.units) != self.amount_mg:
            raise ValueError("units that add up to amount_mg")
        return self


class Product(Statement):
    """One strength on the market; `clinical_drug` is its RxNorm semantic clinical drug."""

    form: Literal["capsule", "tablet"]
    strength_mg: Milligrams
    clinical_drug: Code | None = None
    excipient_alert: str | None = None


class OtherPresentation(Statement):
    """A package or form that holds no single strength, such as a starter pack."""

    form: str
    contents: str


class Duration(Frozen):
    """How long treatment lasts in one setting; `months` only where the label fixes it."""

    setting: str
    text: str
    months: int | None = Field(default=None, gt=0)


class MissedDose(Frozen):
    """What to do after a missed dose; None hours means that no make-up window is given."""

    text: str
    make_up_unless_next_within_hours: int | None = Field(default=None, gt=0)


class Restart(Statement):
    """How to start again after a pause that was not caused by an adverse reaction."""

    interrupted_days_at_least: int = Field(gt=0)
    applies_after_adverse_reaction: bool
    first: Dose
    first_days: int = Field(gt=0)
    then: str


class Dosing(Statement):
    """Starting dose, food, handling and duration."""

    start: Dose
    lead_in: LeadIn | None = None
    food: Literal["with food", "with or without food"]
    administration: tuple[str, ...]
    duration: tuple[Duration, ...] = Field(min_length=1)
    missed_dose: MissedDose
    vomiting: str
    superseded: str | None = None

    @property
    def full_dose(self) -> Dose:
        """The recommended dose once any lead-in is over."""
        return self.lead_in.then if self.lead_in else self.start


class DosingElsewhere(Statement):
    """The full dose and the steps below it where a jurisdiction's label has others."""

    jurisdiction: Literal["EU", "JP"]
    start: Dose
    lower: tuple[Dose, ...] = ()
    below_minimum: Literal["permanently discontinue", "not read"]


class DoseMapping(Frozen):
    """The dose to give in place of the dose the patient would otherwise take."""

    instead_of_mg: Milligrams
    give_mg: Milligrams


class ImpairmentRow(Statement):
    """The label's position for one degree of organ impairment.

    `recommendation` is `dose` when `dose` holds the starting dose, `map` when `mapping` holds
    replacements by current dose; the others carry no number.
    """

    id: str
    group: str
    recommendation: Literal[
        "no adjustment",
        "dose",
        "map",
        "avoid",
        "closer monitoring",
        "not studied",
        "no data",
        "not readable",
    ]
    dose: Dose | None = None
    mapping: tuple[DoseMapping, ...] = ()

    @model_validator(mode="after")
    def _numbers_where_promised(self) -> ImpairmentRow:
        if (self.recommendation == "dose") != (self.dose is not None):
            raise ValueError("a dose if and only if the recommendation is 'dose'")
        if (self.recommendation == "map") != bool(self.mapping):
            raise ValueError("a mapping if and only if the recommendation is 'map'")
        return self


class OrganImpairment(Frozen):
    """Rows by organ, mildest first."""

    hepatic: tuple[ImpairmentRow, ...]
    renal: tuple[ImpairmentRow, ...]


_LABELS = "https://dailymed.nlm.nih.gov/dailymed"

Generation = Literal["first", "second", "third", "fourth"]


def generation_names(generation: Generation) -> tuple[str, ...]:
    """How rules call a generation of drugs: `generation 3`, and the ranges that it lies in, such
    as `generation 2 or later`."""
    number = get_args(Generation).index(generation) + 1
    ranges = (f"generation {first} or later" for first in range(2, number + 1))
    return (f"generation {number}", *ranges)


class Drug(Frozen):
    """Everything the service knows about one ALK inhibitor outside the rule tables."""

    ingredient: str = Field(pattern=r"^[a-z]+$")
    brand: str
    generation: Generation
    drug_class: Literal["ALK inhibitor"]
    codes: tuple[Code, ...]
    codes_note: str | None = None
    match_text: tuple[str, ...] = Field(min_length=1)
    confusable_with: tuple[str, ...]
    label: LabelRevision
    indications: tuple[Indication, ...] = Field(min_length=1)
    contraindications: tuple[LabelledText, ...]
    products: tuple[Product, ...] = Field(min_length=1)
    other_presentations: tuple[OtherPresentation, ...] = ()
    dispensing: tuple[DispensedDose, ...]
    dosing: Dosing
    restart: Restart | None = None
    ladder: Ladder
    dosing_by_jurisdiction: tuple[DosingElsewhere, ...] = ()
    organ_impairment: OrganImpairment
    reproduction: Reproduction
    other_alerts: tuple[LabelledText, ...] = ()
    key_warnings: tuple[str, ...] = Field(min_length=1)
    common_adverse_reactions: LabelledText

    @model_validator(mode="after")
    def _doses_agree(self) -> Drug:
        top = self.ladder.levels[0]
        full = self.dosing.full_dose
        if (top.amount_mg, top.per_day) != (full.amount_mg, full.per_day):
            raise ValueError("ladder level 0 to be the full dose")
        strengths = {product.strength_mg for product in self.products}
        for dispensed in self.dispensing:
            if not {unit.strength_mg for unit in dispensed.units} <= strengths:
                raise ValueError("dispensing to use strengths listed under products")
        return self

    @property
    def generation_names(self) -> tuple[str, ...]:
        """How rules call the generation of the drug, alone and in ranges."""
        return generation_names(self.generation)

    @property
    def label_page(self) -> str:
        """Where the US label now in force is to be read: the national library's copy of it."""
        if self.label.set_id is not None:
            return f"{_LABELS}/drugInfo.cfm?setid={self.label.set_id}"
        return f"{_LABELS}/search.cfm?query={self.brand.split()[0].lower()}"

    def steps(self, *, lead_in: bool = False) -> tuple[LadderLevel, ...]:
        """The label's steps; `lead_in` those of the first days, where it has steps of their own."""
        return (lead_in and self.ladder.lead_in_levels) or self.ladder.levels

    def ladder_level(
        self, amount_mg: Decimal, per_day: int, *, lead_in: bool = False
    ) -> LadderLevel | None:
        """The step with exactly this dose, or None when the dose is not on the ladder."""
        for step in self.steps(lead_in=lead_in):
            if step.amount_mg == amount_mg and step.per_day == per_day:
                return step
        return None

    def next_lower(self, level: LadderLevel, *, lead_in: bool = False) -> LadderLevel | None:
        """The step below `level`, or None at the bottom, where the label says to stop.

        Raises ValueError when `level` is not a step of this drug's ladder.
        """
        levels = self.steps(lead_in=lead_in)
        if level not in levels:
            raise ValueError("the level does not belong to this drug's ladder")
        following = level.level + 1
        return levels[following] if following < len(levels) else None

    def dispensed(self, amount_mg: Decimal) -> DispensedDose | None:
        """The capsules or tablets for one dose of `amount_mg`, or None when not tabulated."""
        for entry in self.dispensing:
            if entry.amount_mg == amount_mg:
                return entry
        return None

    def statements(self) -> Iterator[tuple[str, Statement]]:
        """Every sourced block with its path in the file, for checks and for documentation."""
        yield from _statements("", self)


def _statements(path: str, row: object) -> Iterator[tuple[str, Statement]]:
    if isinstance(row, tuple):
        for position, member in enumerate(row):
            yield from _statements(f"{path}[{position}]", member)
    elif isinstance(row, Frozen):
        if isinstance(row, Statement):
            yield path, row
        for name in type(row).model_fields:
            yield from _statements(f"{path}.{name}".lstrip("."), getattr(row, name))
