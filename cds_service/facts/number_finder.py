"""Finding the numbers of one analyte in a text: "QTc 512 ms", "165/102". No patient, no day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from cds_service.fhir.units import UnitTable, fold_unit
from cds_service.knowledge.code_models import Analyte
from cds_service.knowledge.watched_numbers import WatchedNumber

_BLANK = r"\s{0,3}"
"""A text comes with single blanks; about the end of a line there may be three signs."""
_NUMBER = (
    r"(?<![\d.,])(?P<number>\d{1,5}(?:[.,]\d{1,3})?)(?![\d.,]*\d)"
    rf"(?:{_BLANK}(?:-|–|to|bis){_BLANK}(?P<upto>\d{{1,5}}(?:[.,]\d{{1,3}})?)(?![\d.,/-]*\d))?"
)
"""A number, or the two ends of a range."""
_COMPARED = rf"(?P<comparator>[<>≤≥]=?)?{_BLANK}"
_UNIT = rf"{_BLANK}(?P<unit>[^\s,;()]{{1,18}})?"
_PAIR = re.compile(r"(?<![\d/.])(?P<first>\d{2,3})\s{0,3}/\s{0,3}(?P<second>\d{2,3})(?![\d/.]*\d)")
_GAP = r"(?P<gap>[^\d,;.\n<>≤≥]{0,24}?)"
"""What may stand between a name and its number: no other clause, no other number."""
_ANOTHER = re.compile(r"\b(?:QT\w*|QRS\w*|P-?[RQ]|HR|RR|axis|Achse)\b")
_NOT_OF_NOW = re.compile(
    r"\b(?:previous(?:ly)?|prior|before|last|former(?:ly)?|baseline|target|goal|limit|normal range"
    r"|reference|if|when|until|unless|vor\w*|zuletzt|früher|ziel\w*|wenn|falls|sobald|bis|referenz\w*"
    r"|norm\w*|antérieur\w*|précédent\w*|si|previo|previa|precedente)\b",
    re.IGNORECASE,
)
"""Words before a number that make it one of another day, a limit or an instruction."""
_LOOK_BACK = 24
_CLAUSE_ENDS = re.compile(r"[.;,\n]\s")
_SPELLED = {"≤": "<=", "≥": ">=", "≤=": "<=", "≥=": ">="}
_ANY = re.compile(r"(?P<gap>)" + _COMPARED + _NUMBER + _UNIT)
_TIMES_LIMIT = "xuln"
_MULTIPLE = re.compile(
    rf"{_BLANK}(?:-?{_BLANK}fold|x|×|times|mal|-?fach\w*){_BLANK}(?:the |über )?"
    r"(?:ULN|upper limit(?: of normal)?|OGN|OGW|LSN|(?:obere[nr]?\s{1,3})?Norm\w*|normal)\b",
    re.IGNORECASE,
)
"""So many times the upper limit of normal, in words."""
_MARKS = ".:!?)"


def is_pair(text: str) -> bool:
    """Whether a text is a pair of numbers such as 165/102, and nothing else."""
    return _PAIR.fullmatch(text.strip()) is not None


class NumberFinder:
    """Finds the numbers of one analyte in a text that would matter if they were what they seem."""

    def __init__(self, analyte: Analyte, watched: WatchedNumber) -> None:
        self._watched = watched
        self._plausible = analyte.plausible
        table = UnitTable(analyte.unit, analyte.units)
        self._units = {fold_unit(name).lower(): factor for name, factor in table.factors.items()}
        if watched.usual_limit is not None:
            self._units[_TIMES_LIMIT] = watched.usual_limit
        self._named = _numbered(watched.words)
        self._named_among_others = _numbered(watched.words_with_unit)
        self._names = _words(watched.words)
        self._beside = _words(watched.beside)
        self._not_after = _words(watched.not_after, ending=rf"{_BLANK}\Z")

    def in_text(self, words: str, *, meant: bool = False) -> Iterator[tuple[str, Decimal]]:
        """Each number that would matter, as it stands there.

        `meant` says that the text as a whole is a result of this analyte.
        """
        if self._watched.of_pair is not None:
            yield from self._pairs(words, meant=meant)
            return
        words = _MULTIPLE.sub(f" {_TIMES_LIMIT}", words)
        first = _ANY.search(words) if meant else None
        if first is not None:
            yield from self._judged(words, first, needs_unit=False)
        for found in self._named.finditer(words) if self._named is not None else ():
            yield from self._judged(words, found, needs_unit=False)
        if self._named_among_others is not None:
            needs_unit = self._beside is None or self._beside.search(words) is None
            for found in self._named_among_others.finditer(words):
                yield from self._judged(words, found, needs_unit=needs_unit)

    def may_matter(self, number: Decimal, comparator: str | None) -> bool:
        """Whether a number without a unit would matter in any unit of its table."""
        return self._matters([number * each for each in self._units.values()], comparator)

    def _pairs(self, words: str, *, meant: bool) -> Iterator[tuple[str, Decimal]]:
        for found in _PAIR.finditer(words):
            before = words[max(0, found.start() - _LOOK_BACK) : found.start()]
            named = self._names is not None and self._names.search(before)
            number = Decimal(found[self._watched.of_pair or "first"])
            of_now = (meant or named) and not _NOT_OF_NOW.search(before)
            if of_now and self._matters([number], None):
                yield " ".join(found[0].split()), number

    def _judged(
        self, words: str, found: re.Match[str], *, needs_unit: bool
    ) -> Iterator[tuple[str, Decimal]]:
        before = words[max(0, found.start() - _LOOK_BACK) : found.start()]
        clause = _CLAUSE_ENDS.split(before)[-1] + words[found.start() : found.start("number")]
        if _NOT_OF_NOW.search(clause) or _ANOTHER.search(found["gap"]):
            return
        if self._not_after is not None and self._not_after.search(before):
            return
        ends = [Decimal(text.replace(",", ".")) for text in found.group("number", "upto") if text]
        number = ends[0]
        unit = (found["unit"] or "").rstrip(_MARKS)
        factor = self._units.get(fold_unit(unit).lower())
        if factor is None and needs_unit:
            return
        factors = [factor] if factor is not None else list(self._units.values())
        sign = found["comparator"]
        comparator = _SPELLED.get(sign, sign) if sign else None
        if self._matters([end * each for end in ends for each in factors], comparator):
            upto = f" to {found['upto']}" if found["upto"] else ""
            shown = f"{comparator or ''}{found['number']}{upto}"
            yield (f"{shown} {unit}" if factor is not None else shown), number

    def _matters(self, numbers: list[Decimal], comparator: str | None) -> bool:
        lowest, highest = self._plausible
        return any(
            lowest <= value <= highest and self._watched.matters(value, comparator)
            for value in numbers
        )


def _numbered(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """A name with the number behind it."""
    if not words:
        return None
    return re.compile(
        rf"(?<![\w-])(?:{_listed(words)})(?!\w)(?:{_BLANK}\([^)\d]{{1,20}}\))?{_GAP}{_COMPARED}{_NUMBER}"
        + _UNIT,
        re.IGNORECASE,
    )


def _words(words: tuple[str, ...], ending: str = "") -> re.Pattern[str] | None:
    if not words:
        return None
    return re.compile(rf"(?<!\w)(?:{_listed(words)})(?!\w){ending}", re.IGNORECASE)


def _listed(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
