"""The pages of what rules name: medication classes, concepts, value sets, tests and other facts.

Each has a page of its own where pages are made when asked for. On disk, where hundreds of small
files would hide the others, those of one group stand on one page; a class keeps its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.addresses import INDEX, file_name, page_of_drug, seen_from
from cds_service.knowledge.rendering.markdown import anchor, link, literal
from cds_service.knowledge.uses import Use, Uses, members_named
from cds_service.rules import CollectionOf, Occurrence, Quantity, Rule, State

Kind = Literal["class", "concept", "value set", "test", "fact"]

FOLDERS: Mapping[Kind, str] = {
    "class": "classes",
    "concept": "concepts",
    "value set": "value_sets",
    "test": "tests",
    "fact": "facts",
}
TITLES: Mapping[Kind, str] = {
    "class": "Medication classes",
    "concept": "Clinical concepts",
    "value set": "Value sets",
    "test": "Laboratory tests and vital signs",
    "fact": "Other facts that rules name",
}
_TEST_GROUPS = {"laboratory": "laboratory tests", "vital sign": "vital signs"}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that rules name, or that what they name is read from."""

    kind: Kind
    name: str
    group: str

    @property
    def own_page(self) -> str:
        """The page of it alone."""
        return f"{FOLDERS[self.kind]}/{file_name(self.name)}.md"

    @property
    def group_page(self) -> str:
        """The page on which it stands with others of its group."""
        if self.kind == "class":
            return self.own_page
        return f"{FOLDERS[self.kind]}/{file_name(self.group)}.md"


class Terms:
    """All terms of a release, with where each is shown and which rules use it."""

    def __init__(self, knowledge: Knowledge, *, grouped: bool) -> None:
        self._knowledge = knowledge
        self._grouped = grouped
        self._uses = Uses(knowledge)
        self._by_name = {(term.kind, term.name): term for term in _terms(knowledge)}

    def __iter__(self) -> Iterator[Term]:
        return iter(self._by_name.values())

    def of_kind(self, kind: Kind) -> Mapping[str, tuple[Term, ...]]:
        """The terms of one kind by group."""
        found: dict[str, tuple[Term, ...]] = {}
        for term in self:
            if term.kind == kind:
                found[term.group] = (*found.get(term.group, ()), term)
        return found

    def pages(self) -> Mapping[str, tuple[Term, ...]]:
        """What stands on each page."""
        found: dict[str, tuple[Term, ...]] = {}
        for term in self:
            page = term.group_page if self._grouped else term.own_page
            found[page] = (*found.get(page, ()), term)
        return found

    def place(self, term: Term) -> str:
        """The page of a term, and its heading when others stand there too."""
        if not self._grouped:
            return term.own_page
        if term.kind == "class":
            return term.own_page
        return f"{term.group_page}#{anchor(term.name)}"

    def uses(self, term: Term) -> tuple[Use, ...]:
        """The rows that ask for it; of a value set those that name it, for facts stand between."""
        match term.kind:
            case "concept":
                return self._uses.of_concept(term.name)
            case "fact":
                return self._uses.of_fact(term.name)
        found = self._uses.of_codes(term.name)
        if term.kind == "value set":
            return tuple(use for use in found if not use.through)
        return found

    def rules_naming(self, fact: str) -> str:
        """How many rules name a fact, in words."""
        number = len(self._uses.of_fact(fact))
        return f"{number or 'no'} rule{'' if number == 1 else 's'}"

    def read_as(self, term: Term) -> tuple[str, ...]:
        """The facts and concepts that are read from it, beside the measured value of a test."""
        if term.kind in ("concept", "fact"):
            return ()
        measured = self._knowledge.fact_list.analytes
        read = self._uses.read_as(term.name)
        return tuple(fact for fact in read if measured.get(fact) != term.name)

    def linked(self, page: str, kind: Kind, name: str) -> Markup:
        """The name of a term as a link from a page; as text when it has no page."""
        term = self._by_name.get((kind, name))
        return literal(name) if term is None else link(name, seen_from(page, self.place(term)))

    def linked_fact(self, page: str, name: str) -> Markup:
        """The name of a fact, which may be a concept or a test, as a link from a page."""
        place = self._place_of_fact(name)
        return literal(name) if place is None else link(name, seen_from(page, place))

    def linked_codes(self, page: str, name: str) -> Markup:
        """The name of a class, a value set or a test as a link from a page."""
        for kind in ("class", "value set", "test"):
            if (kind, name) in self._by_name:
                return self.linked(page, kind, name)
        return literal(name)

    def link_names(self, page: str, rule: Rule, line: str) -> Markup:
        """A line of a rule in words, in which each name that has a page is a link."""
        places = self._places_in(rule)
        # The longest first: "pregnancy test not judged" is no pregnancy.
        listed = "|".join(re.escape(name) for name in sorted(places, key=len, reverse=True))
        parts, done = [], 0
        for hit in re.finditer(rf"(?<![\w-])(?:{listed})(?![\w-])", line):
            place = places[hit.group()]
            parts.append(literal(line[done : hit.start()]))
            shown = literal(hit.group())
            parts.append(shown if place is None else link(hit.group(), seen_from(page, place)))
            done = hit.end()
        return Markup("").join([*parts, literal(line[done:])])

    def _places_in(self, rule: Rule) -> Mapping[str, str | None]:
        members = {name: self._place_of_member(name) for name in members_named(rule)}
        return members | {name: self._place_of_fact(name) for name in rule.facts_named}

    def _place_of_fact(self, name: str) -> str | None:
        analyte = self._knowledge.fact_list.analytes.get(name)
        keys: Sequence[tuple[Kind, str]] = (
            ("concept", name),
            ("test", analyte or name),
            ("fact", name),
        )
        found = next((self._by_name[key] for key in keys if key in self._by_name), None)
        return None if found is None else self.place(found)

    def _place_of_member(self, name: str) -> str | None:
        if name in self._knowledge.drugs:
            return page_of_drug(name)
        for kind in ("class", "value set"):
            term = self._by_name.get((kind, name))
            if term is not None:
                return self.place(term)
        return None


def list_page(kind: Kind) -> str:
    """The page that lists all terms of a kind."""
    return f"{FOLDERS[kind]}/{INDEX}"


def _terms(knowledge: Knowledge) -> Iterator[Term]:
    codes = knowledge.codes
    for name in sorted(codes.medication_classes, key=str.lower):
        yield Term("class", name, "")
    for concept in knowledge.concepts.values():
        yield Term("concept", concept.name, concept.chapter)
    for value_set in codes.value_sets.values():
        yield Term("value set", value_set.name, value_set.file)
    for analyte in codes.analytes.values():
        yield Term("test", analyte.name, _TEST_GROUPS[analyte.kind])
    for fact in knowledge.vocabulary:
        if fact.name in knowledge.concepts or fact.name in knowledge.fact_list.analytes:
            continue
        match fact:
            case State() if fact.is_flag:
                group = "yes or no"
            case State():
                group = "states"
            case CollectionOf():
                group = "lists"
            case Quantity():
                group = "numbers"
            case Occurrence():
                group = "events"
            case _:
                continue
        yield Term("fact", fact.name, group)
