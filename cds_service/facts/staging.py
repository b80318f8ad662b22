"""Setting of the disease, resection, imaging and other findings around the tumour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from cds_service.facts import cancers
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import PRESENT
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.facts.problems import diagnoses, flag
from cds_service.facts.statement_order import in_order
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.dates import own_times
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.values import has_value
from cds_service.fhir.views import (
    CodeableConcept,
    Condition,
    DiagnosticReport,
    Observation,
    Procedure,
)
from cds_service.rules import Collection, Event, Events, Statement, Statements

_STAGE_TEXT = re.compile(r"(?:stage )?(IV|III|II|I)([ABC]?)[0-9]?", re.IGNORECASE)
_M1 = re.compile(
    r"(?:American Joint Committee on Cancer |AJCC )?[cprya]{0,2}M1(?:[abc][0-9]?)?"
    r"(?: \(qualifier value\))?",
    re.IGNORECASE,
)
"""A category of distant metastases that says that there are some: `cM1a`, `M1c2`."""
_DISTANT = ("brain metastases", "leptomeningeal metastases", "central nervous system metastases",
            "other metastases", "metastatic non-small cell lung cancer")  # fmt: skip
_SENSITISING = re.compile(r"p\.\(?(?:Leu858Arg|L858R|Glu746_Ala750del|E746_A750del)\)?")
_DONE = frozenset({"final", "amended", "corrected", "preliminary", "appended"})


def setting(context: Context, resections: Events, recorded: Collection) -> Statements | None:
    """advanced, resected, locally advanced or early; None when nothing states it.

    Distant metastases or stage IV make it advanced whatever came before. A resection after which
    no metastases are recorded makes it resected. It is the setting of lung cancer: where only other
    cancers are recorded, stage and metastases are theirs.
    """
    if cancers.only_others(recorded):
        return None
    spread = flag(context, _DISTANT)
    if spread is not None:
        present = [item for item in spread.statements if item.value == "present"]
        absent = {item.source for item in spread.statements if item.value == "absent"}
        standing = [item for item in present if item.source not in absent]
        if standing:
            return _said("advanced", standing[0])
    stage = _stage(context)
    if stage is not None and stage.value.startswith("IV"):
        return _said("advanced", stage)
    if resections.events:
        latest = resections.events[0]
        said = Statement("resected", latest.day, latest.as_sent, latest.source)
        return Statements((said,))
    if stage is None:
        return None
    return _said("locally advanced" if stage.value.startswith("III") else "early", stage)


def _said(value: str, basis: Statement) -> Statements:
    return Statements((Statement(value, basis.day, basis.as_sent, basis.source),))


def _stage(context: Context) -> Statement | None:
    """The newest stage group that is stated by a code or by an exact stage name."""
    found: list[Statement] = []
    book = context.book
    for item in diagnoses(context):
        condition = item.record
        if item.finding.status != PRESENT or not isinstance(condition, Condition):
            continue
        concepts = [condition.code, *(stage.summary for stage in condition.stage)]
        for concept in concepts:
            stage = _stage_of(context, concept, allow_text=concept is not condition.code)
            if stage:
                label = concept.label if concept is not None else None
                found.append(Statement(stage, item.finding.began, label or "", condition.key))
    for result in context.record.observations(book.value_sets["cancer stage group"]):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        moment = context.effective(result.observation)
        value = result.source.value_codeable_concept
        stage = _stage_of(context, value, allow_text=True)
        if stage and context.usable(moment, "stage") and moment is not None:
            label = value.label if value is not None else None
            found.append(Statement(stage, moment.day, label or "", result.observation.key))
    found += _distant_categories(context)
    ordered = in_order(found)
    return ordered.statements[0] if ordered is not None else None


def _distant_categories(context: Context) -> Iterator[Statement]:
    """Stage IV of each M1 that was recorded as a category of TNM."""
    for result in context.record.observations(
        context.book.value_sets["distant metastasis category"]
    ):
        moment = context.effective(result.observation)
        value = result.source.value_codeable_concept
        if status_of(result.observation) not in READABLE_STATUSES or value is None:
            continue
        said = (value.text, *(name for one in value.coding for name in (one.code, one.display)))
        category = next((name for name in said if name and _M1.fullmatch(name.strip())), None)
        if category is None and _stage_of(context, value, allow_text=False) == "IV":
            category = value.label or "M1"
        if category and context.usable(moment, "stage") and moment is not None:
            yield Statement("IV", moment.day, category, result.observation.key)


def _stage_of(context: Context, concept: CodeableConcept | None, *, allow_text: bool) -> str:
    for system, code in concept_keys(concept):
        stage = context.book.knowledge.codes.stage_of(system, code)
        if stage:
            return stage
    if concept is None or not allow_text:
        return ""
    found = _STAGE_TEXT.fullmatch((concept.label or "").strip())
    return (found[1] + found[2]).upper() if found else ""


def resections(context: Context) -> Events:
    """Lung resections that were carried out."""
    found: list[Event] = []
    for procedure in context.record.of_type(Procedure):
        if status_of(procedure) not in ("completed", "in-progress"):
            continue
        label = (procedure.code.label or "") if procedure.code is not None else ""
        coded = context.book.says(procedure.code, "lung lobectomy")
        if not coded and not re.search(r"\blobectomy\b", label, re.IGNORECASE):
            continue
        period = procedure.performed_period
        day = context.day_of(
            procedure.performed_date_time,
            (period.end or period.start) if period else None,
            procedure.occurrence_date_time,
        )
        if day is not None and day <= context.as_of:
            found.append(Event(day, label, procedure.key))
    found.sort(key=lambda item: item.day, reverse=True)
    return Events(tuple(found), complete="procedures" in context.complete)


def brain_imaging(context: Context) -> Events:
    """Imaging of the brain that was reported or carried out."""
    found: list[Event] = []
    pattern = re.compile(r"\b(?:MRI?|magnetic resonance)\b.*\bbrain\b|\bbrain\b.*\bMRI?\b", re.I)
    for report in context.record.of_type(DiagnosticReport):
        label = (report.code.label or "") if report.code is not None else ""
        if status_of(report) not in _DONE:
            continue
        if not context.book.says(report.code, "brain MRI") and not pattern.search(label):
            continue
        day = _day_of_report(context, report)
        if day is not None and day <= context.as_of:
            found.append(Event(day, label, report.key))
    found.sort(key=lambda item: item.day, reverse=True)
    return Events(tuple(found))


def named_examinations(context: Context, value_set: str) -> Events | None:
    """Examinations that were reported or carried out, by code or by one of the exact names.

    None when there is none: that nothing is recorded does not mean that it was not done.
    """
    found: list[Event] = []
    for report in context.record.of_type(DiagnosticReport):
        if status_of(report) in _DONE and _is_named(context, report.code, value_set):
            period = report.effective_period
            day = context.day_of(
                report.effective_date_time,
                (period.end or period.start) if period else None,
                report.issued,
            )
            if day is not None and day <= context.as_of:
                found.append(Event(day, value_set, report.key))
    for procedure in context.record.of_type(Procedure):
        if status_of(procedure) == "completed" and _is_named(context, procedure.code, value_set):
            span = procedure.performed_period
            day = context.day_of(
                procedure.performed_date_time,
                (span.end or span.start) if span else None,
                procedure.occurrence_date_time,
            )
            if day is not None and day <= context.as_of:
                found.append(Event(day, value_set, procedure.key))
    found.sort(key=lambda item: item.day, reverse=True)
    return Events(tuple(found)) if found else None


def _is_named(context: Context, concept: CodeableConcept | None, value_set: str) -> bool:
    if concept is None:
        return False
    if context.book.says(concept, value_set):
        return True
    names = context.book.knowledge.codes.value_sets[value_set].match_text
    texts = (concept.text or "", *(coding.display or "" for coding in concept.coding))
    return any(name.lower() in text.lower() for name in names for text in texts)


def electrocardiograms(context: Context) -> Events:
    """Days with an ECG: an interval measured in one, a panel, or a report."""
    found: dict[date, Event] = {}
    book = context.book
    intervals = book.analytes["QTc"].keys | book.analytes["PR interval"].keys
    panels = book.value_sets["electrocardiogram"].keys
    for result in context.record.observations(sorted(intervals | panels)):
        observation = result.observation
        moment = context.effective(observation)
        if status_of(observation) not in READABLE_STATUSES or moment is None:
            continue
        # A panel is there to hold its parts; without a value or a part nothing was recorded.
        empty = not (has_value(result.source) or observation.component or observation.has_member)
        if moment.day is not None and moment.day <= context.as_of and not empty:
            label = (result.source.code.label or "") if result.source.code is not None else ""
            found.setdefault(moment.day, Event(moment.day, label, observation.key))
    for report in context.record.of_type(DiagnosticReport):
        if status_of(report) not in _DONE or not book.says(report.code, "electrocardiogram"):
            continue
        day = _day_of_report(context, report)
        if day is not None and day <= context.as_of:
            label = (report.code.label or "") if report.code is not None else ""
            found.setdefault(day, Event(day, label, report.key))
    ordered = sorted(found.values(), key=lambda item: item.day, reverse=True)
    return Events(tuple(ordered))


def _day_of_report(context: Context, report: DiagnosticReport) -> date | None:
    return context.day_of(*own_times(report), report.issued)


def coded_observation(
    context: Context,
    fact: str,
    codes: str,
    answers: Mapping[str, tuple[str, ...]],
    named: Iterable[Observation] = (),
) -> Statements | None:
    """A state from observations of one value set, and `named` ones, whose coded answer is in
    another.

    A text answer counts only when it is exactly one of the answer set's `match_text`.
    """
    found: list[Statement] = []
    book = context.book
    coded = context.record.observations(book.value_sets[codes])
    for result in (*coded, *(CodedResult(observation, None) for observation in named)):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        value = result.source.value_codeable_concept
        text = (value.label or "") if value is not None else (result.source.value_string or "")
        for answer, names in answers.items():
            exact = {
                word.lower()
                for name in names
                for word in book.knowledge.codes.value_sets[name].match_text
            }
            if book.says(value, *names) or text.strip().lower() in exact:
                moment = context.effective(result.observation)
                if context.usable(moment, fact) and moment is not None:
                    found.append(Statement(answer, moment.day, text, result.observation.key))
                break
    return in_order(found)


def egfr(context: Context) -> Statements | None:
    """EGFR mutation status from coded variants and diagnosis codes, never from free text."""
    book = context.book
    found: list[Statement] = []
    for result in context.record.observations(book.value_sets["genetic variant assessment"]):
        observation = result.observation
        if result.component is not None or status_of(observation) not in READABLE_STATUSES:
            continue
        about = [
            component
            for component in observation.component
            if book.says(component.code, "component gene studied")
            and book.says(component.value_codeable_concept, "gene EGFR")
        ]
        moment = context.effective(observation)
        if not about or not context.usable(moment, "EGFR gene") or moment is None:
            continue
        value = observation.value_codeable_concept
        if book.says(value, "answer negative"):
            found.append(Statement("wild type", moment.day, "absent", observation.key))
        elif book.says(value, "answer positive"):
            changes = [
                coding.code or ""
                for component in observation.component
                if book.says(component.code, "component amino acid change")
                and component.value_codeable_concept is not None
                for coding in component.value_codeable_concept.coding
            ]
            if any(_SENSITISING.fullmatch(change) for change in changes):
                said = Statement("sensitising mutation", moment.day, changes[0], observation.key)
                found.append(said)
    for value_set, answer in (
        ("EGFR-mutated non-small cell lung cancer", "sensitising mutation"),
        ("EGFR wild-type non-small cell lung cancer", "wild type"),
    ):
        for item in diagnoses(context, value_set):
            if item.finding.status == PRESENT:
                found.append(Statement(answer, item.finding.began, "", item.record.key))
    return in_order(found)
