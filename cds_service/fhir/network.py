"""Which addresses the FHIR client may talk to, judged on the open connection.

A name can resolve to a public address when it is checked and to a private one when it is used
(DNS rebinding). So the address is judged where it cannot change any more: on the connected
socket, before the first byte is sent and before TLS starts.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from cds_service.fhir.errors import AddressRefused, ServerRefused
from cds_service.sockets import EndableSockets

OnConnected = Callable[[socket.socket], socket.socket]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def is_public(text: str) -> bool:
    """True for an address of the public internet, also when it hides inside an IPv6 address."""
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(str(inner))
        # Only this block is given out for the internet. Elsewhere lie old and local forms, some
        # with an IPv4 address inside, that Python does not all know to be private.
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def checked_base(base_url: str, *, allow_private: bool) -> str:
    """The base URL without trailing slash, or ServerRefused.

    https only, unless private servers are allowed (development). No user name, query or
    fragment. An address written in numbers is judged here, a name when it is connected to.
    """
    if any(character.isspace() or ord(character) < 0x21 for character in base_url):
        raise ServerRefused("the FHIR server address holds blanks or control characters")
    try:
        parts = urlsplit(base_url)
        host, scheme = parts.hostname, parts.scheme.lower()
        # Reading the port raises ValueError when it is no number.
        _ = parts.port
    except ValueError:
        raise ServerRefused("the FHIR server address is not a URL") from None
    if scheme not in _DEFAULT_PORTS or not host or "\\" in base_url:
        raise ServerRefused("the FHIR server address is not an http(s) URL")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ServerRefused("the FHIR server address holds a user name, a query or a fragment")
    if has_dot_segment(parts.path):
        raise ServerRefused("the FHIR server address holds a dot segment")
    if not allow_private:
        if scheme != "https":
            raise ServerRefused("the FHIR server must be reached over https")
        if host == "localhost" or host.endswith(".localhost") or _is_private_literal(host):
            raise ServerRefused("the FHIR server has a private address")
    return base_url.rstrip("/")


def _is_private_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_public(host)


def has_dot_segment(path: str) -> bool:
    """True when a client library could resolve the path to some other place."""
    return "\\" in path or any(segment in {".", ".."} for segment in unquote(path).split("/"))


def is_below(url: str, base: str) -> bool:
    """True when `url` has the same scheme, host and port as `base` and a path at or below it."""
    try:
        here, there = urlsplit(url), urlsplit(base)
        origin = _origin(here.scheme, here.hostname, here.port)
        expected = _origin(there.scheme, there.hostname, there.port)
    except ValueError:
        return False
    if origin is None or origin != expected or "@" in here.netloc or has_dot_segment(here.path):
        return False
    root = there.path.rstrip("/")
    return here.path.rstrip("/") == root or here.path.startswith(root + "/")


def _origin(scheme: str, host: str | None, port: int | None) -> tuple[str, str, int] | None:
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host:
        return None
    return (scheme, host.lower(), _DEFAULT_PORTS[scheme] if port is None else port)


def _judge(connected: socket.socket) -> socket.socket:
    peer = connected.getpeername()[0]
    if not is_public(str(peer)):
        connected.close()
        raise AddressRefused("the FHIR server has a private address")
    return connected


class _HTTPConnection(HTTPConnection):
    def __init__(self, *arguments: Any, on_connected: OnConnected, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._on_connected = on_connected

    def _new_conn(self) -> socket.socket:
        return self._on_connected(super()._new_conn())


class _HTTPSConnection(HTTPSConnection):
    def __init__(self, *arguments: Any, on_connected: OnConnected, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._on_connected = on_connected

    def _new_conn(self) -> socket.socket:
        return self._on_connected(super()._new_conn())


class FhirAdapter(HTTPAdapter):
    """A requests adapter whose connections ``sockets`` can end, and that end at public addresses
    only unless private ones are allowed."""

    def __init__(
        self, retries: Retry, pool_size: int, sockets: EndableSockets, *, allow_private: bool
    ) -> None:
        self._sockets = sockets
        self._allow_private = allow_private
        super().__init__(max_retries=retries, pool_connections=1, pool_maxsize=pool_size)

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        """Use connection pools that look at each new connection."""
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_pool, HTTPConnectionPool, _HTTPConnection, self._connected),
            "https": partial(_pool, HTTPSConnectionPool, _HTTPSConnection, self._connected),
        }

    def _connected(self, connected: socket.socket) -> socket.socket:
        if not self._allow_private:
            _judge(connected)
        return self._sockets.hold(connected)


def _pool(
    kind: type[HTTPConnectionPool],
    connection: type[_HTTPConnection | _HTTPSConnection],
    on_connected: OnConnected,
    *arguments: Any,
    **keywords: Any,
) -> HTTPConnectionPool:
    pool = kind(*arguments, **keywords)
    pool.ConnectionCls = cast("Any", partial(connection, on_connected=on_connected))
    return pool
