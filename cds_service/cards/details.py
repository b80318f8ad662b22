"""The detail of a card: plain GitHub-flavoured Markdown, in the order a reader needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.cards.basis import used_lines
from cds_service.cards.due_lines import due_lines
from cds_service.cards.footers import footer
from cds_service.cards.option_lines import EFFECTS, choice_lines, next_option_lines
from cds_service.cards.other_medicines import another_medicine
from cds_service.cards.paragraphs import Listing, Part, together
from cds_service.cards.suggestions import removes_order
from cds_service.cards.summaries import agreeing, placeholders, summary
from cds_service.cards.text import dose_words, escaped
from cds_service.fhir.versions import foreign_element
from cds_service.knowledge.jurisdictions import UNAPPROVED
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import Suggestion
from cds_service.rules import Reason, Verdict, explain
from cds_service.rules.recovery_words import in_words

USED = {Topic.TOXICITY: 2, Topic.POPULATION: 2, Topic.MONITORING: 0, Topic.BASELINE: 0}
"""How many of the values behind a long card it shows, by what it is about; one of any other.

The page of the decision shows all; a test that is due is itself what was looked at."""
_LOWER = r"one dose level lower|(?:at )?the (?:same|previous) dose"
_AFTERWARDS = r"if it recurs|stop for good|eye examination"
_RESUMED = re.compile(
    rf": hold until .{{1,160}}?, then resume (?:{_LOWER})(?=\.(?:\s|$)|; (?:{_AFTERWARDS}))"
)
"""What a row says of recovery and dose: the card says it of this patient, made from the rule."""


def detail(
    item: Recommendation,
    decision: Decision,
    knowledge: Knowledge,
    offered: Iterable[Suggestion] = (),
) -> str:
    """Why now, what was used, what was missing, the alternatives, the sources, the release.

    `offered` is what the card orders by one click: of a test that is not in it, it is said why.
    """
    parts: list[Part] = []
    if item.detail:
        values = placeholders(item, knowledge)
        parts.append(agreeing(_says(item).format_map(_Kept(values)), values))
    parts += _what_next(item)
    parts += another_medicine(item, knowledge)
    parts += _not_changeable(item, signed=decision.question.signed)
    parts += _options(item, decision, knowledge)
    parts += _instead(item, decision)
    if item.others:
        title = "Other ways on" if item.options else "Ways on"
        parts.append(Listing(title, item.others, least=2))
    parts.append(Listing("Tests", due_lines(item, decision, knowledge, offered), least=6))
    parts.append(Listing("Not checked", [escaped(name) for name in item.named], least=3))
    together_now = [other for other in item.also if not other.settled]
    lines = [_also(other, summary(other, knowledge)) for other in together_now]
    parts.append(Listing("At the same time", lines, least=3))
    otherwise = [summary(other, knowledge) for other in item.also if other.settled]
    parts.append(Listing("What would apply otherwise", otherwise, least=1))
    parts.append(Listing("Not available or not usable", _reasons(item.reasons), least=2))
    used = used_lines(item.trace)
    if item.kind in (Kind.WITHHOLD, Kind.RESUME, Kind.REDUCE) and item.since is not None:
        # What is there now comes before what it was held for.
        used = list(dict.fromkeys((*used_lines(item.until), *used)))
    parts.append(Listing("Used", used, least=0, enough=USED.get(item.topic, 1)))
    parts.append(footer(item, decision, knowledge))
    return together(parts)


def _says(item: Recommendation) -> str:
    """The row's words without its general way back, where the patient's own stands below.

    Of what has recovered only what it was is left: nobody is told to hold any more.
    """
    if (item.resume_dose or item.dose) is None or item.row is None or "until" not in item.row.rules:
        return item.detail
    return _RESUMED.sub(": hold" if item.kind is Kind.WITHHOLD else "", item.detail)


def _options(item: Recommendation, decision: Decision, knowledge: Knowledge) -> list[Part]:
    """The drugs of a choice and what was found in the tumour about them."""
    parts: list[Part] = []
    jurisdiction = decision.question.jurisdiction
    if item.options and item.topic is Topic.PROGRESSION:
        lines = next_option_lines(item.options, knowledge, jurisdiction)
        parts.append(Listing("For this patient", lines, least=3))
        parts += _stop_first(item)
    elif item.options:
        lines = choice_lines(item.options, knowledge, jurisdiction)
        parts.append(Listing("For this patient", lines, least=4))
        parts.append("No trial has shown that one preferred drug gives longer survival.")
    shown = {moved.rule_id for option in item.options for moved in option.modifiers}
    said = [found for found in item.findings if found.rule_id not in shown]
    lines = [f"{EFFECTS[found.effect]}: {found.says}" for found in said]
    parts.append(Listing("What the findings say about each drug", lines, least=1))
    return parts


def _also(item: Recommendation, said: str) -> str:
    """What else speaks at this moment, with its question unless that is said already."""
    end = "" if said.endswith(("?", ".")) else "."
    asked, mark, rest = item.ask.partition("?")
    if mark and f"{asked}?".lower() in said.lower():
        # What follows from the answer stands right behind the question.
        return " ".join(part for part in (f"{said}{end}", rest.strip()) if part)
    return " ".join(part for part in (f"{said}{end}", item.ask) if part)


class _Kept(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.replace("_", " ")


def _not_changeable(item: Recommendation, *, signed: bool) -> list[str]:
    """Why an order that should be changed or taken back carries no change by one click."""
    if signed and item.order is not None:
        return ["The order is signed: change or cancel it where your system keeps its orders."]
    if item.order is not None and item.order.is_revised and removes_order(item):
        return [
            "The order is in force already: change or end it where your system keeps its orders."
        ]
    if item.order is None or item.dose is None or item.dose.drug not in item.order.ingredients:
        return []
    element = foreign_element(item.order.resource)
    if element is None or not item.verified:
        return []
    says = f"The order is not written in FHIR R4 (`{element}`). It was checked, but answers are R4"
    return [f"{says}: change it in your system."]


def _instead(item: Recommendation, decision: Decision) -> list[str]:
    """The first-line options by name, where the card offers them in place of an order."""
    if "first line" not in item.offers or decision.choice is None:
        return []
    names = [
        option.drug
        for option in decision.choice.options
        if option.place == "preferred"
        and not option.speaks_against
        and option.approval not in UNAPPROVED
    ]
    return (
        [f"Preferred first-line ALK inhibitors for this patient: {', '.join(names)}."]
        if names
        else []
    )


def _stop_first(item: Recommendation) -> list[str]:
    running = [name for option in item.options for name in option.stop_first]
    if not running:
        return []
    names = ", ".join(dict.fromkeys(running))
    return [f"Never two ALK inhibitors together: stop {names} before another one is ordered."]


def _reasons(reasons: Iterable[Reason]) -> list[str]:
    return [escaped(explain((reason,))) for reason in reasons]


def _what_next(item: Recommendation) -> list[str]:
    parts: list[str] = []
    if item.episode is not None and item.episode > 1:
        parts.append(f"This is episode {item.episode} of this reaction since the first dose.")
    if item.kind in (Kind.WITHHOLD, Kind.RESUME, Kind.REDUCE) and item.topic is Topic.TOXICITY:
        parts += _way_back(item)
    if item.at_floor:
        parts.append("The next step would lie below the lowest label dose, so the drug is stopped.")
    if item.settled:
        parts.append(f"No order is offered for this: {item.settled}.")
    if item.ask:
        parts.append(f"**To settle:** {item.ask}")
    return parts


def _way_back(item: Recommendation) -> list[str]:
    """When and at which dose treatment goes on, made from the row's own rule."""
    until = item.row.rules.get("until") if item.row is not None else None
    recovery = in_words(until.expression) if until is not None else ""
    dose = item.resume_dose or item.dose
    named = f"{dose.drug} {dose_words(dose)}" if dose is not None else ""
    parts: list[str] = []
    if item.kind is not Kind.WITHHOLD:
        # What is lowered or taken up again now waits for nothing any more.
        verb = "reduce to" if item.kind is Kind.REDUCE else "resume"
        over = item.until is not None and item.until.verdict is Verdict.MET and recovery
        begun = f"Recovered, since {recovery}" if over else ""
        said = ": ".join(filter(None, [begun, f"{verb} {named}" if named else ""]))
        parts += [f"{said[:1].upper()}{said[1:]}."] if said else []
    elif not item.resume:
        # Where the row does not say how to go on, recovery alone does not mean to resume.
        parts += [f"Hold at least until {recovery}."] if recovery else []
        parts += [f"Dose: {named}."] if named else []
    elif named or recovery:
        when = f" when {recovery}" if recovery else ""
        parts.append(f"Resume{f' {named}' if named else ''}{when}.")
    if item.resume and dose is None and not item.at_floor:
        parts.append(
            f"Resume dose: {item.resume}; the current dose could not be placed on the label's"
            " ladder, so no amount is given."
        )
    if item.resume == "next lower or stop":
        parts.append("The label leaves the choice between the lower dose and stopping.")
    return parts
