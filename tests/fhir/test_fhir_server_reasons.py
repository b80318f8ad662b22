"""What is repeated of a server's refusal: enough to mend the query, nothing that names a person."""

from __future__ import annotations

import json

import pytest

from cds_service.fhir.server_reasons import LENGTH, server_reason


def refusal(*said: str, **more: object) -> bytes:
    issue = [{"severity": "error", "code": "invalid", "diagnostics": text} for text in said]
    return json.dumps({"resourceType": "OperationOutcome", "issue": issue, **more}).encode()


@pytest.mark.parametrize(
    ("said", "repeated"),
    [
        ("Required parameter intent is missing", "Required parameter intent is missing"),
        (
            "Either 'patient' and 'intent' must be provided for MedicationRequest.",
            "Either 'patient' and 'intent' must be provided for MedicationRequest.",
        ),
        ("HAPI-0302: Unknown search parameter", "HAPI-0302: Unknown search parameter"),
        ("Patient Ada Lovelace not found", "Patient … not found"),
        ("patient lovelace not found", "patient … not found"),
        ("no patient with status 1961-03-02 or 4711", "no patient with status … or"),
        ("search on patient=p-17 is not allowed", "search on patient=… is not allowed"),
        ("use https://ehr.example.org/fhir/Patient/p-17 for this", "use … for this"),
        ("access denied for ada@example.org", "access denied for"),
    ],
)
def test_only_words_that_name_nobody_are_repeated(said: str, repeated: str) -> None:
    assert server_reason(refusal(said)) == repeated


def test_the_id_of_the_patient_is_left_out_even_where_it_is_a_word() -> None:
    assert server_reason(refusal("patient required not found"), ("required",)) == (
        "patient … not found"
    )


def test_the_words_of_the_details_are_read_where_there_are_no_diagnostics() -> None:
    issue = {"severity": "error", "code": "required", "details": {"text": "intent is required"}}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    assert server_reason(body) == "intent is required"


def test_several_issues_are_named_once_each_and_shortened() -> None:
    assert server_reason(refusal("not found", "not found", "bad request")) == (
        "not found; bad request"
    )
    assert len(server_reason(refusal("required parameter missing " * 40))) <= LENGTH


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>error</html>", b"{", b"[]", b'{"resourceType": "Bundle"}',
     b'{"resourceType": "OperationOutcome", "issue": {"diagnostics": "x"}}',
     b'{"resourceType": "OperationOutcome", "issue": [{"diagnostics": 5}]}', b"[" * 5000],
)  # fmt: skip
def test_what_is_no_outcome_says_nothing(body: bytes) -> None:
    assert server_reason(body) == ""
