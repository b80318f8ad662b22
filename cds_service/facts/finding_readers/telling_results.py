"""Suspicions that a result leaves: a low ejection fraction leaves heart failure possible.

Which result tells of which concept stands with the concept (`told_by`). It is enough to ask,
never to hold: a number says nothing of its cause, nor whether it was so before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from cds_service.facts.code_remarks import NamedResults
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import SUSPECTED, Named, Reading, reading
from cds_service.facts.measurements import READABLE_STATUSES, laboratory_series, score_series
from cds_service.facts.measurements import shown as shown_number
from cds_service.facts.numbers_in_words import Spoken, WordedNumbers
from cds_service.facts.presence_tests import SIGNS
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.statuses import status_of
from cds_service.fhir.units import unit_spelling
from cds_service.fhir.values import interpretation_codes, read_number, upper_limit
from cds_service.fhir.views import Observation
from cds_service.knowledge.concept_models import Concept, TellingResult
from cds_service.rules import Measurement, Quantity, Series
from cds_service.rules.measuring import written_day

_FRESH = timedelta(days=14)
"""As long as the suspicion of haemolysis in the laboratory answers for today."""
TOLD_BY_A_RESULT = "told by a result"
_HIGH = frozenset({"H", "HH", "H>", "HU", "AA"})


def read(context: Context) -> Iterator[Reading]:
    """For each concept that results tell of, the suspicion that the newest one leaves."""
    for concept in context.book.knowledge.concepts.values():
        if not concept.told_by:
            continue
        for telling in concept.told_by:
            if not telling.sign:
                yield from _suspicion(context, concept, telling)
        signs = (found for item in concept.told_by if item.sign
                 for found in _sign(context, concept, item))  # fmt: skip
        # Signs of one thing are one suspicion.
        yield from islice(signs, 1)


def _sign(context: Context, concept: Concept, telling: TellingResult) -> Iterator[Reading]:
    """What the newest result says that is a sign by itself, unless one of that day denies it."""
    found = SIGNS[telling.result](context)
    statements = found.statements if found is not None else ()
    newest = statements[0] if statements else None
    if newest is None or newest.day is None or newest.day < context.as_of - _FRESH:
        return
    if any(item.value != "present" for item in statements if item.day == newest.day):
        return
    record = _record(context, newest.source)
    if record is not None:
        shown = f"{newest.as_sent or telling.result} of {written_day(newest.day)}"
        yield _possible(context, concept, record, newest.day, newest.day, shown)


def _suspicion(context: Context, concept: Concept, telling: TellingResult) -> Iterator[Reading]:
    """It began on the first day since which every result tells it."""
    quantity = context.book.knowledge.vocabulary.find(telling.result)
    series = _series(context, telling)
    if not isinstance(quantity, Quantity):
        raise TypeError(f"{telling.result} is not a quantity")
    earliest = context.as_of - timedelta(days=quantity.fresh_for_days or context.as_of.toordinal())
    usable = [item for item in series.measurements if item.problem is None] if series else []
    newest = usable[0] if usable else None
    if newest is not None and telling.above_xuln is not None and newest.upper_limit is None:
        context.remark(telling.result, "a result without an upper limit of its own was not judged")
    began: date | None = None
    for item in usable:
        if not _tells(telling, item):
            break
        began = item.day
    if newest is not None and began is not None and newest.day >= earliest:
        record = _record(context, newest.source)
        if record is not None:
            shown = f"{newest.as_sent} of {written_day(newest.day)}"
            yield _possible(context, concept, record, began, newest.day, shown)
        return
    if telling.answers is not None:
        return
    answered = newest.day if newest is not None else date.min
    yield from _unread(context, concept, telling, max(answered, earliest - timedelta(days=1)))


def _series(context: Context, telling: TellingResult) -> Series | None:
    if telling.answers is not None:
        return score_series(context, telling.result, telling.result, telling.answers, None)
    analyte = context.book.knowledge.fact_list.analytes[telling.result]
    return laboratory_series(context, telling.result, analyte)


def _unread(
    context: Context, concept: Concept, telling: TellingResult, answered: date
) -> Iterator[Reading]:
    """The suspicion of a result that came after `answered` and is none by code or by number."""
    analyte = context.book.knowledge.fact_list.analytes[telling.result]
    codes = context.book.analytes[analyte]
    named = context.once(NamedResults, NamedResults.of).get(analyte, ())
    for result in (*named, *context.record.observations(codes)):
        moment = context.effective(result.observation)
        day = moment.day if moment is not None else None
        if status_of(result.observation) not in READABLE_STATUSES or day is None:
            continue
        if answered < day <= context.as_of and _shows_itself(context, telling, analyte, result):
            shown = f"{shown_number(read_number(result.source))} of {written_day(day)}"
            yield _possible(context, concept, result.observation, day, day, shown)
            return
    for worded in context.once(WordedNumbers, WordedNumbers.of).get(analyte, ()):
        if worded.day > answered:
            shown = f"{worded.shown} of {written_day(worded.day)}, in {worded.where}"
            yield _possible(context, concept, worded.record, worded.day, worded.day, shown)
            return


def _shows_itself(
    context: Context, telling: TellingResult, analyte: str, result: CodedResult
) -> bool:
    """Whether a result that is not read shows by itself that it would tell of the concept."""
    if interpretation_codes(result.source) & _HIGH and telling.above_xuln is not None:
        return True
    sent = read_number(result.source)
    if sent.number is None:
        return False
    finder = context.book.number_finders.get(analyte)
    if finder is not None:
        return finder.may_matter(sent.number, sent.comparator)
    high = upper_limit(result.source.reference_range, sent)
    alike = unit_spelling(high) == unit_spelling(sent)
    return high.number is not None and alike and sent.number > high.number


def _tells(telling: TellingResult, item: Measurement) -> bool:
    if item.value is None:
        return False
    if telling.below is not None:
        return item.value < telling.below and item.comparator not in (">", ">=")
    if telling.above is not None:
        return item.value > telling.above and item.comparator not in ("<", "<=")
    limit = item.upper_limit
    if limit is None or telling.above_xuln is None or item.comparator in ("<", "<="):
        return False
    return item.value > telling.above_xuln * limit


def _record(context: Context, key: str) -> Observation | None:
    found = (item for item in context.record.of_type(Observation) if item.key == key)
    return next(found, None)


def _possible(
    context: Context,
    concept: Concept,
    record: Spoken,
    began: date,
    said: date,
    shown: str,
) -> Reading:
    meaning = Named(frozenset(), frozenset(), concept.name, possible=frozenset({concept.name}))
    return reading(
        record,
        meaning,
        SUSPECTED,
        began,
        as_of=context.as_of,
        said=said,
        note=f"{TOLD_BY_A_RESULT}: {shown}",
    )
