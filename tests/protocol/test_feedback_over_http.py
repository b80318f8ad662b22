"""Feedback over real HTTP: what is taken, stored and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from cds_service.protocol import (
    CollapseSlashes,
    Service,
)
from cds_service.protocol.models_request import FeedbackRequest, GivenOverrideReason
from tests.waiting import PATIENCE

Serve = Callable[..., str]


MakeService = Callable[..., Service]


def outcome_of(response: requests.Response, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is an OperationOutcome with this status and code; return its issue."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["code"] == code
    assert "Traceback" not in response.text
    return dict(issue)


def post(url: str, body: Any, **kwargs: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=PATIENCE, **kwargs)


def accepted(**changes: Any) -> dict[str, Any]:
    return {
        "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
        "outcomeTimestamp": "2026-11-20T10:05:31Z",
        **changes,
    }


def overridden(**changes: Any) -> dict[str, Any]:
    return {
        "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-20T10:05:31Z",
        **changes,
    }


class Shelf:
    """A feedback sink that remembers what it was given."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, FeedbackRequest]] = []
        self.clients: list[str] = []

    def __call__(self, service_id: str, feedback: FeedbackRequest, client: str) -> int:
        self.clients.append(client)
        self.stored.append((service_id, feedback))
        return len(feedback.feedback)


REASON = {"code": "contraindicated", "system": "https://example.org/reasons"}


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([accepted()], id="T-5 accepted"),
        pytest.param([overridden()], id="T-5 overridden without reason"),
        pytest.param(
            [overridden(overrideReason={"reason": REASON, "userComment": "x"})],
            id="T-5 reason and comment, no display",
        ),
        pytest.param([overridden(overrideReason={"userComment": "x"})], id="C-33 comment only"),
        pytest.param([overridden(overrideReason={"reason": {"code": "a"}})], id="S-10"),
        pytest.param([overridden(overrideReasons={"reason": REASON})], id="E-33 spelling"),
        pytest.param([overridden(overrideReason=None)], id="C-10"),
        pytest.param([accepted(), accepted(), overridden()] * 33, id="C-30 batch with repeats"),
        pytest.param([accepted(card="not-a-uuid")], id="X-07 any id"),
        pytest.param([accepted(extra=1, extension={"a": 1})], id="C-08"),
        pytest.param(
            [accepted(outcomeTimestamp="2026-11-20T12:05:31.123456789+02:00")], id="C-31 offset"
        ),
        pytest.param([accepted(acceptedSuggestions=[{"id": "a"}, {"id": "b"}])], id="C-32"),
        pytest.param([overridden(acceptedSuggestions=None)], id="C-10 suggestions"),
        pytest.param([], id="empty"),
    ],
)
def test_feedback_is_stored_and_counted(
    serve: Serve, make_service: MakeService, items: list[dict[str, Any]]
) -> None:
    """R-190, R-191, C-30 to C-33, N-50."""
    shelf = Shelf()
    base = serve(make_service(), feedback_sink=shelf)
    response = post(f"{base}/cds-services/greeting/feedback", {"feedback": items})
    assert (response.status_code, response.json()) == (200, {"received": len(items)})
    ((service_id, feedback),) = shelf.stored
    assert (service_id, shelf.clients) == ("greeting", ["test-ehr"])
    assert [item.card for item in feedback.feedback] == [item["card"] for item in items]
    assert all(item.outcome_timestamp.utcoffset() is not None for item in feedback.feedback)


def test_epics_spelling_keeps_the_reason(serve: Serve, make_service: MakeService) -> None:
    """E-33."""
    shelf = Shelf()
    base = serve(make_service(), feedback_sink=shelf)
    item = overridden(overrideReasons={"reason": REASON, "userComment": "because Jane"})
    post(f"{base}/cds-services/greeting/feedback", {"feedback": [item]})
    (stored,) = shelf.stored[0][1].feedback
    assert stored.override_reason is not None
    assert stored.override_reason.reason is not None
    assert stored.override_reason.reason.code == "contraindicated"
    assert stored.override_reason.user_comment == "because Jane"
    assert "Jane" not in repr(stored)


@pytest.mark.parametrize(
    ("item", "expression"),
    [
        (accepted(card=None), "feedback[0].card"),
        (accepted(card=""), "feedback[0].card"),
        (accepted(outcome="ignored"), "feedback[0].outcome"),
        (accepted(outcomeTimestamp=None), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="yesterday"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="2026-11-20T10:05:31"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="2026-11-20"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="2026-13-20T10:05:31Z"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="0001-01-01T00:00:00+14:00"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="0001-01-01T00:00:00Z"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp="9999-12-31T23:59:59-12:00"), "feedback[0].outcomeTimestamp"),
        (accepted(outcomeTimestamp=1700000000), "feedback[0].outcomeTimestamp"),
        (accepted(acceptedSuggestions=None), "feedback[0]"),
        (accepted(acceptedSuggestions=[]), "feedback[0]"),
        (accepted(acceptedSuggestions=[{}]), "feedback[0].acceptedSuggestions[0].id"),
        (overridden(overrideReason={"reason": None}), "feedback[0].overrideReason"),
        (overridden(overrideReason=5), "feedback[0].overrideReason"),
    ],
)
def test_feedback_that_breaks_a_rule_is_400_and_not_stored(
    serve: Serve, make_service: MakeService, item: dict[str, Any], expression: str
) -> None:
    """C-31, C-32, C-33, cds-fb-1 to cds-fb-3, N-50, D-03."""
    shelf = Shelf()
    base = serve(make_service(), feedback_sink=shelf)
    response = post(f"{base}/cds-services/greeting/feedback", {"feedback": [item]})
    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == [f"CDSHooksFeedbackRequest.{expression}"]
    assert "Jane" not in response.text
    assert shelf.stored == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"feedback":null}',
        b'{"feedback":{}}',
        b'{"feedback":[],"x":NaN}',
        b'{"feedback":[],"feedback":[]}',
    ],
)
def test_a_body_without_a_feedback_array_is_400(
    serve: Serve, make_service: MakeService, body: bytes
) -> None:
    """C-30, D-02, D-03."""
    response = requests.post(
        f"{serve(make_service())}/cds-services/greeting/feedback",
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=PATIENCE,
    )
    assert response.status_code == 400
    assert response.json()["resourceType"] == "OperationOutcome"


def test_feedback_that_could_not_be_stored_is_not_acknowledged(
    serve: Serve, make_service: MakeService
) -> None:
    """The peers' fault: feedback acknowledged and thrown away."""

    def full(_: str, __: FeedbackRequest, ___: str) -> int:
        raise OSError("no space left for Jane Doe")

    base = serve(make_service(), feedback_sink=full)
    response = post(f"{base}/cds-services/greeting/feedback", {"feedback": [accepted()]})
    outcome_of(response, 500, "exception")
    assert "received" not in response.text
    assert "Jane" not in response.text


def test_collapsing_leaves_other_paths_alone() -> None:
    """D-14."""
    seen = []

    def application(environ: dict[str, Any], _: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        return []

    for path in ("/a/b", "//a///b//", "/"):
        CollapseSlashes(application)({"PATH_INFO": path}, lambda *_: lambda _: None)
    assert seen == ["/a/b", "/a/b/", "/"]


def given(reason: Any) -> GivenOverrideReason:
    (item,) = FeedbackRequest.model_validate(
        {"feedback": [overridden(overrideReason=reason)]}, by_alias=True, by_name=False
    ).feedback
    assert item.override_reason is not None
    return item.override_reason


@pytest.mark.parametrize(
    "reason",
    [
        {"reason": REASON},
        REASON,
        [REASON],
        {"reason": [REASON]},
        {"reason": {"coding": [REASON]}},
    ],
)
def test_the_reason_is_the_same_in_every_form_of_older_clients(reason: Any) -> None:
    found = given(reason).reason
    assert found is not None
    assert (found.code, found.system) == (REASON["code"], REASON["system"])


@pytest.mark.parametrize("reason", ["contraindicated", {"reason": "contraindicated"}])
def test_a_code_alone_is_a_reason_without_a_system(reason: Any) -> None:
    found = given(reason).reason
    assert found is not None
    assert (found.code, found.system) == ("contraindicated", None)


@pytest.mark.parametrize("reason", ["Ada wants to wait", {"reason": "Ada wants to wait"}])
def test_a_text_that_is_no_code_counts_as_a_comment(reason: Any) -> None:
    """A comment may name the patient: it is never taken for a code, which may be counted."""
    found = given(reason)
    assert found.reason is None
    assert found.user_comment == "Ada wants to wait"


@pytest.mark.parametrize("reason", [{}, "", []])
def test_an_empty_reason_is_none(reason: Any) -> None:
    (item,) = FeedbackRequest.model_validate(
        {"feedback": [overridden(overrideReason=reason)]}, by_alias=True, by_name=False
    ).feedback
    assert item.override_reason is None


@pytest.mark.parametrize("reason", [5, {"reason": 5}, [REASON, REASON], {"code": 5}])
def test_a_reason_of_another_shape_is_refused(reason: Any) -> None:
    with pytest.raises(ValidationError):
        given(reason)
