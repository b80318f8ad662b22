"""Builds the syntax tree of a rule and checks every name, value and unit in it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from lark import Token, v_args

from cds_service.rules.checked_names import written_operator
from cds_service.rules.finding_builder import FindingBuilder
from cds_service.rules.spans import Span
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
    Dated,
    Episodes,
    Expression,
    Found,
    Happened,
    Includes,
    IsState,
    Known,
    Nonempty,
    Not,
    Or,
    Results,
    UnknownWhether,
)
from cds_service.rules.vocabulary import (
    CollectionOf,
    Concept,
    Occurrence,
    State,
    usage,
)

# Longer than any record; a longer span is a slip, and would lead out of the calendar.
MOST_OF = {"days": 36_525, "weeks": 5_218, "months": 1_200, "years": 100}


@v_args(inline=True)
class SyntaxBuilder(FindingBuilder):
    """Turns the parse tree into syntax nodes and checks every name, value and unit."""

    # -- structure ------------------------------------------------------------------------------

    def start(self, inner: Expression) -> Expression:
        return inner

    def bracket(self, inner: Expression) -> Expression:
        return inner

    def disjunction(self, *parts: Expression) -> Expression:
        return parts[0] if len(parts) == 1 else Or(_flat(Or, parts))

    def conjunction(self, *parts: Expression) -> Expression:
        return parts[0] if len(parts) == 1 else And(_flat(And, parts))

    def negation(self, inner: Expression) -> Expression:
        return Not(inner)

    def unknown_whether(self, inner: Expression) -> Expression:
        return UnknownWhether(inner)

    # -- numbers, units, time -------------------------------------------------------------------

    def amount(self, number: Token, unit: Token) -> tuple[Amount, Token]:
        written = unit.replace(" ", "")
        for relative in (X_UPPER_LIMIT, X_BASELINE):
            if written.lower() == relative.lower():
                return Amount(Decimal(number), relative), unit
        return Amount(Decimal(number), str(unit)), unit

    def amount_above_baseline(self, number: Token, unit: Token) -> tuple[Amount, Token]:
        amount, token = self.amount(number, unit)
        return Amount(amount.number, amount.unit, above_baseline=True), token

    def pure_number(self, number: Token) -> tuple[Amount, Token]:
        return Amount(Decimal(number), ""), number

    def grade(self, number: Token) -> tuple[Amount, Token]:
        return Amount(Decimal(number), GRADE), number

    def span(self, number: Token, unit: Token) -> Span:
        name = unit.lower().removesuffix("s") + "s"
        span = Span(self._whole(number), name)
        if span.number > MOST_OF[name]:
            raise self._fail(number, f"at most {Span(MOST_OF[name], name)}")
        return span

    def window(self, span: Span) -> tuple[str, Span]:
        return "window", span

    def timing(self, window: tuple[str, Span]) -> tuple[str, Span]:
        return window

    def sustained(self, span: Span) -> tuple[str, Span]:
        return "sustained", span

    def recovery(
        self, operator: Token, amount: tuple[Amount, Token]
    ) -> tuple[str, tuple[str, tuple[Amount, Token]]]:
        return "recovery", (written_operator(operator), amount)

    # -- comparisons ----------------------------------------------------------------------------

    def _compare(
        self,
        selector: str,
        fact: Token,
        operator: Token,
        amount: tuple[Amount, Token],
        *timing: tuple[str, Span],
    ) -> Compare:
        quantity = self._quantity(fact)
        options = dict(timing)
        return Compare(
            quantity.name,
            written_operator(operator),
            self._amount(quantity, amount),
            selector,
            options.get("window"),
            options.get("sustained"),
        )

    def compare_latest(self, *children: Any) -> Compare:
        return self._compare("latest", *children)

    def compare_any(self, *children: Any) -> Compare:
        return self._compare("any", *children)

    def compare_every(self, *children: Any) -> Compare:
        return self._compare("every", *children)

    # -- states ---------------------------------------------------------------------------------

    def _is(self, negated: bool, fact: Token, value: Token, *window: tuple[str, Span]) -> IsState:
        state = self._state(fact)
        found = self._value(state, value)
        return IsState(state.name, (found,), negated, dict(window).get("window"))

    def is_value(self, *children: Any) -> IsState:
        return self._is(False, *children)

    def is_not_value(self, *children: Any) -> IsState:
        return self._is(True, *children)

    def _in(self, negated: bool, fact: Token, *values: Token) -> IsState:
        state = self._state(fact)
        found = tuple(dict.fromkeys(self._value(state, value) for value in values))
        return IsState(state.name, found, negated)

    def in_values(self, *children: Token) -> IsState:
        return self._in(False, *children)

    def not_in_values(self, *children: Token) -> IsState:
        return self._in(True, *children)

    def _flag(self, value: str, fact: Token, *window: tuple[str, Span]) -> IsState | Found:
        if isinstance(self._vocabulary.find(fact), Concept):
            return self._found(value, fact, *window)
        state = self._state(fact)
        if not state.is_flag:
            raise self._fail(fact, f"a yes/no fact; {usage(state)}")
        return IsState(state.name, (value,), False, dict(window).get("window"), flag=True)

    def present(self, *children: Any) -> IsState | Found:
        return self._flag("present", *children)

    def absent(self, *children: Any) -> IsState | Found:
        return self._flag("absent", *children)

    def bare(self, fact: Token) -> IsState | Found:
        return self._flag("present", fact)

    def none(self, fact: Token, *window: tuple[str, Span]) -> Expression:
        found = self._vocabulary.find(fact)
        if isinstance(found, State | Concept):
            return self._flag("absent", fact, *window)
        return self._nonempty(fact, window, negated=True)

    def some(self, fact: Token, *window: tuple[str, Span]) -> Expression:
        if isinstance(self._vocabulary.find(fact), Concept):
            return self._flag("present", fact, *window)
        return self._nonempty(fact, window, negated=False)

    def _nonempty(
        self, fact: Token, window: tuple[tuple[str, Span], ...], negated: bool
    ) -> Nonempty:
        found = self._vocabulary.find(fact)
        if not isinstance(found, CollectionOf | Occurrence):
            raise self._fail(fact, f"a collection or an event; {usage(found)}")
        if window:
            raise self._fail(fact, f"a finding or a yes/no fact before a time; {usage(found)}")
        return Nonempty(found.name, negated)

    # -- collections ----------------------------------------------------------------------------

    def member(self, token: Token) -> Token:
        return token

    def members(self, *tokens: Token) -> tuple[Token, ...]:
        return tokens

    def _includes(
        self, fact: Token, tokens: tuple[Token, ...], every: bool = False, negated: bool = False
    ) -> Includes:
        collection = self._collection(fact)
        found = tuple(dict.fromkeys(self._member(collection, token) for token in tokens))
        return Includes(collection.name, found, every and len(found) > 1, negated)

    def includes(self, fact: Token, member: Token) -> Includes:
        return self._includes(fact, (member,))

    def includes_any(self, fact: Token, members: tuple[Token, ...]) -> Includes:
        return self._includes(fact, members)

    def includes_all(self, fact: Token, members: tuple[Token, ...]) -> Includes:
        return self._includes(fact, members, every=True)

    def excludes(self, fact: Token, member: Token) -> Includes:
        return self._includes(fact, (member,), negated=True)

    def excludes_any(self, fact: Token, members: tuple[Token, ...]) -> Includes:
        return self._includes(fact, members, negated=True)

    def excludes_all(self, fact: Token, members: tuple[Token, ...]) -> Includes:
        return self._includes(fact, members, every=True, negated=True)

    def count_of(self, fact: Token, operator: Token, number: Token) -> CountOf:
        if not number.isdigit():
            raise self._fail(number, "a whole number")
        return CountOf(self._collection(fact).name, written_operator(operator), int(number))

    # -- events ---------------------------------------------------------------------------------

    def happened(self, fact: Token, window: tuple[str, Span]) -> Happened | Found:
        if isinstance(self._vocabulary.find(fact), Concept):
            return self._found("present", fact, window)
        return Happened(self._occurrence(fact).name, window[1])

    def at_least_ago(self, fact: Token, span: Span) -> Ago:
        return Ago(self._occurrence(fact).name, span)

    def more_than_ago(self, fact: Token, span: Span) -> Ago:
        return Ago(self._occurrence(fact).name, span, strict=True)

    def _dated(self, operator: str, fact: Token, day: Token) -> Dated:
        try:
            found = date.fromisoformat(day)
        except ValueError:
            raise self._fail(day, "a day that exists (YYYY-MM-DD)") from None
        return Dated(self._occurrence(fact).name, operator, found)

    def before(self, fact: Token, day: Token) -> Dated:
        return self._dated("<", fact, day)

    def on_or_before(self, fact: Token, day: Token) -> Dated:
        return self._dated("<=", fact, day)

    def after(self, fact: Token, day: Token) -> Dated:
        return self._dated(">", fact, day)

    def on_or_after(self, fact: Token, day: Token) -> Dated:
        return self._dated(">=", fact, day)

    # -- episodes and counted results -----------------------------------------------------------

    def _episodes(self, counting: str, number: int, fact: Token, *rest: Any) -> Episodes:
        operator, amount, *options = rest
        quantity = self._quantity(fact)
        named = dict(options)
        recovery_operator, recovery_amount = "", None
        if "recovery" in named:
            recovery_operator, written = named["recovery"]
            recovery_amount = self._amount(quantity, written)
        return Episodes(
            quantity.name,
            written_operator(operator),
            self._amount(quantity, amount),
            recovery_operator,
            recovery_amount,
            counting,
            number,
            named.get("window"),
        )

    def nth_episode(self, ordinal: Token, *rest: Any) -> Episodes:
        return self._episodes("=", ORDINALS.index(ordinal.lower()) + 1, *rest)

    def nth_or_later(self, ordinal: Token, *rest: Any) -> Episodes:
        return self._episodes(">=", ORDINALS.index(ordinal.lower()) + 1, *rest)

    def at_least_episodes(self, number: Token, *rest: Any) -> Episodes:
        return self._episodes(">=", self._whole(number), *rest)

    def at_least_results(
        self,
        number: Token,
        fact: Token,
        operator: Token,
        amount: tuple[Amount, Token],
        *window: tuple[str, Span],
    ) -> Results:
        quantity = self._quantity(fact)
        compared = self._amount(quantity, amount)
        counted = self._whole(number)
        options = dict(window)
        return Results(
            quantity.name, written_operator(operator), compared, counted, options.get("window")
        )

    # -- existence ------------------------------------------------------------------------------

    def known(self, fact: Token) -> Known:
        return Known(self._vocabulary.find(fact).name)

    def unknown(self, fact: Token) -> Known:
        return Known(self._vocabulary.find(fact).name, negated=True)


def _flat(kind: type[And] | type[Or], parts: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """Brackets around the same operator carry no meaning: (A and B) and C is A and B and C."""
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)
