"""The tests that the service may ask for: `tests.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable

from pydantic import Field, model_validator

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate
from cds_service.rules import Concept, Occurrence, Quantity, State, Vocabulary


class TestOrder(Frozen):
    """What a ServiceRequest for a test carries; without system and code it is text only."""

    display: str = Field(min_length=3)
    system: str | None = None
    code: str | None = None

    @model_validator(mode="after")
    def _code_needs_its_system(self) -> TestOrder:
        if (self.system is None) != (self.code is None):
            raise ValueError("system and code together or neither")
        return self

    @property
    def key(self) -> tuple[str, str]:
        """How the same order is recognised: by system and code, or by its exact text."""
        if self.system is None or self.code is None:
            return "", self.display
        return self.system, self.code


class OrderableTest(Frozen):
    """One test: how people call it, which facts show that it was done, how it is ordered.

    It counts as done on the oldest of the latest days of all `facts`; of `events` and `states`
    one suffices. `data` are the kinds of data in which it would show: without them nobody knows
    whether it was done.
    """

    name: str
    label: str = Field(min_length=3)
    facts: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    data: tuple[str, ...] = Field(min_length=1)
    orders: tuple[TestOrder, ...] = ()
    verified: bool
    sources: tuple[str, ...]


def load_tests(
    file: Traversable, vocabulary: Vocabulary, source_ids: frozenset[str]
) -> Mapping[str, OrderableTest]:
    """All tests by name. Raises KnowledgeError for an unknown fact or source."""
    name = str(file)
    tests: dict[str, OrderableTest] = {}
    for key, content in read_mapping(file).items():
        test = validate(OrderableTest, {"name": key, **content}, name, str(key))
        kinds = {"facts": Quantity, "events": Occurrence, "states": State | Concept}
        for column, kind in kinds.items():
            for fact in getattr(test, column):
                known = fact in vocabulary and isinstance(vocabulary.find(fact), kind)
                if not known:
                    raise KnowledgeError(name, f"{key}.{column}", f"a fact of that kind: {fact}")
        if not (test.facts or test.events or test.states):
            raise KnowledgeError(name, str(key), "facts, events or states that show it was done")
        for source in test.sources:
            if source not in source_ids:
                raise KnowledgeError(name, f"{key}.sources", "an id of sources.yaml")
        tests[str(key)] = test
    return tests
