"""Checks that what cannot be taken is refused, clearly and without a crash (N-10 to N-13, D-xx).

An empty list of cards is the worst answer to a request that could not be read: a clinician sees
"nothing to say" where nothing was looked at.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

from cds_service.conformance import samples
from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.exchange import Answer, UnreachableError
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Asked, Json, Subject

CHECKS = Register()

NOWHERE = "conformance-kit-no-such-service"
PLANTED = "zzconformancesecretzz"
LARGE_BYTES = 64 * 1024 * 1024
_TRACES = {
    b"Traceback (most recent call last)": "Python",
    b'File "': "Python",
    b"goroutine ": "Go",
    b"\tat ": "Java or .NET",
    b"   at ": "Java, .NET or Node",
}
"""What gives a stack trace away, and whose it is, the surest first."""


def _trace(answer: Answer) -> str | None:
    """Which stack trace stands in the body of an answer."""
    for mark, language in _TRACES.items():
        if mark in answer.body:
            return f"a {language} stack trace"
    return None


def _must_refuse(place: str, answer: Answer, what: str, wanted: int) -> Found:
    """A 4xx is a refusal; another one than is usual is noted."""
    if not answer.refused:
        seen = _trace(answer)
        told = f" and {seen} in the body" if seen else ""
        yield f"{place}: {what} was answered with {answer.status}{told}"
    elif answer.status != wanted:
        yield Problem(f"{place}: {what} was answered with {answer.status}, not {wanted}", "ours")


@CHECKS.check("unknown-service", "D-01", "N-12", "E-54", strength="robust")
def unknown_service(subject: Subject) -> Found:
    """A service that does not exist is 404."""
    body = samples.request_for(subject.services[0])
    yield from _must_refuse("services", subject.caller.post(body, NOWHERE), "an unknown id", 404)


@CHECKS.check("wrong-hook", "D-04", "N-12", "C-02", "R-23", strength="robust")
def wrong_hook(subject: Subject) -> Found:
    """A hook that the service is not registered for is 400."""
    for item, body in subject.variants(hook="org.example.conformance-kit"):
        found = subject.call(item.service, body)
        yield from _must_refuse(item.place, found, "another hook", 400)


@CHECKS.check("wrong-method", "D-08", "N-12", "C-01", "E-41", strength="robust")
def wrong_method(subject: Subject) -> Found:
    """GET on a service is 405 and names the methods that work."""
    for service in subject.services:
        found = subject.caller.get(service["id"])
        yield from _must_refuse(service["id"], found, "GET on a service", 405)
        if found.status == 405 and "POST" not in found.headers.get("Allow", ""):
            yield Problem(f"{service['id']}: the 405 does not allow POST", "ours")


def _broken(item: Asked) -> dict[str, bytes]:
    text = json.dumps(item.body)
    inside = text[1:-1]
    return {
        "an empty body": b"",
        "an array": b"[]",
        "a text": b'"x"',
        "half a body": text[: len(text) // 2].encode(),
        "a comment": ("{/* note */" + inside + "}").encode(),
        "a trailing comma": ("{" + inside + ",}").encode(),
        "NaN": ("{" + inside + ', "number": NaN}').encode(),
        "UTF-16": text.encode("utf-16"),
    }


@CHECKS.check("not-json", "D-02", "D-16", "N-10", "R-06", strength="robust")
def not_json(subject: Subject) -> Found:
    """A body that is no JSON object is 400."""
    for item in subject.working:
        for what, body in _broken(item).items():
            found = subject.call(item.service, body)
            yield from _must_refuse(item.place, found, what, 400)


@CHECKS.check("member-twice", "D-16", "N-10", strength="ours")
def member_twice(subject: Subject) -> Found:
    """A body with a member twice is 400, because two readers would see two requests."""
    for item in subject.working:
        text = json.dumps(item.body)
        doubled = '{"hook": "patient-view", ' + text[1:]
        if not subject.call(item.service, doubled.encode()).refused:
            yield f"{item.place}: a body with a member twice was not refused"


@CHECKS.check("not-declared-json", "D-06", strength="ours")
def not_declared_json(subject: Subject) -> Found:
    """A body that is declared as something else than JSON is 415."""
    for item, body in subject.variants():
        found = subject.call(item.service, body, headers={"Content-Type": "text/plain"})
        yield from _must_refuse(item.place, found, "text/plain", 415)


@CHECKS.check("large-body", "D-07", "N-10", strength="robust")
def large_body(subject: Subject) -> Found:
    """A body of 64 MB is answered or refused with 413, and the service lives on."""
    item = subject.working[0]
    body = json.dumps({**item.body, "conformanceKitPadding": "x" * LARGE_BYTES}).encode()
    try:
        found = subject.call(item.service, body)
    except UnreachableError:
        pass  # A server may hang up on a body that it will not read.
    else:
        if found.status >= 500 or not (found.refused or found.cards is not None):
            yield f"{item.place}: a body of 64 MB was answered with {found.status}"
        elif found.refused and found.status != 413:
            yield Problem(f"{item.place}: a body of 64 MB is {found.status}, not 413", "ours")
    if subject.call(item.service, item.body).cards is None:
        yield f"{item.place}: after a body of 64 MB the service no longer answers"


def _without(value: Json, name: str) -> Json:
    return {member: item for member, item in value.items() if member != name}


def _spoilt(value: Json, name: str) -> Iterator[tuple[str, Json]]:
    """The object with one member removed, null, and of a wrong type."""
    yield "missing", _without(value, name)
    yield "null", {**value, name: None}
    yield "of a wrong type", {**value, name: 7}


@CHECKS.check("required-root", "D-03", "N-11", "C-02", "C-03", "C-06", "I-20", strength="robust")
def required_root(subject: Subject) -> Found:
    """A request whose hook, hookInstance or context cannot be used is 400."""
    for item in subject.working:
        for name in ("hook", "hookInstance", "context"):
            for how, body in _spoilt(item.body, name):
                found = subject.call(item.service, body)
                yield from _must_refuse(item.place, found, f"{name} {how}", 400)
                yield from _names(item, found, name)


@CHECKS.check("required-context", "D-03", "N-11", "C-06", "I-23", strength="robust")
def required_context(subject: Subject) -> Found:
    """A request that lacks a required field of its context is 400."""
    asked = False
    for item in subject.working:
        for name in samples.required_fields(item.service["hook"]):
            asked = True
            for how, context in _spoilt(item.body["context"], name):
                found = subject.call(item.service, {**item.body, "context": context})
                yield from _must_refuse(item.place, found, f"context.{name} {how}", 400)
                yield from _names(item, found, name)
    if not asked:
        raise NotTestedError("no service is on a hook of the library")


def _names(item: Asked, answer: Answer, name: str) -> Found:
    if answer.refused and name.encode() not in answer.body:
        yield Problem(f"{item.place}: the refusal does not name {name}", "ours")


@CHECKS.check("authorization-without-server", "N-13", "C-04", "C-05", strength="robust")
def authorization_without_server(subject: Subject) -> Found:
    """A request with fhirAuthorization and no fhirServer is 400."""
    authorization = {
        "access_token": PLANTED,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/Patient.read",
        "subject": "conformance-kit",
    }
    for item, body in subject.variants(fhirAuthorization=authorization):
        body.pop("fhirServer", None)
        found = subject.call(item.service, body)
        yield from _must_refuse(item.place, found, "fhirAuthorization without fhirServer", 400)


def _refusals(subject: Subject) -> Iterator[tuple[str, Answer]]:
    """Refusals of several kinds, to requests that hold something planted."""
    for item in subject.working:
        person = {"resourceType": "Patient", "name": [{"family": PLANTED}]}
        spoilt = copy.deepcopy(item.body)
        spoilt["context"]["patientId"] = [PLANTED, person]
        spoilt["prefetch"] = dict.fromkeys(item.service.get("prefetch", {}), person)
        yield item.place, subject.call(item.service, spoilt)
        broken = json.dumps(spoilt).encode()[:-2]
        yield item.place, subject.call(item.service, broken)
        yield item.place, subject.caller.get(item.service["id"])
        yield "an unknown service", subject.caller.post(spoilt, NOWHERE)


@CHECKS.check("error-outcome", "R-88", "R-90", "R-13", "D-02", strength="SHOULD")
def error_outcome(subject: Subject) -> Found:
    """A refusal is an OperationOutcome with severity and code, but for a bare 401 or 403."""
    for place, answer in _refusals(subject):
        if not answer.refused or answer.status in {401, 403}:
            continue
        content = answer.content
        issues = content.get("issue") if isinstance(content, dict) else None
        if (
            not isinstance(content, dict)
            or content.get("resourceType") != "OperationOutcome"
            or not isinstance(issues, list)
            or not issues
            or not all(
                isinstance(one, dict) and {"severity", "code"} <= one.keys() for one in issues
            )
        ):
            yield f"{place}: the body of a {answer.status} is no OperationOutcome"


@CHECKS.check("error-tells-nothing", "R-90", "N-70", strength="robust")
def error_tells_nothing(subject: Subject) -> Found:
    """A refusal holds no stack trace and repeats nothing that was sent."""
    for place, answer in _refusals(subject):
        if (seen := _trace(answer)) is not None:
            yield f"{place}: the body of a {answer.status} holds {seen}"
        if PLANTED.encode() in answer.body:
            yield f"{place}: the body of a {answer.status} repeats what was sent"


@CHECKS.check("slashes", "D-14", "S-05", strength="ours")
def slashes(subject: Subject) -> Found:
    """A slash too many is served, not redirected."""
    for item in subject.working:
        name = str(item.service["id"])
        for path in (f"{name}/", f"/{name}"):
            found = subject.caller.post(item.body, path, audience=subject.caller.url(name))
            if found.cards is None:
                yield f"{item.place}: a slash too many was answered with {found.status}"


@CHECKS.check("no-store", "D-15", strength="ours")
def no_store(subject: Subject) -> Found:
    """Answers to calls are not to be kept by caches."""
    for item in subject.answered:
        if "no-store" not in item.answer.headers.get("Cache-Control", ""):
            yield f"{item.place}: Cache-Control is not no-store"
