"""MET and HER2 amplification where it stands in words, or in a test that only its name tells.

Words are no verdict: they make it a finding that is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from cds_service.facts.alk_elsewhere import day_of_report
from cds_service.facts.alk_rearrangements import everything_said
from cds_service.facts.alk_status import GIVEN, coded_answer
from cds_service.facts.context import Context
from cds_service.fhir.remembered import remembered
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import CodeableConcept, DiagnosticReport, Observation
from cds_service.rules import Item

MEMBER = "copy number without interpretation"
_LONGEST = 20_000
"""Characters of a report that are read."""
_GENE = r"(?<![A-Za-z])(?:c-?MET|MET|(?i:HER-?2(?:/neu)?|ERBB2))(?![A-Za-z0-9])"
_MORE = r"(?i:amplif|copy number|copies|\bGCN\b|copy gain|kopien|kopiezahl|cop[iy]es? de|polysom)"
_MORE_STEM = re.compile(_MORE)
_COUNTED = re.compile(rf"{_GENE}[^.;\n]{{0,60}}?{_MORE}|{_MORE}[^.;\n]{{0,60}}?{_GENE}")
_NAMED_TEST = re.compile(
    rf"{_GENE}[^.;\n]{{0,40}}?"
    r"(?i:\bF?ISH\b|CEP-?7|CEP-?17|in.situ|ratio|amplif|copy number|\bGCN\b)"
    rf"|(?i:\bF?ISH\b)[^.;\n]{{0,30}}?{_GENE}"
)
_DENIED = re.compile(
    r"\b(?:no|not|without|kein\w{0,2}|nicht|ohne|sans|pas|non|negativ\w{0,2}|normal\w{0,2}"
    r"|diploid\w{0,2}|unamplified|excluded)\b|n't\b|non-amplif",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;\n]")


def copies_in_words(context: Context, start: date) -> Iterator[Item]:
    """Results and reports since `start` that speak of more copies of MET or HER2."""
    for observation in context.record.observations_called(_is_named_so):
        if status_of(observation) not in GIVEN:
            continue
        value = observation.value_string or ""
        concept = observation.value_codeable_concept
        said = f"{value} {concept.label if concept is not None else ''}"
        if coded_answer(context, observation) == "negative" or _DENIED.search(said[:_LONGEST]):
            continue
        moment = context.effective(observation)
        if context.usable(moment, MEMBER) and moment is not None:
            yield from _since(start, moment.day, observation.key)
    variants = context.book.value_sets["genetic variant assessment"]
    for result in context.record.observations(variants):
        observation = result.observation
        if result.component is not None or status_of(observation) not in GIVEN:
            continue
        if coded_answer(context, observation) != "negative" and _tells(_spread(observation)):
            moment = context.effective(observation)
            if context.usable(moment, MEMBER) and moment is not None:
                yield from _since(start, moment.day, observation.key)
    for report in context.record.of_type(DiagnosticReport):
        if status_of(report) in GIVEN | {"appended"} and _tells(report.conclusion or ""):
            day = day_of_report(context, report)
            if day is not None and day <= context.as_of:
                yield from _since(start, day, report.key)


def _spread(observation: Observation) -> str:
    """What a variant says, the gene and what was found of it in one clause."""
    return _CLAUSE.sub(" ", everything_said(observation))


def _is_named_so(code: CodeableConcept) -> bool:
    names = (code.text, *(coding.display for coding in code.coding))
    return any(name and _is_a_named_test(name) for name in names)


@remembered(4096)
def _is_a_named_test(name: str) -> bool:
    return _NAMED_TEST.search(name[:_LONGEST]) is not None


def _tells(text: str) -> bool:
    return _MORE_STEM.search(text[:_LONGEST]) is not None and any(
        _COUNTED.search(clause) and not _DENIED.search(clause)
        for clause in _CLAUSE.split(text[:_LONGEST])
    )


def _since(start: date, day: date | None, source: str) -> Iterable[Item]:
    if day is not None and day >= start:
        yield Item(frozenset({MEMBER}), MEMBER, day, "copies of MET or HER2, in words", source)
