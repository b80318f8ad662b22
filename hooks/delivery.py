"""Which kinds of data of one call were delivered whole: the one place where silence is earned.

That nothing was found may be said of a kind of data only when all that the sender has of it was
asked for and came: readable, of the type that was asked for, without an error or a warning, to
the last page, and in this patient's record. Whatever falls short is used as far as it goes, and
named with the reason; the algorithm says that on a card. What a system does not have at all, of
the kinds that many do not have (`beside`), falls short without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.fhir.client import FetchResult
from cds_service.fhir.read_result import NOT_GIVEN, ReadResult, Shortfall
from cds_service.fhir.reading import merged
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import Resource
from cds_service.protocol import PrefetchTemplate

EHR = "the EHR"
SERVER = "the FHIR server"

_NOT_HAD = frozenset({400, 404, 405, 501})
"""How servers answer about a resource type that they do not have."""


def type_asked_for(template: PrefetchTemplate) -> str:
    """The resource type that a template asks for."""
    return template.template.partition("?")[0].partition("/")[0]


def of_type_asked_for(read: ReadResult, template: PrefetchTemplate) -> tuple[Resource, ...]:
    """The resources that answer a template, without what only rides along."""
    wanted = type_asked_for(template)
    answering = {
        held: any(kind.__name__ == wanted for kind in held.__mro__)
        for held in set(map(type, read.resources))
    }
    return tuple([item for item in read.resources if answering[type(item)]])


def why_not_whole(read: ReadResult, template: PrefetchTemplate, sender: str) -> str | None:
    """Why an answer is not all that its sender has of a kind of data; None when it is."""
    found = of_type_asked_for(read, template)
    search = "?" in template.template
    match read.shortfall:
        case Shortfall.NOT_GIVEN:
            return f"{sender} supplied nothing"
        case Shortfall.OUTCOME if not found:
            return f"{sender} sent an error in its place"
        case Shortfall.OUTCOME:
            return f"{sender} sent an error or a warning with it, parts may be missing"
        case Shortfall.MORE_PAGES:
            return "only a first page was supplied"
        case Shortfall.CUT_SHORT:
            return f"{sender} supplied fewer resources than it counted"
        case Shortfall.UNREADABLE if found:
            return f"{len(read.lost)} resources sent by {sender} are not readable as FHIR"
        case Shortfall.UNREADABLE | Shortfall.NO_ANSWER:
            return f"sent by {sender}, but not readable as FHIR"
        case None if search and not read.bundled:
            return f"{sender} sent a single resource in place of a search result"
        case None if not found and not (search and read.matched_none):
            return f"{sender} sent something else in its place"
        case None:
            return None


@dataclass(slots=True)
class Deliveries:
    """What came of each kind of data of one call, and why it is not whole.

    `read` holds all that came, by key; `short` the reason for each key that is not whole and is
    worth a word; `reasons` what the FHIR server said about those it refused.
    """

    read: dict[str, ReadResult] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)

    def sent(self, template: PrefetchTemplate, read: ReadResult) -> bool:
        """Take what the EHR sent along; True when it is whole, and nothing is left to be asked."""
        self.read[template.key] = read
        return self._judged(template, read, EHR)

    def not_sent(self, template: PrefetchTemplate) -> None:
        """Note that a key did not come at all. Of what many systems lack that is no news."""
        if not template.beside:
            self.short[template.key] = "not supplied by the EHR"

    def unreadable(self, template: PrefetchTemplate) -> None:
        """Note that the EHR sent what is no resource."""
        self.short[template.key] = f"sent by {EHR}, but not readable as FHIR"

    def null(self, template: PrefetchTemplate) -> None:
        """Note that the EHR sent a null: it does not say that there is nothing."""
        self.short[template.key] = f"{EHR} supplied nothing"

    def not_askable(self, template: PrefetchTemplate) -> None:
        """Note that the call lacks what the query of a template needs."""
        self.short[template.key] = "the call lacks what its query needs"

    def fetched(self, template: PrefetchTemplate, result: FetchResult) -> None:
        """Take what the FHIR server answered about what the EHR did not send whole."""
        key, before = template.key, self.read.get(template.key)
        problem = result.problem
        if problem is not None:
            if template.beside and key not in self.short and _not_had(result):
                return
            extent = " in full" if result.read.given else ""
            status = f" (HTTP {problem.status})" if problem.status is not None else ""
            self.short[key] = f"{SERVER} did not answer{extent}: {problem.kind.value}{status}"
            self.reasons[key] = problem.reason
        elif self._judged(template, result.read, SERVER) and before is not None:
            sent = len(of_type_asked_for(before, template))
            if len(of_type_asked_for(result.read, template)) < sent:
                self._whole.discard(key)
                self.short[key] = f"{SERVER} gave fewer resources than {EHR} sent"
        if key in self._whole or before is None:
            self.read[key] = result.read
        else:
            # Two parts of an answer tell more than one, and copies are told apart by id.
            self.read[key] = merged([before, result.read])

    def nothing_came_of(self, template: PrefetchTemplate) -> bool:
        """Whether not one resource of a kind of data came, and nobody said that there is none."""
        read = self.read.get(template.key, NOT_GIVEN)
        return template.key in self.short and not of_type_asked_for(read, template)

    def whole_in(self, record: PatientRecord, asked: Mapping[str, PrefetchTemplate]) -> set[str]:
        """The keys that came whole for the patient of a record.

        What stands in another patient's record, or in nobody's, is no answer: a kind of data of
        which everything does is named, and one of which a part does is not whole.
        """
        if record.holds_all:
            return set(self._whole)
        whole: set[str] = set()
        # In the order of asking, so that a card names what is missing in the same order each time.
        for key, template in asked.items():
            if key not in self._whole:
                continue
            found = of_type_asked_for(self.read[key], template)
            away = sum(map(record.stands_in_another, found))
            unowned = sum(map(record.is_unattributed, found))
            if not away and not unowned:
                whole.add(key)
            if found and away + unowned == len(found):
                self.short[key] = (
                    "all that was sent is of another patient"
                    if not unowned
                    else "what was sent does not say that it is of this patient"
                )
        return whole

    def _judged(self, template: PrefetchTemplate, read: ReadResult, sender: str) -> bool:
        why = why_not_whole(read, template, sender)
        if why is None:
            self.short.pop(template.key, None)
            self._whole.add(template.key)
        else:
            self.short[template.key] = why
        return why is None


def _not_had(result: FetchResult) -> bool:
    """Whether a server says that it knows no such resources or no such search."""
    problem = result.problem
    return problem is not None and problem.status in _NOT_HAD and not result.read.given
