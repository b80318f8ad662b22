"""From the body of a call to a HookCall: the envelope and the context."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.protocol import (
    BadRequest,
    Client,
    HookCall,
    NotFound,
    Service,
    ServiceRegistry,
    read_call,
)
from cds_service.protocol.hook_definitions import HOOKS

MakeRequest = Callable[..., dict[str, Any]]


MakeService = Callable[..., Service]


EHR = Client(name="test-ehr", fhir_servers=("https://ehr.example.org/fhir",))


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


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_valid_context_of_every_hook_is_read(
    read: Read, make_request: MakeRequest, hook: str
) -> None:
    """H-01 to H-13, test (a)."""
    call = read(make_request(hook))
    assert (call.hook, call.patient_id, call.client) == (hook, "1288992", "test-ehr")


REQUIRED = [
    (hook, name)
    for hook, definition in sorted(HOOKS.items())
    for name in sorted(
        definition.required_tokens
        | ({definition.bundle_field} - {None})
        | ({"selections"} if hook == "order-select" else set())
        | ({"dispatchedOrders"} if hook == "order-dispatch" else set())
        | ({"allergyIntolerance"} if hook == "allergyintolerance-create" else set())
    )
]


@pytest.mark.parametrize(("hook", "name"), REQUIRED)
def test_a_required_context_field_removed_or_null_is_named(
    read: Read, make_request: MakeRequest, hook: str, name: str
) -> None:
    """H table test (b), D-03, N-11."""
    body = make_request(hook)
    body["context"][name] = None
    nulled = refused(read, body)
    del body["context"][name]
    removed = refused(read, body)
    for error in (nulled, removed):
        assert error.expression == (f"CDSHooksRequest.context.{name}",)
        assert error.issue_code == "required"
        assert error.status == 400


@pytest.mark.parametrize(("hook", "name"), REQUIRED)
@pytest.mark.parametrize("wrong", [17, True, "", []])
def test_a_required_context_field_of_a_wrong_type_is_named(
    read: Read, make_request: MakeRequest, hook: str, name: str, wrong: Any
) -> None:
    """H table test (c), D-03, N-11."""
    body = make_request(hook)
    body["context"][name] = wrong
    error = refused(read, body)
    assert error.expression == (f"CDSHooksRequest.context.{name}",)
    assert error.issue_code == "value"


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
@pytest.mark.parametrize("value", [None, 5, ["x"], ...])
def test_a_required_root_member_that_cannot_be_used_is_named(
    read: Read, make_request: MakeRequest, name: str, value: Any
) -> None:
    """C-02, C-03, C-06, D-03, N-11."""
    body = make_request()
    if value is ...:
        del body[name]
    else:
        body[name] = value
    error = refused(read, body, service="on-patient-view")
    assert error.expression == (f"CDSHooksRequest.{name}",)
    assert error.issue_code == ("required" if value in (None, ...) else "value")


def test_snake_case_names_are_not_the_protocols(read: Read, make_request: MakeRequest) -> None:
    """D-03."""
    body = make_request()
    body["context"] = {"patient_id": "1", "user_id": "Practitioner/1"}
    assert refused(read, body).issue_code == "required"


def test_unknown_members_are_ignored_everywhere(read: Read, make_request: MakeRequest) -> None:
    """C-06, C-08, I-50, I-51, H table test (e)."""
    body = make_request(surprise={"a": 1}, extension={"com.example.x.y": "seen"})
    body["context"]["surprise"] = [1]
    call = read(body)
    assert call.extension == {"com.example.x.y": "seen"}
    assert call.context["surprise"] == [1]


@pytest.mark.parametrize("extension", [None, [], "text", 5])
def test_an_odd_extension_never_fails_a_call(
    read: Read, make_request: MakeRequest, extension: Any
) -> None:
    """C-08."""
    assert read(make_request(extension=extension)).extension == {}


@pytest.mark.parametrize("value", [None, ""])
def test_an_optional_field_that_is_null_or_empty_is_absent(
    read: Read, make_request: MakeRequest, value: Any
) -> None:
    """C-10, H table test (d)."""
    body = make_request(fhirServer=value, fhirAuthorization=value, prefetch=None)
    body["context"]["encounterId"] = value
    call = read(body)
    assert call.encounter_id is None
    assert call.fhir_server is None
    assert call.prefetch == {}


@pytest.mark.parametrize("value", ["Patient/1", "a b", "..", "1\n2"])
def test_a_patient_id_that_is_no_bare_id_is_refused(
    read: Read, make_request: MakeRequest, value: str
) -> None:
    """I-23: the id is put into URLs."""
    body = make_request()
    body["context"]["patientId"] = value
    error = refused(read, body)
    assert error.expression == ("CDSHooksRequest.context.patientId",)


def test_an_error_never_repeats_what_was_received(read: Read, make_request: MakeRequest) -> None:
    """D-03 and the peers' fault of echoing the request."""
    body = make_request()
    body["context"]["patientId"] = {"name": "Jane Doe"}
    error = refused(read, body)
    assert "Jane" not in repr(error) + error.diagnostics + str(error.expression)


@pytest.mark.parametrize(
    "value",
    [
        "00000000-007b-9f33-e810-000000000000",
        "D1577C69-DFBE-11AD-BA6D-3E05E953B2EA",
    ],
)
def test_a_hook_instance_need_not_be_an_rfc_uuid(
    read: Read, make_request: MakeRequest, value: str
) -> None:
    """C-03, E-10."""
    assert read(make_request(hookInstance=value)).hook_instance == value


@pytest.mark.parametrize("value", ["", "1", "d1577c69dfbe44adba6d3e05e953b2ea", "x" * 36])
def test_a_hook_instance_that_is_no_uuid_is_refused(
    read: Read, make_request: MakeRequest, value: str
) -> None:
    """C-03."""
    assert refused(read, make_request(hookInstance=value)).expression == (
        "CDSHooksRequest.hookInstance",
    )


def test_the_same_hook_instance_twice_is_read_twice(read: Read, make_request: MakeRequest) -> None:
    """C-03: it is no idempotency key."""
    assert read(make_request()).hook_instance == read(make_request()).hook_instance


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"null",
        b'{"hook":',
        b'{"hook":"patient-view",}',
        b'{/* c */"hook":"patient-view"}',
        b'{"hook":NaN}',
        b'{"prefetch":{"a":{"b":Infinity}}}',
        '{"hook":"patient-view"}'.encode("utf-16"),
        b'{"hook":"\xff"}',
        b'{"prefetch":{"a":{"b":"\xff"}}}',
        b'{"context":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=range(14),
)
def test_a_body_that_is_not_one_json_object_is_refused(read: Read, body: bytes) -> None:
    """D-02, D-16, R-06, N-10."""
    assert refused(read, body).issue_code == "structure"


@pytest.mark.parametrize(
    "pair",
    [
        ('"hook"', '"hook":"order-sign","hook"'),
        ('"patientId"', '"patientId":"2","patientId"'),
        ('"patient":', '"patient":null,"patient":'),
    ],
)
def test_a_member_name_that_occurs_twice_is_refused(
    read: Read, make_request: MakeRequest, pair: tuple[str, str]
) -> None:
    """D-16, N-10: two readers of such a body could see two patients."""
    body = make_request(prefetch={"patient": {"resourceType": "Patient"}})
    text = json.dumps(body, separators=(",", ":"))
    assert pair[0] in text
    assert "twice" in refused(read, text.replace(*pair).encode()).diagnostics


def test_a_byte_order_mark_is_overlooked(read: Read, make_request: MakeRequest) -> None:
    """RFC 8259 section 8.1 allows a reader to ignore it."""
    assert read(b"\xef\xbb\xbf" + json.dumps(make_request()).encode()).patient_id == "1288992"


def test_a_hook_that_is_not_registered_for_the_id_is_refused(
    read: Read, make_request: MakeRequest
) -> None:
    """D-04, N-12, and the peers' fault of dispatching by the body alone."""
    error = refused(read, make_request("order-sign"), service="on-patient-view")
    assert error.expression == ("CDSHooksRequest.hook",)


def test_an_unknown_service_is_not_found_whatever_the_body(read: Read) -> None:
    """D-01, E-54."""
    with pytest.raises(NotFound):
        read(b"nonsense", service="nobody")
