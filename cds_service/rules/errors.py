"""What can be wrong with a rule as written."""

from __future__ import annotations


class RuleError(ValueError):
    """A rule that cannot be used: where it is wrong and what was expected there.

    ``column`` counts characters from 1 within the rule's text, ``expected`` is a plain phrase.
    """

    def __init__(self, text: str, column: int, found: str, expected: str) -> None:
        self.text = text
        self.column = column
        self.found = found
        self.expected = expected
        super().__init__(f"at character {column}: found {found!r}, expected {expected}; in: {text}")
