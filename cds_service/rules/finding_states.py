"""Where each finding of a concept stands on a day: there, over, doubtful, suspected, denied.

Statements are set against each other within one family, the findings that answer to the same
concepts: the newest one counts, what has no day may be the newest, and a denial of the whole does
not undo a part that is there. The end of an illness is no denial: it closes earlier records of
the same family, and contradicts nothing. Nor is a new grade: it speaks for the older record from
its day on, and the illness lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from cds_service.rules.measuring import written_day
from cds_service.rules.values import Finding, Findings
from cds_service.rules.verdicts import Reason, ReasonKind
from cds_service.rules.vocabulary import Concept

CONFIRMED = ("present", "over")
DENIED = ("refuted", "absent")
SEVERE = 3
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Closing:
    """What put an end to a confirmed finding: the day, if known, and whether it was taken back."""

    day: date | None
    taken_back: bool = False


@dataclass(slots=True)
class Standing:
    """The findings of one concept on one day.

    ``there`` are confirmed and last; ``doubtful`` are confirmed and may last, with the reason for
    the doubt; ``over`` are confirmed and closed; ``suspected`` are suspicions that nothing has
    answered, ``lapsed`` such as ended without an answer; ``denied`` were refuted or not found.
    ``succeeded`` are part of an illness that lasts, of which a later record speaks by now.
    """

    there: list[Finding] = field(default_factory=list)
    doubtful: list[tuple[Finding, Reason]] = field(default_factory=list)
    over: list[tuple[Finding, Closing]] = field(default_factory=list)
    suspected: list[Finding] = field(default_factory=list)
    lapsed: list[Finding] = field(default_factory=list)
    denied: list[Finding] = field(default_factory=list)
    succeeded: list[Finding] = field(default_factory=list)


def end_of(finding: Finding) -> date | None:
    """The first day on which a finding is surely over; None while it lasts.

    On the day on which it began it was there, whatever became of it on that day; of one that is
    over without a known end nothing more is sure.
    """
    began, ended = finding.began, finding.ended
    if ended is None and finding.status == "over":
        ended = began or date.min
    if ended is None or began is None:
        return ended
    return max(ended, began + _A_DAY)


def last_day(finding: Finding, closed: date) -> date:
    """The day on which a finding that was closed on ``closed`` ended, for what follows it."""
    own = finding.ended
    began = finding.began
    if own is not None and began is not None and closed == end_of(finding):
        return max(own, began)
    return closed


def standing_on(concept: Concept, found: Findings, as_of: date) -> Standing:
    """Where every finding of a concept stands; what began later is left out."""
    known = [item for item in found.findings if item.began is None or item.began <= as_of]
    standing = Standing(denied=[item for item in known if item.status in DENIED])
    for item in known:
        if item.status in CONFIRMED:
            _settle(concept, item, known, as_of, standing)
    for item in known:
        if item.status == "suspected" and not _answered(item, standing):
            end = end_of(item)
            (standing.suspected if end is None or end > as_of else standing.lapsed).append(item)
    return standing


def was_refuted(suspicion: Finding, found: Findings, as_of: date) -> bool:
    """Whether a suspicion was refuted later on, by ``as_of``: then it never was anything."""
    denied = [item for item in found.findings if item.status in DENIED]
    return suspicion.status == "suspected" and any(
        item.began is not None and item.began <= as_of and _denies(item, suspicion)
        for item in denied
    )


def is_succeeded(item: Finding, as_of: date) -> bool:
    """Whether a later record with a grade of its own speaks for it on that day."""
    return item.succeeded is not None and item.succeeded <= as_of


def turning_days(found: Findings) -> set[date]:
    """The days on which something began, was denied, or was first over."""
    days = {item.began for item in found.findings if item.began is not None}
    days |= {item.succeeded for item in found.findings if item.succeeded is not None}
    for item in found.findings:
        end = end_of(item) if item.status not in DENIED else None
        if end is not None and end > date.min:
            days.add(end)
    return days


def contradictory(concept: Concept, item: Finding) -> Reason:
    """The reason to give for a finding that another statement of its family denies."""
    detail = f"recorded{_of(item)}, and denied"
    return Reason.of(ReasonKind.CONTRADICTORY, concept.name, detail)


def only_suspected(concept: Concept, item: Finding) -> Reason:
    """The reason to give for a suspicion when certainty was asked for."""
    return Reason.of(ReasonKind.MISSING, concept.name, f"only suspected{_of(item)}")


def fades_after(concept: Concept, item: Finding) -> int | None:
    """The days after which a symptom without an end no longer answers; None when it lasts.

    A severe one is followed until it is over: nobody may take it for gone because time went by.
    """
    severe = item.grade is not None and item.grade >= SEVERE
    return None if severe or item.ended is not None else concept.symptom_for_days


def is_old_symptom(concept: Concept, item: Finding, as_of: date) -> bool:
    """Whether it is a symptom without an end that no longer answers for the day."""
    days = fades_after(concept, item)
    return days is not None and item.began is not None and (as_of - item.began).days > days


def _of(item: Finding) -> str:
    return f", of {written_day(item.began)}" if item.began is not None else ", without a day"


def _dated_end(item: Finding) -> date | None:
    return None if item.ended is None or item.status in DENIED else end_of(item)


def _settle(
    concept: Concept, item: Finding, known: list[Finding], as_of: date, standing: Standing
) -> None:
    end = end_of(item)
    if end is not None and end <= as_of:
        standing.over.append((item, Closing(_dated_end(item))))
        return
    family = [other for other in known if other is not item and other.names == item.names]
    denials = [other for other in family if other.status in DENIED]
    closings = [Closing(other.began, other.status == "refuted") for other in denials]
    for other in family:
        # What another record went on with has no end of its own.
        ends = other.status in CONFIRMED and other.succeeded is None
        over = _dated_end(other) if ends else None
        if over is not None and over <= as_of:
            closings.append(Closing(over))
    later = [
        (closing.day, closing.taken_back)
        for closing in closings
        if closing.day is not None and item.began is not None and closing.day > item.began
    ]
    if later:
        # Of one day an end goes before a denial: what was there is not forgotten.
        standing.over.append((item, Closing(*min(later))))
        return
    if is_succeeded(item, as_of):
        standing.succeeded.append(item)
        return
    if item.began is None:
        clashes = bool(closings)
    else:
        clashes = any(other.began in (item.began, None) for other in denials)
    if clashes:
        standing.doubtful.append((item, contradictory(concept, item)))
    elif is_old_symptom(concept, item, as_of):
        reason = Reason.of(ReasonKind.STALE, concept.name, f"recorded{_of(item)}")
        standing.doubtful.append((item, reason))
    elif fades_after(concept, item) is not None and item.began is None:
        reason = Reason.of(ReasonKind.MISSING, concept.name, "it has no day")
        standing.doubtful.append((item, reason))
    elif item.end_unknown and (item.began is None or item.began < as_of):
        detail = f"recorded{_of(item)}, over by now, and nothing says since when"
        standing.doubtful.append((item, Reason.of(ReasonKind.MISSING, concept.name, detail)))
    else:
        standing.there.append(item)


def _answered(suspicion: Finding, standing: Standing) -> bool:
    """Whether something later, or something that is there, settled a suspicion."""
    if any(_related(item, suspicion) for item in standing.there):
        return True
    day = suspicion.began
    if day is None:
        return False
    if any(_denies(item, suspicion) for item in standing.denied):
        return True
    last = [(item, closing.day or item.began) for item, closing in standing.over]
    last += [(item, item.began) for item, _ in standing.doubtful]
    last += [(item, item.succeeded) for item in standing.succeeded]
    return any(
        until is not None and until >= day and _related(item, suspicion) for item, until in last
    )


def _denies(item: Finding, suspicion: Finding) -> bool:
    """Whether a denial is later than a suspicion, and of it or of the whole of which it is a part:
    who has not the whole has no part of it either."""
    if item.began is None or suspicion.began is None or item.began <= suspicion.began:
        return False
    return item.names <= suspicion.names


def _related(one: Finding, other: Finding) -> bool:
    return one.names <= other.names or other.names <= one.names
