"""What a rule can be asked about: typed, dated values of one patient.

The rule language knows nothing of FHIR. Whoever evaluates a rule hands over a ``FactSource``
whose answers are built from these classes.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from cds_service.rules.verdicts import Reason


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One dated number.

    ``value`` and ``upper_limit`` are in the canonical unit of the fact (the vocabulary names it);
    ``upper_limit`` is the upper limit of normal of *this* result, or None when the laboratory sent
    none. ``comparator`` is one of ``<  <=  >  >=`` when the laboratory only sent a bound.
    ``as_sent`` keeps number and unit as received. ``problem`` says why the number cannot be used
    (unknown unit, no number); ``value`` is then None.
    """

    value: Decimal | None
    day: date
    instant: datetime | None = None
    upper_limit: Decimal | None = None
    comparator: str | None = None
    as_sent: str = ""
    source: str = ""
    problem: Reason | None = None
    limit_note: str = ""
    """What a reader should know of the result: preliminary, read by a code of the site's own, or
    judged by an upper limit that did not come with it."""


class Series(msgspec.Struct, frozen=True, gc=False):
    """All measurements of one quantity, newest first, and the value before treatment if known.

    ``unused`` says of results that came and have no place among the measurements why that is so:
    no usable date, no number. Where nothing else answers, that is the reason, never "not recorded".
    """

    measurements: tuple[Measurement, ...]
    baseline: Measurement | None = None
    unused: tuple[Reason, ...] = ()


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One dated statement of a state: ``value`` is one of the words the vocabulary allows."""

    value: str
    day: date | None = None
    as_sent: str = ""
    source: str = ""


class Statements(msgspec.Struct, frozen=True, gc=False):
    """All statements about one state, newest first.

    ``unknown`` holds reasons that make the state undecidable although statements exist, for
    instance two laboratories that contradict each other.
    """

    statements: tuple[Statement, ...]
    unknown: tuple[Reason, ...] = ()


class Item(msgspec.Struct, frozen=True, gc=False):
    """One member of a collection.

    ``names`` holds every name the member answers to, for a medication its ingredient and its
    classes; ``label`` is what people should read.
    """

    names: frozenset[str]
    label: str
    day: date | None = None
    as_sent: str = ""
    source: str = ""


class Collection(msgspec.Struct, frozen=True, gc=False):
    """A set of things, such as the patient's medications.

    ``complete`` is True only when the source said so (the list was asked for and arrived whole);
    otherwise the absence of a member proves nothing, and ``incomplete`` says why.
    """

    items: tuple[Item, ...]
    complete: bool
    incomplete: tuple[Reason, ...] = ()


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened on a day."""

    day: date
    as_sent: str = ""
    source: str = ""


class Events(msgspec.Struct, frozen=True, gc=False):
    """All occurrences of one kind of event, newest first; ``complete`` as in ``Collection``."""

    events: tuple[Event, ...]
    complete: bool = False


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One concept seen in one patient, whatever resource it came in.

    ``names`` are the concepts it answers to, its own and every broader one. ``status`` is one of
    ``FINDING_STATUSES`` as of the day the facts were read: *refuted* is a diagnosis taken back,
    *absent* an examination that looked for it and did not find it. ``began`` is the onset, else
    the day it was recorded; ``ended`` the first day on which it was over, None while it lasts or
    when that day is not known. ``grade`` is a CTCAE grade 0 to 5; with ``grade_is_least`` it is
    only known to be that or higher (the term of an adverse event starts at that grade), and
    ``grade_from`` says whether it was stated, or follows from a severity or from the term.
    ``causes`` holds ``"a drug"`` or ``"another cause"`` and the ingredients that were named, with
    ``"the drug asked about"`` beside the name of that drug; it is empty when no
    cause is recorded. ``note`` is what a reader should know of how it was read.
    ``end_unknown`` says that it is over by now, and that nobody knows whether it was on that day.
    ``succeeded`` is the day from which on a later record of the same illness, with a grade of its
    own, speaks in place of this one: the illness lasts, its grade of before does not.
    ``began_by`` says that no day was sent and ``began`` is the last one on which it can have begun.
    """

    names: frozenset[str]
    status: str
    began: date | None = None
    ended: date | None = None
    grade: int | None = None
    grade_is_least: bool = False
    grade_from: str = ""
    causes: frozenset[str] = frozenset()
    label: str = ""
    source: str = ""
    note: str = ""
    end_unknown: bool = False
    succeeded: date | None = None
    began_by: bool = False

    @property
    def day(self) -> date | None:
        """The day that stands for it among other evidence: when it began."""
        return self.began

    @property
    def as_sent(self) -> str:
        """What people should read for it."""
        return self.label


FINDING_STATUSES = ("present", "suspected", "over", "refuted", "absent")
A_DRUG = "a drug"
ANOTHER_CAUSE = "another cause"
THE_DRUG = "the drug asked about"
"""The drug of the order, of the option or of the drug table that a rule is asked about."""


class Findings(msgspec.Struct, frozen=True, gc=False):
    """All findings of one concept, newest first, those without a day last.

    ``started`` are the first days of the drugs that *on treatment* speaks of, None for one whose
    first day is not known; empty when no such drug is taken. ``complete`` is True only when every
    kind of resource that could hold such a finding arrived whole. ``unknown`` holds reasons that
    leave the concept open although findings exist.
    """

    findings: tuple[Finding, ...]
    started: tuple[date | None, ...] = ()
    complete: bool = False
    unknown: tuple[Reason, ...] = ()


FactValue = Series | Statements | Collection | Events | Findings
Evidence = Measurement | Statement | Item | Event | Finding


class FactSource(Protocol):
    """Answers the rule language's questions about one patient."""

    def find(self, name: str) -> FactValue | None:
        """The value of a fact by its vocabulary name, or None when nothing is known of it."""
        ...
