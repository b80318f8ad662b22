"""Approvals and doses by jurisdiction: what is offered where, and which dose is the full one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.alk import Decision, Kind, Option, Recommendation, Topic
from cds_service.cards import CardContext, build_cards
from cds_service.cards.suggestions import OrderContext
from cds_service.facts import OrderedMedication
from cds_service.knowledge.jurisdiction_cells import ELSEWHERE, NAMES, rows_under, views
from cds_service.knowledge.jurisdictions import approval, under
from cds_service.knowledge.label_statements import EarlierInhibitors
from cds_service.settings import Settings
from tests.alk.patients import (
    asked,
    described,
    knowledge,
    order,
    patient,
    reactions,
    running,
    treatment,
)
from tests.alk.row_cases import RESECTED

JAPANESE = order("alectinib", "300", 2)
AMERICAN = order("alectinib", "600", 2)


def _options(jurisdiction: str) -> dict[str, Option]:
    choice = asked(patient(lines=()), jurisdiction=jurisdiction).choice
    assert choice is not None
    return {option.drug: option for option in choice.options}


def _cards(decision: Decision, topic: Topic) -> list[tuple[str, list[str]]]:
    """Detail of each card on a topic, with the labels of what can be done by a click."""
    context = CardContext(OrderContext("p"), None, 9)
    built = build_cards(decision, lambda item: item.topic is topic, knowledge(), context)
    return [
        (item.card.detail or "", [one.label for one in item.card.suggestions or ()])
        for item in built
    ]


def _heard(
    draft: OrderedMedication, jurisdiction: str, **facts: object
) -> dict[str, Recommendation]:
    decision = asked(patient(lines=(), **facts), draft, jurisdiction=jurisdiction)
    return {item.rule_id: item for item in decision.recommendations}


def test_every_jurisdiction_of_the_settings_has_a_name() -> None:
    choices = Settings.model_fields["jurisdiction"].annotation
    assert set(NAMES) == set(choices.__args__)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("drug", "situation", "jurisdiction", "known"),
    [
        ("ensartinib", "advanced", "US", "approved"),
        ("ensartinib", "advanced", "EU", "none"),
        ("ensartinib", "advanced", "JP", "none"),
        ("lorlatinib", "advanced", "EU", "approved"),
        ("lorlatinib", "advanced", "JP", "approved"),
        ("alectinib", "advanced", "JP", "not verified"),
        ("lorlatinib", "adjuvant", "US", "none"),
        ("alectinib", "adjuvant", "US", "approved"),
        ("alectinib", "adjuvant", "EU", "not verified"),
        ("alectinib", "advanced", "CH", "not described"),
    ],
)
def test_what_is_known_of_an_approval(
    drug: str, situation: str, jurisdiction: str, known: str
) -> None:
    described = knowledge().drugs[drug].drug
    assert approval(described, situation, jurisdiction) == known  # type: ignore[arg-type]


def test_in_the_united_states_every_preferred_drug_is_approved() -> None:
    assert {option.approval for option in _options("US").values()} == {"approved"}


def _told_at_the_order(drug: str, jurisdiction: str, **facts: object) -> str | None:
    full = knowledge().drugs[drug].drug.dosing.full_dose
    draft = order(drug, str(full.amount_mg), full.per_day)
    lines = facts.pop("lines", ())
    decision = asked(patient(lines=lines, **facts), draft, jurisdiction=jurisdiction)  # type: ignore[arg-type]
    told = [
        (item.summary.replace("{ordered}", drug), item.severity, item.kind)
        for first in decision.recommendations
        for item in (first, *first.also)
        if item.rule_id == "order-not-approved-here"
    ]
    assert all((severity, kind) == ("info", Kind.INFORM) for _, severity, kind in told)
    return told[0][0] if told else None


@pytest.mark.parametrize(("jurisdiction", "place"), [("EU", "the European Union"), ("JP", "Japan")])
def test_an_order_of_a_drug_that_is_not_approved_there_is_told_so_calmly(
    jurisdiction: str, place: str
) -> None:
    told = _told_at_the_order("ensartinib", jurisdiction)
    assert told == f"ensartinib: not approved in {place} for this, as far as known"


@pytest.mark.parametrize(
    ("drug", "jurisdiction", "facts"),
    [
        ("ensartinib", "US", {}),
        ("ensartinib", "CH", {}),
        ("lorlatinib", "EU", {}),
        ("alectinib", "JP", {}),
        ("ensartinib", "EU", {"lines": (running("ensartinib"),)}),
        ("ensartinib", "EU", {"ALK": None}),
        ("crizotinib", "EU", {"cancers": ("ALK-positive lymphoma",)}),
        ("alectinib", "EU", RESECTED),
    ],
)
def test_nothing_is_told_of_an_approval_that_is_there_or_not_known_or_told_before(
    drug: str, jurisdiction: str, facts: dict[str, object]
) -> None:
    assert _told_at_the_order(drug, jurisdiction, **facts) is None


def test_an_approval_that_asks_for_other_drugs_before_is_told_of_at_the_order() -> None:
    brigatinib = treatment((300, "ended", ("180", 1)), ingredient="brigatinib")
    assert _told_at_the_order("lorlatinib", "EU", lines=(brigatinib,)) is not None
    alectinib = treatment((300, "ended", ("600", 2)))
    assert _told_at_the_order("lorlatinib", "EU", lines=(alectinib,)) is None


def test_a_drug_without_approval_is_listed_last_and_is_no_preferred_one() -> None:
    options = _options("EU")
    assert options["ensartinib"].approval == "none"
    preferred = [name for name, option in options.items() if option.place == "preferred"]
    assert preferred[-1] == "ensartinib"
    decision = asked(patient(lines=()), jurisdiction="EU")
    context = CardContext(OrderContext("p"), None, 9)
    (card,) = build_cards(decision, lambda item: item.topic is Topic.CHOICE, knowledge(), context)
    assert "ensartinib" not in card.card.summary


@pytest.mark.parametrize(
    ("jurisdiction", "says", "offered"),
    [
        (
            "EU",
            "not approved in the European Union as far as known",
            {"lorlatinib", "alectinib", "brigatinib"},
        ),
        ("JP", "not approved in Japan as far as known", {"lorlatinib", "brigatinib"}),
        ("JP", "approval in Japan not verified", {"lorlatinib", "brigatinib"}),
        ("CH", "approvals in Switzerland are not known here", set()),
    ],
)  # fmt: skip
def test_the_choice_says_so_and_offers_by_a_click_only_what_is_approved_there(
    jurisdiction: str, says: str, offered: set[str]
) -> None:
    decision = asked(patient(lines=()), jurisdiction=jurisdiction)
    ((detail, clicks),) = _cards(decision, Topic.CHOICE)
    assert says in detail
    preferred = ("lorlatinib", "alectinib", "brigatinib", "ensartinib")
    assert {drug for drug in preferred if any(drug in label for label in clicks)} == offered


@pytest.mark.parametrize(
    ("drug", "jurisdiction", "taken", "known"),
    [
        ("alectinib", "EU", ("crizotinib",), "approved"),
        ("alectinib", "EU", ("crizotinib", "brigatinib"), "approved"),
        ("alectinib", "EU", ("brigatinib",), "not after"),
        ("alectinib", "US", ("brigatinib",), "approved"),
        ("lorlatinib", "EU", ("alectinib",), "approved"),
        ("lorlatinib", "EU", ("ceritinib", "brigatinib"), "approved"),
        ("lorlatinib", "EU", ("brigatinib", "ceritinib"), "not after"),
        ("lorlatinib", "EU", ("crizotinib",), "not after"),
        ("lorlatinib", "EU", ("crizotinib", "brigatinib"), "approved"),
        ("lorlatinib", "EU", ("brigatinib",), "not after"),
        ("lorlatinib", "US", ("brigatinib",), "approved"),
        ("ensartinib", "US", ("crizotinib",), "not after"),
    ],
)
def test_an_approval_asks_which_inhibitors_were_taken_before(
    drug: str, jurisdiction: str, taken: tuple[str, ...], known: str
) -> None:
    described_drug = knowledge().drugs[drug].drug
    assert approval(described_drug, "advanced", jurisdiction, EarlierInhibitors(taken)) == known


@pytest.mark.parametrize(
    ("taken", "in_order", "whole"),
    [
        (("alectinib", "brigatinib"), False, True),
        (("alectinib",), True, False),
        (("crizotinib",), True, False),
        (("brigatinib",), True, False),
        ((), True, False),
    ],
)
def test_what_the_record_does_not_say_of_them_leaves_the_approval_open(
    taken: tuple[str, ...], in_order: bool, whole: bool
) -> None:
    lorlatinib = knowledge().drugs["lorlatinib"].drug
    earlier = EarlierInhibitors(taken, in_order, whole)
    assert approval(lorlatinib, "advanced", "EU", earlier) == "open"


def test_after_progression_what_is_not_approved_after_it_is_named_and_not_offered() -> None:
    failed = treatment((300, "active", ("180", 1)), ingredient="brigatinib")
    worse = {"disease_status": "worse", "progression_pattern": "systemic", "resistance_profile": 5}
    decision = asked(patient(lines=(failed,), **worse), jurisdiction="EU")
    options = [option for item in decision.recommendations for option in item.options]
    assert {option.drug: option.approval for option in options}["lorlatinib"] == "not after"
    told = _cards(decision, Topic.PROGRESSION)
    says = "not approved in the European Union after these ALK inhibitors"
    assert any(says in detail for detail, _ in told)
    assert not any("lorlatinib" in label for _, clicks in told for label in clicks)


def test_in_the_united_states_the_choice_offers_orders() -> None:
    ((detail, clicks),) = _cards(asked(patient(lines=())), Topic.CHOICE)
    assert any("lorlatinib" in label for label in clicks)
    assert "as far as known" not in detail


@pytest.mark.parametrize(("jurisdiction", "months"), [("US", 24), ("EU", None), ("JP", None)])
def test_adjuvant_treatment_carries_an_order_only_where_its_approval_was_read(
    jurisdiction: str, months: int | None
) -> None:
    decision = asked(patient(**RESECTED), jurisdiction=jurisdiction)
    (item,) = [item for item in decision.recommendations if item.rule_id == "adjuvant-alectinib"]
    assert (item.dose.months if item.dose else None) == months
    assert ("not verified" in item.detail) is (months is None)


# -- doses ------------------------------------------------------------------------------


def test_the_japanese_full_dose_is_the_start_dose_in_japan_and_nowhere_else() -> None:
    doses = {
        place: (option.dose.amount_mg, option.dose.per_day)
        for place in ("US", "EU", "JP")
        if (option := _options(place)["alectinib"]).dose is not None
    }
    assert doses == {"US": (600, 2), "EU": (600, 2), "JP": (300, 2)}
    ((detail, _),) = _cards(asked(patient(lines=()), jurisdiction="JP"), Topic.CHOICE)
    assert "300 mg twice daily with food (dose not verified)" in detail


@pytest.mark.parametrize("jurisdiction", ["US", "EU"])
def test_the_japanese_dose_as_a_first_order_is_questioned(jurisdiction: str) -> None:
    item = _heard(JAPANESE, jurisdiction)["order-first-dose-elsewhere"]
    assert (item.kind, item.severity) == (Kind.ASK, "warning")
    decision = asked(patient(lines=()), JAPANESE, jurisdiction=jurisdiction)
    details = [detail for detail, _ in _cards(decision, Topic.ORDER)]
    assert any("labelling in Japan starts here" in detail for detail in details)


def test_the_japanese_dose_is_not_questioned_in_japan() -> None:
    heard = _heard(JAPANESE, "JP")
    assert not {"order-first-dose-elsewhere", "order-above-label", "order-off-ladder"} & set(heard)


@pytest.mark.parametrize("jurisdiction", ["US", "JP"])
def test_a_reduced_dose_of_a_running_treatment_is_not_questioned(jurisdiction: str) -> None:
    line = treatment((100, "active", ("300", 2)))
    decision = asked(patient(lines=(line,)), JAPANESE, jurisdiction=jurisdiction)
    heard = {item.rule_id for item in decision.recommendations}
    assert "order-first-dose-elsewhere" not in heard


def test_the_american_dose_lies_above_the_japanese_one_but_no_order_rests_on_that() -> None:
    assert "order-above-label" not in _heard(AMERICAN, "US")
    item = _heard(AMERICAN, "JP")["order-above-label"]
    assert not item.verified
    decision = asked(patient(lines=()), AMERICAN, jurisdiction="JP")
    assert all(clicks == [] for _, clicks in _cards(decision, Topic.ORDER))


def test_below_a_step_that_was_not_read_nobody_is_told_to_stop_for_good() -> None:
    """At 300 mg twice daily the US ladder ends; whether the Japanese one does is not known."""
    on_lowest = patient(lines=(treatment((170, "active", ("300", 2))),), ALT="6")
    (american,) = reactions(asked(on_lowest)).values()
    assert (american.kind, american.at_floor) == (Kind.STOP, True)
    (japanese,) = reactions(asked(on_lowest, jurisdiction="JP")).values()
    assert (japanese.kind, japanese.resume_dose) == (Kind.WITHHOLD, None)


def test_a_jurisdiction_without_doses_of_its_own_changes_nothing() -> None:
    assert under(knowledge(), "US").drugs == under(knowledge(), "CH").drugs
    assert under(knowledge(), "CH").drugs["ensartinib"] is knowledge().drugs["ensartinib"]
    changed = under(knowledge(), "JP")
    assert changed.drugs["ensartinib"] is knowledge().drugs["ensartinib"]
    assert changed.drugs["alectinib"].drug.ladder.below_minimum == "not read"


# -- rows ---------------------------------------------------------------------------------


def _monitored(jurisdiction: str) -> dict[str, str]:
    """By test the row of lorlatinib that asks for it first."""
    table = under(knowledge(), jurisdiction).drugs["lorlatinib"].monitoring
    assert table is not None
    found: dict[str, str] = {}
    for row in table:
        found.setdefault(row.text("test"), row.identifier)
    return found


@pytest.mark.parametrize(
    ("jurisdiction", "row"),
    [
        ("US", "lorlatinib-monitor-ecg"),
        ("CH", "lorlatinib-monitor-ecg"),
        ("JP", "lorlatinib-monitor-ecg"),
        ("EU", "lorlatinib-monitor-ecg-europe"),
    ],
)
def test_a_row_of_one_label_stands_there_in_place_of_the_one_that_stands_everywhere(
    jurisdiction: str, row: str
) -> None:
    assert _monitored(jurisdiction)["ECG"] == row


def test_every_row_stands_somewhere_and_those_of_one_label_nowhere_else() -> None:
    for tables in knowledge().drugs.values():
        for table in tables.by_name.values():
            seen = {row.identifier for view in views(table) for row in view}
            assert seen == {row.identifier for row in table}
            everywhere = {row.identifier for row in rows_under(table, ELSEWHERE)}
            assert everywhere == {
                row.identifier for row in table if not row.entries("jurisdiction")
            }


def test_the_release_of_a_jurisdiction_is_worked_out_once_and_is_its_own() -> None:
    changed = under(knowledge(), "EU")
    assert under(knowledge(), "EU") is changed
    assert under(changed, "EU") is changed
    assert replace(knowledge(), signatures={}).standing == {}


@pytest.mark.parametrize(
    ("jurisdiction", "kind"), [("US", Kind.ASK), ("EU", Kind.WITHHOLD), ("JP", Kind.ASK)]
)
def test_a_first_degree_block_with_symptoms_holds_lorlatinib_in_europe_alone(
    jurisdiction: str, kind: Kind
) -> None:
    facts = described({"PR interval": "201", "bradycardia symptoms": "present"}, "lorlatinib")
    (item,) = reactions(asked(facts, jurisdiction=jurisdiction)).values()
    assert item.kind is kind


@pytest.mark.parametrize("jurisdiction", ["US", "EU"])
def test_a_graver_block_leads_before_the_first_degree_that_it_looks_like(
    jurisdiction: str,
) -> None:
    block = {
        "PR interval": "260",
        "bradycardia symptoms": "present",
        "complete atrioventricular block": "present",
        "pacemaker": "absent",
    }
    found = asked(described(block, "lorlatinib"), jurisdiction=jurisdiction)
    leading = next(item for item in found.recommendations if item.topic is Topic.TOXICITY)
    assert leading.rule_id == "lorlatinib-block-complete-hold"
