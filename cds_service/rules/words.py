"""A rule in plain words, for people who do not read the rule language.

Nothing is decided here: the words follow the tree, so that they cannot say something else than
the rule does. A condition without words of its own keeps its text in the rule language.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.rules.syntax import (
    GRADE,
    ORDINALS,
    X_BASELINE,
    X_UPPER_LIMIT,
    Ago,
    Amount,
    And,
    Compare,
    CountOf,
    Episodes,
    Expression,
    Found,
    FoundEpisodes,
    Happened,
    Includes,
    IsState,
    Known,
    Nonempty,
    Not,
    Or,
    Qualifiers,
    Results,
    UnknownWhether,
    plain,
)

OPERATOR_WORDS = {
    ">": "above",
    ">=": "at least",
    "<": "below",
    "<=": "at most",
    "=": "exactly",
    "!=": "other than",
}
_COUNTED = {">": "more than", "<": "fewer than"}
_UNITS = str.maketrans({"{": "", "}": "", "_": " "})


def in_words(node: Expression) -> tuple[tuple[int, str], ...]:
    """The lines of a rule in words, each with its depth; deeper lines belong to the one above."""
    return tuple(_lines(node, 0))


def _lines(node: Expression, depth: int) -> list[tuple[int, str]]:
    if isinstance(node, And | Or):
        head = "all of these hold:" if isinstance(node, And) else "at least one of these holds:"
        found = [(depth, head)]
        for part in node.parts:
            found += _lines(part, depth + 1)
        return found
    if isinstance(node, Not | UnknownWhether):
        head = "it is not so that" if isinstance(node, Not) else "the record leaves open whether"
        (_, first), *deeper = _lines(node.inner, depth)
        return [(depth, f"{head} {first}"), *deeper]
    return [(depth, leaf_in_words(node))]


def leaf_in_words(node: Expression) -> str:
    """A single condition in words."""
    match node:
        case Compare():
            return _comparison(node)
        case IsState(fact, values, negated, window, is_flag):
            if is_flag:
                text = f"{fact}: {'recorded' if values[0] == 'present' else 'known to be absent'}"
            else:
                text = f"{fact} is {'none of ' if negated else ''}{_either(values)}"
                if negated and len(values) == 1:
                    text = f"{fact} is something other than {values[0]}"
            return text if window is None else f"{text}, within the last {window}"
        case Includes(fact, members, every, negated):
            named = " and ".join(members) if every else _either(members)
            if negated:
                return f"{fact}: surely not {named}"
            return f"{fact}: {named}"
        case Nonempty(fact, negated):
            return f"{fact}: surely none" if negated else f"{fact}: at least one"
        case Happened(fact, window):
            return f"{fact} within the last {window}"
        case Ago(fact, span, strict):
            return f"{fact} {'more than' if strict else 'at least'} {span} ago"
        case Known(fact, negated):
            return f"nothing usable is recorded for {fact}" if negated else f"{fact} is known"
        case Episodes():
            return _episodes(node)
        case Found(fact, aspect, qualifiers):
            said = {
                "present": "recorded",
                "absent": "known to be absent",
                "suspected": "suspected, and not confirmed",
                "earlier": "recorded in the past, and over",
            }
            window = qualifiers.window
            if aspect == "absent" and window is not None:
                return f"{fact}{_qualified(qualifiers)}: seen to be absent in the last {window}"
            began = f", having begun within the last {window}" if window is not None else ""
            return f"{fact}{_qualified(qualifiers)}: {said[aspect]}{began}"
        case Results(fact, operator, amount, number, window):
            asked = f"{OPERATOR_WORDS[operator]} {_amount(amount)}"
            text = f"at least {number} separate results of {fact} {asked}"
            return text if window is None else f"{text}, in the last {window}"
        case CountOf(fact, operator, number):
            return f"{fact}: {_COUNTED.get(operator, OPERATOR_WORDS[operator])} {number} of them"
        case FoundEpisodes(fact, counting, number, qualifiers):
            text = f"{_times(counting, number)} {fact}{_qualified(qualifiers)} begins"
            window = qualifiers.window
            return text if window is None else f"{text}, in the last {window}"
    return str(node)


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _either(values: tuple[str, ...]) -> str:
    return listed(values, "or")


def _comparison(node: Compare) -> str:
    asked = f"{OPERATOR_WORDS[node.operator]} {_amount(node.amount)}"
    match node.selector:
        case "any":
            text = f"any value of {node.fact} {asked}"
        case "every":
            text = f"every value of {node.fact} {asked}"
        case _:
            text = f"{node.fact} {asked}"
    if node.window is not None:
        text += f", in the last {node.window}"
    if node.sustained is not None:
        text += f", for at least {node.sustained}"
    return text


def _episodes(node: Episodes) -> str:
    asked = f"{OPERATOR_WORDS[node.operator]} {_amount(node.amount)}"
    text = f"{_times(node.counting, node.number)} {node.fact} is {asked}"
    if node.recovery_amount is not None:
        recovered = f"{OPERATOR_WORDS[node.recovery_operator]} {_amount(node.recovery_amount)}"
        text += f", having been {recovered} in between"
    return text if node.window is None else f"{text}, in the last {node.window}"


def _times(counting: str, number: int) -> str:
    if counting == "=":
        return f"the {ORDINALS[number - 1]} time that"
    if number <= len(ORDINALS):
        return f"the {ORDINALS[number - 1]} time or later that"
    return f"at least {number} times"


def _qualified(asked: Qualifiers) -> str:
    text = " that began on treatment" if asked.on_treatment else ""
    if asked.cause:
        text += f" caused by {asked.cause}"
    if asked.grade is not None:
        text += f" of a grade {OPERATOR_WORDS[asked.operator]} {asked.grade}"
    return text


def _amount(amount: Amount) -> str:
    number = plain(amount.number)
    if amount.above_baseline:
        return f"{number} {amount.unit.translate(_UNITS)} above the patient's own baseline"
    match amount.unit:
        case unit if unit == X_UPPER_LIMIT:
            return f"{number} times the upper limit of normal"
        case unit if unit == X_BASELINE:
            return f"{number} times the patient's own baseline"
        case unit if unit == GRADE:
            return f"grade {number}"
        case unit:
            return f"{number} {unit.translate(_UNITS)}".strip()
