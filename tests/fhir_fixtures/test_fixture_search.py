"""Searching the fixture FHIR server over a real HTTP port."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from fhir_fixtures import story_names
from fhir_fixtures.search import interval
from tests.fhir_fixtures.served import ALT, ON_TRACK, TIMEOUT, link, matches, refused, search

pytestmark = pytest.mark.deep


@pytest.mark.parametrize("parameter", ["patient", "subject"])
@pytest.mark.parametrize("value", [ON_TRACK, f"Patient/{ON_TRACK}"])
def test_results_are_found_by_patient(base: str, parameter: str, value: str) -> None:
    found = search(f"{base}/Observation", {parameter: value, "code": ALT})
    assert found["total"] > 30
    assert {item["subject"]["reference"] for item in matches(found)} == {f"Patient/{ON_TRACK}"}


def test_a_patient_id_that_is_only_the_end_of_another_finds_nothing(base: str) -> None:
    assert search(f"{base}/Observation", {"patient": "on-track-patient"})["total"] == 0


def test_an_empty_page_has_a_total_of_zero_and_no_entry(base: str) -> None:
    found = search(f"{base}/MedicationStatement", {"patient": ON_TRACK})
    assert found["total"] == 0
    assert "entry" not in found


def test_a_resource_is_found_by_id(base: str) -> None:
    found = search(f"{base}/Patient", {"_id": f"{ON_TRACK},no-lung-cancer-patient"})
    assert {item["id"] for item in matches(found)} == {ON_TRACK, "no-lung-cancer-patient"}
    assert found["entry"][0]["fullUrl"].startswith(f"{base}/Patient/")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (ALT, True),
        ("1742-6", True),
        ("http://loinc.org|", True),
        ("|1742-6", False),
        ("http://snomed.info/sct|1742-6", False),
        ("http://loinc.org|0000-0,1742-6", True),
        ("http://loinc.org|0000-0", False),
    ],
)
def test_codes_are_found_with_and_without_system(base: str, code: str, found: bool) -> None:
    total = search(f"{base}/Observation", {"patient": ON_TRACK, "code": code})["total"]
    assert (total > 0) is found


def test_a_comma_list_is_any_and_a_repeated_parameter_is_all(base: str) -> None:
    url = f"{base}/Observation"
    either = search(url, [("patient", ON_TRACK), ("code", "1742-6,1920-8")])["total"]
    alone = [
        search(url, [("patient", ON_TRACK), ("code", one)])["total"] for one in ("1742-6", "1920-8")
    ]
    both = search(url, [("patient", ON_TRACK), ("code", "1742-6"), ("code", "1920-8")])["total"]
    assert either == sum(alone)
    assert both == 0


def test_components_are_found_by_combo_code_only(base: str) -> None:
    url = f"{base}/Observation"
    assert search(url, {"patient": ON_TRACK, "code": "8480-6"})["total"] == 0
    assert search(url, {"patient": ON_TRACK, "combo-code": "8480-6"})["total"] > 10


def test_medicines_are_found_by_code(base: str) -> None:
    found = search(f"{base}/MedicationRequest", {"patient": ON_TRACK, "code": "1727479"})
    assert found["total"] == 2


def test_category_and_status_narrow_a_search(base: str) -> None:
    url = f"{base}/Observation"
    vitals = search(url, {"patient": ON_TRACK, "category": "vital-signs"})
    assert {item["category"][0]["coding"][0]["code"] for item in matches(vitals)} == {"vital-signs"}
    withdrawn = search(url, {"patient": ON_TRACK, "status": "entered-in-error"})
    assert [item["valueQuantity"]["value"] for item in matches(withdrawn)] == [990]


def test_clinical_and_verification_status_narrow_conditions(base: str) -> None:
    url = f"{base}/Condition"
    patient = "first-line-choice-patient"
    active = search(url, {"patient": patient, "clinical-status": "active"})
    assert {item["clinicalStatus"]["coding"][0]["code"] for item in matches(active)} == {"active"}
    refuted = search(url, {"patient": patient, "verification-status": "refuted"})
    assert [item["id"] for item in matches(refuted)] == ["first-line-choice-no-brain-metastases"]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2026-11-12"], 1),
        (["eq2026-11-12"], 1),
        (["2026-11"], 1),
        (["gt2026-11-12"], 0),
        (["ge2026-11-12"], 1),
        (["sa2026-11-11"], 1),
        (["ge2026-10-01", "lt2026-11-12"], 2),
        (["ge2026-10-01", "le2026-11-12"], 3),
        (["eb2023"], 0),
        (["ge2026-11-12T15:10:00Z"], 1),
        (["ge2026-11-12T15:10:01Z"], 0),
        (["2026-11-12T08:10:00-07:00"], 1),
    ],
)
def test_dates_compare_with_prefixes_and_precision(
    base: str, dates: list[str], expected: int
) -> None:
    params = [("patient", "alectinib-alt-six-times-patient"), ("code", ALT)]
    params += [("date", value) for value in dates]
    assert search(f"{base}/Observation", params)["total"] == expected


def test_a_date_that_excludes_one_day_keeps_the_others(base: str) -> None:
    params = {"patient": "alectinib-alt-six-times-patient", "code": ALT}
    every = search(f"{base}/Observation", params)["total"]
    others = search(f"{base}/Observation", {**params, "date": "ne2026-11-12"})["total"]
    assert others == every - 1


def test_orders_are_found_by_their_own_date_parameter(base: str) -> None:
    params = {"patient": ON_TRACK, "authoredon": "ge2026-01-01"}
    assert search(f"{base}/MedicationRequest", params)["total"] == 1


def test_results_sort_by_date_both_ways(base: str) -> None:
    params = {"patient": "alectinib-alt-six-times-patient", "code": ALT}
    up = [
        item["effectiveDateTime"]
        for item in matches(search(f"{base}/Observation", {**params, "_sort": "date"}))
    ]
    down = [
        item["effectiveDateTime"]
        for item in matches(search(f"{base}/Observation", {**params, "_sort": "-date"}))
    ]
    assert up == sorted(up)
    assert down == up[::-1]
    assert len(set(up)) > 5


def test_resources_without_the_sorted_date_come_last(base: str) -> None:
    found = search(f"{base}/Condition", {"_sort": "-onset-date", "_count": "200"})
    dated = ["onsetDateTime" in item for item in matches(found)]
    assert dated == sorted(dated, reverse=True)
    assert not all(dated)


def test_sorting_by_something_else_is_ignored_loudly(base: str) -> None:
    found = search(f"{base}/Observation", {"patient": ON_TRACK, "_sort": "_lastUpdated"})
    (outcome,) = matches(found, "outcome")
    assert outcome["issue"][0]["severity"] == "warning"
    assert "_lastUpdated" in outcome["issue"][0]["diagnostics"]


def test_pages_of_fifty_follow_each_other_without_loss_or_repetition(base: str) -> None:
    url: str | None = f"{base}/Observation?patient={ON_TRACK}&_sort=-date"
    ids: list[str] = []
    pages = 0
    while url:
        page = search(url)
        ids += [item["id"] for item in matches(page)]
        assert link(page, "self") == url
        assert (link(page, "previous") is None) == (pages == 0)
        url = link(page, "next")
        pages += 1
        assert len(matches(page)) == 50 or url is None
    assert pages > 4
    assert len(ids) == len(set(ids)) == page["total"]


def test_every_patient_is_on_the_first_page_for_clients_that_show_no_other(base: str) -> None:
    found = search(f"{base}/Patient")
    assert len(matches(found)) == found["total"] == len(story_names())
    assert link(found, "next") is None


def test_a_page_size_of_the_callers_choice_is_kept_on_later_pages(base: str) -> None:
    first = search(f"{base}/Observation", {"patient": ON_TRACK, "_count": "7"})
    following = link(first, "next")
    assert following is not None
    assert len(matches(first)) == len(matches(search(following))) == 7


def test_a_page_is_never_larger_than_two_hundred(base: str) -> None:
    assert len(matches(search(f"{base}/Observation", {"_count": "5000"}))) == 200


def test_a_count_of_zero_gives_the_total_only(base: str) -> None:
    found = search(f"{base}/Observation", {"patient": ON_TRACK, "_count": "0"})
    assert found["total"] > 200
    assert "entry" not in found
    assert link(found, "next") is None


def test_searching_by_post_finds_the_same(base: str) -> None:
    params = {"patient": ON_TRACK, "code": ALT, "_count": "5"}
    answer = requests.post(f"{base}/Observation/_search", data=params, timeout=TIMEOUT)
    assert answer.json() == search(f"{base}/Observation", params)


def test_a_referenced_medicine_is_included_on_request(base: str) -> None:
    params = {
        "patient": "alectinib-pneumonitis-patient",
        "_include": "MedicationRequest:medication",
    }
    found = search(f"{base}/MedicationRequest", params)
    assert found["total"] == 1
    (included,) = matches(found, "include")
    assert included["id"] == "alectinib-pneumonitis-alectinib-product"


def test_a_contained_medicine_is_not_included_twice(base: str) -> None:
    params = {
        "patient": "alectinib-alt-without-bilirubin-patient",
        "_include": "MedicationRequest:medication",
    }
    assert matches(search(f"{base}/MedicationRequest", params), "include") == []


def test_an_include_that_is_not_known_is_ignored_loudly(base: str) -> None:
    found = search(f"{base}/Condition", {"patient": ON_TRACK, "_include": "Condition:asserter"})
    assert len(matches(found, "outcome")) == 1


def test_an_unknown_parameter_is_ignored_with_a_warning_and_left_out_of_the_self_link(
    base: str,
) -> None:
    found = search(f"{base}/Condition", {"patient": ON_TRACK, "favourite-colour": "blue"})
    (outcome,) = matches(found, "outcome")
    assert outcome["issue"][0]["severity"] == "warning"
    assert found["total"] == len(matches(found)) > 0
    assert link(found, "self") == f"{base}/Condition?patient={ON_TRACK}"


@pytest.mark.parametrize(
    "params",
    [
        {"date": "yesterday"},
        {"date": "2026-13-01"},
        {"date": "xx2026"},
        {"_count": "many"},
        {"_count": "-1"},
        {"code:in": "some-set"},
        {"code": ""},
        {"patient": ""},
        {"_offset": "third"},
    ],
    ids=str,
)
def test_a_parameter_that_cannot_be_read_is_a_400_outcome(
    base: str, params: dict[str, str]
) -> None:
    answer = requests.get(f"{base}/Observation", params=params, timeout=TIMEOUT)
    said = refused(answer, 400)
    name, value = next(iter(params.items()))
    assert name.partition(":")[0] in said
    assert not value or value not in said


def test_a_reference_may_name_its_type_in_a_modifier(base: str) -> None:
    params = {"subject:Patient": ON_TRACK, "code": ALT}
    assert search(f"{base}/Observation", params)["total"] > 30


def test_a_patient_is_found_by_identifier(base: str) -> None:
    url = f"{base}/Patient"
    number = "FIXTURE-no-lung-cancer"
    for value, total in (
        (number, 1),
        (f"http://hospital.example.org/patients|{number}", 1),
        (f"http://elsewhere.example|{number}", 0),
    ):
        assert search(url, {"identifier": value})["total"] == total


def test_times_without_seconds_or_zone_and_whole_years_are_understood(base: str) -> None:
    params = {"patient": "alectinib-alt-six-times-patient", "code": ALT}
    url = f"{base}/Observation"
    assert search(url, {**params, "date": "2026-11-12T15:10"})["total"] == 1
    assert search(url, {**params, "date": "2026-11-12T15:11"})["total"] == 0
    assert search(url, {**params, "date": "2024"})["total"] == 2


def test_a_month_ends_where_the_next_one_begins() -> None:
    december = interval("2026-12")
    assert december == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert interval("2026-02")[1] == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "ge2026", "2026-1-1"])
def test_what_is_no_date_covers_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="not a FHIR date"):
        interval(text)
