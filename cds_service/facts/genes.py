"""Which genes a part of a genomic result names: by code, else by their exact symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.facts.context import Context
from cds_service.fhir.terminology import HGNC, code_key, concept_keys
from cds_service.fhir.views import ObservationComponent

GENES = ("ALK", "EML4", "MET", "ROS1", "EGFR", "BRAF", "KRAS", "TP53", "PIK3CA", "KIT", "NF2",
         "RB1", "ERBB2")  # fmt: skip
_BETWEEN = re.compile(r"::|--")
_BETWEEN_SYMBOLS = re.compile(r"::|--|-")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9]{1,9}")
_NUMBER = re.compile(r"(?:HGNC:)?\d+")
_GENE_SYSTEMS = frozenset({HGNC, "https://www.ncbi.nlm.nih.gov/gene"})


@dataclass(frozen=True, slots=True)
class NamedGenes:
    """The genes that are known here, and how many genes are named in all."""

    known: frozenset[str]
    number: int


def genes_of(context: Context, component: ObservationComponent) -> NamedGenes:
    """The genes that the value of a component names.

    A code of a gene says which one. Where there is none, the exact symbol does, alone or as a
    pair such as EML4::ALK: `ALK phosphatase` is no symbol, and nothing is matched by likeness.
    """
    concept = component.value_codeable_concept
    keys = concept_keys(concept)
    several = 1
    found: set[str] = set()
    numbered = False
    for system, code in keys:
        parts = [part for part in _BETWEEN.split(code) if part]
        several = max(several, len(parts))
        if system in _GENE_SYSTEMS:
            numbered = numbered or any(_NUMBER.fullmatch(part) for part in parts)
        for part in parts:
            key = code_key(system, part)
            found.update(
                gene for gene in GENES if key in context.book.value_sets[f"gene {gene}"].keys
            )
    if not found and not numbered:
        for text in _texts(component):
            symbols = _BETWEEN_SYMBOLS.split(text)
            if all(_SYMBOL.fullmatch(symbol) for symbol in symbols):
                found.update(gene for symbol in symbols for gene in _by_symbol(context, symbol))
                several = max(several, len(symbols))
    return NamedGenes(frozenset(found), several)


def _by_symbol(context: Context, symbol: str) -> Iterator[str]:
    for gene in GENES:
        names = context.book.knowledge.codes.value_sets[f"gene {gene}"].match_text
        if symbol.upper() in {name.upper() for name in names}:
            yield gene


def _texts(component: ObservationComponent) -> Iterator[str]:
    """The words for a gene; a symbol sent as the code of a gene is one of them."""
    concept = component.value_codeable_concept
    sent = [component.value_string]
    if concept is not None:
        sent += [concept.text, *(coding.display for coding in concept.coding)]
        sent += [code for system, code in concept_keys(concept) if system in _GENE_SYSTEMS]
    yield from dict.fromkeys(text.strip() for text in sent if text and text.strip())
