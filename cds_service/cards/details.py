"""The detail of a card: plain GitHub-flavoured Markdown, in the order a reader needs it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cds_service.alk import Decision, DueTest, Kind, Option, Recommendation, Topic
from cds_service.alk.currency import stale_sources
from cds_service.cards.basis import recovery_words, used_lines
from cds_service.cards.other_medicines import another_medicine
from cds_service.cards.suggestions import removes_order, words_of_test_order
from cds_service.cards.summaries import agreeing, placeholders, summary
from cds_service.cards.text import dose_words, escaped, full_day, listed, number, times
from cds_service.fhir.versions import foreign_element
from cds_service.knowledge.evidence import Result, Study
from cds_service.knowledge.jurisdictions import UNAPPROVED, approval_words
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.sources import Source
from cds_service.knowledge.verification import WORDS as LEVEL_WORDS
from cds_service.protocol import Suggestion
from cds_service.rules import Reason, explain

NOT_VERIFIED = "**Not verified against a source: check the current label.**"
ONE_COPY = "**Read in one copy of a label only: check the current label.**"


OWN_ADVICE = "**Our own advice, not from a label.**"


OWN = "design-"
"""How the ids of sources begin that are decisions of our own."""


def _is_own_advice(item: Recommendation) -> bool:
    return bool(item.sources) and all(name.startswith(OWN) for name in item.sources)


def shown_sources(item: Recommendation, knowledge: Knowledge) -> tuple[Source, ...]:
    """The sources that a card may name: no seller's page, none that a machine wrote."""
    cited = (knowledge.sources[name] for name in item.sources)
    return tuple(source for source in cited if source.can_be_shown)


def detail(
    item: Recommendation,
    decision: Decision,
    knowledge: Knowledge,
    offered: Iterable[Suggestion] = (),
) -> str:
    """Why now, what was used, what was missing, the alternatives, the sources, the release.

    `offered` is what the card orders by one click: of a test that is not in it, it is said why.
    """
    parts: list[str] = []
    if item.detail:
        values = placeholders(item, knowledge)
        parts.append(agreeing(item.detail.format_map(_Kept(values)), values))
    if not item.verified:
        parts.append(OWN_ADVICE if _is_own_advice(item) else NOT_VERIFIED)
    elif item.row is not None and not item.row.may_order and not _is_own_advice(item):
        parts.append(ONE_COPY)
    parts += _what_next(item)
    parts += another_medicine(item, knowledge)
    parts += _not_changeable(item, signed=decision.question.signed)
    if item.options and item.topic is Topic.PROGRESSION:
        jurisdiction = decision.question.jurisdiction
        parts.append(next_options_table(item.options, knowledge, jurisdiction))
        parts += _stop_first(item)
    elif item.options:
        parts.append(options_table(item.options, knowledge, decision.question.jurisdiction))
        parts.append(
            "No trial has shown that one preferred drug gives longer survival than another. A"
            " drug is offered for ordering only when it is preferred and approved, nothing speaks"
            " against it, its dose for this patient is known and its product code is verified."
        )
    shown = {moved.rule_id for option in item.options for moved in option.modifiers}
    said = [found for found in item.findings if found.rule_id not in shown]
    if said:
        lines = [f"{_EFFECTS[found.effect]}: {found.says}" for found in said]
        parts.append(_section("What the findings say about each drug", lines))
    parts += _instead(item, decision)
    if item.others:
        title = "Other ways on" if item.options else "Ways on"
        parts.append(_section(title, item.others))
    parts += _tests(item, decision, knowledge, offered)
    if item.named:
        parts.append(_section("Not checked", [escaped(name) for name in item.named]))
    used = used_lines(item.trace)
    if item.kind in (Kind.WITHHOLD, Kind.RESUME, Kind.REDUCE) and item.since is not None:
        used += [line for line in used_lines(item.until) if line not in used]
    if used:
        parts.append(_section("Used", used))
    if item.reasons:
        parts.append(_section("Not available or not usable", _reasons(item.reasons)))
    together = [other for other in item.also if not other.settled]
    if together:
        lines = [_also(other, summary(other, knowledge)) for other in together]
        parts.append(_section("At the same time", lines))
    otherwise = [other for other in item.also if other.settled]
    if otherwise:
        lines = [summary(other, knowledge) for other in otherwise]
        parts.append(_section("What would apply otherwise", lines))
    evidence = [evidence_line(*knowledge.result(name)) for name in item.evidence]
    if evidence:
        parts.append(_section("Evidence", evidence))
    parts.append(footer(item, decision, knowledge))
    return "\n\n".join(part for part in parts if part)


def _also(item: Recommendation, said: str) -> str:
    """What else speaks at this moment, with its question unless that is said already."""
    end = "" if said.endswith(("?", ".")) else "."
    asked, mark, rest = item.ask.partition("?")
    if mark and f"{asked}?".lower() in said.lower():
        # What follows from the answer stands right behind the question.
        return " ".join(part for part in (f"{said}{end}", rest.strip(), item.detail) if part)
    return " ".join(part for part in (f"{said}{end}", item.detail, item.ask) if part)


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


def _section(title: str, lines: Iterable[str]) -> str:
    return f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines)


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
        until = item.row.text("until") if item.row is not None else ""
        if until:
            # Where the row does not say how to go on, recovery alone does not mean to resume.
            begin = "Resume when" if item.resume else "Hold at least until"
            parts.append(f"{begin}: {recovery_words(until)}.")
        if item.resume == "next lower or stop":
            parts.append("The label leaves the choice between the lower dose and stopping.")
        dose = item.resume_dose or item.dose
        if dose is not None:
            parts.append(f"Resume dose: {dose.drug} {dose_words(dose)}.")
        elif item.resume and not item.at_floor:
            parts.append(
                f"Resume dose: {item.resume}; the current dose could not be placed on the label's"
                " ladder, so no amount is given."
            )
    if item.at_floor:
        parts.append("The next step would lie below the lowest label dose, so the drug is stopped.")
    if item.settled:
        parts.append(f"No order is offered for this: {item.settled}.")
    if item.ask:
        parts.append(f"**To settle:** {item.ask}")
    return parts


def _tests(
    item: Recommendation, decision: Decision, knowledge: Knowledge, offered: Iterable[Suggestion]
) -> list[str]:
    lines = []
    ordered = {action.description for one in offered for action in one.actions}
    for test in item.tests:
        label = knowledge.tests[test.test].label
        last = _last(test)
        if test.lacking:
            lines.append(f"{label}: not known whether due, {last}. {test.because}")
            continue
        why_not = _not_in_the_order(test, item, decision, knowledge, ordered)
        if test.status == "repeat":
            lines.append(f"{label}: repeat by {full_day(test.due)}{why_not}")
            continue
        if item.topic not in (Topic.MONITORING, Topic.BASELINE):
            # The card itself says why.
            known = "" if test.last is None else f", {last}"
            lines.append(f"{label}: needed{known}{why_not}")
            continue
        state = (
            "needed" if test.status == "missing" else f"{test.status} since {full_day(test.due)}"
        )
        lines.append(f"{label}: {state}, {last}. {test.because}{why_not}")
    return [_section("Tests", lines)] if lines else []


def _not_in_the_order(
    test: DueTest,
    item: Recommendation,
    decision: Decision,
    knowledge: Knowledge,
    ordered: Collection[str],
) -> str:
    """Why a test that the card names is not among those that it orders; empty where it is."""
    known = knowledge.tests[test.test]
    if any(words_of_test_order(order) in ordered for order in known.orders):
        return ""
    if not known.orders:
        return " (no order: it is measured at the visit)"
    if all(order.key in decision.requested_tests for order in known.orders):
        return " (on order already)"
    if decision.failures:
        return " (not in the order: part of the check did not run)"
    if not test.orderable or not known.verified or not item.verified:
        own = test.sources and all(name.startswith(OWN) for name in test.sources)
        where = "not in the order" if ordered else "no order"
        return f" ({'our own advice' if own else 'not verified'}, {where})"
    return " (not in the order: ask for it besides)"


def _last(test: DueTest) -> str:
    """When a test was last done; what came and does not show it is said to have come."""
    said = f"last {full_day(test.last)}" if test.last is not None else ""
    if test.came:
        unused = f"no other usable result: {escaped(explain(test.came))}"
        return f"{said}, {unused}" if said else unused.replace("no other", "no")
    if test.lacking:
        kinds = listed([kind.replace("_", " ") for kind in test.lacking])
        missing = f"{kinds} could not be obtained"
        return f"{said}, {missing}" if said else missing
    return said or "none found"


_EFFECTS = {
    "favours": "for",
    "cautions": "caution",
    "other dose": "dose",
    "avoid": "avoid",
}


def next_options_table(options: Iterable[Option], knowledge: Knowledge, jurisdiction: str) -> str:
    """The options after an earlier drug; their evidence belongs to the situation, not the drug."""
    rows = ["| Drug and dose | For this patient |", "| --- | --- |"]
    for option in options:
        dose = start_words(option, knowledge)
        said = [f"{_EFFECTS[item.effect]}: {item.says}" for item in option.modifiers]
        said += list(filter(None, [approval_words(option.approval, jurisdiction)]))
        shown = "; ".join(said) or "nothing recorded that moves it"
        rows.append(f"| **{option.drug}** {dose} | {shown} |")
    return "\n".join(rows)


def options_table(options: Iterable[Option], knowledge: Knowledge, jurisdiction: str = "US") -> str:
    """The options side by side, each with the patient's own modifiers and its evidence."""
    rows = ["| Drug and dose | For this patient | Evidence | Place |", "| --- | --- | --- | --- |"]
    for option in options:
        dose = start_words(option, knowledge)
        moved = [f"{_EFFECTS[item.effect]}: {item.says}" for item in option.modifiers]
        approved = approval_words(option.approval, jurisdiction)
        modifiers = "; ".join([*([approved] if approved else []), *moved])
        evidence = "; ".join(evidence_line(*knowledge.result(name)) for name in option.evidence)
        rows.append(
            f"| **{option.drug}** {dose} | {modifiers or 'nothing recorded that moves it'}. "
            f"{option.says} | {evidence} | {option.place} |"
        )
    return "\n".join(rows)


def start_words(option: Option, knowledge: Knowledge) -> str:
    """How this patient would start the drug: lead-in, dose and food."""
    dosing = knowledge.drugs[option.drug].drug.dosing
    if option.dose is None:
        return f"(look up the start dose) {dosing.food}"
    lead = dosing.lead_in
    first = ""
    amount = option.dose.lead_in_mg
    if lead is not None and amount is not None:
        first = f"{number(amount)} mg {times(lead.per_day)} for {lead.days} days, then "
    unread = "" if dosing.verified else " (dose not verified)"
    return f"{first}{dose_words(option.dose)} {dosing.food}{unread}"


def evidence_line(study: Study, result: Result) -> str:
    """One result with trial, endpoint, assessor, report, values and interval."""
    alone = list(result.values) == ["all"]
    values = " vs ".join(
        value if alone else f"{arm} {value}" for arm, value in result.values.items()
    )
    unit = {"months": " months", "per cent": " %"}.get(result.unit, "") if values else ""
    text = f"{study.name}, {result.endpoint}"
    if result.assessor in ("investigator", "independent review"):
        text += f" ({result.assessor}, {result.report})"
    else:
        text += f" ({result.report})"
    if values:
        text += f": {values}{unit}"
    comparison = result.comparison
    if comparison is not None:
        interval = comparison.interval
        bounds = f" ({interval.low} to {interval.high})" if interval is not None else ""
        text += f", {comparison.measure} {comparison.value}{bounds}"
    if result.not_significant:
        text += ", difference not significant"
    if not result.verified:
        text += " (not verified)"
    return text


def footer(item: Recommendation, decision: Decision, knowledge: Knowledge) -> str:
    """Sources, rule, release and day."""
    found = shown_sources(item, knowledge)[:4]
    cited = [
        f"{entry.citation.rstrip('.')} (checked {full_day(entry.date_checked)})" for entry in found
    ]
    lines = [f"Source: {'; '.join(cited)}."] if cited else []
    if item.sources and not cited:
        lines = ["No source that can be named here was read: look it up in the current label."]
    rules = ", ".join([item.rule_id, *item.algorithm_ids])
    if item.row is not None:
        lines.append(f"Level: {LEVEL_WORDS[item.row.level]}.")
    lines.append(f"Rule {rules}; release {decision.release}; as of {full_day(decision.as_of)}.")
    if decision.as_of < knowledge.release.date:
        lines += decision.notes
    behind = [knowledge.sources[name] for name in item.sources]
    stale = stale_sources(knowledge.release, behind, decision.as_of)
    lines += [f"**{stale}**"] if stale else []
    return "\n\n".join(lines)
