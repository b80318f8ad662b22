"""Which rules use a concept, a medication class, a value set, a test or any other fact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import Rule
from cds_service.rules.syntax import Includes, predicates


@dataclass(frozen=True, slots=True)
class Use:
    """A row that asks for something.

    `through` is empty when the rule names it, else the fact or the broader concept that it names.
    """

    table: Table
    row: Row
    through: str


def members_named(rule: Rule) -> frozenset[str]:
    """The members of collections that a rule names: medicines, classes, cancers."""
    return frozenset(
        member
        for leaf in predicates(rule.expression)
        if isinstance(leaf, Includes)
        for member in leaf.members
    )


class Uses:
    """The rows of a release by what their rules ask for, gathered once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._facts: dict[str, list[tuple[Table, Row]]] = {}
        self._members: dict[str, list[tuple[Table, Row]]] = {}
        for table in knowledge.all_tables():
            for row in table:
                for rule in row.rules.values():
                    for fact in rule.facts_named:
                        self._facts.setdefault(fact, []).append((table, row))
                    for member in members_named(rule):
                        self._members.setdefault(member, []).append((table, row))
        read: dict[str, list[str]] = {}
        for fact, names in knowledge.fact_list.read_from.items():
            for name in names:
                read.setdefault(name, []).append(fact)
        for fact, analyte in knowledge.fact_list.analytes.items():
            read.setdefault(analyte, []).append(fact)
        for value_set, concepts in knowledge.diagnosis_sets.items():
            read.setdefault(value_set, []).extend(concepts)
        self._read: Mapping[str, list[str]] = read

    def read_as(self, name: str) -> tuple[str, ...]:
        """The facts and concepts that are read from a value set, a class or a test."""
        return tuple(dict.fromkeys(self._read.get(name, ())))

    def of_fact(self, name: str) -> tuple[Use, ...]:
        """The rows whose rules name a fact."""
        return self._gathered([("", self._facts.get(name, ()))])

    def of_codes(self, name: str) -> tuple[Use, ...]:
        """The rows that ask for a class, value set or test by its name, or for a fact of it."""
        measured = self._knowledge.fact_list.analytes
        # A test is named by the fact that is its measured value, whatever that is called.
        through = (
            ("" if measured.get(fact) == name else fact, self._facts.get(fact, ()))
            for fact in self.read_as(name)
        )
        return self._gathered([("", self._members.get(name, ())), *through])

    def of_concept(self, name: str) -> tuple[Use, ...]:
        """The rows that name a concept, a broader one, or a fact that is read from it."""
        broader = sorted(self._knowledge.concepts.with_broader(name) - {name})
        others = (*broader, *self._knowledge.concepts[name].read_by)
        through = ((other, self._facts.get(other, ())) for other in others)
        return self._gathered([("", self._facts.get(name, ())), *through])

    @staticmethod
    def _gathered(found: Iterable[tuple[str, Iterable[tuple[Table, Row]]]]) -> tuple[Use, ...]:
        by_row: dict[str, Use] = {}
        for through, rows in found:
            for table, row in rows:
                by_row.setdefault(row.identifier, Use(table, row, through))
        return tuple(by_row.values())
