"""Double slashes in a path, which some clients make when they join addresses (D-14, S-05)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SLASHES = re.compile(r"/{2,}")


class CollapseSlashes:
    """WSGI middleware that serves ``/cds-services//id`` as ``/cds-services/id``.

    It rewrites the path instead of redirecting: a redirected POST loses its body, and a
    redirected preflight fails. Use it as ``app.wsgi_app = CollapseSlashes(app.wsgi_app)``.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "//" in path:
            environ["PATH_INFO"] = _SLASHES.sub("/", path)
        return self._application(environ, start_response)
