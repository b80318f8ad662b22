"""Whatever is pasted, the bench answers it or names what is wrong with it; it never fails."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_fixtures import load_story
from fhir_fixtures.requests import load_request
from tests.services.calling import DAY, HOOKS, SAYING_THE_SAME, Service

pytestmark = pytest.mark.slow

Path = tuple[str | int, ...]

EVERY_CHANGE = {
    "alt": "6.2",
    "ast": "none",
    "heart_rate": "40",
    "qtc": "500",
    "brain": "yes",
    "pregnancy": "yes",
    "earlier": "crizotinib",
    "ended": "progression",
    "mutation": "G1202R",
    "medication": "rifampin",
    "order": "lorlatinib",
}
ODD = (None, True, 0, -1, 1.5, "", "x", [], {}, [None], [[]], [{}], {"a": 1}, "2026-99-99", 10**30)


def short(request: dict[str, Any]) -> dict[str, Any]:
    for page in request["prefetch"].values():
        page["entry"] = page.get("entry", [])[:4]
    return request


def pasted_bundle() -> dict[str, Any]:
    """A chart with a few results and a draft order."""
    story = load_story("alectinib-alt-six-times", DAY)
    entries = story.bundle["entry"]
    results = [item for item in entries if item["resource"]["resourceType"] == "Observation"]
    others = [item for item in entries if item not in results]
    assert story.draft_orders is not None
    return {**story.bundle, "entry": [*others, *results[::20], *story.draft_orders["entry"]]}


DOCUMENTS = (
    pasted_bundle(),
    *(
        short(load_request(f"full-{hook}")["body"])
        for hook in ("order-sign", "order-select", "order-dispatch")
    ),
)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    members: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


PLACES = [sorted(places(item), key=lambda path: (len(path), str(path))) for item in DOCUMENTS]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    document=st.integers(0, len(DOCUMENTS) - 1),
    place=st.floats(0, 1, exclude_max=True),
    odd=st.sampled_from(ODD),
    hook=st.sampled_from((*HOOKS, *SAYING_THE_SAME)),
    changed=st.booleans(),
)
def test_an_odd_value_anywhere_is_answered_or_refused_in_words(
    service: Service, document: int, place: float, odd: Any, hook: str, changed: bool
) -> None:
    content = copy.deepcopy(DOCUMENTS[document])
    *above, name = PLACES[document][int(place * len(PLACES[document]))]
    holder: Any = content
    for step in above:
        holder = holder[step]
    holder[name] = odd
    form = {"pasted": json.dumps(content), "hook": hook, **(EVERY_CHANGE if changed else {})}
    answer = service.app.test_client().post("/bench", data=form)
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert 'id="problems"' in answer.text
