"""The last line of a card: source, level, rule, release and day."""

from __future__ import annotations

from cds_service.alk import Decision, Recommendation
from cds_service.alk.currency import stale_sources
from cds_service.cards.text import full_day
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.sources import Source, is_own_advice
from cds_service.knowledge.verification import WORDS as LEVEL_WORDS

NOT_VERIFIED = "**Not verified by anybody: check the current label.**"
ONE_COPY = "**Read in a copy: check the current label.**"
OWN_ADVICE = "This project's own rule, not from a label."


def shown_sources(item: Recommendation, knowledge: Knowledge) -> tuple[Source, ...]:
    """The sources that a card may name, those that were read before our own words.

    No seller's page is among them, and none that a machine wrote.
    """
    cited = [knowledge.sources[name] for name in item.sources]
    cited.sort(key=lambda source: source.kind == "design")
    return tuple(source for source in cited if source.can_be_shown)


def footer(item: Recommendation, decision: Decision, knowledge: Knowledge) -> str:
    """One line: how far it can be trusted, the first source, the rule, the release and the day.

    The other sources stand on the page of the decision. What makes the line old, or newer than
    the day asked about, stands below it.
    """
    cited = shown_sources(item, knowledge)
    parts = [_level(item)]
    if cited:
        # Which parts of it were read stands on the page, behind the semicolon of the citation.
        named = cited[0].citation.partition(";")[0].rstrip(".")
        more = f" and {len(cited) - 1} more" if len(cited) > 1 else ""
        parts.append(f"Source: {named}{more}.")
    elif item.sources:
        parts.append("No source that can be named here was read: look it up in the current label.")
    day = full_day(decision.as_of)
    parts.append(f"Rule {item.rule_id}, release {decision.release}, {day}.")
    lines = [" ".join(filter(None, parts))]
    if decision.as_of < knowledge.release.date:
        lines += decision.notes
    behind = [knowledge.sources[name] for name in item.sources]
    stale = stale_sources(knowledge.release, behind, decision.as_of)
    lines += [f"**{stale}**"] if stale else []
    return "\n\n".join(lines)


def _level(item: Recommendation) -> str:
    """How far the words can be trusted, said once and loudest where they should not be."""
    if is_own_advice(item.sources):
        return OWN_ADVICE
    if not item.verified or (item.row is not None and item.row.level == "none"):
        return NOT_VERIFIED
    if item.row is None:
        return ""
    return ONE_COPY if not item.row.may_order else f"{LEVEL_WORDS[item.row.level]}."
