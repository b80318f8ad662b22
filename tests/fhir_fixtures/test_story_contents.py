"""The clinical turning points of the stories, read back from the files."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_fixtures import REFERENCE_DATE, load_story, story_names

LOINC_ALT, LOINC_CPK = "1742-6", "2157-6"
BILIRUBIN = ("1975-2", "14631-6")


def resources(name: str, resource_type: str) -> list[dict[str, Any]]:
    return [
        entry["resource"]
        for entry in load_story(name).bundle["entry"]
        if entry["resource"]["resourceType"] == resource_type
    ]


def coded(concept: dict[str, Any]) -> set[str]:
    return {found["code"] for found in concept.get("coding", [])}


def observations(name: str, *codes: str) -> list[dict[str, Any]]:
    """Final observations with one of the codes, oldest first."""
    found = [
        item
        for item in resources(name, "Observation")
        if item["status"] == "final" and coded(item["code"]) & set(codes)
    ]
    return sorted(found, key=lambda item: str(item["effectiveDateTime"]))


def multiple(observation: dict[str, Any]) -> float:
    """The value as a multiple of the upper limit sent with it."""
    limit = observation["referenceRange"][0]["high"]
    assert limit["code"] == observation["valueQuantity"]["code"]
    return float(observation["valueQuantity"]["value"] / limit["value"])


def days_old(observation: dict[str, Any]) -> int:
    return (REFERENCE_DATE - date.fromisoformat(observation["effectiveDateTime"][:10])).days


def refuted(name: str) -> set[str]:
    return {
        condition["code"]["text"]
        for condition in resources(name, "Condition")
        if coded(condition["verificationStatus"]) == {"refuted"}
    }


@pytest.mark.parametrize(
    ("name", "alt", "bilirubin"),
    [
        ("alectinib-alt-six-times", 6.2, 0.67),
        ("alectinib-hepatitis-with-jaundice", 4.0, 2.5),
        ("alectinib-recovered-liver", 1.4, 0.5),
    ],
)
def test_the_latest_liver_values_are_the_multiples_the_story_tells(
    name: str, alt: float, bilirubin: float
) -> None:
    assert multiple(observations(name, LOINC_ALT)[-1]) == pytest.approx(alt, abs=0.03)
    assert multiple(observations(name, *BILIRUBIN)[-1]) == pytest.approx(bilirubin, abs=0.06)
    assert {"Cholestasis", "Haemolysis"} <= refuted(name)


def test_alt_six_times_was_measured_eight_days_ago() -> None:
    assert days_old(observations("alectinib-alt-six-times", LOINC_ALT)[-1]) == 8


def test_the_recovered_liver_was_at_seven_times_five_weeks_ago_and_the_drug_is_on_hold() -> None:
    name = "alectinib-recovered-liver"
    peak = max(observations(name, LOINC_ALT), key=multiple)
    assert (round(multiple(peak), 1), days_old(peak)) == (7.0, 35)
    assert [order["status"] for order in resources(name, "MedicationRequest")] == ["on-hold"]


def test_bilirubin_is_three_months_old_where_it_is_missing() -> None:
    name = "alectinib-alt-without-bilirubin"
    assert multiple(observations(name, LOINC_ALT)[-1]) == pytest.approx(6.0, abs=0.03)
    assert days_old(observations(name, *BILIRUBIN)[-1]) >= 84


def test_creatine_kinase_rose_twice_with_a_recovery_between() -> None:
    over = [
        (round(multiple(item)), days_old(item))
        for item in observations("alectinib-creatine-kinase-second-episode", LOINC_CPK)
        if multiple(item) > 5
    ]
    assert over == [(7, 249), (8, 5)]
    between = [
        multiple(item)
        for item in observations("alectinib-creatine-kinase-second-episode", LOINC_CPK)
        if 5 < days_old(item) < 220
    ]
    assert between
    assert max(between) <= 1.2


def test_the_first_creatine_kinase_episode_was_in_march() -> None:
    episodes = [
        item["effectiveDateTime"][:7]
        for item in observations("alectinib-creatine-kinase-second-episode", LOINC_CPK)
        if multiple(item) > 5
    ]
    assert episodes == ["2026-03", "2026-11"]


def test_everything_is_normal_and_recent_on_track() -> None:
    name = "alectinib-on-track"
    for codes in ((LOINC_ALT,), ("1920-8",), BILIRUBIN, (LOINC_CPK,), ("2160-0",)):
        values = observations(name, *codes)
        assert all(multiple(item) <= 1 for item in values)
        assert days_old(values[-1]) == 7
    assert all(60 <= item["valueQuantity"]["value"] <= 100 for item in observations(name, "8867-4"))
    assert len(resources(name, "Observation")) > 200


def test_a_withdrawn_and_a_cancelled_result_lie_in_wait_on_track() -> None:
    statuses = {item["status"] for item in resources("alectinib-on-track", "Observation")}
    assert {"entered-in-error", "cancelled"} <= statuses


def test_monitoring_is_overdue_since_five_weeks_and_creatine_kinase_since_the_start() -> None:
    name = "alectinib-monitoring-overdue"
    (order,) = resources(name, "MedicationRequest")
    assert order["authoredOn"][:10] == "2026-10-02"
    assert days_old(observations(name, LOINC_ALT)[-1]) == 35
    newest = observations(name, LOINC_CPK)[-1]
    assert newest["effectiveDateTime"] < order["authoredOn"]
    dose = order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    assert (dose["value"], dose["code"]) == (4, "{capsule}")


def test_the_unreadable_liver_values_have_no_range_and_no_unit_code() -> None:
    name = "alectinib-no-reference-range"
    alt = observations(name, LOINC_ALT)[-1]
    bilirubin = observations(name, *BILIRUBIN)[-1]
    assert alt["valueQuantity"]["value"] == 310
    assert "referenceRange" not in alt
    assert bilirubin["valueQuantity"] == {"value": 1.4, "unit": "units"}


def test_the_alk_level_is_an_enzyme_value_without_a_standard_code() -> None:
    name = "alk-level-is-alkaline-phosphatase"
    level = [
        item for item in resources(name, "Observation") if item["code"].get("text") == "ALK level"
    ]
    assert [item["valueQuantity"]["value"] for item in level] == [205, 214]
    assert all("http://loinc.org" not in str(item["code"]) for item in level)
    codes = {code for item in resources(name, "Condition") for code in coded(item["code"])}
    assert not any(code.startswith("C34") for code in codes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alk-equivocal-stain", "5A4 laboratory-developed"),
        ("first-line-brain-metastases", "D5F3 CDx"),
        ("hepatocellular-alk-stain", "5A4 laboratory-developed"),
    ],
)
def test_stains_name_their_clone(name: str, text: str) -> None:
    (stain,) = observations(name, "47303-3")
    assert stain["method"] == {"text": text}
    assert stain["specimen"]["display"].startswith("tumour tissue")


def test_the_discordant_results_disagree_on_the_same_biopsy() -> None:
    (stain,) = observations("alk-discordant-results", "47303-3")
    (fish,) = observations("alk-discordant-results", "78205-2")
    assert coded(stain["valueCodeableConcept"]) == {"10828004"}
    assert coded(fish["valueCodeableConcept"]) == {"260385009"}
    assert stain["specimen"] == fish["specimen"]


def test_a_pending_test_has_no_value_and_an_active_order() -> None:
    name = "alk-pending-immunotherapy-ordered"
    pending = [item for item in resources(name, "Observation") if item["status"] == "registered"]
    assert len(pending) == 1
    assert "valueCodeableConcept" not in pending[0]
    (order,) = resources(name, "ServiceRequest")
    assert order["status"] == "active"


def test_nobody_with_only_a_mutation_or_a_gain_has_a_fusion() -> None:
    for name in ("alk-point-mutation-only", "alk-amplification-only"):
        for variant in observations(name, "69548-6"):
            genes = [
                code
                for part in variant["component"]
                if coded(part["code"]) == {"48018-6"}
                for code in coded(part["valueCodeableConcept"])
            ]
            present = coded(variant["valueCodeableConcept"]) == {"LA9633-4"}
            assert not (present and len(genes) > 1)


def test_medicines_come_in_all_the_shapes_record_systems_use() -> None:
    orders = [order for name in story_names() for order in resources(name, "MedicationRequest")]
    assert any("medicationCodeableConcept" in order for order in orders)
    assert any(
        order.get("medicationReference", {}).get("reference") == "#medicine" for order in orders
    )
    assert any("Medication/" in str(order.get("medicationReference")) for order in orders)
    assert any(order.get("reportedBoolean") for order in orders)
    assert {order["status"] for order in orders} == {
        "active",
        "completed",
        "on-hold",
        "stopped",
    }


def test_nothing_about_cancer_is_in_the_chart_without_cancer() -> None:
    text = str(load_story("no-lung-cancer").bundle).lower().replace("no-lung-cancer", "")
    assert not any(word in text for word in ("cancer", "alk ", "neoplasm", "tinib", "c34"))


def test_the_almost_empty_chart_holds_one_code_only() -> None:
    (condition,) = resources("chart-almost-empty", "Condition")
    assert coded(condition["code"]) == {"C34.91"}
    assert set(condition) == {"resourceType", "id", "code", "subject"}
    assert resources("chart-almost-empty", "Observation") == []


def test_surgery_comes_after_the_diagnosis_and_before_the_pathology() -> None:
    for name, size in (("adjuvant-after-resection", 4.5), ("adjuvant-small-tumour", 2.0)):
        (operation,) = resources(name, "Procedure")
        (pathology,) = observations(name, "21889-1")
        cancer = next(
            item for item in resources(name, "Condition") if "254637007" in coded(item["code"])
        )
        assert cancer["onsetDateTime"] < operation["performedDateTime"]
        assert operation["performedDateTime"] < pathology["effectiveDateTime"]
        assert pathology["component"][0]["valueQuantity"]["value"] == size


def test_a_value_is_abnormal_only_where_its_story_says_so() -> None:
    told = {
        "alectinib-alt-six-times",
        "alectinib-hepatitis-with-jaundice",
        "alectinib-alt-without-bilirubin",
        "alectinib-creatine-kinase-second-episode",
        "alectinib-recovered-liver",
        "alectinib-severe-cirrhosis",
        "alk-level-is-alkaline-phosphatase",
        "hepatocellular-alk-stain",
        "lorlatinib-triglycerides",
        "ceritinib-liver-and-glucose",
    }
    flagged = {
        name
        for name in story_names()
        for item in resources(name, "Observation")
        if item["status"] == "final"
        for flag in item.get("interpretation", [])
        if coded(flag) & {"H", "L"}
    }
    assert flagged == told


def test_upper_limits_differ_between_laboratories() -> None:
    limits = {
        item["referenceRange"][0]["high"]["value"]
        for name in story_names()
        for item in observations(name, LOINC_ALT)
        if "referenceRange" in item
    }
    assert limits == {40, 41, 55}
