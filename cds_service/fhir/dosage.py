"""Dose per day from dosage instructions, in the shapes EHRs really send. Never a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cds_service.fhir.datatypes import Dosage, DoseAndRate, Quantity, Ratio
from cds_service.fhir.dosage_text import (
    COUNTED,
    MASS,
    TextDose,
    parse_dose_text,
    strength_in_name,
)
from cds_service.fhir.dosage_timing import DoseProblem, Frequency, duration_days, read_frequency
from cds_service.fhir.units import fold_unit, unit_spelling

__all__ = [
    "DoseProblem",
    "DoseReading",
    "DoseStep",
    "read_dosage",
    "strength_in_name",
]

Bounds = tuple[Decimal, Decimal]

_PER_DAY = frozenset({"mg/d", "mg/day", "mg/24.h"})
_DAY = frozenset({"d", "day", "days"})


@dataclass(frozen=True, slots=True)
class DoseStep:
    """One step of a dosage. Amounts in mg; None means that the number cannot be told.

    A range is in `amount_range_mg` or `daily_range_mg`, and the single number is then None.
    `days` is how long the step lasts, None when open. Steps follow each other in `sequence`.
    """

    sequence: int
    amount_mg: Decimal | None = None
    doses_per_day: Decimal | None = None
    daily_mg: Decimal | None = None
    as_text: str = ""
    days: int | None = None
    as_needed: bool = False
    amount_range_mg: Bounds | None = None
    daily_range_mg: Bounds | None = None
    problems: tuple[DoseProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class DoseReading:
    """All steps in order. With no instruction at all there is no step and one problem."""

    steps: tuple[DoseStep, ...]
    problems: tuple[DoseProblem, ...] = ()

    @property
    def known(self) -> bool:
        """True when every step states its dose per day."""
        return bool(self.steps) and all(step.daily_mg is not None for step in self.steps)


@dataclass(frozen=True, slots=True)
class _Amount:
    """What one dose weighs; `per_day` when the statement is a total for the day."""

    bounds: Bounds | None = None
    per_day: bool = False
    problem: DoseProblem | None = None


def read_dosage(
    instructions: Sequence[Dosage], unit_strength_mg: Decimal | None = None
) -> DoseReading:
    """Read dosage instructions; `unit_strength_mg` is the strength of one tablet or capsule.

    Different sequence numbers follow each other, equal ones are taken together. Several
    instructions without sequence numbers could mean either: then no daily dose is told.
    """
    if not instructions:
        return DoseReading((), (DoseProblem.NO_INSTRUCTION,))
    if len(instructions) == 1:
        steps = _read_instruction(instructions[0], unit_strength_mg)
    elif any(instruction.sequence is None for instruction in instructions):
        steps = (_unordered(instructions, unit_strength_mg),)
    else:
        steps = _sequence(instructions, unit_strength_mg)
    return DoseReading(steps, _unique(problem for step in steps for problem in step.problems))


def _unique(problems: Iterable[DoseProblem]) -> tuple[DoseProblem, ...]:
    return tuple(dict.fromkeys(problems))


def _sequence(
    instructions: Sequence[Dosage], unit_strength_mg: Decimal | None
) -> tuple[DoseStep, ...]:
    groups: dict[int, list[DoseStep]] = {}
    for instruction in instructions:
        number = instruction.sequence or 0
        steps = _read_instruction(instruction, unit_strength_mg)
        if len(steps) > 1:
            # Words that hold several steps have no place inside another sequence.
            unread = (DoseProblem.TEXT_NOT_READ,)
            steps = (DoseStep(number, as_text=steps[0].as_text, problems=unread),)
        groups.setdefault(number, []).extend(steps)
    return tuple(_together(number, groups[number]) for number in sorted(groups))


def _together(sequence: int, steps: list[DoseStep]) -> DoseStep:
    if len(steps) == 1:
        return steps[0]
    total: Decimal | None = Decimal(0)
    doses: Decimal | None = Decimal(0)
    for step in steps:
        total = None if total is None or step.daily_mg is None else total + step.daily_mg
        doses = None if doses is None or step.doses_per_day is None else doses + step.doses_per_day
    amounts = {step.amount_mg for step in steps}
    lasting = {step.days for step in steps}
    return DoseStep(
        sequence=sequence,
        amount_mg=amounts.pop() if len(amounts) == 1 else None,
        doses_per_day=doses,
        daily_mg=total,
        as_text="; ".join(step.as_text for step in steps if step.as_text),
        days=lasting.pop() if len(lasting) == 1 else None,
        as_needed=any(step.as_needed for step in steps),
        problems=_unique(problem for step in steps for problem in step.problems),
    )


def _unordered(instructions: Sequence[Dosage], unit_strength_mg: Decimal | None) -> DoseStep:
    read = [_read_instruction(instruction, unit_strength_mg) for instruction in instructions]
    meanings = {
        (step.amount_mg, step.doses_per_day, step.daily_mg, step.days)
        for steps in read
        for step in steps
    }
    if len(meanings) == 1 and all(len(steps) == 1 and not steps[0].problems for steps in read):
        # The same instruction said twice, for instance once in words for the patient.
        return read[0][0]
    texts = [step.as_text for steps in read for step in steps if step.as_text]
    return DoseStep(
        sequence=1,
        as_text="; ".join(dict.fromkeys(texts)),
        as_needed=any(step.as_needed for steps in read for step in steps),
        problems=(DoseProblem.ORDER_UNKNOWN,),
    )


def _read_instruction(
    instruction: Dosage, unit_strength_mg: Decimal | None
) -> tuple[DoseStep, ...]:
    text = (instruction.text or instruction.patient_instruction or "").strip()
    in_words = parse_dose_text(text) if text else None
    amount, frequency = _amount(instruction, unit_strength_mg), read_frequency(instruction.timing)
    nothing_structured = (
        amount.problem == DoseProblem.NO_AMOUNT and frequency.problem == DoseProblem.NO_TIMING
    )
    as_needed = bool(
        instruction.as_needed_boolean
        or instruction.as_needed
        or instruction.as_needed_codeable_concept is not None
    )
    number = 1 if instruction.sequence is None else instruction.sequence
    if nothing_structured and in_words is not None and len(in_words) > 1 and not as_needed:
        return tuple(
            _step(
                number + position,
                _words_amount(dose, unit_strength_mg),
                _words_frequency(dose),
                text,
                dose.days,
            )
            for position, dose in enumerate(in_words)
        )
    days = duration_days(instruction.timing)
    if in_words is not None and len(in_words) == 1:
        amount = _agreed_amount(amount, frequency, in_words[0], unit_strength_mg)
        frequency = _agreed_frequency(frequency, in_words[0])
        days = in_words[0].days if days is None else days
    elif nothing_structured and text:
        # Naming two missing elements would hide that there are words nobody could read.
        return (
            DoseStep(
                sequence=number,
                as_text=text,
                as_needed=as_needed,
                problems=(DoseProblem.TEXT_NOT_READ,),
            ),
        )
    return (_step(number, amount, frequency, text, days, as_needed=as_needed),)


def _step(
    sequence: int,
    amount: _Amount,
    frequency: Frequency,
    text: str,
    days: int | None,
    *,
    as_needed: bool = False,
) -> DoseStep:
    problems = [problem for problem in (amount.problem,) if problem is not None]
    if frequency.problem is not None and not (
        amount.per_day and frequency.problem == DoseProblem.NO_TIMING
    ):
        problems.append(frequency.problem)
    bounds = amount.bounds
    doses = (
        (frequency.low, frequency.high)
        if frequency.low is not None and frequency.high is not None
        else None
    )
    daily: Bounds | None = None
    if bounds is not None and amount.per_day:
        daily = bounds
    elif bounds is not None and doses is not None:
        daily = (bounds[0] * doses[0], bounds[1] * doses[1])
    if bounds is not None and bounds[0] != bounds[1]:
        problems.append(DoseProblem.AMOUNT_IS_RANGE)
    if doses is not None and doses[0] != doses[1]:
        problems.append(DoseProblem.TIMING_IS_RANGE)
    if as_needed:
        problems.append(DoseProblem.AS_NEEDED)
        daily = None
    per_dose = None if amount.per_day else bounds
    return DoseStep(
        sequence=sequence,
        amount_mg=_single(per_dose),
        doses_per_day=_single(doses),
        daily_mg=None if problems else _single(daily),
        as_text=text,
        days=days,
        as_needed=as_needed,
        amount_range_mg=_spread(per_dose),
        daily_range_mg=_spread(daily),
        problems=_unique(problems),
    )


def _single(bounds: Bounds | None) -> Decimal | None:
    return bounds[0] if bounds is not None and bounds[0] == bounds[1] else None


def _spread(bounds: Bounds | None) -> Bounds | None:
    return bounds if bounds is not None and bounds[0] != bounds[1] else None


def _agreed_amount(
    structured: _Amount,
    frequency: Frequency,
    in_words: TextDose,
    unit_strength_mg: Decimal | None,
) -> _Amount:
    words = _words_amount(in_words, unit_strength_mg)
    if structured.bounds is None:
        return structured if structured.problem == DoseProblem.AMOUNTS_DISAGREE else words
    if words.bounds is None:
        return words if words.problem == DoseProblem.AMOUNTS_DISAGREE else structured
    if words.per_day:
        return _agreed_total(structured, frequency, words)
    mass = words.bounds[0] * ((in_words.doses_per_day or 1) if structured.per_day else 1)
    return structured if structured.bounds == (mass, mass) else _DISAGREE


def _agreed_total(structured: _Amount, frequency: Frequency, words: _Amount) -> _Amount:
    """One dose or a day's total as elements say it, beside a day's total in words."""
    if structured.bounds is None or words.bounds is None:
        return structured
    if structured.per_day:
        return structured if structured.bounds == words.bounds else _DISAGREE
    if frequency.low is None or frequency.high is None:
        # How often is not said: the total stands, unless one dose would be more than the day's.
        return words if structured.bounds[1] <= words.bounds[0] else _DISAGREE
    total = (structured.bounds[0] * frequency.low, structured.bounds[1] * frequency.high)
    return structured if total == words.bounds else _DISAGREE


def _agreed_frequency(structured: Frequency, words: TextDose) -> Frequency:
    if words.doses_per_day is None:
        return structured
    if structured.problem in (DoseProblem.NO_TIMING, DoseProblem.TIMING_NOT_READ):
        return Frequency.exactly(words.doses_per_day)
    if structured.problem is None and not (
        structured.low == words.doses_per_day == structured.high
    ):
        return Frequency(problem=DoseProblem.TIMINGS_DISAGREE)
    return structured


_DISAGREE = _Amount(problem=DoseProblem.AMOUNTS_DISAGREE)
_NO_AMOUNT = _Amount(problem=DoseProblem.NO_AMOUNT)


def _words_frequency(dose: TextDose) -> Frequency:
    if dose.doses_per_day is None:
        return Frequency(problem=DoseProblem.NO_TIMING)
    return Frequency.exactly(dose.doses_per_day)


def _words_amount(dose: TextDose, unit_strength_mg: Decimal | None) -> _Amount:
    counted = None
    if dose.pieces is not None and unit_strength_mg is not None:
        counted = dose.pieces * unit_strength_mg
    if dose.mass_mg is not None and counted is not None and dose.mass_mg != counted:
        return _DISAGREE
    mass = dose.mass_mg if dose.mass_mg is not None else counted
    if mass is None:
        return _Amount(problem=DoseProblem.STRENGTH_UNKNOWN)
    return _Amount((mass, mass), per_day=dose.doses_per_day is None)


def _amount(instruction: Dosage, unit_strength_mg: Decimal | None) -> _Amount:
    """All statements of one dose, which must agree; the ones that cannot be read are set aside."""
    ways = list(instruction.dose_and_rate)
    if instruction.dose_quantity or instruction.dose_range or instruction.rate_ratio:
        ways.append(
            DoseAndRate(
                dose_quantity=instruction.dose_quantity,
                dose_range=instruction.dose_range,
                rate_ratio=instruction.rate_ratio,
            )
        )
    read = [_amount_of(way, unit_strength_mg) for way in ways]
    usable = [amount for amount in read if amount.bounds is not None]
    if usable:
        return usable[0] if len(set(usable)) == 1 else _DISAGREE
    problems = [amount for amount in read if amount.problem != DoseProblem.NO_AMOUNT]
    return problems[0] if problems else _NO_AMOUNT


def _amount_of(way: DoseAndRate, unit_strength_mg: Decimal | None) -> _Amount:
    if way.dose_quantity is not None:
        return _mass_of(way.dose_quantity, unit_strength_mg)
    if way.dose_range is not None:
        low, high = (
            _mass_of(bound, unit_strength_mg) if bound else _NO_AMOUNT
            for bound in (way.dose_range.low, way.dose_range.high)
        )
        if low.bounds is None or high.bounds is None or low.bounds[0] > high.bounds[0]:
            return low if low.problem else high if high.problem else _DISAGREE
        return _Amount((low.bounds[0], high.bounds[0]))
    if way.rate_quantity is not None:
        return _rate_of(way.rate_quantity)
    if way.rate_ratio is not None:
        return _ratio_of(way.rate_ratio, unit_strength_mg)
    return _NO_AMOUNT


def _mass_of(quantity: Quantity, unit_strength_mg: Decimal | None) -> _Amount:
    number = quantity.number
    if number is None or number <= 0:
        return _NO_AMOUNT
    if quantity.comparator:
        return _Amount(problem=DoseProblem.UNKNOWN_UNIT)
    mass = MASS.to_canonical(number, quantity)
    if mass is not None:
        return _Amount((mass, mass))
    spelling = (unit_spelling(quantity) or "").lower()
    if spelling.startswith("{") and spelling.endswith("}"):
        spelling = spelling[1:-1]
    if spelling not in COUNTED:
        return _Amount(problem=DoseProblem.UNKNOWN_UNIT)
    if unit_strength_mg is None:
        return _Amount(problem=DoseProblem.STRENGTH_UNKNOWN)
    total = number * unit_strength_mg
    return _Amount((total, total))


def _rate_of(quantity: Quantity) -> _Amount:
    number = quantity.number
    if number is None or number <= 0:
        return _NO_AMOUNT
    if (unit_spelling(quantity) or "").lower() in _PER_DAY:
        return _Amount((number, number), per_day=True)
    mass = MASS.to_canonical(number, quantity)
    if mass is None:
        return _Amount(problem=DoseProblem.UNKNOWN_UNIT)
    return _Amount((mass, mass))


def _ratio_of(ratio: Ratio, unit_strength_mg: Decimal | None) -> _Amount:
    below = ratio.denominator
    number = below.number if below else None
    if ratio.numerator is None or below is None or number is None or number <= 0:
        return _NO_AMOUNT
    if fold_unit(below.code or below.unit or "").lower() not in _DAY:
        return _Amount(problem=DoseProblem.UNKNOWN_UNIT)
    amount = _mass_of(ratio.numerator, unit_strength_mg)
    if amount.bounds is None:
        return amount
    daily = amount.bounds[0] / number
    return _Amount((daily, daily), per_day=True)
