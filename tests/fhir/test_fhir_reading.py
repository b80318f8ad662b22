from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cds_service.fhir.read_result import UNREADABLE_LINK, Dropped, DropReason, ReadResult, Shortfall
from cds_service.fhir.reading import merged, read_resource, read_resources
from cds_service.fhir.views import (
    Condition,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Patient,
)


def read(value: Any) -> ReadResult:
    return read_resources(json.dumps(value).encode())


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}


ALT = {"resourceType": "Observation", "id": "alt", "status": "final"}


def test_nothing_sent_is_not_the_same_as_nothing_found() -> None:
    for absent in (None, b"null", b"", b"  "):
        result = read_resources(absent)
        assert not result.given
        assert not result.matched_none
        assert not result.complete


@pytest.mark.parametrize("entries", [{}, {"entry": []}, {"entry": None}])
def test_an_empty_bundle_says_that_nothing_matched(entries: dict[str, Any]) -> None:
    result = read({"resourceType": "Bundle", "type": "searchset", **entries})
    assert result.given
    assert result.matched_none
    assert result.complete


def test_a_single_resource_is_read_without_a_bundle() -> None:
    result = read({"resourceType": "Patient", "id": "p", "gender": "female", "name": [{}]})
    assert result.resources == (Patient(id="p", gender="female"),)
    assert not result.matched_none


def test_a_bundle_a_mapping_and_raw_bytes_read_alike() -> None:
    value = bundle(ALT)
    text = json.dumps(value).encode()
    assert read_resources(value) == read_resources(text) == read_resources(msgspec.Raw(text))
    assert read_resources(text).resources == (Observation(id="alt", status="final"),)


def test_decimals_of_a_mapping_keep_their_digits() -> None:
    result = read_resources({**ALT, "valueQuantity": {"value": Decimal("3.30")}})
    (observation,) = result.resources
    assert isinstance(observation, Observation)
    assert observation.value_quantity is not None
    assert str(observation.value_quantity.number) == "3.30"


def test_a_mapping_that_is_not_json_is_reported() -> None:
    assert read_resources({"resourceType": object()}).dropped[0].why == DropReason.NOT_JSON


def test_a_byte_order_mark_does_no_harm() -> None:
    text = b"\xef\xbb\xbf" + json.dumps(bundle(ALT)).encode()
    assert len(read_resources(text).resources) == 1


def test_an_operation_outcome_in_place_of_data_is_not_no_data() -> None:
    secret = "Jane Doe not found"
    result = read(
        {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": " Error ", "code": "forbidden", "diagnostics": secret}],
        }
    )
    assert [(outcome.severity, outcome.code) for outcome in result.outcomes] == [
        ("error", "forbidden")
    ]
    assert not result.matched_none
    assert not result.complete
    assert secret not in repr(result)


def test_an_outcome_without_an_issue_counts_as_an_error() -> None:
    assert read({"resourceType": "OperationOutcome"}).outcomes[0].serious


def hint(severity: str, code: str) -> dict[str, Any]:
    issue = {"severity": severity, "code": code}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@pytest.mark.parametrize(
    ("severity", "code"),
    [("warning", "not-found"), ("warning", "informational"), ("information", "suppressed")],
)
def test_a_hint_that_nothing_was_found_leaves_an_empty_result_complete(
    severity: str, code: str
) -> None:
    result = read(bundle(hint(severity, code), total=0))
    assert result.matched_none
    assert result.complete
    assert result.outcomes[0].severity == severity


@pytest.mark.parametrize("resources", [[], [ALT]])
@pytest.mark.parametrize(
    ("severity", "code"), [("warning", "processing"), ("warning", "suppressed"), ("grave", "x")]
)
def test_any_other_warning_leaves_open_what_is_missing(
    severity: str, code: str, resources: list[Any]
) -> None:
    result = read(bundle(*resources, hint(severity, code)))
    assert result.shortfall is Shortfall.OUTCOME
    assert not result.matched_none


@pytest.mark.parametrize(
    "link",
    [
        [{"relation": "next"}],
        [{"relation": " Next", "url": ""}],
        [{"relation": "next", "url": 7}],
        [{"relation": "self", "url": "https://x/1"}, {"relation": ["next"]}],
        "next: https://x/2",
        {"relation": "next", "url": "https://x/2"},
        5,
    ],
)
def test_a_next_page_whose_address_cannot_be_read_is_still_a_next_page(link: Any) -> None:
    for resources in ([], [ALT]):
        result = read(bundle(*resources, link=link))
        assert len(result.resources) == len(resources)
        assert result.next_link == UNREADABLE_LINK
        assert result.shortfall is Shortfall.MORE_PAGES
        assert not result.matched_none


@pytest.mark.parametrize("bundle_type", [None, "batch-response", "history", 7])
def test_only_a_search_or_a_collection_can_say_that_there_is_nothing(bundle_type: Any) -> None:
    result = read({"resourceType": "Bundle", "type": bundle_type})
    assert result.shortfall is Shortfall.NO_ANSWER


@pytest.mark.parametrize("total", ["3", {"count": 3}, 2.5, True])
def test_an_empty_result_with_a_count_that_is_not_none_says_nothing(total: Any) -> None:
    assert not read(bundle(total=total)).complete


def test_an_error_entry_beside_an_empty_result_makes_it_incomplete() -> None:
    error = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}
    result = read(bundle(error))
    assert not result.matched_none
    assert not result.complete


def test_a_next_link_makes_a_page_incomplete() -> None:
    link = [{"relation": "self", "url": "https://x/1"}, {"relation": "next", "url": "https://x/2"}]
    result = read(bundle(ALT, link=link))
    assert result.next_link == "https://x/2"
    assert not result.complete
    assert not read(bundle(link=link)).matched_none


@pytest.mark.parametrize("total", [0, 1, None, "1", 7.5, True, {}])
def test_a_total_that_is_no_larger_or_no_number_changes_nothing(total: Any) -> None:
    result = read(bundle(ALT, total=total))
    assert result.resources
    assert result.complete


@pytest.mark.parametrize("total", [2, "2"])
@pytest.mark.parametrize("resources", [[], [ALT], [None], ["text"]])
def test_fewer_results_than_counted_and_no_next_link_are_not_the_whole(
    resources: list[Any], total: Any
) -> None:
    result = read(bundle(*resources, total=total))
    assert result.cut_short
    assert not result.complete
    assert not result.matched_none


def test_a_server_that_goes_on_has_not_cut_short() -> None:
    link = [{"relation": "next", "url": "https://x/2"}]
    first = read(bundle(ALT, total=2, link=link))
    assert not first.cut_short
    whole = merged([first, read(bundle({**ALT, "id": "ast"}, total=2))])
    assert whole.complete
    assert merged([first, read(bundle(total=2))]).cut_short


def test_what_cannot_be_read_still_counts_as_given() -> None:
    result = read(bundle(ALT, {"resourceType": "Basic", "id": "b"}, "text", total=3))
    assert not result.cut_short


@pytest.mark.parametrize("mode", ["include", "outcome"])
def test_what_comes_along_is_no_result(mode: str) -> None:
    value = bundle(ALT, total=2)
    value["entry"].append(
        {"resource": {"resourceType": "Medication", "id": "m"}, "search": {"mode": mode}}
    )
    assert read(value).cut_short


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"resourceType": "MedicationOrder", "id": "m"}, DropReason.OLD_TYPE),
        ({"resourceType": "CarePlan", "id": "m"}, DropReason.TYPE_NOT_READ),
        ({"id": "m"}, DropReason.NO_RESOURCE_TYPE),
        ({"resourceType": 7, "id": "m"}, DropReason.TYPE_NOT_READ),
        ("text", DropReason.NO_RESOURCE_TYPE),
        (None, DropReason.NO_RESOURCE_TYPE),
        ({**ALT, "id": "m", "code": "ALT"}, DropReason.UNREADABLE),
        ({**ALT, "id": "m", "valueQuantity": {"value": [1, 2]}}, DropReason.UNREADABLE),
        ({"resourceType": "Bundle", "id": "m"}, DropReason.NESTED_BUNDLE),
    ],
)
def test_one_odd_resource_never_costs_the_rest(odd: Any, why: DropReason) -> None:
    result = read(bundle(ALT, odd, {**ALT, "id": "ast"}))
    assert [resource.id for resource in result.resources] == ["alt", "ast"]
    (dropped,) = result.dropped
    assert dropped.why == why
    assert dropped.id == ("m" if isinstance(odd, dict) else None)


def test_a_type_that_is_not_read_does_not_make_a_result_incomplete() -> None:
    result = read(bundle(ALT, {"resourceType": "Immunization", "id": "e"}))
    assert result.complete
    assert result.lost == ()
    assert result.dropped == (Dropped("Immunization", "e", DropReason.TYPE_NOT_READ),)


def test_a_dropped_result_makes_it_incomplete() -> None:
    result = read(bundle({**ALT, "code": 5}))
    assert not result.complete
    assert not result.matched_none


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", DropReason.NOT_JSON),
        (b"<html>", DropReason.NOT_JSON),
        (b"[]", DropReason.UNREADABLE),
        (b"7", DropReason.UNREADABLE),
        (b"{}", DropReason.NO_RESOURCE_TYPE),
        (b'{"error":"no access"}', DropReason.NO_RESOURCE_TYPE),
        (b'{"resourceType":"Bundle","entry":{"resource":5}}', DropReason.UNREADABLE),
        (b'{"resourceType":"Bundle","x":' + b"[" * 9000, DropReason.NOT_JSON),
        (b'{"resourceType":"Bundle","link":5,"x":' + b"[" * 9000, DropReason.NOT_JSON),
        (b'{"resourceType":"Bundle","entry":7}', DropReason.UNREADABLE),
        (b'{"resourceType":"Bundle"', DropReason.NOT_JSON),
        (b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"X"}}]', "not JSON"),
        (b'{"resourceType":"Bundle","entry":[7]}', DropReason.UNREADABLE),
        (b'{"resourceType":"bundle"}', DropReason.TYPE_NOT_READ),
    ],
)
def test_what_is_no_fhir_is_reported_and_not_taken_for_no_data(
    text: bytes, why: DropReason
) -> None:
    result = read_resources(text)
    assert [dropped.why for dropped in result.dropped] == [why]
    assert not result.complete
    assert not result.matched_none


def test_objects_where_lists_belong_are_read() -> None:
    (request,) = read(
        bundle(
            {
                "resourceType": "MedicationRequest",
                "id": "m",
                "category": {"text": "outpatient"},
                "dosageInstruction": {
                    "text": "x",
                    "doseAndRate": {"doseQuantity": {"value": 3.30, "unit": "mg"}},
                },
            }
        )
    ).resources
    assert isinstance(request, MedicationRequest)
    assert request.category[0].text == "outpatient"
    dose = request.dosage_instruction[0].dose_and_rate[0].dose_quantity
    assert dose is not None
    assert str(dose.number) == "3.3"


def test_repairing_keeps_the_digits_of_the_numbers() -> None:
    text = b"""{"resourceType":"Observation","id":"x","category":{"text":"laboratory"},
        "valueQuantity":{"value":3.30,"unit":"mg/dL"}}"""
    (observation,) = read_resources(text).resources
    assert isinstance(observation, Observation)
    assert observation.value_quantity is not None
    assert observation.value_quantity.as_sent == "3.30 mg/dL"


def test_lists_and_nulls_where_one_object_belongs_are_read() -> None:
    (observation,) = read(
        bundle({**ALT, "code": [{"text": "ALT"}], "interpretation": None, "method": None})
    ).resources
    assert isinstance(observation, Observation)
    assert observation.code is not None
    assert observation.code.text == "ALT"


def test_a_list_of_two_where_one_object_belongs_is_not_chosen_from() -> None:
    result = read(bundle({**ALT, "code": [{"text": "ALT"}, {"text": "AST"}]}))
    assert result.resources == ()
    assert result.dropped[0].why == DropReason.UNREADABLE


def test_a_code_sent_as_a_number_is_read_as_text() -> None:
    coding = {"system": "http://snomed.info/sct", "code": 254637007}
    (condition,) = read({"resourceType": "Condition", "code": {"coding": [coding]}}).resources
    assert isinstance(condition, Condition)
    assert condition.code is not None
    assert condition.code.coding[0].code == "254637007"


def test_vendor_elements_and_stu3_elements_are_ignored() -> None:
    (request,) = read(
        {
            "resourceType": "MedicationRequest",
            "id": "m",
            "context": {"reference": "Encounter/e"},
            "vendorThing": {"deep": [1, {"x": None}]},
            "dosageInstruction": [{"doseQuantity": {"value": 600, "unit": "mg"}}],
        }
    ).resources
    assert isinstance(request, MedicationRequest)
    assert request.dosage_instruction[0].dose_quantity is not None


def test_very_long_ids_and_underscores_are_kept() -> None:
    name = "e_" + "x" * 200
    assert read({"resourceType": "Observation", "id": name}).resources[0].id == name


def test_status_words_are_kept_as_sent() -> None:
    (observation,) = read({**ALT, "status": "entered-in-error "}).resources
    assert isinstance(observation, Observation)
    assert observation.status == "entered-in-error "


def test_an_r5_medication_is_read() -> None:
    (statement,) = read(
        {
            "resourceType": "MedicationStatement",
            "medication": {"concept": {"text": "alectinib"}},
        }
    ).resources
    assert isinstance(statement, MedicationStatement)
    assert statement.medication is not None
    assert statement.medication.concept is not None
    assert statement.medication.concept.text == "alectinib"


def test_full_urls_lead_to_their_resources() -> None:
    value = bundle()
    value["entry"] = [{"fullUrl": "urn:uuid:1", "resource": ALT}]
    result = read(value)
    assert result.full_urls["urn:uuid:1"] is result.resources[0]


def test_pages_merge_into_one_result() -> None:
    first = read(bundle(ALT, link=[{"relation": "next", "url": "https://x/2"}]))
    second = read(bundle({**ALT, "id": "ast"}))
    both = merged([first, second])
    assert [resource.id for resource in both.resources] == ["alt", "ast"]
    assert both.complete
    assert not both.matched_none


def test_a_contained_resource_that_is_no_json_is_reported() -> None:
    assert read_resource(b'{"resourceType":"Medication"') == Dropped("", None, DropReason.NOT_JSON)


def test_text_where_a_number_belongs_in_a_timing_costs_the_resource() -> None:
    timing = {"repeat": {"frequency": "two", "period": 1}}
    request = {"resourceType": "MedicationRequest", "dosageInstruction": [{"timing": timing}]}
    assert [dropped.why for dropped in read(request).dropped] == [DropReason.UNREADABLE]


def test_a_number_sent_as_text_survives_the_repair() -> None:
    odd = {**ALT, "category": {"text": "x"}, "valueQuantity": {"value": "45.0"}}
    (observation,) = read(odd).resources
    assert isinstance(observation, Observation)
    assert observation.value_quantity is not None
    assert str(observation.value_quantity.number) == "45.0"


def test_no_patient_data_is_in_the_report_of_what_was_dropped() -> None:
    result = read(bundle({**ALT, "code": "Jane Doe", "subject": {"display": "Jane Doe"}}))
    assert "Jane" not in repr(result)


@pytest.mark.parametrize("kind", [["searchset"], {"code": "searchset"}, 3, True])
def test_a_bundle_whose_type_is_no_text_is_read_and_is_no_search(kind: object) -> None:
    entry = {"resource": {"resourceType": "Patient", "id": "p"}}
    found = read_resources(
        json.dumps({"resourceType": "Bundle", "type": kind, "entry": [entry]}).encode()
    )
    empty = read_resources(json.dumps({"resourceType": "Bundle", "type": kind}).encode())

    assert [resource.id for resource in found.resources] == ["p"]
    assert not found.bundled
    assert not empty.matched_none


def test_a_number_that_remembers_its_spelling_is_read_like_any_other() -> None:
    class Spelled(Decimal):
        """As a draft order holds it, so that it can go back as it came."""

    quantity = {"value": Spelled("7.50e2"), "unit": "U/L"}
    sent = {
        "resourceType": "Observation", "id": "alt", "status": "final", "code": {"text": "ALT"},
        "subject": {"reference": "Patient/p"}, "valueQuantity": quantity,
    }  # fmt: skip

    (observation,) = read_resources(sent).resources

    assert isinstance(observation, Observation)
    assert observation.value_quantity is not None
    assert observation.value_quantity.number == 750


@pytest.mark.parametrize("beside", [[], [{"resourceType": "Practitioner", "id": "p"}]])
def test_what_results_of_a_page_repeat_is_one_object_whatever_else_is_on_it(
    beside: list[dict[str, Any]],
) -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "1742-6"}]}
    part = {"code": {"text": "part"}}
    page = bundle(
        *({**ALT, "id": name, "code": code, "component": [part]} for name in "ab"), *beside
    )

    one, other = (item for item in read(page).resources if isinstance(item, Observation))

    assert one.code is not None
    assert one.code is other.code
    assert one.component[0].code is other.component[0].code


def test_a_wrong_shape_of_what_is_shared_costs_the_one_that_sent_it() -> None:
    practitioner = {"resourceType": "Practitioner", "id": "p"}
    wrong = {**ALT, "id": "wrong", "code": 7}

    result = read(bundle(ALT, wrong, {**wrong, "id": "again"}, practitioner))

    assert [item.id for item in result.resources] == ["alt"]
    assert [(item.id, item.why) for item in result.lost] == [
        ("wrong", DropReason.UNREADABLE),
        ("again", DropReason.UNREADABLE),
    ]
