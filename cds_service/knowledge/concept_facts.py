"""Concepts as facts of the rule language, and the facts that they replace.

`FINDINGS_ARE_READ` is the one switch. While it is off the facts room reads conditions as flags and
grades, and no concept is a fact. Once it is on, every concept is one, and the flags and grades of
`replaced_facts.yaml` are gone: rules then say `interstitial lung disease on treatment` where they
said `new interstitial lung disease present`. The value sets named there can then go too.
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

FINDINGS_ARE_READ = False
"""Whether the facts room reads findings, so that rules may ask for any concept."""

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


def fact_of(concept: concept_models.Concept) -> Concept:
    """A concept as rules may name it."""
    return Concept(concept.name, concept.symptom_for_days, concept.describes)


def with_concepts(
    facts: Iterable[FactKind],
    concepts: Concepts,
    replacements: Replacements,
    *,
    findings_are_read: bool | None = None,
) -> list[FactKind]:
    """The facts of a vocabulary with the concepts among them, once findings are read.

    Raises ValueError when a concept has the name of a fact that it does not replace.
    """
    switched = FINDINGS_ARE_READ if findings_are_read is None else findings_are_read
    if not switched:
        return list(facts)
    kept = [fact for fact in facts if fact.name not in replacements.facts]
    taken = {fact.name for fact in kept}
    for name in concepts:
        if name in taken:
            raise ValueError(f"the concept {name!r} has the name of a fact")
    return [*kept, *(fact_of(concept) for concept in concepts.values())]
