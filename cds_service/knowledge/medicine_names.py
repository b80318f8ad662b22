"""What medicines are called, which unknown ones are harmless, and how long a stopped one acts.

Four files of the `codes` folder; an older release without them has no such names.
"""

from __future__ import annotations

import csv
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib.resources.abc import Traversable
from math import ceil

from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import match_key
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

_NAME_COLUMNS = ("name", "ingredients", "kind", "place", "verified", "source")
_CODE_COLUMNS = ("system", "code", "name", "source")
_HALF_LIFE_COLUMNS = ("ingredient", "low_hours", "high_hours", "verified", "source", "note")
_KINDS = frozenset({"name", "spelling", "brand", "combination"})
_YES_NO = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class MedicineName:
    """One name and the ingredients it stands for.

    `kind` is name, spelling, brand or combination. `first`: a brand that is a common word, which
    counts only where a text begins with it. What an unverified name says may raise a question.
    """

    name: str
    ingredients: tuple[str, ...]
    kind: str
    first: bool
    verified: bool
    source: str


@dataclass(frozen=True, slots=True)
class HalfLife:
    """Plasma half-life of an ingredient in hours, from the shortest to the longest read."""

    ingredient: str
    low_hours: Decimal
    high_hours: Decimal
    verified: bool
    source: str
    note: str

    @property
    def three_in_days(self) -> int:
        """Three of the longest half-lives in whole days, rounded up."""
        return ceil(3 * self.high_hours / 24)


class Words(Frozen):
    """Names or words with the source of what they mean here."""

    words: tuple[str, ...] = ()
    verified: bool = False
    source: str = "none"


class HarmlessMedicines(Frozen):
    """`harmless_medicines.yaml`: which medicines no interaction row of this release concerns."""

    names: Words = Words()
    words: Words = Words()
    said_beside_names: Words = Words()
    local_routes: Words = Words()
    systemic_despite_route: Words = Words()
    of_trials: Words = Words()
    atc: Words = Words()
    atc_that_matter: Words = Words()
    atc_of_possible_inducers: Words = Words()


@dataclass(frozen=True)
class MedicineNames:
    """Everything this module reads."""

    names: tuple[MedicineName, ...] = ()
    recognised_codes: frozenset[CodeKey] = frozenset()
    harmless: HarmlessMedicines = field(default_factory=HarmlessMedicines)
    half_lives: Mapping[str, HalfLife] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    """Every source that one of the files cites."""


def load_medicine_names(folder: Traversable, ingredients: Container[str]) -> MedicineNames:
    """The names in the `codes` folder. `ingredients` are those that the tables have a class for.

    A name may also stand for a medicine without a class, which has a row of kind `name` of its
    own. Raises KnowledgeError with file, row and column.
    """
    sources: set[str] = set()
    names = tuple(_names(folder / "medicine_names.csv"))
    listed = {item.name for item in names if item.kind == "name"}
    for row, item in enumerate(names, start=2):
        for ingredient in item.ingredients:
            if ingredient not in ingredients and ingredient not in listed:
                raise KnowledgeError(
                    str(folder / "medicine_names.csv"),
                    "",
                    "an ingredient of medications.yaml, a drug, or one with a row of kind name",
                    row=row,
                    column="ingredients",
                )
        sources.add(item.source)
    half_lives = {item.ingredient: item for item in _half_lives(folder / "half_lives.csv")}
    for ingredient in half_lives:
        if ingredient not in ingredients:
            expected = "an ingredient of medications.yaml"
            raise KnowledgeError(str(folder / "half_lives.csv"), "", expected, column="ingredient")
    codes: set[CodeKey] = set()
    for _, row_of in _rows(folder / "recognised_codes.csv", _CODE_COLUMNS):
        codes.add(match_key(row_of["system"], row_of["code"]))
        sources.add(row_of["source"])
    sources |= {item.source for item in half_lives.values()}
    file = folder / "harmless_medicines.yaml"
    harmless = HarmlessMedicines()
    if file.is_file():
        harmless = validate(HarmlessMedicines, read_mapping(file), str(file), "")
        sources |= {getattr(harmless, name).source for name in HarmlessMedicines.model_fields}
    return MedicineNames(
        names, frozenset(codes), harmless, half_lives, frozenset(sources - {"none"})
    )


def _names(file: Traversable) -> Iterator[MedicineName]:
    seen: set[str] = set()
    for number, row in _rows(file, _NAME_COLUMNS):
        name, source = row["name"], row["source"]
        ingredients = tuple(filter(None, row["ingredients"].split(";")))
        if not (name and source and ingredients):
            raise KnowledgeError(str(file), "", "name, ingredients and source", row=number)
        if name in seen:
            raise KnowledgeError(str(file), "", "a name given once", row=number, column="name")
        seen.add(name)
        if row["kind"] not in _KINDS:
            expected = f"one of {', '.join(sorted(_KINDS))}"
            raise KnowledgeError(str(file), "", expected, row=number, column="kind")
        if row["place"] not in ("", "first"):
            raise KnowledgeError(str(file), "", "empty or first", row=number, column="place")
        verified = _verified(row, file, number)
        if verified and source == "general-knowledge":
            expected = "false for what was not read in a source"
            raise KnowledgeError(str(file), "", expected, row=number, column="verified")
        first = row["place"] == "first"
        yield MedicineName(name, ingredients, row["kind"], first, verified, source)


def _half_lives(file: Traversable) -> Iterator[HalfLife]:
    for number, row in _rows(file, _HALF_LIFE_COLUMNS):
        try:
            low, high = Decimal(row["low_hours"]), Decimal(row["high_hours"])
        except InvalidOperation:
            low = high = Decimal(0)
        if not (0 < low <= high < 24 * 365):
            raise KnowledgeError(
                str(file), "", "hours, the shorter first", row=number, column="low_hours"
            )
        verified = _verified(row, file, number)
        yield HalfLife(row["ingredient"], low, high, verified, row["source"], row["note"])


def _verified(row: Mapping[str, str], file: Traversable, number: int) -> bool:
    if row["verified"] not in _YES_NO:
        raise KnowledgeError(str(file), "", "true or false", row=number, column="verified")
    return _YES_NO[row["verified"]]


def _rows(file: Traversable, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their number; none of a file that an older release lacks."""
    if not file.is_file():
        return
    name = str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(name, "the top", "a readable UTF-8 file") from error
    reader = csv.reader(text.splitlines())
    if tuple(next(reader, ())) != columns:
        raise KnowledgeError(name, "row 1", f"the columns {', '.join(columns)}", row=1)
    for number, row in enumerate(reader, start=2):
        if len(row) != len(columns):
            raise KnowledgeError(name, "", f"{len(columns)} columns", row=number)
        yield number, dict(zip(columns, row, strict=True))
