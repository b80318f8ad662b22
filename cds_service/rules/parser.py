"""From the text of a rule to its syntax tree, checked against the vocabulary."""

from __future__ import annotations

import difflib
import importlib.resources
import re

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, VisitError

from cds_service.rules.builder import SyntaxBuilder
from cds_service.rules.errors import RuleError
from cds_service.rules.syntax import Expression
from cds_service.rules.vocabulary import Vocabulary, fold

_KEYWORDS = {
    "AND": "and", "OR": "or", "NOT": "not", "NO": "no", "ANY": "any", "ALL": "all",
    "EVERY": "every", "LATEST": "latest", "EPISODE": "episodes?", "OF": "of", "IS": "is",
    "IN": "in", "THE": "the", "LAST": "last", "WITHIN": "within", "FOR": "for", "AT": "at",
    "LEAST": "least", "MORE": "more", "THAN": "than", "AGO": "ago", "BEFORE": "before",
    "AFTER": "after", "ON": "on", "KNOWN": "known", "UNKNOWN": "unknown", "WHETHER": "whether",
    "PRESENT": "present", "ABSENT": "absent", "INCLUDE": "includes?", "DO": "(do|does)",
    "RECOVERING": "recovering", "TO": "to", "LATER": "later", "COUNT": "count",
    "GRADE": "grade", "RESULT": "results?", "SUSPECTED": "suspected", "EARLIER": "earlier",
    "TREATMENT": "treatment", "ABOVE": "above", "BASELINE": "baseline", "CAUSED": "caused",
    "BY": "by",
}  # fmt: skip

_READABLE = {
    "FACT": "the name of a fact", "VALUE": "one of the fact's values", "UNIT": "a unit",
    "NUMBER": "a number", "OPERATOR": "a comparison (> >= < <= = !=)", "STRING": "a quoted name",
    "DATE": "a date (YYYY-MM-DD)", "TIME_UNIT": "days, weeks, months or years",
    "ORDINAL": "first, second ...", "LPAR": "(", "RPAR": ")", "LBRACE": "{", "RBRACE": "}",
    "COMMA": ",", "_A_DRUG": "'a drug'", "_THE_DRUG": "'the drug asked about'",
    "$END": "the end of the rule",
}  # fmt: skip


class RuleParser:
    """Parses rules over one vocabulary. Building it costs some milliseconds; do it once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        grammar = importlib.resources.files("cds_service.rules").joinpath("grammar.lark")
        lines = [grammar.read_text(encoding="utf-8")]
        lines += [f"_{name}: /{pattern}(?!\\w)/i" for name, pattern in _KEYWORDS.items()]
        # One letter may be a value, such as a class of liver function: these words go first.
        lines.append(r"_A_DRUG.10: /a\s+drug(?!\w)/i")
        lines.append(r"_THE_DRUG.10: /the\s+drug\s+asked\s+about(?!\w)/i")
        # A name such as "node positive" starts like the keyword "no": names must win.
        lines.append(f"FACT.9: /{_alternatives(vocabulary.names)}/i")
        lines.append(f"VALUE.9: /{_alternatives(vocabulary.written_values) or _NEVER}/i")
        lines.append(f"UNIT: /{_units(vocabulary.written_units)}/")
        self._lark = Lark("\n".join(lines), parser="lalr", maybe_placeholders=False)

    def parse(self, text: str) -> Expression:
        """The syntax tree of ``text``.

        Raises RuleError with the column and what was expected there when the text is not in the
        language, names an unknown fact, compares a fact with a value it cannot have, or uses a
        unit that the fact is not measured in.
        """
        try:
            tree = self._lark.parse(text)
            return SyntaxBuilder(self._vocabulary, text).transform(tree)  # type: ignore[no-any-return]
        except VisitError as error:
            if isinstance(error.orig_exc, RuleError):
                raise error.orig_exc from None
            raise
        except UnexpectedInput as error:
            raise self._explained(text, error) from None

    def _explained(self, text: str, error: UnexpectedInput) -> RuleError:
        accepted = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
        if isinstance(error, UnexpectedCharacters):
            accepted = set(error.allowed or ())
        column = getattr(error, "column", 0)
        at_end = getattr(getattr(error, "token", None), "type", "") == "$END"
        if at_end or not isinstance(column, int) or column < 1:
            column = len(text) + 1
        rest = text[column - 1 :].strip()
        # Kinds of things come before the many keywords, so that cutting the list keeps them.
        expected = sorted((_readable(name) for name in accepted), key=lambda e: (e[0] == "'", e))
        hint = self._suggestion(rest, accepted)
        wanted = " or ".join(expected[:12]) + (" ..." if len(expected) > 12 else "")
        return RuleError(text, column, rest[:40] or "the end", wanted + hint)

    def _suggestion(self, rest: str, accepted: set[str]) -> str:
        names: tuple[str, ...] = ()
        if "FACT" in accepted:
            names = self._vocabulary.names
        elif "VALUE" in accepted:
            names = self._vocabulary.written_values
        words = rest.split()
        folded = {fold(name): name for name in names}
        for length in range(min(5, len(words)), 0, -1):
            close = difflib.get_close_matches(fold(" ".join(words[:length])), folded, 1, 0.75)
            if close:
                return f" (did you mean {folded[close[0]]!r}?)"
        return ""


_NEVER = "(?!)x"
"""Matches nothing; the parser library refuses patterns that could match an empty text."""


def _alternatives(names: tuple[str, ...]) -> str:
    ordered = sorted(names, key=len, reverse=True)
    patterns = (re.escape(name).replace("\\ ", "\\s+").replace("/", "\\/") for name in ordered)
    joined = "|".join(patterns)
    return f"(?:{joined})(?![\\w-])" if joined else ""


def _units(units: frozenset[str]) -> str:
    ordered = sorted((unit for unit in units if unit), key=len, reverse=True)
    patterns = [re.escape(unit).replace("/", "\\/") for unit in ordered]
    return "(?:" + "|".join(["[xX] ?(?i:ULN|baseline)", *patterns]) + ")(?![\\w\\/])"


def _readable(terminal: str) -> str:
    if terminal in _READABLE:
        return _READABLE[terminal]
    word = _KEYWORDS.get(terminal.lstrip("_"), terminal)
    return "'" + word.strip("()").replace("s?", "").replace("|does", "") + "'"
