"""What large EHRs and the public sandbox really send, where it is not what the book says.

Ids in the marks are rows of the project's table of deviations; profiles of clients are in
test_client_profiles_at_work.py, requests of the public sandbox among the stored requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.services.calling import TIMEOUT, Json, Service, refused, told_apart

pytestmark = pytest.mark.slow

PREGNANT = "pregnant-alk-inhibitor-ordered"
LOWER_DOSE = "alectinib-severe-cirrhosis"
LONG_ID = "eQ7xW4.mVb2Kz-Lr9Ty0" * 10 + "abcdefghijklmnop"
RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"
NDC_OID = "urn:oid:2.16.840.1.113883.6.69"

Change = Callable[[Json], None]


def _body(service: Service, hook: str, story: str) -> Json:
    """A body of which every part may be changed without changing another."""
    copied: Json = json.loads(json.dumps(service.body(hook, story)))
    return copied


def _draft(body: Json, member: str = "draftOrders") -> Json:
    draft: Json = body["context"][member]["entry"][0]["resource"]
    return draft


def _summaries(cards: list[Json]) -> list[tuple[str, str]]:
    return [(card["indicator"], card["summary"]) for card in cards]


# -- the envelope ----------------------------------------------------------------


@pytest.mark.clause("E-01", "E-04", "C-08")
@pytest.mark.parametrize("trigger", ["5", "6", "7", "18", "23", "26", "27", "29", "60", 23, None])
def test_the_trigger_behind_a_reused_hook_changes_no_answer(
    service: Service, trigger: object
) -> None:
    plain = service.cards("patient-view", LOWER_DOSE)
    body = _body(service, "patient-view", LOWER_DOSE)
    body["extension"] = {
        "com.epic.cdshooks.request.bpa-trigger-action": trigger,
        "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
        "com.epic.cdshooks.request.fhir-version": "R4",
        "com.epic.cdshooks.request.criteria-id": "12345",
        "com.epic.cdshooks.request.epic-version": "11.0",
        "com.epic.cdshooks.request.cds-hooks-implementation-version": "1.2",
        "com.epic.cdshooks.request.cds-hooks-su-version": "0",
        "internal.epic.cdshooks.request.epic-emp-id": "1",
    }
    assert told_apart(service.cards_of("patient-view", body)) == told_apart(plain)


@pytest.mark.clause("E-07", "E-13")
@pytest.mark.parametrize(
    "user",
    ["PractitionerRole/eX.1", "Practitioner/e-2", "https://ehr.example.org/R4/Practitioner/e-2"],
)
def test_a_user_may_be_a_role_and_an_absolute_reference(service: Service, user: str) -> None:
    body = _body(service, "order-sign", LOWER_DOSE)
    body["context"]["userId"] = user
    plain = service.cards("order-sign", LOWER_DOSE)
    assert _summaries(service.cards_of("order-sign", body)) == _summaries(plain)


@pytest.mark.clause("E-10", "C-03")
@pytest.mark.parametrize(
    "instance",
    [
        "00000000-007b-9f33-e810-6c9d34a1b2c5",
        "6c84fb90-12c4-11e1-840d-7b25c5ee775a",
        "D1577C69-DFBE-44AD-BA6D-3E05E953B2EA",
    ],
)
def test_a_hook_instance_of_no_known_version_is_answered(service: Service, instance: str) -> None:
    body = {**_body(service, "patient-view", PREGNANT), "hookInstance": instance}
    assert service.post("patient-view", body).status_code == 200


@pytest.mark.clause("E-15", "E-17", "R-79", "C-05")
@pytest.mark.parametrize(
    "authorization",
    [
        {"scope": "Patient.Read (R4) user/Observation.rs", "expires_in": 3600},
        {"scope": "user/*.*", "expires_in": 300, "token_type": "bearer"},
        {"scope": "patient/Observation.read", "expires_in": "300"},
        {"scope": None, "subject": ""},
    ],
)
def test_an_authorization_of_any_wording_without_a_patient_is_taken(
    service: Service, authorization: Json
) -> None:
    body = _body(service, "patient-view", PREGNANT)
    body["fhirServer"] = "http://127.0.0.1:1/fhir/"
    body["fhirAuthorization"] = {"access_token": "a.b-c", "token_type": "Bearer", **authorization}
    assert service.post("patient-view", body).status_code == 200


@pytest.mark.clause("E-41", "E-54", "D-01", "D-03", "D-08")
def test_a_get_a_bad_body_and_a_wrong_address_are_told_apart(service: Service) -> None:
    base = f"{service.url}/cds-services"
    got = requests.get(f"{base}/alk-patient-view", timeout=TIMEOUT)
    assert got.status_code == 405
    assert "POST" in got.headers["Allow"]
    refused(service.post("patient-view", {"hook": "patient-view"}), 400)
    refused(requests.post(f"{base}/nobody", json={}, timeout=TIMEOUT), 404)


@pytest.mark.clause("S-01", "S-05", "D-14")
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/", "//cds-services"])
def test_discovery_is_found_as_it_was_typed(service: Service, path: str) -> None:
    found = requests.get(
        service.url + path,
        headers={"Accept": "application/json"},
        timeout=TIMEOUT,
        allow_redirects=False,
    )
    assert found.status_code == 200
    assert found.json()["services"] == service.described


# -- drafts ----------------------------------------------------------------------


def _with_long_ids(body: Json) -> None:
    draft = _draft(body)
    draft["id"] = LONG_ID
    body["context"]["encounterId"] = LONG_ID[:194]


def _by_reference_beside_it(body: Json) -> None:
    draft = _draft(body)
    concept = draft.pop("medicationCodeableConcept")
    draft["medicationReference"] = {
        "reference": f"https://ehr.example.org/R4/Medication/{LONG_ID}",
        "display": "ALECTINIB 150 MG CAPSULE",
    }
    body["context"]["draftOrders"]["entry"].append(
        {
            "fullUrl": f"https://ehr.example.org/R4/Medication/{LONG_ID}",
            "resource": {"resourceType": "Medication", "id": LONG_ID, "code": concept},
        }
    )


def _by_display_alone(body: Json) -> None:
    draft = _draft(body)
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"display": "alectinib 150 mg capsule"}


def _with_codings_of_every_level(body: Json) -> None:
    draft = _draft(body)
    (coding,) = draft["medicationCodeableConcept"]["coding"]
    draft["medicationCodeableConcept"] = {
        "coding": [
            {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.698288", "code": "4711"},
            {"system": RXNORM_OID, "code": coding["code"]},
            {"system": NDC_OID, "code": "50242013001"},
        ]
    }


def _with_odd_members(body: Json) -> None:
    draft = _draft(body)
    absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    draft["requester"] = {"extension": [{"url": absent, "valueCode": "unknown"}]}
    draft["category"] = {"text": "Inpatient"}
    draft["reasonCode"] = []
    draft["note"] = [{}]
    patient = body["context"]["patientId"]
    draft["subject"] = {"reference": f"https://ehr.example.org/R4/Patient/{patient}"}
    body["fhirServer"] = "https://ehr.example.org/R4"


@pytest.mark.clause("E-11", "E-12", "E-13", "E-24", "S-06", "C-10", "N-30")
@pytest.mark.parametrize(
    "change",
    [
        _with_long_ids,
        _by_reference_beside_it,
        _by_display_alone,
        _with_codings_of_every_level,
        _with_odd_members,
    ],
)
def test_an_order_is_understood_however_it_is_dressed(service: Service, change: Change) -> None:
    plain = service.cards("order-sign", PREGNANT)
    body = _body(service, "order-sign", PREGNANT)
    change(body)
    cards = service.cards_of("order-sign", body)
    assert _summaries(cards) == _summaries(plain)
    (removal,) = cards[0]["suggestions"][0]["actions"]
    assert removal["resourceId"] == f"MedicationRequest/{_draft(body)['id']}"


@pytest.mark.clause("E-12")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_product_that_leads_nowhere_is_never_passed_in_silence(
    service: Service, hook: str
) -> None:
    body = _body(service, hook, PREGNANT)
    draft = _draft(body)
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": "Medication/nowhere"}
    cards = service.cards_of(hook, body)
    assert any("could not be read" in card["detail"] for card in cards)


@pytest.mark.clause("R-212", "R-69", "H-02")
@pytest.mark.parametrize(
    "selection",
    [
        "https://ehr.example.org/R4/MedicationRequest/{id}",
        "MedicationRequest/{id}/_history/1",
        "{id}",
    ],
)
def test_a_selection_is_found_however_it_is_spelt(service: Service, selection: str) -> None:
    plain = service.cards("order-select", PREGNANT)
    body = _body(service, "order-select", PREGNANT)
    body["context"]["selections"] = [selection.format(id=_draft(body)["id"])]
    assert plain
    assert _summaries(service.cards_of("order-select", body)) == _summaries(plain)


@pytest.mark.clause("R-69", "H-02")
def test_a_selection_without_its_draft_is_said_to_be_unchecked(service: Service) -> None:
    body = _body(service, "order-select", PREGNANT)
    body["context"]["selections"] = ["MedicationRequest/another"]
    (card,) = service.cards_of("order-select", body)
    assert "the selected order did not come with the call" in card["detail"]
    body["context"]["selections"] = ["NutritionOrder/1"]
    assert service.cards_of("order-select", body) == []


def test_an_order_of_food_or_of_a_device_is_nobodys_concern(service: Service) -> None:
    body = _body(service, "order-sign", PREGNANT)
    others = ("DeviceRequest", "NutritionOrder", "VisionPrescription", "CommunicationRequest")
    body["context"]["draftOrders"]["entry"] = [
        {"resource": {"resourceType": name, "id": "1", "status": "draft"}} for name in others
    ]
    assert service.cards_of("order-sign", body) == []


@pytest.mark.clause("S-06")
def test_an_imaging_order_before_anything_is_chosen_is_answered(service: Service) -> None:
    body = _body(service, "order-select", PREGNANT)
    draft = {
        "resourceType": "ServiceRequest",
        "id": "example-request-id",
        "status": "draft",
        "intent": "plan",
        "code": {"coding": [{}]},
        "reasonCode": [],
        "subject": {"reference": f"Patient/{body['context']['patientId']}"},
    }
    body["context"] |= {
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        "selections": ["ServiceRequest/example-request-id"],
    }
    assert service.cards_of("order-select", body) == []


# -- older versions of FHIR --------------------------------------------------------


@pytest.mark.clause("E-03", "E-50", "R-81", "N-30")
@pytest.mark.parametrize(
    ("hook", "member"), [("order-sign", "draftOrders"), ("medication-prescribe", "medications")]
)
def test_an_order_of_dstu2_is_said_to_be_unchecked_and_why(
    service: Service, hook: str, member: str
) -> None:
    body = _body(service, hook, PREGNANT)
    draft = _draft(body, member)
    draft |= {"resourceType": "MedicationOrder", "patient": draft.pop("subject")}
    del draft["intent"]
    (card,) = service.cards_of(hook, body)
    assert card["indicator"] == "warning"
    assert "it came as MedicationOrder of FHIR DSTU2, and this service reads R4" in card["detail"]


@pytest.mark.clause("E-03", "R-81")
def test_an_order_of_stu3_is_checked_and_never_sent_back_as_a_mixture(service: Service) -> None:
    plain = service.cards("order-sign", LOWER_DOSE)
    body = _body(service, "order-sign", LOWER_DOSE)
    draft = _draft(body)
    for dosage in draft["dosageInstruction"]:
        dosage |= dosage.pop("doseAndRate")[0]
        del dosage["text"]
    draft["requester"] = {"agent": draft.pop("requester")}
    cards = service.cards_of("order-sign", body)
    assert _summaries(cards) == _summaries(plain)
    assert "suggestions" in plain[0]
    assert "suggestions" not in cards[0]
    assert "not written in FHIR R4 (`requester.agent`)" in cards[0]["detail"]


# -- prefetch ----------------------------------------------------------------------


@pytest.mark.clause("E-14", "R-61", "X-17")
def test_an_empty_search_with_a_hint_among_its_entries_is_an_answer(service: Service) -> None:
    hint = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "not-found", "diagnostics": "no results"}],
    }
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    with_hint = {**empty, "entry": [{"resource": hint, "search": {"mode": "outcome"}}]}
    answers = []
    for value in (empty, with_hint):
        body = _body(service, "patient-view", LOWER_DOSE)
        body["prefetch"]["procedures"] = body["prefetch"]["reports"] = value
        answers.append(told_apart(service.cards_of("patient-view", body)))
    assert answers[0] == answers[1]


@pytest.mark.clause("E-14", "E-56", "R-61", "D-21")
@pytest.mark.parametrize("key", ["medications", "conditions"])
def test_a_failed_search_for_required_data_is_412_and_for_others_a_card(
    service: Service, key: str
) -> None:
    failed = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception"}],
    }
    body = _body(service, "patient-view", LOWER_DOSE)
    body["prefetch"]["laboratory"] = failed
    cards = service.cards_of("patient-view", body)
    assert any("sent an error in its place" in card["detail"] for card in cards)
    body["prefetch"][key] = failed
    issue = refused(service.post("patient-view", body), 412)
    assert issue["expression"] == [f"CDSHooksRequest.prefetch.{key}"]


@pytest.mark.clause("S-08", "S-09", "E-57", "R-46", "R-51")
def test_no_template_can_be_left_half_resolved_or_joined_to_an_or(service: Service) -> None:
    for item in service.described:
        for template in item["prefetch"].values():
            tokens = {part.split("}}")[0] for part in template.split("{{")[1:]}
            assert tokens == {"context.patientId"}
            names = [part.split("=")[0] for part in template.partition("?")[2].split("&")]
            assert len(set(names)) == len(names)


# -- answers and feedback ------------------------------------------------------------


def _all_cards(service: Service) -> list[Json]:
    return [
        card
        for story in (PREGNANT, LOWER_DOSE, "immunotherapy-ordered-alk-positive")
        for hook in ("patient-view", "order-select", "order-sign")
        for card in service.cards(hook, story)
    ]


@pytest.mark.clause("E-21", "E-22", "S-12", "S-21", "S-22", "C-19", "R-145")
def test_every_answer_is_written_for_clients_that_show_or_take_only_part_of_it(
    service: Service,
) -> None:
    actions = []
    for card in _all_cards(service):
        code = card["source"]["topic"]["code"]
        assert code.isalnum()
        assert len(code) <= 100
        assert "<" not in card["detail"].replace("&lt;", "").replace(" < ", "")
        assert not any("autolaunchable" in link for link in card.get("links", ()))
        for suggestion in card.get("suggestions", ()):
            assert suggestion["label"].strip()
            kinds = [action["type"] for action in suggestion["actions"]]
            # The sandbox stops at the first action that does something.
            assert kinds == sorted(kinds, key=lambda kind: kind == "delete")
            actions += suggestion["actions"]
    created = [item["resource"] for item in actions if item["type"] == "create"]
    drugs = [item for item in created if item["resourceType"] == "MedicationRequest"]
    assert drugs
    assert all(item["description"].strip() for item in actions)
    for drug in drugs:
        assert drug["medicationCodeableConcept"]["text"]
        assert drug["medicationCodeableConcept"]["coding"][0]["code"]


@pytest.mark.clause("V-6", "R-127", "R-22")
def test_nothing_of_a_later_version_is_sent_to_anybody(service: Service) -> None:
    answers = json.dumps(_all_cards(service)) + json.dumps(service.described)
    assert "actionSelectionBehavior" not in answers
    assert "hookVersion" not in answers
    assert "systemActions" not in answers


def _feedback(**changes: Any) -> Json:
    entry = {
        "card": "f6b95768-b1c8-40dc-8385-bb3504b82ffb",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-20T10:15:00.123+01:00",
        **changes,
    }
    return {"feedback": [entry]}


@pytest.mark.clause("E-33", "S-10", "C-33", "C-37")
@pytest.mark.parametrize(
    "changes",
    [
        {"overrideReasons": {"reason": {"code": "a", "system": "urn:x"}}},
        {
            "overrideReasons": {
                "reason": {"code": "a", "system": "urn:x"},
                "extension": {"com.epic.cdshooks.feedback.overrideReason.reasonTitle": "A"},
            },
            "extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "1"},
        },
        {"overrideReason": {"reason": {"code": "a"}}},
        {"overrideReason": {"userComment": "seen"}},
        {"overrideReason": {"code": "a", "system": "urn:x", "display": "A"}},
        {"overrideReasons": [{"code": "a", "system": "urn:x"}]},
        {"overrideReason": "patient-refused"},
        {"overrideReason": {"reason": "patient-refused", "userComment": "seen"}},
        {"overrideReason": {"reason": {"coding": [{"code": "a", "system": "urn:x"}]}}},
        {"overrideReason": "we talked about it"},
        {},
        {
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}],
        },
    ],
)
def test_feedback_of_every_spelling_is_taken(service: Service, changes: Json) -> None:
    address = f"{service.url}/cds-services/alk-order-sign/feedback"
    answer = requests.post(address, json=_feedback(**changes), timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"received": 1}


@pytest.mark.clause("E-55", "R-60")
def test_data_that_came_in_part_are_used_and_the_rest_is_named(service: Service) -> None:
    body = _body(service, "patient-view", LOWER_DOSE)
    partial = {key: body["prefetch"][key] for key in ("patient", "conditions", "medications")}
    cards = service.cards_of("patient-view", {**body, "prefetch": partial})
    assert any("laboratory: not supplied by the EHR" in card["detail"] for card in cards)
