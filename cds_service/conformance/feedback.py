"""Checks of the feedback endpoint and of browsers (S2 "Feedback" and "CORS"; N-50, N-60)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.exchange import JSON_TYPE, Answer
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.refusals import NOWHERE
from cds_service.conformance.subject import Json, Subject

CHECKS = Register()

WHEN = "2026-11-20T10:15:00Z"
STRANGER = "https://conformance-kit.invalid"
_EPIC = "com.epic.cdshooks.feedback.overrideReason."


def accepted(**changes: Any) -> Json:
    """A card whose suggestion was taken; no service has given this card."""
    entry = {
        "card": str(uuid4()),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": str(uuid4())}],
        "outcomeTimestamp": WHEN,
        **changes,
    }
    return {name: value for name, value in entry.items() if value is not None}


def overridden(**changes: Any) -> Json:
    """A card that was dismissed."""
    return accepted(outcome="overridden", acceptedSuggestions=None, **changes)


def _endpoints(subject: Subject) -> list[str]:
    """The services that take feedback. Raises NotTestedError: it is optional."""
    found = [
        service["id"]
        for service in subject.services
        if _send(subject, service["id"], [overridden()]).status not in {404, 405, 501}
    ]
    if not found:
        raise NotTestedError("no service takes feedback")
    return list(dict.fromkeys(found))


def _send(subject: Subject, service: str, entries: Any) -> Answer:
    return subject.caller.post({"feedback": entries}, service, "feedback")


def _taken(subject: Subject, forms: dict[str, list[Json]]) -> Iterator[str]:
    for service in _endpoints(subject):
        for what, entries in forms.items():
            found = _send(subject, service, entries)
            if not 200 <= found.status < 300:
                yield f"{service}: {what} was answered with {found.status}"


@CHECKS.check("feedback", "R-190", "R-191", "C-30", "C-31", "C-32", "C-33", "N-50")
def feedback(subject: Subject) -> Found:
    """Feedback as the specification describes it is taken."""
    coding = {"code": "conformance-kit", "system": "urn:conformance-kit", "display": "Kit"}
    again = accepted()
    return _taken(
        subject,
        {
            "an accepted suggestion": [accepted()],
            "two accepted suggestions": [accepted(acceptedSuggestions=[{"id": "a"}, {"id": "b"}])],
            "a reason": [overridden(overrideReason={"reason": coding})],
            "a comment": [overridden(overrideReason={"userComment": "conformance kit"})],
            "no reason": [overridden()],
            "a batch with repeats": [again, *([accepted(), overridden()] * 10), again],
            "the same again": [again],
            "another offset": [accepted(outcomeTimestamp="2026-11-20T12:15:00.123+02:00")],
        },
    )


@CHECKS.check("feedback-of-clients-in-use", "E-33", "S-10", "C-37", "C-08", "N-50",
              strength="ours")  # fmt: skip
def feedback_of_clients_in_use(subject: Subject) -> Found:
    """Feedback as clients in use write it is taken."""
    bare = {"reason": {"code": "conformance-kit"}}
    extension = {f"{_EPIC}Display": "Kit", f"{_EPIC}Title": "Kit"}
    return _taken(
        subject,
        {
            "a reason without system and display": [overridden(overrideReason=bare)],
            "overrideReasons": [overridden(overrideReasons={**bare, "extension": extension})],
            "unknown members": [accepted(conformanceKit=1, extension={"a": 1})],
        },
    )


@CHECKS.check("feedback-faulty", "C-31", "C-32", "C-33", "D-03", "N-50", strength="robust")
def feedback_faulty(subject: Subject) -> Found:
    """Feedback that says nothing usable is refused, without a crash."""
    faulty: dict[str, Any] = {
        "no array": {},
        "no card": [accepted(card=None)],
        "no outcome": [accepted(outcome=None)],
        "an unknown outcome": [accepted(outcome="ignored")],
        "no time": [accepted(outcomeTimestamp=None)],
        "a time that is none": [accepted(outcomeTimestamp="yesterday")],
        "accepted without a suggestion": [accepted(acceptedSuggestions=None)],
    }
    for service in _endpoints(subject):
        for what, entries in faulty.items():
            found = _send(subject, service, entries)
            if found.status >= 500:
                yield f"{service}: feedback with {what} was answered with {found.status}"
            elif not found.refused:
                yield Problem(f"{service}: feedback with {what} was taken", "ours")


@CHECKS.check("feedback-address", "R-190", "D-01", "D-08", strength="robust")
def feedback_address(subject: Subject) -> Found:
    """Feedback for no service is 404, and GET is 405."""
    services = _endpoints(subject)
    found = _send(subject, NOWHERE, [overridden()])
    if not found.refused:
        yield f"feedback for a service that does not exist was answered with {found.status}"
    for service in services:
        found = subject.caller.get(service, "feedback")
        if not found.refused:
            yield f"{service}: GET on feedback was answered with {found.status}"


def _origin(subject: Subject) -> str:
    if subject.origin is None:
        raise NotTestedError("needs a web origin that the service lets in")
    return subject.origin


def _preflight(subject: Subject, origin: str, method: str, *path: str) -> Answer:
    headers = {
        "Authorization": None,  # A browser sends no token here.
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return subject.caller.send("OPTIONS", subject.caller.url(*path), headers=headers)


def _listed(answer: Answer, name: str) -> set[str]:
    value = answer.headers.get(f"Access-Control-Allow-{name}", "")
    return {part.strip().lower() for part in value.split(",")}


@CHECKS.check("cors-preflight", "R-185", "N-60")
def cors_preflight(subject: Subject) -> Found:
    """A browser of a listed origin may ask before it sends, without a token."""
    origin, service = _origin(subject), subject.services[0]["id"]
    paths: list[tuple[str, tuple[str, ...]]] = [("GET", ()), ("POST", (service,))]
    if service in _feedback_or_none(subject):
        paths.append(("POST", (service, "feedback")))
    for method, path in paths:
        found = _preflight(subject, origin, method, *path)
        place = "/".join(("cds-services", *path))
        if not 200 <= found.status < 300:
            yield f"{place}: the preflight was answered with {found.status}"
        elif found.headers.get("Access-Control-Allow-Origin") not in (origin, "*"):
            yield f"{place}: the preflight does not allow the origin"
        # GET and POST need no listing: a browser allows both without being told.
        elif not {"authorization", "content-type"} <= _listed(found, "Headers"):
            yield f"{place}: the preflight does not allow both headers"


def _feedback_or_none(subject: Subject) -> list[str]:
    try:
        return _endpoints(subject)
    except NotTestedError:
        return []


@CHECKS.check("cors-answers", "R-185", "N-60")
def cors_answers(subject: Subject) -> Found:
    """A page of a listed origin may read answers, refusals too."""
    origin = _origin(subject)
    item = subject.working[0]
    headers = {"Origin": origin, "Content-Type": JSON_TYPE}
    answers = {
        "discovery": subject.caller.get(headers={"Origin": origin}),
        "an answer": subject.call(item.service, item.body, headers=headers),
        "a refusal": subject.call(item.service, b"{", headers=headers),
    }
    for what, found in answers.items():
        if found.headers.get("Access-Control-Allow-Origin") not in (origin, "*"):
            yield f"{what} may not be read by a listed origin"


@CHECKS.check("cors-strangers", "R-186", "N-60", strength="ours")
def cors_strangers(subject: Subject) -> Found:
    """A page of any other origin may read nothing."""
    item = subject.working[0]
    found = subject.call(item.service, item.body, headers={"Origin": STRANGER})
    answers = (found, _preflight(subject, STRANGER, "POST", item.service["id"]))
    if any(
        answer.headers.get("Access-Control-Allow-Origin") in (STRANGER, "*") for answer in answers
    ):
        yield f"{item.service['id']}: any web page may read the answers"
