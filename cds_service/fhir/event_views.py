"""Events, allergies, visits, impressions, alerts and devices, read like those of `views`."""

from __future__ import annotations

from cds_service.fhir.datatypes import (
    CodeableConcept,
    CodeableReference,
    DataType,
    Extension,
    Period,
    Reference,
)
from cds_service.fhir.resources import Resource


class Causality(DataType, frozen=True):
    """How likely it is that a suspect caused the event; `entity_relatedness` is the R5 name."""

    assessment: CodeableConcept | None = None
    entity_relatedness: CodeableConcept | None = None


class SuspectEntity(DataType, frozen=True):
    """What may have caused an adverse event. R5 has one causality and a concept as instance."""

    instance: Reference | None = None
    instance_reference: Reference | None = None
    instance_codeable_concept: CodeableConcept | None = None
    causality: Causality | tuple[Causality, ...] | None = None


class AdverseEvent(Resource, frozen=True):
    """An adverse event; R5 names beside the R4 ones. `actuality` potential is not an event."""

    modifier_extension: tuple[Extension, ...] = ()
    status: str | None = None
    actuality: str | None = None
    event: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    date: str | None = None
    detected: str | None = None
    recorded_date: str | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    resulting_condition: tuple[Reference, ...] = ()
    resulting_effect: tuple[Reference, ...] = ()
    seriousness: CodeableConcept | None = None
    severity: CodeableConcept | None = None
    outcome: CodeableConcept | tuple[CodeableConcept, ...] | None = None
    suspect_entity: tuple[SuspectEntity, ...] = ()


class ManifestedAs(CodeableConcept, frozen=True):
    """How a reaction showed: the R4 concept itself, or the R5 `concept` in its place."""

    concept: CodeableConcept | None = None

    @property
    def said(self) -> CodeableConcept:
        """What was seen, in the R4 or the R5 shape."""
        return self.concept if self.concept is not None else self


class AllergyReaction(DataType, frozen=True):
    """One reaction to a substance. In R5 a manifestation is a CodeableReference."""

    substance: CodeableConcept | None = None
    manifestation: tuple[ManifestedAs, ...] = ()
    onset: str | None = None
    severity: str | None = None


class AllergyIntolerance(Resource, frozen=True):
    """That somebody reacts to a substance, and how."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    code: CodeableConcept | None = None
    patient: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    recorded_date: str | None = None
    last_occurrence: str | None = None
    reaction: tuple[AllergyReaction, ...] = ()


class EncounterDiagnosis(DataType, frozen=True):
    """A diagnosis of a visit: a reference in R4, concepts or references in R5."""

    condition: Reference | tuple[CodeableReference, ...] | None = None


class EncounterReason(DataType, frozen=True):
    """Why a visit took place, as R5 has it."""

    value: tuple[CodeableReference, ...] = ()


class Encounter(Resource, frozen=True):
    """A visit or stay: when it was, why, and what was diagnosed."""

    status: str | None = None
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None
    diagnosis: tuple[EncounterDiagnosis, ...] = ()
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    reason: tuple[EncounterReason, ...] = ()


class ImpressionFinding(DataType, frozen=True):
    """One finding of an impression: a concept or a reference in R4, either as `item` in R5."""

    modifier_extension: tuple[Extension, ...] = ()
    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None
    item: CodeableReference | None = None


class ClinicalImpression(Resource, frozen=True):
    """What a clinician thinks of a patient: its findings are possible or likely, says FHIR."""

    modifier_extension: tuple[Extension, ...] = ()
    status: str | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date: str | None = None
    description: str | None = None
    problem: tuple[Reference, ...] = ()
    summary: str | None = None
    finding: tuple[ImpressionFinding, ...] = ()


class Flag(Resource, frozen=True):
    """An alert that is shown whenever the chart is opened."""

    status: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    period: Period | None = None


class DeviceName(DataType, frozen=True):
    """One name of a device; R5 has it as `value`."""

    name: str | None = None
    value: str | None = None


class Device(Resource, frozen=True):
    """A thing that is used in care; with a `patient` the one that this patient has."""

    status: str | None = None
    type: CodeableConcept | tuple[CodeableConcept, ...] | None = None
    device_name: tuple[DeviceName, ...] = ()
    patient: Reference | None = None


class DeviceUseStatement(Resource, frozen=True):
    """That somebody uses a device, or did."""

    status: str | None = None
    subject: Reference | None = None
    timing_period: Period | None = None
    timing_date_time: str | None = None
    recorded_on: str | None = None
    device: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
