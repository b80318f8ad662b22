"""The closed list of facts that rules may name, with their kind, units and permitted values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

RESERVED = frozenset(
    [
        "and",
        "or",
        "not",
        "no",
        "any",
        "all",
        "every",
        "latest",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "episode",
        "episodes",
        "result",
        "results",
        "of",
        "is",
        "in",
        "the",
        "last",
        "within",
        "for",
        "at",
        "least",
        "most",
        "more",
        "than",
        "ago",
        "before",
        "after",
        "on",
        "known",
        "unknown",
        "whether",
        "present",
        "absent",
        "include",
        "includes",
        "do",
        "does",
        "recovering",
        "to",
        "later",
        "count",
        "exactly",
        "grade",
        "caused",
    ]
)
"""Words with a meaning of their own: no fact and no value may start with or be one of them."""

ASPECTS = ("suspected", "earlier")
"""What may stand before a concept. Other facts may start with these words and are read whole."""

_QUALIFIED = re.compile(
    r"^(?:suspected|earlier)\b|\bon treatment\b|\bcaused by\b"
    r"|\b(?:grade|present|absent|known|unknown|within)$",
    re.IGNORECASE,
)
"""What the name of a concept may not contain: the sentence around it says these things."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9'/+.-]*(?: [A-Za-z0-9][A-Za-z0-9'/+.-]*)*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number.

    ``unit`` is the canonical unit; ``units`` maps every unit a rule may write to the exact factor
    that turns it into the canonical one. ``upper_limit`` says whether ``xULN`` makes sense for it
    and ``baseline`` whether ``xbaseline`` does. ``fresh_for_days`` is the age beyond which the
    latest value no longer answers a question about today (None: it never goes stale).
    """

    name: str
    unit: str
    units: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    upper_limit: bool = False
    baseline: bool = False
    fresh_for_days: int | None = None
    describes: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """A statement with a closed set of values; a flag is one with present and absent."""

    name: str
    values: tuple[str, ...]
    fresh_for_days: int | None = None
    describes: str = ""

    @property
    def is_flag(self) -> bool:
        """Whether this is a yes/no statement."""
        return self.values == FLAG_VALUES


@dataclass(frozen=True, slots=True)
class CollectionOf:
    """A set whose members come from a closed list (``members``) or, if that is empty, any name."""

    name: str
    members: frozenset[str] = frozenset()
    describes: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happens on a day."""

    name: str
    describes: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """One clinical idea that is found in a patient or not: ``Findings`` answer for it.

    ``symptom_for_days`` is set for what comes and goes in silence (a symptom): a finding whose
    end is not recorded no longer answers for today once its day is older. An open diagnosis never
    goes stale. ``broader`` are all concepts above it: what answers to nothing beyond these and
    itself is about the concept as a whole, anything else about a part of it, and that a part was
    looked for and not found does not exclude the whole.
    """

    name: str
    symptom_for_days: int | None = None
    describes: str = ""
    broader: frozenset[str] = frozenset()


FLAG_VALUES = ("present", "absent")
FactKind = Quantity | State | CollectionOf | Occurrence | Concept


def flag(name: str, fresh_for_days: int | None = None, describes: str = "") -> State:
    """A yes/no fact: rules write it as ``NAME present``, ``NAME absent`` or ``no NAME``."""
    return State(name, FLAG_VALUES, fresh_for_days, describes)


class Vocabulary:
    """All facts that rules may name. Look-up ignores case and repeated blanks.

    Raises ValueError when two facts share a name, or a name is malformed or starts with a
    reserved word of the language.
    """

    def __init__(self, facts: Iterable[FactKind]) -> None:
        self._facts: dict[str, FactKind] = {}
        self._values: dict[str, str] = {}
        for fact in facts:
            self._check_name(fact.name)
            if isinstance(fact, Concept) and _QUALIFIED.search(fact.name):
                raise ValueError(
                    f"fact name {fact.name!r} contains a word that qualifies a finding"
                )
            key = fold(fact.name)
            if key in self._facts:
                raise ValueError(f"two facts are called {fact.name!r}")
            self._facts[key] = fact
            for value in _written_values(fact):
                self._check_name(value, what="value")
                self._values.setdefault(fold(value), value)

    @staticmethod
    def _check_name(name: str, what: str = "fact") -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{what} name {name!r} must be words of letters, digits and -'/+.")
        if name.split()[0].lower() in RESERVED:
            raise ValueError(f"{what} name {name!r} starts with a reserved word")

    def __iter__(self) -> Iterator[FactKind]:
        return iter(self._facts.values())

    def __contains__(self, name: str) -> bool:
        return fold(name) in self._facts

    def find(self, name: str) -> FactKind:
        """The definition of a fact. Raises KeyError when the vocabulary does not have it."""
        return self._facts[fold(name)]

    @property
    def names(self) -> tuple[str, ...]:
        """All fact names as the vocabulary spells them."""
        return tuple(fact.name for fact in self._facts.values())

    @property
    def written_values(self) -> tuple[str, ...]:
        """Every value and member that a rule may write without quotes."""
        return tuple(self._values.values())

    def drug(self, name: str) -> str | None:
        """A medicine as a collection spells it, or None when there are only closed collections
        and none of them has it."""
        collections = [fact for fact in self if isinstance(fact, CollectionOf)]
        for collection in collections:
            for member in collection.members:
                if fold(member) == fold(name):
                    return member
        return fold(name) if any(not item.members for item in collections) else None

    @property
    def written_units(self) -> frozenset[str]:
        """Every unit that some quantity accepts, without xULN, xbaseline and grade."""
        units: set[str] = set()
        for fact in self._facts.values():
            if isinstance(fact, Quantity):
                units.update(fact.units)
                units.add(fact.unit)
        return frozenset(units)


def _written_values(fact: FactKind) -> tuple[str, ...]:
    if isinstance(fact, State) and not fact.is_flag:
        return fact.values
    if isinstance(fact, CollectionOf):
        return tuple(sorted(fact.members))
    return ()


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """The form in which names are compared: lower case, single blanks."""
    return " ".join(name.lower().split())


def usage(fact: FactKind) -> str:
    """How a rule may ask about a fact, for messages about slips."""
    if isinstance(fact, Quantity):
        return f"{fact.name} is measured: write '{fact.name} > NUMBER {fact.unit}'"
    if isinstance(fact, State) and fact.is_flag:
        return f"{fact.name} is a yes/no fact: write '{fact.name} present' or 'no {fact.name}'"
    if isinstance(fact, State):
        return f"{fact.name} has values: write '{fact.name} is {fact.values[0]}'"
    if isinstance(fact, CollectionOf):
        return f"{fact.name} is a collection: write '{fact.name} include ...'"
    if isinstance(fact, Concept):
        return (
            f"{fact.name} is a finding: write '{fact.name} present', 'suspected {fact.name}'"
            f" or '{fact.name} grade >= 3'"
        )
    return f"{fact.name} is an event: write '{fact.name} within 28 days'"


def units_of(quantity: Quantity) -> str:
    """Every unit in which a rule may write a quantity, as one phrase."""
    units = [unit or "no unit" for unit in (quantity.unit, *quantity.units)]
    if quantity.upper_limit:
        units.append("xULN")
    if quantity.baseline:
        units.append("xbaseline")
    return ", ".join(dict.fromkeys(units))
