"""The numbers that a row says, held against the numbers that it acts by.

A threshold that is changed while the sentence keeps the old number would be believed by its reader.
So every number in the words of a row stands in its own rule, until, resume or dose cells, in
another fact of its drug, or in the evidence; what prose needs besides is listed in
`prose_numbers.yaml`, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

from pydantic import Field, RootModel

from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

FILE = "prose_numbers.yaml"
WORDS = ("summary", "detail", "says", "ask", "note")
"""The cells that somebody reads: a card shows them, the note its reviewer."""

_BESIDE = frozenset({*WORDS, "id", "rule", "source", "evidence"})
_SAID = re.compile(r"(?<![\w.^*-])\d+(?:\.\d+)?(?![\w])")
_ANY = re.compile(r"\d+(?:\.\d+)?")
_POWER = re.compile(r"10[\^*]\d+")
_UNIT = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)\s*(x\s?ULN|x\s?baseline|mg/dL|mmol/L|g/dL|umol/L|ms|bpm|mmHg)\b"
)


class ProseNumber(Frozen):
    """Numbers that the words of one row need beyond its cells, and why."""

    numbers: tuple[str, ...] = Field(min_length=1)
    why: str = Field(min_length=10)


class ProseNumbers(RootModel[Mapping[str, ProseNumber]]):
    """`prose_numbers.yaml`: the exceptions by row."""


def load_prose_numbers(folder: Traversable) -> Mapping[str, ProseNumber]:
    """The exceptions by row; none where the release has no such file.

    Raises KnowledgeError when an entry does not fit.
    """
    file = folder / FILE
    if not file.is_file():
        return MappingProxyType({})
    return validate(ProseNumbers, read_mapping(file), str(file), "").root


def unbacked_numbers(
    cells: Mapping[str, str], elsewhere: Iterable[str], excepted: Iterable[str]
) -> tuple[str, ...]:
    """The numbers in a row's words that stand nowhere else, in their order.

    `elsewhere` are texts whose numbers count as well, such as the facts of the drug.
    """
    backed = {
        _plain(number) for text in (*_acting(cells), *elsewhere) for number in _ANY.findall(text)
    }
    backed |= {_plain(number) for number in excepted}
    said = (
        number
        for column in WORDS
        for number in _SAID.findall(_POWER.sub("", cells.get(column, "")))
    )
    return tuple(dict.fromkeys(number for number in said if _plain(number) not in backed))


def foreign_units(cells: Mapping[str, str]) -> tuple[str, ...]:
    """Quantities in a row's words whose number the row has, but only with another unit."""
    own: dict[str, set[str]] = {}
    for text in _acting(cells):
        for number, unit in _UNIT.findall(text):
            own.setdefault(_plain(number), set()).add(unit.replace(" ", ""))
    said = (found for column in WORDS for found in _UNIT.findall(cells.get(column, "")))
    return tuple(
        f"{number} {unit}"
        for number, unit in said
        if unit.replace(" ", "") not in own.get(_plain(number), {unit.replace(" ", "")})
    )


def _acting(cells: Mapping[str, str]) -> Iterator[str]:
    return (cell for column, cell in cells.items() if column not in _BESIDE)


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
