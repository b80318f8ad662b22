"""What the service asks a FHIR server for, over real HTTP, and what it does with the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, redirect, request

from fhir_fixtures import load_story
from fhir_fixtures.server import create_fixture_server
from hooks import patient_view
from tests.services.calling import (
    DAY,
    CountingServer,
    Json,
    Service,
    refused,
    running_service,
    serving,
    told_apart,
)
from tests.waiting import held

pytestmark = pytest.mark.slow

STORY = "alectinib-alt-six-times"
TOKEN = "token-of-this-call"


class Ehr:
    """The fixture server in front of which a test can put its own answers."""

    def __init__(self) -> None:
        self.app: Flask = create_fixture_server(DAY)
        self.url = ""
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.answers: dict[str, Any] = {}

        @self.app.before_request
        def note() -> Any:
            path = request.path.lstrip("/")
            self.asked.append(path)
            self.tokens.add(request.headers.get("Authorization", ""))
            answer = self.answers.get(path)
            return answer() if callable(answer) else answer


@contextmanager
def _ehr() -> Iterator[Ehr]:
    ehr = Ehr()
    with serving(ehr.app) as url:
        ehr.url = url
        yield ehr


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with _ehr() as found:
        yield found


@pytest.fixture
def elsewhere() -> Iterator[Ehr]:
    with _ehr() as found:
        yield found


def _body(service: Service, ehr: Ehr, hook: str = "patient-view", *without: str) -> Json:
    body = service.body(hook, STORY)
    for key in without:
        del body["prefetch"][key]
    authorization = {"access_token": TOKEN, "token_type": "Bearer"}
    return {**body, "fhirServer": ehr.url, "fhirAuthorization": authorization}


def _own_copy(body: Json) -> Json:
    """A copy in which a resource that stands under two keys is two objects."""
    copied: Json = json.loads(json.dumps(body))
    return copied


def _detail(cards: list[Json]) -> str:
    return "\n".join(card["summary"] + "\n" + card["detail"] for card in cards)


def test_with_the_whole_prefetch_nothing_is_asked(service: Service, ehr: Ehr) -> None:
    service.cards_of("patient-view", _body(service, ehr))
    assert ehr.asked == []


def test_only_what_is_missing_is_asked_for_with_the_token_of_the_call(
    service: Service, ehr: Ehr
) -> None:
    whole = service.cards("patient-view", STORY)
    found = service.cards_of("patient-view", _body(service, ehr, "patient-view", "laboratory"))
    assert ehr.asked == ["Observation"]
    assert ehr.tokens == {f"Bearer {TOKEN}"}
    assert told_apart(found) == told_apart(whole)


def test_a_next_link_to_another_origin_is_not_followed_and_said_so(
    service: Service, ehr: Ehr, elsewhere: Ehr
) -> None:
    def first_page() -> Response:
        link = {"relation": "next", "url": f"{elsewhere.url}/Observation?page=2"}
        return jsonify({"resourceType": "Bundle", "type": "searchset", "link": [link]})

    ehr.answers["Observation"] = first_page
    body = _body(service, ehr, "patient-view", "laboratory")
    cards = service.cards_of("patient-view", body)
    assert elsewhere.asked == []
    told = "laboratory: the FHIR server did not answer in full: a next link that leads away"
    assert told in _detail(cards)


def test_a_redirect_is_not_followed_and_said_so(service: Service, ehr: Ehr, elsewhere: Ehr) -> None:
    ehr.answers["Observation"] = lambda: redirect(f"{elsewhere.url}/Observation", 307)
    cards = service.cards_of("patient-view", _body(service, ehr, "patient-view", "laboratory"))
    assert elsewhere.asked == []
    assert "laboratory: the FHIR server did not answer: a redirect" in _detail(cards)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    service: Service, ehr: Ehr, status: int
) -> None:
    whole = service.cards("patient-view", STORY)

    def busy() -> Response | None:
        if ehr.asked.count("Condition") == 1:
            return Response(status=status, headers={"Retry-After": "0"})
        return None

    ehr.answers["Condition"] = busy
    found = service.cards_of("patient-view", _body(service, ehr, "patient-view", "conditions"))
    assert ehr.asked == ["Condition", "Condition"]
    assert told_apart(found) == told_apart(whole)


def test_a_wait_that_outlasts_the_deadline_is_not_begun(database: Path, ehr: Ehr) -> None:
    ehr.answers["Condition"] = lambda: Response(status=503, headers={"Retry-After": "30"})
    with running_service(database, fhir_deadline_seconds=10) as hurried:
        body = _body(hurried, ehr, "patient-view", "conditions")
        refused(hurried.post("patient-view", body), 412)
    # Had it waited the 30 seconds it was told to, the deadline would have come before.
    assert ehr.asked == ["Condition"]


def test_an_error_that_lasts_is_not_asked_for_ever(service: Service, ehr: Ehr) -> None:
    ehr.answers["Condition"] = lambda: Response(status=500)
    refused(service.post("patient-view", _body(service, ehr, "patient-view", "conditions")), 412)
    assert ehr.asked == ["Condition"]


def _split(ehr: Ehr, kind: str, second: Any) -> None:
    """Two pages of one entry each; `second` answers for the other page."""

    def page() -> Any:
        if request.args.get("page") == "2":
            return second()
        entries = [
            entry
            for entry in load_story(STORY, DAY).bundle["entry"]
            if entry["resource"]["resourceType"] == kind
        ]
        link = {"relation": "next", "url": f"{ehr.url}/{kind}?page=2"}
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": [link]}
        return jsonify({**bundle, "entry": entries})

    ehr.answers[kind] = page


@pytest.mark.parametrize("how", ["an error", "too late"])
def test_the_pages_that_came_still_warn_when_the_last_one_does_not(
    database: Path, ehr: Ehr, how: str
) -> None:
    with held() as answer:

        def fail() -> Response:
            if how == "too late":
                answer.wait()
            return Response(status=500)

        _split(ehr, "Observation", fail)
        with running_service(database, fhir_deadline_seconds=3.0) as hurried:
            body = _body(hurried, ehr, "patient-view", "laboratory")
            cards = hurried.cards_of("patient-view", body)
            whole = hurried.cards("patient-view", STORY)
        assert answer.is_held
    assert cards[0]["summary"] == whole[0]["summary"]
    assert "laboratory: the FHIR server did not answer in full" in _detail(cards)


def test_a_first_page_sent_along_is_kept_when_the_rest_cannot_be_had(
    service: Service, ehr: Ehr
) -> None:
    ehr.answers["Observation"] = lambda: Response(status=500)
    body = _body(service, ehr)
    page = body["prefetch"]["laboratory"]
    page["link"] = [{"relation": "next", "url": f"{ehr.url}/Observation?page=2"}]
    cards = service.cards_of("patient-view", body)
    whole = service.cards("patient-view", STORY)
    assert cards[0]["summary"] == whole[0]["summary"]
    assert "laboratory: the FHIR server did not answer" in _detail(cards)


def _by_reference(body: Json, reference: str) -> None:
    """The alectinib of the prefetch, named by a reference in place of a code."""
    for entry in body["prefetch"]["medications"]["entry"]:
        resource = entry["resource"]
        if resource.get("medicationCodeableConcept") == _alectinib():
            del resource["medicationCodeableConcept"]
            resource["medicationReference"] = {"reference": reference}


def _alectinib() -> Json:
    """How the chart of the story names alectinib: in its first order."""
    resources = (entry["resource"] for entry in load_story(STORY, DAY).bundle["entry"])
    orders = (one for one in resources if one["resourceType"] == "MedicationRequest")
    concept: Json = next(orders)["medicationCodeableConcept"]
    return concept


def _product(ehr: Ehr) -> None:
    product = {"resourceType": "Medication", "id": "alectinib", "code": _alectinib()}
    ehr.answers["Medication/alectinib"] = lambda: jsonify(product)


@pytest.mark.parametrize("versioned", ["", "/_history/2"])
def test_a_product_on_the_server_is_read_there(service: Service, ehr: Ehr, versioned: str) -> None:
    _product(ehr)
    body = _own_copy(_body(service, ehr))
    _by_reference(body, f"Medication/alectinib{versioned}")
    cards = service.cards_of("patient-view", body)
    whole = service.cards("patient-view", STORY)
    assert ehr.asked == ["Medication/alectinib"]
    assert [card["summary"] for card in cards] == [card["summary"] for card in whole]


def test_a_product_of_a_draft_is_read_on_the_server_too(service: Service, ehr: Ehr) -> None:
    _product(ehr)
    body = _own_copy(_body(service, ehr, "order-sign"))
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": "Medication/alectinib"}
    cards = service.cards_of("order-sign", body)
    whole = service.cards("order-sign", STORY)
    assert [card["summary"] for card in cards] == [card["summary"] for card in whole]


@pytest.mark.parametrize("where", ["unknown", "another server"])
def test_a_medication_that_nobody_can_name_is_never_silence(
    service: Service, ehr: Ehr, elsewhere: Ehr, where: str
) -> None:
    _product(ehr)
    body = _own_copy(_body(service, ehr))
    reference = "Medication/nothing"
    if where == "another server":
        reference = f"{elsewhere.url}/Medication/alectinib"
    _by_reference(body, reference)
    cards = service.cards_of("patient-view", body)
    assert "medications: a medication is named by nothing" in _detail(cards)
    assert elsewhere.asked == []
    assert not any(card.get("suggestions") for card in cards)


def test_a_draft_whose_product_cannot_be_read_is_not_checked_and_said_so(
    service: Service, ehr: Ehr
) -> None:
    body = _own_copy(_body(service, ehr, "order-sign"))
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": "Medication/nothing"}
    cards = service.cards_of("order-sign", body)
    assert "a draft order: the medication it refers to could not be read" in _detail(cards)


@pytest.mark.clause("R-69", "S-06")
def test_an_order_to_be_signed_that_names_no_drug_is_not_checked_and_said_so(
    service: Service, ehr: Ehr
) -> None:
    """The public sandbox sends it once a suggestion has removed the drug; its field still shows
    one."""
    body = _own_copy(_body(service, ehr, "order-sign"))
    del body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]
    assert "a draft order: it names no medication" in _detail(service.cards_of("order-sign", body))


def test_a_form_without_a_drug_is_no_matter_while_one_is_being_chosen(
    service: Service, ehr: Ehr
) -> None:
    body = _own_copy(_body(service, ehr, "order-select"))
    del body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]
    assert service.cards_of("order-select", body) == []


def test_the_whole_reading_has_one_deadline_products_included(database: Path, ehr: Ehr) -> None:
    with held() as results, held() as product:
        ehr.answers["Observation"] = results.wait
        ehr.answers["Medication/alectinib"] = product.wait
        with running_service(database, fhir_deadline_seconds=1.0) as hurried:
            body = _own_copy(_body(hurried, ehr, "patient-view", "laboratory"))
            _by_reference(body, "Medication/alectinib")
            cards = hurried.cards_of("patient-view", body)
        assert results.is_held
        assert product.is_held
    # What came first used the deadline up: the product was not given another one.
    assert "a medication is named by nothing" in _detail(cards)
    assert "Medication/alectinib" not in ehr.asked


def test_results_that_do_not_say_whose_they_are_are_counted_on_a_card(service: Service) -> None:
    body = _own_copy(service.body("patient-view", STORY))
    for entry in body["prefetch"]["laboratory"]["entry"]:
        del entry["resource"]["subject"]
    cards = service.cards_of("patient-view", body)
    count = len(body["prefetch"]["laboratory"]["entry"])
    assert f"resources that do not say whose they are: {count} were sent and not used" in _detail(
        cards
    )


def test_results_of_a_patient_of_that_id_on_another_server_are_not_used(
    service: Service, ehr: Ehr
) -> None:
    body = _own_copy(_body(service, ehr))
    count = 0
    for entry in body["prefetch"]["laboratory"]["entry"]:
        subject = entry["resource"]["subject"]
        subject["reference"] = f"https://other.example.org/fhir/{subject['reference']}"
        count += 1
    cards = service.cards_of("patient-view", body)
    assert f"resources of another patient: {count} were sent and not used" in _detail(cards)


def test_absolute_references_to_the_server_of_the_call_are_the_patients(
    service: Service, fhir_server: CountingServer
) -> None:
    body = _own_copy(service.body("patient-view", STORY))
    for value in body["prefetch"].values():
        for entry in value.get("entry", ()):
            subject = entry["resource"].get("subject")
            if subject is not None:
                subject["reference"] = f"{fhir_server.url}/{subject['reference']}"
    found = service.cards_of("patient-view", {**body, "fhirServer": fhir_server.url})
    assert told_apart(found) == told_apart(service.cards("patient-view", STORY))


# -- R5 drafts ------------------------------------------------------------


def _as_r5(draft: Json) -> None:
    draft["medication"] = {"concept": draft.pop("medicationCodeableConcept")}


def test_an_r5_draft_is_checked_and_never_sent_back_changed(service: Service) -> None:
    above = "alectinib-above-label"
    whole = service.cards("order-sign", above)
    assert any(
        action["type"] == "update"
        for card in whole
        for offered in card.get("suggestions", ())
        for action in offered["actions"]
    )
    body = _own_copy(service.body("order-sign", above))
    _as_r5(body["context"]["draftOrders"]["entry"][0]["resource"])
    cards = service.cards_of("order-sign", body)
    assert [card["summary"] for card in cards] == [card["summary"] for card in whole]
    sent = [
        action
        for card in cards
        for offered in card.get("suggestions", ())
        for action in offered["actions"]
    ]
    assert not any(action["type"] == "update" for action in sent)
    assert not any("medication" in action.get("resource", {}) for action in sent)
    assert "The order is not written in FHIR R4 (`medication`)" in _detail(cards)


@pytest.mark.parametrize(
    ("draft", "element"),
    [
        (
            {
                "resourceType": "ServiceRequest",
                "code": {"reference": {"reference": "PlanDefinition/1"}},
            },
            "code.reference",
        ),
        ({"resourceType": "MedicationRequest", "medication": "alectinib"}, "medication"),
    ],
)
def test_an_order_that_is_said_in_an_unread_way_is_refused_by_name(
    service: Service, draft: Json, element: str
) -> None:
    body = _own_copy(service.body("order-sign", STORY))
    entries = body["context"]["draftOrders"]["entry"]
    entries.append({"resource": {"id": "r5", **draft}})
    issue = refused(service.post("order-sign", body), 400)
    place = f"CDSHooksRequest.context.draftOrders.entry[{len(entries) - 1}].resource"
    assert issue["expression"] == [f"{place}.{element}"]
    assert "R4" in issue["diagnostics"]


def test_what_is_missing_is_named_in_the_order_in_which_it_was_asked_for(
    service: Service, ehr: Ehr
) -> None:
    body = _own_copy(_body(service, ehr))
    sent = [key for key, value in body["prefetch"].items() if (value or {}).get("entry")]
    for key in sent:
        for entry in body["prefetch"][key]["entry"]:
            for holder in ("subject", "patient"):
                if holder in entry["resource"]:
                    entry["resource"][holder]["reference"] = "Patient/somebody-else"

    detail = _detail(service.cards_of("patient-view", body))

    asked = [kind.key for kind in patient_view.SERVICE.data if kind.key in sent]
    named = [key for key in asked if f"{key}: all that was sent is of another" in detail]
    assert len(named) > 3
    assert sorted(named, key=detail.index) == named
