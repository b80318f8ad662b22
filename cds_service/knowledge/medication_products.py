"""The products of medicines: `medication_products.csv`, one row for each code and ingredient."""

from __future__ import annotations

import csv
from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources.abc import Traversable

from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import match_key
from cds_service.knowledge.errors import KnowledgeError

_PRODUCT_COLUMNS = [
    "system",
    "code",
    "name",
    "ingredient",
    "strength",
    "form",
    "route",
    "source",
]
_LOCAL_ROUTES = frozenset(
    {"topical", "ophthalmic or otic", "rectal", "vaginal", "inhaled or nasal"}
)
_SYSTEMIC_ROUTES = frozenset({"oral", "injection", "implant"})


@dataclass(frozen=True, slots=True)
class MedicationMatch:
    """What a medication code stands for. `systemic` is None when the route is not known."""

    ingredient: str
    display: str
    verified: bool
    systemic: bool | None
    strength_mg: Decimal | None = None


def load_products(
    file: Traversable, ingredients: Container[str]
) -> dict[CodeKey, tuple[MedicationMatch, ...]]:
    """Every product code with its ingredients. Raises KnowledgeError with row and column."""
    name = str(file)
    products: dict[CodeKey, tuple[MedicationMatch, ...]] = {}
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise KnowledgeError(name, "the top", "a readable UTF-8 file") from error
    reader = csv.reader(text.splitlines())
    if next(reader, []) != _PRODUCT_COLUMNS:
        raise KnowledgeError(name, "row 1", f"the columns {', '.join(_PRODUCT_COLUMNS)}", row=1)
    for number, row in enumerate(reader, start=2):
        if len(row) != len(_PRODUCT_COLUMNS):
            raise KnowledgeError(name, "", f"{len(_PRODUCT_COLUMNS)} columns", row=number)
        system, code, display, ingredient, strength, _, route, source = row
        if ingredient not in ingredients:
            expected = "an ingredient of medications.yaml"
            raise KnowledgeError(name, "", expected, row=number, column="ingredient")
        if not (system and code and display and source):
            raise KnowledgeError(name, "", "system, code, name and source", row=number)
        if route and route not in _LOCAL_ROUTES | _SYSTEMIC_ROUTES:
            raise KnowledgeError(name, "", "a known route", row=number, column="route")
        match = MedicationMatch(
            ingredient=ingredient,
            display=display,
            verified=True,
            systemic=route in _SYSTEMIC_ROUTES if route else None,
            strength_mg=_strength(strength, name, number),
        )
        key = match_key(system, code)
        products[key] = (*products.get(key, ()), match)
    return products


def _strength(text: str, file: str, row: int) -> Decimal | None:
    if not text:
        return None
    try:
        return Decimal(text)
    except ArithmeticError as error:
        raise KnowledgeError(file, "", "milligrams", row=row, column="strength") from error
