"""What the knowledge holds and nobody uses: concepts, value sets and facts.

A table that no reader asks looks like safety and is none. Rules are asked for the facts they name;
code names facts and value sets by strings, so the strings of the rooms that may ask are collected
from the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from cds_service.fhir.terminology import ICD_10
from cds_service.knowledge.release import Knowledge

READING = ("facts", "cards", "alk")
"""The rooms that match codes against value sets."""
SHOWING = ("alk", "cards", "web", "reports", "plots", "cohort", "protocol", "records")
"""The rooms that ask for facts beside the rules, or show them."""


@dataclass(frozen=True, slots=True)
class Words:
    """The strings of some rooms' code: whole ones, and the beginnings of composed ones."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        return name in self.whole or name.startswith(self.beginnings)


def unread_concepts(knowledge: Knowledge) -> Iterator[str]:
    """Concepts that neither a rule nor the net under the tables reads.

    A rule reads a concept when it names it or a broader one. The net reads whatever is serious.
    """
    named = _named_in_rules(knowledge)
    named.update(
        concept.name
        for concept in knowledge.concepts.values()
        if any(fact in knowledge.vocabulary for fact in concept.read_by)
    )
    for concept in knowledge.concepts.values():
        if not concept.serious and not named & knowledge.concepts.with_broader(concept.name):
            yield concept.name


def unread_value_sets(knowledge: Knowledge, words: Words | None = None) -> Iterator[str]:
    """Value sets of diagnoses that no fact is read from.

    Other sets may stand for recognising a result as something else, which needs no fact.
    """
    words = words if words is not None else words_of(READING)
    # The codes of these sets answer to their concepts (facts/concept_matching.py).
    named = frozenset(knowledge.diagnosis_sets)
    for name, value_set in knowledge.codes.value_sets.items():
        diagnoses = any(code.system in ICD_10 for code in value_set.codes)
        if diagnoses and name not in named and name not in words:
            yield name


def unused_facts(knowledge: Knowledge, words: Words | None = None) -> Iterator[str]:
    """Facts that no rule, no test that can be ordered and no page asks for.

    Concepts are left out: a pharmacist may name any of them, and `unread_concepts` judges them.
    """
    words = words if words is not None else words_of(SHOWING)
    named = _named_in_rules(knowledge)
    for test in knowledge.tests.values():
        named.update((*test.facts, *test.events, *test.states))
    for fact in knowledge.vocabulary.names:
        spare = fact in knowledge.fact_list.spare
        if fact not in named and fact not in knowledge.concepts and fact not in words and not spare:
            yield fact


def _named_in_rules(knowledge: Knowledge) -> set[str]:
    return {
        fact
        for table in knowledge.all_tables()
        for row in table
        for rule in row.rules.values()
        for fact in rule.facts_named
    }


@lru_cache(maxsize=4)
def words_of(rooms: tuple[str, ...]) -> Words:
    """The strings in the code of some rooms of this package."""
    whole: set[str] = set()
    beginnings: set[str] = set()
    for room in rooms:
        for source in _sources(files("cds_service").joinpath(room)):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.JoinedStr):
                    first = node.values[0] if node.values else None
                    if isinstance(first, ast.Constant) and str(first.value).endswith(" "):
                        beginnings.add(str(first.value))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    whole.add(node.value)
    return Words(frozenset(whole), tuple(sorted(beginnings)))


def _sources(folder: Traversable) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry)
        elif entry.name.endswith(".py"):
            yield entry.read_text(encoding="utf-8")
