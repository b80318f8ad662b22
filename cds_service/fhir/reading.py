"""Reading what an EHR sent for one prefetch key, or one page of a search.

The whole Bundle is decoded in one pass. If anything in it is odd, each entry is read on its own,
so that one odd resource never costs the rest, and what could not be read is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import UnionType
from typing import Any, get_args

import msgspec

from cds_service.fhir.bundles import Bundle, BundleLink, BundleSearch
from cds_service.fhir.datatypes import DataType
from cds_service.fhir.outcomes import Outcome, outcomes_of
from cds_service.fhir.read_result import (
    NOT_GIVEN,
    UNREADABLE_LINK,
    Dropped,
    DropReason,
    ReadResult,
)
from cds_service.fhir.repair import repaired
from cds_service.fhir.shared import Sharing, settle, settled
from cds_service.fhir.views import AnyResource, Observation, OperationOutcome, Resource

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEARCH_RESULTS = frozenset({"searchset", "collection"})
_OLD_TYPES = frozenset({"MedicationOrder"})
_NO_MATCH = frozenset({"include", "outcome"})


class _Envelope(DataType, frozen=True):
    """The members that decide how a JSON object is read."""

    resource_type: Any = None
    type: Any = None
    total: Any = None
    link: msgspec.Raw = msgspec.Raw(b"null")
    entry: msgspec.Raw = msgspec.Raw(b"null")


class _Kind(DataType, frozen=True):
    resource_type: Any = None
    id: Any = None


class _LooseEntry(DataType, frozen=True):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw(b"null")
    search: BundleSearch | None = None


def _members(union: UnionType) -> dict[str, type[Resource]]:
    return {member.__name__: member for member in get_args(union)}


_TYPES = _members(AnyResource)
READ_TYPES = frozenset(_TYPES)
"""Names of the resource types that are read; others are reported as not read."""

# In a union msgspec insists on resourceType; alone, Bundle would accept any object as an empty one.
_page_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Bundle | AnyResource)
_resource_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyResource)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_kind_decoder = msgspec.json.Decoder(_Kind)
_entries_decoder = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_links_decoder = msgspec.json.Decoder(tuple[BundleLink, ...])
_entry_decoder = msgspec.json.Decoder(_LooseEntry)


def _exact(value: object) -> Decimal:
    """A number that remembers more than its digits is written by its digits."""
    if isinstance(value, Decimal):
        return Decimal(value)
    raise TypeError(f"no JSON type: {type(value).__name__}")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_exact)


def read_resources(raw: bytes | msgspec.Raw | Mapping[str, Any] | None) -> ReadResult:
    """Read a resource, a Bundle or an OperationOutcome. Never raises on odd content.

    A Mapping must hold JSON values (Decimals allowed). What cannot be read is in `dropped`.
    """
    if raw is None:
        return NOT_GIVEN
    if isinstance(raw, Mapping):
        try:
            raw = _encoder.encode(raw)
        except (TypeError, ValueError):
            return _nothing_but(Dropped("", None, DropReason.NOT_JSON))
    text = bytes(raw).removeprefix(_BYTE_ORDER_MARK).strip()
    if text in (b"", b"null"):
        return NOT_GIVEN
    try:
        page: Bundle | Resource = _page_decoder.decode(text)
        return (
            _read_bundle(page)
            if isinstance(page, Bundle)
            else _read_single(settled(page, Sharing()))
        )
    except msgspec.ValidationError:
        return _read_slowly(text)
    except (msgspec.DecodeError, RecursionError):
        return _nothing_but(Dropped("", None, DropReason.NOT_JSON))


def merged(pages: Sequence[ReadResult]) -> ReadResult:
    """Several pages of one search as one result; the last page's `next_link` is kept."""
    if len(pages) == 1:
        return pages[0]
    urls: dict[str, Resource] = {}
    for page in pages:
        urls.update(page.full_urls)
    return ReadResult(
        resources=tuple(resource for page in pages for resource in page.resources),
        outcomes=tuple(outcome for page in pages for outcome in page.outcomes),
        next_link=pages[-1].next_link if pages else None,
        dropped=tuple(entry for page in pages for entry in page.dropped),
        matched_none=bool(pages) and all(page.matched_none for page in pages),
        says_none=bool(pages) and all(page.says_none for page in pages),
        given=any(page.given for page in pages),
        full_urls=urls,
        matches=sum(page.matches for page in pages),
        # A server may count only once it has been through its results.
        total=next((page.total for page in reversed(pages) if page.total is not None), None),
        bundled=bool(pages) and all(page.bundled for page in pages if page.given),
        texts=tuple(text for page in pages for text in page.texts),
    )


def read_resource(raw: bytes | msgspec.Raw, sharing: Sharing | None = None) -> Resource | Dropped:
    """Read one resource of a known type, mending its shape if that is possible.

    What it shares with other resources of its page is read once with their `sharing`.
    """
    sharing = Sharing() if sharing is None else sharing
    try:
        resource: Resource = _resource_decoder.decode(raw)
        return settled(resource, sharing)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, RecursionError):
        return Dropped("", None, DropReason.NOT_JSON)
    try:
        kind = _kind_decoder.decode(raw)
    except msgspec.DecodeError:
        return Dropped("", None, DropReason.NO_RESOURCE_TYPE)
    name, identity = _text(kind.resource_type), _text(kind.id) or None
    if not name:
        return Dropped("", identity, DropReason.NO_RESOURCE_TYPE)
    if name == "Bundle":
        return Dropped(name, identity, DropReason.NESTED_BUNDLE)
    target = _TYPES.get(name)
    if target is None:
        # Not "not read here": what it holds would matter.
        why = DropReason.OLD_TYPE if name in _OLD_TYPES else DropReason.TYPE_NOT_READ
        return Dropped(name, identity, why)
    try:
        mended: Resource = _resource_decoder.decode(repaired(raw, target))
        return settled(mended, sharing)
    except (msgspec.DecodeError, ArithmeticError, RecursionError):
        return Dropped(name, identity, DropReason.UNREADABLE)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int | Decimal) else ""


def _nothing_but(dropped: Dropped) -> ReadResult:
    return ReadResult(dropped=(dropped,))


@dataclass(slots=True)
class _Page:
    """What one Bundle has held so far."""

    resources: list[Resource] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    urls: dict[str, Resource] = field(default_factory=dict)
    matches: int = 0

    def add(
        self,
        full_url: str | None,
        resource: Resource | Dropped | None,
        search: BundleSearch | None,
    ) -> None:
        if isinstance(resource, OperationOutcome):
            self.outcomes.extend(outcomes_of(resource))
            return
        self.matches += search is None or search.mode not in _NO_MATCH
        if resource is None:
            self.dropped.append(Dropped("", None, DropReason.NO_RESOURCE_TYPE))
        elif isinstance(resource, Dropped):
            self.dropped.append(resource)
        else:
            self.resources.append(resource)
            if full_url:
                self.urls[full_url] = resource

    def result(self, next_link: str | None, total: object, bundle_type: object) -> ReadResult:
        counted = _counted(total)
        # A type that is no text says nothing, and least of all that the page is a search.
        bundle_type = "" if not isinstance(bundle_type, str | None) else bundle_type
        nothing = not self.resources and not self.dropped and next_link is None
        says_none = bundle_type in _SEARCH_RESULTS and (counted == 0 or total is None)
        return ReadResult(
            resources=tuple(self.resources),
            outcomes=tuple(self.outcomes),
            next_link=next_link,
            dropped=tuple(self.dropped),
            matched_none=nothing
            and says_none
            and not any(outcome.serious for outcome in self.outcomes),
            says_none=nothing and says_none,
            full_urls=self.urls,
            matches=self.matches,
            total=counted,
            bundled=bundle_type is None or bundle_type in _SEARCH_RESULTS,
        )


def _counted(total: object) -> int | None:
    """How many results a server counted, written as a number or as text; None when unreadable."""
    if isinstance(total, str) and total.strip().isdecimal() and len(total) < 20:
        return int(total)
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _read_bundle(bundle: Bundle) -> ReadResult:
    page = _Page()
    sent = [entry.resource for entry in bundle.entry]
    results = [resource for resource in sent if type(resource) is Observation]
    sharing = Sharing()
    settle(results, sharing)
    settle([part for result in results for part in result.component], sharing)
    for entry in bundle.entry:
        page.add(entry.full_url, entry.resource, entry.search)
    return page.result(_next_link(bundle.link), bundle.total, bundle.type)


def _next_link(links: Iterable[BundleLink]) -> str | None:
    for link in links:
        if (link.relation or "").strip().lower() == "next":
            return (link.url or "").strip() or UNREADABLE_LINK
    return None


def _loose_next_link(raw: msgspec.Raw) -> str | None:
    """The next page by links in an odd shape: what is not read may be the one that leads on."""
    if bytes(raw) == b"null":
        return None
    try:
        return _next_link(_links_decoder.decode(raw))
    except msgspec.DecodeError:
        return UNREADABLE_LINK


def _read_slowly(text: bytes) -> ReadResult:
    try:
        envelope = _envelope_decoder.decode(text)
    except msgspec.ValidationError:
        return _nothing_but(Dropped("", None, DropReason.UNREADABLE))
    except (msgspec.DecodeError, RecursionError):
        return _nothing_but(Dropped("", None, DropReason.NOT_JSON))
    if envelope.resource_type == "Bundle":
        return _read_entries(envelope)
    return _read_single(read_resource(text))


def _read_single(resource: Resource | Dropped) -> ReadResult:
    if isinstance(resource, Dropped):
        return _nothing_but(resource)
    if isinstance(resource, OperationOutcome):
        return ReadResult(outcomes=tuple(outcomes_of(resource)))
    return ReadResult(resources=(resource,))


def _read_entries(envelope: _Envelope) -> ReadResult:
    unreadable = Dropped("Bundle", None, DropReason.UNREADABLE)
    try:
        entries = _entries_decoder.decode(_or_empty(envelope.entry))
    except msgspec.DecodeError:
        return _nothing_but(unreadable)
    page = _Page()
    sharing = Sharing()
    for raw in entries:
        try:
            entry = _entry_decoder.decode(raw)
        except msgspec.DecodeError:
            page.add(None, Dropped("", None, DropReason.UNREADABLE), None)
            continue
        sent = entry.resource
        resource = None if bytes(sent) == b"null" else read_resource(sent, sharing)
        page.add(entry.full_url, resource, entry.search)
    return page.result(_loose_next_link(envelope.link), envelope.total, envelope.type)


def _or_empty(raw: msgspec.Raw) -> bytes:
    text = bytes(raw)
    return b"[]" if text == b"null" else text
