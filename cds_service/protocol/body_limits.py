"""How much a body may hold, of each thing that costs time to read; checked before it is read.

What can be is counted on the bytes, because reading a hostile body is what this is to prevent.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from cds_service.protocol.errors import BadRequest, TooLarge

_MARKS = b'[]{}"'
_NOT_MARKS = bytes(set(range(256)) - set(_MARKS))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_MEMBER = b'"resourceType"'
# JSON may write any letter of a name as an escape, and a reader would see the same name.
_ESCAPED_MEMBER = re.compile(
    b'"' + b"".join(rb"(?:%c|\\u00(?i:%02x))" % (code, code) for code in b"resourceType") + b'"'
)


@dataclass(frozen=True)
class BodyLimits:
    """The most of what one request may hold, each by what it costs.

    ``max_resources`` counts a resource of the prefetch by :func:`weight`, whether or not it says
    its type. ``max_drafts`` are resources of the context's Bundle, which are read, judged and sent
    back. The envelope is everything besides the prefetch; its ``max_envelope_elements`` are
    objects and arrays, such as dosage instructions. Prefetches below ``small_bytes`` are not
    counted, because they cannot hold enough to cost anything.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_depth: int = 64
    max_resources: int = 20_000
    max_drafts: int = 200
    max_feedback: int = 1_000
    max_prefetch_keys: int = 1_000
    max_envelope_bytes: int = 1_000_000
    max_envelope_elements: int = 20_000
    max_resource_elements: int = 10_000
    max_prefetch_elements: int = 800_000
    small_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        if min(vars(self).values()) <= 0:
            raise ValueError("every limit of a body must be above zero")

    def check(self, body: bytes) -> None:
        """Raise BadRequest or TooLarge, naming the limit, for a body beyond one of them."""
        if _deeper_than(self.max_depth, body):
            raise BadRequest(
                f"The body is nested deeper than {self.max_depth} levels.", issue_code="too-costly"
            )
        # Each takes at least the name of its member: most bodies are too short to be counted.
        if (
            len(body) > self.max_resources * len(_MEMBER)
            and resource_count(body) > self.max_resources
        ):
            raise TooLarge(f"The body holds more than {self.max_resources} resources.")

    def check_envelope(self, parts: Iterable[bytes]) -> None:
        """Raise TooLarge for a request that holds too much outside of its prefetch."""
        envelope = b",".join(parts)
        if len(envelope) > self.max_envelope_bytes:
            raise TooLarge(
                f"The request holds more than {self.max_envelope_bytes} bytes outside of prefetch."
            )
        if elements(envelope) > self.max_envelope_elements:
            raise TooLarge(
                f"The request holds more than {self.max_envelope_elements} objects and arrays"
                " outside of prefetch, such as dosage instructions of drafts."
            )

    def check_drafts(self, count: int, expression: str) -> None:
        """Raise TooLarge for more drafts in one call than anybody orders."""
        if count > self.max_drafts:
            raise TooLarge(
                f"The Bundle holds more than {self.max_drafts} entries.", expression=expression
            )

    def check_feedback(self, body: bytes) -> None:
        """Raise TooLarge for a delivery of feedback that holds too much, before it is read."""
        if len(body) > self.max_envelope_bytes:
            raise TooLarge(f"The feedback is larger than {self.max_envelope_bytes} bytes.")

    def check_feedback_entries(self, count: int, expression: str) -> None:
        """Raise TooLarge for too many entries; several deliveries may hold what one may not."""
        if count > self.max_feedback:
            raise TooLarge(
                f"More than {self.max_feedback} entries came at once; send them in parts.",
                expression=expression,
            )

    def check_prefetch(self, prefetch: Mapping[str, bytes], expression: str) -> None:
        """Raise TooLarge for a prefetch of more keys or resources than are read in time."""
        if len(prefetch) > self.max_prefetch_keys:
            raise TooLarge(
                f"The prefetch holds more than {self.max_prefetch_keys} keys.",
                expression=expression,
            )
        if sum(map(len, prefetch.values())) < self.small_bytes:
            return
        total = 0
        for value in prefetch.values():
            entries = _entries(value)
            if len(entries) <= self.max_resources:
                total += _weight_of_all(value, entries)
            if max(len(entries), total) > self.max_resources:
                raise TooLarge(
                    f"The prefetch holds more than {self.max_resources} resources; an Observation"
                    f" counts once, any other {_OTHER_WEIGHT} times.",
                    expression=expression,
                )
            # An element takes two characters at least: most entries are too short to be counted.
            if any(
                memoryview(entry).nbytes > 2 * self.max_resource_elements
                and elements(entry) > self.max_resource_elements
                for entry in entries
            ):
                raise TooLarge(
                    f"A resource of the prefetch holds more than {self.max_resource_elements}"
                    " objects and arrays.",
                    expression=expression,
                )
        if sum(map(elements, prefetch.values())) > self.max_prefetch_elements:
            raise TooLarge(
                f"The prefetch holds more than {self.max_prefetch_elements} objects and arrays.",
                expression=expression,
            )


class _Resource(msgspec.Struct, gc=False):
    kind: str = msgspec.field(name="resourceType", default="")
    contained: list[msgspec.Raw] = []


class _Entry(msgspec.Struct, gc=False):
    resource: _Resource | None = None


class _Page(msgspec.Struct, gc=False):
    entry: list[msgspec.Raw] | None = None


class _ReadPage(msgspec.Struct, gc=False):
    entry: list[_Entry | None]


_entry = msgspec.json.Decoder(_Entry | None)
_read_page = msgspec.json.Decoder(_ReadPage)
_page = msgspec.json.Decoder(_Page)
_OTHER_WEIGHT = 4
"""An order or a diagnosis takes several times as long to read as a result."""


def _entries(value: bytes) -> list[msgspec.Raw]:
    """The entries of a Bundle; what is none counts as one."""
    try:
        entries = _page.decode(value).entry
    except msgspec.DecodeError:
        entries = None
    return [msgspec.Raw(value)] if entries is None else entries


def weight(entry: msgspec.Raw) -> int:
    """What one entry of a Bundle costs to read, with what is contained in its resource."""
    try:
        found = _entry.decode(entry)
    except msgspec.DecodeError:
        found = None
    return _weight_of(found)


def _weight_of_all(value: bytes, entries: Iterable[msgspec.Raw]) -> int:
    """The weight of all entries, read at once where none of them is odd."""
    try:
        return sum([_weight_of(entry) for entry in _read_page.decode(value).entry])
    except msgspec.DecodeError:
        return sum(map(weight, entries))


def _weight_of(entry: _Entry | None) -> int:
    resource = entry.resource if entry is not None else None
    if resource is None:
        return _OTHER_WEIGHT
    own = 1 if resource.kind == "Observation" else _OTHER_WEIGHT
    return own + len(resource.contained)


def elements(text: bytes | msgspec.Raw) -> int:
    """How many objects and arrays a JSON text holds, at most: those in strings count too."""
    text = bytes(text)
    return text.count(b"{") + text.count(b"[")


def _outside_of_strings(body: bytes) -> bytes:
    """The brackets and braces of a JSON text, without those in strings."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Brackets inside of strings do not count; most strings hold none and vanish at once.
    marks = body.translate(None, _NOT_MARKS).replace(b'""', b"")
    return b"".join(marks.split(b'"')[::2]) if b'"' in marks else marks


def _deeper_than(most: int, body: bytes) -> bool:
    """Whether more than so many arrays and objects of a JSON text are open at once."""
    left = outside = _outside_of_strings(body)
    # What opens and closes at once is taken away, objects and then arrays, which lowers the whole
    # by two levels at most: a text of which nothing is left after a few turns is not deep.
    for _ in range(most // 2):
        if not left:
            return False
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return bool(left) and _most_open(outside) > most


def _most_open(outside: bytes) -> int:
    return max(accumulate(array("b", outside.translate(_STEPS))), default=0)


def depth(body: bytes) -> int:
    """Return how many arrays and objects of a JSON text are open at once, at most.

    For a text that is no JSON the number means nothing.
    """
    return _most_open(_outside_of_strings(body))


def resource_count(body: bytes) -> int:
    """Return how many resources a JSON text holds, contained ones and Bundles among them."""
    if b"\\u00" in body:
        return len(_ESCAPED_MEMBER.findall(body))
    return body.count(_MEMBER)
