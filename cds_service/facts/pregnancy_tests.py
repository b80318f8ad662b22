"""hCG results as evidence of pregnancy: the service orders this test, so it reads its answer.

A result above its own upper limit is positive until somebody explains it; one without a usable
limit, flag or answer says nothing. Of a man it is a tumour marker and never read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cds_service.facts.context import Context
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.fhir.record import CodedResult, status_of
from cds_service.fhir.units import fold_unit
from cds_service.fhir.values import (
    NumberAsSent,
    ReferenceLimit,
    interpretation_codes,
    read_number,
    upper_limit,
)
from cds_service.rules import Statement

_FACT = "pregnancy"
_ANSWERS = {"present": "answer positive", "absent": "answer negative"}
_FLAGS = {
    "present": frozenset({"POS", "DET", "RR", "H", "HH", "HU"}),
    "absent": frozenset({"NEG", "ND", "NR", "N"}),
}
_WORDS = {
    "present": frozenset({"positive", "pos", "detected", "reactive", "pregnant"}),
    "absent": frozenset({"negative", "neg", "not detected", "non-reactive", "nonreactive",
                         "not pregnant"}),
}  # fmt: skip
"""Exact answers in words, as laboratories and bedside tests send them."""


def pregnancy_tests(context: Context) -> Iterator[Statement]:
    """What each hCG result says: `present` when positive, `absent` when negative."""
    patient = context.record.patient
    if patient is not None and (patient.gender or "").strip().lower() == "male":
        return
    book = context.book
    codes = book.value_sets["hCG qualitative"].keys | book.analytes["hCG"].keys
    for result in context.record.observations(sorted(codes)):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        value, as_sent = _answer(context, result)
        if not value:
            context.remark(_FACT, "an hCG result that cannot be judged was left out")
            continue
        moment = context.effective(result.observation)
        if context.usable(moment, _FACT) and moment is not None:
            yield Statement(value, moment.day, f"hCG {as_sent}".strip(), result.observation.key)


def _answer(context: Context, result: CodedResult) -> tuple[str, str]:
    """`present`, `absent` or nothing, and the number or the answer it was read from."""
    source = result.source
    sent = read_number(source)
    said = {_by_limit(context, result, sent)}
    flags = interpretation_codes(source)
    concept = source.value_codeable_concept
    word = (source.value_string or (concept.label if concept is not None else "") or "").strip()
    for value, name in _ANSWERS.items():
        if context.book.says(concept, name) or word.lower() in _WORDS[value]:
            said.add(value)
        # A range that calls 5 normal and a flag that calls it high contradict each other.
        if flags & _FLAGS[value]:
            said.add(value)
    said.discard("")
    shown = sent.as_sent if sent.number is not None else ""
    # Statements that differ are no answer: neither is a pregnancy ruled out.
    return (said.pop(), shown) if len(said) == 1 else ("", shown)


def _by_limit(context: Context, result: CodedResult, sent: NumberAsSent) -> str:
    """A number against its own upper limit; both in one unit, or both convertible."""
    number = sent.number
    if number is None or number < 0:
        return ""
    limit = upper_limit(result.source.reference_range, sent)
    pair = _in_one_unit(context, sent, number, limit)
    if pair is None:
        return ""
    measured, highest = pair
    if sent.comparator in (">", ">="):
        return "present" if measured >= highest else ""
    if sent.comparator in ("<", "<="):
        return "absent" if measured <= highest else ""
    return "present" if measured > highest else "absent"


def _in_one_unit(
    context: Context, sent: NumberAsSent, number: Decimal, limit: ReferenceLimit
) -> tuple[Decimal, Decimal] | None:
    if limit.number is None:
        return None
    table = context.book.units["hCG"]
    measured, highest = table.to_canonical(number, sent), table.to_canonical(limit.number, limit)
    if measured is not None and highest is not None:
        lowest, most = context.book.knowledge.codes.analytes["hCG"].plausible
        return (measured, highest) if lowest <= measured <= most else None
    units = {fold_unit(item.unit or item.code or "") for item in (sent, limit)}
    return (number, limit.number) if len(units) == 1 else None
