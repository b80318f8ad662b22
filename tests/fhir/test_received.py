"""A resource as it was sent: all of it, or none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.fhir.received import AsReceived

ORDER = b'{"resourceType":"MedicationRequest","id":"a","status":"active","x":{"y":1.50,"z":null}}'


def bundle(*resources: bytes) -> bytes:
    entries = b",".join(b'{"resource":' + one + b"}" for one in resources)
    return b'{"resourceType":"Bundle","entry":[' + entries + b"]}"


@pytest.mark.parametrize("text", [ORDER, bundle(ORDER), b"\xef\xbb\xbf " + bundle(ORDER)])
def test_every_element_comes_back_with_all_its_digits(text: bytes) -> None:
    found = AsReceived((text,)).whole("MedicationRequest/a")

    assert found == {
        "resourceType": "MedicationRequest",
        "id": "a",
        "status": "active",
        "x": {"y": Decimal("1.50"), "z": None},
    }
    assert str(found["x"]["y"]) == "1.50"


def test_the_same_copy_sent_twice_is_one() -> None:
    assert AsReceived((bundle(ORDER), ORDER)).whole("MedicationRequest/a") is not None


@pytest.mark.parametrize(
    "texts",
    [
        (),
        (b"not JSON",),
        (b"[]",),
        (b'{"resourceType":"Bundle","entry":{"resource":1}}',),
        (bundle(ORDER.replace(b'"a"', b'"b"')),),
        (ORDER, ORDER.replace(b"active", b"on-hold")),
        (ORDER.replace(b'"x":{', b'"meta":{"tag":[{"code":"SUBSETTED"}]},"x":{'),),
        (ORDER.replace(b'"x":{', b'"meta":{"tag":"SUBSETTED"},"x":{'),),
        (ORDER.replace(b'"x":{', b'"meta":[],"x":{'),),
        (ORDER.replace(b'"x":{', b'"medication":{'),),
    ],
    ids=[
        "nothing came",
        "no JSON",
        "no resource",
        "no entries",
        "another one",
        "two that differ",
        "in part",
        "a tag in an odd shape",
        "meta in an odd shape",
        "R5",
    ],
)
def test_what_cannot_be_sent_back_as_it_is_is_not_given(texts: tuple[bytes, ...]) -> None:
    assert AsReceived(texts).whole("MedicationRequest/a") is None


@pytest.mark.parametrize("reference", ["", "a", "MedicationRequest/", "/a"])
def test_a_reference_that_names_nothing_finds_nothing(reference: str) -> None:
    assert AsReceived((ORDER,)).whole(reference) is None
