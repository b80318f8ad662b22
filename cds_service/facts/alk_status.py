"""What the ALK tests of a patient say together.

Never from free text: a positive needs a coded answer of a recognised test. A name such as "ALK
level" with an enzyme unit is reported as such and never becomes an ALK result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.facts.context import Context
from cds_service.fhir.record import status_of
from cds_service.fhir.terminology import code_key, concept_keys
from cds_service.fhir.values import interpretation_codes
from cds_service.fhir.views import CodeableConcept, Observation
from cds_service.rules import Event, Events, Statement, Statements

SUFFICIENT = frozenset(
    {
        "D5F3 immunohistochemistry",
        "FISH",
        "DNA sequencing",
        "RNA sequencing",
        "plasma sequencing",
        "RT-PCR",
    }
)
"""Assays whose positive result stands alone (BM-01)."""

TISSUE = SUFFICIENT - {"plasma sequencing"} | {"other immunohistochemistry"}
"""Assays of tissue, whose negative result counts against a positive one."""

_EQUIVOCAL_SCORE = re.compile(r"(?<!\d)[12]\+")
_ALK_WORD = re.compile(r"(?<![A-Za-z])ALK(?![A-Za-z])|anaplastic lymphoma kinase", re.IGNORECASE)
_PHOSPHATASE = re.compile(r"phos|alkaline|\bALK-?P\b", re.IGNORECASE)
_ENZYME_UNIT = re.compile(r"\[?i?u\]?/l|kat/l", re.IGNORECASE)
_WAITING = frozenset({"registered", "preliminary"})
GIVEN = frozenset({"final", "amended", "corrected"})


@dataclass(frozen=True, slots=True)
class AlkResult:
    """One ALK test: which method, what it found, when."""

    method: str
    answer: str
    finding: str
    day: date | None
    as_sent: str
    source: str


def alk_results(context: Context) -> list[AlkResult]:
    """Every recognised ALK test of the patient, newest first."""
    book, record = context.book, context.record
    found: list[AlkResult] = []
    for method, value_set in (
        ("FISH", "ALK test by FISH"),
        ("", "ALK test by immunohistochemistry"),
    ):
        for result in record.observations(book.value_sets[value_set]):
            if result.component is None:
                named = method or _stain(result.observation)
                found += _read(context, result.observation, named, "fusion")
    for result in record.observations(book.value_sets["genetic variant assessment"]):
        if result.component is not None:
            continue
        finding = _finding(context, result.observation)
        if finding:
            found += _read(context, result.observation, _sequencing(result.observation), finding)
    found.sort(key=lambda item: item.day or date.min, reverse=True)
    return found


def _read(context: Context, observation: Observation, method: str, finding: str) -> list[AlkResult]:
    status = status_of(observation)
    answer = coded_answer(context, observation)
    if status in _WAITING and answer is None:
        answer = "pending"
    elif status not in GIVEN:
        return []
    moment = context.effective(observation)
    if not context.usable(moment, "ALK") or moment is None:
        return []
    value = observation.value_codeable_concept
    label = value.label if value is not None else None
    named = observation.code.label if observation.code is not None else None
    as_sent = ": ".join(part for part in (named, label) if part)
    return [
        AlkResult(method, answer or "unreadable", finding, moment.day, as_sent, observation.key)
    ]


def coded_answer(context: Context, observation: Observation) -> str | None:
    """positive, negative, equivocal or failed from a coded value; text only ever weakens."""
    value = observation.value_codeable_concept
    text = (value.text or "") if value is not None else (observation.value_string or "")
    if _EQUIVOCAL_SCORE.search(text):
        return "equivocal"
    for answer, name in (
        ("positive", "answer positive"),
        ("negative", "answer negative"),
        ("equivocal", "answer equivocal"),
        ("failed", "answer no call"),
    ):
        if context.book.says(value, name):
            return answer
    codes = interpretation_codes(observation)
    if "POS" in codes:
        return "positive"
    if "NEG" in codes:
        return "negative"
    if value is not None or observation.value_string:
        return "equivocal"
    return None


def _stain(observation: Observation) -> str:
    if "D5F3" in _method_text(observation).upper():
        return "D5F3 immunohistochemistry"
    return "other immunohistochemistry"


def _sequencing(observation: Observation) -> str:
    text = _method_text(observation).upper()
    specimen = (observation.specimen.display or "") if observation.specimen else ""
    if re.search(r"plasma|blood|cfdna|ctdna", specimen, re.IGNORECASE):
        return "plasma sequencing"
    if re.search(r"\bRNA\b", text):
        return "RNA sequencing"
    if re.search(r"\bDNA\b", text) or "SEQUENCING" in text:
        return "DNA sequencing"
    if re.search(r"\bRT-?PCR\b", text):
        return "RT-PCR"
    return "unnamed method"


def _method_text(observation: Observation) -> str:
    concept = observation.method
    if concept is None:
        return ""
    displays = [coding.display or "" for coding in concept.coding]
    sequencing = any(key[1] == "LA26398-0" for key in concept_keys(concept))
    return " ".join([concept.text or "", *displays, "sequencing" if sequencing else ""])


def _finding(context: Context, observation: Observation) -> str:
    """fusion, amplification or point mutation of ALK; empty when it is about another gene.

    A fusion needs two genes or a coded fusion term: an ALK variant alone is not one.
    """
    book = context.book
    genes: list[bool] = []
    fused = changed = copies = False
    for component in observation.component:
        value = component.value_codeable_concept
        if book.says(component.code, "component gene studied", "component fusion five prime gene",
                     "component fusion three prime gene"):  # fmt: skip
            genes.append(_is_alk(context, value))
        elif book.says(component.code, "component gene fusion transcript"):
            fused = fused or _is_alk(context, value)
            genes.append(_is_alk(context, value))
        elif book.says(component.code, "component DNA change type"):
            fused = fused or book.says(value, "gene fusion")
        elif book.says(component.code, "component copy number"):
            copies = True
        elif book.says(component.code, "component amino acid change", "component DNA change"):
            changed = True
    if not any(genes):
        return ""
    if fused or len(genes) > 1:
        return "fusion"
    if copies:
        return "amplification"
    return "point mutation" if changed else "fusion not shown"


def _is_alk(context: Context, concept: CodeableConcept | None) -> bool:
    keys = set(concept_keys(concept))
    wanted = context.book.value_sets["gene ALK"].keys
    if keys & wanted:
        return True
    parts = [(system, part) for system, code in keys for part in re.split(r"::|--", code)]
    return any(code_key(system, part) in wanted for system, part in parts)


def alk_status(
    results: Iterable[AlkResult], treated_since: date | None = None
) -> tuple[Statements | None, AlkResult | None]:
    """What the results say together, with the one that leads.

    A negative test after the first ALK inhibitor (`treated_since`) does not take back a positive
    one from before: it may come from too little tumour, and "ALK fusion lost" asks about it.

    A positive and a negative tissue test contradict each other until RNA sequencing, done last,
    settles it. A negative plasma test never counts against a tissue test.
    """
    listed = [item for item in results if item.finding in ("fusion", "fusion not shown")]
    other = [item for item in results if item not in listed]
    positive = [
        item
        for item in listed
        if item.answer == "positive" and item.method in SUFFICIENT and item.finding == "fusion"
    ]
    negative = [item for item in listed if item.answer == "negative" and item.method in TISSUE]
    if treated_since is not None and any(_before(item, treated_since) for item in positive):
        negative = [item for item in negative if _before(item, treated_since)]
    weak = [
        item
        for item in listed
        if item.answer in ("equivocal", "unreadable")
        or (item.answer == "positive" and item not in positive)
    ]
    if positive and negative:
        newest = max([*positive, *negative], key=lambda item: item.day or date.min)
        if newest.method == "RNA sequencing":
            return _said("confirmed" if newest in positive else "negative", newest)
        return _said("discordant", newest)
    if positive:
        return _said("confirmed", positive[0])
    mutations = [item for item in other if item.answer == "positive"]
    if mutations and not weak:
        name = f"{mutations[0].finding} only"
        return _said(name, mutations[0])
    settled = [item for item in negative if item.method in ("FISH", "RNA sequencing")]
    if weak and not settled:
        return _said("equivocal", weak[0])
    for answer, group in (
        ("negative", negative),
        ("pending", [item for item in results if item.answer == "pending"]),
        ("failed", [item for item in listed if item.answer == "failed"]),
    ):
        if group:
            return _said(answer, group[0])
    return None, None


def _before(item: AlkResult, day: date) -> bool:
    return item.day is not None and item.day < day


def _said(value: str, leading: AlkResult) -> tuple[Statements, AlkResult]:
    said = Statement(value, leading.day, leading.as_sent, leading.source)
    return Statements((said,)), leading


def assay(leading: AlkResult | None) -> Statements | None:
    """The method behind the leading result."""
    if leading is None:
        return None
    return Statements((Statement(leading.method, leading.day, "", leading.source),))


def result_days(results: Iterable[AlkResult]) -> Events:
    """The days on which an ALK result was given."""
    days = [
        Event(item.day, item.as_sent, item.source)
        for item in results
        if item.day is not None and item.answer in ("positive", "negative", "equivocal")
    ]
    return Events(tuple(sorted(days, key=lambda item: item.day, reverse=True)))


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
    """A diagnosis code that states ALK without any test: positive needs its report first."""
    for name, value in (
        ("ALK-positive non-small cell lung cancer", "equivocal"),
        ("ALK-negative non-small cell lung cancer", "negative"),
    ):
        for condition in context.record.conditions(context.book.value_sets[name]):
            if status_of(condition) == "refuted":
                continue
            label = condition.code.label if condition.code is not None else None
            day = context.day_of(condition.onset_date_time, condition.recorded_date)
            said = Statement(value, day, f"diagnosis code: {label or name}", condition.key)
            return Statements((said,))
    return None
