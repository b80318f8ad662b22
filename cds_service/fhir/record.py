"""All resources of one patient, indexed once, so that every reader asks the same record.

Resources of anybody else are never served: they are counted and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from cds_service.fhir.collecting import CodedResult, Collector
from cds_service.fhir.medications import MedicationConcept, read_medication_concept
from cds_service.fhir.outcomes import Outcome
from cds_service.fhir.owners import Owners, contained, local_id
from cds_service.fhir.read_result import Dropped, ReadResult
from cds_service.fhir.references import parse_reference
from cds_service.fhir.terminology import CodeKey, CodeSet, code_key
from cds_service.fhir.views import (
    CodeableConcept,
    Condition,
    DiagnosticReport,
    MedicationUse,
    Observation,
    Patient,
    Reference,
    Resource,
)

AnyView = TypeVar("AnyView", bound=Resource)
Codes = CodeSet | Iterable[tuple[str, str]]


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
    _made_of: tuple[tuple[ReadResult, ...], tuple[Resource, ...], str | None] = field(
        default=((), (), None), repr=False
    )
    _results: Mapping[CodeKey, tuple[CodedResult, ...]] = field(default_factory=dict, repr=False)
    _codes_of_results: tuple[CodeableConcept, ...] = field(default=(), repr=False)
    _conditions: Mapping[CodeKey, tuple[Condition, ...]] = field(default_factory=dict, repr=False)
    _served: dict[type[Resource], tuple[Resource, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

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
        loose = tuple(resources)
        builder = Collector(Owners.of(patient_id, urls, server))
        for page in pages:
            for resource in page.resources:
                builder.add(resource)
        for resource in loose:
            builder.add(resource)
        results_by_code, codes = builder.observation_index()
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
            _by_type=builder.by_type,
            _by_key=builder.kept,
            _urls=urls,
            _made_of=(pages, loose, server),
            _results=results_by_code,
            _codes_of_results=codes,
            _conditions=builder.condition_index(),
        )

    def changed(self, change: Callable[[Resource], Resource | None]) -> PatientRecord:
        """The record of what `change` makes of each resource that was read; None leaves it out."""
        pages, loose, server = self._made_of
        made: dict[int, Resource | None] = {}

        def once(resource: Resource) -> Resource | None:
            if id(resource) not in made:
                made[id(resource)] = change(resource)
            return made[id(resource)]

        def all_of(resources: Iterable[Resource]) -> tuple[Resource, ...]:
            return tuple(new for old in resources if (new := once(old)) is not None)

        def named(urls: Mapping[str, Resource]) -> dict[str, Resource]:
            found = ((url, once(old)) for url, old in urls.items())
            return {url: new for url, new in found if new is not None}

        changed = [
            replace(page, resources=all_of(page.resources), full_urls=named(page.full_urls))
            for page in pages
        ]
        return PatientRecord.build(self.patient_id, changed, all_of(loose), server)

    def of_type(self, kind: type[AnyView], *, withdrawn: bool = False) -> tuple[AnyView, ...]:
        """All resources of a type or family (`MedicationUse`), in the order read.

        Withdrawn ones come only if asked for.
        """
        if withdrawn:
            return self._of_type(kind)
        known = self._served.get(kind)
        if known is None:
            away = self._withdrawn_ids
            found = self._of_type(kind)
            known = tuple([item for item in found if id(item) not in away]) if away else found
            self._served[kind] = known
        return known  # type: ignore[return-value]  # kept under the type that it was made of

    def _of_type(self, kind: type[AnyView]) -> tuple[AnyView, ...]:
        return tuple(
            resource
            for held, found in self._by_type.items()
            if issubclass(held, kind)
            for resource in found
            if isinstance(resource, kind)
        )

    def results_called(
        self, name: Callable[[CodeableConcept], str | None]
    ) -> list[tuple[str, CodedResult]]:
        """Observations and components to whose `code` a name is given, in the order read.

        A record holds hundreds of results with a few dozen codes: each code is asked about once.
        """
        given = [(code, name(code)) for code in self._codes_of_results]
        names = {code: called for code, called in given if called is not None}
        if not names:
            return []
        return [
            (names[code], CodedResult(observation, component))
            for observation in self.of_type(Observation)
            for component in (None, *observation.component)
            if (code := (component or observation).code) is not None and code in names
        ]

    def observations_called(
        self, asked: Callable[[CodeableConcept], bool]
    ) -> tuple[Observation, ...]:
        """Observations whose own `code` passes a test, in the order read."""
        found = self.results_called(lambda code: "" if asked(code) else None)
        return tuple(item.observation for _, item in found if item.component is None)

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

    @property
    def holds_all(self) -> bool:
        """Whether every resource that was read is this patient's."""
        return not self.ignored and not self.unattributed

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
        return codes.in_order
    keys = (code_key(system, code) for system, code in codes)
    return [key for key in keys if key is not None]
