"""From the body of a call to a HookCall: FHIR access, prefetch and drafts."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from cds_service.protocol import (
    BadRequest,
    Client,
    HookCall,
    Service,
    ServiceRegistry,
    read_call,
    ready_profiles,
)
from cds_service.protocol.hook_definitions import HOOKS, hook_definition
from cds_service.protocol.models_request import OrderDispatchContext

MakeRequest = Callable[..., dict[str, Any]]


MakeService = Callable[..., Service]


EHR = Client(name="test-ehr", fhir_servers=("https://ehr.example.org/fhir",))


AUTHORIZATION = {
    "access_token": "secret-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Patient.read",
    "subject": "client-id",
}


@pytest.fixture
def registry(make_service: MakeService) -> ServiceRegistry:
    return ServiceRegistry(make_service(id=f"on-{hook}", hook=hook, prefetch=()) for hook in HOOKS)


@pytest.fixture
def read(registry: ServiceRegistry) -> Callable[..., HookCall]:
    def read_body(body: dict[str, Any] | bytes, client: Client = EHR, **kwargs: Any) -> HookCall:
        if isinstance(body, bytes):
            return read_call(
                body, kwargs.get("service", "on-patient-view"), registry, client=client
            )
        service = kwargs.get("service", f"on-{body.get('hook', 'patient-view')}")
        return read_call(json.dumps(body).encode(), service, registry, client=client)

    return read_body


Read = Callable[..., HookCall]


def refused(read: Read, body: Any, **kwargs: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(body, **kwargs)
    return caught.value


def test_fhir_authorization_without_a_server_is_refused(
    read: Read, make_request: MakeRequest
) -> None:
    """C-04, N-13, cds-r-1."""
    error = refused(read, make_request(fhirAuthorization=AUTHORIZATION))
    assert error.expression == ("CDSHooksRequest.fhirServer",)
    assert error.issue_code == "required"


def test_fhir_access_is_read_and_hidden(read: Read, make_request: MakeRequest) -> None:
    """C-04, C-05, R-75, R-77."""
    call = read(
        make_request(fhirServer="https://ehr.example.org/fhir/", fhirAuthorization=AUTHORIZATION)
    )
    assert call.fhir_server == "https://ehr.example.org/fhir"
    assert call.access_token == "secret-token"
    assert call.access_token_expires_in == 300
    assert "secret-token" not in repr(call)
    assert "1288992" not in repr(call)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_type": "bearer"},
        {"expires_in": "300"},
        {"scope": None, "subject": ""},
        {"extra": {"a": 1}},
    ],
)
def test_fhir_authorization_is_read_leniently(
    read: Read, make_request: MakeRequest, changes: dict[str, Any]
) -> None:
    """C-05."""
    call = read(
        make_request(
            fhirServer="https://ehr.example.org/fhir",
            fhirAuthorization={**AUTHORIZATION, **changes},
        )
    )
    assert call.access_token == "secret-token"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"access_token": None}, "access_token"),
        ({"access_token": "a\r\nX: y"}, "access_token"),
        ({"access_token": ["a"]}, "access_token"),
        ({"token_type": "mac"}, "token_type"),
        ({"expires_in": "soon"}, "expires_in"),
    ],
)
def test_fhir_authorization_that_cannot_be_used_is_named(
    read: Read, make_request: MakeRequest, changes: dict[str, Any], name: str
) -> None:
    """C-05."""
    body = make_request(
        fhirServer="https://ehr.example.org/fhir", fhirAuthorization={**AUTHORIZATION, **changes}
    )
    assert refused(read, body).expression == (f"CDSHooksRequest.fhirAuthorization.{name}",)


@pytest.mark.parametrize(
    "server",
    [
        "http://169.254.169.254/",
        "https://evil.example/fhir",
        "https://ehr.example.org/fhir-other",
        "https://ehr.example.org/fhir/../admin",
        "https://ehr.example.org/fhir/%2e%2e/admin",
        "https://ehr.example.org@evil.example/fhir",
        "http://ehr.example.org/fhir",
        "ftp://ehr.example.org/fhir",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir\\..",
        "https://",
        "not a url",
    ],
)
def test_a_fhir_server_that_is_not_agreed_is_refused(
    read: Read, make_request: MakeRequest, server: str
) -> None:
    """R-78, N-22: no token can follow it anywhere."""
    body = make_request(fhirServer=server, fhirAuthorization=AUTHORIZATION)
    assert refused(read, body).expression == ("CDSHooksRequest.fhirServer",)


def test_a_client_without_agreed_servers_is_served_from_its_prefetch(
    read: Read, make_request: MakeRequest
) -> None:
    """R-78: the address and the token are dropped, so nothing can use them."""
    call = read(
        make_request(fhirServer="https://evil.example/fhir", fhirAuthorization=AUTHORIZATION),
        client=Client(name="prefetch-only"),
    )
    assert (call.fhir_server, call.access_token) == (None, None)


def test_an_agreed_server_without_a_token_is_kept(read: Read, make_request: MakeRequest) -> None:
    """R-75: open servers are read without a token."""
    call = read(make_request(fhirServer="https://ehr.example.org/fhir/r4"))
    assert (call.fhir_server, call.access_token) == ("https://ehr.example.org/fhir/r4", None)


def test_prefetch_keeps_raw_json_null_and_absence_apart(
    read: Read, make_request: MakeRequest
) -> None:
    """C-07, R-62, R-63."""
    text = json.dumps(make_request())[:-1] + (
        ', "prefetch": {"patient": {"resourceType" : "Patient", "x": 1.50}, "labs": null,'
        ' "empty": {}, "blank": "", "extra": {"resourceType": "Bundle"}}}'
    )
    call = read(text.encode())
    assert call.prefetch == {
        "patient": b'{"resourceType" : "Patient", "x": 1.50}',
        "labs": None,
        "extra": b'{"resourceType":"Bundle"}'.replace(b":", b": "),
    }


@pytest.mark.parametrize("prefetch", [None, {}, ...])
def test_prefetch_may_be_absent_empty_or_null(
    read: Read, make_request: MakeRequest, prefetch: Any
) -> None:
    """C-07, C-11, and the peers' crash on a request without prefetch."""
    body = make_request() if prefetch is ... else make_request(prefetch=prefetch)
    assert read(body).prefetch == {}


@pytest.mark.parametrize("value", [5, "<html>error</html>", [{}], False])
def test_a_prefetch_value_that_is_no_resource_costs_its_key_only(
    make_service: MakeService, make_request: MakeRequest, value: Any
) -> None:
    """C-07, D-03: it was sent and cannot be read, which is not the same as not sent."""
    registry = ServiceRegistry([make_service()])
    body = make_request(prefetch={"patient": value, "item1": {"resourceType": "Patient"}})
    call = read_call(json.dumps(body).encode(), "greeting", registry, client=EHR)
    assert set(call.prefetch) == {"item1"}
    assert call.unreadable_prefetch == {"patient"}


def test_prefetch_that_is_an_array_is_refused(read: Read, make_request: MakeRequest) -> None:
    """D-03."""
    assert refused(read, make_request(prefetch=[1])).expression == ("CDSHooksRequest.prefetch",)


def test_draft_orders_come_as_received_with_exact_numbers(
    read: Read, make_request: MakeRequest
) -> None:
    """R-131, X-13, S-06: an order without a drug, of odd shape, is read as it is."""
    text = json.dumps(make_request("order-sign")).replace(
        '"id": "103"', '"id": "103", "category": {"odd": []}, "dose": 1.50, "status": "on-hold"'
    )
    call = read(text.encode(), service="on-order-sign")
    (order,) = call.draft_orders
    assert str(order["dose"]) == "1.50"
    assert isinstance(order["dose"], Decimal)
    assert order["category"] == {"odd": []}


def test_a_medication_that_rides_along_is_no_order(read: Read, make_request: MakeRequest) -> None:
    """E-12, E-11."""
    body = make_request("order-select")
    body["context"]["draftOrders"]["entry"].append(
        {
            "fullUrl": "urn:uuid:5d1d2b3c-0000-4000-8000-000000000000",
            "resource": {"resourceType": "Medication", "id": "m" * 200},
        }
    )
    call = read(body)
    assert [order["resourceType"] for order in call.draft_orders] == ["MedicationRequest"]
    assert len(call.draft_bundle_resources) == 2
    medication = call.draft_bundle_resources[1]
    assert call.draft_resource("Medication/" + "m" * 200) is medication
    assert call.draft_resource("urn:uuid:5d1d2b3c-0000-4000-8000-000000000000") is medication
    assert call.draft_resource("Medication/other") is None
    assert call.selections == ("MedicationRequest/103",)


def test_a_draft_without_an_id_is_still_an_order(read: Read, make_request: MakeRequest) -> None:
    """C-23: drafts are unsaved."""
    body = make_request("order-sign")
    del body["context"]["draftOrders"]["entry"][0]["resource"]["id"]
    call = read(body)
    assert len(call.draft_orders) == 1
    assert call.draft_resources_by_reference == {}


@pytest.mark.parametrize(
    "entry", [{}, None, {"resource": None}, {"resource": "x"}, {"resource": {"id": "1"}}]
)
def test_an_entry_that_holds_no_resource_is_named(
    read: Read, make_request: MakeRequest, entry: Any
) -> None:
    """D-02: an order that cannot be seen would go unchecked."""
    body = make_request("order-sign")
    body["context"]["draftOrders"]["entry"].append(entry)
    assert refused(read, body).expression == (
        "CDSHooksRequest.context.draftOrders.entry[1].resource",
    )


def test_entries_that_are_no_array_are_named(read: Read, make_request: MakeRequest) -> None:
    """D-02."""
    body = make_request("order-sign")
    body["context"]["draftOrders"]["entry"] = {"resource": {}}
    assert refused(read, body).expression == ("CDSHooksRequest.context.draftOrders.entry",)


@pytest.mark.parametrize("entries", [[], None, ...])
def test_a_bundle_without_entries_has_no_orders(
    read: Read, make_request: MakeRequest, entries: Any
) -> None:
    """E-05."""
    body = make_request("order-sign")
    if entries is ...:
        del body["context"]["draftOrders"]["entry"]
    else:
        body["context"]["draftOrders"]["entry"] = entries
    assert read(body).draft_orders == ()


def test_a_resource_that_is_no_bundle_is_refused(read: Read, make_request: MakeRequest) -> None:
    """D-03."""
    body = make_request("order-sign")
    body["context"]["draftOrders"] = {"resourceType": "Patient"}
    assert refused(read, body).expression == ("CDSHooksRequest.context.draftOrders",)


def test_absent_drafts_are_borne_only_for_a_client_known_to_send_none(
    read: Read, make_request: MakeRequest
) -> None:
    """D-17, S-07."""
    body = make_request("order-select")
    del body["context"]["draftOrders"], body["context"]["selections"]
    assert refused(read, body).issue_code == "required"
    tolerant = Client(name="sandbox", habits=ready_profiles()["cds-hooks-sandbox"])
    call = read(body, client=tolerant)
    assert (call.draft_orders, call.selections) == ((), ())


@pytest.mark.clause("E-05")
@pytest.mark.parametrize("drafts", [None, {}, ...])
def test_a_selection_whose_drafts_were_held_back_stays_known(
    read: Read, make_request: MakeRequest, drafts: Any
) -> None:
    """Without the scope for unsigned orders an EHR sends the selection alone."""
    body = make_request("order-select")
    body["context"]["draftOrders"] = drafts
    if drafts is ...:
        del body["context"]["draftOrders"]
    refused(read, body)
    call = read(body, client=Client(name="epic", habits=ready_profiles()["epic"]))
    assert (call.draft_orders, call.selections) == ((), ("MedicationRequest/103",))


def test_a_refill_needs_no_user(read: Read, make_request: MakeRequest) -> None:
    """R-215."""
    call = read(make_request("medication-refill"))
    assert call.user_id is None
    assert [order["id"] for order in call.draft_orders] == ["104"]


def test_order_dispatch_without_tasks_is_read(read: Read, make_request: MakeRequest) -> None:
    """C-10, H-04 test (d)."""
    body = make_request("order-dispatch")
    body["context"]["fulfillmentTasks"] = None
    assert read(body).context["fulfillmentTasks"] == []
    with pytest.raises(ValidationError):
        OrderDispatchContext.model_validate([])


@pytest.mark.parametrize("name", ["fulfillmentTasks", "fulfillment-tasks", "task"])
def test_the_three_spellings_of_order_dispatch_are_read(
    read: Read, make_request: MakeRequest, name: str
) -> None:
    """X-09, E-58, R-216."""
    task = {"resourceType": "Task", "status": "draft"}
    body = make_request("order-dispatch")
    body["context"][name] = task if name == "task" else [task]
    if name == "task":
        body["context"]["order"] = body["context"].pop("dispatchedOrders")[0]
    call = read(body)
    assert call.context["fulfillmentTasks"] == [task]
    assert call.context["dispatchedOrders"] == ["ServiceRequest/proc002"]


def test_an_unexpected_user_type_is_answered_and_noted(
    read: Read, make_request: MakeRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """H table test (f)."""
    body = make_request("order-sign")
    body["context"]["userId"] = "Patient/1288992"
    assert read(body).user_id == "Patient/1288992"
    (record,) = caplog.records
    assert "does not expect" in record.getMessage()
    assert "1288992" not in str(record.__dict__)


def test_a_hook_of_ones_own_is_named_like_a_reversed_domain(
    make_service: MakeService, make_request: MakeRequest
) -> None:
    """R-198."""
    hook = "org.example.patient-board"
    registry = ServiceRegistry([make_service(hook=hook)])
    body = {**make_request(), "hook": hook}
    assert read_call(json.dumps(body).encode(), "greeting", registry, client=EHR).hook == hook
    assert hook_definition("board") is None
