"""Allergies and intolerances to an ALK inhibitor as such, whether or not they say what happened.

How a reaction showed is a finding (`finding_readers.allergy`). That an intolerance was recorded at
all is a sign of its own: a record without a reaction would otherwise say nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.facts import courses
from cds_service.facts.context import Context
from cds_service.facts.finding_readers.allergy import drugs_of, is_over
from cds_service.facts.finding_readers.condition import DOUBTED
from cds_service.fhir.event_views import AllergyIntolerance, AllergyReaction
from cds_service.fhir.statuses import status_of
from cds_service.rules import Collection, Item, Reason, ReasonKind

INTOLERANCES = "intolerances to ALK inhibitors"
WITHOUT_A_REACTION = "without a reaction"
NOT_CONFIRMED = "not confirmed"
_NOT_HELD = frozenset({"refuted", "entered-in-error"})


def intolerances(context: Context) -> Collection:
    """Every intolerance to an ALK inhibitor that is neither refuted nor over."""
    complete = "allergies" in context.complete
    missing = Reason.of(ReasonKind.MISSING, INTOLERANCES, "the list was not supplied whole")
    return Collection(tuple(_recorded(context)), complete, () if complete else (missing,))


def _recorded(context: Context) -> Iterator[Item]:
    for allergy in context.record.of_type(AllergyIntolerance):
        status = status_of(allergy)
        if status in _NOT_HELD or is_over(allergy):
            continue
        day = context.day_of(allergy.onset_date_time, allergy.recorded_date)
        if day is not None and day > context.as_of:
            continue
        said = {NOT_CONFIRMED} if status in DOUBTED else set()
        told = [reaction for reaction in allergy.reaction if reaction.manifestation]
        substances: list[AllergyReaction | None] = list(told) or [None]
        drugs = frozenset(drug for one in substances for drug in drugs_of(context, allergy, one))
        for drug in sorted(drugs):
            known = () if told else (WITHOUT_A_REACTION,)
            names = frozenset({drug, *courses.generations(context, (drug,)), *known, *said})
            yield Item(names, drug, day, drug, allergy.key)
