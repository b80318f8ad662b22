"""Comparing addresses, and the shape of an error."""

from __future__ import annotations

import pytest

from cds_service.protocol import BadRequest, InternalError, operation_outcome
from cds_service.protocol.urls import is_below, is_same_endpoint, names_private_address

BASE = "https://ehr.example.org/fhir"


@pytest.mark.parametrize(
    ("address", "below"),
    [
        (BASE, True),
        (BASE + "/", True),
        ("HTTPS://EHR.example.org:443/fhir/r4", True),
        ("https://ehr.example.org/fhirs", False),
        ("https://ehr.example.org/FHIR", False),
        ("https://ehr.example.org:8443/fhir", False),
        ("https://ehr.example.org/fhir#x", False),
        ("https://ehr.example.org/fhir?x", False),
        ("https://ehr.example.org/fhir/./x/..", False),
        ("fhir", False),
    ],
)
def test_an_address_lies_below_a_base_by_whole_segments(address: str, below: bool) -> None:
    """R-78."""
    assert is_below(address, BASE) is below
    assert is_below(address, "no address") is False


def test_text_that_is_no_address_is_never_the_same_endpoint() -> None:
    """R-165."""
    assert not is_same_endpoint("sand_man", "sand_man")


@pytest.mark.clause("R-165", "D-14", "S-05")
@pytest.mark.parametrize(
    ("audience", "same"),
    [
        ("https://cds.example.org/cds-services/a", True),
        ("https://cds.example.org//cds-services/a", True),
        ("https://cds.example.org/cds-services//a/", True),
        ("https://cds.example.org/cds-services/b", False),
        ("https://cds.example.org/cds-servicesa", False),
        ("https://cds.example.org:444/cds-services/a", False),
        ("http://cds.example.org/cds-services/a", False),
    ],
)
def test_a_doubled_slash_names_the_same_endpoint(audience: str, same: bool) -> None:
    assert is_same_endpoint(audience, "https://cds.example.org/cds-services/a") is same


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("http://127.0.0.1/", True),
        ("http://169.254.169.254/", True),
        ("http://[::1]:80/", True),
        ("http://localhost", True),
        ("http://a.localhost", True),
        ("https://8.8.8.8/", False),
        ("https://ehr.example.org", False),
        ("no address", False),
    ],
)
def test_a_host_written_as_a_private_address_is_known(address: str, private: bool) -> None:
    """R-78, N-22."""
    assert names_private_address(address) is private


def test_an_outcome_says_only_what_there_is_to_say() -> None:
    """R-90, R-04."""
    assert operation_outcome(BadRequest(), "c-1") == {
        "resourceType": "OperationOutcome",
        "id": "c-1",
        "issue": [{"severity": "error", "code": "structure"}],
    }
    fault = operation_outcome(InternalError("It failed.", expression="a.b"), "c-2")
    assert fault["issue"] == [
        {
            "severity": "fatal",
            "code": "exception",
            "diagnostics": "It failed. Correlation id: c-2",
            "expression": ["a.b"],
        }
    ]
