"""How the parts of a decision go together: gates, orders, choices, monitoring, what is missing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from cds_service.alk import Decision, Kind, Question, Recommendation, Topic, decide
from cds_service.cards.basis import escaped_value
from cds_service.cards.suggestions import steps_for
from cds_service.cards.summaries import summary
from cds_service.facts import PatientFacts, TreatmentLine, TreatmentOrder
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.rules import Measurement
from tests.alk.patients import (
    AS_OF,
    FULL,
    LOWER,
    asked,
    day,
    first_order,
    knowledge,
    order,
    patient,
    reactions,
    rows_heard,
    running,
    taken,
    treatment,
    without,
)
from tests.alk.row_cases import CASES, RESECTED


def _of(decision: Decision, topic: Topic) -> list[Recommendation]:
    return [item for item in decision.recommendations if item.topic is topic]


def test_a_patient_without_cancer_and_drugs_hears_nothing() -> None:
    nobody = patient(lines=(), cancers=(), ALK=None, setting=None)
    assert asked(nobody).recommendations == ()


@pytest.mark.parametrize("cancers", [("hepatocellular carcinoma",), (), None])
def test_a_gate_stops_the_choice_and_never_a_safety_check(cancers: tuple[str, ...] | None) -> None:
    decision = asked(patient(cancers=cancers, ALT="6"), order("lorlatinib", "100", 1))
    assert _of(decision, Topic.GATE)
    assert decision.choice is None
    assert "alectinib-liver-hold" in reactions(decision)
    assert "order-beside-held-inhibitor" in rows_heard(decision)


def test_the_choice_is_a_set_and_never_one_drug() -> None:
    choice = asked(patient(lines=())).choice
    assert choice is not None
    assert choice.kind is Kind.CHOOSE
    assert choice.dose is None
    preferred = [item.drug for item in choice.options if item.place == "preferred"]
    assert set(preferred) == {"lorlatinib", "alectinib", "brigatinib", "ensartinib"}
    assert [item.drug for item in choice.options][-2:] == ["ceritinib", "crizotinib"]
    assert all(item.evidence for item in choice.options)


@pytest.mark.parametrize(
    ("facts", "first", "last_of_preferred"),
    [
        (
            {"brain_metastases": "present"},
            {"lorlatinib", "alectinib"},
            {"brigatinib", "ensartinib"},
        ),
        ({"psychiatric_disorder": "present"}, {"alectinib"}, {"lorlatinib"}),
        (
            {"medications": ("strong CYP3A inducer",)},
            {"alectinib"},
            {"lorlatinib", "brigatinib", "ensartinib"},
        ),
        ({"interstitial_lung_disease": "present"}, {"lorlatinib", "alectinib"}, {"brigatinib"}),
        ({"ECOG_performance_status": "3"}, {"alectinib"}, {"brigatinib", "ensartinib"}),
    ],
)
def test_the_patient_moves_the_options(
    facts: dict[str, object], first: set[str], last_of_preferred: set[str]
) -> None:
    choice = asked(patient(lines=(), **facts)).choice
    assert choice is not None
    drugs = [item.drug for item in choice.options if item.place == "preferred"]
    assert drugs[0] in first
    assert drugs[-1] in last_of_preferred


@pytest.mark.parametrize("missing", ["setting", "ALK", "cancers"])
def test_a_choice_that_hangs_on_missing_data_is_a_question(missing: str) -> None:
    decision = asked(without(patient(lines=()), missing))
    assert decision.choice is None or decision.choice.kind is Kind.ASK
    assert any(item.kind is Kind.ASK for item in decision.recommendations)


def test_an_incomplete_medication_list_is_not_an_empty_one() -> None:
    facts = patient(lines=())
    empty = {
        name: structs.replace(facts.values[name], complete=False)
        for name in ("prior ALK inhibitors", "active ALK inhibitors", "paused ALK inhibitors")
    }
    open_list = PatientFacts("p", facts.as_of, {**facts.values, **empty}, ())
    decision = asked(open_list)
    assert decision.choice is None or decision.choice.kind is Kind.ASK


def test_an_order_check_that_hangs_on_missing_data_asks() -> None:
    facts = patient(lines=())
    open_list = without(without(facts, "active ALK inhibitors"), "other active ALK inhibitors")
    decision = asked(open_list, order("lorlatinib", "100", 1))
    (item,) = [
        item for item in decision.recommendations if item.rule_id == "order-two-alk-inhibitors"
    ]
    assert item.kind is Kind.ASK
    assert item.reasons
    assert "order-two-alk-inhibitors" in decision.undecided


def test_a_grade_is_read_as_a_number_with_the_words_that_were_sent() -> None:
    said = {"Moderate": "2 (moderate)", "CTCAE grade 2": "2", "": "2"}
    for words, shown in said.items():
        item = Measurement(Decimal(2), AS_OF, as_sent=words, source="Condition/c")
        assert escaped_value(item) == shown
    for as_sent in ("1240 mg/dL", "<0.2 mg/dL"):
        item = Measurement(Decimal(2), AS_OF, as_sent=as_sent, source="Observation/o")
        assert escaped_value(item).replace("&lt;", "<") == as_sent


def test_a_summary_that_is_too_long_keeps_the_dose_to_resume() -> None:
    line = treatment((100, "active", ("100", 1)), ingredient="lorlatinib")
    decision = asked(patient(lines=[line], triglycerides="1240.5", total_cholesterol="388"))
    (item,) = [it for it in decision.recommendations if it.rule_id == "lorlatinib-lipids-hold"]
    assert summary(item, knowledge()).endswith("; resume 100 mg once daily on recovery")


def test_only_the_selected_orders_are_checked_but_all_are_seen() -> None:
    alectinib, lorlatinib = order("alectinib", "600", 2), order("lorlatinib", "100", 1)
    facts = patient(lines=())
    question = asked(facts, alectinib, lorlatinib).question
    chosen = replace(question, selected=frozenset({lorlatinib.reference}))
    found = [
        item
        for item in decide(facts, chosen, knowledge(), facts.as_of).recommendations
        if item.rule_id == "order-two-alk-drafted"
    ]
    assert [item.order for item in found] == [lorlatinib]


def test_a_switch_signed_while_the_old_drug_runs_asks_to_end_the_old_one_first() -> None:
    decision = asked(patient(disease_status="worse"), order("lorlatinib", "100", 1))
    (item,) = [it for it in decision.recommendations if it.rule_id == "order-switch-while-active"]
    assert summary(item, knowledge()).startswith("Stop alectinib before lorlatinib begins")
    assert "remove order" not in item.offers
    assert "order-two-alk-inhibitors" not in rows_heard(decision)


def test_two_drafts_are_refused_and_neither_is_said_to_be_active() -> None:
    drafts = order("alectinib", "600", 2), order("lorlatinib", "100", 1)
    decision = asked(patient(lines=(), disease_status="worse"), *drafts)
    refused = [it for it in decision.recommendations if it.rule_id == "order-two-alk-drafted"]
    assert [item.order for item in refused] == list(drafts)
    assert not [item for item in refused if "active" in summary(item, knowledge())]


def test_a_switch_among_two_drafts_is_still_refused() -> None:
    drafts = order("brigatinib", "90", 1), order("lorlatinib", "100", 1)
    heard = rows_heard(asked(patient(disease_status="worse"), *drafts))
    assert {"order-two-alk-drafted", "order-switch-while-active"} <= heard


def test_the_dose_to_order_instead_of_one_above_the_label_is_the_labels() -> None:
    decision = asked(patient(), order("alectinib", "900", 2))
    (item,) = [item for item in decision.recommendations if item.rule_id == "order-above-label"]
    assert item.kind is Kind.REDUCE
    assert item.dose is not None
    assert (item.dose.amount_mg, item.dose.per_day) == (600, 2)


def test_of_two_orders_of_a_drug_the_higher_dose_is_judged() -> None:
    facts = patient(lines=(), **{"Child-Pugh_class": "C"})
    doses = order("alectinib", "450", 2), order("alectinib", "600", 2)
    for drafts in (doses, doses[::-1]):
        (item,) = [
            item for item in _of(asked(facts, *drafts), Topic.POPULATION) if item.dose is not None
        ]
        assert item.order == doses[1]


def test_a_drug_without_rules_in_this_release_is_named_as_such() -> None:
    line = treatment((100, "active", ("250", 2)), ingredient="crizotinib")
    bare = DrugTables(knowledge().drugs["crizotinib"].drug, None, None, None, None)
    without_rules = replace(knowledge(), drugs={**knowledge().drugs, "crizotinib": bare})
    facts = patient(lines=[line], ALT="9")
    decision = decide(facts, Question("order-sign"), without_rules, facts.as_of)
    (item,) = _of(decision, Topic.COVERAGE)
    assert (item.drug, item.severity, item.verified) == ("crizotinib", "warning", False)


def test_data_that_could_not_be_obtained_are_named() -> None:
    facts = replace(patient(), unavailable={"laboratory": "the server did not answer"})
    (item,) = _of(asked(facts), Topic.AVAILABILITY)
    assert item.kind is Kind.ASK
    assert "laboratory" in item.detail


def test_a_test_already_on_request_is_not_asked_for_again() -> None:
    facts = patient(brain_imaging=200)
    assert "alectinib-monitor-brain" in rows_heard(asked(facts))
    (requested,) = [(item.system, item.code) for item in knowledge().tests["brain MRI"].orders]
    asked_for = replace(facts, requested_tests=frozenset({requested}))
    assert "alectinib-monitor-brain" not in rows_heard(asked(asked_for))


def test_results_from_before_the_first_dose_do_not_count_as_monitoring() -> None:
    line = treatment((16, "active", FULL))
    (item,) = _of(asked(patient(lines=[line], ALT=[(20, "1")])), Topic.MONITORING)
    due = {test.test: test for test in item.tests}
    assert due["liver tests"].status == "due"
    assert (asked(patient()).as_of - due["liver tests"].due).days == 2


def test_a_drug_that_is_taken_again_is_watched_as_in_its_first_weeks() -> None:
    def course(start: int, end: int | None, drug: str) -> TreatmentOrder:
        status = "active" if end is None else "ended"
        over = None if end is None else day(end)
        return TreatmentOrder(drug, status, day(start), over, taken(FULL), f"{drug}-{start}")

    again = TreatmentLine(
        "alectinib", (course(900, 400, "alectinib"), course(30, None, "alectinib"))
    )
    between = TreatmentLine("lorlatinib", (course(390, 40, "lorlatinib"),))
    results = {name: [(20, "1")] for name in ("ALT", "AST", "total_bilirubin")}

    found = _of(asked(patient(lines=[again, between], **results)), Topic.MONITORING)
    assert "liver tests" in {test.test for item in found for test in item.tests}
    resumed = _of(asked(patient(lines=[again], **results)), Topic.MONITORING)
    assert "liver tests" not in {test.test for item in resumed for test in item.tests}


@pytest.mark.parametrize(
    ("days_ago", "status"), [(14, "due"), (21, "due"), (22, "overdue"), (13, None)]
)
def test_a_test_is_due_first_and_overdue_after_a_week(days_ago: int, status: str | None) -> None:
    results = {name: [(days_ago, "1")] for name in ("ALT", "AST", "total_bilirubin")}
    line = treatment((60, "active", FULL))
    found = _of(asked(patient(lines=[line], **results)), Topic.MONITORING)
    tests = {test.test: test.status for item in found for test in item.tests}
    assert tests.get("liver tests") == status


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (None, "missing"),
        ([(20, "1")], None),
        ([(33, "1")], "due"),
        ([(60, "1")], "overdue"),
    ],
)
def test_a_drug_started_on_an_unknown_day_is_monitored_all_the_same(
    results: list[tuple[int, str]] | None, expected: str | None
) -> None:
    line = treatment((None, "active", FULL))
    facts = dict.fromkeys(("ALT", "AST", "total_bilirubin"), results)
    found = _of(asked(patient(lines=[line], **facts)), Topic.MONITORING)
    tests = {test.test: test.status for item in found for test in item.tests}
    assert tests.get("liver tests") == expected


def test_an_unverified_test_is_mentioned_and_never_orderable() -> None:
    found = _of(asked(patient(brain_imaging=200)), Topic.MONITORING)
    (due,) = [test for item in found for test in item.tests if test.test == "brain MRI"]
    assert not due.orderable


def test_only_a_verified_test_that_is_overdue_makes_a_warning() -> None:
    (ours,) = _of(asked(patient(brain_imaging=200)), Topic.MONITORING)
    assert ("overdue", False) in {(test.status, test.orderable) for test in ours.tests}
    assert ours.severity == "info"
    results = {name: [(22, "1")] for name in ("ALT", "AST", "total_bilirubin")}
    facts = patient(lines=[treatment((60, "active", FULL))], **results)
    (label,) = _of(asked(facts), Topic.MONITORING)
    assert label.severity == "warning"


def test_a_test_to_be_repeated_says_when_it_was_done_last() -> None:
    results = {"ALT": [(4, "6")], "AST": [(4, "1")], "total_bilirubin": [(4, "1")]}
    (item,) = reactions(asked(patient(**results))).values()
    assert [(test.test, test.last) for test in item.tests] == [("liver tests", day(4))]


def test_the_adjuvant_dose_lasts_two_years() -> None:
    facts = patient(
        lines=(),
        setting="resected",
        resection=40,
        resection_margin="R0",
        tumour_size="4",
        positive_lymph_nodes="0",
        ECOG_performance_status="1",
    )
    (item,) = _of(asked(facts), Topic.ADJUVANT)
    assert item.dose is not None
    assert (item.dose.amount_mg, item.dose.per_day, item.dose.months) == (600, 2, 24)


def test_the_most_dangerous_comes_first() -> None:
    decision = asked(patient(lines=[treatment((60, "active", LOWER))], ALT="6", CPK="11"),
                     order("lorlatinib", "100", 1))  # fmt: skip
    severities = [item.severity for item in decision.recommendations]
    order_of = ("critical", "warning", "info")
    assert severities == sorted(severities, key=order_of.index)
    assert decision.recommendations[0].rule_id == "order-beside-held-inhibitor"


def test_every_recommendation_of_a_row_carries_its_basis_and_its_sources() -> None:
    decision = asked(patient(lines=(), ALT="6"), order("crizotinib", "250", 2))
    for item in decision.recommendations:
        if item.row is not None:
            assert item.sources
            assert item.algorithm_ids
            assert item.topic is Topic.MONITORING or item.trace is not None


def _start_doses(**facts: object) -> dict[str, tuple[str, int] | None]:
    choice = asked(patient(lines=(), **facts)).choice
    assert choice is not None
    return {
        option.drug: (str(option.dose.amount_mg), option.dose.per_day) if option.dose else None
        for option in choice.options
    }


def test_a_choice_states_each_drugs_full_dose_when_nothing_lowers_it() -> None:
    assert _start_doses(**{"Child-Pugh_class": "B"})["alectinib"] == ("600", 2)


def test_a_choice_states_the_lower_start_dose_of_this_patient() -> None:
    assert _start_doses(**{"Child-Pugh_class": "C"})["alectinib"] == ("450", 2)


def test_a_start_dose_that_this_release_does_not_know_is_left_open() -> None:
    doses = _start_doses(eGFR="29.9")
    assert {drug for drug, dose in doses.items() if dose is None} == {
        "alectinib", "brigatinib", "ceritinib", "ensartinib", "lorlatinib",
    }  # fmt: skip


def _everything_read() -> Knowledge:
    """The release as if each row had been read in what may order."""
    release = knowledge()
    tables = release.drugs["brigatinib"]
    assert tables.populations is not None
    rows = tuple(replace(row, may_order=True) for row in tables.populations)
    populations = replace(tables.populations, rows=rows)
    drugs = {**release.drugs, "brigatinib": replace(tables, populations=populations)}
    return replace(release, drugs=drugs)


@pytest.mark.parametrize(
    ("facts", "first", "then"),
    [
        ({}, "90", "180"),
        ({"Child-Pugh_class": "C"}, "60", "120"),
        ({"eGFR": "29.9"}, "60", "90"),
        ({"eGFR": "14.9"}, None, None),
        ({"medications": ("strong CYP3A inhibitor",)}, None, None),
        ({"medications": ("moderate CYP3A inhibitor",), "eGFR": "29.9"}, None, None),
    ],
)
def test_what_lowers_the_dose_lowers_the_dose_of_the_first_days_too(
    facts: dict[str, object], first: str | None, then: str | None
) -> None:
    question = Question("patient-view")
    choice = decide(patient(lines=(), **facts), question, _everything_read(), AS_OF).choice
    assert choice is not None
    (dose,) = [option.dose for option in choice.options if option.drug == "brigatinib"]
    found = (dose.lead_in_mg, dose.amount_mg) if dose else (None, None)
    assert tuple(None if number is None else str(number) for number in found) == (first, then)
    if dose is not None:
        steps = steps_for(knowledge().drugs["brigatinib"].drug, dose)
        assert [(str(step.amount_mg), step.days) for step in steps] == [(first, 7), (then, None)]


AT_START_AND_LATER = pytest.mark.parametrize(
    ("lines", "starting"),
    [((), True), ((running("brigatinib", 60),), False)],
    ids=["start", "later"],
)


@AT_START_AND_LATER
def test_a_lowered_first_order_keeps_its_lead_in(
    lines: tuple[TreatmentLine, ...], starting: bool
) -> None:
    facts = patient(lines=lines, **{"Child-Pugh_class": "C"})
    decision = asked(facts, order("brigatinib", "180", 1))
    (item,) = [
        item for item in decision.recommendations if item.rule_id == "brigatinib-child-pugh-c"
    ]
    assert item.dose is not None
    assert (item.dose.amount_mg, item.dose.lead_in_mg) == (120, 60 if starting else None)


@AT_START_AND_LATER
def test_the_dose_instead_of_one_above_the_label_begins_with_the_lead_in_at_a_start(
    lines: tuple[TreatmentLine, ...], starting: bool
) -> None:
    decision = asked(patient(lines=lines), order("brigatinib", "240", 1))
    (item,) = [item for item in decision.recommendations if item.rule_id == "order-above-label"]
    assert item.dose is not None
    assert (item.dose.amount_mg, item.dose.lead_in_mg) == (180, 90 if starting else None)


def test_a_population_row_gives_the_start_dose_that_a_modifier_left_open() -> None:
    assert _start_doses(eGFR="29.9")["crizotinib"] == ("250", 1)
    assert _start_doses(total_bilirubin="1.51")["crizotinib"] == ("200", 2)
    assert _start_doses(total_bilirubin="3.01")["crizotinib"] == ("250", 1)


def test_a_drug_whose_dose_must_be_looked_up_stands_behind_one_whose_dose_is_known() -> None:
    choice = asked(patient(lines=(), **{"Child-Pugh_class": "C"})).choice
    assert choice is not None
    preferred = [item.drug for item in choice.options if item.place == "preferred"]
    assert preferred.index("alectinib") < preferred.index("lorlatinib")


def test_the_dose_instead_of_one_above_the_label_is_this_patients_own() -> None:
    facts = patient(**{"Child-Pugh_class": "C"})
    decision = asked(facts, order("alectinib", "900", 2))
    (item,) = [item for item in decision.recommendations if item.rule_id == "order-above-label"]
    assert item.dose is not None
    assert (item.dose.amount_mg, item.dose.per_day) == (450, 2)


def test_adjuvant_treatment_starts_at_this_patients_own_dose() -> None:
    decision = asked(patient(**{**RESECTED, "Child-Pugh_class": "C"}))
    (item,) = [item for item in decision.recommendations if item.rule_id == "adjuvant-alectinib"]
    assert item.dose is not None
    assert (item.dose.amount_mg, item.dose.per_day, item.dose.months) == (450, 2, 24)
    assert "Child-Pugh C" in item.detail


def test_no_adjuvant_dose_is_stated_where_the_label_gives_none() -> None:
    decision = asked(patient(**{**RESECTED, "eGFR": "29.9"}))
    (item,) = [item for item in decision.recommendations if item.rule_id == "adjuvant-alectinib"]
    assert item.dose is None
    assert "not studied" in item.detail


def test_a_choice_without_any_unobjectionable_drug_warns() -> None:
    woman = {"sex": "female", "age": "34"}
    choice = asked(patient(lines=(), pregnancy="present", **woman)).choice
    assert choice is not None
    assert choice.severity == "warning"


@pytest.mark.deep
@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_drug_that_is_offered_is_never_refused_when_it_is_ordered(number: int) -> None:
    """Whoever takes an offered first order must not be stopped at the signature."""
    given = {name: value for name, value in CASES[number].facts.items() if name != "orders"}
    facts = patient(**given)
    decision = asked(facts)
    offered = [option for item in decision.recommendations for option in item.options]
    for option in offered:
        if option.speaks_against or option.dose is None or option.stop_first:
            continue
        then = asked(facts, first_order(option))
        refused = [item.rule_id for item in then.recommendations if "remove order" in item.offers]
        assert refused == [], option.drug


@pytest.mark.parametrize(
    "danger",
    [
        {"pregnancy": "present", "sex": "female", "age": "34"},
        {"interstitial_lung_disease": "present"},
        {"earlier_interstitial_lung_disease_caused_by_alectinib": "present"},
    ],
)
def test_adjuvant_treatment_is_not_offered_against_a_contraindication(
    danger: dict[str, object],
) -> None:
    decision = asked(patient(**{**RESECTED, **danger}))
    (item,) = [item for item in decision.recommendations if item.rule_id == "adjuvant-alectinib"]
    assert (item.kind, item.severity, item.dose) == (Kind.ASK, "warning", None)
    assert "speaks against it" in summary(item, knowledge())


def test_adjuvant_treatment_is_offered_with_a_warning_after_lung_disease_of_another_drug() -> None:
    by_another = {"earlier_interstitial_lung_disease_caused_by_pembrolizumab": "present"}
    decision = asked(patient(**{**RESECTED, **by_another}))
    (item,) = [item for item in decision.recommendations if item.rule_id == "adjuvant-alectinib"]
    assert item.kind is Kind.START
    assert "lung disease caused by another drug" in item.detail
