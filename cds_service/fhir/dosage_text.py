"""Dosage instructions in words: a closed set of phrases. Whatever else is there is not read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from cds_service.fhir.remembered import remembered
from cds_service.fhir.units import UnitTable, fold_unit

MASS = UnitTable(
    "mg",
    {
        **dict.fromkeys(
            ("MG", "milligram", "milligrams", "Milligram", "mg flat", "mg flat dose"), Decimal(1)
        ),
        **dict.fromkeys(("g", "gram", "grams"), Decimal(1000)),
        **dict.fromkeys(("ug", "mcg", "MCG", "microgram", "micrograms"), Decimal("0.001")),
    },
)
"""Mass units of a dose. No single capital letters: G and Mg mean other things elsewhere."""

COUNTED = frozenset(
    {
        "1",
        "tablet",
        "tablets",
        "tab",
        "tabs",
        "tbl",
        "capsule",
        "capsules",
        "cap",
        "caps",
        "pill",
        "pills",
        "gélule",
        "gélules",
        "kapsel",
        "kapseln",
        "tablette",
        "tabletten",
        "filmtablette",
        "filmtabletten",
    }
)
"""Units that count pieces, in lower case and without UCUM's braces."""

_LONGEST = 400
"""Characters of an instruction that is read: a longer text is prose, and no dose."""

_WORDS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
}
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_LATIN = {"qd": 1, "daily": 1, "bid": 2, "tid": 3, "qid": 4, "every day": 1, "each day": 1}

_NUMBER = r"(?:\d+(?:\.\d+)?|one|two|three|four|five|six|eight)"
_PIECES = rf"(?:{_NUMBER}|an?)"
_MASS_UNIT = r"(?:mg|milligrams?|mcg|micrograms?|ug|g|grams?)"
_COUNT_UNIT = (
    r"(?:(?:hard |oral |film[- ]coated )?(?:capsules?|caps?|tablets?|tabs?|tbl|pills?)"
    r"|gélules?|kapseln?|(?:film)?tabletten?)"
)
_AMOUNT = (
    rf"(?:(?P<mass>{_NUMBER})\s*(?P<unit>{_MASS_UNIT})(?:\s+flat(?:\s+dose)?)?"
    rf"(?:\s*\(\s*(?P<pieces_in>{_NUMBER})\s*"
    rf"(?:(?:x|×)\s*(?P<each>{_NUMBER})\s*mg\s*)?{_COUNT_UNIT}?\s*\))?"
    rf"|(?P<pieces>{_PIECES})\s*{_COUNT_UNIT}"
    rf"(?:\s*\(\s*(?P<mass_in>{_NUMBER})\s*(?P<unit_in>{_MASS_UNIT})(?:\s+total)?\s*\))?)"
)
_GAP = r" ?(?:, ?)?"
"""Between two phrases of a text whose blanks are single. It fits in one way only: a blank that
could go to one of two places doubles the work with each repetition."""
_ROUTE = rf"(?:{_GAP}(?:by mouth|orally|oral|p\.?o\.?))?"
_FREQUENCY = (
    r"(?P<frequency>"
    r"(?:(?:once|twice|thrice|(?P<times>" + _NUMBER + r")(?:\s*\((?P<spelled>[a-z]+)\))?\s*times?)"
    r"\s*(?:daily|a day|per day|each day|every day|/\s*day))"
    r"|daily|every day|each day|qd|bid|tid|qid|b\.i\.d\.?|t\.i\.d\.?|q\.i\.d\.?|q\.d\.?"
    r"|(?:every\s*|q\s*)(?P<hours>\d{1,2})\s*(?:hours?|hrs?|h)"
    r"|(?:at (?:night|bedtime))|(?:(?:each|every|in the)\s+)?(?:morning|evening|night|noon)s?"
    r"(?:\s*(?:,|and|&|\+|/)\s*(?:(?:each|every|in the|at)\s+)?(?:morning|noon|evening|night)s?)?"
    r"|every other day|qod)"
)
_PARTS_OF_DAY = re.compile(r"morning|noon|evening|night|bedtime")
_FOOD = (
    rf"(?:{_GAP}(?:with (?:food|meals?|a meal)|with or without food|without food"
    r"|on an empty stomach|swallowed whole))*"
)
_DURATION = rf"(?:{_GAP}(?:for|x|×) ?(?P<duration>\d{{1,3}}) ?(?P<span>days?|weeks?))?"
_INSTRUCTION = re.compile(
    rf"(?:take\s+)?{_AMOUNT}{_ROUTE}{_GAP}{_FREQUENCY}{_ROUTE}{_FOOD}{_DURATION}{_FOOD}\Z"
)
_TOTAL = re.compile(
    r"(?:take\s+)?(?:a )?(?P<total>(?:total )?(?:daily dose ?)?(?:of |: ?)?)"
    rf"{_AMOUNT}{_ROUTE}{_GAP}(?:in total )?"
    r"(?P<day>per day|a day|/ ?(?:day|d)|(?:per|/|in) ?24 ?(?:hours?|hrs?|h))?"
    rf"(?:{_GAP}in (?:{_NUMBER} )?(?:equally )?divided doses)?{_ROUTE}{_FOOD}{_DURATION}{_FOOD}\Z"
)
"""What is taken a day, without a word on how it is divided: "200 mg per day"."""
_ONLY_FREQUENCY = re.compile(rf"{_FREQUENCY}{_FOOD}\Z")
_STRENGTH = re.compile(r"(?<![\d./])(\d+(?:\.\d+)?)\s*MG\b(?!\s*/)", re.IGNORECASE)
_ANY_STRENGTH = re.compile(r"\d\s*(?:MG|MCG|UG|G|ML|UNT|%)(?![A-Z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextDose:
    """One instruction in words: mass or number of pieces, doses per day, days.

    `doses_per_day` is None where the amount is that of the whole day and nobody says how it is
    divided: "200 mg per day" may be one dose, or two of 100 mg.
    """

    mass_mg: Decimal | None
    pieces: Decimal | None
    doses_per_day: Decimal | None
    days: int | None


@remembered(512)
def parse_dose_text(text: str) -> tuple[TextDose, ...] | None:
    """Read "600 mg twice daily" or "90 mg daily for 7 days, then 180 mg daily".

    None when any part of the text is outside the closed phrases, or contradicts itself.
    """
    plain = _plain(text)
    if not plain or len(plain) > _LONGEST:
        return None
    doses: list[TextDose] = []
    parts = re.split(r"\s*(?:[,;]\s*)?then\s+", plain)
    for position, part in enumerate(parts):
        dose = _parse_one(part)
        if dose is None or (dose.days is None and position + 1 < len(parts)):
            return None
        doses.append(dose)
    return tuple(doses)


@remembered(512)
def parse_frequency_text(text: str) -> Decimal | None:
    """Doses per day of "2 times daily", "BID", "every 12 hours"; None when not read."""
    plain = _plain(text)
    match = _ONLY_FREQUENCY.match(plain) if len(plain) <= _LONGEST else None
    return _doses_per_day(match) if match else None


def strength_in_name(name: str) -> Decimal | None:
    """The strength in mg that a product's name states, as in "alectinib 150 MG Oral Capsule".

    None for names with no strength, several strengths, or a strength per volume.
    """
    found = _STRENGTH.findall(name)
    if len(found) != 1 or len(_ANY_STRENGTH.findall(name)) != 1:
        return None
    strength = Decimal(found[0])
    return strength if strength > 0 else None


def _plain(text: str) -> str:
    return " ".join(fold_unit(text).lower().split()).rstrip(". ")


def _number(text: str) -> Decimal:
    return Decimal(_WORDS[text]) if text in _WORDS else Decimal(text)


def _parse_one(part: str) -> TextDose | None:
    match = _INSTRUCTION.match(part)
    frequency = _doses_per_day(match) if match else None
    if match is None:
        match = _TOTAL.match(part)
        if match is None or not (match["day"] or "daily" in match["total"]):
            return None
    elif frequency is None:
        return None
    mass = _mass(match["mass"] or match["mass_in"], match["unit"] or match["unit_in"])
    pieces_text = match["pieces"] or match["pieces_in"]
    pieces = _number(pieces_text) if pieces_text else None
    if match["each"] and pieces is not None and mass != pieces * _number(match["each"]):
        return None
    if mass == 0 or pieces == 0 or frequency == 0:
        return None
    if frequency is None and pieces == 1:
        # What is swallowed whole is taken at once.
        frequency = Decimal(1)
    days = int(match["duration"]) if match["duration"] else None
    if days is not None and match["span"].startswith("week"):
        days *= 7
    if days == 0:
        return None
    return TextDose(mass_mg=mass, pieces=pieces, doses_per_day=frequency, days=days)


def _mass(number: str | None, unit: str | None) -> Decimal | None:
    if number is None or unit is None:
        return None
    return _number(number) * MASS.factors[unit]


def _doses_per_day(match: re.Match[str]) -> Decimal | None:
    phrase = match["frequency"].replace(".", "")
    if match["hours"]:
        hours = int(match["hours"])
        # Intervals that do not divide a day give no steady number of doses per day.
        return Decimal(24 // hours) if hours and 24 % hours == 0 else None
    if match["times"]:
        times = _number(match["times"])
        spelled = match["spelled"]
        return None if spelled and _WORDS.get(spelled) != times else times
    if phrase in _LATIN:
        return Decimal(_LATIN[phrase])
    parts = _PARTS_OF_DAY.findall(phrase)
    if parts:
        # The same part twice is a slip of the pen, and nobody knows which other one was meant.
        return Decimal(len(parts)) if len(set(parts)) == len(parts) else None
    if phrase in ("every other day", "qod"):
        return Decimal("0.5")
    return Decimal(_TIMES[phrase.split()[0]])
