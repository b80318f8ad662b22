"""What must hold for any patient: monotone, never silent for missing data, within the label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cds_service.alk import Decision, Kind, Question, Topic, decide
from cds_service.alk.result_days import ResultDays
from cds_service.facts import OrderedMedication, PatientFacts
from tests.alk.patients import (
    AS_OF,
    FULL,
    LOWER,
    LOWEST,
    Dose,
    asked,
    knowledge,
    order,
    patient,
    reactions,
    treatment,
    without,
)
from tests.depth import examples

MODEST = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))

THRESHOLDS = ("1.5", "2", "2.5", "3", "5", "6", "10")
MULTIPLES = st.one_of(
    st.sampled_from(THRESHOLDS).map(Decimal),
    st.decimals(min_value="0.2", max_value="15", places=2),
)
FLAG = st.sampled_from(["present", "absent", None])
GRADED = ("ALT", "AST", "total_bilirubin", "CPK", "creatinine")
FLAGS = (
    "cholestasis",
    "haemolysis",
    "suspected_haemolysis",
    "bradycardia_symptoms",
    "bradycardia_grade_4",
    "interstitial_lung_disease",
    "respiratory_symptoms",
)
DOSES: st.SearchStrategy[Dose] = st.sampled_from([FULL, LOWER, LOWEST, ("500", 2), (None, None)])


@st.composite
def charts(draw: st.DrawFn) -> dict[str, object]:
    """Results of today, some missing, some without a range, with flags of every answer."""
    facts: dict[str, object] = {}
    for name in GRADED:
        value = draw(st.one_of(st.none(), MULTIPLES, MULTIPLES))
        flaw = draw(st.sampled_from(["", "", "", " no range", " unknown unit"]))
        facts[name] = None if value is None else f"{value}{flaw}"
    facts["heart_rate"] = draw(st.sampled_from([None, "45", "59", "60", "72"]))
    for name in FLAGS:
        facts[name] = draw(FLAG)
    facts["contributing_medication"] = draw(st.sampled_from(["none", "active", "adjusted", None]))
    return facts


@st.composite
def courses(draw: st.DrawFn) -> dict[str, object]:
    """Several results of the graded tests over the treatment and before it."""
    facts: dict[str, object] = {}
    for name in GRADED:
        days = draw(st.lists(st.integers(0, 240), min_size=0, max_size=4, unique=True))
        facts[name] = [(day, str(draw(MULTIPLES))) for day in days] or None
    facts["cholestasis"] = [(draw(st.integers(0, 240)), draw(FLAG) or "absent")]
    return facts


@st.composite
def orders_taken(draw: st.DrawFn) -> list[tuple[int | None, str, Dose]]:
    """One to three orders of alectinib, the last of them running or on hold."""
    number = draw(st.integers(1, 3))
    starts = sorted(draw(st.lists(st.integers(0, 200), min_size=number, max_size=number)))[::-1]
    taken = [(day, "ended", draw(DOSES)) for day in starts]
    taken[-1] = (taken[-1][0], draw(st.sampled_from(["active", "paused"])), taken[-1][2])
    return list(taken)


def _strongest(decision: Decision) -> int:
    ranks = [list(Kind).index(item.kind) for item in reactions(decision).values()]
    return min(ranks, default=len(Kind))


def _summary(decision: Decision) -> Counter[tuple[object, ...]]:
    """What a decision says, without the order of saying it."""
    said: list[tuple[object, ...]] = []
    for first in decision.recommendations:
        for item in (first, *first.also):
            reference = item.order.reference if item.order is not None else None
            said.append(
                (item.kind, item.topic, item.rule_id, item.severity, item.dose, item.resume_dose,
                 item.since, item.tests, reference, item.verified,
                 tuple((option.drug, len(option.modifiers)) for option in item.options))
            )  # fmt: skip
    return Counter(said)


def _on(facts: Mapping[str, object], dose: Dose = FULL) -> PatientFacts:
    return patient(lines=[treatment((170, "active", dose))], **facts)


@pytest.mark.deep
@MODEST
@given(charts(), st.sampled_from(GRADED), MULTIPLES, MULTIPLES, st.sampled_from([FULL, LOWER]))
def test_a_worse_result_never_gives_a_more_permissive_answer(
    chart: dict[str, object], name: str, one: Decimal, other: Decimal, dose: Dose
) -> None:
    low, high = sorted((one, other))
    better = asked(_on({**chart, name: str(low)}, dose))
    worse = asked(_on({**chart, name: str(high)}, dose))
    assert _strongest(worse) <= _strongest(better)


@pytest.mark.deep
@MODEST
@given(charts(), st.sampled_from(["72", "60", "59", "45"]), st.sampled_from(["60", "59", "45"]))
def test_a_slower_heart_never_gives_a_more_permissive_answer(
    chart: dict[str, object], one: str, other: str
) -> None:
    low, high = sorted((one, other), key=int)
    slower, faster = (
        asked(_on({**chart, "heart_rate": low})),
        asked(_on({**chart, "heart_rate": high})),
    )
    assert _strongest(slower) <= _strongest(faster)


@pytest.mark.deep
@MODEST
@given(charts(), st.data())
def test_removing_one_fact_never_turns_a_stop_or_hold_into_silence(
    chart: dict[str, object], data: st.DataObject
) -> None:
    facts = _on(chart)
    serious = [
        item
        for item in reactions(asked(facts)).values()
        if item.kind in (Kind.STOP, Kind.WITHHOLD) and item.row is not None
    ]
    assume(serious)
    item = data.draw(st.sampled_from(serious))
    assert item.row is not None
    named = sorted(item.row.when.facts_named)
    # A hold that rests on one statement alone is gone with that statement.
    assume(len(named) > 1 or named[0] in ("CPK", "creatinine", "total bilirubin"))
    removed = data.draw(st.sampled_from(named))
    left = asked(without(facts, removed))
    assert any(
        found.topic in (Topic.TOXICITY, Topic.MONITORING) and found.kind is not Kind.INFORM
        for found in left.recommendations
    )


@pytest.mark.deep
@MODEST
@given(courses(), orders_taken(), st.sampled_from([None, "600", "450", "300", "900"]))
def test_no_dose_exceeds_the_label_or_the_dose_at_the_reaction(
    course: dict[str, object],
    taken: list[tuple[int | None, str, Dose]],
    ordered: str | None,
) -> None:
    full = knowledge().drugs["alectinib"].drug.dosing.full_dose
    drafts = [] if ordered is None else [order("alectinib", ordered, 2)]
    decision = asked(patient(lines=[treatment(*taken)], **course), *drafts)
    known = [Decimal(amount) for _, _, (amount, _) in taken if amount is not None]
    for first in decision.recommendations:
        for item in (first, *first.also):
            for dose in (item.dose, item.resume_dose):
                if dose is None:
                    continue
                assert dose.amount_mg <= full.amount_mg
                assert dose.per_day <= full.per_day
                if item.topic is Topic.TOXICITY:
                    assert dose.amount_mg <= max(known)


@pytest.mark.deep
@MODEST
@given(courses(), orders_taken())
def test_the_same_input_gives_the_same_decision(
    course: dict[str, object], taken: list[tuple[int | None, str, Dose]]
) -> None:
    facts = patient(lines=[treatment(*taken)], **course)
    again = patient(lines=[treatment(*taken)], **course)
    one, other = asked(facts), asked(again)
    assert [item.rule_id for item in one.recommendations] == [
        item.rule_id for item in other.recommendations
    ]
    assert _summary(one) == _summary(other) == _summary(asked(facts))


DRAFTS = (
    order("alectinib", "600", 2),
    order("alectinib", "450", 2),
    order("lorlatinib", "100", 1),
    order("pembrolizumab", "200", 1),
    order("bisoprolol", "5", 1),
    order("osimertinib", "80", 1),
)


@pytest.mark.deep
@MODEST
@given(charts(), st.permutations(DRAFTS), st.integers(1, 4), st.booleans(), st.data())
def test_the_order_of_drafts_and_facts_does_not_matter(
    chart: dict[str, object],
    drafts: list[OrderedMedication],
    number: int,
    treated: bool,
    data: st.DataObject,
) -> None:
    facts = _on(chart) if treated else patient(lines=(), **chart)
    names = data.draw(st.permutations(sorted(facts.values)))
    shuffled = PatientFacts(
        facts.patient_id,
        facts.as_of,
        {name: facts.values[name] for name in names},
        facts.lines[::-1],
    )
    chosen = drafts[:number]
    turned = data.draw(st.permutations(chosen))
    assert _summary(asked(facts, *chosen)) == _summary(asked(shuffled, *turned))


@pytest.mark.deep
@MODEST
@given(charts())
def test_missing_data_are_never_read_as_normal(chart: dict[str, object]) -> None:
    """With nothing known of liver, muscle, kidney and heart no reaction is denied or asserted."""
    nothing = dict.fromkeys((*GRADED, "heart_rate", *FLAGS, "contributing_medication"))
    silent = asked(_on({**chart, **nothing}))
    assert reactions(silent) == {}
    due = {test.test for item in silent.recommendations for test in item.tests}
    assert {"liver tests", "kidney tests", "CPK", "heart rate and blood pressure"} <= due


@pytest.mark.deep
@MODEST
@given(courses(), orders_taken())
def test_looking_back_only_at_abnormal_days_misses_nothing(
    course: dict[str, object], taken: list[tuple[int | None, str, Dose]]
) -> None:
    facts = patient(lines=[treatment(*taken)], **course)
    with (
        patch.object(ResultDays, "abnormal", ResultDays.all_days),
        patch.object(ResultDays, "may_hold", lambda *_: True),
    ):
        every = _summary(asked(facts))
    assert _summary(asked(facts)) == every


@pytest.mark.deep
@MODEST
@given(charts(), courses(), orders_taken(), st.sampled_from([None, *DRAFTS]))
def test_a_thorough_basis_changes_no_answer(
    chart: dict[str, object],
    course: dict[str, object],
    taken: list[tuple[int | None, str, Dose]],
    draft: OrderedMedication | None,
) -> None:
    facts = patient(lines=[treatment(*taken)], **{**chart, **course})
    question = Question("order-sign", () if draft is None else (draft,))
    quick = decide(facts, question, knowledge(), AS_OF)
    thorough = decide(facts, question, knowledge(), AS_OF, thorough=True)
    assert _summary(quick) == _summary(thorough)
