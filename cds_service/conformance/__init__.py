"""The conformance kit: is a service at some address a good CDS Hooks service?

It asks over HTTP only and works on any service, not just on this one. Of the project it uses no
more than the table of hooks and the linter of prefetch templates. `run` gives a `Report`;
``alk-cds conformance`` and the pytest plugin are two ways to call it.
"""

from __future__ import annotations

from cds_service.conformance.checks import Check, Outcome, Problem, Result
from cds_service.conformance.clauses import Clause, clauses
from cds_service.conformance.exchange import Caller, UnreachableError
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.registry import CHECKS, checks_of
from cds_service.conformance.report import Report
from cds_service.conformance.runner import UsageError, run, subject_of
from cds_service.conformance.subject import Subject
from cds_service.conformance.tokens import NoTokenError, Signer

__all__ = [
    "CHECKS",
    "Caller",
    "Check",
    "Clause",
    "NoTokenError",
    "NotTestedError",
    "Outcome",
    "Problem",
    "Report",
    "Result",
    "Signer",
    "Subject",
    "UnreachableError",
    "UsageError",
    "checks_of",
    "clauses",
    "run",
    "subject_of",
]
