"""Requests made from the API description: right ones, and ones that break it on purpose."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from cds_service.protocol import api_description
from tests.depth import SEED, share
from tests.fuzz.conftest import Target

pytestmark = pytest.mark.long

EACH = share(320)
"""Requests for each operation and kind: with 8 operations more than 5,000."""
OPERATIONS = sorted(
    path for path, methods in api_description()["paths"].items() if "post" in methods
)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", OPERATIONS)
def test_no_generated_request_breaks_the_service(
    target: Target, path: str, mode: GenerationMode
) -> None:
    described = schemathesis.openapi.from_wsgi("/openapi.json", target.app)
    before = sum(target.statuses.values())

    @seed(SEED)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described[path]["POST"].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call()
        target.judge(answer.status_code, answer.content, case.body)

    ask()
    # A generator that gives up early would prove nothing.
    assert sum(target.statuses.values()) - before >= EACH // 2
