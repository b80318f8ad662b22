"""Closed unit tables: a unit that is not listed is unknown, never guessed.

Factors multiply, exactly. Temperatures and other units with an offset do not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Protocol

from cds_service.fhir.remembered import remembered
from cds_service.fhir.terminology import UCUM, canonical_system

# Wide enough that no product of a sent number and a factor is ever rounded.
_EXACT = Context(prec=200)
# Micro sign and Greek mu look alike and are both used; UCUM writes u.
_MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u"})


class WithUnit(Protocol):
    """Anything that carries a unit as sent: Quantity, NumberAsSent, ReferenceLimit."""

    @property
    def unit(self) -> str | None: ...
    @property
    def code(self) -> str | None: ...
    @property
    def system(self) -> str | None: ...


@remembered(256)
def _is_ucum(system: str) -> bool:
    return canonical_system(system) == UCUM


def fold_unit(text: str) -> str:
    """A unit's spelling without outer blanks and with either micro sign written as u."""
    return text.strip().translate(_MICRO)


def unit_spelling(measured: WithUnit) -> str | None:
    """The spelling that names the unit: the UCUM code if the system is UCUM, else the unit."""
    code = measured.code
    if code and code.strip() and measured.system and _is_ucum(measured.system):
        return fold_unit(code)
    if measured.unit and measured.unit.strip():
        return fold_unit(measured.unit)
    return None


_MOST_SPELLINGS = 256
_ONE = Decimal(1)
"""The factor that changes nothing, compared by identity."""


@dataclass(frozen=True)
class UnitTable:
    """The units of one analyte: spelling -> factor that leads to the canonical unit.

    Raises ValueError on a factor that is not a positive finite number, on two factors for one
    spelling, and on a canonical unit whose factor is not 1.
    """

    canonical: str
    factors: Mapping[str, Decimal] = field(default_factory=dict)
    _answers: dict[tuple[str | None, str | None, str | None], Decimal | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        table = {fold_unit(self.canonical): Decimal(1)}
        for spelling, factor in self.factors.items():
            key = fold_unit(spelling)
            if not key or not factor.is_finite() or factor <= 0:
                raise ValueError(f"unit {spelling!r} of {self.canonical}: factor must be positive")
            if table.setdefault(key, factor) != factor:
                raise ValueError(f"unit {spelling!r} of {self.canonical}: two factors")
        object.__setattr__(self, "factors", MappingProxyType(table))

    def factor(self, measured: WithUnit) -> Decimal | None:
        """What to multiply by, or None for a missing, unknown or self-contradicting unit."""
        spelled = (measured.unit, measured.code, measured.system)
        try:
            return self._answers[spelled]
        except KeyError:
            answer = self._worked_out(measured)
        # Senders use a handful of spellings; the bound keeps odd ones from filling the memory.
        if len(self._answers) < _MOST_SPELLINGS:
            self._answers[spelled] = answer
        return answer

    def _worked_out(self, measured: WithUnit) -> Decimal | None:
        spelling = unit_spelling(measured)
        factor = self.factors.get(spelling) if spelling else None
        if factor == 1:
            factor = _ONE
        if factor is not None and measured.unit:
            # A UCUM code that disagrees with the unit people read: nobody knows which is true.
            shown = self.factors.get(fold_unit(measured.unit))
            if shown is not None and shown != factor:
                return None
        return factor

    def to_canonical(self, number: Decimal | None, measured: WithUnit) -> Decimal | None:
        """`number` in the canonical unit, exactly, or None when that cannot be known."""
        if number is None:
            return None
        factor = self.factor(measured)
        if factor is None or not number.is_finite():
            return None
        return number if factor is _ONE else _EXACT.multiply(number, factor)
