"""Headers that keep a page harmless even if something odd got into it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Response

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|'self'")


def content_security_policy(
    frame_ancestors: Sequence[str], *, forms: bool = False, script: bool = False
) -> str:
    """The policy of a page: our own style sheet, and nothing else from anywhere.

    ``forms`` lets it send its form to this service, ``script`` lets it run our own script file
    and ask this service; inline script never runs. ``frame_ancestors`` are the origins that may
    show a page in a frame, none by default. Raises ValueError for one that is no origin: a stray
    semicolon would change the policy.
    """
    if any(not _ORIGIN.fullmatch(origin) for origin in frame_ancestors):
        raise ValueError("frame_ancestors must be origins such as https://ehr.example.org")
    framed_by = " ".join(frame_ancestors) or "'none'"
    form_action = "'self'" if forms else "'none'"
    scripts = "script-src 'self'; connect-src 'self'; " if script else ""
    return (
        f"default-src 'none'; {scripts}style-src 'self'; img-src 'self' data:; "
        f"form-action {form_action}; base-uri 'none'; frame-ancestors {framed_by}"
    )


def secure(response: Response, policy: str) -> Response:
    """Put the headers on ``response``.

    The referrer is withheld because the address of a decision page opens it.
    """
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if "frame-ancestors 'none'" in policy:
        response.headers["X-Frame-Options"] = "DENY"
    return response
