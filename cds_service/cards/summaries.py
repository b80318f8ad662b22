"""The one line that a busy clinician reads: it starts with the action."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from cds_service.alk import (
    CHECK_INCOMPLETE_RULE,
    Kind,
    Option,
    Recommendation,
    Topic,
)
from cds_service.alk.brought import reaction_brought
from cds_service.alk.look_alikes import look_alike
from cds_service.cards.basis import trigger
from cds_service.cards.reaction_summaries import reaction_summary
from cds_service.cards.text import (
    counted,
    dose_words,
    first_that_fits,
    fit,
    full_day,
    led,
    listed,
    number,
    times,
)
from cds_service.facts.courses import END_OF_THE_LAST
from cds_service.facts.patient import AT_ODDS
from cds_service.knowledge.awaited import AwaitedDrug
from cds_service.knowledge.jurisdictions import UNAPPROVED, full_dose_elsewhere
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Item


def summary(item: Recommendation, knowledge: Knowledge) -> str:
    """The summary of one recommendation, under 140 characters, starting with the action."""
    if item.topic is Topic.ORDER and item.reasons:
        names = listed(list(dict.fromkeys(reason.subject for reason in item.reasons))[:3])
        step = "dispatching" if _is_dispatched(item) else "signing"
        return fit(f"Check before {step} {ordered_name(item)}: {names} could not be obtained")
    if item.topic is Topic.PROGRESSION and (objections := _objections(item.options)):
        return fit(f"No option here without a reason against it, tumour board: {objections}")
    if item.summary:
        values = placeholders(item, knowledge)
        line = agreeing(item.summary.format_map(_Filled(values)), values)
        if item.options and "," not in values["options"] and " and " not in values["options"]:
            line = line.replace(" are options", " is an option")
        return fit(line)
    writer = {
        Topic.TOXICITY: reaction_summary,
        Topic.MONITORING: _monitoring,
        Topic.BASELINE: _baseline,
        Topic.CHOICE: _choice,
        Topic.INTERACTION: _interaction,
        Topic.POPULATION: _population,
        Topic.COVERAGE: _coverage,
        Topic.ADJUVANT: _adjuvant,
        Topic.AVAILABILITY: _availability,
        Topic.PROGRESSION: _coverage,
    }[item.topic]
    return fit(writer(item, knowledge))


_OF_SEVERAL = {"is": "are", "was": "were", "runs": "run", "has": "have", "begins": "begin"}


def agreeing(text: str, values: Mapping[str, str]) -> str:
    """A filled-in text in which several drugs are, where one drug is."""
    for names in {value for value in values.values() if " and " in value}:
        for one, several in _OF_SEVERAL.items():
            text = re.sub(rf"({re.escape(names)}) {one}\b", rf"\1 {several}", text)
            text = re.sub(rf"\bWhy {one} ({re.escape(names)})", rf"Why {several} \1", text)
    return text


class _Filled(dict[str, str]):
    """Placeholders that a row may use; one that has no value here becomes a plain word."""

    def __missing__(self, key: str) -> str:
        return key.replace("_", " ")


_NAMED_ITEMS = {
    "other active ALK inhibitors": "active",
    "other ordered ALK inhibitors": "drafted",
    "active ALK inhibitors": "active",
    "paused ALK inhibitors": "paused",
    "ALK inhibitors stopped without a reason": "unexplained",
    "ALK inhibitors stopped for toxicity": "untolerated",
    "conflicting ALK tests": "conflict",
    "signs of progression": "signs",
}
"""By fact the placeholder in a row's words that names its drugs, tests or signs."""


def placeholders(item: Recommendation, knowledge: Knowledge) -> Mapping[str, str]:
    """What `{ordered}`, `{dose}` and their kin in a table row stand for."""
    values = {
        "ordered": ordered_name(item),
        "sign": "dispatch" if _is_dispatched(item) else "sign",
    }
    if item.order is not None:
        values["dose"] = dose_words(item.order.dose)
    if item.drug is not None and item.drug in knowledge.drugs:
        drug = knowledge.drugs[item.drug].drug
        full = drug.dosing.full_dose
        values["label_dose"] = f"{number(full.amount_mg)} mg {times(full.per_day)}"
        lead = drug.dosing.lead_in
        if lead is not None:
            first = f"{number(lead.amount_mg)} mg {times(lead.per_day)}"
            values["lead_in"] = f"{first} for {lead.days} days"
        values["ladder"] = listed(
            [f"{number(step.amount_mg)} mg {times(step.per_day)}" for step in drug.ladder.levels]
        )
        if item.order is not None:
            taken = item.order.dose
            elsewhere = full_dose_elsewhere(drug, taken.amount_mg, taken.per_day)
            values["elsewhere"] = listed(list(elsewhere))
    for name in item.order.ingredients if item.order is not None else ():
        if name in knowledge.awaited:
            values |= _awaited(knowledge.awaited[name])
    if item.order is not None:
        confused, inhibitors = look_alike(item.order, knowledge)
        if confused:
            values |= {"look_alike": confused, "looks_like": listed(list(inhibitors))}
    start = dose_words(item.dose) if item.dose is not None else "dose to be looked up"
    values["start_dose"] = start
    if item.options:
        left = [option.drug for option in item.options if not option.speaks_against]
        values["options"] = listed(left or [option.drug for option in item.options])
    if item.trace is not None:
        for leaf in item.trace.walk():
            word = _NAMED_ITEMS.get(leaf.subject)
            if word is not None and leaf.used:
                labels = [_named(used, knowledge) for used in leaf.used if isinstance(used, Item)]
                values.setdefault(word, listed(list(dict.fromkeys(labels))))
            if leaf.subject == END_OF_THE_LAST:
                ended = [used.as_sent for used in leaf.used if _not_tolerated(used)]
                values |= {"untolerated": listed(ended)} if ended else {}
            if leaf.subject == AT_ODDS and leaf.used:
                # Two orders for the same dose are two.
                values["running"] = listed(
                    [used.label for used in leaf.used if isinstance(used, Item)]
                )
            if leaf.subject == "ALK" and leaf.used:
                values["ALK"] = f"ALK {getattr(leaf.used[0], 'value', '')}"
    return values


def _not_tolerated(used: object) -> TypeGuard[Item]:
    return isinstance(used, Item) and "toxicity" in used.names


def _awaited(drug: AwaitedDrug) -> Mapping[str, str]:
    flag = drug.approval
    return {
        "checked_on": full_day(flag.checked_on),
        "goal_date": full_day(flag.goal_date),
        "access": flag.access,
        "requested_for": flag.requested_for,
        "confusable": listed(list(drug.confusable_with)),
    }


def _is_dispatched(item: Recommendation) -> bool:
    return item.order is not None and item.order.dispatched


def ordered_name(item: Recommendation) -> str:
    """The drug of the order by our own tables, never by the EHR's text."""
    if item.order is not None and item.order.ingredients:
        return listed(list(item.order.ingredients))
    return item.drug or "this order"


def _monitoring(item: Recommendation, knowledge: Knowledge) -> str:
    unknown = [test for test in item.tests if test.lacking]
    leading = [test for test in item.tests if test.orderable]
    if unknown and not leading:
        return _not_known(item, knowledge, f"due on {item.drug}")
    leading = leading or list(item.tests)
    late = [test for test in leading if test.status == "overdue"]
    others = [test for test in leading if test not in late]
    # The number named is the number ordered.
    names = listed([_test_name(test.test, knowledge) for test in (*late, *others)])
    count = counted(len(late or others), "test")
    beside = f" and {len(others)} due" if late and others else ""
    word = f"overdue{beside}" if late else "due"
    text = f"{count[0].upper()}{count[1:]} {word} on {item.drug}: {names}"
    return f"{text}; for others this is not known" if unknown else text


def _baseline(item: Recommendation, knowledge: Knowledge) -> str:
    ordered = [test for test in item.tests if test.orderable]
    first = "the first ALK inhibitor" if item.drug is None else f"the first dose of {item.drug}"
    if not ordered and any(test.lacking for test in item.tests):
        return _not_known(item, knowledge, f"done before {first}")
    # The number named is the number ordered; what is our own advice only is in the detail.
    shown = ordered or list(item.tests)
    names = listed([_test_name(test.test, knowledge) for test in shown])
    noun = "baseline test" if len(shown) == 1 else "baseline tests"
    verb = "Order" if ordered else "Consider"
    return f"{verb} {len(shown)} {noun} before {first}: {names}"


def _not_known(item: Recommendation, knowledge: Knowledge, what: str) -> str:
    """Of tests whose data were not delivered nobody can say that they are due."""
    names = listed([_test_name(test.test, knowledge) for test in item.tests if test.lacking])
    return f"Not known whether {what}: {names}"


def _test_name(test: str, knowledge: Knowledge) -> str:
    label = knowledge.tests[test].label
    return label.split(" (")[0]


def _choice(item: Recommendation, _: Knowledge) -> str:
    if item.kind is Kind.ASK:
        names = listed(list(dict.fromkeys(reason.subject for reason in item.reasons))[:3])
        return led("Choice of a first ALK inhibitor waits for", names or "what is missing")
    preferred = [
        option.drug
        for option in item.options
        if option.place == "preferred" and option.approval not in UNAPPROVED
    ]
    objections = _objections([option for option in item.options if option.drug in preferred])
    if objections:
        return f"No preferred ALK inhibitor without a reason against it: {objections}"
    left = [option.drug for option in item.options if not option.speaks_against]
    shown = [drug for drug in preferred if drug in left]
    if not shown:
        return "Choose a first-line ALK inhibitor: none of the preferred ones is approved here"
    verb = "is" if len(shown) == 1 else "are"
    return f"Choose a first-line ALK inhibitor: {listed(shown)} {verb} preferred"


def _objections(options: Sequence[Option]) -> str:
    """What speaks against the options when something speaks against every one, else nothing."""
    against = [
        next((moved.says for moved in option.modifiers if moved.effect == "avoid"), "")
        for option in options
    ]
    if not against or not all(against):
        return ""
    return listed(list(dict.fromkeys(says.split(":", 1)[0] for says in against)))


_OF_MEDICINES = ("medications", "ordered medications", "medications still acting")


def _interaction(item: Recommendation, knowledge: Knowledge) -> str:
    names = []
    for leaf in item.trace.walk() if item.trace is not None else ():
        if leaf.subject in _OF_MEDICINES:
            names += [_ingredient(used, knowledge) for used in leaf.used if isinstance(used, Item)]
    group = item.row.text("group") if item.row is not None else "another medication"
    own = {item.drug, ""}
    shown = listed(sorted(set(names) - own)[:3]) or group
    if reaction := reaction_brought(item):
        return _beside_a_reaction(shown, reaction, group)
    match item.kind:
        case Kind.REDUCE if item.order is not None and item.drug not in item.order.ingredients:
            # It is the other medication that is being ordered, and the label avoids it first.
            lower = f"or lower {item.drug} to {dose_words(item.dose)}"
            return f"Avoid {shown} with {item.drug}, {lower}: {group}"
        case Kind.REDUCE:
            return f"Lower {item.drug} to {dose_words(item.dose)} with {shown}, or avoid: {group}"
        case Kind.ASK if item.row is not None and item.row.text("action") == "contraindicated":
            return f"Settle {shown} before {item.drug}, never to be combined: {group}"
        case Kind.ASK if item.row is not None and item.row.text("action") == "avoid":
            return f"Avoid {shown} with {item.drug}, or settle the dose of {item.drug}: {group}"
        case Kind.ASK:
            return f"Settle the dose of {item.drug} with {shown}: {group}"
        case Kind.STOP:
            return f"Do not combine {item.drug} with {shown}: {group}"
        case Kind.AVOID:
            return f"Avoid {item.drug} with {shown}: {group}"
    return f"Watch {item.drug} with {shown}: {group}"


def _beside_a_reaction(shown: str, reaction: Recommendation, group: str) -> str:
    """An order of what brings a reaction for which the drug is held or stopped, or asked about."""
    drug, because = reaction.drug, trigger(reaction.trace)
    match reaction.kind:
        case Kind.STOP:
            lead = f"Avoid {shown} while {drug} is to be stopped"
        case Kind.WITHHOLD:
            lead = f"Avoid {shown} while {drug} is on hold"
        case _:
            lead = f"Avoid {shown} until a reaction to {drug} is settled"
    return first_that_fits(led(lead, because, group), led(lead, because or group), lead)


def _named(item: Item, knowledge: Knowledge) -> str:
    """A medicine by its ingredients, whatever the chart calls it; all else by its label."""
    return "/".join(sorted(item.names & knowledge.codes.ingredients.keys())) or item.label


def _ingredient(item: Item, knowledge: Knowledge) -> str:
    """The plainest of our own names for a medication: an ingredient, else one that is no class."""
    if item.names & knowledge.codes.ingredients.keys():
        return _named(item, knowledge)
    classes = ("inhibitor", "inducer", "blocker", "bradycardic", "prolonging", "substrate")
    own = sorted(
        name
        for name in item.names
        if not name.endswith(classes) and not name.startswith("generation ")
    )
    return own[0] if own else ""


def _population(item: Recommendation, _: Knowledge) -> str:
    reason = _before_colon(item.detail)
    reason = f"{reason[:1].lower()}{reason[1:]}"
    if item.dose is not None:
        return f"Lower {item.drug} to {dose_words(item.dose)}: {reason}"
    if item.kind is Kind.ASK:
        return f"Settle the dose of {item.drug}: {reason}"
    says = f"{item.detail[:1].lower()}{item.detail[1:]}"
    # Whole sentences only: the detail has them all.
    whole, first = led(f"Before {item.drug}", says), says.split(". ", 1)[0]
    return first_that_fits(whole, led(f"Before {item.drug}", first))


def _before_colon(text: str) -> str:
    return text.split(":", 1)[0]


def _coverage(item: Recommendation, _: Knowledge) -> str:
    return (
        f"Check the label of {item.drug}: this release has no dose-change or monitoring rules"
        " for it"
    )


def _adjuvant(item: Recommendation, _: Knowledge) -> str:
    return f"Adjuvant {item.drug} would be indicated, but something speaks against it: settle first"


def _availability(item: Recommendation, _: Knowledge) -> str:
    if item.rule_id == CHECK_INCOMPLETE_RULE:
        return "This ALK check is incomplete: a fault kept part of it from running"
    names = [part.split(":", 1)[0] for part in item.detail.split("; ")]
    return f"Not everything was checked: {listed(names)} could not be obtained"
