"""Finding names of medicines in a text: whole words, in time that grows with the text alone.

No regular expression looks for names, so that no text can keep a worker busy: a text is cut into
words once, and each word is looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.fhir.remembered import remembered
from cds_service.knowledge.medicine_names import Words
from cds_service.knowledge.release import Knowledge

_RUN = re.compile(r"[^\W_]+")
LONGEST = 2000
"""Characters of a text that are looked at: no medicine has a longer name."""


@remembered(4096)
def words_in(text: str) -> tuple[str, ...]:
    """The words of a text: letters and digits, without case and accents, split at all else.

    A hyphen splits as a blank does, on both sides of a comparison: "X-396" is two words, and
    "Metoprolol-ratiopharm" holds "metoprolol".
    """
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST].casefold())
    return tuple(
        _RUN.findall("".join(sign for sign in decomposed if not unicodedata.combining(sign)))
    )


@dataclass(frozen=True, slots=True)
class Found:
    """One name found in a text, from word `begin` up to word `end`."""

    ingredients: tuple[str, ...]
    verified: bool
    combination: bool
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    ingredients: tuple[str, ...]
    verified: bool
    combination: bool
    first: bool


@dataclass(frozen=True)
class MedicineIndex:
    """All names, by their first word, the longest first."""

    by_first: Mapping[str, tuple[_Entry, ...]] = field(repr=False)

    @classmethod
    def of(cls, knowledge: Knowledge) -> MedicineIndex:
        """The names of the ingredients and of the list of names."""
        found: dict[tuple[str, ...], _Entry] = {}
        for item in knowledge.codes.medicine_names.names:
            for words in _ways_to_write(item.name):
                combination = item.kind == "combination"
                found[words] = _Entry(
                    words, item.ingredients, item.verified, combination, item.first
                )
        for ingredient in knowledge.codes.ingredients.values():
            for name in ingredient.match_text:
                for words in _ways_to_write(name):
                    found[words] = _Entry(words, (ingredient.name,), True, False, False)
        by_first: dict[str, list[_Entry]] = {}
        for words, entry in found.items():
            by_first.setdefault(words[0], []).append(entry)
        return cls(
            {
                first: tuple(sorted(entries, key=lambda entry: -len(entry.words)))
                for first, entries in by_first.items()
            }
        )

    def find(self, text: str) -> tuple[Found, ...]:
        """The names in a text in their order; the longest of several that begin together."""
        return _found(self.by_first, words_in(text))

    def in_text(self, text: str) -> tuple[str, ...]:
        """The ingredients that the names in a text stand for; a misspelt name is no name."""
        return tuple(name for found in self.find(text) for name in found.ingredients)


def _found(by_first: Mapping[str, tuple[_Entry, ...]], words: tuple[str, ...]) -> tuple[Found, ...]:
    found: list[Found] = []
    place = 0
    while place < len(words):
        for entry in by_first.get(words[place], ()):
            end = place + len(entry.words)
            if words[place:end] == entry.words and not (entry.first and place):
                found.append(
                    Found(entry.ingredients, entry.verified, entry.combination, place, end)
                )
                place = end
                break
        else:
            place += 1
    return tuple(found)


def _ways_to_write(name: str) -> Iterator[tuple[str, ...]]:
    """A name in words, a German one also with its umlauts written as two letters."""
    spelled = {name, _two_letters(name)}
    for text in spelled:
        words = words_in(text)
        if words:
            yield words


def _two_letters(name: str) -> str:
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        name = name.replace(umlaut, letters).replace(umlaut.upper(), letters.capitalize())
    return name


@dataclass(frozen=True)
class WordList:
    """A closed list of words and rows of words; see `any_in`."""

    rows: Mapping[str, tuple[tuple[str, ...], ...]] = field(repr=False)

    @classmethod
    def of(cls, words: Words | Iterable[str]) -> WordList:
        """The list from the words of the knowledge."""
        listed = words.words if isinstance(words, Words) else words
        rows: dict[str, list[tuple[str, ...]]] = {}
        for word in listed:
            for row in _ways_to_write(word):
                rows.setdefault(row[0], []).append(row)
        return cls({first: tuple(sorted(found, key=len)[::-1]) for first, found in rows.items()})

    def spans(self, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Where rows of the list stand among the words, the longest at each place."""
        place = 0
        while place < len(words):
            for row in self.rows.get(words[place], ()):
                if words[place : place + len(row)] == row:
                    yield place, place + len(row)
                    place += len(row)
                    break
            else:
                place += 1

    def any_in(self, words: tuple[str, ...]) -> bool:
        """Whether any of the list stands among the words."""
        return next(self.spans(words), None) is not None
