"""After a first ALK inhibitor: which drugs are offered, in which order, and which never."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.cards.build import CardContext, build_cards
from cds_service.cards.suggestions import OrderContext
from tests.alk.course_cases import (
    AFTER_ALECTINIB,
    AFTER_CRIZOTINIB,
    FAILED,
    FINDINGS,
    OTHER,
    UNTOLERATED,
    found,
    had,
    on,
)
from tests.alk.patients import asked, knowledge, order, patient


def _decided(facts: dict[str, Any], *orders: Any) -> Decision:
    return asked(patient(**facts), *orders)


def _advice(decision: Decision) -> list[Recommendation]:
    return [item for item in decision.recommendations if item.topic is Topic.PROGRESSION]


def _choice(decision: Decision) -> Recommendation:
    (only,) = [item for item in _advice(decision) if item.kind is Kind.CHOOSE]
    return only


def _offered(decision: Decision) -> list[str]:
    return [option.drug for option in _choice(decision).options]


def _clicks(decision: Decision) -> list[str]:
    context = CardContext(OrderContext("p"), max_cards=20)
    cards = build_cards(decision, lambda _: True, knowledge(), context)
    return [
        f"{action.type} {suggestion.label}"
        for built in cards
        for suggestion in built.card.suggestions
        for action in suggestion.actions
        if (action.resource or {}).get("resourceType") == "MedicationRequest"
    ]


def test_after_crizotinib_three_drugs_are_offered_and_none_is_picked() -> None:
    decision = _decided(AFTER_CRIZOTINIB)
    assert sorted(_offered(decision)) == ["alectinib", "brigatinib", "lorlatinib"]
    assert len(_clicks(decision)) == 3


def test_a_drug_that_was_not_tolerated_is_not_offered_again() -> None:
    decision = _decided({**had("alectinib"), UNTOLERATED: ("alectinib",)})
    assert "alectinib" not in _offered(decision)


def test_a_drug_on_which_the_disease_progressed_is_not_offered_again() -> None:
    facts = {
        **had("alectinib", "brigatinib"), FAILED: ("brigatinib",), FINDINGS: ("I1171N",),
    }  # fmt: skip
    assert _offered(_decided(facts)) == ["lorlatinib", "ceritinib"]


def test_a_compound_that_restores_sensitivity_offers_a_drug_that_failed_before() -> None:
    facts = {
        **had("crizotinib", now="lorlatinib"),
        FAILED: ("crizotinib",),
        FINDINGS: ("C1156Y + L1198F",),
        "brain_metastases": "absent",
        "leptomeningeal_metastases": "absent",
    }
    assert _offered(_decided(facts)) == ["crizotinib"]


def test_beside_a_running_inhibitor_nothing_is_ordered_with_one_click() -> None:
    decision = _decided(on("alectinib", "systemic"))
    assert _offered(decision) == ["lorlatinib"]
    assert _choice(decision).options[0].stop_first == ("alectinib",)
    assert _clicks(decision) == []


@pytest.mark.parametrize("several", ["L1196M + G1202R", "several mutations of unknown phase"])
def test_rows_of_single_mutations_say_nothing_about_several(several: str) -> None:
    said = _advice(_decided(found(several)))
    assert not any(item.options for item in said)
    singles = {"resistance-g1202r-lorlatinib", "resistance-l1196m-lorlatinib"}
    assert not singles & {note.rule_id for item in said for note in item.findings}


def test_the_finding_decides_before_the_pattern_of_progression() -> None:
    facts = {**on("alectinib", "systemic"), FINDINGS: ("I1171T",)}
    assert _choice(_decided(facts)).rule_id == "progression-i1171-v1180"


def test_a_finding_without_a_row_of_its_own_is_still_explained_drug_by_drug() -> None:
    (said,) = _advice(_decided(found("E1210K", drug="lorlatinib")))
    assert said.kind is Kind.INFORM
    assert {note.rule_id for note in said.findings} >= {"resistance-e1210k-crizotinib"}


def test_ordering_a_drug_that_the_finding_resists_is_warned_about() -> None:
    facts = {**AFTER_CRIZOTINIB, FINDINGS: ("F1174L",)}
    decision = _decided(facts, order("ceritinib", "450", 1))
    warned = {
        item.rule_id: item.severity
        for item in decision.recommendations
        if item.topic is Topic.ORDER
    }
    assert warned["resistance-f1174-ceritinib"] == "warning"
    assert "ceritinib" not in _offered(decision)


def test_stopping_for_side_effects_is_no_resistance() -> None:
    decision = _decided({**had("alectinib"), UNTOLERATED: ("alectinib",)})
    said = {item.rule_id for item in decision.recommendations}
    assert "progression-profile" not in said
    assert "progression-after-second-generation" not in said


def test_without_a_stop_reason_nothing_is_chosen() -> None:
    said = _advice(_decided(had("alectinib")))
    assert [item.kind for item in said] == [Kind.ASK]


def test_transformation_takes_the_choice_to_the_histology() -> None:
    facts = {**had(now="lorlatinib"), OTHER: ("small cell transformation",)}
    (said,) = _advice(_decided(facts))
    assert "platinum-etoposide" in said.others
    assert not said.options


def test_old_progression_is_not_acted_on() -> None:
    facts = {**on("alectinib", "systemic"), "disease_status": [(85, "worse")]}
    assert _advice(_decided(facts)) == []


def test_a_gate_that_closes_the_choice_closes_this_one_too() -> None:
    facts = {**AFTER_ALECTINIB, "cancers": ("small cell lung cancer",)}
    assert _advice(_decided(facts)) == []
