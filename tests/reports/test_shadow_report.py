"""What a rule in shadow would have said, beside what was ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cds_service.records import Asked
from cds_service.reports import shadow_lines
from cds_service.reports.shadow import AS_ASKED, OTHERWISE, compared

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
LIVER = ["http://loinc.org", "24325-3"]


def said(kind: str, **asks: Any) -> dict[str, Any]:
    return {
        "rule_id": "a-rule",
        "kind": kind,
        "asks": {"drugs": ["alectinib"], "tests": [], **asks},
    }


def ordered(*drugs: tuple[str, str | None], tests: Any = ()) -> dict[str, Any]:
    orders = [{"ingredients": [name], "daily_mg": daily} for name, daily in drugs]
    return {"orders": orders, "requested_tests": list(tests)}


@pytest.mark.parametrize(
    ("item", "then", "verdict"),
    [
        (said("withhold"), ordered(("alectinib", "1200")), OTHERWISE),
        (said("stop"), ordered(("alectinib", None)), OTHERWISE),
        (said("withhold"), ordered(("lorlatinib", "100")), ""),
        (said("withhold"), ordered(), ""),
        (said("resume", daily_mg="900"), ordered(("alectinib", "900")), AS_ASKED),
        (said("resume", daily_mg="900"), ordered(("alectinib", "900.0")), AS_ASKED),
        (said("reduce", daily_mg="900"), ordered(("alectinib", "1200")), OTHERWISE),
        (said("reduce", daily_mg="900"), ordered(("alectinib", None)), OTHERWISE),
        (
            said("choose", drugs=["alectinib", "lorlatinib"]),
            ordered(("lorlatinib", "100")),
            AS_ASKED,
        ),
        (said("choose"), ordered(("crizotinib", "500")), ""),
        (said("order a test", tests=[LIVER]), ordered(tests=[LIVER]), AS_ASKED),
        (said("order a test", tests=[LIVER]), ordered(("alectinib", "1200")), ""),
        (said("inform"), ordered(("alectinib", "1200")), ""),
        ({"kind": "reduce"}, ordered(("alectinib", "1200")), ""),
    ],
)
def test_an_order_answers_a_recommendation(
    item: dict[str, Any], then: dict[str, Any], verdict: str
) -> None:
    assert compared(item, then) == verdict


def asked(patient: str, day: float, document: dict[str, Any]) -> Asked:
    return Asked("d", "order-sign", START + timedelta(days=day), patient, document)


def _cards(number: int) -> list[tuple[str, Asked]]:
    document = {"recommendations": [said("resume", daily_mg="900")]}
    return [("a-rule", asked(f"p{place}", 0, document)) for place in range(number)]


def test_the_last_order_within_the_days_decides() -> None:
    right, wrong = ordered(("alectinib", "900")), ordered(("alectinib", "1200"))
    later = [item for n in range(5) for item in (
        asked(f"p{n}", 1, wrong), asked(f"p{n}", 20, right),
        asked(f"p{n}", 31, wrong))]  # fmt: skip
    (line,) = shadow_lines(_cards(5), later)
    assert line.as_document() == {
        "rule_id": "a-rule",
        "patients": 5,
        "cards": 5,
        "as_asked": 5,
        "otherwise": 0,
        "nothing_seen": 0,
    }


def test_an_order_from_before_the_card_says_nothing() -> None:
    later = [asked(f"p{n}", -1, ordered(("alectinib", "900"))) for n in range(5)]
    (line,) = shadow_lines(_cards(5), later)
    assert line.nothing_seen == 5


def test_a_few_people_are_not_told() -> None:
    (line,) = shadow_lines(_cards(4), [])
    assert line.cards == "<5"
    later = [asked("p0", 1, ordered(("alectinib", "900")))]
    (line,) = shadow_lines(_cards(9), later)
    assert line.cards == 9
    assert (line.as_asked, line.otherwise, line.nothing_seen) == ("<5", "<5", "<5")
