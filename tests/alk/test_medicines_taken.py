"""Wherever a medicine is recorded and however it is named, it leads to the same interaction."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.alk import Decision, Kind, Question, Recommendation, Topic, decide
from tests.facts.records import (
    AS_OF,
    Json,
    condition,
    day,
    dosage,
    facts_of,
    knowledge,
    medication,
    read,
    resource,
    stated,
)

LORLATINIB, ALECTINIB, BRIGATINIB = "2103164", "1727455", "1921217"
RIFAMPIN: Json = {"text": "Rifampicin 600 mg"}
INDUCER_ROW = "lorlatinib-interaction-strong-inducer"
UNKNOWN_ROW = "medicines-not-recognised"


def ordered(code: str | None, mg: int = 100, per_day: int = 1, **more: Any) -> Json:
    return medication(code=code, status="draft", start=0, dose=dosage(mg, per_day), **more)


def decision(*chart: Json, drafts: tuple[Json, ...] = (), hook: str = "order-sign") -> Decision:
    facts, orders = read(condition("non-small cell lung cancer"), *chart, drafts=list(drafts))
    return decide(facts, Question(hook, orders), knowledge(), AS_OF)


def found(answer: Decision, rule: str) -> list[Recommendation]:
    return [item for item in answer.recommendations if item.rule_id == rule]


def request(status: str, **more: Any) -> Json:
    end = {"stopped": 0, "active": None, "on-hold": None}[status]
    return medication(text="Rifampicin 600 mg", status=status, end=end, **more)


def statement(status: str) -> Json:
    period = {"start": day(40)} | ({"end": day(0)} if status == "stopped" else {})
    body = {"status": status, "medicationCodeableConcept": RIFAMPIN, "effectivePeriod": period}
    return resource("MedicationStatement", body)


def administration(status: str) -> Json:
    sent = {"active": "in-progress", "stopped": "stopped", "on-hold": "on-hold"}[status]
    body = {
        "status": sent,
        "medicationCodeableConcept": RIFAMPIN,
        "effectivePeriod": {"start": day(5)} | ({"end": day(1)} if status == "stopped" else {}),
    }
    return resource("MedicationAdministration", body)


def dispense(status: str) -> Json:
    sent = {"active": "completed", "stopped": "stopped", "on-hold": "on-hold"}[status]
    body = {
        "status": sent,
        "medicationCodeableConcept": RIFAMPIN,
        "whenHandedOver": day(9),
        "daysSupply": {"value": 30, "unit": "days"},
    }
    return resource("MedicationDispense", body)


PATIENT = {"reference": "Patient/p"}
FORMS = {
    "order": lambda status: request(status),
    "instance order": lambda status: request(status, intent="instance-order"),
    "reflex order": lambda status: request(status, intent="reflex-order"),
    "plan": lambda status: request(status, intent="plan"),
    "reported": lambda status: request(status, intent="plan", reportedBoolean=True),
    "reported by the patient": lambda status: request(
        status, intent="plan", reportedReference=PATIENT
    ),
    "statement": statement,
    "administration": administration,
    "dispense": dispense,
}


@pytest.mark.parametrize("status", ["active", "stopped", "on-hold"])
@pytest.mark.parametrize("form", FORMS)
def test_a_strong_inducer_in_every_form_forbids_lorlatinib(form: str, status: str) -> None:
    answer = decision(FORMS[form](status), drafts=(ordered(LORLATINIB),))
    (item,) = found(answer, INDUCER_ROW)
    assert (item.kind, item.severity) == (Kind.STOP, "critical")


@pytest.mark.parametrize(
    ("text", "days_ago", "kind"),
    [
        ("rifampicin", 1, Kind.STOP),
        ("rifampicin", 5, None),
        ("enzalutamide", 15, Kind.STOP),
        ("enzalutamide", 25, None),
        ("Xtandi", 15, Kind.STOP),
        ("phenobarbital", 14, Kind.STOP),
        ("Johanniskraut", 3, Kind.ASK),
        ("lumacaftor", 3, Kind.ASK),
        ("lumacaftor", 30, None),
        ("mitotane", 200, Kind.ASK),
        ("mitotane", 600, None),
    ],
)
def test_a_stopped_inducer_counts_for_three_of_its_half_lives(
    text: str, days_ago: int, kind: Kind | None
) -> None:
    stopped = medication(text=text, status="stopped", start=700, end=days_ago)
    items = found(decision(stopped, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)
    assert [item.kind for item in items] == ([] if kind is None else [kind])


def test_an_inducer_stopped_on_a_day_nobody_wrote_down_leaves_a_question() -> None:
    stopped = medication(text="rifampicin", status="stopped", start=100)
    (item,) = found(decision(stopped, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)
    assert (item.kind, item.verified) == (Kind.ASK, False)
    assert item.ask


def test_a_supply_that_ran_out_long_ago_is_not_taken() -> None:
    supply = dispense("active") | {"whenHandedOver": day(200)}
    assert not found(decision(supply, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)


def test_a_name_from_memory_asks_and_stops_nothing() -> None:
    chart = medication(text="Luminaletten")
    (item,) = found(decision(chart, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)
    assert item.kind is Kind.ASK


def test_two_drafts_of_one_bundle_are_checked_against_each_other() -> None:
    drafts = (ordered(LORLATINIB), ordered(None, text="rifampicin"))
    assert [item.kind for item in found(decision(drafts=drafts), INDUCER_ROW)] == [Kind.STOP]


def test_a_draft_is_checked_against_a_drug_on_hold() -> None:
    held = medication(code=LORLATINIB, status="on-hold", dose=dosage(100, 1))
    answer = decision(held, drafts=(ordered(None, text="rifampicin"),))
    (item,) = found(answer, INDUCER_ROW)
    assert item.order is not None


def test_the_label_says_avoid_at_a_lowered_dose_too() -> None:
    running = medication(code=BRIGATINIB, dose=dosage(90, 1))
    answer = decision(running, drafts=(ordered(None, text="itraconazole"),))
    (item,) = [item for item in answer.recommendations if item.topic is Topic.INTERACTION
               and item.rule_id == "brigatinib-interaction-strong-inhibitor"]  # fmt: skip
    assert item.severity == "warning"
    assert item.kind in (Kind.AVOID, Kind.REDUCE, Kind.ASK)


def test_dexamethasone_raises_no_dose_of_lorlatinib() -> None:
    chart = medication(text="dexamethasone 4 mg tablet")
    answer = decision(chart, drafts=(ordered(LORLATINIB),))
    told = [item for item in answer.recommendations if item.topic is Topic.INTERACTION]
    assert [(item.rule_id, item.kind) for item in told] == [
        ("lorlatinib-interaction-weak-inducer", Kind.INFORM)
    ]


def test_an_unknown_medicine_is_a_question_before_lorlatinib() -> None:
    answer = decision(medication(text="Zyxomab 50 mg"), drafts=(ordered(LORLATINIB),))
    (item,) = found(answer, UNKNOWN_ROW)
    assert (item.kind, item.named) == (Kind.ASK, ("Zyxomab 50 mg",))
    assert "Zyxomab" not in f"{item.summary} {item.detail} {item.ask}"


def test_an_unknown_medicine_of_a_group_without_inducers_is_a_line_only() -> None:
    unknown = medication(code="C09ZZ99", system="http://www.whocc.no/atc", text="Zyxopril")
    (item,) = found(decision(unknown, drafts=(ordered(LORLATINIB),)), UNKNOWN_ROW)
    assert (item.kind, item.severity) == (Kind.INFORM, "info")


def test_an_unknown_draft_beside_a_running_drug_is_a_line_about_that_order() -> None:
    running = medication(code=ALECTINIB, dose=dosage(600, 2))
    (item,) = found(decision(running, drafts=(ordered(None, text="Zyxomab 50 mg"),)), UNKNOWN_ROW)
    assert item.kind is Kind.INFORM
    assert item.order is not None


def test_without_an_alk_inhibitor_an_unknown_medicine_is_nobodys_concern() -> None:
    assert not found(decision(medication(text="Zyxomab 50 mg")), UNKNOWN_ROW)


def test_a_row_that_fired_stays_beside_an_unknown_medicine() -> None:
    chart = (request("active"), medication(text="Zyxomab 50 mg"))
    answer = decision(*chart, drafts=(ordered(LORLATINIB),))
    assert [item.kind for item in found(answer, INDUCER_ROW)] == [Kind.STOP]
    assert found(answer, UNKNOWN_ROW)


@pytest.mark.parametrize(
    "changes",
    [
        {"whenHandedOver": day(-5)},
        {"whenHandedOver": "2026-06"},
        {"status": "declined"},
        {"whenHandedOver": None, "status": "declined"},
    ],
)
def test_a_supply_that_is_over_to_come_or_not_handed_over_is_not_taken(changes: Json) -> None:
    supply = {name: value for name, value in (dispense("active") | changes).items() if value}
    assert not found(decision(supply, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)


@pytest.mark.parametrize("handed", ["nonsense", None, "2026-11"])
def test_a_supply_on_no_known_day_may_be_taken_and_is_asked_about(handed: str | None) -> None:
    supply = dispense("active") | {"whenHandedOver": handed}
    sent = {name: value for name, value in supply.items() if value}
    answer = decision(sent, drafts=(ordered(LORLATINIB),))
    assert [item.kind for item in found(answer, INDUCER_ROW)] == [Kind.ASK]


@pytest.mark.parametrize("days", [-30, 0, 99999])
def test_an_impossible_number_of_days_is_said_and_a_month_assumed(days: int) -> None:
    supply = dispense("active") | {"daysSupply": {"value": days, "unit": "days"}}
    facts, _ = read(supply)
    assert "a supply says no usable number of days" in {item.says for item in facts.remarks}
    assert found(decision(supply, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)


def test_a_supply_of_somebody_else_is_not_read() -> None:
    supply = dispense("active") | {"subject": {"reference": "Patient/other"}}
    assert not found(decision(supply, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)


def test_an_alk_inhibitor_known_by_its_supply_alone_is_running() -> None:
    supply = dispense("active") | {
        "medicationCodeableConcept": {"text": "Alecensa 150 mg capsule"},
        "dosageInstruction": [dosage(600, 2)],
    }
    facts, _ = read(supply)
    (line,) = facts.lines
    assert (line.ingredient, line.status) == ("alectinib", "active")
    assert line.current_dose is not None
    assert line.current_dose.daily_mg == 1200


def test_a_supply_of_an_order_that_was_stopped_later_is_not_taken() -> None:
    stopped = medication(text="rifampicin", status="stopped", start=60, end=5)
    supply = dispense("active")
    assert not found(decision(stopped, supply, drafts=(ordered(LORLATINIB),)), INDUCER_ROW)


def test_a_medicine_that_slows_the_heart_is_credited_for_the_reaction_before_its_stop() -> None:
    """The label resumes at the previous dose where the other medicine was the culprit."""
    metoprolol = medication(code="6918", status="stopped", start=300, end=10)
    facts = facts_of(metoprolol)
    assert stated(facts, "contributing medication") == "adjusted"
    statements = facts.find("contributing medication").statements  # type: ignore[union-attr]
    on_the_day = [item.value for item in statements if item.day and item.day.isoformat() <= day(20)]
    assert on_the_day[0] == "adjusted"
    long_before = [
        item.value for item in statements if item.day and item.day.isoformat() <= day(90)
    ]
    assert long_before[0] == "active"
