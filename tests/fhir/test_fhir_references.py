from __future__ import annotations

import pytest

from cds_service.fhir.references import parse_reference, reference_key


def test_a_reference_gives_type_id_base_and_version(references_row: dict[str, str]) -> None:
    parsed = parse_reference(references_row["text"])
    assert parsed is not None
    assert parsed.resource_type == references_row["type"]
    assert parsed.id == references_row["id"]
    assert (parsed.base or "") == references_row["base"]
    assert (parsed.version or "") == references_row["version"]
    assert parsed.key == f"{references_row['type']}/{references_row['id']}"


def test_urns_and_fragments_have_no_key() -> None:
    urn = parse_reference("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0")
    fragment = parse_reference("#med2")
    assert urn is not None
    assert urn.urn == "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    assert fragment is not None
    assert fragment.fragment == "med2"
    assert urn.key is fragment.key is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  ",
        "#",
        "p",
        "patient/p",
        "a/b/Patient/p",
        "/",
        "https://[x/Patient/p",
        "Patient/",
    ],
)
def test_what_names_no_resource_is_no_reference(text: str | None) -> None:
    assert parse_reference(text) is None
    assert reference_key(text) is None
