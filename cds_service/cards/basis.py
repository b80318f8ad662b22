"""The values behind a recommendation in words: what triggered it, what it waits for."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise

from cds_service.cards.text import escaped, full_day, listed, number, short_day
from cds_service.rules import Evidence, Finding, Measurement, Rule, Statement, Trace, Verdict
from cds_service.rules.finding_leaves import describe
from cds_service.rules.measured_leaves import multiple
from cds_service.rules.recovery_words import bound_in_words, in_words, is_or_are
from cds_service.rules.syntax import X_UPPER_LIMIT, And, Compare, Expression, Found, Or


def trigger(trace: Trace | None) -> str:
    """The findings that made a rule fire, shortly: ``ALT 6.2 x ULN on 12 Nov``.

    One finding for each part of the rule; a part that only bounds another one from the other
    side (``total bilirubin <= 2 xULN``) is left to the detail.
    """
    if trace is None:
        return ""
    parts: list[str] = []
    first_operator = ""
    for part in trace.children if trace.verdict is Verdict.MET and trace.children else (trace,):
        for leaf in _met_leaves(part):
            operator = _operator(leaf.condition)[:1]
            first_operator = first_operator or operator
            text = _finding(leaf)
            if not text or text in parts or (operator and operator != first_operator):
                continue
            parts.append(text)
            if not _is_choice(trace):
                break
    return listed(parts[:2])


def _is_choice(trace: Trace) -> bool:
    """Whether the rule as a whole is an alternative, so that every part that holds counts."""
    return any(child.verdict is not Verdict.MET for child in trace.children)


def _operator(condition: str) -> str:
    return next((word for word in condition.split() if word[0] in "<>="), "")


def _met_leaves(trace: Trace) -> list[Trace]:
    """Leaves that hold and carry a value, without those that only state what is unknown."""
    if not trace.children:
        return [trace] if trace.verdict is Verdict.MET and trace.used else []
    if trace.condition.startswith("unknown whether"):
        return []
    return [leaf for child in trace.children for leaf in _met_leaves(child)]


def _finding(leaf: Trace) -> str:
    item = leaf.used[0]
    if " episode of " in leaf.condition:
        return f"a {leaf.condition.split(' of ', 1)[0]}"
    if leaf.condition.startswith("at least ") and isinstance(item, Measurement):
        counted = leaf.condition.removeprefix("at least ").split(" in the last ", 1)[0]
        return counted.replace("xULN", "x ULN").replace("xbaseline", "x baseline")
    if isinstance(item, Measurement):
        return f"{leaf.subject} {_value(item, leaf.condition)} on {short_day(item.day)}"
    if isinstance(item, Statement) and item.value == "present":
        since = f" since {short_day(item.day)}" if item.day is not None else ""
        return f"{leaf.subject}{since}"
    if isinstance(item, Finding):
        return _found(leaf, item)
    return ""


def _found(leaf: Trace, item: Finding) -> str:
    """A finding in few words: ``suspected pneumonitis, grade 3, since 3 Nov``; empty when the
    condition asks that it is not there."""
    if item.status in ("refuted", "absent") or leaf.condition.split(" within ")[0].endswith(
        " absent"
    ):
        return ""
    text = f"suspected {leaf.subject}" if item.status == "suspected" else leaf.subject
    if leaf.condition.startswith("earlier "):
        text = f"earlier {text}"
    if item.grade is not None:
        text += f", grade {item.grade}{' or more' if item.grade_is_least else ''},"
    if item.day is None:
        return text.rstrip(",")
    return f"{text} since {short_day(item.day)}{' or before' if item.began_by else ''}"


def _value(item: Measurement, condition: str) -> str:
    if item.value is not None and item.upper_limit and X_UPPER_LIMIT in condition:
        boundary = _boundary(condition)
        return f"{multiple(item.value, item.upper_limit, boundary)} x ULN"
    shown = _plain_value(item)
    unit = condition.split()[-1]
    plain = number(item.value) if item.value is not None else ""
    if len(shown) > 12 and plain and shown.startswith(f"{plain} "):
        # The number is the same in the rule's unit, which is shorter than the sender's words.
        return f"{plain} {unit}"
    return shown


_QUANTITY = re.compile(r"[<>]?=? ?\d+(?:[.,]\d+)?(?: ?[A-Za-z0-9%/*^µ.\[\]{}]{1,15})?")
_WORDS = re.compile(r"[A-Za-z][A-Za-z -]{0,24}")


def _plain_value(item: Measurement) -> str:
    """The value for a summary, which is plain text: a number with its unit, or one short word.

    Anything else that was sent is left to the detail, where it is made literal.
    """
    plain = number(item.value) if item.value is not None else ""
    words = item.as_sent
    if plain and (not words or words.split()[-1] == plain):
        return plain
    if plain and _WORDS.fullmatch(words):
        return f"{plain} ({words[:1].lower()}{words[1:]})"
    if _QUANTITY.fullmatch(words):
        return words
    # "75 mg once daily" is 75 mg; of "600 mg twice daily" a daily dose of 1200 is another number.
    first = _QUANTITY.match(words)
    whole = first is not None and words[first.end() :].startswith(" ")
    return first[0] if first and whole and first[0].split()[0] == plain else plain or "no value"


def _boundary(condition: str) -> Decimal:
    words = condition.split()
    for word, following in pairwise(words):
        if word in ("<", "<=", ">", ">=", "="):
            return Decimal(following)
    return Decimal(0)


def escaped_value(item: Measurement) -> str:
    """The value as sent, safe for Markdown; the canonical number when nothing was sent.

    A number that was sent in words, such as a grade, is shown with its words.
    """
    if item.as_sent:
        words = escaped(item.as_sent)
        plain = number(item.value) if item.value is not None else ""
        if plain and item.as_sent.split()[-1] == plain:
            return plain
        if plain and not any(sign.isdigit() for sign in item.as_sent):
            return f"{plain} ({words[:1].lower()}{words[1:]})"
        return words
    return number(item.value) if item.value is not None else "no value"


def target(rule: Rule | None) -> str:
    """What recovery means, shortly: ``ALT and AST at most 3 x ULN``. Baseline alternatives are left
    to the detail."""
    if rule is None:
        return ""
    expression: Expression = rule.expression
    while isinstance(expression, Or):
        expression = next(
            (part for part in expression.parts if isinstance(part, Compare)), expression.parts[0]
        )
    parts = expression.parts if isinstance(expression, And) else (expression,)
    flat = [leaf for part in parts for leaf in (part.parts if isinstance(part, And) else (part,))]
    groups: dict[str, list[str]] = {}
    for leaf in flat:
        if isinstance(leaf, Or):
            leaf = leaf.parts[0]
        if isinstance(leaf, And):
            for inner in leaf.parts:
                _group(groups, inner)
        else:
            _group(groups, leaf)
    return listed([f"{listed(facts)} {rest}".strip() for rest, facts in groups.items()])


def _group(groups: dict[str, list[str]], leaf: Expression) -> None:
    if isinstance(leaf, Compare):
        groups.setdefault(bound_in_words(leaf), []).append(leaf.fact)
    elif isinstance(leaf, Found) and leaf.aspect == "absent" and leaf.qualifiers.grade is None:
        groups.setdefault("", []).append(f"{leaf.fact} {is_or_are(leaf.fact)} over")
    else:
        groups.setdefault("", []).append(in_words(leaf))


_GROUND = frozenset({"cancers", "setting", "ordered medications", "only other cancers recorded"})
"""What nearly every rule asks about; it is named last."""


def used_lines(trace: Trace | None) -> list[str]:
    """Every value behind a trace with its day and reference range, one Markdown line each."""
    lines: dict[str, None] = {}
    ground: dict[str, None] = {}
    for leaf in trace.walk() if trace is not None else ():
        if leaf.children:
            continue
        for item in leaf.used[:3]:
            text = _line(leaf.subject, item)
            if text:
                (ground if leaf.subject in _GROUND else lines).setdefault(text)
    return [*lines, *ground]


_TAG = re.compile(r" \((?:finding|disorder|qualifier value|situation|procedure|substance)\)\Z")
"""The kind of concept that SNOMED CT adds to a full name, which says nothing to a reader."""


def _untagged(text: str) -> str:
    return _TAG.sub("", text)


def _line(subject: str, item: Evidence) -> str:
    if isinstance(item, Measurement):
        text = f"{subject}: {escaped_value(item)}"
        if item.upper_limit is not None and item.value is not None and item.upper_limit:
            shown = round(item.value / item.upper_limit, 2)
            text += f" ({number(shown)} x ULN)"
        note = f", {item.limit_note}" if item.limit_note else ""
        return f"{text}, {full_day(item.day)}{note}"
    when = f", {full_day(item.day)}" if item.day is not None else ""
    if isinstance(item, Statement):
        sent = f" ({escaped(_untagged(item.as_sent))})" if item.as_sent else ""
        return f"{subject}: {item.value}{sent}{when}"
    if isinstance(item, Finding):
        return f"{subject}: {escaped(describe(item))}"
    label = _untagged(getattr(item, "label", "") or item.as_sent)
    return f"{subject}: {escaped(label)}{when}" if label else f"{subject}{when}"
