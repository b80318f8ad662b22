"""Which web pages may read the service's answers (CDS Hooks 2.0.1, "CORS"; R-185, R-186)."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.wrappers import Response

from cds_service.protocol.urls import parse_address

_MAX_AGE_SECONDS = 600


class CorsPolicy:
    """A list of origins, such as ``https://sandbox.cds-hooks.org``, each spelt out.

    Raises ValueError for ``*`` or anything else that is not one origin: answers hold patient
    data.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        for origin in origins:
            address = parse_address(origin)
            if address is None or address.path or address.query or address.fragment:
                raise ValueError("every CORS origin must be scheme://host with an optional port")
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def allows(self, origin: str | None) -> bool:
        """Say whether a page of ``origin`` may read the answer."""
        return origin is not None and origin.lower() in self._origins

    def apply(self, response: Response, origin: str | None) -> None:
        """Add the headers every answer needs, errors too."""
        response.vary.add("Origin")
        if origin is not None and self.allows(origin):
            response.headers["Access-Control-Allow-Origin"] = origin

    def apply_preflight(self, response: Response, origin: str | None) -> None:
        """Add what the browser asks about before it sends the real request."""
        if self.allows(origin):
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
