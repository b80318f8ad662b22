"""What the services ask the EHR for, by kind of data, as CDS Hooks 2.0 prefetch templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.knowledge.code_models import Code
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import PrefetchTemplate

_FINDING_SETS = (
    "ALK test by FISH",
    "ALK test by immunohistochemistry",
    "genetic variant assessment",
    "allelic phase",
    "disease status",
    "progression pattern",
    "progressing sites",
    "progressing sites ablatable",
    "ECOG performance status",
    "pregnancy status",
    "cancer stage group",
    "tumour size",
    "positive lymph nodes",
    "surgical margin",
    "Child-Pugh score",
)
_REPORT_SETS = (
    "brain MRI",
    "ALK test by FISH",
    "ALK test by immunohistochemistry",
    "genetic analysis report",
)
_FINDING_ANALYTES = ("QTc", "PR interval")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data: its prefetch key, its query, whether nothing can be said without it."""

    key: str
    query: str
    required: bool
    purpose: str


PATIENT = Kind("patient", "Patient/{{context.patientId}}", True, "sex and date of birth")
CONDITIONS = Kind(
    "conditions",
    "Condition?patient={{context.patientId}}",
    True,
    "diagnosis, metastases, reactions",
)
MEDICATIONS = Kind(
    "medications",
    "MedicationRequest?patient={{context.patientId}}",
    True,
    "ALK inhibitors with dose, and medications that interact",
)
STATEMENTS = Kind(
    "statements",
    "MedicationStatement?patient={{context.patientId}}",
    False,
    "medications that the patient reports, over the counter too",
)
ADMINISTRATIONS = Kind(
    "administrations",
    "MedicationAdministration?patient={{context.patientId}}",
    False,
    "infusions and doses given on a ward",
)
DISPENSES = Kind(
    "dispenses",
    "MedicationDispense?patient={{context.patientId}}",
    False,
    "supplies handed over by a pharmacy",
)
LABORATORY = Kind(
    "laboratory",
    "Observation?patient={{context.patientId}}&category=laboratory",
    False,
    "liver, muscle and kidney tests with their reference ranges",
)
VITAL_SIGNS = Kind(
    "vital_signs",
    "Observation?patient={{context.patientId}}&category=vital-signs",
    False,
    "heart rate",
)
FINDINGS = Kind(
    "findings",
    "Observation?patient={{context.patientId}}&code={codes}",
    False,
    "ALK and other tumour tests, stage, performance status, pregnancy, ECG intervals",
)
PROCEDURES = Kind(
    "procedures", "Procedure?patient={{context.patientId}}", False, "resection of the tumour"
)
REPORTS = Kind(
    "reports",
    "DiagnosticReport?patient={{context.patientId}}&code={codes}",
    False,
    "imaging of the brain, and ALK tests that came as reports only",
)
REQUESTS = Kind(
    "requests",
    "ServiceRequest?patient={{context.patientId}}&status=active",
    False,
    "tests that are already on order",
)

EVERYTHING = (
    PATIENT, CONDITIONS, MEDICATIONS, LABORATORY, VITAL_SIGNS, FINDINGS, PROCEDURES, REPORTS,
    REQUESTS, STATEMENTS, ADMINISTRATIONS, DISPENSES,
)  # fmt: skip


def templates(kinds: Iterable[Kind], knowledge: Knowledge) -> tuple[PrefetchTemplate, ...]:
    """The prefetch templates of these kinds, with the codes of the knowledge release."""
    codes = knowledge.codes
    listed = {
        FINDINGS.key: [
            *(key for name in _FINDING_SETS for key in _written(codes.value_sets[name].codes)),
            *(key for name in _FINDING_ANALYTES for key in _written(codes.analytes[name].codes)),
        ],
        REPORTS.key: [
            key for name in _REPORT_SETS for key in _written(codes.value_sets[name].codes)
        ],
    }
    found: list[PrefetchTemplate] = []
    for kind in kinds:
        tokens = ",".join(f"{system}|{code}" for system, code in listed.get(kind.key, ()))
        query = kind.query.replace("{codes}", tokens)
        found.append(PrefetchTemplate(kind.key, query, kind.required, kind.purpose))
    return tuple(found)


def _written(codes: Iterable[Code]) -> list[tuple[str, str]]:
    """Codes as a server knows them, which may spell a system otherwise than we compare it."""
    return sorted(code.as_written for code in codes if code.verified)
