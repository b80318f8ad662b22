"""The ALK tests of a patient, one by one: which method, which answer, of which day.

Never from free text: a positive needs a coded answer of a recognised test, or a counted share of
cells. A name such as "ALK level" with an enzyme unit is reported as such and never becomes an ALK
result. What the tests say together stands in `alk_evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from cds_service.facts.alk_cells import share_beside, share_in_words
from cds_service.facts.alk_fish import Share, share_of_cells
from cds_service.facts.alk_methods import sequencing_of, stain_of
from cds_service.facts.alk_rearrangements import finding_of
from cds_service.facts.context import Context
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.statuses import status_of
from cds_service.fhir.values import interpretation_codes
from cds_service.fhir.views import (
    CodeableConcept,
    Observation,
    ObservationComponent,
)
from cds_service.rules import Event, Events, Measurement, Series, Statement, Statements

SUFFICIENT = frozenset(
    {
        "D5F3 immunohistochemistry",
        "FISH",
        "DNA sequencing",
        "RNA sequencing",
        "plasma sequencing",
        "RT-PCR",
        "unnamed method",
    }
)
"""Assays whose positive result stands alone (BM-01)."""

TISSUE = SUFFICIENT - {"plasma sequencing", "unnamed method"} | {"other immunohistochemistry"}
"""Assays of tissue, whose negative result counts against a positive one."""

_EQUIVOCAL_SCORE = re.compile(r"(?<!\d)[12]\+")
_ANSWERS = {
    "positive": "answer positive",
    "negative": "answer negative",
    "equivocal": "answer equivocal",
    "failed": "answer no call",
}
_INTERPRETED = {
    "positive": frozenset({"POS", "DET"}),
    "negative": frozenset({"NEG", "ND"}),
    "equivocal": frozenset({"IND", "E"}),
}
"""HL7 interpretation codes of a result without a coded value."""

_FINDINGS = {
    "breakpoint": "ALK breakpoint without a partner",
    "amplification": "ALK amplification",
    "point mutation": "ALK point mutation",
}
"""What a positive result is evidence of when it is none of a fusion."""

_DNA = frozenset({"DNA sequencing", "plasma sequencing"})
_ALK_TEST = re.compile(r"(?<![A-Za-z])ALK(?![A-Za-z])")
_FISH = re.compile(r"\bFISH\b|break-?apart|in.situ hybridi[sz]ation", re.IGNORECASE)
_STAIN = re.compile(r"\bIHC\b|immuno-?histo|immune stain|\bD5F3\b", re.IGNORECASE)
_KNOWN_TESTS = ("ALK test by FISH", "ALK test by immunohistochemistry",
                "genetic variant assessment")  # fmt: skip
WAITING = frozenset({"registered", "preliminary"})
GIVEN = frozenset({"final", "amended", "corrected"})


@dataclass(frozen=True, slots=True)
class AlkResult:
    """One ALK test: which method, what it found, when.

    `answer` is positive, negative, equivocal, unreadable, pending or failed; `finding` fusion,
    breakpoint, fusion not shown, amplification or point mutation; `detail` a counted share of
    cells, for display.
    """

    method: str
    answer: str
    finding: str
    day: date | None
    as_sent: str
    source: str
    detail: str = ""
    percent: Decimal | None = None

    @property
    def evidence(self) -> str:
        """What the result is called where the tests are weighed together."""
        if self.answer == "positive":
            return _FINDINGS.get(self.finding, self.method)
        return self.method


def alk_results(context: Context) -> list[AlkResult]:
    """Every recognised ALK test of the patient, newest first."""
    book, record = context.book, context.record
    found: list[AlkResult] = []
    for method, value_set in (
        ("FISH", "ALK test by FISH"),
        ("", "ALK test by immunohistochemistry"),
    ):
        for result in record.observations(book.value_sets[value_set]):
            named = method or stain_of(context, result.observation)
            found += _read(context, result, named, "fusion")
    for observation, method in _named_tests(context):
        result = CodedResult(observation, None)
        found += [
            replace(item, answer="equivocal") if item.answer in ("positive", "negative") else item
            for item in _read(context, result, method or stain_of(context, observation), "fusion")
        ]
    for result in record.observations(book.value_sets["genetic variant assessment"]):
        if result.component is not None:
            continue
        finding = finding_of(context, result.observation)
        if finding:
            found += _read(context, result, sequencing_of(context, result.observation), finding)
    found.sort(key=lambda item: item.day or date.min, reverse=True)
    return found


def _named_tests(context: Context) -> Iterator[tuple[Observation, str]]:
    """Observations that no code makes an ALK test, but whose name does: FISH, or a stain.

    Words make no positive or negative result: such a test is a reason to ask.
    """

    def only_named(code: CodeableConcept) -> bool:
        if "ALK" not in (code.label or "").upper():
            return False
        return bool(_ALK_TEST.search(_names(code))) and not context.book.says(code, *_KNOWN_TESTS)

    for observation in context.record.observations_called(only_named):
        names = _names(observation.code)
        if _FISH.search(names):
            yield observation, "FISH"
        elif _STAIN.search(names):
            yield observation, ""


def _names(code: CodeableConcept | None) -> str:
    if code is None:
        return ""
    return " ".join([code.text or "", *(coding.display or "" for coding in code.coding)])


def _read(context: Context, result: CodedResult, method: str, finding: str) -> list[AlkResult]:
    observation, source = result.observation, result.source
    status = status_of(observation)
    answer, share = coded_answer(context, source), None
    if method == "FISH":
        share = share_of_cells(context, source)
        if share is None and result.component is None:
            share = share_beside(context, observation)
        answer = _with_share(answer, share)
        if share is None and answer in ("positive", "negative"):
            answer = _with_share(answer, share_in_words(context, observation))
    if status in WAITING:
        # What is not final may still change: neither of its answers is believed yet.
        answer = "pending"
    elif status not in GIVEN:
        return []
    elif answer is None and source.data_absent_reason is not None:
        # A result that says why it has none is a test that gave no answer.
        answer = "failed"
    moment = context.effective(observation)
    if answer == "pending" and moment is None:
        day = None
    elif not context.usable(moment, "ALK") or moment is None:
        return []
    else:
        day = moment.day
    value = source.value_codeable_concept
    label = value.label if value is not None else None
    named = source.code.label if source.code is not None else None
    as_sent = ": ".join(part for part in (named, label) if part)
    finding = _shown_by(method, finding) if answer == "positive" else _looked_for(finding)
    if answer == "positive" and finding == "fusion not shown":
        answer = "equivocal"
    key = observation.key
    shown, percent = (share.shown, share.percent) if share is not None else ("", None)
    answer = answer or "unreadable"
    return [AlkResult(method, answer, finding, day, as_sent, key, shown, percent)]


def _with_share(answer: str | None, share: Share | None) -> str | None:
    """The answer of a FISH test and its share of cells, which must not contradict each other."""
    if share is None:
        return answer
    by_share = "positive" if share.answer == "borderline positive" else share.answer
    if answer is None or answer == by_share:
        return by_share
    return answer if by_share == "unreadable" else "equivocal"


def _shown_by(method: str, finding: str) -> str:
    """A rearrangement without a partner is a breakpoint when only DNA was looked at."""
    if finding == "fusion without a partner":
        return "breakpoint" if method in _DNA else "fusion"
    if finding == "breakpoint":
        return "breakpoint" if method in _DNA else "fusion not shown"
    return finding


def coded_answer(context: Context, source: Observation | ObservationComponent) -> str | None:
    """positive, negative, equivocal or failed from a coded value; text only ever weakens.

    A value, an interpretation and exact words that contradict each other are equivocal.
    """
    value = source.value_codeable_concept
    text = (value.text or "") if value is not None else (source.value_string or "")
    if _EQUIVOCAL_SCORE.search(text):
        return "equivocal"
    said = answer_of(context, value)
    codes = interpretation_codes(source)
    flags = {word for word, meant in _INTERPRETED.items() if codes & meant}
    against = flags | ({said} if said is not None else set())
    if against and _denies(context, text):
        against.add("negative")
    if {"positive", "negative"} <= against:
        return "equivocal"
    if said is not None:
        return said
    for answer in _INTERPRETED:
        if answer in flags:
            return answer
    return "equivocal" if value is not None or source.value_string else None


def answer_of(context: Context, concept: CodeableConcept | None) -> str | None:
    """The answer that a concept says by its codes."""
    for answer, name in _ANSWERS.items():
        if context.book.says(concept, name):
            return answer
    return None


def _denies(context: Context, text: str) -> bool:
    words = context.book.knowledge.codes.value_sets["answer negative"].match_text
    return text.strip().rstrip(".").lower() in {word.lower() for word in words}


def _looked_for(finding: str) -> str:
    """A result that is not positive is about a fusion, where it is about any rearrangement."""
    return "fusion" if finding in ("fusion without a partner", "breakpoint") else finding


def assay(leading: AlkResult | None) -> Statements | None:
    """The method behind the leading result."""
    if leading is None:
        return None
    return Statements((Statement(leading.method, leading.day, "", leading.source),))


def shares(results: Iterable[AlkResult]) -> Series | None:
    """The shares of cells that FISH found rearranged, newest first."""
    found = [
        Measurement(item.percent, item.day, as_sent=item.detail, source=item.source)
        for item in results
        if item.percent is not None and item.day is not None
    ]
    found.sort(key=lambda item: item.day, reverse=True)
    return Series(tuple(found)) if found else None


def result_days(results: Iterable[AlkResult]) -> Events:
    """The days on which an ALK result was given."""
    days = [
        Event(item.day, item.as_sent, item.source)
        for item in results
        if item.day is not None and item.answer in ("positive", "negative", "equivocal")
    ]
    return Events(tuple(sorted(days, key=lambda item: item.day, reverse=True)))
