"""Taking references apart: relative, absolute, versioned, urn and contained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cds_service.fhir.remembered import remembered

_TYPE = re.compile(r"[A-Z][A-Za-z]+\Z")


@dataclass(frozen=True, slots=True)
class ParsedReference:
    """`Type/id` of a reference, the server base if one was named, the version if one was named.

    For a urn or a fragment `resource_type` and `id` are empty and `urn` or `fragment` is set.
    """

    resource_type: str = ""
    id: str = ""
    base: str | None = None
    version: str | None = None
    urn: str | None = None
    fragment: str | None = None

    @property
    def key(self) -> str | None:
        """`Type/id`, or None for a urn or a fragment."""
        return f"{self.resource_type}/{self.id}" if self.resource_type else None


@remembered(1024)
def parse_reference(text: str | None) -> ParsedReference | None:
    """Parse a FHIR reference; None when it is empty or names no `Type/id`."""
    text = (text or "").strip()
    if not text:
        return None
    if text.startswith("#"):
        return ParsedReference(fragment=text[1:]) if len(text) > 1 else None
    if text.lower().startswith("urn:"):
        return ParsedReference(urn=text)
    version: str | None = None
    base: str | None = None
    path = text
    if "://" in text:
        try:
            parts = urlsplit(text)
        except ValueError:
            return None
        path = parts.path
        base = f"{parts.scheme}://{parts.netloc}"
    path = path.split("?", 1)[0].split("#", 1)[0]
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) >= 4 and segments[-2] == "_history":
        version = segments[-1]
        segments = segments[:-2]
    if len(segments) < 2 or not _TYPE.match(segments[-2]):
        return None
    if base is not None:
        base = "/".join([base, *segments[:-2]])
    elif len(segments) != 2:
        return None
    return ParsedReference(segments[-2], segments[-1], base=base, version=version)


def server_of(base: str | None) -> str | None:
    """Host and path of a server's base address in a comparable form; None for what is none.

    http and https count as the same server: gateways rewrite the scheme of their own addresses.
    """
    try:
        parts = urlsplit((base or "").strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    place = host.lower() if port in (None, 80, 443) else f"{host.lower()}:{port}"
    path = "/".join(segment for segment in parts.path.split("/") if segment)
    return f"{place}/{path}" if path else place


def reference_key(text: str | None) -> str | None:
    """`Type/id` of a relative or absolute reference, else None."""
    parsed = parse_reference(text)
    return parsed.key if parsed else None
