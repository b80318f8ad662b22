"""Checks of everything that is sent: JSON, nulls, empties, extensions (S2 "Use of JSON")."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cds_service.conformance import samples
from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.exchange import JSON_TYPE, NotJsonError, strict_json
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import OWN_REQUEST, Subject

CHECKS = Register()

_MAY_BE_EMPTY = frozenset({".cards", ".services"})
_REVERSED_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


@CHECKS.check("https", "R-02", "I-01")
def https(subject: Subject) -> Found:
    """The service is reached over TLS only."""
    address = urlsplit(subject.caller.base_url)
    if address.scheme == "https":
        _ = subject.discovery  # Python's own settings refuse TLS below 1.2 and bad certificates.
    elif _is_this_machine(address.hostname or ""):
        raise NotTestedError("http on this machine; TLS belongs to the deployment")
    else:
        yield "the address is plain http"


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@CHECKS.check("json-bodies", "R-01", "R-06", "I-02", "I-11")
def json_bodies(subject: Subject) -> Found:
    """Every body is strict JSON and says that it is JSON."""
    for place, answer in subject.successes():
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type != JSON_TYPE and not media_type.endswith("+json"):
            yield f"{place}: the Content-Type is not {JSON_TYPE}"
        try:
            strict_json(answer.body)
        except NotJsonError as error:
            yield f"{place}: the body is not JSON: {error}"


def _values(value: Any, path: str = "", in_resource: bool = False) -> Iterator[tuple[str, Any]]:
    """Every value with its path; inside a resource a null may stand in an array (FHIR JSON)."""
    if isinstance(value, dict):
        inside = in_resource or "resourceType" in value
        for name, member in value.items():
            # Names inside a resource could be a patient's; outside it they are the protocol's.
            yield from _values(member, path if in_resource else f"{path}.{name}", inside)
    elif isinstance(value, list):
        for member in value:
            if member is None and in_resource:
                continue
            yield from _values(member, f"{path}[]", in_resource)
    yield path, value


@CHECKS.check("no-nulls", "R-03", "R-05")
def no_nulls(subject: Subject) -> Found:
    """Nothing that is sent is null."""
    for place, document in subject.documents():
        for path, value in _values(document):
            if value is None:
                yield f"{place}: {path.lstrip('.')} is null"


@CHECKS.check("no-empties", "R-04", "R-05", "R-07", "I-36")
def no_empties(subject: Subject) -> Found:
    """Nothing that is sent is empty, but for cards and services."""
    for place, document in subject.documents():
        for path, value in _values(document):
            if value in ("", [], {}) and not (value == [] and path in _MAY_BE_EMPTY):
                yield f"{place}: {path.lstrip('.')} is empty"


def _extensions(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every extension of CDS Hooks; FHIR resources have extensions of their own kind."""
    if isinstance(value, dict) and "resourceType" not in value:
        for name, member in value.items():
            if name == "extension":
                yield f"{path}.{name}".lstrip("."), member
            else:
                yield from _extensions(member, f"{path}.{name}")
    elif isinstance(value, list):
        for member in value:
            yield from _extensions(member, f"{path}[]")


@CHECKS.check("extension-objects", "R-195")
def extension_objects(subject: Subject) -> Found:
    """An extension is a JSON object."""
    for place, document in subject.documents():
        for path, value in _extensions(document):
            if not isinstance(value, dict):
                yield f"{place}: {path} is no object"


@CHECKS.check("extension-names", "R-196", strength="SHOULD")
def extension_names(subject: Subject) -> Found:
    """Members of an extension are named like reversed domains."""
    for place, document in subject.documents():
        for path, value in _extensions(document):
            names = value if isinstance(value, dict) else {}
            if not all(_REVERSED_DOMAIN.fullmatch(name) for name in names):
                yield f"{place}: {path} has a member that is not named like a reversed domain"


@CHECKS.check("answer", "R-85", "R-87", "I-11", "I-30")
def answer(subject: Subject) -> Found:
    """A call with its whole prefetch is answered with 200 and an array of cards."""
    refused = 0
    for item in subject.asked:
        if item.answer.refused and item.answer.status not in {404, 405}:
            refused += 1
            if item.label != OWN_REQUEST:
                yield f"{item.place}: refused with {item.answer.status}"
        elif item.answer.cards is None:
            yield f"{item.place}: answered with {item.answer.status} and no array of cards"
    if refused == len(subject.asked):
        raise NotTestedError(
            "every request was refused; give requests the services take with --request"
        )


@CHECKS.check("answer-has-guidance", "I-31", strength="ours")
def answer_has_guidance(subject: Subject) -> Found:
    """At least one request brings a card."""
    if not any(item.answer.cards for item in subject.answered):
        yield Problem("no request brought a card, so no card was looked at; use --request")


@CHECKS.check("cards-are-objects", "R-85", "I-30")
def cards_are_objects(subject: Subject) -> Found:
    """Every card is an object."""
    for item in subject.answered:
        for position, card in enumerate(item.answer.cards or []):
            if not isinstance(card, dict):
                yield f"{item.place}: cards[{position}] is no object"


@CHECKS.check("speed", "R-200", strength="SHOULD")
def speed(subject: Subject) -> Found:
    """Answers come within half a second, in the middle of three calls."""
    for item in subject.working:
        times = sorted(
            subject.call(item.service, {**item.body, "hookInstance": _fresh(item.service)}).seconds
            for _ in range(3)
        )
        if times[1] > 0.5:
            yield f"{item.place}: {times[1]:.1f} s"


def _fresh(service: dict[str, Any]) -> str:
    instance: str = samples.request_for(service)["hookInstance"]
    return instance
