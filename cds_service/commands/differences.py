"""Two releases side by side: the rows, and what they mean for the fictional patients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

from cds_service.commands.local import LocalServices
from cds_service.commands.shown_cards import ShownCard, apart, shown
from cds_service.knowledge.between import Between, between
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
    """One story at the hooks where the same cards are gone and the same are new."""

    story: str
    hooks: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """Everything found; `problem` says why rules and cards could not be compared.

    Of a release whose content changed under the number it had nothing but its rows is compared.
    """

    old: str
    new: str
    rows: tuple[Difference, ...]
    cards: tuple[ChangedCards, ...] = ()
    between: tuple[Between, ...] = ()
    problem: str = ""
    day: date | None = field(default=None)

    @property
    def unnumbered(self) -> str:
        """What is wrong with a release whose content changed under the number it had."""
        if self.old != self.new or not self.rows:
            return ""
        return (
            f"Both call themselves release {self.new}, and they differ: raise version and date in"
            f" {MARK}, or nobody can tell which of them gave an answer."
        )


def compared(
    old: Path, new: Path, day: date | None, told: Callable[[Sequence[str]], Iterable[str]] = iter
) -> Compared:
    """The differences of two releases; without a day the fictional patients are left out.

    `told` passes their names on and may show how far it is. Raises KnowledgeError when one of the
    two is no release.
    """
    folders = release_folder(old), release_folder(new)
    versions = [str(read_mapping(folder.joinpath(MARK)).get("version")) for folder in folders]
    rows = differences(*folders)
    refused = Compared(versions[0], versions[1], rows, day=day)
    if refused.unnumbered:
        # What both of them say to whom is of no use as long as nobody can tell them apart.
        return replace(refused, problem=refused.unnumbered)
    try:
        releases = [load_knowledge(folder) for folder in folders]
    except KnowledgeError as error:
        return Compared(versions[0], versions[1], rows, problem=str(error), day=day)
    people = tuple(between(*releases))
    if day is None:
        return Compared(versions[0], versions[1], rows, between=people)
    services = [LocalServices(day, 1, release) for release in releases]
    cards = tuple(_changed_cards(services[0], services[1], day, told(story_names())))
    return Compared(versions[0], versions[1], rows, cards, people, day=day)


def _changed_cards(
    old: LocalServices, new: LocalServices, day: date, stories: Iterable[str]
) -> Iterator[ChangedCards]:
    hooks = dict.fromkeys(definition.hook for definition in DEFINITIONS)
    for name in stories:
        found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for hook in hooks:
            before, after = _shown(old, name, hook, day), _shown(new, name, hook, day)
            gone, added = apart(before, after), apart(after, before)
            if gone or added:
                found.setdefault((gone, added), []).append(hook)
        for (gone, added), where in found.items():
            yield ChangedCards(name, tuple(where), gone, added)


def _shown(services: LocalServices, story: str, hook: str, day: date) -> Sequence[ShownCard]:
    service = services.find(hook)
    try:
        body = hook_request(load_story(story, day), services.described(service))
    except NoDraftOrdersError:
        return ()
    return [shown(card) for card in services.answer(service, body).response.cards]


def as_json(found: Compared) -> str:
    """The differences for a program."""
    document = asdict(found) | {"unnumbered": found.unnumbered}
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def as_lines(found: Compared) -> str:
    """The differences for a terminal."""
    lines = [f"Release {found.old} -> {found.new}", ""]
    for item in found.rows:
        lines.append(f"{item.file} {item.row}".rstrip() + f": {item.kind}")
        lines += [f"    {_told(cell)}" for cell in item.cells]
    lines += ["" if found.rows else "No row and no fact differs."]
    if not found.problem:
        lines += [*people_as_lines(found.between), *([""] if found.between else [])]
    lines += [*_closing(found), ""]
    for cards in found.cards:
        lines.append(f"{cards.story} ({', '.join(cards.hooks)})")
        lines += [f"    gone: {text}" for text in cards.gone]
        lines += [f"    new:  {text}" for text in cards.new]
    return "\n".join(lines).rstrip() + "\n"


NOBODY_IN_BETWEEN = "No rule that both have answers otherwise."
"""Said of the rules that stand in both; a row that came or went is listed among the rows."""


def people_as_lines(found: Sequence[Between]) -> list[str]:
    """For whom each changed rule answers otherwise, for a terminal."""
    lines = []
    for people in found:
        lines.append(f"{people.row}, {people.column}, for patients in between:")
        lines += [f"    {said}" for said in _in_between(people)]
    return lines or [NOBODY_IN_BETWEEN]


def as_markdown(found: Compared) -> str:
    """The differences for a review, such as the text of a pull request."""
    lines = [f"# Release {found.old} to {found.new}", ""]
    lines += ["## Rows and facts", ""]
    for item in found.rows:
        lines.append(f"- `{item.file}`" + (f" `{item.row}`" if item.row else "") + f": {item.kind}")
        lines += [f"  - {_literal(_told(cell))}" for cell in item.cells]
    lines += ["" if found.rows else "No row and no fact differs.", ""]
    if not found.problem:
        lines += ["## Patients in between", ""]
        for people in found.between:
            lines.append(f"- `{people.row}`, {people.column}")
            lines += [f"  - {_literal(said)}" for said in _in_between(people)]
        lines += ["" if found.between else NOBODY_IN_BETWEEN, ""]
    lines += ["## Fictional patients", "", *_closing(found), ""]
    for cards in found.cards:
        lines.append(f"- `{cards.story}` at {', '.join(cards.hooks)}")
        lines += [f"  - gone: {_literal(text)}" for text in cards.gone]
        lines += [f"  - new: {_literal(text)}" for text in cards.new]
    return "\n".join(lines).rstrip() + "\n"


def _in_between(item: Between) -> list[str]:
    if item.problem:
        return [f"cannot be asked with the words of the new release: {item.problem}"]
    if item.stood is not None:
        return [f"stood otherwise before ({item.stood or 'nothing'}): not worked out"]
    said = [f"holds only now: {item.gained}"] if item.gained else []
    said += [f"held only before: {item.lost}"] if item.lost else []
    return said or ["the same patients as before"]


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
        return [f"Rules and cards were not compared. {found.problem}"]
    if found.day is None:
        return ["The cards were not compared."]
    stories = len({cards.story for cards in found.cards})
    asked = f"of {len(story_names())} fictional patients, as told on {found.day}"
    return [f"The cards of {stories or 'none'} {asked}, change" + (":" if stories else ".")]
