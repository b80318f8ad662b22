"""The results and findings that the bench lets change: whatever the rules of a drug ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.rules import Concept


@dataclass(frozen=True, slots=True)
class MeasuredField:
    """A test whose result can be changed.

    ``upper_limit`` is the one that the bench sends with the result, in the canonical unit of the
    analyte; with one the field takes multiples of it, without one the canonical unit.
    """

    name: str
    label: str
    unit: str
    analyte: str
    upper_limit: Decimal | None = None


_LIMITS: Mapping[str, Decimal] = MappingProxyType(
    {
        "ALT": Decimal(40),
        "AST": Decimal(40),
        "total bilirubin": Decimal(20),
        "CPK": Decimal(200),
        "ALP": Decimal(120),
        "creatinine": Decimal(100),
        "lipase": Decimal(60),
        "amylase": Decimal(100),
        "uric acid": Decimal(400),
    }
)
"""The upper limits of the bench's fictional laboratory, in canonical units."""
_NAMES = MappingProxyType({"total bilirubin": "bilirubin"})
_UNITS = MappingProxyType(
    {
        "/min": "per minute",
        "mm[Hg]": "mmHg",
        "10*9/L": "10⁹/L",
        "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    }
)
_FIRST = ("ALT", "AST", "total bilirubin", "CPK", "heart rate", "QTc")
"""What stands first, and alone where no drug is known."""


@dataclass(frozen=True)
class Fields:
    """The measured fields of a release, the findings, and which drug's rules ask for them."""

    measured: tuple[MeasuredField, ...]
    findings: tuple[str, ...]
    asked_by_drug: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, knowledge: Knowledge) -> Fields:
        """Every analyte and finding that a rule of a drug of the release asks for."""
        asked = {name: frozenset(_asked(tables)) for name, tables in knowledge.drugs.items()}
        named = {fact for facts in asked.values() for fact in facts}
        analytes = sorted(named & set(knowledge.codes.analytes), key=str.lower)
        ordered = dict.fromkeys((*_FIRST, *analytes))
        findings = [fact for fact in named if isinstance(knowledge.vocabulary.find(fact), Concept)]
        return cls(
            tuple(_field(name, knowledge) for name in ordered),
            tuple(sorted(findings)),
            MappingProxyType(asked),
        )

    def of_drugs(
        self, drugs: frozenset[str]
    ) -> tuple[tuple[MeasuredField, ...], tuple[MeasuredField, ...]]:
        """The fields that the rules of these drugs ask for, and the others."""
        asked = {fact for drug in drugs for fact in self.asked_by_drug.get(drug, ())}
        wanted = asked or set(_FIRST)
        return (
            tuple(item for item in self.measured if item.analyte in wanted),
            tuple(item for item in self.measured if item.analyte not in wanted),
        )


def _asked(tables: DrugTables) -> Iterator[str]:
    for table in tables.by_name.values():
        for row in table:
            for rule in row.rules.values():
                yield from rule.facts_named


def _field(analyte: str, knowledge: Knowledge) -> MeasuredField:
    name = _NAMES.get(analyte, re.sub("[^a-z0-9]+", "_", analyte.lower()))
    plain = analyte.islower()
    label = f"{analyte[:1].upper()}{analyte[1:]}" if plain else analyte
    unit = knowledge.codes.analytes[analyte].unit
    limit = _LIMITS.get(analyte)
    if limit is not None:
        return MeasuredField(name, label, "× ULN", analyte, limit)
    return MeasuredField(name, label, _UNITS.get(unit, unit), analyte)
