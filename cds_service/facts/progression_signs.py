"""What in the record points to progression, although nobody recorded the disease as worse.

Only what began after the start of the running ALK inhibitor, and what no later disease status
answered. A site that was known before is no new one, however often it is recorded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.facts.alk_elsewhere import day_of_report
from cds_service.facts.alk_status import coded_answer
from cds_service.facts.cancers import METASTASES, cancers
from cds_service.facts.context import Context
from cds_service.facts.finding_grades import tail
from cds_service.facts.finding_readers.condition import clinical_status
from cds_service.facts.finding_readings import ABSENT, REFUTED, SUSPECTED, dated_in_future
from cds_service.facts.findings import findings_of
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.facts.onsets import placed
from cds_service.facts.patient import TreatmentLine
from cds_service.facts.progression_words import named_assessments, tells_of_growth, words_of
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import CodeKey, concept_keys
from cds_service.fhir.views import (
    CodeableConcept,
    Condition,
    DiagnosticReport,
    MedicationRequest,
    Observation,
)
from cds_service.rules import Collection, Item, Reason, ReasonKind, Statements

SIGNS = "signs of progression"
WRITTEN_LATE_DAYS = 28
"""What is only known by the day it was written down counts as new from so many days after the
start: the staging of the start reaches the problem list late (our own choice)."""

_BRAIN = frozenset(
    {"brain metastases", "leptomeningeal metastases", "central nervous system metastases"}
)
_SITES = {
    "brain metastases": "brain metastases",
    "leptomeningeal metastases": "metastases of the meninges",
    "central nervous system metastases": "metastases of the nervous system",
    "lymph node metastases": "lymph node metastases",
    "other metastases": "metastases",
}
_REPORT = frozenset({"report of progression"})
_TUMOUR = "tumour progression"
_RELAPSED = frozenset({"relapse", "recurrence"})
_COURSE = "condition-diseasecourse"
_REPORTED = frozenset({"final", "amended", "corrected", "appended"})


@dataclass(frozen=True, slots=True)
class _Site:
    """A recorded metastasis: which group, which codes, since when."""

    group: str
    keys: frozenset[CodeKey]
    day: date
    written: bool
    suspected: bool
    source: str


def signs_of_progression(
    context: Context,
    lines: Sequence[TreatmentLine],
    status: Statements | None,
    drafts: Sequence[MedicationRequest] = (),
) -> Collection | None:
    """The signs since the start of the running ALK inhibitor, newest first; None without one.

    `drafts` may give progression as the reason for another drug.
    """
    running = [line for line in lines if line.status != "ended"]
    starts = [line.start for line in running if line.start is not None]
    if not running:
        return None
    if len(starts) < len(running):
        return Collection((), complete=False, incomplete=(_missing("treatment start"),))
    start = max(starts)
    found = [
        *_metastases(context, start, starts),
        *_reports(context, start),
        *_told(context, start),
        *_relapses(context, start),
        *_reasons(context, drafts),
    ]
    answered = _last_answer(status)
    kept = [item for item in found if answered is None or (item.day or start) > answered]
    kept.sort(key=lambda item: (-(item.day or date.min).toordinal(), item.label, item.source))
    whole = {"conditions", "reports"} <= context.complete
    reasons = () if whole else (_missing("the problem list and the reports"),)
    return Collection(tuple(kept), whole, reasons)


def _last_answer(status: Statements | None) -> date | None:
    """The last day on which the clinician said how the disease does."""
    said = status.statements if status is not None else ()
    days = [item.day for item in said if item.value != "undetermined" and item.day is not None]
    return max(days, default=None)


def _metastases(context: Context, start: date, starts: Sequence[date]) -> list[Item]:
    sites = list(_sites(context, starts))
    known = [site for site in sites if not _is_new(site, start)]
    items: list[Item] = []
    named: set[tuple[str, bool]] = set()
    for site in sorted(sites, key=lambda item: (item.day, item.source)):
        if not _is_new(site, start) or any(_same(site, other) for other in known):
            continue
        label = _SITES[site.group]
        if (label, site.suspected) in named:
            continue
        named.add((label, site.suspected))
        items.append(_item(site, label))
    return items


def _item(site: _Site, label: str) -> Item:
    on = _on(site.day)
    if site.suspected:
        names = frozenset({"metastasis suspected"})
        return Item(names, f"suspected {label} of {on}", site.day, label, site.source)
    names = frozenset({"new metastasis"})
    if site.group in _BRAIN:
        names |= {"new brain metastasis"}
    return Item(names, f"new {label} of {on}", site.day, label, site.source)


def _is_new(site: _Site, start: date) -> bool:
    late = timedelta(days=WRITTEN_LATE_DAYS if site.written else 0)
    return site.day > start + late


def _same(one: _Site, other: _Site) -> bool:
    """Whether two records are of the same place: one code, or both of the nervous system."""
    return bool(one.keys & other.keys) or (one.group in _BRAIN and other.group in _BRAIN)


def _sites(context: Context, starts: Sequence[date]) -> Iterable[_Site]:
    seen: set[int] = set()
    concepts = context.book.concepts
    for group in METASTASES:
        for item in findings_of(context).of(*concepts.concepts_of(group)):
            condition, status = item.record, item.finding.status
            if not isinstance(condition, Condition | Observation) or id(condition) in seen:
                continue
            if status in (REFUTED, ABSENT) or (status == SUSPECTED and item.over):
                continue
            seen.add(id(condition))
            day = placed(item, starts).finding.began
            if day is None:
                continue
            written = isinstance(condition, Condition) and not (
                condition.onset_date_time or condition.onset_period
            )
            yield _Site(group, item.keys, day, written, status == SUSPECTED, condition.key)
    for report, day in _dated(context):
        for concept in report.conclusion_code:
            found = _group(context, concept)
            if found:
                keys = frozenset(concept_keys(concept))
                yield _Site(found, keys, day, False, False, report.key)


def _group(context: Context, concept: CodeableConcept | None) -> str:
    return next((name for name in METASTASES if context.book.says(concept, name)), "")


def _dated(context: Context) -> Iterable[tuple[DiagnosticReport, date]]:
    for report in context.record.of_type(DiagnosticReport):
        if (report.conclusion_code or report.conclusion) and status_of(report) in _REPORTED:
            day = day_of_report(context, report)
            if day is None or dated_in_future(context, "reports", "a report", day):
                continue
            yield report, day


def _reports(context: Context, start: date) -> Iterable[Item]:
    """Reports whose conclusion says that the disease got worse, by a code or in words."""
    for report, day in _dated(context):
        if day <= start:
            continue
        coded = any(
            context.book.says(concept, "disease worsened") for concept in report.conclusion_code
        )
        words = [word for concept in report.conclusion_code for word in words_of(concept)]
        if coded or any(map(tells_of_growth, (*words, report.conclusion))):
            label = f"report of {_on(day)}" + ("" if coded else ", in words")
            yield Item(_REPORT, label, day, "report of progression", report.key)


def _told(context: Context, start: date) -> Iterable[Item]:
    """Findings and assessments that say so: a diagnosis, an answer in other words."""
    book = context.book
    for condition in context.record.of_type(Condition):
        if status_of(condition) in ("refuted", "entered-in-error"):
            continue
        if book.says(condition.code, _TUMOUR) or any(
            map(tells_of_growth, words_of(condition.code))
        ):
            day = context.day_of(condition.onset_date_time, condition.recorded_date)
            yield from _after(context, start, day, "progression as a diagnosis", condition.key)
    named = [result.observation for result in context.record.observations(book.value_sets[_TUMOUR])]
    valued = [
        observation
        for observation in context.record.of_type(Observation)
        if observation.value_codeable_concept is not None
        and book.says(observation.value_codeable_concept, _TUMOUR)
        and not book.says(observation.code, "disease status")
    ]
    for observation in (*named, *valued):
        denied = coded_answer(context, observation) == "negative"
        if status_of(observation) in READABLE_STATUSES and not denied:
            day = _day_of(context, observation)
            yield from _after(context, start, day, "finding of progression", observation.key)
    asked = [
        result.observation
        for result in context.record.observations(book.value_sets["disease status"])
    ]
    for observation in (*asked, *named_assessments(context)):
        value = observation.value_codeable_concept
        said = (*words_of(value), observation.value_string)
        if status_of(observation) not in READABLE_STATUSES:
            continue
        day = _day_of(context, observation)
        if any(map(tells_of_growth, said)):
            yield from _after(context, start, day, "assessment in words", observation.key)
        elif day is None and book.says(value, "disease worsened"):
            yield from _after(context, start, day, "assessment of the disease", observation.key)


def _relapses(context: Context, start: date) -> Iterable[Item]:
    """A lung cancer, or a metastasis, of which the record says that it came back or grows.

    Since when it says so is rarely recorded: only a day after the start is one of the relapse.
    """
    found = [item for item in context.record.of_type(Condition) if _came_back(item)]
    if not found:
        return
    own = {
        item.source for item in cancers(context).items if any("lung" in name for name in item.names)
    }
    for condition in found:
        if condition.key not in own and not _group(context, condition.code):
            continue
        if status_of(condition) in ("refuted", "entered-in-error"):
            continue
        days = map(context.day_of, (condition.onset_date_time, condition.recorded_date))
        day = max((day for day in days if day is not None and day > start), default=None)
        yield from _after(context, start, day, "relapse of the cancer", condition.key)


def _came_back(condition: Condition) -> bool:
    if clinical_status(condition) in _RELAPSED:
        return True
    course = [item.value_codeable_concept for item in condition.extension
              if tail(item.url) == _COURSE]  # fmt: skip
    said = (condition.clinical_status, *course)
    return any(tells_of_growth(word) for concept in said for word in words_of(concept))


def _reasons(context: Context, drafts: Iterable[MedicationRequest]) -> Iterable[Item]:
    """Orders of another ALK inhibitor that give progression as their reason."""
    for draft in drafts:
        if is_for_progression(context, draft):
            day = context.as_of
            yield Item(_REPORT, "the reason of the order", day, "reason of an order", draft.key)


def is_for_progression(context: Context, order: MedicationRequest) -> bool:
    """Whether an order gives progression as its reason, by a code or in words."""
    coded = any(
        context.book.says(concept, "disease worsened", "treatment ended for progression")
        for concept in order.reason_code
    )
    words = [word for concept in order.reason_code for word in words_of(concept)]
    notes = [note.text for note in order.note]
    return coded or any(map(tells_of_growth, (*words, *notes)))


def _day_of(context: Context, observation: Observation) -> date | None:
    moment = context.effective(observation)
    return moment.day if moment is not None else None


def _after(
    context: Context, start: date, day: date | None, says: str, source: str
) -> Iterable[Item]:
    """One sign, unless it is older than the drug. What has no day may be of today: it is asked."""
    if day is None:
        yield Item(_REPORT, f"{says} without a day", None, says, source)
    elif start < day <= context.as_of:
        yield Item(_REPORT, f"{says} of {_on(day)}", day, says, source)


def _on(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _missing(detail: str) -> Reason:
    return Reason.of(ReasonKind.MISSING, SIGNS, detail)
