"""Shadow mode: decided and recorded, and nothing shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.records import Records
from cds_service.settings import SettingsError
from tests.services.calling import running_service

pytestmark = pytest.mark.slow

STORY = "alectinib-alt-six-times"
RULE = "alectinib-liver-hold"


def _recorded(database: Path) -> list[tuple[str, bool]]:
    records = Records(f"sqlite:///{database}")
    found = [(item.rule_id, item.in_shadow) for item in records.outcomes()]
    records.close()
    return found


def test_a_service_in_shadow_answers_nothing_and_records_its_cards(database: Path) -> None:
    with running_service(database, shadow_services="alk-order-sign") as service:
        assert service.cards("order-sign", STORY) == []
        assert service.cards("patient-view", STORY) != []
    assert (RULE, True) in _recorded(database)
    assert (RULE, False) in _recorded(database)


def test_a_rule_in_shadow_leaves_the_other_cards_alone(database: Path) -> None:
    with running_service(database) as service:
        before = [card["summary"] for card in service.cards("patient-view", STORY)]
    with running_service(database, shadow_rules=RULE) as service:
        after = [card["summary"] for card in service.cards("patient-view", STORY)]
    assert after == [text for text in before if not text.startswith("Hold alectinib")]
    assert len(after) == len(before) - 1


@pytest.mark.parametrize("name", ["shadow_services", "shadow_rules"])
def test_a_name_that_nothing_has_is_refused(database: Path, name: str) -> None:
    with (
        pytest.raises(SettingsError, match=f"ALK_CDS_{name.upper()}.*no-such-thing"),
        running_service(database, **{name: "no-such-thing"}),
    ):
        pass


def test_the_record_says_what_was_asked_and_what_was_ordered(database: Path) -> None:
    with running_service(database, shadow_rules=RULE) as service:
        service.cards("order-sign", STORY)
    records = Records(f"sqlite:///{database}")
    ((rule, asked),) = records.shadowed()
    (later,) = records.asked_about_orders([asked.patient_key])
    records.close()
    assert rule == RULE
    said = next(item for item in asked.document["recommendations"] if item["rule_id"] == RULE)
    assert said["not_shown_because"] == "in shadow mode"
    assert said.get("card") is None
    assert said["asks"]["drugs"] == ["alectinib"]
    assert later.document["orders"] == [{"ingredients": ["alectinib"], "daily_mg": "1200"}]
