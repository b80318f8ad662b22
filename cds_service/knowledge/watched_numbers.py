"""From which number on a result that cannot be read as sent is asked about: `watched_numbers.yaml`.

A number in the words of a report, or one without a unit, is never believed. It is worth a question
where it would matter to a dose if it were what it looks like.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from decimal import Decimal
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Literal

from pydantic import Field, RootModel, model_validator

from cds_service.knowledge.code_models import Bound
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

_DOWNWARDS = ("<", "<=")
_UPWARDS = (">", ">=")


class WatchedNumber(Frozen):
    """One analyte: beyond which number of its canonical unit a result matters, and its names.

    `words` are what reports call it, `words_with_unit` what they call it among other things: these
    count beside a unit, or in a text that has one of `beside`. A name right behind one of
    `not_after` is another quantity. `value_sets` are the codes whose Observations mean it by a
    bare text; `of_pair` is its place in "165/102". `usual_limit` is the upper limit of most
    laboratories, only to judge whether "8 x ULN" is worth a question.
    """

    above: Bound | None = None
    at_least: Bound | None = None
    below: Bound | None = None
    words: tuple[str, ...] = ()
    words_with_unit: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()
    usual_limit: Bound | None = None
    of_pair: Literal["first", "second"] | None = None
    source: str = Field(min_length=1)
    note: str | None = None

    @model_validator(mode="after")
    def _has_one_bound(self) -> WatchedNumber:
        if sum(bound is not None for bound in (self.above, self.at_least, self.below)) != 1:
            raise ValueError("one of above, at_least and below")
        return self

    def matters(self, number: Decimal, comparator: str | None = None) -> bool:
        """Whether a number lies beyond the bound; a bound as sent counts when it may."""
        if self.below is not None:
            if comparator in _DOWNWARDS:
                return number <= self.below
            return number < self.below
        if comparator in _DOWNWARDS:
            return False
        if self.at_least is not None:
            return number >= self.at_least
        if self.above is None:
            return False
        return number >= self.above if comparator in _UPWARDS else number > self.above


class _WatchedNumbers(RootModel[dict[str, WatchedNumber]]):
    """The whole file, by analyte."""


def load_watched_numbers(
    file: Traversable, analytes: Container[str], value_sets: Container[str]
) -> Mapping[str, WatchedNumber]:
    """The numbers of `file` by analyte; none for an older release, which has no such file.

    Raises KnowledgeError for an analyte or a value set that does not exist.
    """
    if not file.is_file():
        return MappingProxyType({})
    found = validate(_WatchedNumbers, read_mapping(file), str(file), "").root
    for analyte, watched in found.items():
        if analyte not in analytes:
            raise KnowledgeError(str(file), analyte, "a name in labs or vitals")
        for name in watched.value_sets:
            if name not in value_sets:
                raise KnowledgeError(str(file), analyte, f"value sets; {name} is none")
    return MappingProxyType(found)
