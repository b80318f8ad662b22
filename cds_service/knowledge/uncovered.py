"""The net under the dose tables, as `uncovered.yaml` has it: which events no row may pass over."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from importlib.resources.abc import Traversable

from pydantic import Field, model_validator

from cds_service.knowledge.code_models import match_key
from cds_service.knowledge.concept_models import Chapter, Words
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.icd_editions import Edition, IcdCode, IcdEdition
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

FILE = "uncovered.yaml"
_CATEGORY = r"^[A-Z][0-9][0-9A-Z]$"
_CHARACTERS = 3
"""Characters of an ICD-10 category."""


class IcdRange(Frozen):
    """ICD-10 categories from one to another with everything below them."""

    first: str = Field(alias="from", pattern=_CATEGORY)
    last: str = Field(alias="to", pattern=_CATEGORY)

    @model_validator(mode="after")
    def _runs_upwards(self) -> IcdRange:
        if self.last < self.first:
            raise ValueError("a range that runs upwards")
        return self

    def holds(self, code: str) -> bool:
        """Whether a code lies in it."""
        return self.first <= code[:_CHARACTERS] <= self.last


class IcdBlock(IcdRange):
    """A range of one chapter, without what lies below the codes of `except`."""

    chapter: Chapter
    excepted: tuple[IcdCode, ...] = Field(default=(), alias="except")
    life_threatening: bool = False

    def holds(self, code: str) -> bool:
        """Whether a code lies in it and is not left out."""
        return super().holds(code) and not code.startswith(self.excepted or ("?",))


class Measured(Frozen):
    """A concept that says what a number would say, and the fact that is that number."""

    concept: Words
    measured_by: Words


class Uncovered(Frozen):
    """The whole file. Grades are CTCAE grades, `new_for_days` whole days."""

    source: Words
    verified: bool
    least_grade: int = Field(ge=1, le=5)
    hold_from_grade: int = Field(ge=1, le=5)
    new_for_days: int = Field(gt=0)
    never: tuple[Chapter, ...] = ()
    ungraded: tuple[Words, ...] = ()
    measured: tuple[Measured, ...] = ()
    life_threatening: tuple[Words, ...] = ()
    editions: tuple[Edition, ...] = Field(min_length=1)
    icd_10: tuple[IcdBlock, ...] = ()
    never_icd_10: tuple[IcdRange, ...] = ()

    def systems(self, editions: Mapping[str, IcdEdition]) -> frozenset[str]:
        """The code systems of ICD-10 in which the blocks are looked up."""
        return frozenset(
            match_key(system, "A00")[0]
            for name in self.editions
            for system in (editions[name].system, *editions[name].also)
        )

    def blocks(self, code: str) -> Iterator[IcdBlock]:
        """The blocks in which an ICD-10 code lies."""
        return (block for block in self.icd_10 if block.holds(code))

    def passes_over(self, code: str) -> bool:
        """Whether an ICD-10 code is never asked about."""
        return any(block.holds(code) for block in self.never_icd_10)


def load_uncovered(
    file: Traversable, concepts: Concepts, sources: Container[str]
) -> Uncovered | None:
    """The net of `file`; None for an older release, which has none.

    Raises KnowledgeError for a concept or a source that does not exist.
    """
    if not file.is_file():
        return None
    name = str(file)
    found = validate(Uncovered, read_mapping(file), name, "")
    if found.source not in sources:
        raise KnowledgeError(name, "source", "an id of sources.yaml")
    named = {
        "ungraded": found.ungraded,
        "measured": tuple(item.concept for item in found.measured),
        "life_threatening": found.life_threatening,
    }
    for place, listed in named.items():
        for concept in listed:
            if concept not in concepts:
                raise KnowledgeError(name, place, f"concepts; {concept} is none")
    return found
