"""Results, queries and data keys in the forms in which hospitals send them: what the cards say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request

from fhir_fixtures.server import create_fixture_server
from tests.services.calling import (
    DAY,
    Json,
    Service,
    refused,
    serving,
    told_apart,
)

RAISED, QUIET, FIRST = "alectinib-alt-six-times", "alectinib-on-track", "first-line-choice"
ALT = "1742-6"
Change = Callable[[Json], None]


def body_of(service: Service, story: str, hook: str = "patient-view", **how: Any) -> Json:
    copied: Json = json.loads(json.dumps(service.body(hook, story, **how)))
    return copied


def results_of(body: Json, code: str = ALT) -> list[Json]:
    found = [
        entry["resource"]
        for entry in body["prefetch"]["laboratory"]["entry"]
        if code in [coding["code"] for coding in entry["resource"]["code"]["coding"]]
    ]
    assert found
    return sorted(found, key=lambda item: item["effectiveDateTime"])


def changed(service: Service, story: str, change: Change, code: str = ALT) -> list[Json]:
    """The cards after the newest result of a code was changed."""
    body = body_of(service, story)
    change(results_of(body, code)[-1])
    return service.cards_of("patient-view", body)


def texts(cards: list[Json]) -> str:
    return "\n".join(card["summary"] + "\n" + card["detail"] for card in cards)


def labels(cards: list[Json]) -> list[str]:
    return [item["label"] for card in cards for item in card.get("suggestions", [])]


def held(cards: list[Json]) -> bool:
    return any(card["summary"].startswith("Hold alectinib") for card in cards)


@pytest.mark.parametrize("code", ["1743-4", "1744-2", "76625-3", "77144-4"])
def test_alt_is_alt_under_each_of_its_codes(service: Service, code: str) -> None:
    cards = changed(
        service, RAISED, lambda alt: alt["code"]["coding"][0].update(code=code, display="ALT")
    )
    assert [card["summary"] for card in cards] == [
        card["summary"] for card in service.cards("patient-view", RAISED)
    ]


@pytest.mark.parametrize("value", [-1, -99, 0, 99999])
def test_a_placeholder_is_neither_normal_nor_done(service: Service, value: int) -> None:
    cards = changed(service, QUIET, lambda alt: alt["valueQuantity"].update(value=value))
    assert "ALT came but could not be used" in texts(cards)
    assert f"{value} U/L" in texts(cards)


def without_date(alt: Json) -> None:
    del alt["effectiveDateTime"]
    alt.pop("issued", None)


def test_a_result_without_a_date_is_said_to_have_come_and_not_used(service: Service) -> None:
    cards = changed(service, RAISED, without_date)
    assert not held(cards)
    assert "ALT came without a usable date" in texts(cards)


def test_an_undated_result_is_named_although_an_older_one_is_normal(service: Service) -> None:
    def undated_copy(body: Json) -> None:
        alt = json.loads(json.dumps(results_of(body)[-1]))
        without_date(alt)
        alt["id"] = "undated"
        alt["valueQuantity"]["value"] = 246
        body["prefetch"]["laboratory"]["entry"].append({"resource": alt})
        body["prefetch"]["laboratory"]["total"] += 1

    body = body_of(service, QUIET)
    undated_copy(body)
    assert "246 U/L, not used" in texts(service.cards_of("patient-view", body)).replace("\\", "")


def only_a_period(alt: Json) -> None:
    alt["effectivePeriod"] = {"start": alt.pop("effectiveDateTime")}


def only_issued(alt: Json) -> None:
    alt["issued"] = alt.pop("effectiveDateTime")


@pytest.mark.parametrize("change", [only_a_period, only_issued])
def test_a_period_that_has_begun_or_the_day_of_issue_dates_a_result(
    service: Service, change: Change
) -> None:
    assert held(changed(service, RAISED, change))


def test_the_report_that_lists_a_result_dates_it(service: Service) -> None:
    body = body_of(service, RAISED)
    alt = results_of(body)[-1]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "liver-panel",
        "status": "final",
        "code": {"text": "Liver panel"},
        "subject": alt["subject"],
        "effectiveDateTime": alt["effectiveDateTime"],
        "result": [{"reference": f"Observation/{alt['id']}"}],
    }
    without_date(alt)
    reports = body["prefetch"]["reports"]
    reports.setdefault("entry", []).append({"resource": report})
    reports["total"] += 1
    assert held(service.cards_of("patient-view", body))


def test_a_lower_bound_sent_as_upper_limit_is_no_limit(service: Service) -> None:
    def lower_bound(alt: Json) -> None:
        alt["referenceRange"] = [{"high": {"value": 5}, "text": ">5"}]

    cards = changed(service, QUIET, lower_bound)
    assert not held(cards)
    assert "ALT came without a reference range" in texts(cards)


# -- data that were not delivered -----------------------------------------------------------------


def not_sent(prefetch: Json) -> None:
    del prefetch["laboratory"]


def an_html_page(prefetch: Json) -> None:
    prefetch["laboratory"] = "<html><body>error report</body></html>"


def a_wrapper(prefetch: Json) -> None:
    prefetch["laboratory"] = {"status": 200, "payload": prefetch["laboratory"]}


def a_number(prefetch: Json) -> None:
    prefetch["laboratory"] = 500


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (not_sent, "not supplied by the EHR"),
        (an_html_page, "sent by the EHR, but not readable as FHIR"),
        (a_wrapper, "sent by the EHR, but not readable as FHIR"),
        (a_number, "sent by the EHR, but not readable as FHIR"),
    ],
)
@pytest.mark.parametrize("story", [QUIET, "alectinib-monitoring-overdue"])
def test_whether_a_test_is_due_is_not_known_without_its_data_and_nothing_is_ordered(
    service: Service, story: str, change: Change, why: str
) -> None:
    body = body_of(service, story)
    change(body["prefetch"])
    cards = service.cards_of("patient-view", body)
    assert f"laboratory: {why}" in texts(cards)
    assert any(card["summary"].startswith("Not known whether due") for card in cards)
    assert not any("liver tests" in label for label in labels(cards))
    assert "overdue" not in "".join(
        line for line in texts(cards).splitlines() if "liver tests" in line
    )


def test_an_unreadable_required_key_is_told_from_one_that_was_not_sent(service: Service) -> None:
    body = body_of(service, QUIET)
    body["prefetch"]["conditions"] = "<html>"
    del body["prefetch"]["medications"]
    issue = refused(service.post("patient-view", body), 412)
    assert "conditions: sent by the EHR, but not readable as FHIR" in issue["diagnostics"]
    assert "medications: not supplied by the EHR" in issue["diagnostics"]
    assert "<html>" not in json.dumps(issue)


def test_a_patient_id_with_its_type_is_refused_with_what_was_wanted(service: Service) -> None:
    body = body_of(service, QUIET)
    body["context"]["patientId"] = f"Patient/{body['context']['patientId']}"
    issue = refused(service.post("patient-view", body), 400)
    assert "a bare id, without Patient/" in issue["diagnostics"]
    assert body["context"]["patientId"] not in json.dumps(issue)


# -- a server that demands more than the query ----------------------------------------------------


class Demanding:
    """The fixture server, with its own demands on searches for MedicationRequest."""

    def __init__(self) -> None:
        self.app: Flask = create_fixture_server(DAY)
        self.url = ""
        self.asked: list[str] = []
        self.taken: Callable[[str], bool] = lambda _: True
        self.status = 400
        self.says = "Ada Lovelace: required parameter intent is missing"

        @self.app.before_request
        def demand() -> Response | None:
            if request.path.lstrip("/") != "MedicationRequest":
                return None
            intent = request.args.get("intent", "")
            self.asked.append(intent)
            if self.taken(intent):
                return None
            issue = {"severity": "error", "code": "required", "diagnostics": self.says}
            answer = jsonify({"resourceType": "OperationOutcome", "issue": [issue]})
            answer.status_code = self.status
            return answer


@pytest.fixture
def demanding() -> Iterator[Demanding]:
    server = Demanding()
    with serving(server.app) as url:
        server.url = url
        yield server


def asking(service: Service, server: Demanding, story: str = RAISED) -> Json:
    return body_of(service, story, prefetch=False, fhir_server=server.url)


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_server_that_demands_an_intent_is_asked_with_one(
    service: Service, demanding: Demanding, status: int
) -> None:
    whole = service.cards_of("patient-view", asking(service, demanding))
    demanding.asked.clear()
    demanding.status, demanding.taken = status, bool
    found = service.cards_of("patient-view", asking(service, demanding))
    assert told_apart(found) == told_apart(whole)
    assert demanding.asked[0] == ""
    assert demanding.asked[-1].startswith("order,plan,")


def test_a_server_that_knows_two_intents_only_is_asked_for_these(
    service: Service, demanding: Demanding
) -> None:
    demanding.taken = lambda intent: intent == "order,plan"
    assert held(service.cards_of("patient-view", asking(service, demanding)))


def test_what_the_server_says_reaches_the_412_without_anybody_s_name(
    service: Service, demanding: Demanding, caplog: pytest.LogCaptureFixture
) -> None:
    demanding.taken = lambda _: False
    issue = refused(service.post("patient-view", asking(service, demanding)), 412)
    assert "required parameter intent is missing" in issue["diagnostics"]
    assert "HTTP 400" in issue["diagnostics"]
    assert "Lovelace" not in json.dumps(issue)
    logged = [record for record in caplog.records if hasattr(record, "server_reason")]
    assert any("intent is missing" in str(record.__dict__["server_reason"]) for record in logged)
    assert "Lovelace" not in str([record.__dict__["server_reason"] for record in logged])


# -- the number named is the number ordered -------------------------------------------------------


def test_the_tests_that_a_card_counts_are_those_that_its_button_orders(service: Service) -> None:
    body = body_of(service, FIRST)
    for key in ("laboratory", "reports"):
        body["prefetch"][key] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    cards = service.cards_of("patient-view", body)
    (card,) = [card for card in cards if "baseline test" in card["summary"]]
    (button,) = card["suggestions"]
    assert card["summary"].split()[1] == button["label"].split()[1]
    assert "creatinine" not in card["summary"]
    assert "our own advice, not in the order" in card["detail"]


# -- what the laboratory settles ------------------------------------------------------------------


def liver_and_blood(body: Json, alp: int, haptoglobin: int | None, ldh: int) -> None:
    """Results beside a liver reaction with jaundice, as a hospital laboratory sends them."""
    alt = results_of(body)[-1]
    values = [("6768-6", alp, "U/L", 0, 120), ("2532-0", ldh, "U/L", 0, 250)]
    if haptoglobin is not None:
        values.append(("4542-7", haptoglobin, "mg/dL", 30, 200))
    for code, value, unit, low, high in values:
        result = {
            **alt,
            "id": f"added-{code}",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": unit},
            "referenceRange": [
                {"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}
            ],
        }
        entries = body["prefetch"]["laboratory"]["entry"]
        kept = [
            entry
            for entry in entries
            if code not in [item["code"] for item in entry["resource"]["code"]["coding"]]
        ]
        body["prefetch"]["laboratory"]["entry"] = [*kept, {"resource": result}]
    body["prefetch"]["laboratory"]["total"] = len(body["prefetch"]["laboratory"]["entry"])


@pytest.mark.parametrize(
    ("alp", "haptoglobin", "ldh", "stops"),
    [(100, 120, 200, True), (400, 120, 200, False), (100, 5, 600, False), (100, None, 200, False)],
)
def test_alkaline_phosphatase_and_haptoglobin_settle_the_permanent_stop(
    service: Service, alp: int, haptoglobin: int | None, ldh: int, stops: bool
) -> None:
    body = body_of(service, "alectinib-hepatitis-with-jaundice")
    body["prefetch"]["conditions"]["entry"] = [
        entry
        for entry in body["prefetch"]["conditions"]["entry"]
        if "holesta" not in json.dumps(entry) and "aemoly" not in json.dumps(entry)
    ]
    body["prefetch"]["conditions"]["total"] = len(body["prefetch"]["conditions"]["entry"])
    liver_and_blood(body, alp, haptoglobin, ldh)
    cards = service.cards_of("patient-view", body)
    assert any(card["summary"].startswith("Stop alectinib for good") for card in cards) is stops
    assert stops or held(cards)
