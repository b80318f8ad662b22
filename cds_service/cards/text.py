"""Small pieces of text: doses, days, lists, Markdown that cannot be injected into."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from cds_service.alk import Dose
from cds_service.facts.patient import DoseTaken
from cds_service.rules.words import listed

__all__ = [
    "SUMMARY_LIMIT", "counted", "dose_words", "escaped", "first_that_fits", "fit", "full_day",
    "joined", "led", "listed", "number", "short_day", "times",
]  # fmt: skip

SUMMARY_LIMIT = 139
"""CDS Hooks: fewer than 140 characters."""

_TIMES = {1: "once daily", 2: "twice daily", 3: "three times daily", 4: "four times daily"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~])")
_AUTOLINK = re.compile(r"(?P<before>www)(?=\.)|(?=://|@)", re.IGNORECASE)
"""Where GitHub-flavoured Markdown would make a link of a bare address."""
_LINE_START = re.compile(r"^(\s*)([-+>]|\d+[.)])(?=\s|$)", re.MULTILINE)


def escaped(text: str) -> str:
    """Text from outside as literal Markdown: no emphasis, link, table cell, heading or HTML."""
    one_line = " ".join(text.split())
    plain = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    literal = _SPECIAL.sub(r"\\\1", plain)
    unlinked = _AUTOLINK.sub(lambda found: f"{found['before'] or ''}\\", literal)
    return _LINE_START.sub(r"\1\\\2", unlinked)


def number(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def times(per_day: Decimal | int) -> str:
    """How often a day, in words."""
    whole = int(per_day)
    return _TIMES.get(whole, f"{whole} times daily") if whole == per_day else f"{per_day} a day"


def dose_words(dose: Dose | DoseTaken | None) -> str:
    """``450 mg twice daily``, or what can be said of it."""
    if dose is None:
        return ""
    if isinstance(dose, DoseTaken) and dose.not_divided and dose.daily_mg is not None:
        return f"{number(dose.daily_mg)} mg a day"
    if dose.amount_mg is None or dose.per_day is None:
        return "a dose that could not be read"
    return f"{number(dose.amount_mg)} mg {times(dose.per_day)}"


def short_day(day: date) -> str:
    """``12 Nov`` for a summary."""
    return f"{day.day} {day:%b}"


def full_day(day: date) -> str:
    """``12 Nov 2026``."""
    return f"{day.day} {day:%b %Y}"


def counted(count: int, noun: str) -> str:
    """``1 test is``, ``4 tests are``."""
    return f"{count} {noun} is" if count == 1 else f"{count} {noun}s are"


def led(lead: str, *parts: str) -> str:
    """``lead: one; other``, and the lead alone where there is nothing to say behind it."""
    said = "; ".join(filter(None, parts))
    return f"{lead}: {said}" if said else lead


def joined(*parts: str) -> str:
    """The parts that say something, with commas between."""
    return ", ".join(filter(None, parts))


def fit(text: str, limit: int = SUMMARY_LIMIT) -> str:
    """A summary that fits: whole clauses are dropped from the end, words only if they must be.

    Both code points and UTF-16 units stay within the limit.
    """
    line = " ".join(text.split())
    while _length(line) > limit and "; " in line:
        line = line.rsplit("; ", 1)[0]
    if _length(line) <= limit:
        return line
    words = line.split(" ")
    while words and _length(" ".join(words) + " ...") > limit:
        words.pop()
    return " ".join(words).rstrip(" :;,.") + " ..."


def first_that_fits(*texts: str, limit: int = SUMMARY_LIMIT) -> str:
    """The first of several wordings that fits as it stands; the last one when none does."""
    return next((text for text in texts if _length(text) <= limit), texts[-1])


def _length(text: str) -> int:
    return max(len(text), len(text.encode("utf-16-le", "surrogatepass")) // 2)
