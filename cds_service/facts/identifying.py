"""Which drug a medication resource is about: by code, else by a name of the closed lists."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.code_remarks import remark_on_medication
from cds_service.facts.context import Context
from cds_service.fhir.dosage import strength_in_name
from cds_service.fhir.medications import MedicationConcept
from cds_service.fhir.terminology import coding_key


@dataclass(frozen=True, slots=True)
class Identified:
    """What a medication resource is about: ingredients with their classes, and a label."""

    ingredients: tuple[str, ...]
    names: frozenset[str]
    label: str
    strength_mg: Decimal | None
    unverified: frozenset[str] = frozenset()
    """Classes among `names` whose membership was not read in a source."""
    contradictory: bool = False
    """Codes and words name different drugs of which one is an ALK inhibitor: none is believed."""

    @property
    def known(self) -> bool:
        """Whether any ingredient was recognised."""
        return bool(self.ingredients)


def identify(context: Context, concept: MedicationConcept) -> Identified:
    """Ingredients by code over all codings, else by a whole word from the closed name lists.

    Never by likeness: a misspelt name is not recognised.
    """
    codes = context.book.knowledge.codes
    counted: set[str] = set()
    found: dict[str, None] = {}
    strength: Decimal | None = None
    for coding in concept.all_codings:
        key = coding_key(coding)
        if key is None:
            continue
        for match in codes.medications(*key):
            found.setdefault(match.ingredient)
            strength = strength or match.strength_mg
            if codes.counts_for_class(match):
                counted.add(match.ingredient)
    label = concept.text or next(iter(found), "medication")
    if found and _contradicts(context, set(found), concept):
        remark_on_medication(context, concept, frozenset(found))
        return Identified((), frozenset(), label, None, contradictory=True)
    if not found:
        listed = context.book.medication_names
        for ingredient in (name for text in concept.texts for name in listed.in_text(text)):
            found.setdefault(ingredient)
            counted.add(ingredient)
    remark_on_medication(context, concept, frozenset(found))
    verified = {name for item in counted for name in codes.classes_of(item)}
    names = {name for item in counted for name in codes.classes_of(item, include_unverified=True)}
    strength = strength or _strength(context, concept, tuple(found))
    return Identified(
        tuple(found), frozenset(names | set(found)), label, strength, frozenset(names - verified)
    )


def _contradicts(context: Context, coded: set[str], concept: MedicationConcept) -> bool:
    """Whether the codes name two ALK inhibitors, or the words another one than the codes."""
    drugs = set(context.book.knowledge.inhibitors)
    if len(coded & drugs) > 1:
        return True
    listed = context.book.medication_names
    texts = (*concept.texts, *concept.ingredient_texts)
    named = {name for text in texts for name in listed.in_text(text)} & drugs
    return not named <= coded


def _strength(
    context: Context, concept: MedicationConcept, ingredients: tuple[str, ...]
) -> Decimal | None:
    for text in concept.texts:
        written = strength_in_name(text)
        if written is not None:
            return written
    if len(ingredients) != 1 or ingredients[0] not in context.book.knowledge.drugs:
        return None
    products = context.book.knowledge.drugs[ingredients[0]].drug.products
    keys = {coding_key(coding) for coding in concept.all_codings}
    for product in products:
        if product.clinical_drug is not None and product.clinical_drug.key in keys:
            return product.strength_mg
    strengths = {product.strength_mg for product in products}
    return strengths.pop() if len(strengths) == 1 else None
