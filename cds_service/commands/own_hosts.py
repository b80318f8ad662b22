"""Answers only under names of this machine, for servers that let everybody in.

A page of somebody else, open in a browser on this machine, can let its own name point here and
then read what a service without a door answers. Such a request names that page's host.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

_ADVICE = (
    b"This service was not started for that host name. Call it by its address, or start it with"
    b" --host or with ALK_CDS_PUBLIC_URL for the name.\n"
)


class OwnHosts:
    """A WSGI application that passes on what was asked of a name of this machine."""

    def __init__(self, application: Callable[..., Any], host: str, public_url: str | None) -> None:
        """``host`` is what it listens on, ``public_url`` the address under which others come."""
        self._application = application
        names = {"localhost", host, socket.gethostname(), socket.getfqdn()}
        if public_url is not None:
            names.add(urlsplit(public_url).hostname or "")
        self._names = {name.lower() for name in names if name}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Refuse with 400 what names another host."""
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
        if host is None or self._is_own(host):
            return self._application(environ, start_response)
        return _refused(start_response)

    def _is_own(self, host: str) -> bool:
        # No page can make an address its own name.
        return host in self._names or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refused(start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(_ADVICE)))]
    start_response("400 Bad Request", headers)
    return [_ADVICE]
