"""Trials and studies with their numbers, each beside its source: `evidence.yaml`.

Numbers are kept as text exactly as reported, because they are shown and never computed with.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.sources import Source, require_known_sources
from cds_service.knowledge.yaml_files import Frozen, knowledge_folder, read_mapping, validate

Number = Annotated[str, StringConstraints(pattern=r"^-?\d+(\.\d+)?$")]
NumberOrNotReached = Annotated[str, StringConstraints(pattern=r"^(-?\d+(\.\d+)?|not reached)$")]


class Arm(Frozen):
    """One treatment arm. `n` is the number of patients when it was read."""

    name: str
    treatment: str
    n: int | None = Field(default=None, gt=0)


class Interval(Frozen):
    """A 95 per cent confidence interval."""

    low: NumberOrNotReached
    high: NumberOrNotReached


class Comparison(Frozen):
    """An effect of the first arm against the second; below 1 favours the first for hazards."""

    measure: Literal["hazard ratio", "cause-specific hazard ratio", "odds ratio"]
    value: Number
    interval: Interval | None = None


class Result(Frozen):
    """One endpoint at one data cut, read by one kind of assessor.

    `values` and `intervals` are by arm name in `unit`. Values of different assessors or cuts are
    never put into one row: that is how a median and a hazard ratio that do not belong together
    come to stand side by side. `display` is false for a row kept only to warn against its use.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    endpoint: str
    assessor: Literal["investigator", "independent review", "not stated", "not applicable"]
    report: str
    unit: Literal["months", "per cent", "ratio", "patients", "days"]
    subgroup: str | None = None
    values: Mapping[str, NumberOrNotReached] = Field(default_factory=dict)
    intervals: Mapping[str, Interval] = Field(default_factory=dict)
    comparison: Comparison | None = None
    p: Number | None = None
    not_significant: bool = False
    display: bool = True
    verified: bool
    source: str
    note: str | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> Result:
        if not self.values and self.comparison is None:
            raise ValueError("values or a comparison")
        if not set(self.intervals) <= set(self.values):
            raise ValueError("intervals only for arms that have a value")
        return self


class Study(Frozen):
    """A trial, cohort or analysis: who was treated with what, and the results read."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str
    setting: Literal[
        "first line", "adjuvant", "locally advanced", "pretreated", "safety", "biomarker", "special"
    ]
    randomised: bool
    registry: str | None = None
    registry_verified: bool = False
    population: str
    arms: tuple[Arm, ...] = Field(min_length=1)
    results: tuple[Result, ...]
    sources: tuple[str, ...] = Field(min_length=1)
    note: str | None = None

    @model_validator(mode="after")
    def _arms_are_named(self) -> Study:
        names = {arm.name for arm in self.arms}
        for result in self.results:
            if not set(result.values) <= names:
                raise ValueError(f"values by the names of the arms in {result.id}")
            if result.comparison is not None and len(self.arms) < 2:
                raise ValueError(f"at least two arms for the comparison in {result.id}")
        if len({result.id for result in self.results}) != len(self.results):
            raise ValueError("result ids that differ")
        return self


def load_evidence(
    sources: Mapping[str, Source], file: Traversable | None = None
) -> Mapping[str, Study]:
    """All studies by id; the packaged `evidence.yaml` by default.

    Raises KnowledgeError when a row does not fit, repeats a result id or cites an unknown source.
    """
    file = file if file is not None else knowledge_folder() / "evidence.yaml"
    name = str(file)
    studies: dict[str, Study] = {}
    seen: dict[str, str] = {}
    for identifier, content in read_mapping(file).items():
        if not isinstance(content, dict):
            raise KnowledgeError(name, str(identifier), "a mapping")
        study = validate(Study, {"id": identifier, **content}, name, str(identifier))
        require_known_sources(study.sources, sources, name, f"{identifier}.sources")
        for result in study.results:
            where = f"{identifier}.results.{result.id}"
            require_known_sources((result.source,), sources, name, f"{where}.source")
            if seen.setdefault(result.id, study.id) != study.id:
                raise KnowledgeError(name, where, "a result id used once")
        studies[study.id] = study
    return MappingProxyType(studies)
