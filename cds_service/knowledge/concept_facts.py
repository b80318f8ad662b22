"""Concepts as facts of the rule language, and the facts that still stand in their place.

Every concept is a fact, save where a fact of the vocabulary has its name: that one is read from
more than findings (`replaced_facts.yaml` says which, and what rules will write once they go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

from pydantic import Field

from cds_service.knowledge import concept_models
from cds_service.knowledge.concept_models import ReplacedFact, Replacements, Words
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, knowledge_folder, read_mapping, validate
from cds_service.rules import Concept, FactKind

FILE = "replaced_facts.yaml"


class _File(Frozen):
    facts: Mapping[Words, ReplacedFact]
    value_sets: Mapping[Words, tuple[Words, ...]] = Field(default_factory=dict)


def load_replacements(concepts: Concepts, file: Traversable | None = None) -> Replacements:
    """What findings take over; the packaged `replaced_facts.yaml` by default.

    Raises KnowledgeError when an entry names a concept that does not exist.
    """
    file = file if file is not None else knowledge_folder() / FILE
    name = str(file)
    content = validate(_File, read_mapping(file), name, "")
    named = {f"facts.{fact}.concepts": row.concepts for fact, row in content.facts.items()}
    named |= {f"value_sets.{name}": found for name, found in content.value_sets.items()}
    for place, found in named.items():
        for concept in found:
            if concept not in concepts:
                raise KnowledgeError(name, place, f"concepts; {concept} is none")
    return Replacements(MappingProxyType(dict(content.facts)), content.value_sets)


def fact_of(concept: concept_models.Concept, with_broader: frozenset[str]) -> Concept:
    """A concept as rules may name it."""
    broader = with_broader - {concept.name}
    return Concept(concept.name, concept.symptom_for_days, concept.describes, broader)


def with_concepts(facts: Iterable[FactKind], concepts: Concepts) -> list[FactKind]:
    """The facts of a vocabulary with the concepts among them; a fact keeps its name."""
    kept = list(facts)
    taken = {fact.name for fact in kept}
    broader = ((concept, concepts.with_broader(name)) for name, concept in concepts.items())
    found = (fact_of(concept, above) for concept, above in broader)
    return [*kept, *(fact for fact in found if fact.name not in taken)]
