from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from cds_service.fhir.datatypes import Quantity
from cds_service.fhir.units import UnitTable

ENZYME = UnitTable(
    "U/L",
    {
        "IU/L": Decimal(1),
        "UI/L": Decimal(1),
        "u/l": Decimal(1),
        "[iU]/L": Decimal(1),
        "ukat/L": Decimal(60),
    },
)


def test_only_listed_units_convert_and_they_convert_exactly(units_row: dict[str, str]) -> None:
    quantity = Quantity(
        value=Decimal(units_row["number"]),
        unit=units_row["unit"] or None,
        code=units_row["code"] or None,
        system=units_row["system"] or None,
    )
    converted = ENZYME.to_canonical(quantity.number, quantity)
    assert (str(converted) if converted is not None else "") == units_row["expected"]


def test_products_are_exact_where_floats_are_not() -> None:
    bilirubin = UnitTable("umol/L", {"mg/dL": Decimal("17.1")})
    assert bilirubin.to_canonical(Decimal("1.2"), Quantity(unit="mg/dL")) == Decimal("20.52")
    long_number = Decimal("1." + "3" * 60)
    converted = bilirubin.to_canonical(long_number, Quantity(unit="mg/dL"))
    assert converted is not None
    assert Fraction(converted) == Fraction(long_number) * Fraction("17.1")


@pytest.mark.parametrize("factor", ["0", "-1", "NaN", "Infinity"])
def test_a_table_with_a_useless_factor_is_refused(factor: str) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        UnitTable("U/L", {"x": Decimal(factor)})


def test_a_table_with_two_factors_for_one_spelling_is_refused() -> None:
    with pytest.raises(ValueError, match="two factors"):
        UnitTable("U/L", {"µkat/L": Decimal(60), "ukat/L": Decimal(61)})
    with pytest.raises(ValueError, match="two factors"):
        UnitTable("U/L", {"U/L": Decimal(2)})


def test_a_number_that_is_not_finite_never_converts() -> None:
    assert ENZYME.to_canonical(Decimal("NaN"), Quantity(unit="U/L")) is None
    assert ENZYME.to_canonical(None, Quantity(unit="U/L")) is None
