"""Whether ROS1 is rearranged, which is another reason for crizotinib than ALK."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cds_service.facts.alk_elsewhere import day_of_report
from cds_service.facts.alk_status import GIVEN, coded_answer
from cds_service.facts.context import Context
from cds_service.facts.problems import diagnoses, statement
from cds_service.facts.statement_order import in_order
from cds_service.facts.variants import Variant
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import (
    CodeableConcept,
    Condition,
    DiagnosticReport,
    MedicationRequest,
    Observation,
)
from cds_service.rules import Statement, Statements

FACT = "ROS1 gene"
REARRANGED, UNCONFIRMED, WILD_TYPE = "rearranged", "unconfirmed", "wild type"
_DIAGNOSES = {
    "ROS1-positive non-small cell lung cancer": REARRANGED,
    "ROS1-negative non-small cell lung cancer": WILD_TYPE,
}
_FISH, _STAIN = "ROS1 test by FISH", "ROS1 test by immunohistochemistry"
_NAMED = re.compile(r"(?<![A-Za-z])ROS-?1(?![A-Za-z0-9])", re.IGNORECASE)
_DENIED = re.compile(
    r"negativ|wild.?typ|\b(?:no|not|without|kein\w{0,2}|nicht|ohne|sans|pas de|senza|sin)\b|n't\b"
    r"|ausgeschl|exclu|famil|pending|ausstehend|\?",
    re.IGNORECASE,
)
"""Words beside the gene that say that it is not rearranged, or that nobody knows yet."""
_LONGEST = 500
_REPORTED = GIVEN | {"appended"}
_WITHDRAWN = frozenset({"entered-in-error", "cancelled"})


def ros1(
    context: Context, variants: Iterable[Variant], drafts: Iterable[MedicationRequest] = ()
) -> Statements | None:
    """Rearranged, wild type, or unconfirmed; None when nothing is said of it.

    A coded fusion, a break-apart test or a diagnosis says that it is rearranged, also the diagnosis
    for which a medicine is ordered. Unconfirmed is what is positive without showing a
    rearrangement: a stain, a test known by its name alone, a variant of which nothing more is said.
    """
    found = [
        *_in_variants(variants),
        *_in_tests(context),
        *_in_diagnoses(context),
        *_in_reports(context),
        *_in_words(context),
        *_in_orders(context, drafts),
    ]
    if any(item.value == REARRANGED for item in found):
        # A weaker test beside a test that shows it takes nothing away.
        found = [item for item in found if item.value != UNCONFIRMED]
    return in_order(found)


def _in_variants(variants: Iterable[Variant]) -> Iterator[Statement]:
    """A negative test of tissue makes it wild type; one of plasma may have missed it."""
    for variant in variants:
        if "ROS1" not in variant.genes:
            continue
        if variant.answer == "positive" and variant.fused:
            yield Statement(REARRANGED, variant.day, "ROS1 fusion", variant.source)
        elif variant.answer == "negative" and variant.specimen != "plasma":
            yield Statement(WILD_TYPE, variant.day, "", variant.source)
        elif variant.answer in ("positive", "equivocal") and not (
            variant.changes or variant.unread or variant.kinds or variant.copies
        ):
            yield Statement(UNCONFIRMED, variant.day, "ROS1, kind not said", variant.source)


def _in_tests(context: Context) -> Iterator[Statement]:
    """FISH and stains of ROS1: by the codes of the site, else by their name.

    No standard code for them could be read in a source, so a name has to do; words alone show
    no rearrangement, and a negative test known by its name alone says nothing.
    """
    for observation, shows in _tests(context):
        if status_of(observation) not in GIVEN:
            continue
        answer = coded_answer(context, observation)
        moment = context.effective(observation)
        if answer is None or not context.usable(moment, FACT) or moment is None:
            continue
        value = {"positive": UNCONFIRMED, "equivocal": UNCONFIRMED}.get(answer)
        if shows:
            value = {"positive": REARRANGED, "negative": WILD_TYPE}.get(answer, value)
        if value is not None:
            label = observation.code.label if observation.code is not None else None
            yield Statement(value, moment.day, f"{label or 'ROS1'}: {answer}", observation.key)


def _tests(context: Context) -> Iterator[tuple[Observation, bool]]:
    """Tests of ROS1, and whether they can show a rearrangement."""
    book, record = context.book, context.record
    for value_set in (_FISH, _STAIN):
        for result in record.observations(book.value_sets[value_set]):
            yield result.observation, value_set == _FISH

    def only_named(code: CodeableConcept) -> bool:
        names = (code.text, *[item.display for item in code.coding])
        named = any(name and _NAMED.search(name) for name in names)
        return named and not book.says(code, _FISH, _STAIN, "genetic variant assessment")

    for observation in record.observations_called(only_named):
        yield observation, False


def _in_diagnoses(context: Context) -> Iterator[Statement]:
    for name, value in _DIAGNOSES.items():
        for item in diagnoses(context, name):
            said = statement(item)
            if said is not None and said.value == "present":
                yield Statement(value, said.day, said.as_sent, said.source)


def _in_reports(context: Context) -> Iterator[Statement]:
    """Reports whose coded conclusion is one of the diagnoses, or names the gene in its words."""
    for report in context.record.of_type(DiagnosticReport):
        if status_of(report) not in _REPORTED:
            continue
        for concept in report.conclusion_code:
            named = [
                value for name, value in _DIAGNOSES.items() if context.book.says(concept, name)
            ]
            if not named and not _names_gene(concept):
                continue
            day = day_of_report(context, report)
            if day is None or day <= context.as_of:
                value = named[0] if named else UNCONFIRMED
                yield Statement(value, day, concept.label or "ROS1", report.key)


def _in_words(context: Context) -> Iterator[Statement]:
    """Diagnoses whose own words name the gene beyond the exact names: enough to ask, no proof."""
    for condition in context.record.of_type(Condition):
        if status_of(condition) in ("refuted", "entered-in-error"):
            continue
        if context.book.says(condition.code, *_DIAGNOSES) or not _names_gene(condition.code):
            continue
        day = context.day_of(condition.onset_date_time, condition.recorded_date)
        if day is None or day <= context.as_of:
            label = condition.code.label if condition.code is not None else None
            yield Statement(UNCONFIRMED, day, label or "ROS1", condition.key)


def _names_gene(concept: CodeableConcept | None) -> bool:
    if concept is None:
        return False
    texts = (concept.text, *(coding.display for coding in concept.coding))
    return any(text and _affirms(text) for text in texts)


def _affirms(text: str) -> bool:
    said = text[:_LONGEST]
    return _NAMED.search(said) is not None and _DENIED.search(said) is None


def _in_orders(context: Context, drafts: Iterable[MedicationRequest]) -> Iterator[Statement]:
    """What an order gives as its reason. A reference leads to a Condition, read as such."""
    for request in (*context.record.of_type(MedicationRequest), *drafts):
        if status_of(request) in _WITHDRAWN or request.do_not_perform:
            continue
        day = context.day_of(request.authored_on)
        if day is not None and day > context.as_of:
            continue
        for concept in request.reason_code:
            named = [
                value for name, value in _DIAGNOSES.items() if context.book.says(concept, name)
            ]
            if not named and _names_gene(concept):
                named = [UNCONFIRMED]
            for value in named:
                yield Statement(value, day, concept.label or "ROS1", request.key)
        if any(note.text and _affirms(note.text) for note in request.note):
            yield Statement(UNCONFIRMED, day, "ROS1, a note of the order", request.key)
