"""Value sets, laboratory tests with their units, and medication classes: the `codes` folder.

A pair (system, code) is the key everywhere. Lookups answer from verified codes only, unless they
are asked for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Protocol, TypeVar

from pydantic import BaseModel

from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import (
    Analyte,
    Code,
    ForbiddenCode,
    ForbiddenCodes,
    Ingredient,
    MedicationClass,
    Membership,
    RegistryItem,
    System,
    ValueSet,
    match_key,
)
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.icd_editions import load_editions
from cds_service.knowledge.medication_products import MedicationMatch, load_products
from cds_service.knowledge.medicine_names import MedicineNames
from cds_service.knowledge.related_tests import RelatedTest, load_related_tests
from cds_service.knowledge.watched_names import WatchedNames, load_watched_names
from cds_service.knowledge.watched_numbers import WatchedNumber, load_watched_numbers
from cds_service.knowledge.yaml_files import knowledge_folder, read_mapping, validate

__all__ = [
    "Analyte",
    "Code",
    "CodeKey",
    "Codes",
    "ForbiddenCode",
    "Ingredient",
    "MedicationClass",
    "MedicationMatch",
    "Membership",
    "RegistryItem",
    "System",
    "ValueSet",
    "load_codes",
]

NamedRow = TypeVar("NamedRow", bound=BaseModel)

_VALUE_SET_FILES = (
    "conditions.yaml",
    "biomarkers.yaml",
    "observations.yaml",
    "procedures.yaml",
    "instructions.yaml",
)


class _DrugLike(Protocol):
    """The part of a Drug that the medication lookup needs."""

    @property
    def ingredient(self) -> str: ...
    @property
    def drug_class(self) -> str: ...
    @property
    def generation_names(self) -> tuple[str, ...]: ...
    @property
    def codes(self) -> tuple[Code, ...]: ...
    @property
    def match_text(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Codes:
    """Everything in the `codes` folder, indexed for lookup. Build it with `load_codes`."""

    systems: Mapping[str, System]
    analytes: Mapping[str, Analyte]
    value_sets: Mapping[str, ValueSet]
    registry_items: Mapping[str, RegistryItem]
    do_not_use: tuple[ForbiddenCode, ...]
    medication_classes: Mapping[str, MedicationClass]
    ingredients: Mapping[str, Ingredient]
    product_matches: Mapping[CodeKey, tuple[MedicationMatch, ...]] = field(repr=False)
    watched: WatchedNames = field(default_factory=WatchedNames, repr=False)
    related_tests: Mapping[str, tuple[RelatedTest, ...]] = field(default_factory=dict)
    watched_numbers: Mapping[str, WatchedNumber] = field(default_factory=dict)
    medicine_names: MedicineNames = field(default_factory=MedicineNames, repr=False)
    _analyte_index: Mapping[CodeKey, tuple[str, bool]] = field(init=False, repr=False)
    _medication_index: Mapping[CodeKey, tuple[MedicationMatch, ...]] = field(init=False, repr=False)
    _class_index: Mapping[str, tuple[tuple[str, bool], ...]] = field(init=False, repr=False)
    _value_set_index: Mapping[CodeKey, frozenset[str]] = field(init=False, repr=False)
    _stage_index: Mapping[CodeKey, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        analytes = {
            code.key: (name, code.verified)
            for name, analyte in self.analytes.items()
            for code in analyte.codes
        }
        medications: dict[CodeKey, tuple[MedicationMatch, ...]] = dict(self.product_matches)
        for ingredient in self.ingredients.values():
            for code in ingredient.codes:
                match = _match_of(ingredient.name, code)
                known = medications.get(code.key, ())
                if not code.verified and any(
                    entry.ingredient == ingredient.name for entry in known
                ):
                    continue
                others = tuple(entry for entry in known if entry.ingredient != ingredient.name)
                medications[code.key] = (*others, match)
        classes: dict[str, list[tuple[str, bool]]] = {}
        for medication_class in self.medication_classes.values():
            for name, membership in medication_class.ingredients.items():
                classes.setdefault(name, []).append((medication_class.name, membership.verified))
        stages = {
            code.key: code.stage
            for value_set in self.value_sets.values()
            for code in value_set.codes
            if code.stage is not None and code.verified
        }
        holders: dict[CodeKey, frozenset[str]] = {}
        for name, value_set in self.value_sets.items():
            for key in value_set.code_keys():
                holders[key] = holders.get(key, frozenset()) | {name}
        object.__setattr__(self, "_value_set_index", holders)
        object.__setattr__(self, "_analyte_index", analytes)
        object.__setattr__(self, "_medication_index", medications)
        object.__setattr__(self, "_class_index", {k: tuple(v) for k, v in classes.items()})
        object.__setattr__(self, "_stage_index", stages)

    def canonical_system(self, uri: str) -> str:
        """The canonical URI for a spelling listed in `systems`, else `uri` unchanged."""
        return self.system_variants.get(uri, uri)

    @property
    def system_variants(self) -> Mapping[str, str]:
        """Every confirmed spelling of a code system's URI -> its canonical URI."""
        return {
            spelling: system.uri
            for system in self.systems.values()
            for spelling in (system.uri, *system.variants)
        }

    def analyte_for(
        self, system: str, code: str, *, include_unverified: bool = False
    ) -> Analyte | None:
        """The laboratory test or vital sign that a code names."""
        name, verified = self._analyte_index.get(match_key(system, code), (None, False))
        return self.analytes[name] if name and (verified or include_unverified) else None

    def value_sets_with(self, system: str, code: str) -> frozenset[str]:
        """Names of the value sets that hold a verified code."""
        return self._value_set_index.get(match_key(system, code), frozenset())

    def stage_of(self, system: str, code: str) -> str | None:
        """The stage group (I, IIIA, IV ...) a verified code states or implies."""
        return self._stage_index.get(match_key(system, code))

    def medications(
        self, system: str, code: str, *, include_unverified: bool = False
    ) -> tuple[MedicationMatch, ...]:
        """What a medication code holds: one entry per ingredient, empty when not known here."""
        matches = self._medication_index.get(match_key(system, code), ())
        return tuple(match for match in matches if match.verified or include_unverified)

    def ingredients_for(
        self, system: str, code: str, *, include_unverified: bool = False
    ) -> frozenset[str]:
        """Ingredient names behind a medication code."""
        matches = self.medications(system, code, include_unverified=include_unverified)
        return frozenset(match.ingredient for match in matches)

    def classes_of(self, ingredient: str, *, include_unverified: bool = False) -> frozenset[str]:
        """Class names of an ingredient, by verified membership unless asked for all."""
        return frozenset(
            name
            for name, verified in self._class_index.get(ingredient, ())
            if verified or include_unverified
        )

    def counts_for_class(self, match: MedicationMatch) -> bool:
        """Whether a product acts systemically enough to count for its ingredient's classes.

        A product whose route is not known counts: missing is never taken for harmless.
        """
        ingredient = self.ingredients.get(match.ingredient)
        if ingredient is None or not ingredient.systemic_routes_only:
            return True
        return match.systemic is not False

    def with_drugs(self, drugs: Iterable[_DrugLike]) -> Codes:
        """These codes plus the drugs of the `drugs` folder as ingredients of their class.

        Raises KnowledgeError when a drug is already listed under medications.
        """
        ingredients = dict(self.ingredients)
        members: dict[str, dict[str, Membership]] = {}
        for drug in drugs:
            if drug.ingredient in ingredients:
                raise KnowledgeError(
                    "codes/medications.yaml",
                    f"ingredients.{drug.ingredient}",
                    "an ingredient that has no folder of its own under drugs",
                )
            ingredients[drug.ingredient] = Ingredient(
                name=drug.ingredient, codes=drug.codes, match_text=drug.match_text
            )
            # The class is what the drug is: its label's first line, not a judgement to verify.
            for class_name in (drug.drug_class, *drug.generation_names):
                members.setdefault(class_name, {})[drug.ingredient] = Membership(
                    verified=True, sources=("drug-folder",)
                )
        classes = dict(self.medication_classes)
        for name, membership in members.items():
            classes[name] = MedicationClass(name=name, ingredients=membership)
        return replace(
            self,
            medication_classes=MappingProxyType(classes),
            ingredients=MappingProxyType(ingredients),
        )

    def with_names(self, names: MedicineNames) -> Codes:
        """These codes with what medicines are called and how long a stopped one acts."""
        return replace(self, medicine_names=names)

    def all_medications(self) -> Iterator[tuple[CodeKey, tuple[MedicationMatch, ...]]]:
        """Every medication code, verified or not, with what it stands for."""
        yield from self._medication_index.items()

    def all_codes(self) -> Iterator[tuple[str, Code]]:
        """Every code with the name of the set, analyte or ingredient that holds it."""
        tables: tuple[Mapping[str, ValueSet | Analyte | Ingredient], ...] = (
            self.value_sets,
            self.analytes,
            self.ingredients,
        )
        for table in tables:
            for name, holder in table.items():
                for code in holder.codes:
                    yield name, code
        for name, tests in self.related_tests.items():
            for test in tests:
                for code in test.codes:
                    yield name, code


def _match_of(ingredient: str, code: Code) -> MedicationMatch:
    return MedicationMatch(
        ingredient=ingredient,
        display=code.display,
        verified=code.verified,
        systemic=False if code.local_use else None,
    )


def load_codes(folder: Traversable | None = None) -> Codes:
    """All value sets, analytes and medication classes; the packaged `codes` folder by default.

    Raises KnowledgeError naming the file and the place inside it.
    """
    folder = folder if folder is not None else knowledge_folder() / "codes"
    analytes = {
        **_named_rows(folder / "labs.yaml", Analyte, {"kind": "laboratory"}),
        **_named_rows(folder / "vitals.yaml", Analyte, {"kind": "vital sign"}),
    }
    editions = load_editions(folder / "icd_10_editions.yaml")
    value_sets: dict[str, ValueSet] = {}
    for file_name in _VALUE_SET_FILES:
        common = {"file": file_name.removesuffix(".yaml")}
        for name, value_set in _named_rows(folder / file_name, ValueSet, common).items():
            if name in value_sets:
                raise KnowledgeError(str(folder / file_name), name, "a name used in one file only")
            value_sets[name] = value_set.of_editions(editions)
    forbidden = folder / "do_not_use.yaml"
    classes, ingredients = _load_medications(folder / "medications.yaml")
    codes = Codes(
        systems=MappingProxyType(_named_rows(folder / "systems.yaml", System)),
        analytes=MappingProxyType(analytes),
        value_sets=MappingProxyType(value_sets),
        registry_items=MappingProxyType(_named_rows(folder / "registry_items.yaml", RegistryItem)),
        do_not_use=validate(ForbiddenCodes, read_mapping(forbidden), str(forbidden), "").codes,
        medication_classes=MappingProxyType(classes),
        ingredients=MappingProxyType(ingredients),
        product_matches=MappingProxyType(
            load_products(folder / "medication_products.csv", ingredients)
        ),
        watched=load_watched_names(folder / "watched_names.yaml", analytes),
        related_tests=load_related_tests(folder / "related_tests.yaml", analytes),
        watched_numbers=load_watched_numbers(folder / "watched_numbers.yaml", analytes, value_sets),
    )
    _refuse_forbidden(codes, str(folder))
    return codes


def _named_rows(
    file: Traversable, model: type[NamedRow], common: Mapping[str, str] | None = None
) -> dict[str, NamedRow]:
    return _rows_of(read_mapping(file), model, str(file), "", common or {})


def _rows_of(
    content: object,
    model: type[NamedRow],
    file: str,
    where: str,
    common: Mapping[str, str],
) -> dict[str, NamedRow]:
    if not isinstance(content, dict):
        raise KnowledgeError(file, where, "a mapping of names to rows")
    rows: dict[str, NamedRow] = {}
    for name, row in content.items():
        place = f"{where}.{name}".lstrip(".")
        if not isinstance(row, dict):
            raise KnowledgeError(file, place, "a mapping")
        rows[str(name)] = validate(model, {"name": str(name), **common, **row}, file, place)
    return rows


def _load_medications(
    file: Traversable,
) -> tuple[dict[str, MedicationClass], dict[str, Ingredient]]:
    content = read_mapping(file)
    name = str(file)
    ingredients = _rows_of(content.get("ingredients"), Ingredient, name, "ingredients", {})
    classes = _rows_of(content.get("classes"), MedicationClass, name, "classes", {})
    for medication_class in classes.values():
        for ingredient in medication_class.ingredients:
            if ingredient not in ingredients:
                where = f"classes.{medication_class.name}.ingredients.{ingredient}"
                raise KnowledgeError(name, where, "an ingredient listed under ingredients")
    return classes, ingredients


def _refuse_forbidden(codes: Codes, folder: str) -> None:
    forbidden = {entry.key for entry in codes.do_not_use}
    for analyte in codes.analytes.values():
        forbidden_here = forbidden | {trap.key for trap in analyte.traps}
        for code in analyte.codes:
            if code.key in forbidden_here:
                raise KnowledgeError(folder, analyte.name, f"no trap code, but {code.code} is one")
    for holder, code in codes.all_codes():
        if code.key in forbidden:
            raise KnowledgeError(folder, holder, f"no do-not-use code, but {code.code} is one")
    owners: dict[CodeKey, str] = {}
    for analyte in codes.analytes.values():
        for code in analyte.codes:
            if owners.setdefault(code.key, analyte.name) != analyte.name:
                raise KnowledgeError(folder, analyte.name, f"{code.code} under one analyte only")
