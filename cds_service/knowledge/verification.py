"""How far each row was verified, by whom, and what may carry a one-click order.

A row of a rule table is signed in `signatures.csv`: the level, the source that was read, its
version, the day, who says so, and a digest of what the row means. A row that means something else
than what was signed stands at the level `none` until somebody signs it again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Literal, get_args

from pydantic import Field

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.sources import Source
from cds_service.knowledge.yaml_files import Frozen, validate

Level = Literal["regulator", "manufacturer", "guideline", "trial", "copy", "design", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)

WORDS: Mapping[Level, str] = MappingProxyType(
    {
        "regulator": "Read in regulator's text",
        "manufacturer": "Read in manufacturer's text",
        "guideline": "Read in the guideline",
        "trial": "Read in the paper",
        "copy": "Read in a copy",
        "design": "This project's own rule",
        "none": "Not verified by anybody",
    }
)
"""Each level in four words, as cards and pages say it."""

FILE = "signatures.csv"
COLUMNS = ("row", "level", "source", "version", "read_on", "by", "digest")

_NO_MEANING = frozenset({"id", "source", "note"})
"""Cells that may change without the row saying anything else."""


class OrderPolicy(Frozen):
    """Which levels may carry a one-click order: a setting of the release."""

    levels: frozenset[Level] = frozenset({"regulator", "manufacturer", "guideline", "trial"})
    agreeing_copies: int = Field(default=2, ge=2)
    """So many copies that were read and agree count as well; a seller's page is none of them."""


class Signature(Frozen):
    """Who read which row where, how near to the origin, and what the row said on that day."""

    row: str = Field(min_length=1)
    level: Literal["regulator", "manufacturer", "guideline", "trial", "copy", "design"]
    source: str = Field(min_length=1)
    version: str
    read_on: date
    by: str = Field(min_length=2)
    digest: str = Field(pattern=r"^[0-9a-f]{16}$")

    def cells(self) -> tuple[str, ...]:
        """The line of the file."""
        return (self.row, self.level, self.source, self.version, self.read_on.isoformat(), self.by,
                self.digest)  # fmt: skip


def meaning_digest(cells: Mapping[str, str]) -> str:
    """A digest of what a row says and does: rule, action, until, resume, dose and words."""
    return data_digest(
        {name: cell for name, cell in cells.items() if cell and name not in _NO_MEANING}
    )


def data_digest(said: object) -> str:
    """A digest of what was read from a table or a YAML file; dates count as they are printed."""
    written = json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def level_of_source(source: Source) -> Level:
    """How far reading it verifies a row at most."""
    if not source.can_be_shown:
        return "none"
    match source.kind:
        case "label" | "record" if source.publisher in ("regulator", "manufacturer"):
            return "regulator" if source.publisher == "regulator" else "manufacturer"
        case "guideline" if source.publisher == "society":
            return "guideline"
        case "trial":
            return "trial"
        case "review" if source.publisher == "journal":
            return "trial"
        case "design":
            return "design"
        case "label" | "label copy" | "monograph" | "review" | "record" | "guideline" | "news":
            return "copy"
    return "none"


@dataclass(frozen=True, slots=True)
class Verification:
    """The signatures of a release, asked row by row."""

    signatures: Mapping[str, Signature] = field(default_factory=dict)
    policy: OrderPolicy = field(default_factory=OrderPolicy)
    sources: Mapping[str, Source] = field(default_factory=dict)

    def level(self, identifier: str, cells: Mapping[str, str]) -> Level:
        """The level at which the row was signed; `none` when it was not, or has changed since."""
        return self.level_of(identifier, meaning_digest(cells))

    def level_of(self, identifier: str, digest: str) -> Level:
        """The level at which a row or block with this digest was signed, else `none`."""
        signed = self.signatures.get(identifier)
        if signed is None or signed.digest != digest:
            return "none"
        return signed.level

    def may_order(self, level: Level, sources: Iterable[str]) -> bool:
        """Whether a row of this level, read in these sources, may carry a one-click order."""
        if level in self.policy.levels:
            return True
        read = (self.sources[name] for name in sources if name in self.sources)
        # Two sections of one page are one text.
        copies = {source.address or source.id for source in read if _restates(source)}
        return level == "copy" and len(copies) >= self.policy.agreeing_copies


def _restates(source: Source) -> bool:
    return level_of_source(source) in ("regulator", "manufacturer", "copy")


def load_signatures(folder: Traversable, sources: Mapping[str, Source]) -> Mapping[str, Signature]:
    """All signatures by row; none where the release has no such file.

    Raises KnowledgeError with file, row and column for what cannot be used: an unknown source, a
    level above what the source can give, a row signed twice.
    """
    file = folder / FILE
    if not file.is_file():
        return MappingProxyType({})
    name = str(file)
    try:
        lines = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8")), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KnowledgeError(name, "", "well-formed CSV in UTF-8") from error
    if not lines or tuple(lines[0]) != COLUMNS:
        raise KnowledgeError(name, "", f"the columns {','.join(COLUMNS)}", row=1)
    found: dict[str, Signature] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(COLUMNS):
            raise KnowledgeError(name, "", f"{len(COLUMNS)} cells", row=number)
        content = dict(zip(COLUMNS, cells, strict=True))
        signature = validate(Signature, content, name, f"row {number}")
        if signature.row in found:
            raise KnowledgeError(name, "", "each row signed once", row=number, column="row")
        problem = problem_of(signature.level, signature.source, sources)
        if problem is not None:
            raise KnowledgeError(name, "", problem, row=number, column="source")
        found[signature.row] = signature
    return MappingProxyType(found)


def problem_of(level: Level, source: str, sources: Mapping[str, Source]) -> str | None:
    """Why a source cannot give a level; None when it can."""
    if source not in sources:
        return f"an id of sources.yaml, not {source!r}"
    highest = level_of_source(sources[source])
    if highest == "none":
        return f"a source that verifies something; {source} does not"
    if "design" in (level, highest):
        return (
            None if level == highest else f"the level {highest}, which is all that {source} gives"
        )
    if LEVELS.index(level) < LEVELS.index(highest):
        return f"at most {highest}: {source} is no more than that"
    return None


def written(signatures: Iterable[Signature]) -> str:
    """The text of the file, sorted by row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows: Sequence[Signature] = sorted(signatures, key=lambda one: one.row)
    writer.writerows(one.cells() for one in rows)
    return out.getvalue()
