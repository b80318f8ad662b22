"""All findings of one patient, read once from every kind of resource and looked up by concept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from cds_service.facts.concept_matching import EFFECTS
from cds_service.facts.context import Context
from cds_service.facts.finding_readers import READERS
from cds_service.facts.finding_readings import (
    ABSENT,
    BY_NAME,
    OVER,
    PRESENT,
    REFUTED,
    SUSPECTED,
    Reading,
)
from cds_service.facts.finding_succession import with_successors
from cds_service.facts.grade_scale import FROM_SEVERITY, FROM_TERM, STATED
from cds_service.facts.onset_words import Days
from cds_service.facts.onsets import placed, with_possible_days
from cds_service.fhir.event_views import (
    AdverseEvent,
    AllergyIntolerance,
    ClinicalImpression,
    Device,
    DeviceUseStatement,
    Encounter,
    Flag,
)
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import Condition, DiagnosticReport, QuestionnaireResponse
from cds_service.rules import Finding, Findings
from cds_service.rules.values import A_DRUG, ANOTHER_CAUSE

_LONG_AGO = date.min
_WEIGHT = {"": 0, FROM_TERM: 1, FROM_SEVERITY: 2, STATED: 3}
_OWNED = {
    AdverseEvent: ("adverse events", "an adverse event"),
    AllergyIntolerance: ("allergies", "an allergy"),
    DiagnosticReport: ("reports", "a report"),
    Encounter: ("visits", "a visit"),
    Condition: ("conditions", "a condition"),
    ClinicalImpression: ("impressions", "an impression"),
    Flag: ("alerts", "an alert"),
    QuestionnaireResponse: ("questionnaires", "a questionnaire"),
    Device: ("devices", "a device"),
    DeviceUseStatement: ("devices", "the use of a device"),
}


def findings_of(context: Context) -> FindingBook:
    """The findings of the patient that a context is about, read when first asked for."""
    return context.once(FindingBook, FindingBook.read)


@dataclass(frozen=True)
class FindingBook:
    """Everything that was found in one patient, up to the day asked about.

    `readings` are what each record says. `events` are the same with the records of one event
    made into one. No query asks for all in which a finding can stand, so that what is not
    recorded is never known to be absent.
    """

    readings: tuple[Reading, ...]
    events: tuple[Reading, ...]

    @classmethod
    def read(cls, context: Context) -> FindingBook:
        """Read all resources of the record; what is of others is remarked on."""
        for kind, (subject, what) in _OWNED.items():
            if context.record.ignored.get(kind.__name__):
                context.remark(subject, f"{what} of another patient was left out")
            if context.record.unattributed.get(kind.__name__):
                context.remark(subject, f"{what} that does not say whose it is was left out")
        # Which record gives an event its name must not hang on the order in which they were sent.
        found = [
            reading
            for read in READERS
            for reading in sorted(read(context), key=lambda item: item.record.key)
        ]
        if context.ends_unknown:
            found = [_with_open_end(context, item) for item in found]
        found = [item for each in found if (item := with_possible_days(context, each)) is not None]
        found = _with_cause_of_the_day(context, found)
        events = with_successors(context.book.concepts, _as_events(found))
        return cls(tuple(found), tuple(events))

    def of(self, *concepts: str) -> tuple[Reading, ...]:
        """What the records say of any of these concepts, each record as it stands."""
        wanted = frozenset(concepts)
        return tuple(item for item in self.readings if not wanted.isdisjoint(item.names))

    def events_of(self, *concepts: str) -> tuple[Reading, ...]:
        """The events of any of these concepts, several records of one event as one."""
        wanted = frozenset(concepts)
        return tuple(item for item in self.events if not wanted.isdisjoint(item.names))


@dataclass(frozen=True)
class PatientFindings:
    """The findings as the rules ask for them; nothing is read before that.

    `started` are the first days of the ALK inhibitors that are taken or paused.
    """

    context: Context = field(repr=False)
    started: tuple[date | None, ...] = ()

    def of(self, concept: str) -> Findings:
        """All findings of a concept, newest first, undated last; never complete."""
        found = [
            finding
            for item in self.events
            if concept in item.names and not self._says_more(item, concept)
            for finding in self._denying_each_code(item)
            if concept in finding.names
        ]
        found.sort(key=lambda item: item.began or _LONG_AGO, reverse=True)
        return Findings(tuple(found), self.started, complete=False)

    def _says_more(self, item: Reading, concept: str) -> bool:
        """Whether an event is one of those that say more exactly what was found."""
        concepts = self.context.book.knowledge.concepts
        unless = concepts[concept].unless if concept in concepts else ()
        return not item.names.isdisjoint(unless)

    def _denying_each_code(self, item: Reading) -> Iterator[Finding]:
        """The finding; of a denied one with several codes what each of them denies.

        Codes of one record mean the same. That of the narrowest meaning must not hide that the
        whole was denied as well.
        """
        match = self.context.book.concepts.match
        each = {names for key in item.keys if (names := match([key]))}
        if item.finding.status not in (REFUTED, ABSENT) or len(each) < 2:
            yield item.finding
            return
        for names in sorted(each, key=sorted):
            yield msgspec.structs.replace(item.finding, names=names)

    @property
    def events(self) -> tuple[Reading, ...]:
        """Every event with its codes, also those that no concept knows: their `names` are empty.

        A suspicion of the past that nobody has any more is left out.
        """
        return tuple(
            placed(item, self.started)
            for item in findings_of(self.context).events
            if not (item.over and item.finding.status == SUSPECTED)
        )


# -- the cause that another record of the day names ----------------------------------------------


def _with_open_end(context: Context, item: Reading) -> Reading:
    """A finding that is over by now and may have lasted on the earlier day asked about."""
    if id(item.record) not in context.ends_unknown or item.finding.status != PRESENT:
        return item
    finding = msgspec.structs.replace(item.finding, end_unknown=True)
    return replace(item, finding=finding)


def _with_cause_of_the_day(context: Context, found: Sequence[Reading]) -> list[Reading]:
    """ICD-10-CM names the drug as cause in a code of its own, which may be a record of its own.

    Such a record explains the diagnoses of its day, of its visit where both name one. One that
    does so and has no grade is no event beside them.
    """
    markers = [item for item in found if item.names and item.names <= EFFECTS and item.confirmed]
    if not markers:
        return list(found)
    explained: list[Reading] = []
    used: set[int] = set()
    for item in found:
        causes = set(item.finding.causes)
        for marker in markers:
            if item is not marker and _explains(marker, item):
                used.add(id(marker))
                if ANOTHER_CAUSE not in causes:
                    causes.add(A_DRUG)
        if causes != item.finding.causes:
            finding = msgspec.structs.replace(item.finding, causes=frozenset(causes))
            item = replace(item, finding=finding)
        explained.append(item)
    return [
        item
        for item, before in zip(explained, found, strict=True)
        if id(before) not in used or item.finding.grade is not None
    ]


def _explains(marker: Reading, item: Reading) -> bool:
    one, other = marker.record, item.record
    if not isinstance(one, Condition) or not isinstance(other, Condition):
        return False
    if not item.confirmed or item.names <= EFFECTS or _is_tumour(item):
        return False
    visits = [one.encounter, other.encounter]
    named = [visit.reference for visit in visits if visit is not None and visit.reference]
    if len(named) == 2 and named[0] != named[1]:
        return False
    day = marker.finding.began
    return day is not None and day == item.finding.began


def _is_tumour(item: Reading) -> bool:
    return any(
        "icd-10" in system and code[:1] == "C"
        for system, code in concept_keys(getattr(item.record, "code", None))
    )


# -- several records of one event ----------------------------------------------------------------


def _as_events(found: Sequence[Reading]) -> list[Reading]:
    """One reading for each event: records of one day and kind, or that refer to each other."""
    events: list[Reading] = []
    alike = _Alike()
    for item in found:
        place = next((at for at in alike.places(item) if _one_event(events[at], item)), None)
        if place is None:
            place = len(events)
            events.append(item)
        else:
            events[place] = _merged(events[place], item)
        alike.add(place, events[place], item)
    return events


class _Alike:
    """Where events stand that a record may be of: those of its day, and those of a link.

    A chart of hundreds of problems is looked through once, not once for each record.
    """

    def __init__(self) -> None:
        self._of_day: dict[date, dict[int, None]] = {}
        self._of_record: dict[str, set[int]] = {}
        self._says_same: dict[str, set[int]] = {}

    def add(self, place: int, event: Reading, item: Reading) -> None:
        """An event as it stands, and the record that was added to it last."""
        if event.finding.began is not None and event.names:
            self._of_day.setdefault(event.finding.began, {})[place] = None
        self._of_record.setdefault(event.record.key, set()).add(place)
        for key in (*item.same, item.record.key):
            if key in event.same:
                self._says_same.setdefault(key, set()).add(place)

    def places(self, item: Reading) -> list[int]:
        """Where to look for the event of a record, in the order of the events."""
        found = set(self._says_same.get(item.record.key, ()))
        for key in item.same:
            found |= self._of_record.get(key, set())
        if item.finding.began is not None and item.names:
            found.update(self._of_day.get(item.finding.began, ()))
        return sorted(found)


def _one_event(event: Reading, item: Reading) -> bool:
    if not event.confirmed or not item.confirmed:
        return False
    if _linked(event, item):
        return True
    if not event.names or not item.names:
        return False
    if event.finding.began is None or event.finding.began != item.finding.began:
        return False
    nested = event.names <= item.names or item.names <= event.names
    clash = event.stated and item.stated and event.finding.status != item.finding.status
    return nested and not clash


def _linked(event: Reading, item: Reading) -> bool:
    """Whether one record says that it tells of the event of the other."""
    keys = [item.record.key, event.record.key]
    if any(key.endswith("/") for key in keys):
        return False
    return keys[0] in event.same or keys[1] in item.same


def _merged(event: Reading, item: Reading) -> Reading:
    """One event from two records: the first day, the grade that is known best, all causes.

    It is over when either says so and the other does not say that it lasts.
    """
    one, other = event.finding, item.finding
    over = OVER in (one.status, other.status)
    lasting = any(part.stated and part.finding.status == PRESENT for part in (event, item))
    ends = [part.ended for part in (one, other) if part.ended is not None]
    began = min((part.began for part in (one, other) if part.began is not None), default=None)
    better, worse = (event, item) if _weight(event) >= _weight(item) else (item, event)
    graded = better.finding
    notes = dict.fromkeys(part.note for part in (one, other) if part.note not in ("", BY_NAME))
    if BY_NAME in one.note and BY_NAME in other.note:
        notes.setdefault(BY_NAME)
    return Reading(
        msgspec.structs.replace(
            one,
            names=one.names | other.names,
            status=OVER if over and not lasting else PRESENT,
            began=began,
            ended=max(ends, default=None) if over and not lasting else None,
            grade=graded.grade,
            grade_is_least=graded.grade_is_least,
            grade_from=graded.grade_from,
            causes=one.causes | other.causes,
            label=one.label or other.label,
            note=", ".join(notes),
            end_unknown=(one.end_unknown or other.end_unknown) and not lasting,
        ),
        event.keys | item.keys,
        event.record,
        max((day for day in (event.said, item.said) if day is not None), default=None),
        over=over and not lasting,
        stated=event.stated or item.stated,
        grade_as_sent=better.grade_as_sent or worse.grade_as_sent,
        same=event.same | item.same | {item.record.key},
        serious=event.serious or item.serious,
        possible=event.possible | item.possible,
        between=_between(event, item, began),
    )


def _between(event: Reading, item: Reading, began: date | None) -> Days | None:
    """The days between which an event of two records began; a day that one knows settles it."""
    both = [part.between for part in (event, item) if part.between is not None]
    return both[0] if both and (began is None or len(both) > 1) else None


def _weight(item: Reading) -> tuple[int, int]:
    """How well the grade is known, and how high it is."""
    return _WEIGHT[item.finding.grade_from], item.finding.grade or 0
