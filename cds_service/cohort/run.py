"""Deciding for each patient of each chart, in several processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cds_service.alk import Decision, Question, decide
from cds_service.cohort.charts import Chart
from cds_service.facts import BeforeBirthError, FactReader, PatientFacts, Supplied
from cds_service.fhir.reading import ReadResult, read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.references import parse_reference
from cds_service.fhir.views import Patient
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge
from hooks import patient_view
from hooks.data import EVERYTHING

MOMENT = "patient-view"
_KINDS = frozenset(kind.key for kind in EVERYTHING)
_CHARTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Setup:
    """The day asked about, the clinic's time zone by IANA name, whose approvals count, where the
    release lies that answers (the packaged one for None), and the site's own codes.

    `today` is the calendar's day: later days in a chart are slips. Without it none are."""

    as_of: date
    timezone: str = "UTC"
    jurisdiction: str = "US"
    knowledge: Path | None = None
    local_codes: Path | None = None
    concept_maps: tuple[Path, ...] = ()
    today: date | None = None

    def release(self) -> Knowledge:
        """The tables that answer. Raises KnowledgeError."""
        return load_release(self.knowledge, self.local_codes, self.concept_maps)


@dataclass(frozen=True, slots=True)
class PatientResult:
    """What was decided for one patient, or why nothing was.

    The three tuples run in parallel, the most dangerous first, and hold what the card of the
    patient-view hook would show. `undecided` are rules that could not be answered. With an
    `error` nothing was decided, and the tuples mean nothing.
    """

    source: str
    patient: str | None
    rule_ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    error: str | None = None

    def as_document(self) -> dict[str, Any]:
        """The result as one JSON object."""
        if self.error is not None:
            return {"patient": self.patient, "source": self.source, "error": self.error}
        return {
            "patient": self.patient,
            "source": self.source,
            "rule_ids": list(self.rule_ids),
            "kinds": list(self.kinds),
            "severities": list(self.severities),
            "undecided": list(self.undecided),
        }


class _Decider:
    """Everything one process needs; the knowledge is loaded once."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._knowledge: Knowledge = setup.release()
        self._reader = FactReader(self._knowledge, ZoneInfo(setup.timezone))

    def results(self, chart: Chart) -> list[PatientResult]:
        """One result for each patient of a chart; at least one, be it an error."""
        try:
            read = read_resources(chart.read())
        except OSError as error:
            return [PatientResult(chart.source, None, error=type(error).__name__)]
        if not read.resources:
            return [PatientResult(chart.source, None, error="no FHIR resource could be read")]
        patients = chart_patients(read)
        if not patients:
            return [PatientResult(chart.source, None, error="no patient in it")]
        return [self._result(chart, patient, read) for patient in patients]

    def _result(self, chart: Chart, patient: str, read: ReadResult) -> PatientResult:
        try:
            decision = self._decision(patient, read)
        except BeforeBirthError as error:
            return PatientResult(chart.source, patient, error=str(error))
        except Exception as error:  # noqa: BLE001 - one chart must not cost the others their answer
            return PatientResult(chart.source, patient, error=f"failed: {type(error).__name__}")
        shown = [
            item
            for item in decision.recommendations
            if patient_view.SERVICE.matters(item, decision.question)
        ]
        return PatientResult(
            chart.source,
            patient,
            tuple(item.rule_id for item in shown),
            tuple(item.kind.value for item in shown),
            tuple(item.severity for item in shown),
            tuple(decision.undecided),
        )

    def _decision(self, patient: str, read: ReadResult) -> Decision:
        setup = self._setup
        facts = chart_facts(self._reader, patient, read, setup.as_of, setup.today)
        question = Question(MOMENT, jurisdiction=self._setup.jurisdiction)
        # Half a check among whole ones would be counted as a patient without findings.
        return decide(facts, question, self._knowledge, self._setup.as_of).whole()


def chart_facts(
    reader: FactReader, patient: str, read: ReadResult, as_of: date, today: date | None = None
) -> PatientFacts:
    """The facts of one patient of a chart, which counts as whole unless it shows that it is not.

    A chart that knows of later days than `as_of` is read as it was on that day; days after
    `today` are slips. Raises BeforeBirthError.
    """
    record = PatientRecord.build(patient, [read])
    unavailable: dict[str, str] = {}
    if record.patient is None:
        unavailable["patient"] = "not in the file"
    if read.next_link is not None:
        unavailable["further pages"] = "the file holds a first page only"
    if read.lost:
        unavailable["unreadable resources"] = f"{len(read.lost)} were not used"
    if read.cut_short:
        unavailable["further resources"] = "the file holds fewer than it counts"
    if any(outcome.serious for outcome in read.outcomes):
        unavailable["parts of the chart"] = "the file holds an error or a warning of its server"
    # Of a page, and of a chart with unreadable parts, nobody knows what is missing.
    whole = read.shortfall is None
    complete = _KINDS - unavailable.keys() if whole else frozenset()
    supplied = Supplied(record, complete, unavailable)
    return reader.read(reader.known_by(supplied, today or date.max, as_of), as_of)[0]


def chart_patients(read: ReadResult) -> list[str]:
    """Ids of the patients that are in the chart or that its resources belong to."""
    found: dict[str, None] = {}
    for resource in read.resources:
        if isinstance(resource, Patient) and resource.id:
            found.setdefault(resource.id)
    for resource in read.resources:
        holder = getattr(resource, "subject", None) or getattr(resource, "patient", None)
        parsed = parse_reference(getattr(holder, "reference", None))
        key = parsed.key if parsed is not None else None
        if key is not None and key.startswith("Patient/"):
            found.setdefault(key.removeprefix("Patient/"))
    return list(found)


def run_cohort(
    charts: Iterable[Chart], setup: Setup, processes: int = 1
) -> Iterator[PatientResult]:
    """The results of all charts in their order. `processes` is at least 1.

    Raises KnowledgeError when the tables cannot be loaded.
    """
    if processes == 1:
        decider = _Decider(setup)
        for chart in charts:
            yield from decider.results(chart)
        return
    # Loaded here first, so that a faulty table is told as such and not as a broken pool.
    setup.release()
    with ProcessPoolExecutor(processes, initializer=_prepare, initargs=(setup,)) as pool:
        for results in pool.map(_in_worker, charts, chunksize=_CHARTS_AT_ONCE):
            yield from results


_decider: _Decider | None = None


def _prepare(setup: Setup) -> None:
    global _decider
    _decider = _Decider(setup)


def _in_worker(chart: Chart) -> list[PatientResult]:
    if _decider is None:
        raise RuntimeError("the worker was not prepared")
    return _decider.results(chart)
