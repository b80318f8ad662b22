"""A signed order is spoken of as one that is on its way: nobody is asked not to sign it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cds_service.cards.details import detail
from cds_service.cards.summaries import summary
from cds_service.facts import OrderedMedication, PatientFacts
from cds_service.knowledge.table_files import Row
from cds_service.rules import Reason, ReasonKind
from tests.alk.patients import asked, knowledge, order, patient, running

SIGN = re.compile(r"\bsign(?:ing|ed)?\b")
LORLATINIB = order("lorlatinib", "100")
PREGNANT = patient(lines=(), sex="female", pregnancy="present")


def on_its_way(ordered: OrderedMedication) -> OrderedMedication:
    return replace(ordered, dispatched=True)


def said(facts: PatientFacts, *orders: OrderedMedication) -> dict[str, tuple[str, str]]:
    """Summary and detail by rule."""
    decision = asked(facts, *orders)
    return {
        one.rule_id: (summary(one, knowledge()), detail(one, decision, knowledge()))
        for one in decision.recommendations
    }


def test_a_draft_is_not_to_be_signed_and_a_signed_order_not_to_be_dispatched() -> None:
    drafted, dispatched = said(PREGNANT, LORLATINIB), said(PREGNANT, on_its_way(LORLATINIB))

    assert drafted["order-pregnant"][0].startswith("Do not sign lorlatinib: ")
    assert dispatched["order-pregnant"][0].startswith("Do not dispatch lorlatinib: ")


def test_a_switch_waits_for_the_end_of_the_old_drug_also_at_the_dispatch() -> None:
    chart = patient(lines=(running("alectinib"),), disease_status="worse")

    assert (
        "dispatch this order when"
        in (said(chart, on_its_way(LORLATINIB))["order-switch-while-active"][1])
    )


def test_what_is_missing_is_checked_before_the_dispatch() -> None:
    decision = asked(PREGNANT, on_its_way(LORLATINIB))
    (refused,) = [one for one in decision.recommendations if one.rule_id == "order-pregnant"]
    missing = refused.changed(reasons=(Reason.of(ReasonKind.MISSING, "pregnancy", "none"),))

    assert summary(missing, knowledge()).startswith("Check before dispatching lorlatinib: ")


def _name(row: Row) -> str:
    return row.identifier


@pytest.mark.parametrize("row", list(knowledge().tables["order_checks"]), ids=_name)
def test_no_order_check_speaks_of_a_signature_in_words_of_its_own(row: Row) -> None:
    words = f"{row.text('summary')} {row.text('detail')}".replace("{sign}", "")
    assert not SIGN.search(words)


def test_a_lost_button_does_not_speak_of_a_signature_either() -> None:
    assert not [one.says for one in knowledge().settlement.rows if SIGN.search(one.says)]
