"""Why a recommendation is made, in three sentences: the rule, the way back, and what was seen.

Made from the stored document alone: the release that answered may be another than the one in use.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.web.document import RecommendationPart, TracePart

_MOST_SEEN = 4
_MET = "met"


def reason_sentences(item: RecommendationPart) -> tuple[str, ...]:
    """What the rule says, when treatment goes on at which dose, and the values that led there."""
    return tuple(filter(None, (_said(item), _way_back(item), _seen(item))))


def _said(item: RecommendationPart) -> str:
    text = item.detail.strip()
    return text if not text or text[-1] in ".?!…" else f"{text}."


def _way_back(item: RecommendationPart) -> str:
    """The patient's own dose and the recovery that the rule waits for."""
    if not item.resume_dose or not item.recovery:
        return ""
    drug = f"{item.drug} " if item.drug else ""
    return f"For this patient: resume {drug}{item.resume_dose} when {item.recovery}."


def _seen(item: RecommendationPart) -> str:
    """The values that made the rule apply, each with its day."""
    if item.trace is None:
        return ""
    found = list(dict.fromkeys(_met(item.trace)))
    more = len(found) - _MOST_SEEN
    if more > 0:
        found = [*found[:_MOST_SEEN], f"and {more} more below"]
    return f"Seen: {'; '.join(found)}." if found else ""


def _met(trace: TracePart) -> Iterator[str]:
    """What was found at each leaf that holds by a value; what lacks says nothing here."""
    if trace.verdict != _MET or trace.condition.startswith("unknown whether"):
        return
    if not trace.children and trace.used:
        yield trace.sentence.partition("; asked: ")[0].partition("; so this")[0].rstrip(".")
    for child in trace.children:
        yield from _met(child)
