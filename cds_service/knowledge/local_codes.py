"""A site's own codes and default limits, added to the packaged codes once at start-up.

Every hospital has codes of its own. A local file says what they mean here, and FHIR ConceptMaps
translate them into codes that the tables know. Neither may contradict the packaged tables.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from cds_service.fhir.terminology import CodeKey
from cds_service.fhir.units import UnitTable
from cds_service.knowledge.code_models import Analyte, Code, match_key
from cds_service.knowledge.codes import Codes
from cds_service.knowledge.concept_models import OtherRow
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.local_models import ConceptMap, DefaultLimit, LocalFile
from cds_service.knowledge.medication_products import MedicationMatch
from cds_service.knowledge.yaml_files import read_mapping, validate

FILE_SOURCE = "the local code file"
MAP_SOURCE = "a concept map of this site"


@dataclass(frozen=True, slots=True)
class Limits:
    """Default upper limits of one analyte in its canonical unit, by sex or for everybody.

    `shown` are the same limits as the site wrote them.
    """

    by_sex: Mapping[str | None, Decimal]
    shown: Mapping[str | None, str]
    laboratory: str

    def of(self, sex: str | None) -> tuple[Decimal, str] | None:
        """The limit for a person and how to name it; None when it depends on an unknown sex."""
        for key in ((sex or "").strip().lower(), None):
            if key in self.by_sex:
                says = f"upper limit {self.shown[key]} is the default of {self.laboratory}"
                return self.by_sex[key], f"{says}, because the result came without one"
        return None


@dataclass(frozen=True, slots=True)
class LocalCodes:
    """What a site added: its codes with what each is read as, and its default limits."""

    readings: Mapping[CodeKey, str] = field(default_factory=dict)
    limits: Mapping[str, Limits] = field(default_factory=dict)


NOTHING_LOCAL = LocalCodes()


def with_local(
    codes: Codes, concepts: Concepts, file: Path | None, maps: Sequence[Path] = ()
) -> tuple[Codes, Concepts, LocalCodes]:
    """Codes and concepts together with a site's own, from its code file and its concept maps.

    Raises KnowledgeError with file, place and what was expected: a row that names nothing of the
    tables, a code that means something else in them, one that must not be used.
    """
    readings: dict[CodeKey, str] = {}
    limits: Mapping[str, Limits] = {}
    if file is not None:
        content = validate(LocalFile, read_mapping(file), str(file), "")
        additions = _Additions(codes, concepts, FILE_SOURCE)
        _add_rows(additions, content, str(file))
        limits = _limits(codes.analytes, content, str(file))
        codes, concepts = additions.added()
        readings |= additions.readings
    if maps:
        additions = _Additions(codes, concepts, MAP_SOURCE)
        for path in _map_files(maps):
            _add_map(additions, path)
        codes, concepts = additions.added()
        readings |= additions.readings
    local = LocalCodes(MappingProxyType(readings), MappingProxyType(dict(limits)))
    return codes, concepts, local


Meaning = tuple[str, str]
"""(kind, name): analyte, ingredient, value set or concept, and which."""

_OF_DIAGNOSES = frozenset(("value set", "concept"))
"""Kinds that one code may have together: a set and a concept can hold the same diagnosis."""


class _Additions:
    """Collects local codes and refuses those that the tables contradict."""

    def __init__(self, codes: Codes, concepts: Concepts, source: str) -> None:
        self.codes = codes
        self.concepts = concepts
        self._source = source
        self._rows: dict[Meaning, list[Code]] = {}
        self._products: dict[CodeKey, dict[str, MedicationMatch]] = {}
        self.readings: dict[CodeKey, str] = {}
        self._chosen: dict[CodeKey, set[Meaning]] = {}
        self.holders: dict[CodeKey, dict[Meaning, Code | MedicationMatch]] = {}
        for meaning, held in _held(codes):
            for key, item in held:
                self.holders.setdefault(key, {})[meaning] = item
        self._refused = {entry.key for entry in codes.do_not_use}
        self._traps = {
            (trap.key, ("analyte", analyte.name))
            for analyte in codes.analytes.values()
            for trap in analyte.traps
        }

    def add(
        self,
        key: CodeKey,
        meaning: Meaning,
        item: Code | MedicationMatch,
        place: tuple[str, str],
        beside: Collection[Meaning] = (),
    ) -> None:
        """Add one code under one meaning, of which it may have those `beside` it too.

        Raises KnowledgeError with the place (file, where in it) when that cannot be true.
        """
        kind = meaning[0]
        if key in self._refused or (key, meaning) in self._traps:
            raise KnowledgeError(*place, "a code that is not on the list of misused codes")
        known: dict[Meaning, Code | MedicationMatch | None] = {**self.holders.get(key, {})}
        known |= {("concept", name): None for name in self.concepts.own((key,))}
        held = known.get(meaning)
        if meaning in known and (held is None or held.verified):
            return
        others = (known.keys() | self._chosen.get(key, set())) - {meaning, *beside}
        # One local code may be in two value sets, and one product may hold two ingredients.
        kinds = {other[0] for other in others} | {kind}
        together = not known and (kinds <= _OF_DIAGNOSES or kinds == {"ingredient"})
        if others and not together:
            said = " and ".join(sorted(" ".join(other) for other in others))
            raise KnowledgeError(*place, f"a code that is not known as {said} already")
        self._chosen.setdefault(key, set()).add(meaning)
        if isinstance(item, MedicationMatch):
            self._products.setdefault(key, {})[item.ingredient] = item
        else:
            self._rows.setdefault(meaning, []).append(item)
        names = " and ".join(sorted(name for _, name in self._chosen[key]))
        self.readings[key] = f"code {key[1]} of {key[0]} counts as {names}, by {self._source}"

    def added(self) -> tuple[Codes, Concepts]:
        """The codes and concepts with all that was added."""
        analytes, value_sets = dict(self.codes.analytes), dict(self.codes.value_sets)
        findings: list[tuple[str, OtherRow]] = []
        for (kind, name), rows in self._rows.items():
            if kind == "concept":
                findings += [(name, _finding(row)) for row in rows]
            elif kind == "analyte":
                old = analytes[name]
                analytes[name] = old.model_copy(update={"codes": (*old.codes, *rows)})
            else:
                held = value_sets[name]
                value_sets[name] = held.model_copy(update={"codes": (*held.codes, *rows)})
        products = dict(self.codes.product_matches)
        for key, matches in self._products.items():
            products[key] = tuple(matches.values())
        codes = replace(
            self.codes,
            analytes=MappingProxyType(analytes),
            value_sets=MappingProxyType(value_sets),
            product_matches=MappingProxyType(products),
        )
        return codes, self.concepts.with_codes(findings) if findings else self.concepts


_Held = list[tuple[CodeKey, Code | MedicationMatch]]


def _held(codes: Codes) -> Iterator[tuple[Meaning, _Held]]:
    for analyte in codes.analytes.values():
        yield ("analyte", analyte.name), [(code.key, code) for code in analyte.codes]
    for value_set in codes.value_sets.values():
        yield ("value set", value_set.name), [(code.key, code) for code in value_set.codes]
    for key, matches in codes.all_medications():
        for match in matches:
            yield ("ingredient", match.ingredient), [(key, match)]


def _add_rows(additions: _Additions, content: LocalFile, file: str) -> None:
    codes = additions.codes
    for number, lab in enumerate(content.labs):
        where = f"labs.{number}"
        _named(lab.analyte, codes.analytes, file, f"{where}.analyte", "labs or vitals")
        code = _code(lab.system, lab.code, lab.analyte, FILE_SOURCE)
        additions.add(lab.key, ("analyte", lab.analyte), code, (file, f"{where}.code"))
    for number, drug in enumerate(content.drugs):
        where = f"drugs.{number}"
        _named(drug.ingredient, codes.ingredients, file, f"{where}.ingredient", "ingredients")
        match = MedicationMatch(
            drug.ingredient, drug.ingredient, True, not drug.local_use, drug.strength_mg
        )
        additions.add(drug.key, ("ingredient", drug.ingredient), match, (file, f"{where}.code"))
    for number, row in enumerate(content.value_sets):
        where = f"value_sets.{number}"
        _named(row.value_set, codes.value_sets, file, f"{where}.value_set", "value sets")
        code = _code(row.system, row.code, row.value_set, FILE_SOURCE)
        code = code.model_copy(update={"stage": row.stage, "value": row.value})
        additions.add(row.key, ("value set", row.value_set), code, (file, f"{where}.code"))

    for number, finding in enumerate(content.concepts):
        where = f"concepts.{number}"
        _named(finding.concept, additions.concepts, file, f"{where}.concept", "concepts")
        code = _code(finding.system, finding.code, finding.concept, FILE_SOURCE)
        additions.add(finding.key, ("concept", finding.concept), code, (file, f"{where}.code"))


def _named(name: str, table: Mapping[str, object], file: str, where: str, what: str) -> None:
    if name not in table:
        raise KnowledgeError(file, where, f"a name among the {what} of the tables")


def _finding(code: Code) -> OtherRow:
    return OtherRow(
        system=code.system,
        code=code.code,
        display=code.display,
        verified=True,
        source=code.source,
    )


def _code(system: str, code: str, display: str, source: str) -> Code:
    return Code(system=system, code=code, display=display, verified=True, source=source)


def _limits(analytes: Mapping[str, Analyte], content: LocalFile, file: str) -> dict[str, Limits]:
    found: dict[str, dict[str | None, tuple[Decimal, str]]] = {}
    for number, row in enumerate(content.default_limits):
        where = f"default_limits.{number}"
        _named(row.analyte, analytes, file, f"{where}.analyte", "labs or vitals")
        if content.laboratory is None:
            raise KnowledgeError(file, "laboratory", "the name of the laboratory that set them")
        known = found.setdefault(row.analyte, {})
        if row.sex in known or (known and None in {row.sex, *known}):
            raise KnowledgeError(file, where, "one limit for everybody, or one for each sex")
        known[row.sex] = _limit(analytes[row.analyte], row, file, where)
    return {
        name: Limits(
            MappingProxyType({sex: number for sex, (number, _) in rows.items()}),
            MappingProxyType({sex: shown for sex, (_, shown) in rows.items()}),
            content.laboratory or "",
        )
        for name, rows in found.items()
    }


@dataclass(frozen=True, slots=True)
class _Unit:
    unit: str
    code: str | None = None
    system: str | None = None


def _limit(analyte: Analyte, row: DefaultLimit, file: str, where: str) -> tuple[Decimal, str]:
    number = UnitTable(analyte.unit, analyte.units).to_canonical(row.high, _Unit(row.unit))
    if number is None:
        raise KnowledgeError(file, f"{where}.unit", f"one of {', '.join(analyte.units)}")
    if not analyte.plausible[0] <= number <= analyte.plausible[1]:
        raise KnowledgeError(file, f"{where}.high", "a number that a person can have")
    return number, f"{row.high} {row.unit}"


def _map_files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            yield place
            continue
        files = sorted(place.glob("*.json"))
        if not files:
            raise KnowledgeError(str(place), "", "files of ConceptMaps, *.json")
        yield from files


def _add_map(additions: _Additions, path: Path) -> None:
    file = str(path)
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KnowledgeError(file, "", "a readable JSON file") from error
    concept_map = validate(ConceptMap, content, file, "")
    for group_number, group in enumerate(concept_map.group):
        for number, element in enumerate(group.element):
            where = f"group.{group_number}.element.{number}"
            for target in element.target:
                if not target.means_the_same or not target.code:
                    continue
                if not element.code:
                    raise KnowledgeError(file, f"{where}.code", "the code that is translated")
                _translate(
                    additions, (group.source, element.code), (group.target, target.code),
                    (file, f"{where}.code"),
                )  # fmt: skip


def _translate(
    additions: _Additions, source: CodeKey, target: CodeKey, place: tuple[str, str]
) -> None:
    """Let a code mean all that its translation means in the tables."""
    key = match_key(*source)
    meanings = {
        meaning: item
        for meaning, item in additions.holders.get(match_key(*target), {}).items()
        if item.verified
    }
    named = additions.concepts.own((match_key(*target),))
    if meanings.keys() & additions.holders.get(key, {}).keys() or (
        named & additions.concepts.match((key,))
    ):
        # The tables know the source themselves, and do not disagree.
        return
    beside = {*meanings, *(("concept", name) for name in named)}
    for meaning, item in meanings.items():
        if isinstance(item, Code):
            spelled = {"system": source[0].split("|")[0], "code": source[1], "source": MAP_SOURCE}
            item = item.model_copy(update=spelled)
        additions.add(key, meaning, item, place, beside)
    for name in sorted(named):
        code = _code(source[0].split("|")[0], source[1], name, MAP_SOURCE)
        additions.add(key, ("concept", name), code, place, beside)
