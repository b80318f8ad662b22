"""The registry: what it refuses, how it dispatches, what discovery says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.protocol import (
    BadRequest,
    NotFound,
    PrefetchTemplate,
    RegistryError,
    Service,
    ServiceRegistry,
)

MakeService = Callable[..., Service]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": "feedback"}, id="R-17 feedback"),
        pytest.param({"id": "a/b"}, id="R-17"),
        pytest.param({"id": ""}, id="R-17 empty"),
        pytest.param({"id": ".."}, id="R-17 dots"),
        pytest.param({"title": ""}, id="R-15"),
        pytest.param({"description": " "}, id="R-16"),
        pytest.param({"usage_requirements": ""}, id="R-20"),
        pytest.param({"hook": "patient-veiw"}, id="R-14 R-198"),
        pytest.param(
            {"prefetch": (PrefetchTemplate("a", "Patient/{{user}}", False, "why"),)}, id="R-18"
        ),
        pytest.param(
            {"prefetch": (PrefetchTemplate("a", "Patient/1", False, "why"),) * 2}, id="R-19"
        ),
    ],
)
def test_a_service_that_breaks_a_rule_is_not_offered(
    make_service: MakeService, changes: dict[str, Any]
) -> None:
    """The clause is the id of the case."""
    with pytest.raises(RegistryError):
        ServiceRegistry([make_service(**changes)])


def test_the_same_service_cannot_be_registered_twice(make_service: MakeService) -> None:
    """The peers' fault: a second service replaces the first in silence."""
    with pytest.raises(RegistryError, match="twice"):
        ServiceRegistry([make_service(), make_service()])


def test_two_services_on_one_hook_and_one_id_on_two_hooks_live_together(
    make_service: MakeService,
) -> None:
    """R-23, R-201 and the peers' fault of one handler per hook."""
    one = make_service(id="one")
    two = make_service(id="two")
    also = make_service(id="one", hook="order-sign")
    registry = ServiceRegistry([one, two, also])
    assert registry.find("one", "patient-view") is one
    assert registry.find("two", "patient-view") is two
    assert registry.find("one", "order-sign") is also
    assert registry.services == (one, two, also)
    with pytest.raises(BadRequest):
        registry.find("two", "order-sign")
    with pytest.raises(NotFound):
        registry.find("three", "order-sign")


def test_discovery_lists_every_service_with_its_templates(make_service: MakeService) -> None:
    """R-11, R-14 to R-22, R-23."""
    registry = ServiceRegistry(
        [
            make_service(usage_requirements="Needs a patient."),
            make_service(hook="order-sign", prefetch=(), hook_version="1.0"),
        ]
    )
    assert json.loads(registry.discovery().to_json()) == {
        "services": [
            {
                "hook": "patient-view",
                "title": "Greeting",
                "description": "Greets the reader.",
                "id": "greeting",
                "prefetch": {"patient": "Patient/{{context.patientId}}"},
                "usageRequirements": "Needs a patient.",
                "version": "2.0.1",
            },
            {
                "hook": "order-sign",
                "title": "Greeting",
                "description": "Greets the reader.",
                "id": "greeting",
                "version": "2.0.1",
                "hookVersion": "1.0",
            },
        ]
    }
