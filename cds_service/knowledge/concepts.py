"""Which clinical concepts a code stands for: the `concepts` folder, indexed for look-up.

ICD-10 is not one list. M62.82 is rhabdomyolysis in the US edition and a muscle of the upper arm in
the German one, so an ICD code answers only within its own edition; there it answers for what lies
above it too, by cutting it shorter. Only verified codes are matched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources.abc import Traversable
from types import MappingProxyType

from cds_service.fhir.remembered import LONGEST
from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import match_key
from cds_service.knowledge.concept_models import (
    Concept,
    ConceptCode,
    GradedCode,
    IcdRow,
    OtherRow,
)
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.icd_editions import IcdEdition, load_editions
from cds_service.knowledge.yaml_files import knowledge_folder, read_mapping, validate

__all__ = ["Concept", "Concepts", "load_concepts"]

Names = frozenset[str]
_NONE: Names = frozenset()
_SHORTEST = 3
"""Characters of an ICD-10 category."""


class Concepts(Mapping[str, Concept]):
    """All concepts by name, in the order of the files. Build it with `load_concepts`.

    Raises ValueError when a parent is unknown, parents go round in a circle, or one code stands
    for two concepts that are neither broader nor narrower and do not say so.
    """

    def __init__(
        self, concepts: Iterable[Concept], editions: Mapping[str, IcdEdition] | None = None
    ) -> None:
        self.editions = MappingProxyType(dict(editions or {}))
        self._concepts = {concept.name: concept for concept in concepts}
        self._broader = _all_broader(self._concepts)
        self._said = _Index()
        self._possible = _Index()
        self._denied = _Index()
        self._least_grade: dict[CodeKey, int] = {}
        for concept in self._concepts.values():
            self._enter(concept)
        _refuse_undeclared(self._concepts, self._broader, self._said, self.editions)
        # One look-up a code: charts repeat a few dozen codes over and over.
        self._names_of = lru_cache(maxsize=8192)(self._look_up)

    def _enter(self, concept: Concept) -> None:
        for system, code, row in concept.rows(self.editions):
            if not row.verified:
                continue
            index = self._possible if row.wider else self._said
            key = index.add(system, code, row, concept.name)
            if isinstance(row, GradedCode):
                known = self._least_grade.get(key, row.lowest_grade)
                if known != row.lowest_grade:
                    expected = f"one lowest grade for {code}"
                    raise ValueError(f"concept {concept.name}: {expected}")
                self._least_grade[key] = known
        for system, code, row in concept.denied_by.rows(self.editions):
            if row.verified:
                self._denied.add(system, code, row, concept.name)

    def __getitem__(self, name: str) -> Concept:
        return self._concepts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._concepts)

    def __len__(self) -> int:
        return len(self._concepts)

    def match(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes stand for, each with every broader one."""
        found = _NONE
        for key in keys:
            found |= self._names_of(key) if len(key[1]) <= LONGEST else self._look_up(key)
        return found

    def own(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The narrowest concepts that codes stand for, without the broader ones."""
        found = self.match(keys)
        above = {name for other in found for name in self._broader[other] if name != other}
        return found - above

    def possible(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes leave possible without saying them, broader ones left out.

        I45.8 of the WHO edition holds long QT among other disorders: a reader may ask, and must
        not count it.
        """
        keys = tuple(keys)
        found = frozenset(name for key in keys for name in self._possible.names(key))
        return found - self.match(keys)

    def denied(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes say are absent, such as pregnancy by "not pregnant"."""
        return frozenset(name for key in keys for name in self._denied.names(key))

    def least_grade(self, key: CodeKey) -> int | None:
        """The lowest CTCAE grade of what a code means; None where none is written down."""
        return self._least_grade.get(key)

    def with_broader(self, name: str) -> frozenset[str]:
        """A concept and every broader one. Raises KeyError when there is none of that name."""
        return self._broader[name]

    def narrower(self, name: str) -> frozenset[str]:
        """The concepts below one, itself left out."""
        return frozenset(
            other for other, broader in self._broader.items() if name in broader and other != name
        )

    def holds(self, key: CodeKey) -> bool:
        """Whether any concept knows a code, as said, possible or denied."""
        return bool(self._names_of(key) or self._possible.names(key) or self._denied.names(key))

    def with_codes(self, rows: Iterable[tuple[str, OtherRow]]) -> Concepts:
        """These concepts with more codes, each under a concept's name.

        A code may be given to several concepts: each row then declares the others.
        """
        more: dict[str, list[OtherRow]] = {}
        given = list(rows)
        for name, row in given:
            others = tuple(other for other, same in given if same.key == row.key and other != name)
            more.setdefault(name, []).append(row.model_copy(update={"also": others}))
        concepts = [
            concept.model_copy(update={"other": (*concept.other, *more.get(name, ()))})
            for name, concept in self._concepts.items()
        ]
        return Concepts(concepts, self.editions)

    def _look_up(self, key: CodeKey) -> Names:
        return frozenset(
            broader for name in self._said.names(key) for broader in self._broader[name]
        )


class _Index:
    """Concept names by code: codes that count alone, and codes that count with all below them."""

    def __init__(self) -> None:
        self._alone: dict[CodeKey, Names] = {}
        self._below: dict[CodeKey, list[tuple[str, tuple[str, ...]]]] = {}
        self._branching: set[str] = set()
        self._longest = 0

    def add(self, system: str, code: str, row: ConceptCode, name: str) -> CodeKey:
        """Enter one row of a concept; its key."""
        key = match_key(system, code)
        self._alone[key] = self._alone.get(key, _NONE) | {name}
        if isinstance(row, IcdRow) and row.descendants:
            self._below.setdefault(key, []).append((name, row.excepted))
            self._longest = max(self._longest, len(key[1]))
            self._branching.add(key[0])
        return key

    def names(self, key: CodeKey) -> Names:
        """The concepts entered for a code or for one above it."""
        system, code = key
        found = self._alone.get(key, _NONE)
        if system not in self._branching:
            return found
        # No longer than what was entered: a text sent as a code may have any length.
        for end in range(min(len(code) - 1, self._longest), _SHORTEST - 1, -1):
            for name, excepted in self._below.get((system, code[:end]), ()):
                if not code.startswith(excepted or ("?",)):
                    found |= {name}
        return found

    def entered(self) -> Iterator[CodeKey]:
        """Every code that was entered."""
        return iter(self._alone)


def _all_broader(concepts: Mapping[str, Concept]) -> dict[str, Names]:
    broader: dict[str, Names] = {}

    def climb(name: str, below: tuple[str, ...]) -> Names:
        if name in below:
            raise ValueError(f"concept {name}: expected parents that do not go round in a circle")
        if name not in concepts:
            raise ValueError(f"concept {below[-1]}: expected a concept among parents, not {name}")
        known = broader.get(name)
        if known is None:
            found = frozenset({name})
            for parent in concepts[name].parents:
                found |= climb(parent, (*below, name))
            known = broader[name] = found
        return known

    for name in concepts:
        climb(name, ())
        for other in concepts[name].unless:
            if other not in concepts:
                raise ValueError(f"concept {name}: expected concepts in unless; {other} is none")
    return broader


def _refuse_undeclared(
    concepts: Mapping[str, Concept],
    broader: Mapping[str, Names],
    index: _Index,
    editions: Mapping[str, IcdEdition],
) -> None:
    """Refuse a code of two unrelated concepts that no row declares by `also`."""
    declared: dict[CodeKey, set[str]] = {}
    for concept in concepts.values():
        for system, code, row in concept.rows(editions):
            for other in row.also:
                if other not in concepts:
                    raise ValueError(
                        f"concept {concept.name}, code {code}: also names {other}, which is none"
                    )
            if row.also and row.verified:
                key = match_key(system, code)
                declared.setdefault(key, set()).update((concept.name, *row.also))
    for key in index.entered():
        names = index.names(key)
        if len(names) < 2:
            continue
        lowest = {
            name
            for name in names
            if not any(name in broader[other] for other in names if other != name)
        }
        if len(lowest) > 1 and not lowest <= declared.get(key, set()):
            said = " and ".join(sorted(lowest))
            raise ValueError(f"code {key[1]} of {key[0]}: expected one concept, not {said}")


def load_concepts(
    folder: Traversable | None = None, editions: Mapping[str, IcdEdition] | None = None
) -> Concepts:
    """All concepts of the files in `folder`; the packaged `concepts` folder by default.

    Raises KnowledgeError naming the file and the place inside it.
    """
    folder = folder if folder is not None else knowledge_folder() / "concepts"
    editions = editions if editions is not None else load_editions()
    concepts: dict[str, Concept] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        place = str(file)
        for name, row in read_mapping(file).items():
            if not isinstance(row, dict):
                raise KnowledgeError(place, name, "a mapping")
            if name in concepts:
                raise KnowledgeError(place, name, "a concept that stands in one file only")
            concepts[name] = validate(Concept, {"name": name, **row}, place, name)
    try:
        return Concepts(concepts.values(), editions)
    except ValueError as error:
        raise KnowledgeError(str(folder), "", str(error)) from error
