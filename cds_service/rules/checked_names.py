"""Every name, value, unit and number in a rule, checked against the vocabulary."""

from __future__ import annotations

import difflib
from typing import Any

from lark import Token, Transformer

from cds_service.rules.errors import RuleError
from cds_service.rules.syntax import X_BASELINE, X_UPPER_LIMIT, Amount
from cds_service.rules.vocabulary import (
    CollectionOf,
    Concept,
    Occurrence,
    Quantity,
    State,
    Vocabulary,
    fold,
    units_of,
    usage,
)


class CheckedNames(Transformer[Token, Any]):
    """Looks up what a rule names. Raises RuleError with the place and what was expected there."""

    def __init__(self, vocabulary: Vocabulary, text: str) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._text = text

    def _fail(self, token: Token, expected: str) -> RuleError:
        return RuleError(self._text, token.column or 1, str(token), expected)

    def _quantity(self, token: Token) -> Quantity:
        fact = self._vocabulary.find(token)
        if not isinstance(fact, Quantity):
            raise self._fail(token, f"a measured quantity; {usage(fact)}")
        return fact

    def _state(self, token: Token) -> State:
        fact = self._vocabulary.find(token)
        if not isinstance(fact, State):
            raise self._fail(token, f"a fact with values; {usage(fact)}")
        return fact

    def _value(self, state: State, token: Token) -> str:
        for value in state.values:
            if fold(value) == fold(token):
                return value
        raise self._fail(token, f"for {state.name} one of: {', '.join(state.values)}")

    def _collection(self, token: Token) -> CollectionOf:
        fact = self._vocabulary.find(token)
        if not isinstance(fact, CollectionOf):
            raise self._fail(token, f"a collection; {usage(fact)}")
        return fact

    def _member(self, collection: CollectionOf, token: Token) -> str:
        name = token[1:-1] if token.startswith('"') else str(token)
        if not collection.members:
            return name
        for member in collection.members:
            if fold(member) == fold(name):
                return member
        close = difflib.get_close_matches(name, sorted(collection.members), 3, 0.6)
        hint = f"; close: {', '.join(close)}" if close else ""
        raise self._fail(token, f"a member that {collection.name} can have{hint}")

    def _occurrence(self, token: Token) -> Occurrence:
        fact = self._vocabulary.find(token)
        if not isinstance(fact, Occurrence):
            raise self._fail(token, f"something that happens on a day; {usage(fact)}")
        return fact

    def _amount(self, quantity: Quantity, amount: tuple[Amount, Token]) -> Amount:
        value, token = amount
        unit = value.unit
        if unit == X_UPPER_LIMIT and not quantity.upper_limit:
            raise self._fail(token, f"a plain unit: {quantity.name} has no upper limit of normal")
        if value.by_baseline and not quantity.baseline:
            raise self._fail(token, f"a plain unit: no baseline is kept for {quantity.name}")
        if value.above_baseline and unit in (X_UPPER_LIMIT, X_BASELINE):
            raise self._fail(token, f"{quantity.name} above baseline in a unit, not as a multiple")
        if unit in (X_UPPER_LIMIT, X_BASELINE) or unit == quantity.unit or unit in quantity.units:
            return value
        raise self._fail(token, f"{quantity.name} in {units_of(quantity)}")

    def _whole(self, token: Token) -> int:
        if not token.isdigit() or int(token) < 1:
            raise self._fail(token, "a whole number of at least 1")
        return int(token)

    def _concept(self, token: Token) -> Concept:
        fact = self._vocabulary.find(token)
        if not isinstance(fact, Concept):
            raise self._fail(token, f"a finding; {usage(fact)}")
        return fact


def written_operator(token: str) -> str:
    """The operator as it is kept, whichever way it was typed."""
    return {"≥": ">=", "≤": "<="}.get(str(token), str(token))
