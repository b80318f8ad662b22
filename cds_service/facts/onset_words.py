"""Onsets in words: "two weeks ago", "seit November 2026". Closed lists, compared as a whole.

Only the days between which the onset surely lies come out of it; whatever else stands in the words
("about", "since surgery") leaves it open.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple


class Days(NamedTuple):
    """The first and the last day on which something may have begun, both included."""

    first: date
    last: date


_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "ein": 1, "einem": 1, "einer": 1, "einen": 1, "eine": 1,
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9,
    "zehn": 10, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7,
    "huit": 8, "neuf": 9, "dix": 10,
}  # fmt: skip
_UNITS = {
    "day": 1, "days": 1, "tag": 1, "tagen": 1, "tage": 1, "jour": 1, "jours": 1,
    "week": 7, "weeks": 7, "wk": 7, "wks": 7, "woche": 7, "wochen": 7, "semaine": 7, "semaines": 7,
    "month": 31, "months": 31, "monat": 31, "monaten": 31, "monate": 31, "mois": 31,
}  # fmt: skip
_YESTERDAY = {"yesterday": 1, "gestern": 1, "hier": 1, "today": 0, "heute": 0, "aujourd'hui": 0,
              "last week": 13, "letzte woche": 13, "la semaine dernière": 13}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier", "february feb februar février févr",
            "march mar märz mars", "april apr avril avr", "may mai", "june jun juni juin",
            "july jul juli juillet juil", "august aug août", "september sep sept septembre",
            "october oct oktober okt octobre", "november nov novembre",
            "december dec dezember dez décembre déc",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_SINCE = r"(?:(?:since|onset|began|started|in|on|from|seit|ab|im|am|depuis|dès|le|en)\s+(?:the\s+|the start of\s+)?)*"  # noqa: E501
_ABOUT = r"(?:(?:about|approximately|approx\.?|around|ca\.?|circa|etwa|ungefähr|environ)\s+)?"
_AGO = re.compile(
    rf"(?:(?:since|for|for the last|for the past|past|last|onset|started|began|vor|seit|il y a"
    rf"|depuis)\s+)*{_ABOUT}(?P<count>\d{{1,3}}|[^\W\d]+)\s+(?P<unit>[^\W\d]+)"
    r"(?:\s+(?:ago|prior|zuvor))?\Z"
)
_MONTH = re.compile(rf"{_SINCE}(?P<month>[^\W\d]+)\.?,?\s+(?P<year>\d{{4}})\Z")
_NUMBERED = re.compile(rf"{_SINCE}(?P<month>\d{{1,2}})[/.](?P<year>\d{{4}})\Z")
_DOTTED = re.compile(
    rf"{_SINCE}(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}}|[^\W\d]+)\.?\s?(?P<year>\d{{4}})\Z"
)
_SLASHED = re.compile(rf"{_SINCE}(?P<one>\d{{1,2}})/(?P<other>\d{{1,2}})/(?P<year>\d{{4}})\Z")
_ISO = re.compile(rf"{_SINCE}(?P<year>\d{{4}})(?:-(?P<month>\d{{2}})(?:-(?P<day>\d{{2}}))?)?\Z")


def days_in_words(text: str, written: date | None) -> Days | None:
    """The days between which an onset in words lies; None when they do not tell.

    `written` is the day on which the words were written: what is "ago" is told from there.
    """
    words = " ".join(text.lower().split()).rstrip(".")
    try:
        return _of_calendar(words) or (_before(words, written) if written is not None else None)
    except (ValueError, OverflowError):
        return None


def _before(words: str, written: date) -> Days | None:
    if words.removeprefix("since ").removeprefix("seit ") in _YESTERDAY:
        days = _YESTERDAY[words.removeprefix("since ").removeprefix("seit ")]
        return Days(written - timedelta(days=days), written)
    found = _AGO.match(words)
    if found is None or found["unit"] not in _UNITS:
        return None
    count = int(found["count"]) if found["count"].isdigit() else _NUMBERS.get(found["count"])
    if count is None:
        return None
    # Of "two weeks ago" nobody counted the days: half as many again may have gone by.
    most = max(count + 1, count + count // 2) * _UNITS[found["unit"]]
    return Days(written - timedelta(days=most), written)


def _of_calendar(words: str) -> Days | None:
    days = list(_calendar_days(words))
    return Days(min(item.first for item in days), max(item.last for item in days)) if days else None


def _calendar_days(words: str) -> Iterator[Days]:
    if found := _ISO.match(words) or _MONTH.match(words) or _NUMBERED.match(words):
        said = found.groupdict()
        if said.get("month") is None:
            yield Days(date(int(said["year"]), 1, 1), date(int(said["year"]), 12, 31))
        elif (month := _month(said["month"])) is not None:
            year = int(said["year"])
            if day := said.get("day"):
                yield Days(date(year, month, int(day)), date(year, month, int(day)))
            else:
                yield Days(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
    elif found := _DOTTED.match(words):
        month = _month(found["month"])
        if month is not None:
            on = date(int(found["year"]), month, int(found["day"]))
            yield Days(on, on)
    elif found := _SLASHED.match(words):
        # Day and month stand in either order: both may be meant.
        year, pair = int(found["year"]), (int(found["one"]), int(found["other"]))
        for month, day in {pair, pair[::-1]}:
            if month <= 12 and 1 <= day <= monthrange(year, month)[1]:
                yield Days(date(year, month, day), date(year, month, day))


def _month(text: str) -> int | None:
    return int(text) if text.isdigit() else _MONTHS.get(text)
