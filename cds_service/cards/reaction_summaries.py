"""The one line about a reaction to a drug: stop, hold, resume, ask or go on."""

from __future__ import annotations

import re

from cds_service.alk import UNCOVERED_RULE, Kind, Recommendation
from cds_service.cards.basis import target, trigger
from cds_service.cards.text import dose_words, first_that_fits, joined, led, listed
from cds_service.cards.uncovered import uncovered_summary
from cds_service.facts.contributing import SLOWING_CLASSES
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Statement, Verdict

CONTRIBUTING = "contributing medication"
"""The fact that names a medicine that slows the heart, as an ALK inhibitor does."""
UNNAMED = "what else slows the heart"
"""Such a medicine where none of our own names stands in the record."""


_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r".*?[.?](?=\s|$)")

_WAYS_BACK = {
    "same": "the same dose",
    "same or next lower": "the same dose or one lower",
    "next lower": "one label dose lower",
    "next lower or stop": "one label dose lower",
}
"""By `resume` cell what is said of the dose where no amount can be given."""


def reaction_summary(item: Recommendation, knowledge: Knowledge) -> str:
    """What to do with the drug, because of what, and what that waits for."""
    if item.rule_id == UNCOVERED_RULE:
        return uncovered_summary(item, knowledge)
    drug = item.drug or "the drug"
    finding = trigger(item.trace)
    past = item.since is not None
    match item.kind:
        case Kind.STOP if item.at_floor:
            floor = f"{finding} at the lowest label dose" if finding else "at the lowest label dose"
            return led(f"Stop {drug} for good", floor)
        case Kind.STOP if past:
            return led(f"Stop {drug} for good", joined(finding, "never to be given again"))
        case Kind.STOP:
            return led(f"Stop {drug} for good", finding)
        case Kind.WITHHOLD:
            lead = f"{'Keep holding' if past else 'Hold'} {drug}"
            return _held(item, knowledge, lead, finding)
        case Kind.RESUME | Kind.REDUCE:
            verb = "Resume" if item.kind is Kind.RESUME else "Reduce"
            back = _WAYS_BACK.get(item.resume, "one label dose lower")
            dose = dose_words(item.dose) or f"{back} (current dose not readable)"
            link = "at" if item.kind is Kind.RESUME else "to"
            return led(f"{verb} {drug} {link} {dose}", joined(finding, "now recovered"))
        case Kind.ASK if item.reasons:
            names = listed(list(dict.fromkeys(reason.subject for reason in item.reasons))[:3])
            why = listed(sorted({reason.kind_name for reason in item.reasons}))
            return f"Cannot judge {drug} safely: {names} ({why})"
        case Kind.ASK:
            recovered = item.until is not None and item.until.verdict is Verdict.MET and past
            lead = f"Check before the next dose of {drug}"
            known = joined(finding, "now recovered" if recovered else "")
            return first_that_fits(
                led(lead, known, item.ask),
                led(lead, known, _first_question(item.ask)),
                # Where nothing measured made the row speak, its own first words say what did.
                led(lead, known or _begun(item.detail)),
            )
    recheck = item.row.text("recheck_days") if item.row is not None else ""
    again = f"test again within {recheck} days" if recheck else ""
    return led(f"Continue {drug}", joined(finding, "no dose change"), again)


def _held(item: Recommendation, knowledge: Knowledge, lead: str, finding: str) -> str:
    """A hold: first what explains it besides, then what it waits for.

    Only a row that says how to go on promises that the drug is resumed; where it leaves that to a
    question, such as another cause of a lung disease, the card asks it.
    """
    text = led(lead, finding)
    if slowing := _slowing(item, knowledge):
        why = "" if slowing == UNNAMED else ", which slows the heart"
        return first_that_fits(
            led(f"{lead} and stop or lower {slowing}{why}", finding),
            led(f"{lead}, stop or lower {slowing}", finding),
            led(lead, finding, "another drug slows the heart too"),
            text,
        )
    if lacking := _lacking(item):
        return led(lead, finding, f"{lacking} not known, which decides about stopping for good")
    goal = target(item.row.rules.get("until")) if item.row is not None else ""
    if not item.resume:
        return first_that_fits(led(lead, finding, _first_question(item.ask)), text)
    if others := [other for other in item.also if other.kind is Kind.WITHHOLD]:
        # None of them alone decides when the drug goes on, so that no dose is promised.
        named = [finding, *(trigger(other.trace) for other in others)]
        count = f"{len(others)} more reason{'' if len(others) == 1 else 's'} to hold it"
        return first_that_fits(led(lead, listed(named)), led(lead, finding, count), text)
    if item.resume_dose is not None and goal:
        then = f"resume {dose_words(item.resume_dose)}"
        return first_that_fits(
            led(lead, finding, f"{then} when {goal}"),
            led(lead, finding, f"{then} on recovery"),
            text,
        )
    return led(lead, finding, f"resume when {goal}" if goal else "")


def _first_question(ask: str) -> str:
    """The first sentence of a question, beginning small because it follows other words."""
    first = _SENTENCE.match(ask)
    said = (first[0] if first is not None else ask).rstrip(".")
    # The name of a test keeps its capitals.
    return said if said.split(" ", 1)[0].isupper() else f"{said[:1].lower()}{said[1:]}"


def _begun(detail: str) -> str:
    """How the words of a row begin, for a summary that has no value to show."""
    begun = detail.split(":", 1)[0].rstrip(".")
    return f"{begun[:1].lower()}{begun[1:]}"


def _slowing(item: Recommendation, knowledge: Knowledge) -> str:
    """Another medicine that explains the reaction as well, by our own name for it.

    The record's text stays out of a summary: it is matched whole word by whole word, and what no
    table names is called by what it does.
    """
    for leaf in item.trace.walk() if item.trace is not None else ():
        for used in leaf.used if leaf.subject == CONTRIBUTING else ():
            if isinstance(used, Statement) and used.value == "active":
                words = set(_WORD.findall(used.as_sent.casefold()))
                slowing = (name for name in knowledge.codes.ingredients if name in words)
                named = (name for name in slowing if _slows(name, knowledge))
                return next(named, UNNAMED)
    return ""


def _slows(ingredient: str, knowledge: Knowledge) -> bool:
    classes = knowledge.codes.classes_of(ingredient, include_unverified=True)
    return bool(classes & SLOWING_CLASSES)


def _lacking(item: Recommendation) -> str:
    """What a hold that waits for missing data waits for, where the label may ask to stop."""
    if item.row is None or item.trace is None or "stop" not in item.ask:
        return ""
    missing = [
        reason.subject
        for leaf in item.trace.walk()
        if leaf.verdict is Verdict.UNKNOWN
        for reason in leaf.reasons
    ]
    return listed(list(dict.fromkeys(missing))[:2])
