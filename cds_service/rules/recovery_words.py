"""A recovery as a clinician says it, made from the rule, so that words cannot drift from it.

``(ALT <= 3 xULN and AST <= 3 xULN) or (ALT <= 1 xbaseline and AST <= 1 xbaseline)`` becomes
"ALT and AST are at most 3 x ULN, or back at the patient's baseline", to be said behind "when",
"until" or "if".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cds_service.rules.syntax import (
    X_BASELINE,
    X_UPPER_LIMIT,
    Amount,
    And,
    Compare,
    Expression,
    Found,
    FoundEpisodes,
    Not,
    Or,
    UnknownWhether,
    plain,
)
from cds_service.rules.words import OPERATOR_WORDS, leaf_in_words, listed

_BACK = "back at the patient's baseline"


def in_words(node: Expression) -> str:
    """The condition in words, without an operator, a bracket of the rule language or a code."""
    if isinstance(node, And):
        return _all_of(node)
    if isinstance(node, Or):
        return _some_of(node)
    if isinstance(node, Not):
        return _denied(node.inner)
    if isinstance(node, UnknownWhether):
        return f"it is not recorded whether {in_words(node.inner)}"
    return _leaf(node)


# -- several conditions ---------------------------------------------------------------------------


def _all_of(node: And) -> str:
    left = [_left_of_grade(part) for part in node.parts]
    if all(left):
        named = listed([fact for fact, _ in filter(None, left)])
        grades = {grade for _, grade in filter(None, left)}
        if len(grades) == 1:
            return f"nothing is left of {named} that reached grade {grades.pop()}"
    alike = _alike(node)
    if alike is not None:
        return _about(*alike)
    said_of: dict[str, list[str]] = {}
    for part in node.parts:
        same = _alike(part)
        facts, words = same if same is not None else ((), _part(part))
        said_of.setdefault(words, []).extend(facts)
    said = [_about(facts, words) if facts else words for words, facts in said_of.items()]
    return _joined(said, "and")


def _some_of(node: Or) -> str:
    left = _left_of_grade(node)
    if left is not None:
        fact, grade = left
        return f"nothing is left of {fact} that reached grade {grade}"
    alike = _alike(node)
    if alike is not None:
        return _about(*alike)
    return _joined([_part(part) for part in node.parts], "or")


def _part(node: Expression) -> str:
    """A part of a longer condition; one that needs it stands in brackets."""
    words = in_words(node)
    return f"({words})" if isinstance(node, And | Or) and _alike(node) is None else words


def _alike(node: Expression) -> tuple[tuple[str, ...], str] | None:
    """Facts of which the same is asked, and what: ALT and AST, "at most 3 x ULN"."""
    if isinstance(node, Compare) and node.selector == "latest":
        return (node.fact,), bound_in_words(node)
    if isinstance(node, And | Or):
        parts = [_alike(part) for part in node.parts]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        facts = tuple(dict.fromkeys(fact for named, _ in known for fact in named))
        asked = list(dict.fromkeys(words for _, words in known))
        if isinstance(node, And):
            return (facts, asked[0]) if len(asked) == 1 else None
        if all(named == facts for named, _ in known):
            # Several facts have to go the same way: the comma keeps the two ways apart.
            return facts, (", or " if len(facts) > 1 else " or ").join(asked)
    return None


def _about(facts: Sequence[str], said: str) -> str:
    return f"{listed(facts)} {is_or_are(*facts)} {said}"


def is_or_are(*facts: str) -> str:
    """The verb behind one fact or several."""
    return "are" if len(facts) > 1 or _is_plural(facts[0]) else "is"


def _there_is(name: str) -> str:
    return "there are" if _is_plural(name) else "there is"


def _is_plural(name: str) -> bool:
    """Whether a fact's name is a plural: symptoms, platelets, but not pneumonitis or status."""
    return name.endswith("s") and not name.endswith(("is", "us", "ss"))


def _left_of_grade(node: Expression) -> tuple[str, int] | None:
    """A finding of which only what once reached a grade has to be over."""
    if not isinstance(node, Or) or len(node.parts) != 2:
        return None
    over, doubt = node.parts
    if not isinstance(over, Found) or over.aspect != "absent" or over.qualifiers.grade is not None:
        return None
    inner = doubt.inner if isinstance(doubt, UnknownWhether) else None
    if not isinstance(inner, FoundEpisodes) or inner.fact != over.fact:
        return None
    grade = inner.qualifiers.grade
    return (over.fact, grade) if grade is not None and inner.qualifiers.operator == ">=" else None


def _joined(said: Sequence[str], word: str) -> str:
    """Conditions with a comma before the last word, so that what belongs together stays so."""
    if len(said) == 1:
        return said[0]
    if len(said) == 2 and not any(" or " in one or " and " in one for one in said):
        return f"{said[0]} {word} {said[1]}"
    return f"{', '.join(said[:-1])}, {word} {said[-1]}"


# -- one condition --------------------------------------------------------------------------------


def _leaf(node: Expression) -> str:
    if isinstance(node, Compare) and node.selector == "latest":
        return _about((node.fact,), bound_in_words(node))
    if isinstance(node, Found) and node.aspect == "absent" and not node.qualifiers.cause:
        return _over(node)
    if isinstance(node, Found) and node == Found(node.fact):
        return f"{_there_is(node.fact)} {node.fact}"
    return leaf_in_words(node)


def bound_in_words(node: Compare) -> str:
    """What is asked of a value: ``at most 3 x ULN``, ``back at the patient's baseline``."""
    amount = node.amount
    if (node.operator, amount.unit) == ("<=", X_BASELINE) and amount.number == 1:
        words = _BACK
    else:
        words = f"{OPERATOR_WORDS[node.operator]} {_amount(amount)}"
    if node.window is not None:
        words += f" within the last {node.window}"
    if node.sustained is not None:
        words += f" for at least {node.sustained}"
    return words


def _amount(amount: Amount) -> str:
    number = plain(amount.number)
    if amount.unit == X_UPPER_LIMIT:
        return f"{number} x ULN"
    if amount.unit == X_BASELINE:
        return f"{number} x the patient's baseline"
    # Laboratories count cells in powers of ten, which Markdown would make italic.
    text = f"{number} {amount.unit.replace('10*', 'x 10^')}".strip()
    return f"{text} above baseline" if amount.above_baseline else text


def _over(node: Found) -> str:
    """What is over, or down to a grade; whether it began on treatment is understood."""
    grade, window = node.qualifiers.grade, node.qualifiers.window
    if grade is not None and node.qualifiers.operator != ">=":
        return leaf_in_words(node)
    if grade is not None and grade > 1:
        return _about((node.fact,), f"at most grade {grade - 1}")
    since = "any more" if window is None else f"in the last {window}"
    return f"{_there_is(node.fact)} no {node.fact} {since}"


def _denied(inner: Expression) -> str:
    if isinstance(inner, Found) and inner.aspect == "present":
        return _leaf(replace(inner, aspect="absent"))
    return f"not {_part(inner)}"
