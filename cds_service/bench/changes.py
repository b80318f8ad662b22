"""What somebody asks the bench to change, read from the fields of its form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from cds_service.bench.fields import Fields, MeasuredField
from cds_service.knowledge.release import Knowledge

REMOVED = "none"
"""Typed into the field of a test: there is no result of it on record."""

_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,4})?")
_DAYS = re.compile(r"[+-]?[0-9]{1,5}")
_FURTHEST_DAYS = 36_500
_SINGLE_CHANGE = re.compile(r"\b[A-Z][0-9]{3,4}[A-Z]\b")


class FormError(ValueError):
    """One or more fields cannot be used: field name to what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("; ".join(self.problems))


REASONS = {
    "progression": "progression",
    "toxicity": "side effects",
    "": "not on record",
}
"""Why an earlier ALK inhibitor ended, as the form says it."""

STATES = {
    "present": "present",
    "suspected": "suspected",
    "over": "over since that day",
    "none": "none on record",
}
"""What can be said of a finding, as the form says it."""
GRADES = ("1", "2", "3", "4")


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the chart; what is not named stays as charted.

    ``results`` go by field, as a Decimal in the unit of the field, None for "no result on
    record". ``brain_metastases`` and ``pregnancy`` are None for "as charted".
    """

    results: Mapping[MeasuredField, Decimal | None] = field(default_factory=dict)
    brain_metastases: bool | None = None
    pregnancy: bool | None = None
    earlier: str = ""
    ended: str = ""
    mutation: str = ""
    medication: str = ""
    order: str = ""
    finding: str = ""
    state: str = "present"
    grade: int | None = None
    """CTCAE grade of the finding, 1 to 4; None where the record states none."""
    days: int = 0
    """From today to the day of the question."""


@dataclass(frozen=True)
class Choices:
    """What the fields with a list offer, from the tables of the release."""

    fields: Fields
    inhibitors: tuple[str, ...]
    mutations: tuple[str, ...]
    medications: tuple[str, ...]

    @classmethod
    def of(cls, knowledge: Knowledge) -> Choices:
        """The choices of a release."""
        findings = " ".join(row.text("finding") for row in knowledge.tables["resistance"])
        others = set(knowledge.codes.ingredients) - knowledge.inhibitors
        return cls(
            Fields.of(knowledge),
            tuple(sorted(knowledge.inhibitors)),
            tuple(dict.fromkeys(_SINGLE_CHANGE.findall(findings))),
            tuple(sorted(others, key=str.lower)),
        )


def read_changes(form: Mapping[str, str], choices: Choices) -> Changes:
    """The changes that a form asks for. Raises FormError naming every field that is unusable."""
    problems: dict[str, str] = {}

    def text(name: str) -> str:
        return form.get(name, "").strip()

    def chosen(name: str, known: tuple[str, ...], what: str) -> str:
        found = text(name)
        if found and found not in known:
            problems[name] = f"is not among {what}"
        return found

    results: dict[MeasuredField, Decimal | None] = {}
    for item in choices.fields.measured:
        typed = text(item.name)
        if typed.lower() == REMOVED:
            results[item] = None
        elif _NUMBER.fullmatch(typed):
            results[item] = Decimal(typed.replace(",", "."))
        elif typed:
            problems[item.name] = (
                f"must be a number ({item.unit}), or the word “{REMOVED}”; for example 6.2"
            )
    days = text("days")
    if days and (not _DAYS.fullmatch(days) or abs(int(days)) > _FURTHEST_DAYS):
        problems["days"] = f"must be a whole number of days, at most {_FURTHEST_DAYS}"
    changes = Changes(
        results=results,
        brain_metastases=_yes_or_no(text("brain"), "brain", problems),
        pregnancy=_yes_or_no(text("pregnancy"), "pregnancy", problems),
        earlier=chosen("earlier", choices.inhibitors, "the ALK inhibitors of this release"),
        ended=chosen("ended", tuple(REASONS), "the reasons that the bench knows"),
        mutation=chosen("mutation", choices.mutations, "the mutations of the resistance table"),
        medication=chosen("medication", choices.medications, "the medications of this release"),
        finding=chosen("finding", choices.fields.findings, "the findings that a rule asks for"),
        state=chosen("state", tuple(STATES), "what the bench can say of a finding") or "present",
        grade=_grade(text("grade"), problems),
        order=chosen("order", choices.inhibitors, "the ALK inhibitors of this release"),
        days=0 if "days" in problems or not days else int(days),
    )
    if problems:
        raise FormError(problems)
    return changes


def _grade(text: str, problems: dict[str, str]) -> int | None:
    if text and text not in GRADES:
        problems["grade"] = "must be a CTCAE grade from 1 to 4, or left open"
        return None
    return int(text) if text else None


def _yes_or_no(text: str, name: str, problems: dict[str, str]) -> bool | None:
    if text not in ("", "yes", "no"):
        problems[name] = "must be yes, no or left as charted"
    return {"yes": True, "no": False}.get(text)
