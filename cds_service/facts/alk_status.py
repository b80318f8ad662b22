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
from cds_service.fhir.record import CodedResult, status_of
from cds_service.fhir.terminology import code_key, concept_keys
from cds_service.fhir.values import interpretation_codes
from cds_service.fhir.views import (
    CodeableConcept,
    Observation,
    ObservationComponent,
    Specimen,
)
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

_PARTNERS = ("component fusion five prime gene", "component fusion three prime gene")
_RESIDUE = re.compile(r"[A-Z][a-z]{0,2}\d+")
WAITING = frozenset({"registered", "preliminary"})
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
            named = method or _stain(result.observation)
            found += _read(context, result, named, "fusion")
    for result in record.observations(book.value_sets["genetic variant assessment"]):
        if result.component is not None:
            continue
        finding = _finding(context, result.observation)
        if finding:
            found += _read(context, result, _sequencing(context, result.observation), finding)
    found.sort(key=lambda item: item.day or date.min, reverse=True)
    return found


def _read(context: Context, result: CodedResult, method: str, finding: str) -> list[AlkResult]:
    observation, source = result.observation, result.source
    status = status_of(observation)
    answer = coded_answer(context, source)
    if status in WAITING and answer is None:
        answer = "pending"
    elif status not in GIVEN:
        return []
    elif answer is None and source.data_absent_reason is not None:
        # A result that says why it has none is a test that gave no answer.
        answer = "failed"
    moment = context.effective(observation)
    if not context.usable(moment, "ALK") or moment is None:
        return []
    value = source.value_codeable_concept
    label = value.label if value is not None else None
    named = source.code.label if source.code is not None else None
    as_sent = ": ".join(part for part in (named, label) if part)
    return [
        AlkResult(method, answer or "unreadable", finding, moment.day, as_sent, observation.key)
    ]


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


def _stain(observation: Observation) -> str:
    if "D5F3" in _method_text(observation).upper():
        return "D5F3 immunohistochemistry"
    return "other immunohistochemistry"


def _sequencing(context: Context, observation: Observation) -> str:
    text = _method_text(observation).upper()
    specimen = specimen_words(context, observation)
    if re.search(r"plasma|blood|cfdna|ctdna", specimen, re.IGNORECASE):
        return "plasma sequencing"
    if re.search(r"\bRNA\b", text):
        return "RNA sequencing"
    if re.search(r"\bDNA\b", text) or "SEQUENCING" in text:
        return "DNA sequencing"
    if re.search(r"\bRT-?PCR\b", text):
        return "RT-PCR"
    return "unnamed method"


def specimen_words(context: Context, observation: Observation) -> str:
    """What the specimen of a result is called, where it is displayed and where it is described."""
    if observation.specimen is None:
        return ""
    texts = [observation.specimen.display or ""]
    found = context.record.resolve(observation.specimen, observation)
    if isinstance(found, Specimen) and found.type is not None:
        texts += [found.type.text or "", *(item.display or "" for item in found.type.coding)]
    return " ".join(texts)


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
    fused = rearranged = changed = residue = copies = unnamed = False
    for component in observation.component:
        value = component.value_codeable_concept
        if book.says(component.code, *_PARTNERS):
            unnamed = unnamed or value is None
            genes.append(_is_alk(context, value))
        elif book.says(component.code, "component gene studied"):
            genes.append(_is_alk(context, value))
        elif book.says(component.code, "component gene fusion transcript"):
            fused = fused or _is_alk(context, value)
            genes.append(_is_alk(context, value))
        elif book.says(component.code, "discrete genetic variant"):
            if book.says(value, "EML4-ALK fusion identifier"):
                fused = True
                genes.append(True)
        elif book.says(component.code, "component DNA change type"):
            fused = fused or book.says(value, "gene fusion")
            rearranged = rearranged or book.says(value, "structural rearrangement")
        elif book.says(component.code, "component copy number"):
            copies = True
        elif book.says(component.code, "component amino acid change", "component DNA change"):
            changed = True
            amino = book.says(component.code, "component amino acid change")
            residue = residue or (amino and _names_residue(component))
        elif book.says(component.code, "component genomic source class") and book.says(
            value, "germline"
        ):
            context.remark("ALK", "a germline variant was left out")
            return ""
    if not any(genes):
        if unnamed:
            context.remark("ALK", "a gene fusion that does not name its genes was not used")
        return ""
    # Two genes make a fusion, unless what is stated is a change within one of them.
    pair = len(genes) == 2 and not copies and (rearranged or not residue)
    if fused or pair:
        return "fusion"
    if len(genes) > 1:
        return "fusion not shown"
    if copies:
        return "amplification"
    return "point mutation" if changed else "fusion not shown"


def _names_residue(component: ObservationComponent) -> bool:
    concept = component.value_codeable_concept
    texts = [component.value_string, concept.text if concept is not None else None]
    texts += [item.code for item in concept.coding] if concept is not None else []
    return any(_RESIDUE.search(text.rpartition(":")[2]) for text in texts if text)


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
