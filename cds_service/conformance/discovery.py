"""Checks of discovery: what a server says that it offers (S2 "Discovery", R-10 to R-26)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from cds_service.conformance.checks import Found, Register
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Json, Subject
from cds_service.protocol.hook_definitions import hook_definition

CHECKS = Register()

_SEMANTIC_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([-+.][0-9A-Za-z.+-]+)?")
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


def entries(subject: Subject) -> Iterator[tuple[str, Json]]:
    """Every entry of discovery with its place in words."""
    if not subject.entries:
        raise NotTestedError("discovery lists no service")
    for position, entry in enumerate(subject.entries):
        if isinstance(entry, dict):
            yield f"services[{position}]", entry


def _let_in(subject: Subject) -> None:
    """A guarded discovery is allowed (R-13, R-26): without the right token nothing is asked."""
    if subject.discovery.status in (401, 403):
        raise NotTestedError(
            f"discovery was answered with {subject.discovery.status}: it wants a token that this"
            " service trusts (--signing-key with --issuer, or --token-command)"
        )


def _each(member: str, fit: Callable[[Any], bool], otherwise: str, subject: Subject) -> Found:
    for place, entry in entries(subject):
        if not fit(entry.get(member)):
            yield f"{place}.{member} {otherwise}"


def says_something(value: Any) -> bool:
    """Whether the value is text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


@CHECKS.check("discovery-answers", "R-10", "R-12", "I-02")
def discovery_answers(subject: Subject) -> Found:
    """Discovery answers GET with 200 and a JSON object."""
    _let_in(subject)
    if subject.discovery.status != 200:
        yield f"discovery was answered with {subject.discovery.status}"
    elif not isinstance(subject.discovery.content, dict):
        yield "the body of discovery is no JSON object"


@CHECKS.check("discovery-services", "R-11", "R-12", "I-03")
def discovery_services(subject: Subject) -> Found:
    """The member services is an array of objects."""
    _let_in(subject)
    content = subject.discovery.content
    listed = content.get("services") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        yield "services is no array of objects"


@CHECKS.check("service-hook", "R-14", "I-04")
def service_hook(subject: Subject) -> Found:
    """Each service names its hook."""
    return _each("hook", says_something, "is no text", subject)


@CHECKS.check("service-description", "R-16", "I-04")
def service_description(subject: Subject) -> Found:
    """Each service describes itself."""
    return _each("description", says_something, "is no text", subject)


@CHECKS.check("service-id", "R-17", "I-04")
def service_id(subject: Subject) -> Found:
    """Each service has an id that can stand in its address."""
    return _each(
        "id",
        lambda value: isinstance(value, str) and bool(_URL_SAFE.fullmatch(value)),
        "is no text of letters, digits, '.', '_', '~' and '-'",
        subject,
    )


@CHECKS.check("service-title", "R-15", strength="SHOULD")
def service_title(subject: Subject) -> Found:
    """Each service has a title."""
    return _each("title", says_something, "is missing", subject)


@CHECKS.check("service-prefetch", "R-18", "R-19")
def service_prefetch(subject: Subject) -> Found:
    """Prefetch, where it is there, maps keys to templates."""
    for place, entry in entries(subject):
        if "prefetch" not in entry:
            continue
        templates = entry["prefetch"]
        if not isinstance(templates, dict) or not all(map(says_something, templates.values())):
            yield f"{place}.prefetch is no object of texts"


@CHECKS.check("service-usage-requirements", "R-20")
def service_usage_requirements(subject: Subject) -> Found:
    """The usage requirements, where they are there, are text."""
    for place, entry in entries(subject):
        if "usageRequirements" in entry and not says_something(entry["usageRequirements"]):
            yield f"{place}.usageRequirements is no text"


@CHECKS.check("service-version", "R-21", strength="SHOULD")
def service_version(subject: Subject) -> Found:
    """The version, where it is there, is one of the specification, such as 2.0.1."""
    for place, entry in entries(subject):
        version = entry.get("version", "2.0.1")
        if not isinstance(version, str) or not _SEMANTIC_VERSION.fullmatch(version):
            yield f"{place}.version is no semantic version"


@CHECKS.check("service-hook-version", "R-22")
def service_hook_version(subject: Subject) -> Found:
    """The version of the hook, where it is there, is text."""
    for place, entry in entries(subject):
        if "hookVersion" in entry and not says_something(entry["hookVersion"]):
            yield f"{place}.hookVersion is no text"


@CHECKS.check("service-listed-once", "R-23", "S-03", strength="ours")
def service_listed_once(subject: Subject) -> Found:
    """An id stands once for each hook."""
    pairs = Counter((str(entry.get("id")), str(entry.get("hook"))) for _, entry in entries(subject))
    for (_, hook), times in pairs.items():
        if times > 1:
            yield f"one id is listed {times} times for {hook}"


@CHECKS.check("hook-name", "R-198")
def hook_name(subject: Subject) -> Found:
    """A hook is one of the library or named like a reversed domain."""
    for place, entry in entries(subject):
        hook = entry.get("hook")
        if isinstance(hook, str) and hook_definition(hook) is None:
            yield f"{place}.hook is neither of the hook library nor a reversed domain name"


@CHECKS.check("service-at-its-id", "R-17", "C-01", "I-10")
def service_at_its_id(subject: Subject) -> Found:
    """Each service answers POST at the address made of its id."""
    for item in subject.asked:
        if item.answer.status in {404, 405} or 300 <= item.answer.status < 400:
            yield f"{item.place}: answered with {item.answer.status}"
