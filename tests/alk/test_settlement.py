"""The recommendations of one answer, settled: no card offers what another speaks against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.alk import Decision, Dose, Kind, Recommendation, Topic
from cds_service.alk.settlement import Settled, offer_of, said_of
from cds_service.cards import CardContext, all_cards, guard
from cds_service.cards.built import BuiltCard
from cds_service.cards.suggestions import OrderContext
from cds_service.cards.summaries import summary
from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.settlement import STRICTEST, load_settlement
from cds_service.knowledge.yaml_files import knowledge_folder
from cds_service.rules import Reason, ReasonKind
from tests.alk.patients import asked, drafted, knowledge, order, patient, running
from tests.cards.deciding import decided
from tests.facts import records


def cards_of(decision: Decision) -> list[BuiltCard]:
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, 20)
    return all_cards(decision, lambda _: True, knowledge(), context)


def clicks(decision: Decision) -> list[str]:
    return medicines(cards_of(decision))


def medicines(cards: list[BuiltCard]) -> list[str]:
    """The labels of all buttons but those that order tests."""
    return [
        one.label
        for card in cards
        for one in card.card.suggestions
        if any((action.resource or {}).get("resourceType") != "ServiceRequest"
               for action in one.actions)
    ]  # fmt: skip


def summaries(decision: Decision) -> list[str]:
    return [card.card.summary for card in cards_of(decision)]


def found(decision: Decision, rule: str) -> Recommendation:
    return next(item for item in decision.recommendations if item.rule_id == rule)


ON_CRIZOTINIB = (running("crizotinib"),)


def stopped(**more: object) -> PatientFacts:
    """On crizotinib, with a liver that stops it."""
    return patient(lines=ON_CRIZOTINIB, ALT="5.2", total_bilirubin="3.1", **more)


def test_no_card_corrects_the_dose_of_a_drug_that_is_stopped() -> None:
    decision = asked(stopped(), drafted("crizotinib", "500", 2))

    assert decision.recommendations[0].kind is Kind.STOP
    assert clicks(decision) == ["Remove the crizotinib order"]
    assert not [line for line in summaries(decision)[1:] if line.startswith("Dose above")]
    said = next(card for card in cards_of(decision) if "Stop crizotinib" in card.card.summary)
    assert "What would apply otherwise" in said.card.detail
    assert "Dose above the label: crizotinib" in said.card.detail


def test_the_dose_of_a_drug_that_is_not_stopped_is_corrected() -> None:
    decision = asked(patient(lines=ON_CRIZOTINIB), drafted("crizotinib", "500", 2))

    assert any(
        label.startswith("Change the order to crizotinib 250 mg") for label in clicks(decision)
    )


def test_a_drug_whose_order_is_refused_is_not_lowered_on_another_card() -> None:
    pregnant = patient(lines=(), pregnancy="present", medications=("strong CYP3A inhibitor",))
    decision = asked(pregnant, drafted("lorlatinib", "100", 1))

    refused = found(decision, "order-pregnant")
    assert refused.kind is Kind.STOP
    assert not [line for line in summaries(decision) if line.startswith("Lower lorlatinib")]
    assert clicks(decision) == ["Remove the lorlatinib order"]


def test_what_joins_a_stronger_card_is_told_there() -> None:
    pregnant = patient(lines=(), pregnancy="present", medications=("strong CYP3A inhibitor",))
    decision = asked(pregnant, drafted("lorlatinib", "100", 1))

    told = [item for one in decision.recommendations for item in one.also if item.settled]
    assert [item.kind for item in told] == [Kind.REDUCE]
    assert told[0].settled == "the order of lorlatinib is refused"
    assert any("Lower lorlatinib to 75 mg" in card.card.detail for card in cards_of(decision))


def test_a_lower_dose_keeps_its_card_where_the_order_is_only_advised_against() -> None:
    # Who signs all the same, signs that dose: under "What would apply otherwise" nobody sees it.
    substrate = ("midazolam", "sensitive CYP3A substrate")
    facts = patient(lines=(), medications=substrate, **{"Child-Pugh class": "C"})
    decision = asked(facts, drafted("ceritinib", "450", 1))

    avoided = found(decision, "ceritinib-interaction-substrate")
    assert (avoided.kind, avoided.also) == (Kind.AVOID, ())
    lowered = found(decision, "ceritinib-child-pugh-c")
    assert lowered.settled == "something speaks against ceritinib"
    assert [line for line in summaries(decision) if line.startswith("Lower ceritinib to 300 mg")]
    assert not [label for label in clicks(decision) if "300 mg" in label]


def test_what_would_resume_a_drug_joins_the_card_that_advises_against_it() -> None:
    against = replace(
        _resuming(), kind=Kind.AVOID, topic=Topic.ORDER, rule_id="avoid", dose=None,
        drug="alectinib", severity="warning",
    )  # fmt: skip
    (left,) = Settled(
        [against, replace(_resuming(), severity="warning")], knowledge()
    ).recommendations()

    assert [item.kind for item in left.also] == [Kind.RESUME]


def test_a_card_that_is_the_louder_keeps_its_place_without_its_order() -> None:
    facts = patient(lines=(), psychiatric_disorder="present")
    decision = asked(facts, drafted("lorlatinib", "200", 1))

    assert found(decision, "order-lorlatinib-mind").severity == "warning"
    above = found(decision, "order-above-label")
    assert above.severity == "critical"
    assert above.settled == "something speaks against lorlatinib"
    assert not [label for label in clicks(decision) if label.startswith("Change the order")]


def test_of_two_lower_doses_only_the_lowest_is_one_click_away() -> None:
    above = replace(_resuming(), kind=Kind.REDUCE, topic=Topic.ORDER, rule_id="above")
    kidney = replace(
        above, rule_id="kidney", topic=Topic.POPULATION, dose=Dose("alectinib", Decimal(300), 2)
    )
    left = Settled([above, kidney], knowledge()).recommendations()

    assert [item.settled for item in left] == [
        "another card lowers the dose of alectinib further",
        "",
    ]


def test_the_same_lower_dose_stays_one_click_away_on_each_card() -> None:
    above = replace(_resuming(), kind=Kind.REDUCE, topic=Topic.ORDER, rule_id="above")
    kidney = replace(above, rule_id="kidney", topic=Topic.POPULATION)

    assert not any(item.settled for item in Settled([above, kidney], knowledge()).recommendations())


def test_a_drug_on_hold_for_one_thing_is_not_taken_up_again_for_another() -> None:
    hold = _recommendation(Kind.WITHHOLD, "hold")
    resume = replace(_resuming(), rule_id="resume")
    first, *more = Settled([hold, resume], knowledge()).recommendations()

    assert not more
    assert [item.rule_id for item in first.also] == ["resume"]
    assert first.also[0].settled == "alectinib is on hold"


def test_an_open_question_about_a_reaction_keeps_the_drug_from_being_resumed_by_a_click() -> None:
    question = _recommendation(Kind.ASK, "question")
    left = Settled([question, _resuming()], knowledge()).recommendations()

    assert [item.settled for item in left] == ["", "a reaction to alectinib is still to be settled"]


def test_a_choice_marks_the_drug_that_another_card_advises_against() -> None:
    decision = asked(patient(lines=()))
    assert decision.choice is not None
    against = _recommendation(Kind.STOP, "against", drug=decision.choice.options[0].drug)
    left = Settled([decision.choice, against], knowledge()).recommendations()

    marked = next(item for item in left if item.options)
    named = {one.drug: one.speaks_against for one in marked.options}
    assert named[against.drug or ""]
    assert sum(named.values()) == 1 + sum(one.speaks_against for one in decision.choice.options)


def test_an_order_refused_for_its_missing_lead_in_is_no_word_against_the_drug() -> None:
    decision = asked(patient(lines=()), drafted("brigatinib", "180", 1))

    said = said_of(found(decision, "order-lead-in-skipped"), knowledge().inhibitors)
    assert said == ("rewritten", ("brigatinib",))


@pytest.mark.parametrize("brain", ["present", "absent"])
def test_a_drug_that_is_not_preferred_is_advised_against_although_others_are_offered(
    brain: str,
) -> None:
    decision = asked(patient(lines=(), brain_metastases=brain), drafted("crizotinib", "250", 2))

    (item,) = [one for one in decision.recommendations if "not-preferred" in one.rule_id]
    assert "first line" in item.offers
    assert said_of(item, knowledge().inhibitors) == ("avoided", ("crizotinib",))


def test_what_is_said_twice_is_said_once() -> None:
    one = _recommendation(Kind.WITHHOLD, "hold")

    assert len(Settled([one, replace(one)], knowledge()).recommendations()) == 1


def _recommendation(kind: Kind, rule: str, drug: str = "alectinib") -> Recommendation:
    return Recommendation(kind, Topic.TOXICITY, rule, "warning", drug=drug)


def _resuming() -> Recommendation:
    return replace(_recommendation(Kind.RESUME, "resume"), dose=Dose("alectinib", Decimal(450), 2))


# -- the invariant --------------------------------------------------------------------------


KINDS = [kind for kind in Kind if kind not in (Kind.ORDER_TEST, Kind.INFORM)]
TOPICS = [Topic.TOXICITY, Topic.ORDER, Topic.INTERACTION, Topic.POPULATION]


@st.composite
def recommendations(draw: st.DrawFn) -> Recommendation:
    drug = draw(st.sampled_from(["alectinib", "lorlatinib"]))
    kind = draw(st.sampled_from(KINDS))
    doses = knowledge().drugs[drug].drug.ladder.levels
    step = draw(st.sampled_from(doses))
    ordered = draw(st.sampled_from([None, drug]))
    made = _recommendation(kind, draw(st.sampled_from(["a", "b", "c"])), drug)
    dose = Dose(drug, Decimal(step.amount_mg), step.per_day)
    return replace(
        made,
        topic=draw(st.sampled_from(TOPICS)),
        severity=draw(st.sampled_from(["critical", "warning", "info"])),
        order=order(ordered) if ordered else None,
        dose=dose if kind in (Kind.REDUCE, Kind.RESUME, Kind.START) else None,
    )


@given(st.lists(recommendations(), max_size=6))
def test_whatever_is_said_no_order_is_left_against_another_recommendation(
    made: list[Recommendation],
) -> None:
    left = Settled(made, knowledge()).recommendations()
    inhibitors = knowledge().inhibitors

    for item in left:
        if offer_of(item) is None or item.settled or item.dose is None:
            continue
        for other in left:
            said, drugs = said_of(other, inhibitors)
            if other is not item and item.dose.drug in drugs:
                assert said not in guard.AGAINST
                assert said not in guard.ASKED or item.kind is Kind.REDUCE


@given(st.lists(recommendations(), max_size=6))
def test_nothing_that_was_said_is_lost(made: list[Recommendation]) -> None:
    left = Settled(made, knowledge()).recommendations()

    said = {item.rule_id for one in left for item in (one, *one.also)}
    assert said == {item.rule_id for item in made}


# -- the last look --------------------------------------------------------------------------


@pytest.mark.usefixtures("parts_may_break")
def test_an_order_that_slipped_through_is_taken_out_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cds_service.alk.settlement.Settled.recommendations", lambda it: it._found)
    cards = cards_of(asked(stopped(), drafted("crizotinib", "500", 2)))

    assert medicines(cards) == ["Remove the crizotinib order"]
    (fault,) = [card.fault for card in cards if card.fault is not None]
    assert str(fault).startswith("order-above-label orders crizotinib against crizotinib-")


@pytest.mark.usefixtures("parts_may_break")
def test_a_last_look_that_fails_leaves_only_what_takes_an_order_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    decision = asked(patient(lines=ON_CRIZOTINIB), drafted("crizotinib", "500", 2))
    assert any(label.startswith("Change") for label in clicks(decision))
    monkeypatch.setattr(guard, "without_contradictions", broken)

    assert not clicks(decision)


# -- the table ------------------------------------------------------------------------------


def _file(tmp_path: Any, change: Callable[[str], str]) -> Any:
    text = (knowledge_folder() / "settlement.yaml").read_text(encoding="utf-8")
    file = tmp_path / "settlement.yaml"
    file.write_text(change(text), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("said: held", "said: frozen", "said"),
        ("said: held", "said: stopped", "exactly one row"),
        ("takes: [higher]", "takes: []", "takes"),
        ("takes: [higher]", "takes: [raise]", "takes"),
        ("card: joins", "card: vanishes", "card"),
        ("apart: [correct, lower]", "apart: [correct, raise]", "apart"),
        ("apart: [correct, lower]", "apart: [higher]", "apart"),
        ("card: stays\n", "card: stays\n  apart: [lower]\n", "apart"),
        ("{drug} is on hold", "on hold", "{drug}"),
        ("source: design-settlement", "source: hearsay", "source"),
    ],
)
def test_a_row_that_cannot_be_followed_stops_the_start_and_is_named(
    old: str, new: str, names: str, tmp_path: Any
) -> None:
    file = _file(tmp_path, lambda text: text.replace(old, new, 1))

    with pytest.raises(KnowledgeError) as told:
        load_settlement(file, frozenset(knowledge().sources))
    assert names in str(told.value)
    assert "settlement.yaml" in str(told.value)


def test_an_older_release_without_the_file_is_settled_by_the_strictest_rows(tmp_path: Any) -> None:
    assert load_settlement(tmp_path / "settlement.yaml", frozenset()) is STRICTEST
    older = replace(knowledge(), settlement=STRICTEST)
    hold = _recommendation(Kind.WITHHOLD, "hold")
    left = Settled([hold, _resuming()], older).recommendations()

    assert left[1].settled == "another recommendation speaks against alectinib"


@pytest.mark.parametrize(
    ("open_question", "draft"),
    [
        ({"ALT": "3.5", "total_bilirubin": None}, drafted("alectinib", "600", 2)),
        ({"oxygen_saturation": 89}, drafted("alectinib", "600", 2)),
        ({"heart_rate": "52", "bradycardia_symptoms": None}, drafted("alectinib", "900", 2)),
    ],
    ids=["lowered for the liver", "low oxygen", "above the label"],
)
def test_what_is_to_be_checked_before_the_next_dose_leaves_the_smaller_draft(
    open_question: dict[str, object], draft: OrderedMedication
) -> None:
    decision = asked(patient(**{"Child-Pugh_class": "C", **open_question}), draft)

    lowered = [one for one in decision.recommendations if one.kind is Kind.REDUCE]
    assert lowered
    assert not any(one.settled for one in lowered)
    assert [said for said in clicks(decision) if said.startswith("Change the order to alectinib")]


def test_a_question_on_the_card_of_a_lower_dose_leaves_the_button_of_that_card() -> None:
    # ALT has recovered, so that the next dose level is right; the symptoms of today are not known.
    chart = patient(ALT=[(40, "6"), (3, "1")], heart_rate="52", bradycardia_symptoms=None)
    decision = asked(chart, drafted("alectinib", "600", 2))

    (leading,) = [one for one in decision.recommendations if one.kind is Kind.REDUCE]
    assert [one.kind for one in leading.also] == [Kind.ASK]
    assert not leading.settled
    assert clicks(decision) == ["Change the order to alectinib 450 mg twice daily"]


def test_two_rows_of_one_group_about_the_same_medicine_are_one_card() -> None:
    taken = records.medication(text="warfarin 5 mg")
    draft = {**records.medication(text="ceritinib 450 mg once daily"), "status": "draft"}
    decision = decided("p", [records.person(), taken], [draft])

    (item,) = [one for one in decision.recommendations if "warfarin" in one.rule_id]
    assert summary(item, knowledge()) == "Avoid ceritinib with warfarin: CYP2C9 substrates"
    assert [one.rule_id for one in item.also] == ["ceritinib-interaction-cyp2c9"]
    assert not [one for one in decision.recommendations if one.rule_id == item.also[0].rule_id]


def test_of_two_checks_that_wait_for_the_same_the_verified_one_leads() -> None:
    waiting = replace(
        _recommendation(Kind.ASK, "unread"),
        topic=Topic.ORDER,
        order=order("alectinib"),
        reasons=(Reason.of(ReasonKind.MISSING, "medications", "not supplied"),),
        verified=False,
    )
    left = Settled([waiting, replace(waiting, rule_id="read", verified=True)], knowledge())

    (item,) = left.recommendations()
    assert item.rule_id == "read"
    assert [one.rule_id for one in item.also] == ["unread"]


# -- one question, asked once -----------------------------------------------------------------


def _ended(drug: str, *, ago: int, why: str = "") -> records.Json:
    reason = {"statusReason": records.coded(why)} if why else {}
    dose = records.dosage(250, 2)
    return records.medication(
        text=drug, status="stopped", start=ago + 200, end=ago, dose=dose, **reason
    )


def _again(drug: str, amount: int, per_day: int) -> records.Json:
    made = records.medication(
        text=drug, status="draft", start=0, dose=records.dosage(amount, per_day)
    )
    return {**made, "id": f"draft-{drug}"}


def _chart(*more: records.Json) -> list[records.Json]:
    return [
        records.person(),
        records.condition("non-small cell lung cancer", onset=900),
        records.condition("brain metastases", onset=900),
        records.alk_test("FISH", "positive", 890),
        *more,
    ]


def _about_its_end(decision: Decision) -> list[str]:
    return [line for line in summaries(decision) if "stopped" in line or "ended" in line]


def test_why_a_drug_was_stopped_is_asked_once_when_it_is_ordered_again() -> None:
    chart = _chart(_ended("alectinib", ago=100))
    decision = decided("p", chart, [_again("alectinib", 600, 2)])

    (told,) = found(decision, "order-unexplained-again").also
    assert told.rule_id == "progression-reason-missing"
    assert [line[:32] for line in _about_its_end(decision)] == ["Why was alectinib stopped before"]


def test_the_end_of_another_drug_is_still_asked_about_on_that_card() -> None:
    chart = _chart(_ended("alectinib", ago=100), _ended("crizotinib", ago=400))
    decision = decided("p", chart, [_again("alectinib", 600, 2)])

    (line,) = _about_its_end(decision)
    card = next(one for one in cards_of(decision) if one.card.summary == line)
    assert line.startswith("Why was alectinib stopped before")
    assert "Record why alectinib and crizotinib" in (card.card.detail or "")


def test_the_end_of_the_last_drug_is_asked_about_when_another_is_ordered() -> None:
    decision = decided("p", _chart(_ended("alectinib", ago=100)), [_again("lorlatinib", 100, 1)])

    (line,) = _about_its_end(decision)
    assert line.startswith("Record why alectinib was stopped")


def test_an_intolerance_and_the_stop_for_it_ask_once_which_reaction_it_was() -> None:
    intolerance = {
        "resourceType": "AllergyIntolerance",
        "id": "intolerance",
        "patient": {"reference": "Patient/p"},
        "code": {"text": "alectinib"},
        "recordedDate": records.day(90),
    }
    chart = _chart(_ended("alectinib", ago=100, why="treatment ended for toxicity"), intolerance)
    decision = decided("p", chart, [_again("alectinib", 600, 2)])

    (told,) = found(decision, "order-not-tolerated-again").also
    assert told.rule_id == "order-intolerance-unexplained"


def test_of_two_orders_each_is_asked_about() -> None:
    chart = _chart(_ended("alectinib", ago=100), _ended("crizotinib", ago=400))
    drafts = [_again("alectinib", 600, 2), _again("crizotinib", 250, 2)]
    decision = decided("p", chart, drafts)

    (line,) = _about_its_end(decision)
    assert line.startswith("Why were alectinib and crizotinib stopped before?")


def test_a_question_whose_rule_nobody_knows_stops_the_start_and_is_named(tmp_path: Any) -> None:
    file = _file(
        tmp_path, lambda text: text.replace("order-unexplained-again", "order-unheard-of", 1)
    )

    known = frozenset(row.identifier for table in knowledge().all_tables() for row in table)
    with pytest.raises(KnowledgeError) as told:
        load_settlement(file, frozenset(knowledge().sources), known)
    assert "order-unheard-of" in str(told.value)


def test_a_checkpoint_inhibitor_that_runs_before_alk_is_settled_is_one_card() -> None:
    facts = patient(lines=(), ALK="pending", medications=("immune checkpoint inhibitor",))
    decision = asked(facts, moment="patient-view")

    (told,) = found(decision, "force-immunotherapy-alk-open").also
    assert told.rule_id == "gate-pending"
    assert "gate-pending" not in [item.rule_id for item in decision.recommendations]
