"""What speaks of ALK outside the tests themselves: reports, diagnosis codes, look-alike results.

A positive still needs a coded answer of a recognised test. The words of a report are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from cds_service.facts.alk_status import GIVEN, WAITING, AlkResult, answer_of
from cds_service.facts.context import Context
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import (
    CodeableConcept,
    DiagnosticReport,
    Observation,
    ServiceRequest,
)
from cds_service.rules import Statement, Statements

_ALK_WORD = re.compile(r"(?<![A-Za-z])ALK(?![A-Za-z])|anaplastic lymphoma kinase", re.IGNORECASE)
_PHOSPHATASE = re.compile(r"phos|alkaline|\bALK-?P\b", re.IGNORECASE)
_ENZYME_UNIT = re.compile(r"\[?i?u\]?/l|kat/l", re.IGNORECASE)

_ALK_ORDER = re.compile(
    r"(?<![A-Za-z])ALK(?![A-Za-z]).*\b(?:FISH|IHC|immuno|stain|test|gene|fusion|rearrange|RNA|NGS"
    r"|sequencing|mutation|break)|\b(?:FISH|IHC|RNA|NGS|sequencing)\b.*(?<![A-Za-z])ALK(?![A-Za-z])",
    re.IGNORECASE,
)
_PANEL = re.compile(
    r"\bNGS\b|next.generation sequencing|lung cancer (?:gene|mutation|molecular) panel"
    r"|comprehensive genomic profil",
    re.IGNORECASE,
)
"""Broad panels of lung cancer look at ALK among other genes."""
AWAITED_DAYS = 180
"""How long a test on order counts as awaited: our own choice, longer than any laboratory takes."""
_ANSWERED = frozenset({"positive", "negative", "equivocal", "failed"})

_TESTS = {
    "ALK test by FISH": "FISH",
    # A report names no antibody: only the companion stain would be enough.
    "ALK test by immunohistochemistry": "other immunohistochemistry",
}
_REPORTED = GIVEN | {"appended"}
_DIAGNOSES = {
    "ALK-positive non-small cell lung cancer": "equivocal",
    "ALK-negative non-small cell lung cancer": "negative",
}
"""What a diagnosis code says without any test: a positive one needs its report first."""


def report_results(context: Context) -> list[AlkResult]:
    """Reports that are ALK tests by their own code and whose results did not come along.

    The answer is the coded conclusion. A report of which only words are left is unreadable here.
    """
    found: list[AlkResult] = []
    for report in context.record.of_type(DiagnosticReport):
        method = next(
            (word for name, word in _TESTS.items() if context.book.says(report.code, name)), None
        )
        if method is None or _has_results(context, report):
            continue
        status = status_of(report)
        answers = {answer_of(context, concept) for concept in report.conclusion_code} - {None}
        answer = answers.pop() if len(answers) == 1 else None
        if answers:
            answer = "equivocal"
        if status in WAITING and answer is None:
            answer = "pending"
        elif status not in _REPORTED:
            continue
        day = day_of_report(context, report)
        if day is None or day > context.as_of:
            context.remark("ALK", "a report without a usable date was left out")
            continue
        labels = [concept.label for concept in (report.code, *report.conclusion_code) if concept]
        as_sent = ": ".join(label for label in labels if label)
        found.append(AlkResult(method, answer or "unreadable", "fusion", day, as_sent, report.key))
    return found


def _has_results(context: Context, report: DiagnosticReport) -> bool:
    """Whether the Observations of a report are in the record, which then speak for themselves."""
    return any(
        isinstance(context.record.resolve(reference, report), Observation)
        for reference in report.result
    )


def day_of_report(context: Context, report: DiagnosticReport) -> date | None:
    """The day a report is about, else the day it was issued."""
    period = report.effective_period
    return context.day_of(
        report.effective_date_time,
        (period.end or period.start) if period else None,
        report.issued,
    )


def requested_results(context: Context, results: Iterable[AlkResult]) -> list[AlkResult]:
    """ALK tests that are on order and were not answered: each a result that is awaited.

    A result from the day of the order on answers it. An order older than `AWAITED_DAYS` awaits
    nothing any more, and is remarked on.
    """
    answered = [item.day for item in results if item.day is not None and item.answer in _ANSWERED]
    found: list[AlkResult] = []
    for request in context.record.of_type(ServiceRequest):
        code = request.code
        if status_of(request) != "active" or request.do_not_perform or code is None:
            continue
        if not _is_alk_order(context, code):
            continue
        period = request.occurrence_period
        day = context.day_of(
            request.authored_on, request.occurrence_date_time, period.start if period else None
        )
        if day is not None and day > context.as_of:
            context.remark("ALK", "an order dated in the future was left out")
            continue
        if day is not None and any(other >= day for other in answered):
            continue
        if day is not None and (context.as_of - day).days > AWAITED_DAYS:
            context.remark("ALK", "a test ordered long ago has no result")
            continue
        says = f"on order: {code.label or 'ALK test'}"
        found.append(AlkResult("test on order", "pending", "fusion", day, says, request.key))
    return found


def _is_alk_order(context: Context, code: CodeableConcept) -> bool:
    if context.book.says(code, *_TESTS, "genetic variant assessment", "genetic analysis report"):
        return True
    names = [code.text or "", *(coding.display or "" for coding in code.coding)]
    return any(
        (_ALK_ORDER.search(name) and not _PHOSPHATASE.search(name)) or _PANEL.search(name)
        for name in names
    )


def serum_level(context: Context) -> Statements | None:
    """A result called ALK with an enzyme unit: most likely alkaline phosphatase, never ALK."""
    found: list[Statement] = []
    for observation in context.record.observations_called(_is_called_alk):
        quantity = observation.value_quantity
        if quantity is None or status_of(observation) not in GIVEN:
            continue
        if _ENZYME_UNIT.search(f"{quantity.unit or ''} {quantity.code or ''}"):
            moment = context.effective(observation)
            day = moment.day if moment is not None else None
            if day is None or day <= context.as_of:
                found.append(Statement("present", day, quantity.as_sent, observation.key))
    found.sort(key=lambda item: item.day or date.min, reverse=True)
    return Statements(tuple(found[:1])) if found else None


def _is_called_alk(code: CodeableConcept) -> bool:
    names = [name for name in (code.text, *[item.display for item in code.coding]) if name]
    called = any(_ALK_WORD.search(name) for name in names)
    return called and not any(_PHOSPHATASE.search(name) for name in names)


def coded_status(context: Context) -> Statements | None:
    """A diagnosis code that states ALK without any test, of a problem or of a report."""
    for name, value in _DIAGNOSES.items():
        for concept, day, source in _diagnoses(context, name):
            if day is not None and day > context.as_of:
                context.remark("ALK", "a diagnosis dated in the future was left out")
                continue
            says = f"diagnosis code: {concept.label or name}"
            return Statements((Statement(value, day, says, source),))
    return None


def _diagnoses(context: Context, name: str) -> Iterator[tuple[CodeableConcept, date | None, str]]:
    for condition in context.record.conditions(context.book.value_sets[name]):
        if status_of(condition) != "refuted" and condition.code is not None:
            day = context.day_of(condition.onset_date_time, condition.recorded_date)
            yield condition.code, day, condition.key
    for report in context.record.of_type(DiagnosticReport):
        if status_of(report) in _REPORTED:
            for concept in report.conclusion_code:
                if context.book.says(concept, name):
                    yield concept, day_of_report(context, report), report.key
