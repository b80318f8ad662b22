"""The stored requests with small damage: cards or a clear refusal, never a fault."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from typing import Any

import pytest

from fhir_fixtures import load_story, story_names
from fhir_fixtures.requests import hook_request, load_services
from tests.depth import SEED, share
from tests.fuzz.conftest import Target

pytestmark = pytest.mark.long

PARTS = 20
EACH = share(1000)
"""Requests a part: 20,000 together."""
ODD: tuple[Any, ...] = (
    None, "", [], {}, 0, -1, True, False, 1e308, -0.0, 10**40, "x" * 5000, "\x00", "\u202e",
    "\ud800", "2026-02-30", "9999-99-99", "0001-01-01", "2026-11-20T24:00:00Z", "NaN", "-1e400",
    "Patient/../..", "http://", "//", [[[[]]]], [None], {"": ""}, {"reference": "#"},
    {"resourceType": "Bundle"}, {"resourceType": "Patient"}, [{"resource": None}],
)  # fmt: skip
BROKEN = (b"NaN", b"-Infinity", b"1e999999", b"01", b'"\\ud800"', b"{", b"]", b",", b"\xff", b"//")


@cache
def _requests() -> list[tuple[str, str]]:
    """Path and body of every story at every hook."""
    found = []
    for name in story_names():
        story = load_story(name)
        for service in load_services():
            drafts = service["hook"] not in ("patient-view", "encounter-start")
            if drafts and story.draft_orders is None:
                continue
            body = hook_request(story, service)
            found.append((f"/cds-services/{service['id']}", json.dumps(body)))
    return found


Path = tuple[str | int, ...]


def _walk(value: Any, at: Path, found: list[Path]) -> None:
    """Every key and position below a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in inside:
        place = (*at, name)
        found.append(place)
        if isinstance(member, dict | list):
            _walk(member, place, found)


@cache
def _places(text: str) -> list[Path]:
    """Where something stands in a body, from the top on."""
    found: list[Path] = []
    _walk(json.loads(text), (), found)
    return found


def _at(value: Any, place: Path) -> Any:
    for name in place:
        value = value[name]
    return value


def _damaged(text: str, chance: random.Random) -> bytes:
    body = json.loads(text)
    places = _places(text)
    for _ in range(chance.randint(1, 4)):
        # Near the top as often as in the depth of the prefetch, which is most of a request.
        shallow = places if chance.random() < 0.7 else places[: max(1, len(places) // 50)]
        *above, key = chance.choice(shallow)
        other = chance.choice(places)
        try:
            _damage(_at(body, tuple(above)), key, copy.deepcopy(_at(body, other)), chance)
        except (LookupError, TypeError):
            continue  # an earlier damage took this place away
    sent = json.dumps(body).encode()
    if chance.random() < 0.1:
        place = chance.randrange(len(sent))
        sent = sent[:place] + chance.choice(BROKEN) + sent[place + chance.randrange(3) :]
    return sent


def _damage(container: Any, key: Any, something: Any, chance: random.Random) -> None:
    match chance.randrange(6):
        case 0:
            del container[key]
        case 1 | 2:
            container[key] = copy.deepcopy(chance.choice(ODD))
        case 3:
            container[key] = something
        case 4 if isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        case 5 if isinstance(container, dict):
            container[str(key).swapcase()] = container.pop(key)
        case _:
            container[key] = [copy.deepcopy(container[key])]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_damaged_request_breaks_the_service(target: Target, part: int) -> None:
    chance = random.Random(SEED + part)
    requests = _requests()
    before = target.statuses[200]
    for number in range(EACH):
        path, text = chance.choice(requests)
        target.post(path, _damaged(text, chance), (part, number, path))
    # Both sides of the door were tried.
    assert EACH // 10 < target.statuses[200] - before < EACH
