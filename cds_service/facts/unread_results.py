"""Results that bear on a fact and are not read as it: said to have come, with why.

There are three kinds: another test, such as a QT interval that nobody corrected for the heart rate
(`codes/related_tests.yaml`), a result that has the name of an analyte under a code that is not
known here, and a number in words (`facts/numbers_in_words.py`). None is ever believed. It is worth
a question when it is newer than every usable result of the fact, and does not show itself to be
harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec import structs

from cds_service.facts.code_remarks import NamedResults, shown_codes
from cds_service.facts.context import Context
from cds_service.facts.measurements import READABLE_STATUSES, laboratory_series, shown
from cds_service.facts.number_finder import NumberFinder
from cds_service.facts.numbers_in_words import WordedNumbers
from cds_service.facts.result_flags import OUT_OF_RANGE, called_out_of_range
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.reference_ranges import lower_limit
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import LOINC, canonical_system, coding_key
from cds_service.fhir.units import unit_spelling
from cds_service.fhir.values import (
    NumberAsSent,
    has_value,
    interpretation_codes,
    read_number,
    upper_limit,
)
from cds_service.fhir.views import Observation, ObservationComponent
from cds_service.knowledge.related_tests import RelatedTest
from cds_service.rules import Measurement, Quantity, Reason, ReasonKind, Series
from cds_service.rules.measuring import written_day

_BELOW = ("<", "<=")
_LEADING = re.compile(r"\s*(?:[<>=≤≥]+\s*)?(?P<number>\d+(?:\.\d+)?)")
DEFAULT_DAYS = 30
"""How long such a result is asked about where the fact itself never goes stale."""


def results_of(context: Context, fact: str, analyte: str) -> Series | None:
    """The results of one analyte, with what came beside them and was not read."""
    series = laboratory_series(context, fact, analyte)
    quantity = context.book.knowledge.vocabulary.find(fact)
    if not isinstance(quantity, Quantity):
        raise TypeError(f"{fact} is not a quantity")
    series = _told_apart(context, quantity, analyte, series)
    measured = series.measurements if series is not None else ()
    usable = [item for item in measured if item.problem is None]
    answered = usable[0].day if usable else None
    unread = {*_unread(context, quantity, analyte, answered)}
    unread.update(_in_words(context, quantity, analyte, usable))
    if not unread:
        return series
    found = series or Series(())
    return structs.replace(found, unused=tuple(sorted({*found.unused, *unread})))


def _told_apart(
    context: Context, quantity: Quantity, analyte: str, series: Series | None
) -> Series | None:
    """The series of a vital sign, its unusable numbers marked that would matter if they were what
    they seem.

    A saturation of 84 without a unit is no value, and nothing to be silent about either.
    """
    finder = _finder_of_a_sign(context, analyte)
    if series is None or finder is None:
        return series
    found = []
    for item in series.measurements:
        problem = item.problem
        if problem is not None and problem.kind is ReasonKind.UNKNOWN_UNIT:
            sent = _LEADING.match(item.as_sent)
            if sent is not None and finder.may_matter(Decimal(sent["number"]), item.comparator):
                shown = f"{sent['number']} of {written_day(item.day)}"
                why = f"{shown} came without a unit that is known"
                marked = Reason.of(ReasonKind.NOT_READ, quantity.name, why)
                item = structs.replace(item, problem=marked)
        found.append(item)
    return structs.replace(series, measurements=tuple(found))


def _in_words(
    context: Context, quantity: Quantity, analyte: str, usable: Sequence[Measurement]
) -> Iterator[Reason]:
    """Numbers in words that would matter, where no result of that day or later says otherwise."""
    watched = context.book.knowledge.codes.watched_numbers.get(analyte)
    if watched is None:
        return
    earliest = context.as_of - timedelta(days=quantity.fresh_for_days or DEFAULT_DAYS)
    answered = usable[0].day if usable else date.min
    for item in context.once(WordedNumbers, WordedNumbers.of).get(analyte, ()):
        same = (found.value for found in usable if found.day == item.day)
        said = any(value is not None and watched.matters(value) for value in same)
        if item.day < max(earliest, answered) or said:
            continue
        why = f"{item.shown} of {written_day(item.day)} stands in {item.where}"
        yield Reason.of(ReasonKind.NOT_READ, quantity.name, why)


def _unread(
    context: Context, quantity: Quantity, analyte: str, answered: date | None
) -> Iterator[Reason]:
    book = context.book
    days = quantity.fresh_for_days or DEFAULT_DAYS
    earliest = context.as_of - timedelta(days=days)
    for test in book.knowledge.codes.related_tests.get(analyte, ()):
        for result in context.record.observations(test.code_keys()):
            day = _day(context, result)
            sent = read_number(result.source)
            if day is None:
                if not _is_harmless(context, test, result.source, sent):
                    why = f"{shown(sent)}, not used, is {test.called}"
                    yield Reason.of(ReasonKind.UNDATED, quantity.name, why)
                continue
            why = f"{shown(sent)} of {written_day(day)} is {test.called}"
            if day < earliest or (answered is not None and day <= answered):
                continue
            if _is_harmless(context, test, result.source, sent):
                context.remark(quantity.name, f"not read: a result that is {test.called}")
                continue
            yield Reason.of(ReasonKind.NOT_READ, quantity.name, why)
    elsewhere = analyte in book.knowledge.codes.watched.results.named_alike_elsewhere
    for result in context.once(NamedResults, NamedResults.of).get(analyte, ()):
        day = _day(context, result)
        if day is None or day < earliest or (answered is not None and day <= answered):
            continue
        sent = read_number(result.source)
        codings = result.source.code.coding if result.source.code is not None else ()
        doubtful = any(coding_key(item) in book.doubtful_results for item in codings)
        standard = any(canonical_system(item.system or "") == LOINC for item in codings)
        if elsewhere and standard and not doubtful:
            continue
        if _says_nothing(context, result.source, sent) or _within_its_range(
            context, result.source, sent
        ):
            continue
        if _is_harmless_sign(context, analyte, sent):
            continue
        code = f"a code that is not known here{shown_codes(codings)}" if codings else "no code"
        why = f"{shown(sent)} of {written_day(day)} has this name and {code}"
        yield Reason.of(ReasonKind.NOT_READ, quantity.name, why)


def _day(context: Context, result: CodedResult) -> date | None:
    """The day of a result that says something, None when it has none that can be used."""
    if status_of(result.observation) not in READABLE_STATUSES:
        return None
    if not has_value(result.source) and not called_out_of_range(context, result.source):
        return None
    moment = context.effective(result.observation)
    if moment is None or moment.day is None or moment.day > context.as_of:
        return None
    return moment.day


def _says_nothing(
    context: Context, source: Observation | ObservationComponent, sent: NumberAsSent
) -> bool:
    """Whether a result is a word that nobody takes for a number or for "not normal"."""
    if sent.number is not None or any(sign.isdecimal() for sign in sent.as_sent):
        return False
    return not called_out_of_range(context, source)


def _is_harmless(
    context: Context,
    test: RelatedTest,
    source: Observation | ObservationComponent,
    sent: NumberAsSent,
) -> bool:
    """Whether a number of another test is certainly below the one from which the fact is asked
    for. One that cannot be judged, for its unit or its range, is not."""
    if sent.number is None:
        return _says_nothing(context, source, sent)
    if test.below:
        floor = test.below.get(unit_spelling(sent) or "")
        upwards = sent.comparator not in _BELOW
        return floor is not None and upwards and sent.number >= floor
    if test.least_xuln is not None:
        limit = upper_limit(source.reference_range, sent)
        if limit.number is None or unit_spelling(limit) != unit_spelling(sent):
            return False
        least = test.least_xuln * limit.number
    else:
        known = test.least.get(unit_spelling(sent) or "")
        if known is None:
            return False
        least = known
    if sent.comparator in _BELOW:
        return sent.number <= least
    return sent.comparator is None and sent.number < least


def _is_harmless_sign(context: Context, analyte: str, sent: NumberAsSent) -> bool:
    """Whether a vital sign, which has no range of its own, is a number that would not matter."""
    finder = _finder_of_a_sign(context, analyte)
    if finder is None or sent.number is None:
        return False
    return not finder.may_matter(sent.number, sent.comparator)


def _finder_of_a_sign(context: Context, analyte: str) -> NumberFinder | None:
    """What knows from which number on a vital sign matters; None for a laboratory test, whose
    numbers mean something else in every unit."""
    if context.book.knowledge.codes.analytes[analyte].kind != "vital sign":
        return None
    return context.book.number_finders.get(analyte)


def _within_its_range(
    context: Context, source: Observation | ObservationComponent, sent: NumberAsSent
) -> bool:
    """Whether a result shows itself to be within the range that came with it."""
    if sent.number is None or sent.comparator is not None:
        return False
    if interpretation_codes(source) & OUT_OF_RANGE or called_out_of_range(context, source):
        return False
    high = upper_limit(source.reference_range, sent)
    if high.number is None or unit_spelling(high) != unit_spelling(sent):
        return False
    low = lower_limit(source.reference_range, sent)
    above = low is None or low.number is None or sent.number >= low.number
    return above and sent.number <= high.number
