"""Checks of cards, their sources and links (S2 "Card Attributes", R-100 to R-120, R-140 on)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Part, Subject, members

CHECKS = Register()

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
_HTML = re.compile(r"<(?:[A-Za-z][^<>]*|/[A-Za-z][^<>]*|!--)>?")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^<>\s]+>")
_SHORTEST_TOO_LONG = 140
_KNOWN = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior",
    "overrideReasons", "links", "extension",
}  # fmt: skip


def is_web_address(value: Any) -> bool:
    """Whether the value is an absolute http or https URL with a host."""
    if not isinstance(value, str) or re.search(r"\s", value):
        return False
    try:
        address = urlsplit(value)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False


def uuids(parts: Iterable[Part]) -> Found:
    """The uuid of each part, where it is there, is one, and no two are the same."""
    seen: set[str] = set()
    for part in parts:
        value = part.value.get("uuid")
        if value is None:
            yield Problem(f"{part.place} has no uuid, so feedback cannot name it", "ours")
        elif not isinstance(value, str) or not value:
            yield f"{part.place}.uuid is no text"
        else:
            if not _UUID.fullmatch(value):
                yield Problem(f"{part.place}.uuid is not written as a UUID", "SHOULD")
            if value in seen:
                yield f"{part.place}.uuid was given to something else already"
            seen.add(value)


@CHECKS.check("card-uuid", "R-100", "I-36")
def card_uuid(subject: Subject) -> Found:
    """A card's uuid is text, and no two cards have the same."""
    return uuids(subject.cards())


@CHECKS.check("card-summary", "R-101", "I-32", "I-33")
def card_summary(subject: Subject) -> Found:
    """The summary is one sentence of fewer than 140 characters."""
    for card in subject.cards():
        if not card.text("summary"):
            yield f"{card.place}.summary is no text"
            continue
        summary = str(card.value["summary"])
        # A client in Java or JavaScript counts UTF-16 units, one in Python code points.
        length = max(len(summary), len(summary.encode("utf-16-le", "surrogatepass")) // 2)
        if length >= _SHORTEST_TOO_LONG:
            yield f"{card.place}.summary has {length} characters"
        if len(summary.splitlines()) > 1:
            yield Problem(f"{card.place}.summary is more than one line", "ours")


@CHECKS.check("card-detail", "R-102", "R-103", "I-36")
def card_detail(subject: Subject) -> Found:
    """The detail, where it is there, is text."""
    for card in subject.cards():
        if card.has("detail") and not isinstance(card.value["detail"], str):
            yield f"{card.place}.detail is no text"


@CHECKS.check("card-detail-html", "R-103", "N-41", "S-12", strength="ours")
def card_detail_html(subject: Subject) -> Found:
    """The detail holds no raw HTML, which some clients would run."""
    for card in subject.cards():
        detail = card.value.get("detail")
        plain = _AUTOLINK.sub("", _CODE.sub("", detail)) if isinstance(detail, str) else ""
        if _HTML.search(re.sub(r"\\<", "", plain)):
            yield f"{card.place}.detail holds raw HTML"


@CHECKS.check("card-indicator", "R-104", "I-32", "I-34")
def card_indicator(subject: Subject) -> Found:
    """The indicator is info, warning or critical."""
    for card in subject.cards():
        if card.value.get("indicator") not in ("info", "warning", "critical"):
            yield f"{card.place}.indicator is none of the three"


@CHECKS.check("card-source", "R-105", "R-115", "I-32", "I-35")
def card_source(subject: Subject) -> Found:
    """Each card names its source by a label."""
    for card in subject.cards():
        source = card.value.get("source")
        if not isinstance(source, dict):
            yield f"{card.place}.source is no object"
        elif not isinstance(source.get("label"), str) or not source["label"].strip():
            yield f"{card.place}.source.label is no text"


@CHECKS.check("source-addresses", "R-116", "R-118")
def source_addresses(subject: Subject) -> Found:
    """Address and icon of a source are absolute URLs."""
    for source in subject.sources():
        for name in ("url", "icon"):
            if source.has(name) and not is_web_address(source.value[name]):
                yield f"{source.place}.{name} is no absolute http or https URL"


@CHECKS.check("source-address-general", "R-117", strength="SHOULD")
def source_address_general(subject: Subject) -> Found:
    """The address of a source is about the source, not about this patient."""
    for source in subject.sources():
        patient = str(source.asked.body.get("context", {}).get("patientId", ""))
        if patient and patient in str(source.value.get("url", "")):
            yield f"{source.place}.url names the patient"


@CHECKS.check("source-topic", "R-120", "R-197", "I-35")
def source_topic(subject: Subject) -> Found:
    """The topic of a source, where it is there, has a code and a system."""
    for source in subject.sources():
        if source.has("topic"):
            yield from _coding(source.value["topic"], f"{source.place}.topic", ())


def _coding(value: Any, place: str, also: tuple[str, ...]) -> Found:
    for name in ("code", "system", *also):
        member = value.get(name) if isinstance(value, dict) else None
        if not isinstance(member, str) or not member.strip():
            yield f"{place}.{name} is no text"


@CHECKS.check("card-arrays", "R-106", "R-109", "R-111", "I-36")
def card_arrays(subject: Subject) -> Found:
    """Suggestions, override reasons and links are arrays of objects."""
    for card in subject.cards():
        for name in ("suggestions", "overrideReasons", "links"):
            value = card.value.get(name, [])
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                yield f"{card.place}.{name} is no array of objects"


@CHECKS.check("override-reasons", "R-109", "R-110", "R-197", "I-38")
def override_reasons(subject: Subject) -> Found:
    """Each reason to override has a code, a system and a display."""
    reasons = [part for card in subject.cards() for part in members(card, "overrideReasons")]
    if not reasons:
        raise NotTestedError("no card offers a reason to override it")
    for reason in reasons:
        yield from _coding(reason.value, reason.place, ("display",))


@CHECKS.check("card-members", "R-112", strength="ours")
def card_members(subject: Subject) -> Found:
    """A card has only members that the specification knows."""
    for card in subject.cards():
        if not card.value.keys() <= _KNOWN:
            yield f"{card.place} has a member that belongs into extension"


@CHECKS.check("link-label", "R-140", "I-39")
def link_label(subject: Subject) -> Found:
    """Each link has a label."""
    for link in subject.links():
        if not link.text("label"):
            yield f"{link.place}.label is no text"


@CHECKS.check("link-address", "R-141", "I-39")
def link_address(subject: Subject) -> Found:
    """Each link leads to an absolute address."""
    for link in subject.links():
        if not is_web_address(link.value.get("url")):
            yield f"{link.place}.url is no absolute http or https URL"


@CHECKS.check("link-type", "R-142", "I-39")
def link_type(subject: Subject) -> Found:
    """Each link is absolute or smart."""
    for link in subject.links():
        if link.value.get("type") not in ("absolute", "smart"):
            yield f"{link.place}.type is neither absolute nor smart"


@CHECKS.check("link-app-context", "R-143", "I-39")
def link_app_context(subject: Subject) -> Found:
    """Only a smart link has an appContext, and it is text."""
    for link in subject.links():
        if link.has("appContext"):
            if link.value.get("type") != "smart":
                yield f"{link.place}.appContext is for smart links only"
            if not isinstance(link.value["appContext"], str):
                yield f"{link.place}.appContext is no text"


@CHECKS.check("link-autolaunch", "R-144", "R-145")
def link_autolaunch(subject: Subject) -> Found:
    """A link that opens by itself says so with true, and hides no warning."""
    for card in subject.cards():
        for link in members(card, "links"):
            if link.has("autolaunchable") and not isinstance(link.value["autolaunchable"], bool):
                yield f"{link.place}.autolaunchable is no boolean"
            if link.value.get("autolaunchable") is True and card.value.get("indicator") != "info":
                yield Problem(f"{link.place} may open instead of a warning", "ours")
