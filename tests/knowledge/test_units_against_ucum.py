"""Every unit spelling and factor of the tables, against a UCUM library and against molar masses."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ucumvert import PintUcumRegistry

from cds_service.knowledge.code_models import Analyte
from cds_service.knowledge.codes import load_codes

DATA = Path(__file__).parent / "data"
ANALYTES = load_codes().analytes
ATOMS = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "Mg": 24.305, "Ca": 40.078}
# Pure numbers by agreement; UCUM gives {INR} no size of its own.
UNIT_OF_ONE = {"{INR}": "1"}
# The factors in use are rounded to four digits, the one of triglycerides rests on 885.7 g/mol.
MOLAR_TOLERANCE = 0.0005


def rows(name: str) -> list[dict[str, str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    header = kept[0].split("\t")
    return [dict(zip(header, line.split("\t"), strict=True)) for line in kept[1:]]


SPELLINGS = {(row["canonical"], row["spelling"]): row["ucum"] for row in rows("unit_spellings.tsv")}


@cache
def registry() -> Any:
    return PintUcumRegistry()


@cache
def quantity(ucum: str) -> Any:
    """One of a UCUM unit, as the library understands it."""
    return registry().from_ucum(UNIT_OF_ONE.get(ucum, ucum)) * 1


def grams_per_mole(row: dict[str, str]) -> float:
    if row["grams"]:
        return float(row["grams"])
    parts = re.findall(r"([A-Z][a-z]?)(\d+)", row["parts"])
    return sum(ATOMS[atom] * int(number) for atom, number in parts)


MASSES = {row["analyte"]: grams_per_mole(row) for row in rows("molar_masses.tsv")}


def expected_factor(analyte: Analyte, spelling: str) -> tuple[float, float]:
    """The factor by the library, and how far the table's may be from it."""
    sent = quantity(SPELLINGS[analyte.unit, spelling])
    canonical = quantity(SPELLINGS[analyte.unit, analyte.unit])
    if sent.dimensionality == canonical.dimensionality:
        return float((sent / canonical).to("").magnitude), 1e-9
    mass = quantity("g/mol") * MASSES[analyte.name]
    as_mass = "[mass]" in str(canonical.dimensionality)
    moved = sent * mass if as_mass else sent / mass
    return float((moved / canonical).to("").magnitude), MOLAR_TOLERANCE


EVERY = [
    pytest.param(analyte, spelling, factor, id=f"{analyte.name}: {spelling}")
    for analyte in ANALYTES.values()
    for spelling, factor in analyte.units.items()
]


@pytest.mark.parametrize(("analyte", "spelling", "factor"), EVERY)
def test_a_factor_is_what_ucum_says(analyte: Analyte, spelling: str, factor: Decimal) -> None:
    expected, tolerance = expected_factor(analyte, spelling)
    assert float(factor) == pytest.approx(expected, rel=tolerance)


def test_the_table_of_spellings_holds_what_the_unit_tables_hold_and_no_more() -> None:
    used = {(item.unit, spelling) for item in ANALYTES.values() for spelling in item.units}
    assert set(SPELLINGS) == used


def test_every_molar_mass_is_used() -> None:
    assert set(MASSES) <= set(ANALYTES)


@pytest.mark.parametrize(
    ("analyte", "spelling", "wrong"),
    [("total bilirubin", "mg/dL", "88.4"), ("ALT", "ukat/L", "16.67"), ("QTc", "s", "100"),
     ("calcium", "mmol/L", "2.43"), ("glucose", "mmol/L", "18.03")],
)  # fmt: skip
def test_the_oracle_would_notice_a_wrong_factor(analyte: str, spelling: str, wrong: str) -> None:
    expected, tolerance = expected_factor(ANALYTES[analyte], spelling)
    assert float(wrong) != pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(
    ("analyte", "spelling"),
    [
        ("ALT", "u/L"),
        ("ALT", "mg/dL"),
        ("ALT", "units"),
        ("total bilirubin", "mg/L"),
        ("creatinine", "mmol/mol"),
        ("eGFR", "mL/min/m2"),
        ("HbA1c", "mmol/mol"),
        ("platelets", "10*3/L"),
        ("platelets", "%"),
        ("heart rate", "Hz"),
        ("hCG", "U/L"),
        ("QTc", "min"),
    ],
)
def test_a_unit_that_means_something_else_has_no_factor(analyte: str, spelling: str) -> None:
    assert spelling not in ANALYTES[analyte].units
