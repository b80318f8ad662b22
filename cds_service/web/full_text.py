"""What full-text searches of these pages share: the question to the index, and what is marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""How the index cuts text into words: by stems, without accents."""

_AROUND = 160
_ENDINGS = re.compile(r"(?:ies|es|s|ed|ing)$")


def any_of(words: Sequence[str]) -> str:
    """One part of the query for FTS5: each word or phrase as a string of its own."""
    quoted = (f'"{word.replace(chr(34), chr(34) * 2)}"' for word in words)
    return f"({' OR '.join(quoted)})"


def marked_pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Finds the words in a text as they are marked: also with another ending."""
    stems = (re.escape(_ENDINGS.sub("", word) if len(word) > 4 else word) for word in words)
    listed = "|".join(stems)
    return re.compile(rf"(?<!\w)(?:{listed})\w{{0,4}}(?!\w)" if listed else r"(?!)", re.IGNORECASE)


def excerpt(text: str, pattern: re.Pattern[str]) -> Markup:
    """The text around the first hit, cut at blanks; every hit in it is marked."""
    found = pattern.search(text)
    at = found.start() if found else 0
    start = 0 if at < _AROUND else text.find(" ", at - _AROUND) + 1
    end = len(text) if len(text) - at < 2 * _AROUND else text.rfind(" ", at, at + 2 * _AROUND)
    end = end if end > at else len(text)
    shown, parts, done = text[start:end], [], 0
    for hit in pattern.finditer(shown):
        parts += [escape(shown[done : hit.start()]), Markup("<mark>%s</mark>") % hit.group()]
        done = hit.end()
    parts.append(escape(shown[done:]))
    before, after = "… " if start else "", " …" if end < len(text) else ""
    return Markup("").join([escape(before), *parts, escape(after)])
