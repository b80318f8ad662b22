"""All resources of one patient, indexed once, so that every reader asks the same record.

Resources of anybody else are never served: they are counted and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

import msgspec

from cds_service.fhir.dates import parse_moment
from cds_service.fhir.medications import MedicationConcept, read_medication_concept
from cds_service.fhir.owners import Owners, contained, local_id
from cds_service.fhir.reading import Dropped, Outcome, ReadResult
from cds_service.fhir.references import parse_reference
from cds_service.fhir.terminology import CodeKey, CodeSet, code_key, concept_keys
from cds_service.fhir.views import (
    AllergyIntolerance,
    Condition,
    DiagnosticReport,
    MedicationStatement,
    MedicationUse,
    Observation,
    ObservationComponent,
    Patient,
    Reference,
    Resource,
)

AnyView = TypeVar("AnyView", bound=Resource)
Codes = CodeSet | Iterable[tuple[str, str]]

WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
"""Statuses whose resources are not served unless they are asked for."""


_ADHERENCE = {
    "taking": "active",
    "on-hold": "on-hold",
    "stopped": "stopped",
    "not-taking": "not-taken",
}

_VERIFIED = (Condition, AllergyIntolerance)
_AS_THEY_SHOULD_BE = frozenset(
    {"final", "amended", "corrected", "active", "completed", "stopped", "on-hold", "draft"}
)


class CodedResult(NamedTuple):
    """An Observation that carries a code, itself (`component` None) or in one component."""

    observation: Observation
    component: ObservationComponent | None

    @property
    def source(self) -> Observation | ObservationComponent:
        """Where value, interpretation and reference ranges are to be read."""
        return self.observation if self.component is None else self.component


def status_of(resource: Resource) -> str | None:
    """The resource's status, stripped and lower-cased; of a Condition or allergy its
    verification status.

    Of an R5 MedicationStatement, whose status only says that it was recorded, its adherence.
    """
    status = getattr(resource, "status", None)
    if isinstance(resource, MedicationStatement) and status == "recorded":
        return _adherence(resource)
    if status in _AS_THEY_SHOULD_BE:
        return str(status)
    if isinstance(resource, _VERIFIED) and resource.verification_status is not None:
        codes = [coding.code for coding in resource.verification_status.coding if coding.code]
        status = codes[0] if codes else resource.verification_status.text
    return status.strip().lower() or None if isinstance(status, str) else None


def _adherence(statement: MedicationStatement) -> str | None:
    """The R4 status that an R5 adherence means; None when it says nothing."""
    concept = statement.adherence.code if statement.adherence is not None else None
    for coding in concept.coding if concept is not None else ():
        word = (coding.code or "").strip().lower()
        for beginning, status in _ADHERENCE.items():
            if word == beginning or word.startswith(f"{beginning}-"):
                return status
    return None


@dataclass(frozen=True)
class PatientRecord:
    """Build it with `PatientRecord.build`.

    `ignored`: resources of other patients, by type. `unattributed`: resources that do not say
    whose they are, by type; `is_unattributed` knows them. `withdrawn`: entered-in-error and
    cancelled ones, by (type, status).
    `conflicting_copies`: by type, copies of one resource that differ while neither is newer; the
    one read last is served.
    """

    patient_id: str
    patient: Patient | None = None
    ignored: Counter[str] = field(default_factory=Counter)
    unattributed: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[tuple[str, str]] = field(default_factory=Counter)
    conflicting_copies: Counter[str] = field(default_factory=Counter)
    dropped: tuple[Dropped, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    _withdrawn_ids: frozenset[int] = field(default_factory=frozenset, repr=False)
    _unattributed: Mapping[int, Resource] = field(default_factory=dict, repr=False)
    _owners: Owners = field(default_factory=Owners, repr=False)
    _by_type: Mapping[type[Resource], tuple[Resource, ...]] = field(
        default_factory=dict, repr=False
    )
    _by_key: Mapping[str, Resource] = field(default_factory=dict, repr=False)
    _urls: Mapping[str, Resource] = field(default_factory=dict, repr=False)
    _results: Mapping[CodeKey, tuple[CodedResult, ...]] = field(default_factory=dict, repr=False)
    _conditions: Mapping[CodeKey, tuple[Condition, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def build(
        cls,
        patient_id: str,
        results: Iterable[ReadResult] = (),
        resources: Iterable[Resource] = (),
        server: str | None = None,
    ) -> PatientRecord:
        """A record of what belongs to `Patient/{patient_id}` in the results and resources.

        `server` is the base address of the server on which the patient has that id. An absolute
        reference to another server names somebody or something else, whatever its id.
        """
        pages = tuple(results)
        urls: dict[str, Resource] = {}
        for page in pages:
            urls.update(page.full_urls)
        builder = _Builder(Owners.of(patient_id, urls, server))
        for page in pages:
            for resource in page.resources:
                builder.add(resource)
        for resource in resources:
            builder.add(resource)
        return cls(
            patient_id=patient_id,
            patient=builder.patient(),
            ignored=builder.ignored,
            unattributed=builder.unattributed,
            withdrawn=builder.withdrawn(),
            _withdrawn_ids=frozenset(builder.withdrawn_ids),
            _unattributed=builder.unattributed_ones,
            _owners=builder.owners,
            conflicting_copies=builder.conflicting,
            dropped=tuple(entry for page in pages for entry in page.dropped),
            outcomes=tuple(outcome for page in pages for outcome in page.outcomes),
            _by_type=builder.by_type(),
            _by_key=builder.kept,
            _urls=urls,
            _results=builder.observation_index(),
            _conditions=builder.condition_index(),
        )

    def of_type(self, kind: type[AnyView], *, withdrawn: bool = False) -> tuple[AnyView, ...]:
        """All resources of a type or family (`MedicationUse`), in the order read.

        Withdrawn ones come only if asked for.
        """
        return tuple(
            resource
            for held, found in self._by_type.items()
            if issubclass(held, kind)
            for resource in found
            if isinstance(resource, kind) and (withdrawn or id(resource) not in self._withdrawn_ids)
        )

    def observations(self, codes: Codes, *, withdrawn: bool = False) -> tuple[CodedResult, ...]:
        """Observations and components with any of the codes, each once, in the order read."""
        found: dict[int, CodedResult] = {}
        for key in _keys(codes):
            for result in self._results.get(key, ()):
                if withdrawn or id(result.observation) not in self._withdrawn_ids:
                    found.setdefault(id(result.source), result)
        return tuple(found.values())

    def conditions(self, codes: Codes, *, withdrawn: bool = False) -> tuple[Condition, ...]:
        """Conditions whose code is one of the codes, each once; refuted ones are included."""
        found: dict[int, Condition] = {}
        for key in _keys(codes):
            for condition in self._conditions.get(key, ()):
                if withdrawn or id(condition) not in self._withdrawn_ids:
                    found.setdefault(id(condition), condition)
        return tuple(found.values())

    def is_unattributed(self, resource: Resource) -> bool:
        """Whether a resource that was read here does not say whose it is."""
        return id(resource) in self._unattributed

    def is_of_another(self, resource: Resource) -> bool:
        """Whether a resource names another subject than this patient."""
        owner = self._owners.of_resource(resource)
        return owner is not None and owner != self._owners.patient_key

    def stands_in_another(self, resource: Resource) -> bool:
        """Whether a resource stands in another patient's record, whoever it is about."""
        owner = self._owners.of_subject(resource)
        return owner is not None and owner != self._owners.patient_key

    def resolve(
        self, reference: Reference | None, holder: Resource | None = None
    ) -> Resource | None:
        """The resource of this record that a reference names, by fullUrl or `Type/id`.

        `holder` is the resource that refers: what it contains is found in it.
        """
        text = reference.reference if reference else None
        if not text:
            return None
        by_url = self._urls.get(text.strip())
        if by_url is not None and self._serves(by_url):
            return by_url
        parsed = parse_reference(text)
        if parsed is None or self._owners.elsewhere(parsed):
            return None
        if parsed.fragment is not None:
            inner = contained(holder) if holder is not None else ()
            return next((one for one in inner if local_id(one) == parsed.fragment), None)
        return self._by_key.get(parsed.key) if parsed.key else None

    def listed_in(self, observation: Observation) -> tuple[DiagnosticReport | Observation, ...]:
        """The reports that list an observation among their results, and the panels that list it
        among their members; of a contained one that which contains it."""
        return self._listing.get(observation.key, ()) if observation.id else ()

    @cached_property
    def _listing(self) -> Mapping[str, tuple[DiagnosticReport | Observation, ...]]:
        found: dict[str, dict[str, DiagnosticReport | Observation]] = {}
        listings: list[tuple[DiagnosticReport | Observation, tuple[Reference, ...]]] = [
            *((report, report.result) for report in self.of_type(DiagnosticReport)),
            *((panel, panel.has_member) for panel in self.of_type(Observation)),
        ]
        for holder, listed in listings:
            for reference in listed:
                held = self._listed_key(reference, holder)
                if held is not None:
                    found.setdefault(held, {})[holder.key] = holder
        for observation in self.of_type(Observation):
            outer, mark, _ = (observation.id or "").partition("#")
            report = self._by_key.get(f"DiagnosticReport/{outer}") if mark else None
            if isinstance(report, DiagnosticReport):
                found.setdefault(observation.key, {})[report.key] = report
        return {key: tuple(held.values()) for key, held in found.items()}

    def _listed_key(self, reference: Reference, holder: Resource) -> str | None:
        parsed = parse_reference(reference.reference)
        if parsed is not None and parsed.fragment is not None:
            return f"Observation/{holder.id}#{parsed.fragment}"
        found = self.resolve(reference, holder)
        return found.key if isinstance(found, Observation) else None

    def medication_concept(self, use: MedicationUse) -> MedicationConcept:
        """What drug a medication resource is about, and how that was found out."""
        found = read_medication_concept(use, self.resolve)
        if found.missing is None:
            return found
        reference = use.medication_reference or (use.medication and use.medication.reference)
        parsed = parse_reference(reference.reference) if reference else None
        if parsed is not None and self._owners.elsewhere(parsed):
            # The same id on the patient's own server is another product.
            return replace(found, missing=None)
        return found

    def _serves(self, resource: Resource) -> bool:
        return any(resource is kept for kept in self._by_type.get(type(resource), ()))


def _keys(codes: Codes) -> Iterable[CodeKey]:
    if isinstance(codes, CodeSet):
        return sorted(codes.keys)
    keys = (code_key(system, code) for system, code in codes)
    return [key for key in keys if key is not None]


class _Builder:
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
        owner = self.owners.of_resource(resource)
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
        for resource in self._all():
            status = status_of(resource)
            if status in WITHDRAWN:
                self.withdrawn_ids.add(id(resource))
                counts[(resource.resource_type, status or "")] += 1
        return counts

    def by_type(self) -> dict[type[Resource], tuple[Resource, ...]]:
        """Resources by their class."""
        return _grouped((type(resource), resource) for resource in self._all())

    def observation_index(self) -> dict[CodeKey, tuple[CodedResult, ...]]:
        """Observations and their components by every code they carry."""
        groups: dict[CodeKey, list[CodedResult]] = {}
        for resource in self._all():
            if not isinstance(resource, Observation):
                continue
            whole = CodedResult(resource, None)
            for key in concept_keys(resource.code):
                groups.setdefault(key, []).append(whole)
            for component in resource.component:
                part = CodedResult(resource, component)
                for key in concept_keys(component.code):
                    groups.setdefault(key, []).append(part)
        return {key: tuple(results) for key, results in groups.items()}

    def condition_index(self) -> dict[CodeKey, tuple[Condition, ...]]:
        """Conditions by every code they carry."""
        return _grouped(
            (key, resource)
            for resource in self._all()
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
