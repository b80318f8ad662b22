"""Deciding for each patient of each chart, in several processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cds_service.alk import Question, decide
from cds_service.cohort.charts import Chart
from cds_service.cohort.rows import Row, row_of
from cds_service.facts import BeforeBirthError, FactReader, PatientFacts, Supplied
from cds_service.facts.person import death_of
from cds_service.fhir.read_result import ReadResult
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.references import parse_reference
from cds_service.fhir.views import Patient
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge
from hooks import patient_view
from hooks.data import EVERYTHING

MOMENT = "patient-view"
TWO_PEOPLE = "two different people have this id"
DECEASED, INACTIVE = "deceased", "inactive"
_KINDS = frozenset(kind.key for kind in EVERYTHING)
_BESIDE = frozenset(kind.key for kind in EVERYTHING if kind.beside)
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
    `error` nothing was decided, and the tuples mean nothing; neither do they of a patient who is
    `left_out` because nobody treats them any more. Who is `set_aside` was not looked at further,
    because nothing in the chart can concern the algorithm. `rows` say more of each recommendation
    where the chart was read here.
    """

    source: str
    patient: str | None
    rule_ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    error: str | None = None
    left_out: str | None = None
    set_aside: bool = False
    rows: tuple[Row, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """The result as one JSON object."""
        if self.error is not None:
            return {"patient": self.patient, "source": self.source, "error": self.error}
        if self.left_out is not None:
            return {"patient": self.patient, "source": self.source, "left_out": self.left_out}
        return {
            "patient": self.patient,
            "source": self.source,
            "rule_ids": list(self.rule_ids),
            "kinds": list(self.kinds),
            "severities": list(self.severities),
            "undecided": list(self.undecided),
            **({"set_aside": True} if self.set_aside else {}),
        }


loaded: dict[Setup, Knowledge] = {}
"""Tables that a run has loaded for the processes that it starts by copying itself."""


class Decider:
    """Everything one process needs; the knowledge is loaded once.

    `lacking` are kinds of data that are not whole for anybody, with why. A kind that is there
    beside those of another (`Kind.beside`) and is lacking is nobody's concern, and not complete.
    """

    def __init__(self, setup: Setup, lacking: Mapping[str, str] | None = None) -> None:
        self._setup = setup
        self._lacking = lacking or {}
        self._knowledge: Knowledge = loaded.get(setup) or setup.release()
        self._zone = ZoneInfo(setup.timezone)
        self._reader = FactReader(self._knowledge, self._zone)

    def results(self, chart: Chart) -> list[PatientResult]:
        """One result for each patient of a chart; at least one, be it an error."""
        if chart.two_people:
            return [PatientResult(chart.source, chart.patient, error=TWO_PEOPLE)]
        try:
            read = read_resources(chart.read())
        except OSError as error:
            return [PatientResult(chart.source, None, error=type(error).__name__)]
        if chart.patient is not None and not chart.concerns:
            away = left_out(chart.patient, read, self._setup.as_of, self._zone)
            aside = PatientResult(chart.source, chart.patient, left_out=away, set_aside=True)
            return [aside]
        if chart.patient is not None:
            return [self._result(chart, chart.patient, read)]
        if not read.resources:
            return [PatientResult(chart.source, None, error="no FHIR resource could be read")]
        patients = chart_patients(read)
        if not patients:
            return [PatientResult(chart.source, None, error="no patient in it")]
        return [self._result(chart, patient, read) for patient in patients]

    def _result(self, chart: Chart, patient: str, read: ReadResult) -> PatientResult:
        try:
            return self._decided(chart, patient, read)
        except BeforeBirthError as error:
            return PatientResult(chart.source, patient, error=str(error))
        except Exception as error:  # noqa: BLE001 - one chart must not cost the others their answer
            return PatientResult(chart.source, patient, error=f"failed: {type(error).__name__}")

    def _decided(self, chart: Chart, patient: str, read: ReadResult) -> PatientResult:
        setup = self._setup
        away = left_out(patient, read, setup.as_of, self._zone)
        if away is not None:
            return PatientResult(chart.source, patient, left_out=away)
        facts = chart_facts(
            self._reader, patient, read, setup.as_of, setup.today, self._lacking, chart.lost
        )
        question = Question(MOMENT, jurisdiction=setup.jurisdiction)
        # Half a check among whole ones would be counted as a patient without findings.
        decision = decide(facts, question, self._knowledge, setup.as_of).whole()
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
            rows=tuple(row_of(patient, item, decision, self._knowledge) for item in shown),
        )


def left_out(patient: str, read: ReadResult, as_of: date, zone: tzinfo) -> str | None:
    """Why nobody treats the patient any more on a day; None when somebody does, or may.

    Of several copies that do not agree nothing is believed here: the patient is decided for.
    """
    said = {
        _away(one, as_of, zone)
        for one in read.resources
        if isinstance(one, Patient) and one.id == patient
    }
    return said.pop() if len(said) == 1 else None


def _away(person: Patient, as_of: date, zone: tzinfo) -> str | None:
    dead = death_of(person, as_of, zone)
    if dead is not None and any(item.value == "present" for item in dead.statements):
        return DECEASED
    return INACTIVE if person.active is False else None


def chart_facts(
    reader: FactReader,
    patient: str,
    read: ReadResult,
    as_of: date,
    today: date | None = None,
    lacking: Mapping[str, str] | None = None,
    lost: int = 0,
) -> PatientFacts:
    """The facts of one patient of a chart, which counts as whole unless it shows that it is not.

    A chart that knows of later days than `as_of` is read as it was on that day; days after
    `today` are slips. `lacking` are kinds of data that the chart was never given, with why; `lost`
    counts what is not in `read` because it could not be. Raises BeforeBirthError.
    """
    record = PatientRecord.build(patient, [read])
    lacking = lacking or {}
    unavailable = {key: why for key, why in lacking.items() if key not in _BESIDE}
    if record.patient is None:
        unavailable["patient"] = "not in the file"
    if read.next_link is not None:
        unavailable["further pages"] = "the file holds a first page only"
    if read.lost or lost:
        unavailable["unreadable resources"] = f"{len(read.lost) + lost} were not used"
    if read.cut_short:
        unavailable["further resources"] = "the file holds fewer than it counts"
    if any(outcome.serious for outcome in read.outcomes):
        unavailable["parts of the chart"] = "the file holds an error or a warning of its server"
    # Of a page, and of a chart with unreadable parts, nobody knows what is missing.
    whole = read.shortfall is None and not lost
    complete = _KINDS - unavailable.keys() - lacking.keys() if whole else frozenset()
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
    """The results of charts in memory, in their order. `processes` is at least 1.

    Raises KnowledgeError when the tables cannot be loaded.
    """
    if processes == 1:
        decider = Decider(setup)
        for chart in charts:
            yield from decider.results(chart)
        return
    # Loaded here first, so that a faulty table is told as such and not as a broken pool.
    setup.release()
    with ProcessPoolExecutor(processes, initializer=_prepare, initargs=(setup,)) as pool:
        for results in pool.map(_in_worker, charts, chunksize=_CHARTS_AT_ONCE):
            yield from results


_decider: Decider | None = None


def _prepare(setup: Setup) -> None:
    global _decider
    _decider = Decider(setup)


def _in_worker(chart: Chart) -> list[PatientResult]:
    if _decider is None:
        raise RuntimeError("the worker was not prepared")
    return _decider.results(chart)
