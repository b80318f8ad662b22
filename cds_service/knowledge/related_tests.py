"""Tests that bear on a fact and are another quantity: `codes/related_tests.yaml`.

An uncorrected QT interval says something about QTc, and is none. Such a result is never read as the
fact; when its number is one to act on, the fact is asked for.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from decimal import Decimal
from importlib.resources.abc import Traversable
from types import MappingProxyType

from pydantic import Field, RootModel, model_validator

from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import Bound, Code
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate


class RelatedTest(Frozen):
    """One such test: what it is, its codes, and from which number on the fact is asked for.

    `least` is by unit as sent, `least_xuln` a multiple of the result's own upper limit; `below` is
    by unit as sent, for a quantity that is grave when it is low.
    """

    called: str = Field(alias="is", min_length=1)
    codes: tuple[Code, ...] = Field(min_length=1)
    least: Mapping[str, Bound] = Field(default_factory=dict, alias="from")
    least_xuln: Decimal | None = Field(default=None, alias="from_xuln", gt=0)
    below: Mapping[str, Bound] = Field(default_factory=dict)
    source: str = Field(min_length=1)
    note: str | None = None

    @model_validator(mode="after")
    def _begins_somewhere(self) -> RelatedTest:
        if sum((bool(self.least), self.least_xuln is not None, bool(self.below))) != 1:
            raise ValueError("one of from, from_xuln and below")
        return self

    def code_keys(self) -> frozenset[CodeKey]:
        """The (system, code) pairs to match on."""
        return frozenset(code.key for code in self.codes if code.verified)


class _RelatedTests(RootModel[dict[str, tuple[RelatedTest, ...]]]):
    """The whole file, by analyte."""


def load_related_tests(
    file: Traversable, analytes: Container[str]
) -> Mapping[str, tuple[RelatedTest, ...]]:
    """The tests of `file` by analyte; none for an older release, which has no such file.

    Raises KnowledgeError for a test that is no analyte.
    """
    if not file.is_file():
        return MappingProxyType({})
    found = validate(_RelatedTests, read_mapping(file), str(file), "").root
    for analyte in found:
        if analyte not in analytes:
            raise KnowledgeError(str(file), analyte, "a name in labs or vitals")
    return MappingProxyType(found)
