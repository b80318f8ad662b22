"""What ALK results of several methods, answers and days say together: a truth table."""

from __future__ import annotations

import re
from datetime import date

import pytest

from cds_service.facts.alk_evidence import weigh
from cds_service.facts.alk_status import AlkResult
from cds_service.rules import Events
from tests.facts.records import (
    AS_OF,
    Json,
    alk_test,
    coded,
    condition,
    facts_of,
    knowledge,
    laboratory,
    observation,
    resource,
    stated,
    table,
)

_RESULT = re.compile(r"(\w+)@(-?\d+|none):([^(]+)(?:\((.+)\))?")
ROWS = table("alk_status.tsv")


def _results(text: str) -> list[Json]:
    found = []
    for part in filter(None, text.split(";")):
        match = _RESULT.fullmatch(part)
        assert match is not None, part
        method, days, answer, status = match.groups()
        ago = None if days == "none" else int(days)
        found.append(alk_test(method, answer, ago, status or "final"))
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["says"])
def test_results_together_have_one_status(row: dict[str, str]) -> None:
    facts = facts_of(*_results(row["results"]))
    assert (stated(facts, "ALK") or "", stated(facts, "ALK assay") or "") == (
        row["status"],
        row["assay"],
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["says"])
def test_the_order_of_the_resources_does_not_matter(row: dict[str, str]) -> None:
    results = _results(row["results"])
    one, other = facts_of(*results), facts_of(*reversed(results))
    for name in ("ALK", "ALK assay"):
        assert stated(one, name) == stated(other, name)


def test_a_preliminary_answer_counts_as_pending_when_it_has_none() -> None:
    waiting = alk_test("FISH", "pending", 5)
    assert stated(facts_of({**waiting, "status": "preliminary"}), "ALK") == "pending"


def test_an_alk_variant_of_a_single_gene_is_no_fusion() -> None:
    single = alk_test("RNA", "positive", 20)
    single["component"] = single["component"][1:]
    assert stated(facts_of(single), "ALK") == "equivocal"


def test_a_variant_of_other_genes_says_nothing_about_alk() -> None:
    other = alk_test("RNA", "positive", 20)
    other["component"] = other["component"][:1]
    assert stated(facts_of(other), "ALK") is None


def test_a_fusion_named_by_one_code_of_two_genes_is_one() -> None:
    fused = alk_test("RNA", "positive", 20)
    fused["component"] = [
        {
            "code": coded("component gene fusion transcript"),
            "valueCodeableConcept": {
                "coding": [{"system": "http://www.genenames.org", "code": "HGNC:1316::HGNC:427"}]
            },
        }
    ]
    assert stated(facts_of(fused), "ALK") == "confirmed"


def test_another_patients_result_is_not_used() -> None:
    foreign = alk_test("FISH", "positive", 20)
    foreign["subject"] = {"reference": "Patient/somebody-else"}
    assert stated(facts_of(foreign), "ALK") is None


def test_the_days_of_results_are_those_of_answers() -> None:
    facts = facts_of(
        alk_test("FISH", "failed", 60),
        alk_test("D5F3", "negative", 40),
        alk_test("RNA", "pending", 2),
    )
    found = facts.find("ALK result")
    assert isinstance(found, Events)
    assert [(facts.as_of - item.day).days for item in found.events] == [40]


@pytest.mark.parametrize(
    ("code", "more", "expected"),
    [
        ("ALK-positive non-small cell lung cancer", {}, "equivocal"),
        ("ALK-negative non-small cell lung cancer", {}, "negative"),
        ("ALK-positive non-small cell lung cancer", {"verification": "refuted"}, None),
    ],
)
def test_a_diagnosis_code_alone_never_confirms(
    code: str, more: dict[str, str], expected: str | None
) -> None:
    assert stated(facts_of(condition(code, **more)), "ALK") == expected


def test_a_report_leads_over_a_diagnosis_code() -> None:
    coded_negative = condition("ALK-negative non-small cell lung cancer")
    assert stated(facts_of(coded_negative, alk_test("FISH", "positive", 9)), "ALK") == "confirmed"


def _named(text: str, unit: str, **more: object) -> Json:
    body = {
        "status": "final",
        "code": {"text": text},
        "effectiveDateTime": "2026-11-10",
        "valueQuantity": {"value": 214, "unit": unit},
        **more,
    }
    return resource("Observation", body)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("ALK level", "U/L", "present"),
        ("ALK", "IU/L", "present"),
        ("Anaplastic lymphoma kinase", "ukat/L", "present"),
        ("ALK PHOS", "U/L", None),
        ("ALK-P", "U/L", None),
        ("Alkaline phosphatase", "U/L", None),
        ("ALK rearranged cells", "%", None),
        ("WALKING test", "U/L", None),
    ],
)
def test_an_enzyme_named_alk_is_reported_and_never_an_alk_result(
    text: str, unit: str, expected: str | None
) -> None:
    facts = facts_of(_named(text, unit))
    assert stated(facts, "serum ALK level") == expected
    assert stated(facts, "ALK") is None


def test_a_future_enzyme_result_does_not_hide_an_earlier_one() -> None:
    later = _named("ALK level", "U/L", effectiveDateTime="2026-11-25")
    assert stated(facts_of(later), "serum ALK level") is None
    assert stated(facts_of(later, _named("ALK level", "U/L")), "serum ALK level") == "present"


def test_alkaline_phosphatase_by_its_code_is_only_that() -> None:
    facts = facts_of(laboratory("ALP", 214))
    assert stated(facts, "serum ALK level") is None
    assert facts.find("ALP") is not None


def test_a_stain_of_the_antibody_named_in_a_coding_is_recognised() -> None:
    stain = observation(
        "ALK test by immunohistochemistry",
        20,
        valueCodeableConcept=coded("answer positive"),
        method={"coding": [{"display": "Ventana ALK (D5F3) CDx Assay"}]},
    )
    assert stated(facts_of(stain), "ALK") == "confirmed"


def test_a_negative_test_on_treatment_does_not_take_back_the_positive_one_before() -> None:
    before = AlkResult("FISH", "positive", "fusion", date(2025, 1, 10), "", "Observation/1")
    after = AlkResult("FISH", "negative", "fusion", date(2026, 3, 1), "", "Observation/2")
    found = weigh([after, before], knowledge(), AS_OF, date(2025, 2, 1))
    assert found.status is not None
    assert (found.status.statements[0].value, found.leading) == ("confirmed", before)


def test_a_negative_test_before_treatment_still_contradicts() -> None:
    before = AlkResult("FISH", "positive", "fusion", date(2025, 1, 10), "", "Observation/1")
    also = AlkResult("FISH", "negative", "fusion", date(2025, 1, 20), "", "Observation/2")
    found = weigh([also, before], knowledge(), AS_OF, date(2025, 2, 1))
    assert found.status is not None
    assert found.status.statements[0].value == "discordant"
