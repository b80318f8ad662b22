"""Valid calls with random charts at every hook: cards or a clear refusal, never a fault."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hooks import DEFINITIONS
from hooks.data import EVERYTHING
from tests.depth import SEED, share
from tests.facts.records import Json
from tests.facts.test_ways_of_sending import charts, irrelevant
from tests.fuzz.conftest import Target

pytestmark = pytest.mark.long

PARTS = 4
EACH = share(550)
"""Charts a part. Making one costs more than a call, so each is sent to all seven hooks: more than
15,000 calls together."""
TYPES = {kind.key: re.split(r"[?/]", kind.query)[0] for kind in EVERYTHING}


def _bundle(resources: list[Json], kind: str = "searchset") -> Json:
    entries = [{"resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@st.composite
def calls(draw: st.DrawFn) -> tuple[Json, list[Json]]:
    """What each hook is told of one chart, its kinds of data whole, null, an outcome or not there;
    and the draft orders."""
    patient, resources, drafts = draw(charts())
    resources = resources + draw(irrelevant())
    person = next((item for item in resources if item["resourceType"] == "Patient"), None)
    prefetch: Json = {}
    for key, asked_for in TYPES.items():
        how = draw(st.sampled_from(("share",) * 20 + ("all",) * 4 + ("null", "outcome", "absent")))
        if how in ("share", "all"):
            # What was asked for there, or all resources under many keys.
            shown = [one for one in resources if how == "all" or one["resourceType"] == asked_for]
            prefetch[key] = person if key == "patient" else _bundle(shown)
        elif how != "absent":
            outcome = {"resourceType": "OperationOutcome", "issue": []}
            prefetch[key] = None if how == "null" else outcome
    context: Json = {"patientId": patient, "userId": "Practitioner/a", "encounterId": "e"}
    return {"context": context, "prefetch": prefetch}, drafts


def _body(hook: str, told: Json, drafts: list[Json]) -> Json:
    named = [f"{item['resourceType']}/{item.get('id', 'x')}" for item in drafts] or ["Task/none"]
    bundle = _bundle(drafts, "collection")
    of_hook: Json = {
        "order-select": {"draftOrders": bundle, "selections": named},
        "order-sign": {"draftOrders": bundle},
        "order-dispatch": {"dispatchedOrders": named, "performer": "Organization/p"},
        "medication-prescribe": {"medications": bundle},
        "medication-refill": {"medications": bundle},
    }.get(hook, {})
    return {
        **told,
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {**told["context"], **of_hook},
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_no_random_chart_breaks_the_service(target: Target, part: int) -> None:
    asked: Counter[str] = Counter()

    @seed(SEED + part)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(call=calls())
    def ask(call: tuple[Json, list[Json]]) -> None:
        for definition in DEFINITIONS:
            before = target.statuses[200]
            body = json.dumps(_body(definition.hook, *call)).encode()
            target.post(f"/cds-services/{definition.id}", body, (part, definition.hook))
            asked[definition.hook] += target.statuses[200] - before

    ask()
    # Most of them must have been decided at every hook, or nothing was tried but the door.
    assert len(asked) == len(DEFINITIONS)
    assert min(asked.values()) > EACH // 2
