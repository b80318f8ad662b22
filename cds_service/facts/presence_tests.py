"""Laboratory results that answer yes or no: hCG, the direct antiglobulin test, a low haptoglobin.

A number is judged by its own range only. A result without a usable range, flag or answer says
nothing, and so does one whose number, flag and words contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from cds_service.facts.code_remarks import NamedResults
from cds_service.facts.context import Context
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.facts.statement_order import in_order
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
from cds_service.fhir.views import Observation, ObservationComponent
from cds_service.rules import Statement, Statements

_Judge = Callable[[Context, CodedResult, NumberAsSent], str]


@dataclass(frozen=True)
class _Test:
    """How the results of a test are judged: by number and range, flags, coded answers and words.

    Each of the three tables says what means `present` and what `absent`.
    """

    judge: _Judge
    flags: Mapping[str, frozenset[str]]
    words: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, str] = field(default_factory=dict)


def pregnancy_tests(context: Context) -> Iterator[Statement]:
    """What each hCG result says of a pregnancy.

    Above its own upper limit it is positive until somebody explains it. Of a man it is a tumour
    marker, and not read here.
    """
    codes = _pregnancy_codes(context)
    yield from _statements(context, "pregnancy", codes, "hCG", _HCG)


def unjudged_pregnancy_test(context: Context) -> Statements | None:
    """Present when the newest hCG result has no usable range, flag or answer: it did come."""
    judged = [item.day for item in pregnancy_tests(context) if item.day is not None]
    found: list[Statement] = []
    for result in context.record.observations(sorted(_pregnancy_codes(context))):
        source, observation = result.source, result.observation
        if status_of(observation) not in READABLE_STATUSES:
            continue
        value, _ = _answer(context, result, _HCG)
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
        value, _ = _answer(context, result, _HCG)
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
    return in_order(list(_statements(context, fact, codes, "", _COOMBS)))


def low_haptoglobin(context: Context) -> Statements | None:
    """Present when haptoglobin lies below the lower limit of its own range."""
    codes = context.book.analytes["haptoglobin"].keys
    fact = "low haptoglobin"
    return in_order(list(_statements(context, fact, codes, "haptoglobin", _LOW)))


def called_high(context: Context, analyte: str) -> Statements | None:
    """Present when the laboratory itself called a result high, with or without a number."""
    codes = context.book.analytes[analyte].keys
    return in_order(list(_statements(context, analyte, codes, analyte, _CALLED_HIGH)))


def _statements(
    context: Context,
    fact: str,
    codes: Collection[CodeKey],
    label: str,
    test: _Test,
) -> Iterator[Statement]:
    for result in context.record.observations(sorted(codes)):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        value, as_sent = _answer(context, result, test)
        if not value:
            context.remark(fact, "a result that cannot be judged was left out")
            continue
        moment = context.effective(result.observation)
        if context.usable(moment, fact) and moment is not None:
            shown = f"{label} {as_sent}".strip()
            yield Statement(value, moment.day, shown, result.observation.key)


def _answer(context: Context, result: CodedResult, test: _Test) -> tuple[str, str]:
    """`present`, `absent` or nothing, and the number or the answer it was read from.

    What the sender says is absent has no answer, whatever stands beside it.
    """
    source = result.source
    sent = read_number(source)
    if source.data_absent_reason is not None:
        return "", ""
    said = {test.judge(context, result, sent)}
    concept = source.value_codeable_concept
    spoken = _texts(source)
    sent_flags = interpretation_codes(source)
    sets = context.book.knowledge.codes.value_sets
    for value in ("present", "absent"):
        words = {word.lower() for name in test.words[value] for word in sets[name].match_text}
        coded = value in test.answers and context.book.says(concept, test.answers[value])
        if coded or not words.isdisjoint(spoken) or sent_flags & test.flags[value]:
            said.add(value)
    said.discard("")
    shown = sent.as_sent if sent.number is not None else ""
    return (said.pop(), shown) if len(said) == 1 else ("", shown)


def _texts(source: Observation | ObservationComponent) -> frozenset[str]:
    """The whole texts of a result and of its flags, in small letters."""
    value = source.value_codeable_concept
    texts = [source.value_string, value.label if value is not None else None]
    texts += [flag.label for flag in source.interpretation]
    return frozenset(" ".join(text.lower().split()) for text in texts if text and text.strip())


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


_POSITIVE_FLAGS = {
    "present": frozenset({"POS", "DET", "RR", "H", "HH", "HU"}),
    "absent": frozenset({"NEG", "ND", "NR", "N"}),
}
_POSITIVE_WORDS = {"present": ("positive in words",), "absent": ("negative in words",)}
_POSITIVE_CODES = {"present": "answer positive", "absent": "answer negative"}
_HCG = _Test(_above, _POSITIVE_FLAGS, _POSITIVE_WORDS, _POSITIVE_CODES)
_COOMBS = _Test(_no_number, _POSITIVE_FLAGS, _POSITIVE_WORDS, _POSITIVE_CODES)
_LOW = _Test(
    _below,
    {"present": frozenset({"L", "LL", "LU"}), "absent": frozenset({"N", "H", "HH", "HU"})},
    {"present": ("low in words",), "absent": ("normal in words", "high in words")},
)
_CALLED_HIGH = _Test(
    _no_number,
    {"present": frozenset({"H", "HH", "HU"}), "absent": frozenset({"N", "L", "LL", "LU"})},
    {"present": ("high in words",), "absent": ("normal in words", "low in words")},
)

SIGNS: Mapping[str, Callable[[Context], Statements | None]] = {
    "low haptoglobin": low_haptoglobin,
    "direct antiglobulin test": direct_antiglobulin_test,
}
"""Results that are a sign by themselves, by the name under which a concept is told by them."""
