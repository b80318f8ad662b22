"""The meaning of a rule as a tree of frozen nodes, and back again as text.

``str(node)`` writes a node in the rule language in one canonical form; parsing that text gives an
equal node, which the tests hold for random trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.rules.spans import Span
from cds_service.rules.values import A_DRUG, THE_DRUG

X_UPPER_LIMIT = "xULN"
X_BASELINE = "xbaseline"
ABOVE_BASELINE = "above baseline"
GRADE = "grade"

ORDINALS = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit; the unit is empty for pure numbers such as a score.

    ``above_baseline`` means so much more than the value before treatment.
    """

    number: Decimal
    unit: str
    above_baseline: bool = False

    def __str__(self) -> str:
        if self.unit == GRADE:
            return f"grade {plain(self.number)}"
        text = f"{plain(self.number)} {self.unit}".strip()
        return f"{text} {ABOVE_BASELINE}" if self.above_baseline else text

    @property
    def by_baseline(self) -> bool:
        """Whether it is measured by the value before treatment."""
        return self.above_baseline or self.unit == X_BASELINE


@dataclass(frozen=True, slots=True)
class Compare:
    """``[latest|any|every] FACT op amount [within SPAN|in the last SPAN|for at least SPAN]``."""

    fact: str
    operator: str
    amount: Amount
    selector: str = "latest"
    window: Span | None = None
    sustained: Span | None = None

    def __str__(self) -> str:
        selector = "" if self.selector == "latest" else f"{self.selector} "
        text = f"{selector}{self.fact} {self.operator} {self.amount}"
        if self.window is not None:
            text += f" {'within' if self.selector == 'latest' else 'in the last'} {self.window}"
        if self.sustained is not None:
            text += f" for at least {self.sustained}"
        return text


@dataclass(frozen=True, slots=True)
class IsState:
    """``FACT is [not] VALUE`` or ``FACT [not] in {VALUES}``, also ``FACT present`` for flags."""

    fact: str
    values: tuple[str, ...]
    negated: bool = False
    window: Span | None = None
    flag: bool = False

    def __str__(self) -> str:
        if self.flag:
            text = f"{self.fact} {self.values[0]}"
        elif len(self.values) == 1:
            text = f"{self.fact} is {'not ' if self.negated else ''}{self.values[0]}"
        else:
            listed = ", ".join(self.values)
            text = f"{self.fact} {'not ' if self.negated else ''}in {{{listed}}}"
        return text if self.window is None else f"{text} within {self.window}"


@dataclass(frozen=True, slots=True)
class Includes:
    """``FACT [do not] include [any of|all of] {MEMBERS}``."""

    fact: str
    members: tuple[str, ...]
    every: bool = False
    negated: bool = False

    def __str__(self) -> str:
        verb = "do not include" if self.negated else "include"
        if len(self.members) == 1:
            return f"{self.fact} {verb} {quoted(self.members[0])}"
        listed = ", ".join(quoted(member) for member in self.members)
        return f"{self.fact} {verb} {'all' if self.every else 'any'} of {{{listed}}}"


@dataclass(frozen=True, slots=True)
class Nonempty:
    """``any FACT`` (something is in the collection, or the event happened) or ``no FACT``."""

    fact: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{'no' if self.negated else 'any'} {self.fact}"


@dataclass(frozen=True, slots=True)
class CountOf:
    """``count of FACT op NUMBER`` over the distinct members of a collection."""

    fact: str
    operator: str
    number: int

    def __str__(self) -> str:
        return f"count of {self.fact} {self.operator} {self.number}"


@dataclass(frozen=True, slots=True)
class Happened:
    """``EVENT within SPAN``: the latest occurrence is no older than the span."""

    fact: str
    window: Span

    def __str__(self) -> str:
        return f"{self.fact} within {self.window}"


@dataclass(frozen=True, slots=True)
class Ago:
    """``EVENT at least SPAN ago`` (``strict``: more than): the latest occurrence is that old."""

    fact: str
    span: Span
    strict: bool = False

    def __str__(self) -> str:
        return f"{self.fact} {'more than' if self.strict else 'at least'} {self.span} ago"


@dataclass(frozen=True, slots=True)
class Dated:
    """``EVENT before DATE`` and its kin; ``operator`` is one of < <= > >= between days."""

    fact: str
    operator: str
    day: date

    def __str__(self) -> str:
        words = {"<": "before", "<=": "on or before", ">": "after", ">=": "on or after"}
        return f"{self.fact} {words[self.operator]} {self.day.isoformat()}"


@dataclass(frozen=True, slots=True)
class Episodes:
    """``second episode of FACT op amount [recovering to op amount] [in the last SPAN]``.

    An episode begins with a measurement that meets the comparison and ends with the first later
    one that meets the recovery, or, if no recovery is written, that no longer meets the
    comparison. ``counting`` and ``number`` compare how many episodes have begun so far.
    """

    fact: str
    operator: str
    amount: Amount
    recovery_operator: str
    recovery_amount: Amount | None
    counting: str
    number: int
    window: Span | None = None

    def __str__(self) -> str:
        counted = counted_episodes(self.counting, self.number)
        text = f"{counted} of {self.fact} {self.operator} {self.amount}"
        if self.recovery_amount is not None:
            text += f" recovering to {self.recovery_operator} {self.recovery_amount}"
        return text if self.window is None else f"{text} in the last {self.window}"


@dataclass(frozen=True, slots=True)
class Results:
    """``at least NUMBER results of FACT op amount [in the last SPAN]``: that many separate ones.

    Results of one moment are one result, from however many systems they came.
    """

    fact: str
    operator: str
    amount: Amount
    number: int
    window: Span | None = None

    def __str__(self) -> str:
        noun = "result" if self.number == 1 else "results"
        text = f"at least {self.number} {noun} of {self.fact} {self.operator} {self.amount}"
        return text if self.window is None else f"{text} in the last {self.window}"


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """What a finding must also be: begun on treatment, caused by something, of a grade, recent.

    ``cause`` is empty, ``a drug``, ``the drug asked about`` or a name; ``operator`` and ``grade``
    belong together; ``window`` asks that the finding began no longer ago than that.
    """

    on_treatment: bool = False
    cause: str = ""
    operator: str = ""
    grade: int | None = None
    window: Span | None = None

    def __str__(self) -> str:
        said = ["on treatment"] if self.on_treatment else []
        if self.cause:
            named = self.cause not in (A_DRUG, THE_DRUG)
            said.append(f"caused by {quoted(self.cause) if named else self.cause}")
        if self.grade is not None:
            said.append(f"grade {self.operator} {self.grade}")
        return "".join(f" {words}" for words in said)


@dataclass(frozen=True, slots=True)
class Found:
    """``[suspected|earlier] CONCEPT [QUALIFIERS] [present|absent] [within SPAN]``.

    ``aspect`` is present, absent, suspected or earlier.
    """

    fact: str
    aspect: str = "present"
    qualifiers: Qualifiers = Qualifiers()

    def __str__(self) -> str:
        if self.aspect in ("present", "absent"):
            text = f"{self.fact}{self.qualifiers} {self.aspect}"
        else:
            text = f"{self.aspect} {self.fact}{self.qualifiers}"
        window = self.qualifiers.window
        return text if window is None else f"{text} within {window}"

    @property
    def window(self) -> Span | None:
        """The time in which it must have begun."""
        return self.qualifiers.window


@dataclass(frozen=True, slots=True)
class FoundEpisodes:
    """``second episode of CONCEPT [QUALIFIERS] [in the last SPAN]``.

    ``counting`` and ``number`` compare how many separate episodes have begun so far.
    """

    fact: str
    counting: str
    number: int
    qualifiers: Qualifiers = Qualifiers()

    def __str__(self) -> str:
        text = f"{counted_episodes(self.counting, self.number)} of {self.fact}{self.qualifiers}"
        window = self.qualifiers.window
        return text if window is None else f"{text} in the last {window}"

    @property
    def window(self) -> Span | None:
        """The time in which an episode must have begun to count."""
        return self.qualifiers.window


@dataclass(frozen=True, slots=True)
class Known:
    """``FACT known`` or ``FACT unknown``: whether anything usable is recorded. Never UNKNOWN."""

    fact: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{self.fact} {'unknown' if self.negated else 'known'}"


@dataclass(frozen=True, slots=True)
class UnknownWhether:
    """``unknown whether CONDITION``: MET exactly when the condition is UNKNOWN."""

    inner: Expression

    def __str__(self) -> str:
        return f"unknown whether {_bracketed(self.inner, (And, Or))}"


@dataclass(frozen=True, slots=True)
class Not:
    """``not CONDITION``."""

    inner: Expression

    def __str__(self) -> str:
        return f"not {_bracketed(self.inner, (And, Or))}"


@dataclass(frozen=True, slots=True)
class And:
    """``A and B and C``."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " and ".join(_bracketed(part, (And, Or)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """``A or B or C``."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(_bracketed(part, (Or,)) for part in self.parts)


Predicate = (
    Compare
    | IsState
    | Includes
    | Nonempty
    | CountOf
    | Happened
    | Ago
    | Dated
    | Episodes
    | Results
    | Known
    | Found
    | FoundEpisodes
)
Expression = Predicate | UnknownWhether | Not | And | Or


def _bracketed(node: Expression, kinds: tuple[type, ...]) -> str:
    return f"({node})" if isinstance(node, kinds) else str(node)


def plain(number: Decimal) -> str:
    """A decimal without exponent or trailing zeros: ``2.50`` becomes ``2.5``, ``1E+3`` ``1000``."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted_episodes(counting: str, number: int) -> str:
    """How many episodes are asked for: ``second episode``, ``second or later episode``."""
    if counting == "=":
        return f"{ORDINALS[number - 1]} episode"
    if number <= len(ORDINALS):
        return f"{ORDINALS[number - 1]} or later episode"
    return f"at least {number} episodes"


def quoted(member: str) -> str:
    """A collection member as it is always understood, in double quotes."""
    return f'"{member}"'


def predicates(node: Expression) -> tuple[Predicate, ...]:
    """All leaves of a tree from left to right."""
    if isinstance(node, And | Or):
        return tuple(leaf for part in node.parts for leaf in predicates(part))
    if isinstance(node, Not | UnknownWhether):
        return predicates(node.inner)
    return (node,)
