"""What can go wrong in a CDS Hooks exchange, and how each fault is told to the client.

Every fault carries its HTTP status and one FHIR issue code, so that the answer can be an
OperationOutcome (CDS Hooks 3.0, "Returning OperationOutcome"). Two statuses stay bare on
purpose: a 401 or 403 that explains itself teaches an attacker what to try next.
"""

# The classes are named after the HTTP statuses they stand for, which do not end in "Error".
# ruff: noqa: N818

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, ClassVar

_MOST_FRAMES = 8


class ProtocolError(Exception):
    """A fault with an HTTP status.

    ``diagnostics`` and ``expression`` travel to the client and into logs, so they name
    elements and never repeat a value that was received. ``issue_code`` is from the FHIR value
    set http://hl7.org/fhir/ValueSet/issue-type.
    """

    status: ClassVar[int] = 500
    default_issue_code: ClassVar[str] = "exception"
    bare: ClassVar[bool] = False

    def __init__(
        self,
        diagnostics: str = "",
        *,
        expression: str | Sequence[str] = (),
        issue_code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        self.expression = (expression,) if isinstance(expression, str) else tuple(expression)
        self.issue_code = issue_code or self.default_issue_code
        self.headers: dict[str, str] = dict(headers or {})


class BadRequest(ProtocolError):
    """400: the body is not JSON, or breaks the CDS Hooks request rules (D-02 to D-04)."""

    status = 400
    default_issue_code = "structure"


class Unauthorized(ProtocolError):
    """401 without a reason (R-172). The reason goes to the log only, as a fixed code."""

    status = 401
    default_issue_code = "login"
    bare = True

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ProtocolError):
    """403 without a reason: the client is known but may not do this (D-10)."""

    status = 403
    default_issue_code = "forbidden"
    bare = True

    def __init__(self) -> None:
        super().__init__()


class NotFound(ProtocolError):
    """404: no such service or path (D-01)."""

    status = 404
    default_issue_code = "not-found"


class MethodNotAllowed(ProtocolError):
    """405 with the methods that would have worked (D-08)."""

    status = 405
    default_issue_code = "not-supported"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(
            "This address does not answer that HTTP method.",
            headers={"Allow": ", ".join(sorted(allowed))},
        )


class PreconditionFailed(ProtocolError):
    """412: required data came neither as prefetch nor from the FHIR server (R-64, R-65)."""

    status = 412
    default_issue_code = "incomplete"


class TooLarge(ProtocolError):
    """413: the body is over the configured limit (D-07)."""

    status = 413
    default_issue_code = "too-long"


class UnsupportedMediaType(ProtocolError):
    """415: the body is not declared as JSON (D-06)."""

    status = 415
    default_issue_code = "not-supported"


class Unprocessable(ProtocolError):
    """422: well formed, but against a rule agreed with the client (D-05)."""

    status = 422
    default_issue_code = "business-rule"


class TooManyRequests(ProtocolError):
    """429 with the whole seconds to wait before the next try (D-11)."""

    status = 429
    default_issue_code = "throttled"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "Too many requests.", headers={"Retry-After": str(max(1, retry_after_seconds))}
        )


class InternalError(ProtocolError):
    """500: a fault of this service (D-12)."""

    status = 500
    default_issue_code = "exception"


class ServiceUnavailable(ProtocolError):
    """503: nothing is wrong with the call, and a later try may work."""

    status = 503
    default_issue_code = "transient"


def places(error: BaseException) -> str:
    """Where in the code an exception came from, without its text, which can quote a patient."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    return " > ".join(
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames
    )


def operation_outcome(error: ProtocolError, correlation_id: str) -> dict[str, Any]:
    """Return the FHIR OperationOutcome (R4) for ``error``.

    ``correlation_id`` becomes the resource id, and for a fault of ours it is repeated in the
    text, because an operator who is handed a screenshot needs it to find the log line.
    """
    issue: dict[str, Any] = {
        "severity": "fatal" if error.status >= 500 else "error",
        "code": error.issue_code,
    }
    diagnostics = error.diagnostics
    if error.status >= 500:
        diagnostics = f"{diagnostics} Correlation id: {correlation_id}".strip()
    if diagnostics:
        issue["diagnostics"] = diagnostics
    if error.expression:
        issue["expression"] = list(error.expression)
    return {"resourceType": "OperationOutcome", "id": correlation_id, "issue": [issue]}
