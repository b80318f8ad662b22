"""What the service can be compared with beside the echoes: HealthChain with three fixed cards.

It runs in an environment of its own, because the project does not need it:

    python -m venv /somewhere && /somewhere/bin/pip install healthchain gunicorn
    python -m benchmarks --healthchain /somewhere/bin/python
"""

from __future__ import annotations

import os
from typing import Any

from healthchain.gateway import CDSHooksService, HealthChainAPI  # type: ignore[import-not-found]
from healthchain.models import Card, CDSRequest, CDSResponse  # type: ignore[import-not-found]

_CARDS = [
    Card(
        summary=f"Static card {number} of an application that decides nothing",
        detail="The same text for every patient.",
        indicator="info",
        source={"label": "Benchmark"},
    )
    for number in (1, 2, 3)
]


def application() -> Any:
    """The application as HealthChain serves it, with the service that is asked."""
    service = CDSHooksService()

    @service.hook("order-sign", id=os.environ["BENCHMARK_SERVICE_ID"])  # type: ignore[untyped-decorator]
    def answer(_: CDSRequest) -> CDSResponse:
        return CDSResponse(cards=_CARDS)

    made = HealthChainAPI()
    made.register_service(service)
    return made
