"""What a card says is true in its small words too: no empty part, no promise, no wrong number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.cards.details import detail
from cds_service.cards.medication_orders import OrderContext
from cds_service.cards.suggestions import suggestions
from cds_service.cards.summaries import summary
from cds_service.fhir.outgoing import InvalidResource
from cds_service.knowledge.table_files import Row
from cds_service.protocol import Suggestion
from fhir_fixtures import load_story
from tests.alk.drug_cases import DRUGS, REACTIONS
from tests.alk.patients import AS_OF, asked, described, knowledge, patient
from tests.alk.row_cases import CASES
from tests.cards.deciding import decided
from tests.facts.records import AS_OF as TODAY

EMPTY_PART = re.compile(
    r"[:;,(]\s*$|:\s*[:;,.]|;\s*[;,.]|,\s*[,;.]|\(\s*\)|\s[:;,.](\s|$)|\b(at|to|when|with|until)\s*$"
    r"|(Stop|Hold|Avoid|Watch|Lower|Reduce|Resume|Continue|Before)\s*[:;,]"
)
TOPIC_OF = {
    "dose_changes": Topic.TOXICITY,
    "interactions": Topic.INTERACTION,
    "populations": Topic.POPULATION,
}


@cache
def decisions() -> tuple[Decision, ...]:
    """The decisions of every case of every table."""
    found = []
    for case in CASES:
        facts = dict(case.facts)
        orders = facts.pop("orders", ())
        found.append(asked(patient(**facts), *orders))  # type: ignore[arg-type,misc]
    found += [
        asked(described(case.facts, drug), jurisdiction=case.jurisdiction)
        for drug in DRUGS
        for case in REACTIONS[drug]
    ]
    return tuple(found)


def recommendations() -> Iterator[tuple[Decision, Recommendation]]:
    """Every recommendation of every case, also those told on another card."""
    for decision in decisions():
        for first in decision.recommendations:
            yield from ((decision, item) for item in (first, *first.also))


def drug_rows() -> Iterator[tuple[str, str, Row]]:
    """Every row of every drug, by drug and table."""
    for drug, tables in knowledge().drugs.items():
        for name in TOPIC_OF:
            yield from ((drug, name, row) for row in getattr(tables, name) or ())


@pytest.mark.slow
def test_no_summary_of_any_case_has_an_empty_part() -> None:
    said = {summary(item, knowledge()) for _, item in recommendations()}
    assert [text for text in said if EMPTY_PART.search(text)] == []


@pytest.mark.slow
def test_no_summary_of_any_case_holds_the_name_of_a_place_instead_of_what_stands_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfilled: set[str] = set()
    monkeypatch.setattr(
        "cds_service.cards.summaries._Filled.__missing__",
        lambda _, place: unfilled.add(place) or place,
    )
    for _, item in recommendations():
        summary(item, knowledge())
    assert unfilled == set()


@pytest.mark.slow
def test_no_line_of_a_detail_of_any_case_has_an_empty_part() -> None:
    """A line may end with a colon only where a list follows."""
    lines = {
        line
        for decision, item in recommendations()
        for line in detail(item, decision, knowledge()).split("\n")
        if "Source: " not in line
    }
    assert [line for line in lines if EMPTY_PART.search(line)] == []


@pytest.mark.parametrize("kind", list(Kind))
def test_no_summary_of_a_row_has_an_empty_part_when_nothing_is_known_but_the_row(
    kind: Kind,
) -> None:
    """A rule may fire with no value behind it, such as one that asks what is absent."""
    for drug, table, row in drug_rows():
        for item in (
            Recommendation(kind, TOPIC_OF[table], row.identifier, "warning", row=row, drug=drug,
                           detail=row.text("says"), ask=row.cells.get("ask", ""),
                           resume=row.cells.get("resume", "")),
        ):  # fmt: skip
            for variant in (item, replace(item, since=AS_OF), replace(item, at_floor=True)):
                text = summary(variant, knowledge())
                assert not EMPTY_PART.search(text), (row.identifier, text)


def offered(decision: Decision, item: Recommendation) -> list[Suggestion]:
    """What the card of a recommendation orders; nothing where a draft in memory has no resource."""
    try:
        return suggestions(item, decision, knowledge(), OrderContext("p"))[0]
    except InvalidResource:
        return []


LUNG = "interstitial lung disease"
STOPS_UNLESS_EXPLAINED = ("alectinib", "ceritinib", "crizotinib", "ensartinib", "lorlatinib")


@pytest.mark.parametrize("drug", STOPS_UNLESS_EXPLAINED)
def test_a_lung_disease_without_a_cause_is_never_said_to_allow_treatment_once_it_is_over(
    drug: str,
) -> None:
    decision = asked(described({LUNG: "present"}, drug))
    (item,) = [one for one in decision.recommendations if one.rule_id == f"{drug}-lung-hold"]
    assert "resume" not in summary(item, knowledge()).lower()
    assert "is there another cause" in summary(item, knowledge())
    assert not re.search(r"Resume\b.* when", detail(item, decision, knowledge()))


@pytest.mark.slow
def test_only_a_row_that_says_how_to_go_on_promises_to_resume() -> None:
    for decision, item in recommendations():
        if item.topic is Topic.TOXICITY and item.kind is Kind.WITHHOLD and not item.resume:
            assert "resume when" not in summary(item, knowledge()), item.rule_id
            said = detail(item, decision, knowledge())
            assert not re.search(r"Resume\b.* when", said), item.rule_id


@pytest.mark.slow
def test_a_paused_drug_without_a_written_way_back_is_asked_about_and_not_resumed() -> None:
    for decision, item in recommendations():
        if item.topic is Topic.TOXICITY and item.kind in (Kind.RESUME, Kind.REDUCE):
            assert item.resume or item.row is None, (decision.as_of, item.rule_id)


@pytest.mark.slow
def test_the_tests_named_on_a_card_are_those_it_orders_or_it_says_why_not() -> None:
    for decision, item in recommendations():
        buttons = offered(decision, item)
        ordered = " ".join(action.description for one in buttons for action in one.actions)
        words = detail(item, decision, knowledge(), buttons)
        listed = re.split(r"\n(?:- )?", words.partition("**Tests")[2].partition("\n\n**")[0])
        listed = [line.removeprefix(":** ") for line in listed]
        for test in item.tests:
            known = knowledge().tests[test.test]
            named = [line for line in listed if line.startswith(f"{known.label}:")]
            assert len(named) == 1, (item.rule_id, test.test)
            if not any(order.display in ordered for order in known.orders):
                assert re.search(r"\(.*(order)|not known whether", named[0]), (
                    item.rule_id,
                    named[0],
                )


def test_a_test_that_is_on_order_already_is_said_to_be() -> None:
    (decision,) = [asked(described({"ALT": "6.2"}))]
    (item,) = [one for one in decision.recommendations if one.rule_id == "alectinib-liver-hold"]
    liver = knowledge().tests["liver tests"]
    ordered = replace(decision, requested_tests=frozenset(order.key for order in liver.orders))
    assert offered(ordered, item) == []
    assert "(on order already)" in detail(item, ordered, knowledge())


@pytest.mark.slow
def test_the_number_in_the_summary_is_the_number_on_the_button() -> None:
    counted = 0
    for decision, item in recommendations():
        if item.topic not in (Topic.MONITORING, Topic.BASELINE):
            continue
        buttons = offered(decision, item)
        if not buttons:
            continue
        orderable = [test for test in item.tests if test.orderable]
        said = summary(item, knowledge())
        numbers = re.findall(r"^(?:Order )?(\d+)|overdue and (\d+) due", said)
        assert sum(int(number) for found in numbers for number in found if number) == len(orderable)
        if len(orderable) > 1:
            assert buttons[0].label.startswith(f"Order {len(orderable)} tests")
        counted += 1
    assert counted


def _drafted(text: str) -> Decision:
    """The decision about a draft order of a medicine that is named in words alone."""
    story = load_story("first-line-choice", TODAY)
    draft = {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{story.patient_id}"},
        "medicationCodeableConcept": {"text": text},
    }
    resources = [entry["resource"] for entry in story.bundle["entry"]]
    return decided(story.patient_id, resources, [draft])


@pytest.mark.parametrize("text", ["loratadine 10 mg tablet", "Axitinib 5 mg"])
def test_a_name_that_is_easily_taken_for_an_alk_inhibitor_is_asked_about_once(text: str) -> None:
    found = _drafted(text).recommendations
    (item,) = [one for one in found if one.rule_id == "order-look-alike"]
    assert text.split(" ", 1)[0].lower() in summary(item, knowledge())


@pytest.mark.parametrize("text", ["desloratadine 5 mg tablet", "paracetamol 500 mg"])
def test_a_name_that_only_holds_such_a_name_is_not_asked_about(text: str) -> None:
    found = _drafted(text).recommendations
    assert "order-look-alike" not in {one.rule_id for one in found}


@pytest.mark.slow
def test_no_headline_names_a_drug_as_an_option_that_its_own_table_advises_against() -> None:
    for _, item in recommendations():
        against = [one.drug for one in item.options if one.speaks_against]
        left = [one.drug for one in item.options if not one.speaks_against]
        if item.row is None or "{options}" not in item.row.cells.get("summary", "") or not left:
            continue
        said = summary(item, knowledge())
        named = item.row.text("summary").format_map(Named(options=""))
        assert not [drug for drug in against if drug in said and drug not in named], said
        assert len(left) > 1 or " are options" not in said


class Named(dict[str, str]):
    """What a headline names besides its options may be advised against: it runs, or failed."""

    def __missing__(self, key: str) -> str:
        return " ".join(knowledge().drugs)


@pytest.mark.slow
def test_a_question_beside_another_card_is_asked_once() -> None:
    for decision, item in recommendations():
        asked_there = [other.ask for other in item.also if "?" in other.ask and not other.settled]
        text = detail(item, decision, knowledge()).casefold()
        for ask in asked_there:
            assert text.count(f"{ask.partition('?')[0]}?".casefold()) <= asked_there.count(ask)


def test_of_two_holds_the_one_that_may_be_a_stop_leads_and_none_promises_a_dose() -> None:
    liver_and_lung = asked(patient(ALT="6", interstitial_lung_disease="present"))
    said = summary(liver_and_lung.recommendations[0], knowledge())
    assert said.startswith("Hold alectinib: interstitial lung disease")

    liver_and_muscle = asked(patient(ALT="6", CPK="11"))
    said = summary(liver_and_muscle.recommendations[0], knowledge())
    assert said.startswith("Hold alectinib: ALT 6.0 x ULN")
    assert "CPK 11.0 x ULN" in said
    assert "resume" not in said
