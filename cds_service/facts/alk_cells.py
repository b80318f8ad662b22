"""The share of rearranged cells where a FISH result names it beside its answer: in a part known by
its name, in a result that it was derived from, or in its words.

Numbers in words only ever take away: they make an answer that they contradict unclear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from cds_service.facts.alk_fish import Share, share_of_cells, share_of_percent
from cds_service.facts.context import Context
from cds_service.fhir.views import CodeableConcept, Observation, ObservationComponent

_LONGEST = 2000
_CELL = (
    r"(?:cells?|nucle(?:i|us)|zellen?|zellkerne?n?|kerne?n?|cellules?|noyaux|c[ée]lulas?|cellule)\b"
)
_CHANGED = (
    r"(?:re-?arrang|split|break-?apart|transloc|translok|umgelager|r[ée]arrang|riarrang|reorden)"
)
_REARRANGED_CELLS = re.compile(
    rf"{_CHANGED}.{{0,40}}?\b{_CELL}|\b{_CELL}.{{0,40}}?{_CHANGED}"
    rf"|\bpositiv\w{{0,3}}\s+(?:\w{{1,12}}\s+)?{_CELL}|\bsplit.?signal",
    re.IGNORECASE,
)
_OF_THE_SAMPLE = re.compile(
    r"content|purity|cellularity|gehalt|tumou?r.?cell(?:s|ularity)?\s*(?:fraction|percent|%|:)"
    r"|tumorzell(?:gehalt|anteil)|necro|nekro|sensitiv|spezifit|specific",
    re.IGNORECASE,
)
_CUT_OFF = re.compile(r"cut.?off|threshold|schwelle|grenzwert|seuil|umbral|soglia|[<>≤≥]", re.I)
_PERCENT = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,2})?)\s?(?:%|percent\b|per cent\b|prozent\b)", re.I
)
_COUNTED = re.compile(
    rf"(?<![\d.,])(\d{{1,4}})\s?(?:/|of|out of|von|sur|de|su)\s?(\d{{1,4}})\s+"
    rf"(?:\w{{1,16}}\s+){{0,2}}{_CELL}",
    re.IGNORECASE,
)
_ANY_CELL = re.compile(rf"\b{_CELL}|signal", re.IGNORECASE)
_BEFORE, _AFTER = 30, 24
"""Characters around a number in which a word says that it is a cut-off or about the sample."""


def share_beside(context: Context, observation: Observation) -> Share | None:
    """The share that parts and forerunners of a result give; None when none does.

    Several that say different things make none of them sure.
    """
    limit = _stated_cut_off(observation)
    found = [
        share
        for part in _parts(context, observation)
        if (share := share_of_cells(context, part, limit)) is not None
    ]
    if len({share.answer for share in found}) > 1:
        return Share("equivocal", "; ".join(share.shown for share in found if share.shown))
    return found[0] if found else None


def share_in_words(context: Context, observation: Observation) -> Share | None:
    """The one share that the words of a result name; None when there is none, or several."""
    percents = {percent for text in _texts(observation) for percent in _percents(text)}
    return share_of_percent(context, percents.pop()) if len(percents) == 1 else None


def _parts(
    context: Context, observation: Observation
) -> Iterator[Observation | ObservationComponent]:
    for component in observation.component:
        counted = component.value_ratio is not None
        # A part with a code of the test is a result of its own.
        if _names_cells(component.code, counted=counted) and not context.book.says(
            component.code, "ALK test by FISH"
        ):
            yield component
    for reference in (*observation.derived_from, *observation.has_member):
        part = context.record.resolve(reference, observation)
        if isinstance(part, Observation) and _names_cells(part.code):
            yield part


def _names_cells(code: CodeableConcept | None, *, counted: bool = False) -> bool:
    """Whether a name is of rearranged cells, or of cells alone at a count of them."""
    pattern = _ANY_CELL if counted else _REARRANGED_CELLS
    return any(pattern.search(name) and not _OF_THE_SAMPLE.search(name) for name in _names(code))


def _stated_cut_off(observation: Observation) -> Decimal | None:
    """The laboratory's own cut-off where it stands as a part of the result."""
    limits = [
        component.value_quantity.number
        for component in observation.component
        if component.value_quantity is not None
        and any(_CUT_OFF.search(name) for name in _names(component.code))
    ]
    return limits[0] if len(limits) == 1 else None


def _names(code: CodeableConcept | None) -> Iterator[str]:
    if code is not None:
        texts = (code.text, *(coding.display for coding in code.coding))
        yield from (text[:_LONGEST] for text in texts if text)


def _texts(observation: Observation) -> Iterable[str]:
    value = observation.value_codeable_concept
    yield from _names(value)
    texts = (observation.value_string, *(note.text for note in observation.note))
    yield from (text[:_LONGEST] for text in texts if text)


def _percents(text: str) -> Iterator[Decimal]:
    if not _ANY_CELL.search(text):
        return
    for found in _PERCENT.finditer(text):
        if _is_about_the_cells(text, found):
            yield Decimal(found[1].replace(",", "."))
    for found in _COUNTED.finditer(text):
        part, whole = Decimal(found[1]), Decimal(found[2])
        if whole > 0 and part <= whole and _is_about_the_cells(text, found):
            yield part / whole * 100


def _is_about_the_cells(text: str, found: re.Match[str]) -> bool:
    before = text[max(0, found.start() - _BEFORE) : found.start()]
    # A cut-off ends with its sentence or bracket; what stands before that is of something else.
    before = re.split(r"[.;,)]", before)[-1]
    after = re.split(r"[.;,(]", text[found.end() : found.end() + _AFTER])[0]
    return not any(
        pattern.search(part) for pattern in (_CUT_OFF, _OF_THE_SAMPLE) for part in (before, after)
    )
