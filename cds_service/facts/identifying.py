"""Which drug a medication resource is about: by code and by a name of the closed lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.code_remarks import remark_on_medication
from cds_service.facts.context import Context
from cds_service.facts.unrecognised import shown_name
from cds_service.fhir.datatypes import Dosage
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
    """Classes among `names` whose membership was not read in a source, and all that rests on a
    name that was not."""
    contradictory: bool = False
    """Codes and words name different drugs of which one is an ALK inhibitor: none is believed."""
    unchecked: bool = False
    """The medicine, or one half of a combination, is in no table and not known as harmless."""

    @property
    def known(self) -> bool:
        """Whether any ingredient was recognised."""
        return bool(self.ingredients)


def identify(
    context: Context, concept: MedicationConcept, dosages: Sequence[Dosage] = ()
) -> Identified:
    """Ingredients by code over all codings, and by the names of the closed lists in the words.

    A code names what it names; the words may add the other half of a combination. Never by
    likeness: a misspelt name is not recognised. `dosages` may tell that a product acts locally.
    """
    codes = context.book.knowledge.codes
    counted: set[str] = set()
    unsure: set[str] = set()
    found: dict[str, None] = {}
    strength: Decimal | None = None
    local = False
    for coding in concept.all_codings:
        key = coding_key(coding)
        if key is None:
            continue
        for match in codes.medications(*key):
            found.setdefault(match.ingredient)
            strength = strength or match.strength_mg
            if codes.counts_for_class(match):
                counted.add(match.ingredient)
            else:
                local = True
    label = concept.text or next(iter(found), shown_name(concept))
    coded = frozenset(found)
    if coded and _contradicts(context, set(coded), concept):
        remark_on_medication(context, concept, coded)
        return Identified((), frozenset(), label, None, contradictory=True)
    local = local or context.book.harmless.is_local(concept, dosages)
    for ingredient, verified in _named(context, concept, coded):
        if ingredient in found and ingredient not in unsure:
            continue
        found.setdefault(ingredient)
        if verified:
            unsure.discard(ingredient)
        else:
            unsure.add(ingredient)
        table = codes.ingredients.get(ingredient)
        if table is not None and not (local and table.systemic_routes_only):
            counted.add(ingredient)
    remark_on_medication(context, concept, frozenset(found))
    verified_names = {name for item in counted - unsure for name in codes.classes_of(item)}
    names = {name for item in counted for name in codes.classes_of(item, include_unverified=True)}
    strength = strength or _strength(context, concept, tuple(found))
    unchecked = context.book.harmless.unchecked(concept, dosages, coded=bool(coded))
    # A product that is known tells of all its ingredients; else one that led nowhere may be any.
    unchecked = unchecked or (concept.hidden and not _knows_product(context, concept))
    return Identified(
        tuple(found),
        frozenset(names | set(found)),
        label,
        strength,
        frozenset((names - verified_names) | unsure),
        unchecked=unchecked and not set(found) & context.book.knowledge.inhibitors,
    )


def _knows_product(context: Context, concept: MedicationConcept) -> bool:
    keys = (coding_key(coding) for coding in concept.codings)
    if any(key is not None and context.book.knowledge.codes.medications(*key) for key in keys):
        return True
    return any(context.book.medication_names.find(text) for text in concept.texts)


def _named(
    context: Context, concept: MedicationConcept, coded: frozenset[str]
) -> list[tuple[str, bool]]:
    """Ingredients that the words name, and whether the name was read in a source.

    A brand that stands for one of several substances says nothing beside a code of one of them.
    """
    found: list[tuple[str, bool]] = []
    for text in dict.fromkeys((*concept.texts, *concept.ingredient_texts)):
        for name in context.book.medication_names.find(text):
            if not name.combination and coded.intersection(name.ingredients):
                continue
            found += [(ingredient, name.verified) for ingredient in name.ingredients]
    return found


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
