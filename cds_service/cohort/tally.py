"""What became of every line, and why the data are not whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec


class Unused(StrEnum):
    """Why a line was not used."""

    NOT_READ = "of a resource type that is not read here"
    NOBODYS = "of no patient: about a group, a place or a device"
    UNNAMED = "without a reference to a patient"
    NO_SUCH_PATIENT = "of a patient whom no Patient in the data has the identifier of"
    DELETED = "deleted later"
    BROKEN = "cannot be read"
    TOO_LONG = "longer than a line may be"
    OLD_TYPE = "of an earlier FHIR version"
    LEFT_UNASKED = "a product that no patient's data name"


LOSSES = frozenset(
    {Unused.BROKEN, Unused.TOO_LONG, Unused.OLD_TYPE, Unused.UNNAMED, Unused.NO_SUCH_PATIENT}
)
"""Reasons after which something of somebody is missing."""


@dataclass
class Tally:
    """Counts of one run or of a part of it; parts are added up.

    `used` counts lines by resource type; `unused` by (reason, resource type).
    `faults` say why the data are not whole. `absent` names the needed resource types that no file
    holds, `absent_beside` those that many systems do not have, `cut` those of a file that could
    not be read to its end. `broken` are lines that are nobody's to tell: their place and why.
    """

    used: Counter[str] = field(default_factory=Counter)
    unused: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: dict[str, None] = field(default_factory=dict)
    broken: list[tuple[str, str]] = field(default_factory=list)
    cut: dict[str, None] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    absent_beside: frozenset[str] = frozenset()

    def add(self, other: Tally) -> None:
        """Add the counts of another part of the same run."""
        self.used.update(other.used)
        self.unused.update(other.unused)
        self.faults.update(other.faults)
        self.broken.extend(other.broken)
        self.cut.update(other.cut)
        self.absent |= other.absent
        self.absent_beside |= other.absent_beside

    def encoded(self) -> bytes:
        """As text that is read back by `decoded`."""
        kept = _Kept(
            [*self.used.items()], [*self.unused.items()], [*self.faults], self.broken,
            [*self.cut], sorted(self.absent), sorted(self.absent_beside),
        )  # fmt: skip
        return msgspec.json.encode(kept)

    @classmethod
    def decoded(cls, text: bytes) -> Tally:
        """What was kept. Raises msgspec.DecodeError for anything else."""
        kept = _decoder.decode(text)
        return cls(
            Counter(dict(kept.used)), Counter(dict(kept.unused)), dict.fromkeys(kept.faults),
            kept.broken, dict.fromkeys(kept.cut), frozenset(kept.absent),
            frozenset(kept.absent_beside),
        )  # fmt: skip

    @property
    def whole(self) -> bool:
        """Whether nothing says that data are missing of somebody."""
        lost = any(why in LOSSES for why, _ in self.unused)
        return not (self.faults or self.broken or self.absent or self.cut or lost)


class _Kept(msgspec.Struct):
    used: list[tuple[str, int]]
    unused: list[tuple[tuple[str, str], int]]
    faults: list[str]
    broken: list[tuple[str, str]]
    cut: list[str]
    absent: list[str]
    absent_beside: list[str]


_decoder = msgspec.json.Decoder(_Kept)
