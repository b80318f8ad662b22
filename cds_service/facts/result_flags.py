"""Whether a laboratory called a result out of its range, where it sent no number to judge."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.facts.context import Context
from cds_service.fhir.values import interpretation_codes
from cds_service.fhir.views import CodeableConcept, Observation, ObservationComponent

OUT_OF_RANGE = frozenset({"A", "AA", "H", "HH", "H>", "HU", "L", "LL", "L<", "LU", "<", ">"})
"""The flags of HL7 for what is not normal. What they mean in numbers nobody can know."""
_WORDS = "out of range in words"


def called_out_of_range(context: Context, source: Observation | ObservationComponent) -> str:
    """The flag or the word of the closed list that says so; empty when none does.

    It says that something is wrong and not how much: never a value, and never nothing.
    """
    flags = sorted(interpretation_codes(source) & OUT_OF_RANGE)
    if flags:
        return flags[0]
    words = context.book.knowledge.codes.value_sets[_WORDS].match_text
    for text in _texts(source):
        said = " ".join(text.lower().split())
        if said in words:
            return said
    return ""


def _texts(source: Observation | ObservationComponent) -> Iterator[str]:
    concepts: tuple[CodeableConcept | None, ...] = (
        *source.interpretation,
        source.value_codeable_concept,
    )
    if source.value_string:
        yield source.value_string
    for concept in concepts:
        if concept is not None:
            yield from (
                text for text in (concept.text, *(item.display for item in concept.coding)) if text
            )
