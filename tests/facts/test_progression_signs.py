"""What points to progression although nobody recorded the disease as worse."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.rules import Collection
from tests.facts.records import (
    ALL,
    Json,
    coded,
    condition,
    day,
    facts_of,
    medication,
    observation,
    resource,
    stated,
)

ALECTINIB = "1727479"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
START = medication(code=ALECTINIB, start=300)


def _signs(*resources: Json, drug: Json | None = START, complete: Any = ALL) -> list[str]:
    given = [] if drug is None else [drug]
    found = facts_of(*given, *resources, complete=complete).find("signs of progression")
    assert found is None or isinstance(found, Collection)
    return sorted({name for item in found.items for name in item.names} if found else set())


def _report(value_set: str, ago: int = 20, **more: object) -> Json:
    body = {"status": "final", "code": {"text": "CT"}, "effectiveDateTime": day(ago),
            "conclusionCode": [coded(value_set)], **more}  # fmt: skip
    return resource("DiagnosticReport", body)


def _status(value_set: str, ago: int) -> Json:
    return observation("disease status", ago, valueCodeableConcept=coded(value_set))


NEW_BRAIN = ["new brain metastasis", "new metastasis"]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([condition("brain metastases", 20)], NEW_BRAIN),
        ([condition("other metastases", 20)], ["new metastasis"]),
        ([condition("lymph node metastases", 299)], ["new metastasis"]),
        ([condition("other metastases", 300)], []),
        ([condition("other metastases", 301)], []),
        ([condition("other metastases", None, recorded=20)], ["new metastasis"]),
        ([condition("other metastases", None, recorded=272)], []),
        ([condition("other metastases", None, recorded=271)], ["new metastasis"]),
        ([condition("other metastases", None)], []),
        ([condition("other metastases", -2)], []),
        ([condition("other metastases", 20, verification="refuted")], []),
        ([condition("other metastases", 20, verification="provisional")],
         ["metastasis suspected"]),
        ([condition("brain metastases", 400), condition("brain metastases", 20)], []),
        ([condition("leptomeningeal metastases", 400), condition("brain metastases", 20)], []),
        ([condition("other metastases", 400), condition("other metastases", 20)], []),
        ([_report("brain metastases")], NEW_BRAIN),
        ([_report("disease worsened")], ["report of progression"]),
        ([_report("disease worsened", 301)], []),
        ([_report("disease stable")], []),
        ([_report("disease worsened", status="entered-in-error")], []),
        ([_report("disease worsened", effectiveDateTime=None)], []),
        ([condition("brain metastases", 20), _status("disease stable", 10)], []),
        ([condition("brain metastases", 20), _status("disease worsened", 20)], []),
        ([condition("brain metastases", 20), _status("disease stable", 21)], NEW_BRAIN),
        ([condition("brain metastases", 20), _status("disease status undetermined", 10)],
         NEW_BRAIN),
    ],
)  # fmt: skip
def test_what_began_on_the_drug_and_was_not_answered_is_a_sign(
    resources: list[Json], expected: list[str]
) -> None:
    assert _signs(*resources) == expected


def test_without_a_running_drug_there_is_no_sign() -> None:
    assert _signs(condition("brain metastases", 20), drug=None) == []
    ended = medication(code=ALECTINIB, start=300, status="stopped")
    assert _signs(condition("brain metastases", 20), drug=ended) == []


def test_a_paused_drug_is_still_the_drug_that_may_have_failed() -> None:
    paused = medication(code=ALECTINIB, start=300, status="on-hold")
    assert _signs(condition("brain metastases", 20), drug=paused) == NEW_BRAIN


def test_a_report_of_another_patient_is_no_sign() -> None:
    foreign = {**_report("disease worsened"), "subject": {"reference": "Patient/other"}}
    assert _signs(foreign) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("C79.3", NEW_BRAIN),
        ("C78.7", ["new metastasis"]),
        ("C77.1", ["new metastasis"]),
        ("C78.7 G", ["new metastasis"]),
        ("C78.7 A", []),
        ("D48.9", []),
    ],
)
def test_a_metastasis_of_the_german_edition_is_one(code: str, expected: list[str]) -> None:
    new = condition("other metastases", 20)
    new["code"] = {"coding": [{"system": GM, "code": code}]}
    assert _signs(new) == expected


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (GM, "C34.1", "lung cancer of unknown type"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "C34.9", "lung cancer of unknown type"),
        ("http://hl7.org/fhir/sid/icd-10-am", "C34.1", "lung cancer of unknown type"),
        ("urn:oid:2.16.840.1.113883.6.3", "C34.1", "lung cancer of unknown type"),
        ("urn:oid:2.16.840.1.113883.6.90", "C34.11", "lung cancer of unknown type"),
        (GM, "C34.1 G", "lung cancer of unknown type"),
        (GM, "C34.1+", "lung cancer of unknown type"),
        (GM, "C50.9", "other cancer"),
        ("http://example.org/local", "C34.1", None),
    ],
)
def test_lung_cancer_is_read_in_every_edition(system: str, code: str, expected: str | None) -> None:
    cancer = condition("lung cancer of unknown type", 100)
    cancer["code"] = {"coding": [{"system": system, "code": code}]}
    found = facts_of(cancer).find("cancers")
    assert isinstance(found, Collection)
    assert [next(iter(item.names)) for item in found.items] == ([expected] if expected else [])


def test_a_diagnosis_coded_as_excluded_is_no_cancer() -> None:
    cancer = condition("lung cancer of unknown type", 100)
    cancer["code"] = {"coding": [{"system": GM, "code": "C34.1 A"}]}
    found = facts_of(cancer).find("cancers")
    assert isinstance(found, Collection)
    assert not any("lung cancer of unknown type" in item.names for item in found.items)


def test_the_order_of_the_next_drug_may_say_why_the_one_before_ended() -> None:
    ended = medication(code=ALECTINIB, start=300, status="stopped")
    following = medication(
        text="lorlatinib", start=20, reasonCode=[coded("treatment ended for progression")]
    )
    facts = facts_of(ended, following)
    found = facts.find("ALK inhibitors stopped for progression")
    assert isinstance(found, Collection)
    assert [item.label for item in found.items] == ["alectinib"]
    silent = facts_of(ended, medication(text="lorlatinib", start=20))
    none = silent.find("ALK inhibitors stopped for progression")
    assert isinstance(none, Collection)
    assert none.items == ()


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([condition("ROS1-positive non-small cell lung cancer", 50)], "rearranged"),
        ([condition("ROS1-positive non-small cell lung cancer", 50, verification="refuted")],
         None),
        ([condition("ROS1-positive non-small cell lung cancer", 50, verification="provisional")],
         None),
        ([condition("ROS1-negative non-small cell lung cancer", 50)], "wild type"),
    ],
)  # fmt: skip
def test_ros1_by_diagnosis(resources: list[Json], expected: str | None) -> None:
    assert stated(facts_of(*resources), "ROS1 gene") == expected


def _ros1(answer: str, *genes: str, specimen: str = "tissue") -> Json:
    return observation(
        "genetic variant assessment",
        30,
        valueCodeableConcept=coded(f"answer {answer}"),
        specimen={"display": specimen},
        component=[
            {"code": coded("component gene studied"), "valueCodeableConcept": {
                "coding": [{"system": "http://www.genenames.org/geneId", "code": gene}]}}
            for gene in genes
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (_ros1("positive", "HGNC:1697", "HGNC:10261"), "rearranged"),
        (_ros1("negative", "HGNC:10261"), "wild type"),
        (_ros1("negative", "HGNC:10261", specimen="plasma"), None),
        (_ros1("positive", "HGNC:10261"), "unconfirmed"),
        (_ros1("positive", "HGNC:1316", "HGNC:427"), None),
    ],
)
def test_ros1_by_a_coded_fusion(variant: Json, expected: str | None) -> None:
    assert stated(facts_of(variant), "ROS1 gene") == expected


def test_spine_and_fluid_examinations_are_events_by_code_or_name() -> None:
    puncture = resource("Procedure", {"status": "completed", "performedDateTime": day(9),
                                      "code": coded("CSF examination")})  # fmt: skip
    image = resource("DiagnosticReport", {"status": "final", "effectiveDateTime": day(5),
                                          "code": {"text": "MRI spine with contrast"}})  # fmt: skip
    facts = facts_of(puncture, image)
    assert facts.find("CSF examination") is not None
    assert facts.find("spine imaging") is not None
    assert facts_of().find("spine imaging") is None
