"""Valid calls with random charts at every hook: cards or a clear refusal, never a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hooks import DEFINITIONS
from hooks.data import EVERYTHING
from tests.facts.records import Json
from tests.facts.test_ways_of_sending import charts, irrelevant
from tests.fuzz.conftest import Target

pytestmark = pytest.mark.slow

EACH = 2200
"""Calls for each of the seven hooks: more than 15,000."""
KEYS = [kind.key for kind in EVERYTHING]


def _bundle(resources: list[Json], kind: str = "searchset") -> Json:
    entries = [{"resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@st.composite
def calls(draw: st.DrawFn, hook: str) -> Json:
    """A call of a hook: each kind of data whole, null, an outcome or not there."""
    patient, resources, drafts = draw(charts())
    resources = resources + draw(irrelevant())
    person = next((item for item in resources if item["resourceType"] == "Patient"), None)
    prefetch: Json = {}
    for key in KEYS:
        how = draw(st.sampled_from(("sent",) * 12 + ("null", "outcome", "absent")))
        if how == "sent":
            prefetch[key] = person if key == "patient" else _bundle(resources)
        elif how != "absent":
            outcome = {"resourceType": "OperationOutcome", "issue": []}
            prefetch[key] = None if how == "null" else outcome
    context: Json = {"patientId": patient, "userId": "Practitioner/a", "encounterId": "e"}
    named = [f"{item['resourceType']}/{item.get('id', 'x')}" for item in drafts] or ["Task/none"]
    bundle = _bundle(drafts, "collection")
    context |= {
        "order-select": {"draftOrders": bundle, "selections": named},
        "order-sign": {"draftOrders": bundle},
        "order-dispatch": {"dispatchedOrders": named, "performer": "Organization/p"},
        "medication-prescribe": {"medications": bundle},
        "medication-refill": {"medications": bundle},
    }.get(hook, {})
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": prefetch,
    }


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda item: item.hook)
def test_no_random_chart_breaks_the_service(target: Target, definition: Any) -> None:
    path = f"/cds-services/{definition.id}"

    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=calls(definition.hook))
    def ask(body: Json) -> None:
        target.post(path, json.dumps(body).encode(), definition.hook)

    before = target.statuses[200]
    ask()
    # Most of them must have been decided, or nothing was tried but the door.
    assert target.statuses[200] - before > EACH // 5
