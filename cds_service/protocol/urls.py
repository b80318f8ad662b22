"""Comparing the web addresses that clients, tokens and settings give."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

_SLASHES = re.compile("/{2,}")
_LONGEST = 500
"""Characters of an address that is kept."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """An absolute http(s) address, with the parts that compare without regard to spelling."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    fragment: str


def parse_address(text: str) -> Address | None:
    """Return the address, or None if ``text`` is not an absolute http(s) URL with a host.

    The scheme and host are lower-cased, a missing port becomes the scheme's default, and
    trailing slashes of the path are dropped. An address with a user name or password in it is
    refused: nothing in CDS Hooks needs one, and ``https://good.example@evil.example/`` reads
    as the wrong host.
    """
    # Few addresses come over and over. A long text is not kept: it could fill the memory.
    return _known_address(text) if len(text) <= _LONGEST else _address(text)


def _address(text: str) -> Address | None:
    if any(character.isspace() or ord(character) < 0x20 for character in text) or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return Address(
        scheme=scheme,
        host=parts.hostname.lower(),
        port=_DEFAULT_PORTS[scheme] if port is None else port,
        path=parts.path.rstrip("/"),
        query=parts.query,
        fragment=parts.fragment,
    )


_known_address = lru_cache(maxsize=512)(_address)


def is_absolute_url(text: str) -> bool:
    """Say whether ``text`` is an absolute http(s) URL."""
    return parse_address(text) is not None


def is_same_endpoint(left: str, right: str) -> bool:
    """Say whether two URLs name one endpoint (R-165); text that is no URL is never the same.

    A doubled slash in the path counts as one, as it does in the address that is called (D-14):
    a client that puts the path behind a base with a slash signs for what it calls.
    """
    one, other = parse_address(left), parse_address(right)
    return one is not None and other is not None and _single_slashes(one) == _single_slashes(other)


def _single_slashes(address: Address) -> Address:
    return replace(address, path=_SLASHES.sub("/", address.path))


def is_below(text: str, base: str) -> bool:
    """Say whether the URL ``text`` lies at or below the URL ``base``.

    Whole path segments are compared, so ``/fhir`` does not admit ``/fhir-other``, and a path
    with a dot segment is refused because a client library would resolve it elsewhere.
    """
    address, limit = parse_address(text), parse_address(base)
    if address is None or limit is None or address.query or address.fragment:
        return False
    if (address.scheme, address.host, address.port) != (limit.scheme, limit.host, limit.port):
        return False
    if any(segment in {".", ".."} for segment in unquote(address.path).split("/")):
        return False
    return address.path == limit.path or address.path.startswith(limit.path + "/")


def names_private_address(text: str) -> bool:
    """Say whether the URL's host is written as an address that is not publicly routed.

    Host names are not looked up here; whoever opens the connection judges the address that
    the name resolves to.
    """
    address = parse_address(text)
    if address is None:
        return False
    if address.host == "localhost" or address.host.endswith(".localhost"):
        return True
    try:
        return not ip_address(address.host).is_global
    except ValueError:
        return False
