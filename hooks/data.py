"""What the services ask the EHR for, by kind of data, as CDS Hooks 2.0 prefetch templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.knowledge.code_models import Code
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import PrefetchTemplate

_FINDING_SETS = (
    "ALK test by FISH",
    "ALK test by immunohistochemistry",
    "ROS1 test by FISH",
    "ROS1 test by immunohistochemistry",
    "genetic variant assessment",
    "allelic phase",
    "disease status",
    "progression pattern",
    "progressing sites",
    "progressing sites ablatable",
    "ECOG performance status",
    "pregnancy status",
    "estimated delivery date",
    "gestational age",
    "cancer stage group",
    "distant metastasis category",
    "tumour histology",
    "tumour size",
    "positive lymph nodes",
    "surgical margin",
    "Child-Pugh score",
    "thoughts of death or self-harm",
    "direct antiglobulin test",
    "electrocardiogram",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data: its prefetch key, its query, whether nothing can be said without it.

    `otherwise` is added to the query, one after the other, where a server refuses it as it is.
    `beside` are data that stand beside those of another key, and that many EHRs do not have.
    """

    key: str
    query: str
    required: bool
    purpose: str
    otherwise: tuple[str, ...] = ()
    beside: bool = False


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
    (
        "&intent=order,plan,original-order,reflex-order,filler-order,instance-order",
        "&intent=order,plan",
    ),
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
    "ALK and other tumour tests, stage, performance status, pregnancy; results that hold, stop or"
    " lower a drug, under whatever category they were filed",
)
STATEMENTS = Kind(
    "medication_statements",
    "MedicationStatement?patient={{context.patientId}}",
    False,
    "medications that are taken without an order here, over the counter too",
    beside=True,
)
ADMINISTRATIONS = Kind(
    "medication_administrations",
    "MedicationAdministration?patient={{context.patientId}}",
    False,
    "infusions and what is given on the ward",
    beside=True,
)
DISPENSES = Kind(
    "medication_dispenses",
    "MedicationDispense?patient={{context.patientId}}",
    False,
    "what the pharmacy handed over",
    beside=True,
)
PROCEDURES = Kind(
    "procedures", "Procedure?patient={{context.patientId}}", False, "resection of the tumour"
)
REPORTS = Kind(
    "reports",
    "DiagnosticReport?patient={{context.patientId}}",
    False,
    "imaging, ECG, ALK tests that came as reports only, and dates of results that have none",
)
REQUESTS = Kind(
    "requests",
    "ServiceRequest?patient={{context.patientId}}&status=active",
    False,
    "tests that are already on order",
)

ADVERSE_EVENTS = Kind(
    "adverse_events",
    # Without its type the subject of an event could be somebody else: R4 knows no `patient` here.
    "AdverseEvent?subject=Patient/{{context.patientId}}",
    False,
    "reactions with their grade and the drug that is suspected",
    beside=True,
)
ALLERGIES = Kind(
    "allergies",
    "AllergyIntolerance?patient={{context.patientId}}",
    False,
    "reactions to an ALK inhibitor that are kept as an allergy",
    beside=True,
)

EXAMINED = ("exam", "imaging", "procedure", "survey")
"""What was seen or asked stands under codes that nobody can list: the finding is the value."""
EXAMINATIONS = Kind(
    "examinations",
    "Observation?patient={{context.patientId}}&category=" + ",".join(EXAMINED),
    False,
    "findings with their grade that were recorded as an observation, symptoms that were denied",
    beside=True,
)
VISITS = Kind(
    "visits",
    "Encounter?patient={{context.patientId}}",
    False,
    "diagnoses that a visit names, and days of diagnoses that have none",
    beside=True,
)
IMPRESSIONS = Kind(
    "impressions",
    "ClinicalImpression?patient={{context.patientId}}",
    False,
    "diseases that are thought of",
    beside=True,
)
ALERTS = Kind(
    "alerts",
    "Flag?patient={{context.patientId}}",
    False,
    "alerts over the chart, such as an intolerance or a long QT interval",
    beside=True,
)
DEVICES = Kind(
    "devices",
    "Device?patient={{context.patientId}}",
    False,
    "a pacemaker that is in place; statements of use (DeviceUseStatement) are read when sent",
    beside=True,
)

EVERYTHING = (
    PATIENT, CONDITIONS, MEDICATIONS, LABORATORY, VITAL_SIGNS, FINDINGS, PROCEDURES, REPORTS,
    REQUESTS, STATEMENTS, ADMINISTRATIONS, DISPENSES, ADVERSE_EVENTS, ALLERGIES, EXAMINATIONS,
    VISITS, IMPRESSIONS, ALERTS, DEVICES,
)  # fmt: skip


def templates(kinds: Iterable[Kind], knowledge: Knowledge) -> tuple[PrefetchTemplate, ...]:
    """The prefetch templates of these kinds, with the codes of the knowledge release."""
    sets = knowledge.codes.value_sets
    findings = [
        *(
            f"{system}|{code}"
            for name in _FINDING_SETS
            for system, code in _written(sets[name].codes)
        ),
        # Without their system, or the address of the query would be too long for many servers.
        *dict.fromkeys(code for _, code in _written(_result_codes(knowledge))),
    ]
    found: list[PrefetchTemplate] = []
    for kind in kinds:
        tokens = ",".join(findings) if kind is FINDINGS else ""
        query = kind.query.replace("{codes}", tokens)
        otherwise = tuple(query + more for more in kind.otherwise)
        found.append(
            PrefetchTemplate(
                kind.key, query, kind.required, kind.purpose, otherwise, beside=kind.beside
            )
        )
    return tuple(found)


def _result_codes(knowledge: Knowledge) -> Iterator[Code]:
    """Codes of the results that the rows of a drug's doses or the findings look at, and of tests
    related to them.

    Not every EHR files a result as laboratory or vital sign, and some file it as nothing.
    """
    rows = [
        row
        for tables in knowledge.drugs.values()
        for table in (tables.dose_changes, tables.populations)
        for row in table or ()
    ]
    facts = {fact for row in rows for rule in row.rules.values() for fact in rule.facts_named}
    facts |= {
        telling.result for concept in knowledge.concepts.values() for telling in concept.told_by
    }
    for name in sorted({knowledge.fact_list.analytes.get(fact, "") for fact in facts} - {""}):
        yield from knowledge.codes.analytes[name].codes
        for test in knowledge.codes.related_tests.get(name, ()):
            yield from test.codes


def _written(codes: Iterable[Code]) -> list[tuple[str, str]]:
    """Codes as a server knows them, which may spell a system otherwise than we compare it."""
    return sorted(code.as_written for code in codes if code.verified)
