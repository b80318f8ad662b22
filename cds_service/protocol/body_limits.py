"""How deep a body may be nested and how many resources it may hold, before it is read.

Both are counted on the bytes, because reading a hostile body is what they are to prevent.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from itertools import accumulate

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
    """Most bytes, most levels of arrays and objects, and most resources of one request."""

    max_bytes: int = 20 * 1024 * 1024
    max_depth: int = 64
    max_resources: int = 20_000

    def __post_init__(self) -> None:
        if min(self.max_bytes, self.max_depth, self.max_resources) <= 0:
            raise ValueError("every limit of a body must be above zero")

    def check(self, body: bytes) -> None:
        """Raise BadRequest or TooLarge, naming the limit, for a body beyond one of them."""
        if depth(body) > self.max_depth:
            raise BadRequest(
                f"The body is nested deeper than {self.max_depth} levels.", issue_code="too-costly"
            )
        if resource_count(body) > self.max_resources:
            raise TooLarge(f"The body holds more than {self.max_resources} resources.")


def depth(body: bytes) -> int:
    """Return how many arrays and objects of a JSON text are open at once, at most.

    For a text that is no JSON the number means nothing.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Brackets inside of strings do not count; most strings hold none and vanish at once.
    marks = body.translate(None, _NOT_MARKS).replace(b'""', b"")
    outside = b"".join(marks.split(b'"')[::2])
    return max(accumulate(array("b", outside.translate(_STEPS))), default=0)


def resource_count(body: bytes) -> int:
    """Return how many resources a JSON text holds, contained ones and Bundles among them."""
    if b"\\u00" in body:
        return len(_ESCAPED_MEMBER.findall(body))
    return body.count(_MEMBER)
