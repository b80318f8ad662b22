"""Which findings the dose table of a drug looks for."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.table_files import Table
from cds_service.rules import Concept
from cds_service.rules.syntax import Compare, Found, FoundEpisodes, IsState, Predicate, predicates


def read_by(knowledge: Knowledge, drug: str) -> frozenset[str]:
    """The concepts that a row of a drug's dose changes looks for, by name or through a fact."""
    facts = facts_read_by(knowledge, drug)
    through = {item.name for item in knowledge.concepts.values() if facts & {*item.read_by}}
    return frozenset(through | {fact for fact in facts if fact in knowledge.concepts})


def facts_read_by(knowledge: Knowledge, drug: str) -> frozenset[str]:
    """The facts that a row of a drug's dose changes looks for."""
    tables = knowledge.drugs.get(drug)
    table = tables.dose_changes if tables is not None else None
    return frozenset(_looked_for(table)) if table is not None else frozenset()


def graded_concepts(knowledge: Knowledge) -> tuple[Concept, ...]:
    """The concepts of which the dose changes of some drug ask a grade, in order of their names."""
    asked = {
        leaf.fact
        for tables in knowledge.drugs.values()
        for row in tables.dose_changes or ()
        for leaf in predicates(row.when.expression)
        if isinstance(leaf, Found | FoundEpisodes) and leaf.qualifiers.grade is not None
    }
    kinds = (knowledge.vocabulary.find(name) for name in sorted(asked))
    return tuple(kind for kind in kinds if isinstance(kind, Concept))


def _looked_for(table: Table) -> Iterator[str]:
    for row in table:
        for leaf in predicates(row.when.expression):
            if _is_looked_for(leaf):
                yield leaf.fact


def _is_looked_for(leaf: Predicate) -> bool:
    """Whether a leaf speaks when its fact is there: "no haemolysis" reads no haemolysis."""
    if isinstance(leaf, Found):
        return leaf.aspect in ("present", "suspected")
    if isinstance(leaf, IsState):
        return leaf.flag and leaf.values == ("present",)
    return isinstance(leaf, Compare | FoundEpisodes)
