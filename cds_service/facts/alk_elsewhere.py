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

_ALK_NAME = re.compile(r"(?<![A-Za-z])(?:EML-?4[-:/ ]{0,2})?ALK(?![A-Za-z])", re.IGNORECASE)
_TEST_WORD = re.compile(
    r"FISH|\bIHC|immun[oh]|stain|f[äa]rbung|\btest|gene?\b|fusion|r[eé]?.?arrang|\bRNA|\bDNA|\bNGS|sequen[zc]"
    r"|s[eé]quen|mutation|break|transloc|translok|molec|molek|mol[eé]cul|panel|pathol|biomarker|hybridi[sz]"
    r"|EML-?4|\bROS-?1|\bEGFR|\bBRAF|\bKRAS|\bRET\b|\bMET\b|PD-?L1|D5F3|NSCLC|lung|lunge|poumon",
    re.IGNORECASE,
)
"""What stands beside the gene where a test of it is ordered; "ALK" alone may be the phosphatase."""
PANEL = re.compile(
    r"\bNGS\b|next.generation sequencing|hochdurchsatz-?sequenzierung"
    r"|(?:lung cancer|lung|NSCLC|Lungenkarzinom|Lungen)[- ]?"
    r"(?:(?:gene|mutation|molecular|biomarker) ?panel|gen-?panel|panel)"
    r"|comprehensive genomic profil|foundation ?one|guardant ?360|oncomine|trusight oncology",
    re.IGNORECASE,
)
"""Broad panels of lung cancer look at ALK among other genes."""
_LONGEST_NAME = 500
AWAITED_DAYS = 180
"""How long a test on order counts as awaited: our own choice, longer than any laboratory takes."""
_ANSWERED = frozenset({"positive", "negative", "equivocal", "failed"})

_TESTS = {
    "ALK test by FISH": "FISH",
    # A report names no antibody: only the companion stain would be enough.
    "ALK test by immunohistochemistry": "other immunohistochemistry",
}
_ALK_TESTS = "ALK tests"
_REPORTED = GIVEN | {"appended"}
_ON_THEIR_WAY = WAITING | {"partial"}
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
        if status in _ON_THEIR_WAY:
            answer = "pending"
        elif status not in _REPORTED:
            continue
        day = day_of_report(context, report)
        if (day is None and answer != "pending") or (day is not None and day > context.as_of):
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
    for request, code in _alk_orders(context):
        period = request.occurrence_period
        day = context.day_of(
            request.authored_on, request.occurrence_date_time, period.start if period else None
        )
        if _is_open(context, day, answered):
            says = f"on order: {code.label or 'ALK test'}"
            found.append(AlkResult("test on order", "pending", "fusion", day, says, request.key))
    return [*found, *_reports_on_their_way(context, answered)]


def tests_on_order(context: Context) -> frozenset[tuple[str, str]]:
    """The keys by which an order of an ALK test is offered, where one runs under another name."""
    days = (context.day_of(request.authored_on) for request, _ in _alk_orders(context))
    if all(day is not None and (context.as_of - day).days > AWAITED_DAYS for day in days):
        return frozenset()
    return frozenset(order.key for order in context.book.knowledge.tests[_ALK_TESTS].orders)


def _alk_orders(context: Context) -> Iterator[tuple[ServiceRequest, CodeableConcept]]:
    for request in context.record.of_type(ServiceRequest):
        code = request.code
        if status_of(request) != "active" or request.do_not_perform or code is None:
            continue
        if any(_is_alk_order(context, asked) for asked in (code, *request.order_detail)):
            yield request, code


def _is_open(context: Context, day: date | None, answered: Iterable[date]) -> bool:
    """Whether what was ordered or begun on that day still waits for its result."""
    if day is None:
        return True
    if day > context.as_of:
        context.remark("ALK", "an order dated in the future was left out")
        return False
    if any(other >= day for other in answered):
        return False
    if (context.as_of - day).days > AWAITED_DAYS:
        context.remark("ALK", "a test ordered long ago has no result")
        return False
    return True


def _reports_on_their_way(context: Context, answered: Iterable[date]) -> Iterator[AlkResult]:
    """Reports not given yet that are tests of ALK by their name, or panels that look at it."""
    for report in context.record.of_type(DiagnosticReport):
        code = report.code
        if status_of(report) not in _ON_THEIR_WAY or code is None:
            continue
        if context.book.says(code, *_TESTS) or not _is_alk_order(context, code):
            continue
        day = day_of_report(context, report)
        if _is_open(context, day, answered):
            says = f"on its way: {code.label or 'ALK test'}"
            yield AlkResult("test on order", "pending", "fusion", day, says, report.key)


def _is_alk_order(context: Context, code: CodeableConcept) -> bool:
    if context.book.says(code, *_TESTS, "genetic variant assessment", "genetic analysis report"):
        return True
    names = [code.text or "", *(coding.display or "" for coding in code.coding)]
    return any(PANEL.search(name) or _names_an_alk_test(name[:_LONGEST_NAME]) for name in names)


def _names_an_alk_test(name: str) -> bool:
    if not _ALK_NAME.search(name) or _PHOSPHATASE.search(name):
        return False
    return _TEST_WORD.search(name) is not None


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
