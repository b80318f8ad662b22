"""Which resources make up one record: whose they are, and which of several copies counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

import msgspec

from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.dates import parse_moment
from cds_service.fhir.owners import Owners, contained, local_id
from cds_service.fhir.questionnaires import results_in
from cds_service.fhir.statuses import WITHDRAWN, status_of
from cds_service.fhir.terminology import CodeKey, concept_keys
from cds_service.fhir.views import (
    Condition,
    Observation,
    ObservationComponent,
    Patient,
    QuestionnaireResponse,
    Resource,
)


class CodedResult(NamedTuple):
    """An Observation that carries a code, itself (`component` None) or in one component."""

    observation: Observation
    component: ObservationComponent | None

    @property
    def source(self) -> Observation | ObservationComponent:
        """Where value, interpretation and reference ranges are to be read."""
        return self.observation if self.component is None else self.component


class Collector:
    """Collects resources, judging whose they are and which copy is newest."""

    def __init__(self, owners: Owners) -> None:
        self.owners = owners
        self._patient_key = owners.patient_key
        self._nameless: list[Resource] = []
        self._counted: set[str] = set()
        self.kept: dict[str, Resource] = {}
        self.ignored: Counter[str] = Counter()
        self.unattributed: Counter[str] = Counter()
        self.unattributed_ones: dict[int, Resource] = {}
        self.conflicting: Counter[str] = Counter()
        self.withdrawn_ids: set[int] = set()

    def add(self, resource: Resource) -> None:
        """Keep a resource of the patient, or count why it is left out."""
        owner = self._owner(resource)
        if owner is None:
            self.unattributed_ones[id(resource)] = resource
            self._count(resource, self.unattributed)
        elif owner != self._patient_key:
            self._count(resource, self.ignored)
        else:
            if resource.id:
                self._keep(resource)
            else:
                self._nameless.append(resource)
            if resource.contained:
                self._add_contained(resource)
            if isinstance(resource, QuestionnaireResponse):
                for answered in results_in(resource):
                    self.add(answered)

    def _owner(self, resource: Resource) -> str | None:
        if type(resource) is Observation and resource.subject is not None and not resource.focus:
            # Nearly every resource is one, and says it in the same words.
            text = resource.subject.reference
            if text == self._patient_key:
                return text
        return self.owners.of_resource(resource)

    def _count(self, resource: Resource, counts: Counter[str]) -> None:
        """Count a resource once, also when it was sent under several keys."""
        if resource.id and resource.key in self._counted:
            return
        self._counted.add(resource.key)
        counts[resource.resource_type] += 1

    def _add_contained(self, holder: Resource) -> None:
        """Results inside a report are results too; without a subject they share the report's."""
        for inner in contained(holder):
            if not isinstance(inner, Observation):
                continue
            subject = inner.subject or getattr(holder, "subject", None)
            # Ids of contained resources are unique within their holder only.
            name = f"{holder.id}#{local_id(inner)}" if holder.id and inner.id else None
            whole = msgspec.structs.replace(
                inner, id=name, subject=subject, contained=holder.contained, meta=holder.meta
            )
            owner = self.owners.of_resource(whole)
            if owner != self._patient_key:
                self._count(whole, self.ignored)
            elif name is not None:
                self._keep(whole)
            else:
                self._nameless.append(whole)

    def _keep(self, resource: Resource) -> None:
        key = resource.key
        known = self.kept.get(key)
        if known is None:
            self.kept[key] = resource
            return
        order = _newer(resource, known)
        if order is None and resource != known:
            self.conflicting[resource.resource_type] += 1
        if order is not False:
            self.kept[key] = resource

    def _all(self) -> Iterable[Resource]:
        yield from self.kept.values()
        yield from self._nameless

    def patient(self) -> Patient | None:
        """The patient's own resource."""
        found = self.kept.get(self._patient_key)
        return found if isinstance(found, Patient) else None

    def withdrawn(self) -> Counter[tuple[str, str]]:
        """Counts of withdrawn resources by type and status."""
        counts: Counter[tuple[str, str]] = Counter()
        for resources in self.by_type.values():
            for resource in resources:
                status = status_of(resource)
                if status in WITHDRAWN:
                    self.withdrawn_ids.add(id(resource))
                    counts[(resource.resource_type, status or "")] += 1
        return counts

    @cached_property
    def by_type(self) -> dict[type[Resource], tuple[Resource, ...]]:
        """Resources by their class; ask for them when all were added."""
        groups: dict[type[Resource], list[Resource]] = {}
        for resource in self._all():
            kind = type(resource)
            if kind in groups:
                groups[kind].append(resource)
            else:
                groups[kind] = [resource]
        return {kind: tuple(resources) for kind, resources in groups.items()}

    def observation_index(
        self,
    ) -> tuple[dict[CodeKey, tuple[CodedResult, ...]], tuple[CodeableConcept, ...]]:
        """Observations and their components by every code they carry, and all the different
        concepts that they have as `code`."""
        groups: dict[CodeKey, list[CodedResult]] = {}
        # Hundreds of results have a few dozen codes: each is made comparable once.
        by_code: dict[CodeableConcept, list[list[CodedResult]]] = {}

        def enter(code: CodeableConcept | None, result: CodedResult) -> None:
            if code is None:
                return
            lists = by_code.get(code)
            if lists is None:
                lists = [groups.setdefault(key, []) for key in concept_keys(code)]
                by_code[code] = lists
            for entered in lists:
                entered.append(result)

        for resource in self.by_type.get(Observation, ()):
            if isinstance(resource, Observation):
                enter(resource.code, CodedResult(resource, None))
                for component in resource.component:
                    enter(component.code, CodedResult(resource, component))
        return {key: tuple(results) for key, results in groups.items()}, tuple(by_code)

    def condition_index(self) -> dict[CodeKey, tuple[Condition, ...]]:
        """Conditions by every code they carry."""
        return _grouped(
            (key, resource)
            for resource in self.by_type.get(Condition, ())
            if isinstance(resource, Condition)
            for key in concept_keys(resource.code)
        )


_Key = TypeVar("_Key")
_Member = TypeVar("_Member")


def _grouped(pairs: Iterable[tuple[_Key, _Member]]) -> dict[_Key, tuple[_Member, ...]]:
    groups: dict[_Key, list[_Member]] = {}
    for key, member in pairs:
        groups.setdefault(key, []).append(member)
    return {key: tuple(members) for key, members in groups.items()}


def _newer(left: Resource, right: Resource) -> bool | None:
    """Whether `left` is newer than `right`; None when neither is."""
    versions = _version(left), _version(right)
    if versions[0] is not None and versions[1] is not None and versions[0] != versions[1]:
        return versions[0] > versions[1]
    updates = _updated(left), _updated(right)
    if updates[0] is not None and updates[1] is not None and updates[0] != updates[1]:
        return updates[0] > updates[1]
    return None


def _version(resource: Resource) -> int | None:
    text = (resource.meta.version_id or "").strip() if resource.meta else ""
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _updated(resource: Resource) -> datetime | None:
    moment = parse_moment(resource.meta.last_updated) if resource.meta else None
    return moment.instant if moment else None
