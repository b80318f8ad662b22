"""What caused a finding, as far as a record names it: a drug, which one, or something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.facts.concept_matching import EFFECTS
from cds_service.facts.context import Context
from cds_service.facts.finding_grades import tail
from cds_service.facts.identifying import identify
from cds_service.fhir.datatypes import CodeableConcept, Extension, Reference
from cds_service.fhir.event_views import AdverseEvent, Causality
from cds_service.fhir.references import parse_reference
from cds_service.fhir.resources import Resource
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import (
    Condition,
    Medication,
    MedicationRequest,
    MedicationUse,
    Procedure,
)
from cds_service.rules.values import A_DRUG, ANOTHER_CAUSE

Causes = frozenset[str]
NOTHING: Causes = frozenset()
_CAUSE_TAILS = ("condition-dueto", "causedby", "condition-causedby")
_SUSPECT_TAIL = "suspect-entity"


def of_concepts(context: Context, names: Iterable[str]) -> Causes:
    """What the concepts of a finding say of its cause by their own meaning."""
    listed = frozenset(names)
    if context.book.concepts.caused_by_a_drug(listed):
        return frozenset({A_DRUG})
    return frozenset({ANOTHER_CAUSE}) if context.book.concepts.caused_otherwise(listed) else NOTHING


def of_condition(context: Context, condition: Condition) -> Causes:
    """What extensions and evidence of a Condition name as its cause."""
    found: set[str] = set()
    for extension in condition.extension:
        if tail(extension.url) in _CAUSE_TAILS:
            found |= _named_by(context, extension.value_codeable_concept)
            found |= _referred(context, extension.value_reference, condition, elsewhere=True)
    for evidence in condition.evidence:
        for concept in (*evidence.code, evidence.concept):
            if EFFECTS & context.book.concepts.match(concept_keys(concept)):
                found.add(A_DRUG)
        for reference in (*evidence.detail, evidence.reference):
            found |= _referred(context, reference, condition, elsewhere=False)
    return frozenset(found)


def of_event(context: Context, event: AdverseEvent) -> Causes:
    """The drugs an adverse event is suspected to come from.

    A suspect that was judged unrelated is out; when all of them are, the cause is another one.
    One judged unlikely leaves the cause open.
    """
    found: set[str] = set()
    unrelated = open_ = False
    for suspects, judged in _suspects(event):
        if context.book.says(judged, "causality unrelated"):
            unrelated = True
        elif context.book.says(judged, "causality unlikely"):
            open_ = True
        else:
            named: set[str] = set()
            for suspect in suspects:
                if isinstance(suspect, Reference):
                    named |= _referred(context, suspect, event, elsewhere=False)
                else:
                    named |= _named_by(context, suspect)
            found |= named
            open_ = open_ or not named
    if unrelated and not found and not open_:
        return frozenset({ANOTHER_CAUSE})
    return frozenset(found)


Suspect = Reference | CodeableConcept


def _suspects(event: AdverseEvent) -> Iterator[tuple[list[Suspect], CodeableConcept | None]]:
    """Every suspect with how likely it was judged to be the cause, in R4, R5 and the guides."""
    for entity in event.suspect_entity:
        parts = (entity.instance, entity.instance_reference, entity.instance_codeable_concept)
        held = entity.causality
        judged = (held,) if isinstance(held, Causality) else (held or ())
        yield (
            [part for part in parts if part is not None],
            _worst(item.assessment or item.entity_relatedness for item in judged),
        )
    for extension in event.extension:
        if tail(extension.url) == _SUSPECT_TAIL:
            parts_of = list(_all_below(extension))
            suspects: list[Suspect] = []
            for part in parts_of:
                if tail(part.url).startswith("instance"):
                    values = (part.value_reference, part.value_codeable_concept)
                    suspects += [value for value in values if value is not None]
            yield (
                suspects,
                _worst(
                    part.value_codeable_concept
                    for part in parts_of
                    if tail(part.url) in ("entityrelatedness", "assessment")
                ),
            )


def _all_below(extension: Extension) -> Iterator[Extension]:
    for part in extension.extension:
        yield part
        yield from _all_below(part)


def _worst(judged: Iterable[CodeableConcept | None]) -> CodeableConcept | None:
    """All judgements of one suspect as one concept, so that any code of them can be found."""
    codings = tuple(coding for item in judged if item is not None for coding in item.coding)
    return CodeableConcept(coding=codings) if codings else None


def _named_by(context: Context, concept: CodeableConcept | None) -> Causes:
    """The cause a concept names: a drug by code or closed name, or another known condition."""
    if concept is None:
        return NOTHING
    names = context.book.concepts.match(concept_keys(concept))
    if EFFECTS & names:
        return frozenset({A_DRUG})
    ingredients = _ingredients(context, MedicationRequest(medication_codeable_concept=concept))
    if ingredients:
        return frozenset({A_DRUG, *ingredients})
    return frozenset({ANOTHER_CAUSE}) if names else NOTHING


def _referred(
    context: Context, reference: Reference | None, holder: Resource, *, elsewhere: bool
) -> Causes:
    """The cause a reference leads to; with `elsewhere` a Condition or Procedure is one, too."""
    if reference is None:
        return NOTHING
    target = context.record.resolve(reference, holder)
    if isinstance(target, MedicationUse):
        return frozenset({A_DRUG, *_ingredients(context, target)})
    if isinstance(target, AdverseEvent) and target is not holder:
        return of_event(context, target)
    if isinstance(target, Condition):
        if EFFECTS & context.book.concepts.match(concept_keys(target.code)):
            return frozenset({A_DRUG})
        return frozenset({ANOTHER_CAUSE}) if elsewhere else NOTHING
    if isinstance(target, Procedure):
        # Some guides send a course of systemic therapy as a Procedure that is named after it.
        label = target.code.label if target.code is not None else None
        drugs = context.book.medication_names.in_text(label or "")
        if drugs:
            return frozenset({A_DRUG, *drugs})
        return frozenset({ANOTHER_CAUSE}) if elsewhere else NOTHING
    if target is not None and not isinstance(target, Medication):
        return NOTHING
    parsed = parse_reference(reference.reference)
    kind = (parsed.resource_type if parsed is not None else "") or reference.type or ""
    if isinstance(target, Medication) or not kind or kind.startswith("Medication"):
        product = MedicationRequest(medication_reference=reference, contained=holder.contained)
        ingredients = _ingredients(context, product)
        if ingredients or kind or target is not None:
            return frozenset({A_DRUG, *ingredients})
    return NOTHING


def _ingredients(context: Context, use: MedicationUse) -> tuple[str, ...]:
    return identify(context, context.record.medication_concept(use)).ingredients
