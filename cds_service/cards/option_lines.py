"""The drugs of a choice in one line each. Side by side, with the trials, they stand on the page of
the decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cds_service.alk import Modifier, Option
from cds_service.cards.text import dose_words, listed, number, times
from cds_service.knowledge.jurisdictions import approval_words
from cds_service.knowledge.release import Knowledge

EFFECTS = {
    "favours": "for",
    "cautions": "caution",
    "other dose": "dose",
    "avoid": "avoid",
}
_ANY_FOOD = "with or without food"


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


def choice_lines(options: Sequence[Option], knowledge: Knowledge, jurisdiction: str) -> list[str]:
    """What can be started, the preferred ones in a line each; what speaks about all is said once.

    A drug against which something speaks stands behind the others with why, and those for when no
    preferred one is to be had are named.
    """
    about_all = _about_all(options)
    lines = [f"All of them: {_said(item)}" for item in about_all]
    spoken = {_words(item) for item in about_all}
    preferred = [one for one in options if one.place == "preferred"]
    ready = [one for one in preferred if not one.speaks_against]
    for option in (*ready, *(one for one in preferred if one.speaks_against)):
        known = [item for item in option.modifiers if _words(item) not in spoken]
        said = [_said(item) for item in known]
        approved = approval_words(option.approval, jurisdiction)
        # What the chart says of a drug counts more than what is true of it for everybody.
        says = "" if said or option.speaks_against else option.says.rstrip(".")
        words = "; ".join(filter(None, [approved or "", *said, says]))
        lines.append(_line(option, words, knowledge))
    rest: dict[str, list[str]] = {}
    for option in options:
        if option not in preferred:
            against = " (something speaks against it)" if option.speaks_against else ""
            rest.setdefault(option.place, []).append(f"{option.drug}{against}")
    return lines + [f"{place[:1].upper()}{place[1:]}: {listed(names)}" for place, names in
                    rest.items()]  # fmt: skip


def next_option_lines(
    options: Iterable[Option], knowledge: Knowledge, jurisdiction: str
) -> list[str]:
    """The options after an earlier drug, each with what this patient's chart says of it."""
    lines = []
    for option in options:
        approved = approval_words(option.approval, jurisdiction)
        said = [*(_said(item) for item in option.modifiers), *filter(None, [approved])]
        lines.append(_line(option, "; ".join(said), knowledge))
    return lines


def _line(option: Option, says: str, knowledge: Knowledge) -> str:
    start = start_words(option, knowledge).replace(_ANY_FOOD, "").strip()
    begun = f"**{option.drug}** {start}"
    return f"{begun}: {says}." if says else begun


def _said(item: Modifier) -> str:
    return f"{EFFECTS[item.effect]}: {item.says}"


def _about_all(options: Sequence[Option]) -> list[Modifier]:
    """What the chart says of every one of several drugs in the same words."""
    if len(options) < 2:
        return []
    others = [{_words(item) for item in one.modifiers} for one in options[1:]]
    return [item for item in options[0].modifiers if all(_words(item) in said for said in others)]


def _words(item: Modifier) -> tuple[str, str]:
    """What is read of it: each drug has a row of its own for what is said in the same words."""
    return item.effect, item.says
