"""What in the record points to progression, although nobody recorded the disease as worse.

Only what began after the start of the running ALK inhibitor, and what no later disease status
answered. A site that was known before is no new one, however often it is recorded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.facts.alk_elsewhere import day_of_report
from cds_service.facts.cancers import METASTASES
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import ABSENT, REFUTED, SUSPECTED, dated_in_future
from cds_service.facts.findings import findings_of
from cds_service.facts.patient import TreatmentLine
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import CodeKey, concept_keys
from cds_service.fhir.views import CodeableConcept, Condition, DiagnosticReport
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
    context: Context, lines: Sequence[TreatmentLine], status: Statements | None
) -> Collection | None:
    """The signs since the start of the running ALK inhibitor, newest first; None without one."""
    running = [line for line in lines if line.status != "ended"]
    starts = [line.start for line in running if line.start is not None]
    if not running:
        return None
    if len(starts) < len(running):
        return Collection((), complete=False, incomplete=(_missing("treatment start"),))
    start = max(starts)
    found = [*_metastases(context, start), *_reports(context, start)]
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


def _metastases(context: Context, start: date) -> list[Item]:
    sites = list(_sites(context))
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
    on = f"{site.day.day} {site.day:%b %Y}"
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


def _sites(context: Context) -> Iterable[_Site]:
    seen: set[int] = set()
    concepts = context.book.concepts
    for group in METASTASES:
        for item in findings_of(context).of(*concepts.concepts_of(group)):
            condition, status = item.record, item.finding.status
            if not isinstance(condition, Condition) or id(condition) in seen:
                continue
            if status in (REFUTED, ABSENT) or (status == SUSPECTED and item.over):
                continue
            seen.add(id(condition))
            day = item.finding.began
            if day is None:
                continue
            written = not condition.onset_date_time and condition.onset_period is None
            yield _Site(group, item.keys, day, written, status == SUSPECTED, condition.key)
    for report, day in _dated(context):
        for concept in report.conclusion_code:
            found = _group(context, concept)
            if found:
                keys = frozenset(concept_keys(concept))
                yield _Site(found, keys, day, False, False, report.key)


def _group(context: Context, concept: CodeableConcept) -> str:
    return next((name for name in METASTASES if context.book.says(concept, name)), "")


def _dated(context: Context) -> Iterable[tuple[DiagnosticReport, date]]:
    for report in context.record.of_type(DiagnosticReport):
        if report.conclusion_code and status_of(report) in _REPORTED:
            day = day_of_report(context, report)
            if day is None or dated_in_future(context, "reports", "a report", day):
                continue
            yield report, day


def _reports(context: Context, start: date) -> Iterable[Item]:
    """Reports whose coded conclusion says that the disease got worse."""
    for report, day in _dated(context):
        if day <= start:
            continue
        if any(
            context.book.says(concept, "disease worsened") for concept in report.conclusion_code
        ):
            names = frozenset({"report of progression"})
            label = f"report of {day.day} {day:%b %Y}"
            yield Item(names, label, day, "report of progression", report.key)


def _missing(detail: str) -> Reason:
    return Reason.of(ReasonKind.MISSING, SIGNS, detail)
