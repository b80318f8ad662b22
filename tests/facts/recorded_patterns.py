"""Which pattern of the project is asked with how long a text: a program that prints it as JSON.

In every text of a few charts, one kind of element after another, stands a long text behind what
stood there. Each pattern that the project compiles is watched: the longest text that reached it,
and whether it looks at its beginning only or everywhere. It is a program of its own because the
patterns have to be watched before the modules are imported.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ANCHORED = ("match", "fullmatch")
EVERYWHERE = ("search", "finditer", "findall", "sub", "subn", "split")
_SECOND = ("sub", "subn")
_compile = re.compile
_longest: dict[tuple[str, int, bool], int] = {}


class _Watched:
    """A pattern that notes how long the texts are."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._pattern, name)
        if name not in (*ANCHORED, *EVERYWHERE):
            return value

        def noted(*given: Any, **named: Any) -> Any:
            text = given[name in _SECOND]
            key = (self._pattern.pattern, self._pattern.flags, name in EVERYWHERE)
            _longest[key] = max(len(text), _longest.get(key, 0))
            return value(*given, **named)

        return noted


def _of_the_project(pattern: object) -> bool:
    module = sys._getframe(2).f_globals.get("__name__", "")
    return isinstance(pattern, str) and module.startswith("cds_service")


def _watch() -> None:
    def compiled(pattern: Any, flags: int = 0) -> Any:
        found = _compile(pattern, flags)
        return _Watched(found) if _of_the_project(pattern) else found

    def asked(name: str, plain: Any) -> Any:
        def noted(pattern: Any, *given: Any, **named: Any) -> Any:
            if not _of_the_project(pattern):
                return plain(pattern, *given, **named)
            watched = _Watched(_compile(pattern, named.pop("flags", 0)))
            if name in ANCHORED or name == "search":
                # These take the flags behind the text, a compiled pattern takes a place there.
                given, flags = given[:1], given[1:]
                watched = _Watched(_compile(pattern, *flags)) if flags else watched
            return getattr(watched, name)(*given, **named)

        return noted

    for name in (*ANCHORED, *EVERYWHERE):
        setattr(re, name, asked(name, getattr(re, name)))
    re.compile = compiled  # type: ignore[assignment]


_OF_THE_SHAPE = {
    "resourceType", "reference", "id", "url", "fullUrl", "status", "system", "type", "mode",
    "intent",
}  # fmt: skip


def _texts(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(part, dict):
        for key, member in part.items():
            if key not in _OF_THE_SHAPE:
                yield from _texts(member, (*path, key))
    elif isinstance(part, list):
        for place, member in enumerate(part):
            yield from _texts(member, (*path, place))
    elif isinstance(part, str):
        yield path


def _kinds(body: dict[str, Any]) -> Iterator[list[tuple[str | int, ...]]]:
    """The places of texts, those of one element of one kind of resource together."""
    found: dict[tuple[str, ...], list[tuple[str | int, ...]]] = {}
    for path in [*_texts(body["prefetch"], ("prefetch",)), *_texts(body["context"], ("context",))]:
        at: Any = body
        kind = ""
        for step in path[:-1]:
            at = at[step]
            kind = at.get("resourceType", kind) if isinstance(at, dict) else kind
        found.setdefault((kind, *(str(step) for step in path if isinstance(step, str))), [])
        found[(kind, *(str(step) for step in path if isinstance(step, str)))].append(path)
    yield from (places for key, places in found.items() if key[-1] not in ("patientId", "userId"))


def main(length: int, words: str, stories: list[str]) -> None:
    """Print [pattern, flags, everywhere, longest text] for each pattern."""
    _watch()
    from cds_service.app import create_app
    from fhir_fixtures import load_story
    from fhir_fixtures.requests import hook_request
    from tests.facts.records import AS_OF
    from tests.services.calling import Nowhere, settings_for

    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Nowhere(), Path(folder) / "d.sqlite3", rate_limit="off")
        client = create_app(settings, today=lambda: AS_OF).test_client()
        services = {each["hook"]: each for each in client.get("/cds-services").json["services"]}  # type: ignore[index]
        for name in stories:
            story = load_story(name, AS_OF)
            hook = "order-sign" if story.draft_orders else "patient-view"
            body = hook_request(story, services[hook])
            for places in _kinds(body):
                changed = copy.deepcopy(body)
                for path in places:
                    at: Any = changed
                    for step in path[:-1]:
                        at = at[step]
                    at[path[-1]] += words * (length // len(words))
                client.post(f"/cds-services/{services[hook]['id']}", json=changed)
    json.dump([[*key, longest] for key, longest in _longest.items()], sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
