"""What speaks of ALK outside the tests themselves: reports, diagnosis codes, look-alike results.

A positive still needs a coded answer of a recognised test. The words of a report are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from cds_service.facts.alk_status import GIVEN, WAITING, AlkResult, answer_of
from cds_service.facts.context import Context
from cds_service.fhir.record import status_of
from cds_service.fhir.views import CodeableConcept, DiagnosticReport, Observation
from cds_service.rules import Statement, Statements

_ALK_WORD = re.compile(r"(?<![A-Za-z])ALK(?![A-Za-z])|anaplastic lymphoma kinase", re.IGNORECASE)
_PHOSPHATASE = re.compile(r"phos|alkaline|\bALK-?P\b", re.IGNORECASE)
_ENZYME_UNIT = re.compile(r"\[?i?u\]?/l|kat/l", re.IGNORECASE)

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


def serum_level(context: Context) -> Statements | None:
    """A result called ALK with an enzyme unit: most likely alkaline phosphatase, never ALK."""
    found: list[Statement] = []
    for observation in context.record.of_type(Observation):
        quantity, code = observation.value_quantity, observation.code
        # Hundreds of results are looked at, and hardly one is of interest: cheap look first.
        if quantity is None or code is None or not _may_be_called_alk(code):
            continue
        if status_of(observation) not in GIVEN:
            continue
        names = [code.text or "", *(coding.display or "" for coding in code.coding)]
        if not any(_ALK_WORD.search(name) for name in names):
            continue
        if any(_PHOSPHATASE.search(name) for name in names):
            continue
        if _ENZYME_UNIT.search(f"{quantity.unit or ''} {quantity.code or ''}"):
            moment = context.effective(observation)
            day = moment.day if moment is not None else None
            if day is None or day <= context.as_of:
                found.append(Statement("present", day, quantity.as_sent, observation.key))
    found.sort(key=lambda item: item.day or date.min, reverse=True)
    return Statements(tuple(found[:1])) if found else None


def _may_be_called_alk(code: CodeableConcept) -> bool:
    names = [code.text, *[coding.display for coding in code.coding]]
    folded = [name.upper() for name in names if name]
    return any("ALK" in name or "KINASE" in name for name in folded)


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
