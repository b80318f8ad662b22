"""Loads `vocabulary.yaml`: the facts that rules may name, with units from the code tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, StringConstraints

from cds_service.knowledge.codes import Codes
from cds_service.knowledge.concept_facts import with_concepts
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate
from cds_service.rules import (
    CollectionOf,
    FactKind,
    Occurrence,
    Quantity,
    State,
    Vocabulary,
    flag,
)

Words = Annotated[str, StringConstraints(min_length=1)]


class QuantityRow(Frozen):
    """A measured fact: either `analyte` or `unit` says what it is measured in.

    `spare` is the reason for a fact that nothing asks for yet.
    """

    describes: Words
    analyte: Words | None = None
    unit: str | None = None
    units: Mapping[str, Decimal] = Field(default_factory=dict)
    multiples: bool = False
    fresh_for_days: int | None = Field(default=None, gt=0)
    spare: Words | None = None


class StateRow(Frozen):
    """A fact with a closed set of values."""

    describes: Words
    values: tuple[Words, ...] = Field(min_length=2)
    fresh_for_days: int | None = Field(default=None, gt=0)


class FlagRow(Frozen):
    """A yes/no fact."""

    describes: Words
    fresh_for_days: int | None = Field(default=None, gt=0)


class CollectionRow(Frozen):
    """A set whose members are listed or taken from other lists by name."""

    describes: Words
    members: tuple[Words, ...] = ()
    members_from: tuple[Words, ...] = ()


class EventRow(Frozen):
    """Something that happens on a day."""

    describes: Words


class VocabularyFile(Frozen):
    """The whole file."""

    quantities: Mapping[Words, QuantityRow]
    states: Mapping[Words, StateRow]
    flags: Mapping[Words, FlagRow]
    collections: Mapping[Words, CollectionRow]
    events: Mapping[Words, EventRow]
    read_from: Mapping[Words, tuple[Words, ...]] = Field(default_factory=dict)
    read_for: Mapping[Words, tuple[Words, ...]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactList:
    """The vocabulary for the rule language, and how facts are read from coded data.

    `analytes` maps a measured fact to its laboratory test or vital sign. `spare` are facts that
    nothing asks for yet. `read_from` names the value sets, medication classes and tests that a fact
    or a concept is read from in code, `read_for` those that tell something of every finding.
    """

    vocabulary: Vocabulary
    analytes: Mapping[str, str]
    spare: frozenset[str] = frozenset()
    read_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load_vocabulary(
    file: Traversable,
    codes: Codes,
    lists: Mapping[str, Sequence[str]],
    concepts: Concepts,
) -> FactList:
    """The facts of `file`, and the concepts once findings are read.

    `lists` are the member lists that `members_from` may name (ingredients, classes and so on).
    Raises KnowledgeError with the place in the file.
    """
    name = str(file)
    content = validate(VocabularyFile, read_mapping(file), name, "")
    facts: list[FactKind] = []
    for fact, quantity in content.quantities.items():
        facts.append(_quantity(fact, quantity, codes, name))
    for fact, state in content.states.items():
        facts.append(State(fact, state.values, state.fresh_for_days, state.describes))
    for fact, row in content.flags.items():
        facts.append(flag(fact, row.fresh_for_days, row.describes))
    for fact, collection in content.collections.items():
        members = set(collection.members)
        for source in collection.members_from:
            if source not in lists:
                raise KnowledgeError(
                    name, f"collections.{fact}.members_from", f"one of {', '.join(sorted(lists))}"
                )
            members.update(lists[source])
        facts.append(CollectionOf(fact, frozenset(members), collection.describes))
    for fact, event in content.events.items():
        facts.append(Occurrence(fact, event.describes))
    try:
        vocabulary = Vocabulary(with_concepts(facts, concepts))
    except ValueError as error:
        raise KnowledgeError(name, "", f"usable names ({error})") from error
    analytes = {name: row.analyte for name, row in content.quantities.items() if row.analyte}
    spare = frozenset(name for name, row in content.quantities.items() if row.spare)
    _refuse_unknown(content, vocabulary, codes, name)
    read_from, read_for = MappingProxyType(content.read_from), MappingProxyType(content.read_for)
    return FactList(vocabulary, MappingProxyType(analytes), spare, read_from, read_for)


def _refuse_unknown(content: VocabularyFile, facts: Vocabulary, codes: Codes, file: str) -> None:
    """Refuse what is read of a fact that nobody knows, or from codes that stand nowhere."""
    known = {*codes.value_sets, *codes.medication_classes, *codes.analytes}
    for fact in content.read_from:
        if fact not in facts:
            raise KnowledgeError(file, f"read_from.{fact}", "a fact or a concept")
    for section, read in (("read_from", content.read_from), ("read_for", content.read_for)):
        for key, names in read.items():
            for name in names:
                if name not in known:
                    expected = f"value sets, medication classes or tests; {name} is none"
                    raise KnowledgeError(file, f"{section}.{key}", expected)


def _quantity(fact: str, row: QuantityRow, codes: Codes, file: str) -> Quantity:
    if (row.analyte is None) == (row.unit is None):
        raise KnowledgeError(file, f"quantities.{fact}", "either analyte or unit, not both")
    if row.analyte is not None:
        analyte = codes.analytes.get(row.analyte)
        if analyte is None:
            raise KnowledgeError(file, f"quantities.{fact}.analyte", "a name in labs or vitals")
        unit, units = analyte.unit, dict(analyte.units)
    else:
        unit, units = row.unit or "", dict(row.units)
    return Quantity(
        fact,
        unit,
        units,
        upper_limit=row.multiples,
        baseline=row.multiples,
        fresh_for_days=row.fresh_for_days,
        describes=row.describes,
    )
