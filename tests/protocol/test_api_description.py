"""The OpenAPI description is kept by hand: here it is held equal to models, routes and answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel

from cds_service.protocol import api_description, models_request, models_response
from cds_service.protocol.hook_definitions import hook_definition
from hooks import DEFINITIONS

DESCRIBED = api_description("https://cds.example.org")
SCHEMAS: dict[str, Any] = DESCRIBED["components"]["schemas"]
RECEIVED = (
    "FhirAuthorization", "PatientViewContext", "EncounterStartContext", "OrderSelectContext",
    "OrderSignContext", "OrderDispatchContext", "MedicationPrescribeContext",
    "MedicationRefillContext", "FeedbackRequest", "FeedbackItem", "AcceptedSuggestion",
    "GivenOverrideReason", "ReceivedCoding",
)  # fmt: skip
SENT = (
    "Discovery", "ServiceDescription", "CdsResponse", "Card", "Source", "Coding", "OverrideReason",
    "Suggestion", "Action", "Link",
)  # fmt: skip


def _members(model: type[BaseModel]) -> dict[str, bool]:
    """The JSON name of each member, and whether it is needed."""
    found = {}
    for name, field in model.model_fields.items():
        alias: Any = field.validation_alias or field.alias or name
        if isinstance(alias, AliasChoices):
            alias = alias.choices[0]
        found[str(alias)] = field.is_required()
    return found


def _compared(name: str, model: type[BaseModel]) -> None:
    members = _members(model)
    assert set(SCHEMAS[name]["properties"]) == set(members)
    needed = {member for member, required in members.items() if required}
    assert needed <= set(SCHEMAS[name].get("required", ()))


@pytest.mark.parametrize("name", RECEIVED)
def test_what_is_received_is_described_as_it_is_read(name: str) -> None:
    model = getattr(models_request, name)
    _compared(name, model)
    needed = {member for member, required in _members(model).items() if required}
    assert set(SCHEMAS[name].get("required", ())) == needed


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_is_described_as_it_is_written(name: str) -> None:
    _compared(name, getattr(models_response, name))
    assert SCHEMAS[name]["additionalProperties"] is False


def test_the_envelope_is_the_one_that_is_read() -> None:
    _compared("Envelope", models_request.HookRequest)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda item: item.id)
def test_every_service_has_its_path_and_the_context_of_its_hook(definition: Any) -> None:
    post = DESCRIBED["paths"][f"/cds-services/{definition.id}"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    assert SCHEMAS[body]["properties"]["hook"] == {"const": definition.hook}
    context = SCHEMAS[body]["properties"]["context"]["$ref"].split("/")[-1]
    hook = hook_definition(definition.hook)
    assert hook is not None
    assert hook.context_model.__name__ == context


def test_there_are_no_paths_but_those_of_the_services_and_of_operation() -> None:
    ours = {f"/cds-services/{item.id}" for item in DEFINITIONS}
    others = {"/cds-services", "/cds-services/{id}/feedback", "/health", "/openapi.json"}
    others |= {"/health/live", "/health/ready"}
    assert set(DESCRIBED["paths"]) == ours | others


def test_every_reference_leads_somewhere() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(target := value.get("$ref"), str):
                found: Any = DESCRIBED
                for step in target.removeprefix("#/").split("/"):
                    found = found[step]
            for member in value.values():
                walk(member)
        elif isinstance(value, list):
            for member in value:
                walk(member)

    walk(DESCRIBED)


def test_the_server_is_where_clients_reach_it() -> None:
    assert DESCRIBED["servers"] == [{"url": "https://cds.example.org"}]
    assert api_description()["servers"] == [{"url": "/"}]
