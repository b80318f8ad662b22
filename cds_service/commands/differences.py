"""Two releases side by side: the rows, and what they mean for the fictional patients."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from cds_service.commands.local import LocalServices
from cds_service.knowledge.differences import Cell, Difference, differences
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.places import MARK, release_folder
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.yaml_files import read_mapping
from fhir_fixtures import load_story, story_names
from fhir_fixtures.requests import NoDraftOrdersError, hook_request
from hooks import DEFINITIONS


@dataclass(frozen=True, slots=True)
class ChangedCards:
    """One story at the hooks where the same summaries are gone and the same are new."""

    story: str
    hooks: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """Everything found; `problem` says why the cards could not be compared."""

    old: str
    new: str
    rows: tuple[Difference, ...]
    cards: tuple[ChangedCards, ...] = ()
    problem: str = ""
    day: date | None = field(default=None)


def compared(old: Path, new: Path, day: date | None) -> Compared:
    """The differences of two releases; without a day the patients are left out.

    Raises KnowledgeError when one of them is no release.
    """
    folders = release_folder(old), release_folder(new)
    versions = [str(read_mapping(folder.joinpath(MARK)).get("version")) for folder in folders]
    rows = differences(*folders)
    if day is None:
        return Compared(versions[0], versions[1], rows)
    try:
        services = [LocalServices(day, 1, load_knowledge(folder)) for folder in folders]
    except KnowledgeError as error:
        return Compared(versions[0], versions[1], rows, problem=str(error), day=day)
    cards = tuple(_changed_cards(services[0], services[1], day))
    return Compared(versions[0], versions[1], rows, cards, day=day)


def _changed_cards(old: LocalServices, new: LocalServices, day: date) -> Iterator[ChangedCards]:
    hooks = dict.fromkeys(definition.hook for definition in DEFINITIONS)
    for name in story_names():
        found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for hook in hooks:
            before, after = _summaries(old, name, hook, day), _summaries(new, name, hook, day)
            gone = tuple(text for text in before if text not in after)
            added = tuple(text for text in after if text not in before)
            if gone or added:
                found.setdefault((gone, added), []).append(hook)
        for (gone, added), where in found.items():
            yield ChangedCards(name, tuple(where), gone, added)


def _summaries(services: LocalServices, story: str, hook: str, day: date) -> Sequence[str]:
    service = services.find(hook)
    try:
        body = hook_request(load_story(story, day), services.described(service))
    except NoDraftOrdersError:
        return ()
    return [card.summary for card in services.answer(service, body).response.cards]


def as_json(found: Compared) -> str:
    """The differences for a program."""
    document = asdict(found)
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def as_lines(found: Compared) -> str:
    """The differences for a terminal."""
    lines = [f"Release {found.old} -> {found.new}", ""]
    for item in found.rows:
        lines.append(f"{item.file} {item.row}".rstrip() + f": {item.kind}")
        lines += [f"    {_told(cell)}" for cell in item.cells]
    lines += ["" if found.rows else "No row and no fact differs.", *_closing(found), ""]
    for cards in found.cards:
        lines.append(f"{cards.story} ({', '.join(cards.hooks)})")
        lines += [f"    gone: {text}" for text in cards.gone]
        lines += [f"    new:  {text}" for text in cards.new]
    return "\n".join(lines).rstrip() + "\n"


def as_markdown(found: Compared) -> str:
    """The differences for a review, such as the text of a pull request."""
    lines = [f"# Release {found.old} to {found.new}", ""]
    lines += ["## Rows and facts", ""]
    for item in found.rows:
        lines.append(f"- `{item.file}`" + (f" `{item.row}`" if item.row else "") + f": {item.kind}")
        lines += [f"  - {_literal(_told(cell))}" for cell in item.cells]
    lines += ["" if found.rows else "No row and no fact differs.", ""]
    lines += ["## Fictional patients", "", *_closing(found), ""]
    for cards in found.cards:
        lines.append(f"- `{cards.story}` at {', '.join(cards.hooks)}")
        lines += [f"  - gone: {_literal(text)}" for text in cards.gone]
        lines += [f"  - new: {_literal(text)}" for text in cards.new]
    return "\n".join(lines).rstrip() + "\n"


def _told(cell: Cell) -> str:
    if cell.old is None:
        return f"{cell.name}: {cell.new}"
    if cell.new is None:
        return f"{cell.name}: {cell.old} -> nothing"
    return f"{cell.name}: {cell.old} -> {cell.new}"


def _literal(text: str) -> str:
    from cds_service.knowledge.rendering.markdown import literal

    return str(literal(text))


def _closing(found: Compared) -> list[str]:
    if found.problem:
        return [f"The cards could not be compared. {found.problem}"]
    if found.day is None:
        return ["The cards were not compared."]
    stories = len({cards.story for cards in found.cards})
    asked = f"of {len(story_names())} fictional patients, as told on {found.day}"
    return [f"The cards of {stories or 'none'} {asked}, change" + (":" if stories else ".")]
