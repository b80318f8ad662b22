"""Which drug a medication resource is about: every shape in which that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from cds_service.fhir.datatypes import CodeableConcept, Coding, Reference
from cds_service.fhir.read_result import Dropped
from cds_service.fhir.reading import read_resource
from cds_service.fhir.references import parse_reference
from cds_service.fhir.views import Medication, MedicationUse, Resource, Substance

Resolver = Callable[[Reference | None], Resource | None]


class MedicationShape(StrEnum):
    """Where the drug was named."""

    CONCEPT = "medicationCodeableConcept"
    R5_CONCEPT = "medication.concept"
    CONTAINED = "contained Medication"
    REFERENCED = "referenced Medication"
    DISPLAY_ONLY = "display of a reference"
    NOTHING = "no medication named"


@dataclass(frozen=True, slots=True)
class MedicationConcept:
    """All that was said about the drug.

    `codings` name the product, `ingredient_codings` its ingredients (of a resolved Medication).
    `texts` are all free texts and displays, for whole-word matching when no code matches.
    `missing` is `Medication/id` of a reference that could not be resolved, to be read elsewhere.
    `hidden` says that an ingredient is named by a reference alone that led nowhere.
    """

    shape: MedicationShape
    codings: tuple[Coding, ...] = ()
    texts: tuple[str, ...] = ()
    ingredient_codings: tuple[Coding, ...] = ()
    ingredient_texts: tuple[str, ...] = ()
    form: CodeableConcept | None = None
    missing: str | None = None
    hidden: bool = False

    @property
    def text(self) -> str | None:
        """The first text, for display."""
        return self.texts[0] if self.texts else None

    @property
    def all_codings(self) -> tuple[Coding, ...]:
        """Product codings first, then those of the ingredients."""
        return self.codings + self.ingredient_codings


def read_medication_concept(use: MedicationUse, resolve: Resolver) -> MedicationConcept:
    """Read medicationCodeableConcept, R5 `medication`, or a reference, in this order."""
    concept = use.medication_codeable_concept
    if concept is not None and (concept.coding or concept.label):
        return _from_concept(MedicationShape.CONCEPT, concept)
    r5 = use.medication
    if r5 is not None and r5.concept is not None and (r5.concept.coding or r5.concept.label):
        return _from_concept(MedicationShape.R5_CONCEPT, r5.concept)
    reference = use.medication_reference or (r5.reference if r5 else None)
    if reference is None:
        return MedicationConcept(MedicationShape.NOTHING)
    return _from_reference(use, reference, resolve)


def _from_concept(shape: MedicationShape, concept: CodeableConcept) -> MedicationConcept:
    return MedicationConcept(shape, codings=concept.coding, texts=tuple(_texts(concept)))


def _from_reference(
    use: MedicationUse, reference: Reference, resolve: Resolver
) -> MedicationConcept:
    parsed = parse_reference(reference.reference)
    product: Resource | None
    if parsed is not None and parsed.fragment is not None:
        shape, product = MedicationShape.CONTAINED, _contained(use, parsed.fragment)
    else:
        shape, product = MedicationShape.REFERENCED, resolve(reference)
    display = (reference.display or "").strip()
    if isinstance(product, Medication):
        return _from_product(shape, product, display, (use, product), resolve)
    missing = parsed.key if parsed else None
    if not display:
        return MedicationConcept(MedicationShape.NOTHING, missing=missing)
    return MedicationConcept(MedicationShape.DISPLAY_ONLY, texts=(display,), missing=missing)


def _from_product(
    shape: MedicationShape,
    product: Medication,
    display: str,
    holders: tuple[Resource, ...],
    resolve: Resolver,
) -> MedicationConcept:
    parts = _Ingredients(holders, resolve)
    parts.read(product)
    texts = [*_texts(product.code), *([display] if display else [])]
    return MedicationConcept(
        shape,
        codings=product.code.coding if product.code else (),
        texts=tuple(dict.fromkeys(texts)),
        ingredient_codings=tuple(coding for concept in parts.concepts for coding in concept.coding),
        ingredient_texts=tuple(
            dict.fromkeys(text for concept in parts.concepts for text in _texts(concept))
        ),
        form=product.form or product.dose_form,
        hidden=parts.hidden,
    )


class _Ingredients:
    """What a product is made of: concepts, and references to products or substances.

    `holders` are the resources in which what is contained may stand.
    """

    def __init__(self, holders: tuple[Resource, ...], resolve: Resolver) -> None:
        self._holders = holders
        self._resolve = resolve
        self._seen: set[str] = set()
        self.concepts: list[CodeableConcept] = []
        self.hidden = False

    def read(self, product: Medication) -> None:
        """The ingredients of a product, and those of the products among them."""
        for ingredient in product.ingredient:
            item = ingredient.item
            concept = ingredient.item_codeable_concept or (item.concept if item else None)
            reference = ingredient.item_reference or (item.reference if item else None)
            if concept is not None:
                self.concepts.append(concept)
            elif reference is not None and ingredient.is_active is not False:
                self._follow(reference)

    def _follow(self, reference: Reference) -> None:
        parsed = parse_reference(reference.reference)
        found: Resource | None = None
        if parsed is not None and parsed.fragment is not None:
            for holder in self._holders:
                found = found or _held(holder, parsed.fragment)
        elif parsed is not None:
            found = self._resolve(reference)
        display = (reference.display or "").strip()
        code = found.code if isinstance(found, Medication | Substance) else None
        named = code is not None and bool(code.coding or code.label)
        if code is not None:
            self.concepts.append(code)
        if display:
            self.concepts.append(CodeableConcept(text=display))
        inner = isinstance(found, Medication) and bool(found.ingredient)
        if not named and not display and not inner:
            self.hidden = True
        if isinstance(found, Medication) and (reference.reference or "") not in self._seen:
            self._seen.add(reference.reference or "")
            self.read(found)


def _texts(concept: CodeableConcept | None) -> Iterator[str]:
    if concept is None:
        return
    for text in (concept.text, *(coding.display for coding in concept.coding)):
        if text and text.strip():
            yield text.strip()


def _contained(use: MedicationUse, fragment: str) -> Medication | None:
    found = _held(use, fragment)
    return found if isinstance(found, Medication) else None


def _held(holder: Resource, fragment: str) -> Medication | Substance | None:
    """A product or a substance that a resource contains."""
    for raw in holder.contained:
        resource: object = read_resource(raw)
        if isinstance(resource, Dropped) or not isinstance(resource, Medication):
            resource = _substance(raw)
        if (
            isinstance(resource, Medication | Substance)
            and (resource.id or "").lstrip("#") == fragment
        ):
            return resource
    return None


def _substance(raw: msgspec.Raw) -> Substance | None:
    try:
        return msgspec.json.decode(raw, type=Substance)
    except msgspec.MsgspecError:
        return None
