"""How treatment goes on: a hold waits for recovery, what has recovered waits for nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.alk import Decision, Dose, Kind, Question, Recommendation, Topic
from cds_service.cards.details import detail
from cds_service.rules import Trace, Verdict
from tests.alk.patients import AS_OF, knowledge

LOWER = Dose("alectinib", Decimal(450), 2)
RECOVERED = "ALT and AST are at most 3 x ULN, or back at the patient's baseline"


def said(kind: Kind, *, recovered: bool) -> str:
    """The detail of a card about the liver row of alectinib."""
    table = knowledge().drugs["alectinib"].dose_changes
    row = next(one for one in table or () if one.identifier == "alectinib-liver-hold")
    until = Trace("", Verdict.MET if recovered else Verdict.NOT_MET, "")
    item = Recommendation(
        kind, Topic.TOXICITY, row.identifier, "warning", row=row, drug="alectinib", until=until,
        detail=row.text("says"), resume=row.text("resume"),
        dose=None if kind is Kind.WITHHOLD else LOWER,
        resume_dose=LOWER if kind is Kind.WITHHOLD else None,
    )  # fmt: skip
    decision = Decision(Question("order-sign"), AS_OF, knowledge().release.version, (item,))
    return detail(item, decision, knowledge())


def test_a_hold_says_when_and_at_which_dose_treatment_goes_on_and_says_it_once() -> None:
    text = said(Kind.WITHHOLD, recovered=False)
    assert text.startswith("ALT or AST above 5 x ULN with total bilirubin at most 2 x ULN: hold.\n")
    assert f"Resume alectinib 450 mg twice daily when {RECOVERED}." in text


@pytest.mark.parametrize(("kind", "verb"), [(Kind.RESUME, "resume"), (Kind.REDUCE, "reduce to")])
def test_what_has_recovered_is_not_told_to_wait(kind: Kind, verb: str) -> None:
    text = said(kind, recovered=True)
    assert f"Recovered, since {RECOVERED}: {verb} alectinib 450 mg twice daily." in text
    assert text.startswith("ALT or AST above 5 x ULN with total bilirubin at most 2 x ULN.\n")
    assert "daily when" not in text


def test_a_dose_that_is_lowered_at_once_waits_for_nothing() -> None:
    text = said(Kind.REDUCE, recovered=False)
    assert "Reduce to alectinib 450 mg twice daily." in text
    assert "daily when" not in text
