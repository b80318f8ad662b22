"""FHIR data types as small frozen structs: only the elements that this service reads.

Unknown elements are ignored. Numbers are Decimals with the digits that were sent, so 3.30 stays
3.30. The structs hold no cycles, which is why the garbage collector need not track them.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class DataType(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Base of all data types: camelCase on the wire, snake_case here."""


class Coding(DataType, frozen=True, cache_hash=True):
    """One code of one code system, as sent. `terminology.coding_key` gives its comparable form."""

    system: str | None = None
    version: str | None = None
    code: str | None = None
    display: str | None = None
    user_selected: bool | None = None
    extension: tuple[Extension, ...] = ()


class CodeableConcept(DataType, frozen=True, cache_hash=True):
    """Codings that claim to mean the same, and the text a person chose."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None

    @property
    def label(self) -> str | None:
        """What people should read: the text, else the first display. No code is invented."""
        if self.text and self.text.strip():
            return self.text.strip()
        for coding in self.coding:
            if coding.display and coding.display.strip():
                return coding.display.strip()
        return None


_MOST_DIGITS = 30
"""Powers of ten beyond which no number of a chart can lie, and arithmetic would overflow."""


def usable_number(value: Decimal | None) -> Decimal | None:
    """The number, or None for one that is not finite or of an impossible size.

    "NaN" and "Infinity" as text are read as decimals, and 1e999999 is one.
    """
    if value is None or not value.is_finite():
        return None
    return value if not value or abs(value.adjusted()) <= _MOST_DIGITS else None


class Quantity(DataType, frozen=True):
    """A number with a unit. `value_text` holds a value that was sent as text, such as "<5"."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    value_text: str | None = None

    @property
    def number(self) -> Decimal | None:
        """The number, or None when there is none that can be one (also for text such as "<5")."""
        return usable_number(self.value)

    @property
    def as_sent(self) -> str:
        """Comparator, number and unit as received, for display; empty when nothing was sent."""
        number = self.value_text if self.value is None else str(self.value)
        if not number:
            return ""
        unit = self.unit or self.code
        shown = f"{self.comparator}{number}" if self.comparator else number
        return f"{shown} {unit}" if unit else shown


class Identifier(DataType, frozen=True):
    """A business identifier. Never written to logs or cards."""

    system: str | None = None
    value: str | None = None


class Reference(DataType, frozen=True):
    """A reference to another resource; `references.parse_reference` takes it apart."""

    reference: str | None = None
    type: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class CodeableReference(DataType, frozen=True):
    """R5: a concept or a reference, used by R5 `medication` and `reason`."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Period(DataType, frozen=True):
    """Start and end as sent; read them with `dates.parse_moment`."""

    start: str | None = None
    end: str | None = None


class Range(DataType, frozen=True):
    """Two bounds, each of which may be absent."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(DataType, frozen=True):
    """Numerator over denominator."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Extension(DataType, frozen=True):
    """An extension with the value types that occur in oncology profiles."""

    url: str | None = None
    extension: tuple[Extension, ...] = ()
    value_codeable_concept: CodeableConcept | None = None
    value_coding: Coding | None = None
    value_code: str | None = None
    value_string: str | None = None
    value_reference: Reference | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_decimal: Decimal | None = None
    value_quantity: Quantity | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    value_uri: str | None = None


class Annotation(DataType, frozen=True):
    """A note beside a result. Only looked at for the names of methods, never for an answer."""

    text: str | None = None


class Meta(DataType, frozen=True):
    """Version of a resource at its server."""

    version_id: str | None = None
    last_updated: str | None = None


class ReferenceRange(DataType, frozen=True, cache_hash=True):
    """A laboratory's range; `reference_ranges.upper_limit` judges which one applies."""

    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    applies_to: tuple[CodeableConcept, ...] = ()
    age: Range | None = None
    text: str | None = None


class TimingRepeat(DataType, frozen=True):
    """When a dose is due. `period_units` and `bounds` spellings of DSTU2 are not read."""

    bounds_period: Period | None = None
    bounds_duration: Quantity | None = None
    bounds_range: Range | None = None
    count: Decimal | None = None
    duration: Decimal | None = None
    duration_unit: str | None = None
    frequency: Decimal | None = None
    frequency_max: Decimal | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str | None = None
    day_of_week: tuple[str, ...] = ()
    time_of_day: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    offset: Decimal | None = None


class Timing(DataType, frozen=True):
    """A schedule: structured, coded (BID) or both."""

    event: tuple[str, ...] = ()
    repeat: TimingRepeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(DataType, frozen=True):
    """One way of saying the dose; several of them say the same dose, they never add up."""

    type: CodeableConcept | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_quantity: Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_range: Range | None = None


class Dosage(DataType, frozen=True):
    """One dosage instruction. `dose_quantity` directly on it is the STU3 shape."""

    sequence: int | None = None
    text: str | None = None
    patient_instruction: str | None = None
    additional_instruction: tuple[CodeableConcept, ...] = ()
    timing: Timing | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: CodeableConcept | None = None
    as_needed: bool | None = None
    route: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()
    max_dose_per_period: tuple[Ratio, ...] = ()
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_ratio: Ratio | None = None
    rate_quantity: Quantity | None = None
