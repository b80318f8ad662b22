"""Laboratory results that answer yes or no: hCG, the direct antiglobulin test, a low haptoglobin.

A number is judged by its own range only. A result without a usable range, flag or answer says
nothing, and so does one whose number, flag and words contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date
from decimal import Decimal

from cds_service.facts.code_remarks import NamedResults
from cds_service.facts.context import Context
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.facts.problems import in_order
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.reference_ranges import lower_limit
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import CodeKey
from cds_service.fhir.units import fold_unit
from cds_service.fhir.values import (
    NumberAsSent,
    ReferenceLimit,
    interpretation_codes,
    read_number,
    upper_limit,
)
from cds_service.rules import Statement, Statements

_ANSWERS = {"present": "answer positive", "absent": "answer negative"}
_POSITIVE_FLAGS = {
    "present": frozenset({"POS", "DET", "RR", "H", "HH", "HU"}),
    "absent": frozenset({"NEG", "ND", "NR", "N"}),
}
_LOW_FLAGS = {
    "present": frozenset({"L", "LL", "LU"}),
    "absent": frozenset({"N", "H", "HH", "HU"}),
}
_WORDS = {
    "present": frozenset({"positive", "pos", "detected", "reactive"}),
    "absent": frozenset({"negative", "neg", "not detected", "non-reactive", "nonreactive"}),
}
"""Exact answers in words, as laboratories and bedside tests send them."""

_Judge = Callable[[Context, CodedResult, NumberAsSent], str]


def pregnancy_tests(context: Context) -> Iterator[Statement]:
    """What each hCG result says of a pregnancy.

    Above its own upper limit it is positive until somebody explains it. Of a man it is a tumour
    marker, and not read here.
    """
    codes = _pregnancy_codes(context)
    yield from _statements(context, "pregnancy", codes, "hCG", _above, _POSITIVE_FLAGS)


def unjudged_pregnancy_test(context: Context) -> Statements | None:
    """Present when the newest hCG result has no usable range, flag or answer: it did come."""
    judged = [item.day for item in pregnancy_tests(context) if item.day is not None]
    found: list[Statement] = []
    for result in context.record.observations(sorted(_pregnancy_codes(context))):
        source, observation = result.source, result.observation
        if status_of(observation) not in READABLE_STATUSES:
            continue
        value, _ = _answer(context, result, _above, _POSITIVE_FLAGS)
        sent = read_number(source)
        moment = context.effective(observation)
        day = moment.day if context.usable(moment, "pregnancy") and moment is not None else None
        if value or sent.number is None or day is None or day < max(judged, default=date.min):
            continue
        found.append(Statement("present", day, f"hCG {sent.as_sent}", observation.key))
    found += _named_pregnancy_tests(context, max(judged, default=date.min))
    return in_order(found)


def _named_pregnancy_tests(context: Context, judged: date) -> Iterator[Statement]:
    """Those that have the name of an hCG test and a code that nobody knows: never believed, and
    to be settled unless they say no."""
    if not _pregnancy_codes(context):
        return
    for result in context.once(NamedResults, NamedResults.of).get("hCG", ()):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        value, _ = _answer(context, result, _above, _POSITIVE_FLAGS)
        sent = read_number(result.source)
        moment = context.effective(result.observation)
        day = moment.day if context.usable(moment, "pregnancy") and moment is not None else None
        says_yes = value == "present" or (not value and sent.number is not None)
        if says_yes and day is not None and day >= judged:
            shown = f"hCG {sent.as_sent} under a code that is not known here"
            yield Statement("present", day, shown, result.observation.key)


def _pregnancy_codes(context: Context) -> frozenset[CodeKey]:
    """The codes of hCG; none in a man."""
    patient = context.record.patient
    if patient is not None and (patient.gender or "").strip().lower() == "male":
        return frozenset()
    book = context.book
    return frozenset(book.value_sets["hCG qualitative"].keys | book.analytes["hCG"].keys)


def direct_antiglobulin_test(context: Context) -> Statements | None:
    """Present when the direct Coombs test is positive."""
    codes = context.book.value_sets["direct antiglobulin test"].keys
    fact = "direct antiglobulin test"
    return in_order(list(_statements(context, fact, codes, "", _no_number, _POSITIVE_FLAGS)))


def low_haptoglobin(context: Context) -> Statements | None:
    """Present when haptoglobin lies below the lower limit of its own range."""
    codes = context.book.analytes["haptoglobin"].keys
    fact = "low haptoglobin"
    return in_order(list(_statements(context, fact, codes, "haptoglobin", _below, _LOW_FLAGS)))


def _statements(
    context: Context,
    fact: str,
    codes: Collection[CodeKey],
    label: str,
    judge: _Judge,
    flags: dict[str, frozenset[str]],
) -> Iterator[Statement]:
    for result in context.record.observations(sorted(codes)):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        value, as_sent = _answer(context, result, judge, flags)
        if not value:
            context.remark(fact, "a result that cannot be judged was left out")
            continue
        moment = context.effective(result.observation)
        if context.usable(moment, fact) and moment is not None:
            shown = f"{label} {as_sent}".strip()
            yield Statement(value, moment.day, shown, result.observation.key)


def _answer(
    context: Context, result: CodedResult, judge: _Judge, flags: dict[str, frozenset[str]]
) -> tuple[str, str]:
    """`present`, `absent` or nothing, and the number or the answer it was read from."""
    source = result.source
    sent = read_number(source)
    said = {judge(context, result, sent)}
    concept = source.value_codeable_concept
    word = (source.value_string or (concept.label if concept is not None else "") or "").strip()
    sent_flags = interpretation_codes(source)
    for value, name in _ANSWERS.items():
        if context.book.says(concept, name) or word.lower() in _WORDS[value]:
            said.add(value)
        if sent_flags & flags[value]:
            said.add(value)
    said.discard("")
    shown = sent.as_sent if sent.number is not None else ""
    return (said.pop(), shown) if len(said) == 1 else ("", shown)


def _no_number(context: Context, result: CodedResult, sent: NumberAsSent) -> str:
    del context, result, sent
    return ""


def _above(context: Context, result: CodedResult, sent: NumberAsSent) -> str:
    limit = upper_limit(result.source.reference_range, sent)
    pair = _in_one_unit(context, "hCG", sent, limit)
    if pair is None:
        return ""
    number, highest = pair
    if sent.comparator in (">", ">="):
        return "present" if number >= highest else ""
    if sent.comparator in ("<", "<="):
        return "absent" if number <= highest else ""
    return "present" if number > highest else "absent"


def _below(context: Context, result: CodedResult, sent: NumberAsSent) -> str:
    limit = lower_limit(result.source.reference_range, sent)
    pair = _in_one_unit(context, "haptoglobin", sent, limit) if limit is not None else None
    if pair is None:
        return ""
    number, lowest = pair
    if sent.comparator in ("<", "<="):
        return "present" if number <= lowest else ""
    if sent.comparator in (">", ">="):
        return "absent" if number >= lowest else ""
    return "present" if number < lowest else "absent"


def _in_one_unit(
    context: Context, analyte: str, sent: NumberAsSent, limit: ReferenceLimit
) -> tuple[Decimal, Decimal] | None:
    """Number and limit in the unit of the analyte, or as sent when both are in the same one."""
    number, bound = sent.number, limit.number
    if number is None or bound is None or number < 0:
        return None
    table = context.book.units[analyte]
    measured, converted = table.to_canonical(number, sent), table.to_canonical(bound, limit)
    if measured is not None and converted is not None:
        lowest, highest = context.book.knowledge.codes.analytes[analyte].plausible
        return (measured, converted) if lowest <= measured <= highest else None
    units = {fold_unit(item.unit or item.code or "") for item in (sent, limit)}
    return (number, bound) if len(units) == 1 else None
