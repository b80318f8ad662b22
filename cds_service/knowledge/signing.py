"""Signing rows and blocks: who read them, where, and how near to the origin that is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.verification import (
    FILE,
    Signature,
    meaning_digest,
    problem_of,
    written,
)
from cds_service.knowledge.yaml_files import validate


@dataclass(frozen=True, slots=True)
class Reading:
    """That somebody read a row, or a block of a drug's file, in a source on a day, and how near to
    the origin that is."""

    row: str
    level: str
    source: str
    version: str
    by: str
    read_on: date


def sign_rows(
    folder: Path,
    identifiers: Iterable[str],
    *,
    level: str,
    source: str,
    version: str,
    by: str,
    read_on: date,
) -> tuple[Signature, ...]:
    """Sign what rows of the release in `folder` say now, all of them as read in one source.

    As `sign` does.
    """
    readings = [Reading(name, level, source, version, by, read_on) for name in identifiers]
    return sign(folder, readings)


def _each(readings: Iterable[Reading], known: Collection[str]) -> Iterator[Reading]:
    for reading in readings:
        below = [name for name in known if name.startswith(reading.row)]
        if reading.row.endswith("/") and below:
            yield from (replace(reading, row=name) for name in below)
        else:
            yield reading


def sign(
    folder: Path, readings: Iterable[Reading], withdrawn: Iterable[str] = ()
) -> tuple[Signature, ...]:
    """Sign what rows of the release in `folder` say now, and write the file of signatures.

    A name that ends with `/` stands for every block below it. All of them or none. An earlier
    signature of a row is replaced; those of `withdrawn` rows go.
    Raises KnowledgeError for a row that does not exist, a source that is not its own, and a level
    above what the source can give.
    """
    knowledge = load_knowledge(folder)
    file = folder / FILE
    rows = {
        row.identifier: (row.sources, meaning_digest(row.cells))
        for table in knowledge.all_tables()
        for row in table
    }
    blocks = {
        name: (block.sources, block.standing.digest) for name, block in knowledge.blocks().items()
    }
    known = rows | blocks
    signed: dict[str, Signature] = {}
    for reading in _each(readings, known):
        name = reading.row
        if name not in known:
            raise KnowledgeError(str(file), "row", f"the id of a row or a block, not {name!r}")
        sources, digest = known[name]
        if reading.source not in sources:
            cited = ", ".join(sources)
            raise KnowledgeError(str(file), name, f"a source that it cites ({cited})")
        content = {**asdict(reading), "digest": digest}
        signed[name] = validate(Signature, content, str(file), name)
        problem = problem_of(signed[name].level, reading.source, knowledge.sources)
        if problem is not None:
            raise KnowledgeError(str(file), name, problem)
    gone = set(withdrawn)
    kept = {name: one for name, one in knowledge.signatures.items() if name not in gone}
    text = written({**kept, **signed}.values())
    # Whole or not at all: half a file would take every signature behind it away.
    beside = file.with_suffix(".csv.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
    return tuple(signed.values())
