"""What an operator sees: calls, cards, rules and faults as numbers, and no patient among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client import Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families
from pytest_httpserver import HTTPServer

from cds_service.records import Records
from tests.packaged import packaged_knowledge
from tests.services.calling import (
    DAY,
    TIMEOUT,
    LocalServer,
    Service,
    create_app,
    running_service,
    settings_for,
)

pytestmark = pytest.mark.slow

STORY = "pregnant-alk-inhibitor-ordered"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Service]:
    """A service that nobody has called yet."""
    with running_service(tmp_path / "decisions.sqlite3") as found:
        yield found


def numbers(service: Service) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = requests.get(f"{service.url}/metrics", timeout=TIMEOUT)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def count(running: Service, name: str, **labels: str) -> float:
    """The sum over every sample with these labels."""
    return sum(
        value
        for (called, given), value in numbers(running).items()
        if called == name and labels.items() <= dict(given).items()
    )


def test_calls_cards_and_rules_are_counted(fresh: Service) -> None:
    cards = fresh.cards("order-sign", STORY) + fresh.cards("order-sign", STORY)
    critical = sum(card["indicator"] == "critical" for card in cards)
    assert critical
    of = {"service": "alk-order-sign", "hook": "order-sign"}
    assert count(fresh, "alk_cds_requests_total", **of, status="200") == 2
    assert count(fresh, "alk_cds_request_duration_seconds_count", **of) == 2
    sent = {"service": "alk-order-sign"}
    assert count(fresh, "alk_cds_cards_total", **sent) == len(cards)
    assert count(fresh, "alk_cds_cards_total", **sent, indicator="critical") == critical
    lines = numbers(fresh)
    rules = {dict(labels)["rule"] for name, labels in lines if name.endswith("mendations_total")}
    topics = {card["source"]["topic"]["display"] for card in cards}
    assert topics <= rules
    assert count(fresh, "alk_cds_knowledge_release") == 1
    assert count(fresh, "alk_cds_failed_parts_total") == 0


def test_what_was_refused_is_counted_and_brings_no_labels_of_its_own(fresh: Service) -> None:
    address = f"{fresh.url}/cds-services"
    for path in ("Quillfeather", "Quillfeather/feedback", "alk-order-sign/Quillfeather"):
        requests.post(f"{address}/{path}", json={"hook": "Quillfeather"}, timeout=TIMEOUT)
    bad = {"hook": "Quillfeather", "hookInstance": "x", "context": {}}
    assert fresh.post("order-sign", bad).status_code == 400
    assert count(fresh, "alk_cds_requests_total", status="404") == 3
    assert count(fresh, "alk_cds_requests_total", status="400", service="alk-order-sign") == 1
    assert "Quillfeather" not in str(numbers(fresh))


def test_each_part_of_an_answer_is_timed_once(fresh: Service) -> None:
    fresh.cards("order-sign", STORY)
    timed = {
        dict(labels)["part"]: value
        for (name, labels), value in numbers(fresh).items()
        if name == "alk_cds_part_duration_seconds_count"
    }
    assert timed == dict.fromkeys(("data", "facts", "decision", "cards", "record"), 1)


def test_what_could_not_be_judged_is_counted_by_its_reason_and_fact(fresh: Service) -> None:
    fresh.cards("patient-view", "alectinib-no-reference-range")
    assert count(fresh, "alk_cds_undecided_total", kind="no_reference_range", fact="ALT") >= 1
    facts = {dict(labels)["fact"] for name, labels in numbers(fresh) if "undecided" in name}
    assert facts <= {*packaged_knowledge().vocabulary.names, "other"}


def test_queries_that_a_fhir_server_does_not_answer_are_counted_by_kind(
    fresh: Service, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(re.compile("/refuses/.*")).respond_with_data(status=500)
    for base in (httpserver.url_for("/refuses"), "http://127.0.0.1:1"):
        body = fresh.body("patient-view", STORY, prefetch=False, fhir_server=base)
        assert fresh.post("patient-view", body).status_code == 412
    assert count(fresh, "alk_cds_fhir_faults_total", kind="status", status="500") > 1
    assert count(fresh, "alk_cds_fhir_faults_total", kind="connection", status="") > 1
    assert "127.0.0.1" not in str(numbers(fresh))


def test_what_shadow_mode_keeps_back_is_counted(tmp_path: Path) -> None:
    rule = "alectinib-liver-hold"
    with running_service(tmp_path / "shadow.sqlite3", shadow_rules=rule) as service:
        service.cards("patient-view", "alectinib-alt-six-times")
        service.cards("order-sign", STORY)
        assert count(service, "alk_cds_shadow_cards_total", rule=rule) == 1
        assert count(service, "alk_cds_shadow_answers_total", differs="yes") == 1
        assert count(service, "alk_cds_shadow_answers_total", differs="no") == 1


def test_without_anything_in_the_shadow_no_answer_counts_as_compared(fresh: Service) -> None:
    fresh.cards("order-sign", STORY)
    assert count(fresh, "alk_cds_shadow_answers_total") == 0


def test_feedback_is_counted_by_its_outcome(fresh: Service) -> None:
    card = fresh.cards("order-sign", STORY)[0]["uuid"]
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:15:00Z"}
    answer = requests.post(
        f"{fresh.url}/cds-services/alk-order-sign/feedback",
        json={"feedback": [item]},
        timeout=TIMEOUT,
    )
    assert answer.status_code == 200
    of = {"service": "alk-order-sign", "outcome": "overridden"}
    assert count(fresh, "alk_cds_feedback_total", **of) == 1


def broken(*_: Any, **__: Any) -> Any:
    raise OSError("Quillfeather")


@pytest.mark.usefixtures("parts_may_break")
def test_what_an_operator_must_mend_is_counted(
    fresh: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.alk.sections.OtherOrders.recommendations", broken)
    monkeypatch.setattr(Records, "save_decision", broken)
    assert fresh.cards("order-sign", STORY)
    assert count(fresh, "alk_cds_failed_parts_total", service="alk-order-sign") == 1
    assert count(fresh, "alk_cds_decisions_not_stored_total") == 1


def test_numbers_that_cannot_be_kept_cost_neither_the_card_nor_its_record_nor_feedback(
    fresh: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (Counter, Histogram):
        monkeypatch.setattr(kind, "labels", broken)
    cards = fresh.cards("order-sign", STORY)
    assert cards[0]["indicator"] == "critical"
    page = requests.get(cards[0]["links"][0]["url"], timeout=TIMEOUT)
    assert page.status_code == 200, "the decision was stored"
    item = {"card": cards[0]["uuid"], "outcome": "overridden",
            "outcomeTimestamp": "2026-11-20T10:15:00Z"}  # fmt: skip
    answer = requests.post(
        f"{fresh.url}/cds-services/alk-order-sign/feedback",
        json={"feedback": [item]},
        timeout=TIMEOUT,
    )
    assert (answer.status_code, answer.json()) == (200, {"received": 1})


@pytest.mark.parametrize("secret", [None, "fedcba9876543210fedcba9876543210"])
def test_in_production_only_the_holder_of_the_secret_reads_them(
    tmp_path: Path, secret: str | None
) -> None:
    clients = tmp_path / "clients.yaml"
    clients.write_text(json.dumps({"clients": []}), encoding="utf-8")
    server = LocalServer()
    settings = settings_for(
        server,
        tmp_path / "kept.sqlite3",
        environment="production",
        clients_file=clients,
        link_secret="0123456789abcdef0123456789abcdef",
        metrics_token=secret,
    )
    server.start(create_app(settings, today=lambda: DAY))

    def asked(authorization: str | None) -> requests.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        return requests.get(f"{server.url}/metrics", headers=headers, timeout=TIMEOUT)

    try:
        refused = [asked(None), asked("Bearer "), asked("Bearer None"), asked("Bearer \xe9")]
        if secret is None:
            assert {answer.status_code for answer in refused} == {404}
            return
        refused += [asked(f"Basic {secret}"), asked(f"Bearer {secret[:-1]}")]
        assert {(answer.status_code, answer.content) for answer in refused} == {(401, b"")}
        assert asked(f"Bearer {secret}").status_code == 200
    finally:
        server.close()
