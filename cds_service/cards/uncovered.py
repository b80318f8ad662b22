"""The one line about serious findings that no row of the drug's dose table reads."""

from __future__ import annotations

import re

from cds_service.alk import Kind, Recommendation
from cds_service.cards.text import first_that_fits, listed
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Finding
from cds_service.rules.doubt import with_doubt

_PLAIN = re.compile(r"[^\W\d_][\w ,.()/'?-]{1,69}")
"""A name of the chart that can stand in a summary, which is plain text."""


def uncovered_summary(item: Recommendation, knowledge: Knowledge) -> str:
    """``Not covered by the dose table: pulmonary hypertension; is it caused by lorlatinib?``"""
    used = item.trace.evidence if item.trace is not None else ()
    names = list(
        dict.fromkeys(_named(found, knowledge) for found in used if isinstance(found, Finding))
    )
    begins = f"Hold {item.drug}; not" if item.kind is Kind.WITHHOLD else "Not"
    lines = []
    for count in range(min(len(names), 3), 0, -1):
        shown = names[:count]
        if more := len(names) - count:
            shown.append(f"{more} more")
        asked = "is it" if len(names) == 1 else "is one"
        lines.append(
            f"{begins} covered by the dose table: {listed(shown)}; {asked} caused by {item.drug}?"
        )
    return first_that_fits(
        *lines, f"{begins} covered by the dose table: a serious finding; caused by {item.drug}?"
    )


def _named(finding: Finding, knowledge: Knowledge) -> str:
    """Our own name where a concept knows it, else that of the chart if it is plain."""
    concepts = knowledge.concepts
    known = {name for name in finding.names if name in concepts}
    above = {up for name in known for up in concepts.with_broader(name) if up != name}
    own = sorted(known - above)
    label = " ".join(finding.label.split())
    text = own[0] if own else label if _PLAIN.fullmatch(label) else "a diagnosis by code alone"
    text = with_doubt(text) if finding.status == "suspected" else text
    text = f"{text}, over" if finding.status == "over" else text
    if finding.grade is None or re.search(rf"\b(?:gra\w+ |G){finding.grade}\b", text):
        return text
    return f"{text}, grade {finding.grade}{' or more' if finding.grade_is_least else ''}"
