"""How much and how often: rates, nesting, number of resources."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import time_machine

from cds_service.protocol import (
    BodyLimits,
    Client,
    ClientProfile,
    JwtAuthenticator,
    RateLimits,
    Service,
    TooManyRequests,
)
from cds_service.protocol.body_limits import depth, resource_count
from cds_service.protocol.errors import BadRequest
from tests.records.redis_server import running_redis
from tests.waiting import PATIENCE

Serve = Callable[..., str]
MakeService = Callable[..., Service]
MakeRequest = Callable[..., dict[str, Any]]


def post(url: str, body: Any, **kwargs: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=PATIENCE, **kwargs)


def outcome_of(response: requests.Response, status: int, code: str) -> str:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    (issue,) = response.json()["issue"]
    assert issue["code"] == code
    return str(issue["diagnostics"])


class NamedByHeader:
    """Lets in whoever says a name."""

    def authenticate(self, authorization_header: str | None, audience_urls: Any) -> Client:
        return Client(name=str(authorization_header))


@pytest.mark.clause("D-11")
def test_a_client_beyond_its_rate_is_told_when_to_come_back_and_others_are_served(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    base = serve(
        make_service(),
        authenticator=NamedByHeader(),
        rate_limits=RateLimits("3/hour"),
        cors_origins=("https://sandbox.example.org",),
    )
    feedback = {"feedback": []}
    asked = [
        requests.get(f"{base}/cds-services", headers={"Authorization": "one"}, timeout=PATIENCE),
        post(f"{base}/cds-services/greeting", make_request(), headers={"Authorization": "one"}),
        post(f"{base}/cds-services/greeting/feedback", feedback, headers={"Authorization": "one"}),
    ]
    assert [answer.status_code for answer in asked] == [200, 200, 200]
    headers = {"Authorization": "one", "Origin": "https://sandbox.example.org"}
    for refused in (
        requests.get(f"{base}/cds-services", headers=headers, timeout=PATIENCE),
        post(f"{base}/cds-services/greeting", make_request(), headers=headers),
        post(f"{base}/cds-services/greeting/feedback", feedback, headers=headers),
    ):
        outcome_of(refused, 429, "throttled")
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        assert refused.headers["Access-Control-Allow-Origin"] == "https://sandbox.example.org"
    other = {"Authorization": "two"}
    assert post(f"{base}/cds-services/greeting", make_request(), headers=other).ok
    assert requests.options(f"{base}/cds-services", timeout=PATIENCE).status_code == 204


@pytest.mark.clause("D-11", "R-172")
def test_refused_tokens_are_counted_by_address_and_never_hurt_a_good_one(
    serve: Serve, make_service: MakeService, make_request: MakeRequest, ec_key: Any
) -> None:
    profile = ClientProfile(
        name="test-ehr", iss="https://ehr.example.org", jwks={"keys": [ec_key.public]}
    )
    base = serve(
        make_service(),
        authenticator=JwtAuthenticator([profile]),
        public_url="https://cds.example.org",
        rate_limits=RateLimits("5/hour", "2/hour"),
    )
    url = f"{base}/cds-services/greeting"
    answers = [post(url, make_request()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    for _ in range(5):
        token = ec_key.sign("https://cds.example.org/cds-services/greeting")
        good = post(url, make_request(), headers={"Authorization": f"Bearer {token}"})
        assert good.status_code == 200


def test_a_rate_starts_anew_when_its_time_is_over() -> None:
    limits = RateLimits("2/minute")
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as clock:
        limits.count_client("one")
        clock.shift(50)
        limits.count_client("one")
        with pytest.raises(TooManyRequests) as caught:
            limits.count_client("one")
        assert caught.value.headers["Retry-After"] == "10"
        clock.shift(10)
        limits.count_client("one")


def test_of_many_threads_no_more_are_let_in_than_the_rate_allows() -> None:
    limits, refused = RateLimits("100/hour"), []

    def call() -> None:
        for _ in range(40):
            try:
                limits.count_client("one")
            except TooManyRequests:
                refused.append(1)

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 100


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with running_redis(tmp_path) as url:
        yield url


def test_workers_that_share_redis_count_together(redis_url: str) -> None:
    first = RateLimits("3/hour", redis_url=redis_url)
    second = RateLimits("3/hour", redis_url=redis_url)
    for limits in (first, second, first):
        limits.count_client("one")
    for limits in (first, second):
        with pytest.raises(TooManyRequests):
            limits.count_client("one")
        limits.count_client(f"another {id(limits)}")


def test_without_redis_each_worker_counts_for_itself_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = RateLimits("2/hour", redis_url="redis://127.0.0.1:1/0")
    limits.count_client("one")
    limits.count_client("one")
    with pytest.raises(TooManyRequests):
        limits.count_client("one")
    assert "rate-limit-store-failed" in caplog.text


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


LEVELS = [
    ("", 0),
    ("1", 0),
    ("{}", 1),
    ('{"a":[{"b":[]}]}', 4),
    ('{"a":"[[[{{{","b":[]}', 2),
    ('{"a":"]]]}}}","b":[[]]}', 3),
    (r'{"a":"\"[[[","b":"\\","c":"[[["}', 1),
    (r'{"a":"\\\"[[[\\","b":[[]]}', 3),
    ('["]",["]",["]",["[","[","["]]]]', 4),
    ('{"[":{"]":{}}}', 3),
    (nested(100), 100),
    (nested(3) + nested(2), 3),
]


@pytest.mark.parametrize(("text", "levels"), LEVELS)
def test_levels_are_counted_outside_of_strings(text: str, levels: int) -> None:
    assert depth(text.encode()) == levels


@pytest.mark.parametrize(
    ("text", "levels"),
    [*LEVELS, ('[{"a":' * 9 + "1" + "}]" * 9, 18), ("[[1],{}," * 20 + "1" + "]" * 20, 21)],
)
@pytest.mark.parametrize("most", [1, 2, 3, 4, 17, 18, 20, 21, 99, 100])
def test_a_text_is_refused_from_one_level_too_many_on(text: str, levels: int, most: int) -> None:
    limits = BodyLimits(max_depth=most)
    if levels <= most:
        limits.check(text.encode())
    else:
        with pytest.raises(BadRequest):
            limits.check(text.encode())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("{}", 0),
        ('{"resourceType":"Patient"}', 1),
        ('{"a":{"resourceType" : "Patient","contained":[{"resourceType":"Device"}]}}', 2),
        (r'{"resource\u0054ype":"Patient","x":{"\u0072esourceTyp\u0065":"Device"}}', 2),
        (r'{"a":"\"resourceType\"","resourceTypes":1,"b":"\u00fc"}', 0),
    ],
)
def test_resources_are_counted_however_their_name_is_written(text: str, count: int) -> None:
    assert resource_count(text.encode()) == count


@pytest.mark.clause("N-10")
def test_a_body_beyond_a_limit_is_refused_with_the_limit_and_one_within_is_read(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    limits = BodyLimits(max_bytes=100_000, max_depth=20, max_resources=3)
    url = f"{serve(make_service(), body_limits=limits)}/cds-services/greeting"
    deep = {"resourceType": "Patient", "x": json.loads(nested(19))}
    told = outcome_of(post(url, make_request(prefetch={"patient": deep})), 400, "too-costly")
    assert told == "The body is nested deeper than 20 levels."
    deep["x"] = json.loads(nested(17))
    assert post(url, make_request(prefetch={"patient": deep})).status_code == 200
    page = [{"resource": {"resourceType": "Observation"}}] * 3
    bundle = {"resourceType": "Bundle", "entry": page}
    told = outcome_of(post(url, make_request(prefetch={"patient": bundle})), 413, "too-long")
    assert told == "The body holds more than 3 resources."
    bundle["entry"] = page[:2]
    assert post(url, make_request(prefetch={"patient": bundle})).status_code == 200
    told = outcome_of(post(url, {"x": "y" * 100_000}), 413, "too-long")
    assert told == "The body is larger than 100000 bytes."


@pytest.mark.clause("N-10")
@pytest.mark.parametrize("levels", [65, 500, 5_000, 1_000_000])
def test_nesting_without_end_is_refused_in_feedback_too(
    serve: Serve, make_service: MakeService, levels: int
) -> None:
    response = requests.post(
        f"{serve(make_service())}/cds-services/greeting/feedback",
        data=b'{"feedback":' + nested(levels).encode() + b"}",
        headers={"Content-Type": "application/json"},
        timeout=PATIENCE,
    )
    assert outcome_of(response, 400, "too-costly") == "The body is nested deeper than 64 levels."


SMALL = BodyLimits(
    max_bytes=1_000_000,
    max_resources=40,
    max_drafts=3,
    max_feedback=3,
    max_prefetch_keys=3,
    max_envelope_bytes=5_000,
    max_envelope_elements=60,
    max_resource_elements=30,
    max_prefetch_elements=100,
    small_bytes=1,
)
OBSERVATION = {"resource": {"resourceType": "Observation"}}
CONDITION = {"resource": {"resourceType": "Condition"}}


def bundle(*entries: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": list(entries)}


@pytest.mark.clause("N-10")
@pytest.mark.parametrize(
    ("prefetch", "told"),
    [
        ({"a": bundle(*[OBSERVATION] * 30)}, None),
        ({"a": bundle(*[OBSERVATION] * 20), "b": bundle(*[CONDITION] * 6)}, "40 resources"),
        ({"a": bundle(*[None] * 10)}, None),
        ({"a": bundle(*[None] * 11)}, "40 resources"),
        ({"a": bundle(*[1] * 50)}, "40 resources"),
        ({"a": bundle(*[{"resource": {}}] * 11)}, "40 resources"),
        ({"a": bundle({"resource": {"contained": [{}] * 26}})}, None),
        ({"a": bundle({"resource": {"contained": [1] * 40}})}, "40 resources"),
        ({"a": bundle({"resource": {"contained": "none"}})}, None),
        ({"a": bundle({"resource": {"component": [{}] * 30}})}, "30 objects and arrays"),
        ({"a": {"resourceType": "Patient", "name": [{}] * 30}}, "30 objects and arrays"),
        ({"a": bundle(*[{"resource": {"name": [{}] * 20}}] * 5)}, "100 objects and arrays"),
        ({"a": {"entry": {}}}, None),
        (dict.fromkeys("abc"), None),
        (dict.fromkeys("abcd"), "3 keys"),
    ],
)
def test_a_prefetch_is_counted_by_what_it_costs_to_read(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    prefetch: dict[str, Any],
    told: str | None,
) -> None:
    """An entry without a type, and the elements of one resource, cost like any other."""
    url = f"{serve(make_service(), body_limits=SMALL)}/cds-services/greeting"
    answer = post(url, make_request(prefetch=prefetch))
    if told is None:
        assert answer.status_code == 200, answer.text
    else:
        assert f"holds more than {told}" in outcome_of(answer, 413, "too-long")


@pytest.mark.clause("N-10")
@pytest.mark.parametrize(
    ("drafts", "extension", "told"),
    [
        ([{}] * 3, None, None),
        ([{}] * 4, None, "holds more than 3 entries"),
        ([{"dosageInstruction": [{}] * 60}], None, "60 objects and arrays outside of prefetch"),
        ([{}], {"x": [[]] * 60}, "60 objects and arrays outside of prefetch"),
        ([{}], {"x": "y" * 5_000}, "5000 bytes outside of prefetch"),
    ],
)
def test_what_stands_outside_the_prefetch_has_limits_of_its_own(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    drafts: list[dict[str, Any]],
    extension: Any,
    told: str | None,
) -> None:
    """A draft is read, judged and sent back, so that far fewer are let in than results."""
    url = f"{serve(make_service(hook='order-sign'), body_limits=SMALL)}/cds-services/greeting"
    request = make_request("order-sign", extension=extension)
    orders = [{"resource": {"resourceType": "MedicationRequest", **draft}} for draft in drafts]
    request["context"] = {**request["context"], "draftOrders": bundle(*orders)}
    answer = post(url, request)
    if told is None:
        assert answer.status_code == 200, answer.text
    else:
        assert told in outcome_of(answer, 413, "too-long")


@pytest.mark.clause("N-10")
def test_too_much_feedback_at_once_is_refused_whole_and_the_client_told_to_send_parts(
    serve: Serve, make_service: MakeService
) -> None:
    given = {
        "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-20T10:05:31Z",
    }
    stored: list[Any] = []

    def sink(_: str, request: Any, __: str) -> int:
        stored.append(request)
        return len(request.feedback)

    base = serve(make_service(), body_limits=SMALL, feedback_sink=sink)
    url = f"{base}/cds-services/greeting/feedback"
    assert post(url, {"feedback": [given] * 3}).status_code == 200
    told = outcome_of(post(url, {"feedback": [given] * 4}), 413, "too-long")
    assert told == "More than 3 entries came at once; send them in parts."
    long = {**given, "overrideReason": {"userComment": "y" * 5_000}}
    assert "5000 bytes" in outcome_of(post(url, {"feedback": [long]}), 413, "too-long")
    assert len(stored) == 1


@pytest.mark.parametrize("limit", BodyLimits.__dataclass_fields__)
def test_a_limit_of_nothing_is_refused_at_the_start(limit: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        BodyLimits(**{limit: 0})


@pytest.mark.parametrize(
    "rate", ["", "fast", "10", "0/minute", "10/fortnight", "5/minute;1/second"]
)
def test_a_rate_that_cannot_be_read_is_refused_at_the_start(rate: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        RateLimits(rate)
