"""Concepts as facts of the rule language, and the sets of diagnoses that became concepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

from pydantic import RootModel

from cds_service.knowledge import concept_models
from cds_service.knowledge.concept_models import Words
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import knowledge_folder, read_mapping, validate
from cds_service.rules import Concept, FactKind

FILE = "diagnosis_sets.yaml"

DiagnosisSets = Mapping[str, tuple[str, ...]]
"""By the name of a set of codes/conditions.yaml the concepts that hold its codes."""


class _File(RootModel[Mapping[Words, tuple[Words, ...]]]):
    """The whole file."""


def load_diagnosis_sets(concepts: Concepts, file: Traversable | None = None) -> DiagnosisSets:
    """The sets of diagnoses that are concepts; the packaged `diagnosis_sets.yaml` by default.

    Raises KnowledgeError when an entry names a concept that does not exist.
    """
    file = file if file is not None else knowledge_folder() / FILE
    name = str(file)
    found = validate(_File, read_mapping(file), name, "").root
    for value_set, named in found.items():
        for concept in named:
            if concept not in concepts:
                raise KnowledgeError(name, value_set, f"concepts; {concept} is none")
    return MappingProxyType(dict(found))


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
