"""What a server remarks, in an OperationOutcome, beside or in place of what was asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from cds_service.fhir.views import OperationOutcome, OperationOutcomeIssue

_REMARKS = frozenset({"information", "success"})
_NOTHING_FOUND = frozenset({"not-found", "informational"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """Severity and code of one OperationOutcome issue; its words stay behind.

    `details` are the codes in which a server names its own message. They are compared with what an
    operator agreed to, and shown nowhere.
    """

    severity: str
    code: str
    details: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    @property
    def serious(self) -> bool:
        """True unless it is a mere remark, or a warning of no more than an empty result.

        Any other warning says that something of what was asked for may be missing: a parameter
        that was not understood, resources that were held back. So does a severity nobody knows.
        """
        if self.severity in _REMARKS:
            return False
        return not (self.severity == "warning" and self.code in _NOTHING_FOUND)

    def is_agreed(self, agreed: Collection[str]) -> bool:
        """Whether it is a warning that the operator knows to mean that nothing is missing.

        An agreed warning is the code of an issue, or that and a code of its details behind a bar.
        An error never is one.
        """
        if self.severity != "warning":
            return False
        named = {self.code, *(f"{self.code}|{detail}" for detail in self.details)}
        return not named.isdisjoint(agreed)


def outcomes_of(resource: OperationOutcome) -> list[Outcome]:
    """Every issue. An outcome without one still says that this is not what was asked for."""
    return [_outcome(issue) for issue in resource.issue] or [Outcome("error", "unknown")]


def _outcome(issue: OperationOutcomeIssue) -> Outcome:
    coding = issue.details.coding if issue.details is not None else ()
    return Outcome(
        severity=(issue.severity or "").strip().lower() or "error",
        code=(issue.code or "").strip().lower() or "unknown",
        details=frozenset(one.code.strip() for one in coding if one.code),
    )
