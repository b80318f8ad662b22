"""What a variant assessment says of ALK: a fusion, a breakpoint, extra copies, a point mutation."""

from __future__ import annotations

import re

from cds_service.facts.context import Context
from cds_service.facts.genes import genes_of
from cds_service.fhir.views import Observation, ObservationComponent

_PARTNERS = ("component fusion five prime gene", "component fusion three prime gene")
_RESIDUE = re.compile(r"[A-Z][a-z]{0,2}\d+")
_NAMED_FUSION = re.compile(r"\b(?!ALK\b)[A-Z][A-Z0-9]{1,9}(?:::|--|-|/)ALK\b")


def finding_of(context: Context, observation: Observation) -> str:
    """fusion, fusion without a partner, breakpoint, amplification or point mutation of ALK.

    Empty when it is about another gene. A fusion needs two genes or a coded fusion term: an ALK
    variant alone is not one.
    """
    book = context.book
    genes: list[bool] = []
    fused = rearranged = changed = residue = copies = unnamed = partner = False
    for component in observation.component:
        value = component.value_codeable_concept
        if book.says(component.code, *_PARTNERS):
            unnamed = unnamed or (value is None and not component.value_string)
            genes.append(_is_alk(context, component))
        elif book.says(component.code, "component gene studied"):
            # EML4::ALK in one place is as much as two genes in two.
            number = genes_of(context, component).number
            genes += [_is_alk(context, component)] * number
            partner = partner or number > 1
        elif book.says(component.code, "component gene fusion transcript"):
            fused = fused or _is_alk(context, component)
            partner = partner or genes_of(context, component).number > 1
            genes.append(_is_alk(context, component))
        elif book.says(component.code, "discrete genetic variant"):
            if book.says(value, "EML4-ALK fusion identifier"):
                fused = partner = True
                genes.append(True)
        elif book.says(component.code, "component DNA change type"):
            fused = fused or book.says(value, "gene fusion")
            rearranged = rearranged or book.says(value, "structural rearrangement")
            copies = copies or book.says(value, "gene amplified")
        elif book.says(component.code, "component copy number"):
            copies = True
        elif book.says(component.code, "component amino acid change", "component DNA change"):
            changed = True
            amino = book.says(component.code, "component amino acid change")
            residue = residue or (amino and _names_residue(component))
        elif book.says(component.code, "component genomic source class") and book.says(
            value, "germline"
        ):
            context.remark("ALK", "a germline variant was left out")
            return ""
    if not any(genes):
        if unnamed:
            context.remark("ALK", "a gene fusion that does not name its genes was not used")
        return ""
    # Two genes make a fusion, unless what is stated is a change within one of them.
    pair = len(genes) == 2 and not copies and (rearranged or not residue)
    if fused or pair:
        named = (
            partner or len(genes) > 1 or bool(_NAMED_FUSION.search(everything_said(observation)))
        )
        return "fusion" if named else "fusion without a partner"
    if len(genes) > 1:
        return "fusion not shown"
    if copies:
        return "amplification"
    if rearranged:
        return "breakpoint"
    return "point mutation" if changed else "fusion not shown"


def _names_residue(component: ObservationComponent) -> bool:
    concept = component.value_codeable_concept
    texts = [component.value_string, concept.text if concept is not None else None]
    texts += [item.code for item in concept.coding] if concept is not None else []
    return any(_RESIDUE.search(text.rpartition(":")[2]) for text in texts if text)


def _is_alk(context: Context, component: ObservationComponent) -> bool:
    return "ALK" in genes_of(context, component).known


def everything_said(observation: Observation) -> str:
    """Name, method, value and notes of a result: only for what a method is called in them."""
    concepts = [observation.code, observation.method, observation.value_codeable_concept]
    concepts += [
        part
        for component in observation.component
        for part in (component.code, component.value_codeable_concept)
    ]
    texts = [observation.value_string or "", *(note.text or "" for note in observation.note)]
    texts += [component.value_string or "" for component in observation.component]
    for concept in concepts:
        if concept is not None:
            texts += [concept.text or "", *(coding.display or "" for coding in concept.coding)]
    return " ".join(texts)
