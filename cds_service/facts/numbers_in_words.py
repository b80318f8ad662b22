"""Numbers that stand in words: "QTc 512 ms" in the conclusion of an ECG, "165/102" as a text.

They are never believed. Where one would matter to a dose, the fact is asked for: which names,
units and numbers say so stands in `codes/watched_numbers.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from cds_service.facts.context import Context, folded
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.facts.number_finder import is_pair
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.values import read_number
from cds_service.fhir.views import Condition, DiagnosticReport, Observation, ObservationComponent

Spoken = Condition | DiagnosticReport | Observation
_REPORTED = frozenset({*READABLE_STATUSES, "appended", "partial"})
_NOT_NOW = frozenset({"resolved", "inactive", "remission", "refuted", "entered-in-error"})
_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n(?: ?\n)+ ?")
_LONGEST = 20_000
"""Characters of a report that are read."""


@dataclass(frozen=True, slots=True)
class WordedNumber:
    """A number that would matter, as it stands in a text, with the day of the text."""

    day: date
    shown: str
    number: Decimal
    where: str
    record: Spoken = field(compare=False)


class WordedNumbers(dict[str, tuple[WordedNumber, ...]]):
    """The numbers that would matter in the words of one patient's record, by analyte."""

    @classmethod
    def of(cls, context: Context) -> WordedNumbers:
        """Those of one patient; read them with `context.once`."""
        found: dict[str, dict[WordedNumber, None]] = {}
        for text in _texts(context):
            for analyte, finder in context.book.number_finders.items():
                for shown, number in finder.in_text(text.words, meant=analyte in text.meant):
                    item = WordedNumber(text.day, shown, number, text.where, text.record)
                    found.setdefault(analyte, {}).setdefault(item)
        return cls({analyte: tuple(items) for analyte, items in found.items()})


@dataclass(frozen=True, slots=True)
class _Text:
    words: str
    day: date
    where: str
    record: Spoken
    meant: frozenset[str] = frozenset()


def _texts(context: Context) -> Iterator[_Text]:
    """The conclusions of reports and the results that are a text, each with its day."""
    for report in context.record.of_type(DiagnosticReport):
        words = _with_digits(report.conclusion)
        if not words or status_of(report) not in _REPORTED:
            continue
        period = report.effective_period
        day = context.day_of(
            report.effective_date_time,
            (period.end or period.start) if period is not None else None,
            report.issued,
        )
        if day is not None and day <= context.as_of:
            yield _Text(words, day, "the words of a report", report)
    for condition in context.record.of_type(Condition):
        words = _with_digits(condition.code.text if condition.code is not None else None)
        if words and _lasts(condition):
            day = context.day_of(condition.onset_date_time, condition.recorded_date)
            if day is not None and day <= context.as_of:
                yield _Text(words, day, "the words of a diagnosis", condition)
    for observation in context.record.of_type(Observation):
        parts: tuple[Observation | ObservationComponent, ...]
        parts = (observation, *observation.component)
        for part in parts:
            words = _with_digits(part.value_string)
            # A text that is a number as a whole is a result like others.
            if not words or (read_number(part).number is not None and not is_pair(words)):
                continue
            moment = context.effective(observation)
            day = moment.day if moment is not None else None
            if status_of(observation) not in READABLE_STATUSES or day is None:
                continue
            if day <= context.as_of:
                meant = _meant_by(context, part)
                yield _Text(words, day, "a result in words", observation, meant)


def _lasts(condition: Condition) -> bool:
    """Whether nothing says that a Condition is over, refuted or withdrawn."""
    said = (condition.clinical_status, condition.verification_status)
    codes = {coding.code for concept in said if concept is not None for coding in concept.coding}
    return codes.isdisjoint(_NOT_NOW)


def _with_digits(text: str | None) -> str:
    """A text in which a number stands, its blanks single: what is looked for in it may have any
    number of them, in more than one place."""
    words = (text or "")[:_LONGEST]
    if not any(map(str.isdigit, words)):
        return ""
    return _EMPTY_LINES.sub("\n\n", _BLANKS.sub(" ", words))


def _meant_by(context: Context, part: Observation | ObservationComponent) -> frozenset[str]:
    """The analytes of which the code or the name of a result says that its text is one."""
    code = part.code
    if code is None:
        return frozenset()
    book = context.book
    keys = set(concept_keys(code))
    texts = [code.text, *(coding.display for coding in code.coding)]
    names = {folded(text) for text in texts if text}
    watched = book.knowledge.codes.watched_numbers
    return frozenset(
        analyte
        for analyte, item in watched.items()
        if not keys.isdisjoint(book.analytes[analyte].keys)
        or any(book.says(code, name) for name in item.value_sets)
        or any(folded(word) in names for word in (*item.words, *item.words_with_unit))
    )
