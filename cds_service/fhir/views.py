"""FHIR resources as small frozen structs: partial views of what this service reads.

Required elements are not required here and bindings are not enforced: real payloads break both.
`reading.read_resources` makes these from JSON; `record.PatientRecord` serves them.
"""

from __future__ import annotations

import msgspec

from cds_service.fhir.datatypes import (
    Annotation,
    CodeableConcept,
    CodeableReference,
    Coding,
    DataType,
    Dosage,
    DoseAndRate,
    Extension,
    Identifier,
    Period,
    Quantity,
    Range,
    Ratio,
    Reference,
    ReferenceRange,
    Timing,
    TimingRepeat,
)
from cds_service.fhir.event_views import (
    AdverseEvent,
    AllergyIntolerance,
    ClinicalImpression,
    Device,
    DeviceUseStatement,
    Encounter,
    Flag,
)
from cds_service.fhir.questionnaire_views import QuestionnaireResponse
from cds_service.fhir.resources import Resource
from cds_service.fhir.shared import Shared

__all__ = [
    "AdverseEvent", "AllergyIntolerance", "Annotation", "AnyResource", "ClinicalImpression",
    "CodeableConcept", "CodeableReference", "Coding", "Condition", "Device", "DeviceUseStatement",
    "DiagnosticReport", "Dosage", "DoseAndRate", "Encounter", "Extension", "Flag", "Identifier",
    "Medication", "MedicationAdministration", "MedicationDispense", "MedicationRequest",
    "MedicationStatement", "MedicationUsage", "MedicationUse", "Observation",
    "ObservationComponent", "OperationOutcome", "Patient", "Period", "Procedure", "Quantity",
    "QuestionnaireResponse", "Range", "Ratio", "Reference", "ReferenceRange", "Resource",
    "ServiceRequest", "Specimen", "Substance", "Timing", "TimingRepeat",
]  # fmt: skip


class ObservationComponent(DataType, frozen=True):
    """One part of a panel or of a genetic finding."""

    code: Shared[CodeableConcept | None] = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    value_date_time: str | None = None
    value_range: Range | None = None
    value_ratio: Ratio | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: Shared[tuple[CodeableConcept, ...]] = ()
    reference_range: Shared[tuple[ReferenceRange, ...]] = ()
    extension: tuple[Extension, ...] = ()


class Observation(Resource, frozen=True):
    """A laboratory result, vital sign, genetic finding or statement such as ECOG."""

    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    category: Shared[tuple[CodeableConcept, ...]] = ()
    code: Shared[CodeableConcept | None] = None
    subject: Shared[Reference | None] = None
    focus: tuple[Reference, ...] = ()
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    value_date_time: str | None = None
    value_range: Range | None = None
    value_ratio: Ratio | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: Shared[tuple[CodeableConcept, ...]] = ()
    body_site: CodeableConcept | None = None
    note: tuple[Annotation, ...] = ()
    method: CodeableConcept | None = None
    specimen: Reference | None = None
    device: Reference | None = None
    reference_range: Shared[tuple[ReferenceRange, ...]] = ()
    has_member: tuple[Reference, ...] = ()
    derived_from: tuple[Reference, ...] = ()
    component: tuple[ObservationComponent, ...] = ()


class ConditionStage(DataType, frozen=True):
    """A stage statement of a Condition."""

    summary: CodeableConcept | None = None
    assessment: tuple[Reference, ...] = ()
    type: CodeableConcept | None = None


class ConditionEvidence(DataType, frozen=True):
    """What a Condition rests on; `concept` and `reference` are the R5 names."""

    code: tuple[CodeableConcept, ...] = ()
    detail: tuple[Reference, ...] = ()
    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Condition(Resource, frozen=True):
    """A diagnosis, finding or explicitly refuted finding."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    body_site: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    encounter: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_age: Quantity | None = None
    onset_range: Range | None = None
    onset_string: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_age: Quantity | None = None
    abatement_range: Range | None = None
    abatement_string: str | None = None
    abatement_boolean: bool | None = None
    recorded_date: str | None = None
    stage: tuple[ConditionStage, ...] = ()
    evidence: tuple[ConditionEvidence, ...] = ()


class MedicationUse(Resource, frozen=True):
    """What the four kinds of medication resources share.

    `medication` is the R5 shape; `record.PatientRecord.medication_concept` reads all shapes.
    """

    status: str | None = None
    status_reason: CodeableConcept | tuple[CodeableConcept, ...] | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    reason: tuple[CodeableReference, ...] = ()


class DispenseRequest(DataType, frozen=True):
    """What may be supplied on an order, and until when."""

    validity_period: Period | None = None


class MedicationRequest(MedicationUse, frozen=True):
    """An order, a draft order or a reported plan."""

    intent: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    priority: str | None = None
    do_not_perform: bool | None = None
    reported_boolean: bool | None = None
    reported: bool | None = None
    reported_reference: Reference | None = None
    encounter: Reference | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    effective_dose_period: Period | None = None
    dispense_request: msgspec.Raw = msgspec.Raw(b"null")
    prior_prescription: Reference | None = None
    status_changed: str | None = None
    based_on: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()

    @property
    def supply_asked_for(self) -> DispenseRequest | None:
        """What may be supplied; None when nothing readable is said. It never costs the order."""
        try:
            return msgspec.json.decode(self.dispense_request, type=DispenseRequest | None)
        except msgspec.DecodeError:
            return None


class Adherence(DataType, frozen=True):
    """R5: whether the patient takes what the statement is about."""

    code: CodeableConcept | None = None


class MedicationStatement(MedicationUse, frozen=True):
    """What somebody says the patient takes; `adherence` is R5."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage: tuple[Dosage, ...] = ()
    based_on: tuple[Reference, ...] = ()
    adherence: Adherence | None = None


class MedicationUsage(MedicationStatement, frozen=True):
    """The name that MedicationStatement had in drafts of R5."""


class MedicationAdministration(MedicationUse, frozen=True):
    """A dose that was given. R5 spells `occurence`."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    occurence_date_time: str | None = None
    occurence_period: Period | None = None
    request: Reference | None = None


class MedicationDispense(MedicationUse, frozen=True):
    """A supply handed over."""

    status_reason_codeable_concept: CodeableConcept | None = None
    when_prepared: str | None = None
    when_handed_over: str | None = None
    days_supply: Quantity | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    authorizing_prescription: tuple[Reference, ...] = ()


class MedicationIngredient(DataType, frozen=True):
    """An ingredient of a product. Its strength is not read: real systems send useless ratios."""

    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None
    item: CodeableReference | None = None
    is_active: bool | None = None


class Medication(Resource, frozen=True):
    """A product."""

    status: str | None = None
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    dose_form: CodeableConcept | None = None
    ingredient: tuple[MedicationIngredient, ...] = ()


class Substance(Resource, frozen=True):
    """What a product is made of; read only where a medication contains it."""

    code: CodeableConcept | None = None


class Patient(Resource, frozen=True):
    """Sex, birth date and death only: no name, no identifier, no address."""

    active: bool | None = None
    gender: str | None = None
    birth_date: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None


class Procedure(Resource, frozen=True):
    """An operation, a radiotherapy course, a transfusion."""

    status: str | None = None
    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    performed_string: str | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    reason: tuple[CodeableReference, ...] = ()
    body_site: tuple[CodeableConcept, ...] = ()
    outcome: CodeableConcept | None = None
    complication: tuple[CodeableConcept, ...] = ()
    complication_detail: tuple[Reference, ...] = ()


class DiagnosticReport(Resource, frozen=True):
    """A report with its results by reference and a conclusion in words."""

    status: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    specimen: tuple[Reference, ...] = ()
    result: tuple[Reference, ...] = ()
    conclusion: str | None = None
    conclusion_code: tuple[CodeableConcept, ...] = ()


class RequestedService(CodeableConcept, frozen=True):
    """What is ordered: the R4 concept itself, or the R5 `concept` or `reference` in its place."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class ServiceRequest(Resource, frozen=True):
    """An order for a test, an image or a referral."""

    requested: RequestedService | None = msgspec.field(default=None, name="code")

    status: str | None = None
    intent: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    priority: str | None = None
    do_not_perform: bool | None = None
    subject: Reference | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    authored_on: str | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    order_detail: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    reason: tuple[CodeableReference, ...] = ()

    @property
    def code(self) -> CodeableConcept | None:
        """What is ordered, in the R4 or the R5 shape."""
        asked = self.requested
        return asked.concept if asked is not None and asked.concept is not None else asked


class Specimen(Resource, frozen=True):
    """What was tested: tissue, plasma, blood."""

    status: str | None = None
    type: CodeableConcept | None = None
    subject: Reference | None = None
    received_time: str | None = None
    note: tuple[Annotation, ...] = ()


class OperationOutcomeIssue(DataType, frozen=True):
    """One issue. Its free text is never read: servers put request details into it."""

    severity: str | None = None
    code: str | None = None
    details: CodeableConcept | None = None


class OperationOutcome(Resource, frozen=True):
    """A server's remark or failure."""

    issue: tuple[OperationOutcomeIssue, ...] = ()


AnyResource = (
    AdverseEvent
    | AllergyIntolerance
    | ClinicalImpression
    | Condition
    | Device
    | DeviceUseStatement
    | DiagnosticReport
    | Encounter
    | Flag
    | Medication
    | MedicationAdministration
    | MedicationDispense
    | MedicationRequest
    | MedicationStatement
    | MedicationUsage
    | Observation
    | OperationOutcome
    | Patient
    | Procedure
    | QuestionnaireResponse
    | ServiceRequest
    | Specimen
)
