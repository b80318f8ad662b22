"""ROS1 as a laboratory of the site, a name and an order say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.facts import FactReader
from tests.facts import records
from tests.facts.records import Json, condition, facts_of, knowledge, resource, stated

SITE = "urn:oid:1.2.3"
LOCAL = """
laboratory: City Lab
value_sets:
- {system: "urn:oid:1.2.3", code: ROS-F, value_set: ROS1 test by FISH}
- {system: "urn:oid:1.2.3", code: ROS-S, value_set: ROS1 test by immunohistochemistry}
"""


@pytest.fixture
def at_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "local.yaml"
    file.write_text(LOCAL, encoding="utf-8")
    reader = FactReader(knowledge().with_local(file))
    monkeypatch.setattr(records, "reader", lambda: reader)


def ros1_test(code: Json, answer: str = "LA6576-8", **more: object) -> Json:
    value = {"coding": [{"system": "http://loinc.org", "code": answer}]}
    body = {"status": "final", "code": code, "effectiveDateTime": "2026-10-01",
            "valueCodeableConcept": value, **more}  # fmt: skip
    return resource("Observation", body)


def coded(code: str) -> Json:
    return {"coding": [{"system": SITE, "code": code}]}


@pytest.mark.usefixtures("at_the_site")
@pytest.mark.parametrize(
    ("code", "answer", "expected"),
    [
        ("ROS-F", "LA6576-8", "rearranged"),
        ("ROS-F", "LA6577-6", "wild type"),
        ("ROS-S", "LA6576-8", "unconfirmed"),
        ("ROS-S", "LA6577-6", None),
    ],
)
def test_a_test_that_the_site_mapped(code: str, answer: str, expected: str | None) -> None:
    assert stated(facts_of(ros1_test(coded(code), answer)), "ROS1 gene") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ROS1 FISH", "unconfirmed"),
        ("ROS-1 immunostain", "unconfirmed"),
        ("Rearrangement of ROS1 (break-apart)", "unconfirmed"),
        ("ROS", None),
        ("PROS1 gene", None),
        ("ROS10 panel", None),
    ],
)
def test_a_test_known_by_its_name_is_no_proof(name: str, expected: str | None) -> None:
    assert stated(facts_of(ros1_test({"text": name})), "ROS1 gene") == expected


def test_a_stain_takes_nothing_from_a_diagnosis_that_was_proved() -> None:
    proved = condition("ROS1-positive non-small cell lung cancer", 90)
    facts = facts_of(proved, ros1_test({"text": "ROS1 stain"}))
    assert stated(facts, "ROS1 gene") == "rearranged"


def test_a_preliminary_test_and_one_without_a_day_say_nothing() -> None:
    sent = ros1_test({"text": "ROS1 FISH"})
    assert stated(facts_of({**sent, "status": "preliminary"}), "ROS1 gene") is None
    undated = {name: item for name, item in sent.items() if name != "effectiveDateTime"}
    assert stated(facts_of(undated), "ROS1 gene") is None
