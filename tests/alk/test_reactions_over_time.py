"""A reaction followed over weeks: hold, recovery, the way back, the floor, and what is remembered.

The table lists what the orders and results are and what must be said on the day asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import pytest

from cds_service.alk import Kind, Recommendation, Topic
from tests.alk.patients import (
    FULL,
    LOWER,
    LOWEST,
    Dose,
    asked,
    described,
    knowledge,
    order,
    patient,
    reactions,
    treatment,
)

UNREADABLE: Dose = (None, None)


class Course(NamedTuple):
    """Orders as (days ago, status, dose), ALT results as (days ago, multiple), what is said."""

    says: str
    orders: tuple[tuple[int | None, str, Dose], ...]
    alt: list[tuple[int, str]]
    kind: str | None
    dose: str | None = None
    since: int | None = None


RAISED, DOWN, NOT_YET = "6", "1.4", "3.5"
COURSES = (
    Course("raised today", ((170, "active", FULL),), [(3, RAISED)], "withhold", "450"),
    Course("held, still raised", ((170, "paused", FULL),), [(3, RAISED), (20, RAISED)],
           "withhold", "450"),
    Course("held, coming down", ((170, "paused", FULL),), [(3, NOT_YET), (20, RAISED)],
           "withhold", "450", 20),
    Course("held, at three", ((170, "paused", FULL),), [(3, "3"), (20, RAISED)],
           "resume", "450", 20),
    Course("held, recovered", ((170, "paused", FULL),), [(3, DOWN), (20, RAISED)],
           "resume", "450", 20),
    Course("held, recovered, from 450", ((300, "ended", FULL), (170, "paused", LOWER)),
           [(3, DOWN), (20, RAISED)], "resume", "300", 20),
    Course("held, recovered long ago", ((500, "paused", FULL),), [(3, DOWN), (300, RAISED)],
           "resume", "450", 300),
    Course("held, no newer result", ((170, "paused", FULL),), [(20, RAISED)],
           "withhold", "450", 20),
    Course("never held, recovered by itself", ((170, "active", FULL),), [(3, DOWN), (40, RAISED)],
           "reduce", "450", 40),
    Course("never held, no newer result", ((170, "active", FULL),), [(40, RAISED)],
           "withhold", "450", 40),
    Course("never held, beyond the memory", ((170, "active", FULL),), [(3, DOWN), (91, RAISED)],
           None),
    Course("never held, at the end of the memory", ((170, "active", FULL),),
           [(3, DOWN), (90, RAISED)], "reduce", "450", 90),
    Course("already resumed one step lower", ((170, "ended", FULL), (10, "active", LOWER)),
           [(3, DOWN), (40, RAISED)], None),
    Course("already resumed two steps lower", ((170, "ended", FULL), (10, "active", LOWEST)),
           [(3, DOWN), (40, RAISED)], None),
    Course("resumed one step lower before recovery", ((170, "ended", FULL), (10, "active", LOWER)),
           [(3, NOT_YET), (40, RAISED)], "inform"),
    Course("restarted at full dose", ((170, "ended", FULL), (10, "active", FULL)),
           [(3, DOWN), (40, RAISED)], "reduce", "450", 40),
    Course("restarted at full dose before recovery", ((170, "ended", FULL), (10, "active", FULL)),
           [(3, NOT_YET), (40, RAISED)], "withhold", "450", 40),
    Course("restarted at an unreadable dose", ((170, "ended", FULL), (10, "active", UNREADABLE)),
           [(3, DOWN), (40, RAISED)], "reduce", "450", 40),
    Course("lowered because of it, result not repeated",
           ((170, "ended", FULL), (2, "active", LOWER)), [(5, RAISED)], "withhold", "450"),
    Course("raised again at 450", ((170, "ended", FULL), (30, "active", LOWER)),
           [(3, RAISED), (20, DOWN), (50, RAISED)], "withhold", "300"),
    Course("raised again at 300: no lower dose",
           ((170, "ended", FULL), (60, "ended", LOWER), (30, "active", LOWEST)),
           [(3, RAISED), (20, DOWN), (50, RAISED)], "stop"),
    Course("recovered at 300: no lower dose", ((170, "paused", LOWEST),),
           [(3, DOWN), (20, RAISED)], "stop", None, 20),
    Course("restarted at 300 after a reaction at 300",
           ((170, "ended", LOWEST), (10, "active", LOWEST)), [(3, DOWN), (20, RAISED)],
           "stop", None, 20),
    Course("dose not readable", ((170, "active", UNREADABLE),), [(3, RAISED)], "withhold"),
    Course("dose not readable, restarted",
           ((170, "ended", UNREADABLE), (10, "active", FULL)), [(3, NOT_YET), (40, RAISED)],
           "withhold", None, 40),
    Course("dose not a step of the label", ((170, "active", ("500", 2)),), [(3, RAISED)],
           "withhold"),
    Course("before the first dose", ((30, "active", FULL),), [(3, DOWN), (40, RAISED)], None),
    Course("on the day of the first dose", ((30, "active", FULL),), [(3, DOWN), (30, RAISED)],
           "reduce", "450", 30),
    Course("first dose on an unknown day", ((None, "active", FULL),), [(3, RAISED)],
           "withhold", "450"),
    Course("ended, nobody asks", ((170, "ended", FULL),), [(3, RAISED)], None),
)  # fmt: skip


def _only(found: Mapping[str, Recommendation]) -> Recommendation | None:
    assert len(found) <= 1
    return next(iter(found.values()), None)


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.says)
def test_a_course_ends_in_what_the_label_asks_for(course: Course) -> None:
    item = _only(reactions(asked(patient(lines=[treatment(*course.orders)], ALT=course.alt))))
    if item is None:
        assert course.kind is None
        return
    dose = item.resume_dose or item.dose
    days_ago = None if item.since is None else (asked(patient()).as_of - item.since).days
    found = (item.kind.value, str(dose.amount_mg) if dose else None, days_ago)
    assert found == (course.kind, course.dose, course.since)


@pytest.mark.parametrize(
    ("ordered", "kind"), [("600", "resume"), ("450", None), ("300", None), (None, "resume")]
)
def test_an_order_after_recovery_is_measured_against_the_dose_to_resume(
    ordered: str | None, kind: str | None
) -> None:
    facts = patient(lines=[treatment((170, "paused", FULL))], ALT=[(3, DOWN), (20, RAISED)])
    item = _only(reactions(asked(facts, order("alectinib", ordered, 2))))
    assert (item and item.kind.value) == kind
    if item is not None:
        assert item.dose is not None
        assert item.dose.amount_mg == Decimal(450)


STOPPED = {"ALT": [(3, "1"), (100, "4")], "total_bilirubin": [(3, "1"), (100, "2.5")]}
CLEAR = {"cholestasis": [(120, "absent")], "haemolysis": [(120, "absent")]}


@pytest.mark.parametrize(
    ("status", "ordered", "kind"),
    [
        ("active", None, "stop"),
        ("paused", None, "stop"),
        ("ended", None, None),
        ("ended", "600", "stop"),
        ("ended", "300", "stop"),
    ],
)
def test_a_stop_is_remembered_without_limit(
    status: str, ordered: str | None, kind: str | None
) -> None:
    facts = patient(lines=[treatment((170, status, FULL))], **STOPPED, **CLEAR)
    orders = [] if ordered is None else [order("alectinib", ordered, 2)]
    item = _only(reactions(asked(facts, *orders)))
    assert (item and item.kind.value) == kind
    if item is not None:
        assert (item.severity, item.resume_dose, item.dose) == ("critical", None, None)


def test_a_milder_reaction_of_today_does_not_reopen_a_stop() -> None:
    facts = patient(ALT=[(3, "6"), (100, "4")], total_bilirubin=[(3, "1"), (100, "2.5")], **CLEAR)
    item = _only(reactions(asked(facts)))
    assert item is not None
    assert (item.kind.value, item.rule_id) == ("stop", "alectinib-liver-stop")


def test_a_restart_after_an_unclear_stop_leaves_the_question() -> None:
    facts = patient(
        lines=[treatment((170, "ended", FULL), (10, "active", LOWER))],
        ALT=[(3, "1"), (40, "4")],
        total_bilirubin=[(3, "1"), (40, "2.5")],
        cholestasis=None,
    )
    item = _only(reactions(asked(facts)))
    assert item is not None
    assert (item.kind.value, item.rule_id) == ("ask", "alectinib-liver-stop-undecided")


def test_two_reactions_of_one_time_ask_for_one_step_only() -> None:
    heard = reactions(asked(patient(ALT="6", CPK="11", creatinine="4")))
    doses = {item.resume_dose.amount_mg for item in heard.values() if item.resume_dose}
    assert len(heard) == 3
    assert doses == {Decimal(450)}


def test_two_reactions_before_one_reduction_are_both_answered_by_it() -> None:
    facts = patient(
        lines=[treatment((170, "ended", FULL), (10, "active", LOWER))],
        ALT=[(3, "1"), (30, "6")],
        CPK=[(3, "1"), (25, "11")],
    )
    assert reactions(asked(facts)) == {}


def test_a_second_rise_of_creatine_kinase_asks_for_the_lower_dose() -> None:
    facts = patient(CPK=[(3, "6"), (40, "1"), (80, "7")])
    item = _only(reactions(asked(facts)))
    assert item is not None
    assert item.rule_id == "alectinib-muscle-second"
    assert item.resume_dose is not None
    assert item.resume_dose.amount_mg == Decimal(450)


@pytest.mark.parametrize(
    ("status", "results", "kind"),
    [
        ("active", [(3, "1"), (20, "7")], None),
        ("paused", [(3, "1"), (20, "7")], "resume"),
        ("paused", [(3, "2.5"), (20, "7")], "resume"),
        ("paused", [(3, "2.51"), (20, "7")], "withhold"),
    ],
)
def test_a_first_rise_of_creatine_kinase_resumes_the_same_dose(
    status: str, results: list[tuple[int, str]], kind: str | None
) -> None:
    item = _only(reactions(asked(patient(lines=[treatment((170, status, FULL))], CPK=results))))
    assert (item and item.kind.value) == kind
    dose = item and (item.dose or item.resume_dose)
    assert dose is None or dose.amount_mg == Decimal(600)


def test_recovery_to_the_value_before_treatment_counts() -> None:
    """Creatine kinase was above 2.5 before the first dose: that value is the aim."""
    facts = patient(
        lines=[treatment((170, "paused", FULL))], CPK=[(3, "3"), (20, "11"), (175, "3")]
    )
    item = _only(reactions(asked(facts)))
    assert item is not None
    assert item.kind.value == "resume"


def test_a_muscle_hold_with_open_dose_asks_after_recovery() -> None:
    results = [(3, "1"), (20, "6"), (60, "1"), (90, "7 no range")]
    held = reactions(asked(patient(CPK=results)))["alectinib-muscle-episode-unknown"]
    assert (held.kind.value, held.dose) == ("ask", None)
    went_on = patient(lines=[treatment((170, "ended", FULL), (5, "active", LOWER))], CPK=results)
    assert "alectinib-muscle-episode-unknown" not in reactions(asked(went_on))


def test_a_recovered_patient_is_not_offered_a_drug_that_would_be_refused() -> None:
    paused = [treatment((170, "paused", FULL))]
    woman = {"sex": "female", "age": "34", "pregnancy": "present"}
    item = _only(reactions(asked(patient(lines=paused, ALT=[(3, DOWN), (20, RAISED)], **woman))))
    assert item is not None
    assert (item.kind.value, item.dose) == ("ask", None)
    assert "pregnancy" in item.ask


@pytest.mark.parametrize(
    ("alt", "episode"),
    [
        ([(3, "6")], 1),
        ([(3, "6"), (20, "5.5")], 1),
        ([(3, "6"), (20, "1"), (60, "6")], 2),
        ([(3, "6"), (20, "1"), (40, "7"), (60, "1"), (80, "9")], 3),
        ([(3, "6"), (20, "1"), (200, "9")], 1),
    ],
)
def test_a_hold_says_which_episode_it_is_since_the_first_dose(
    alt: list[tuple[int, str]], episode: int
) -> None:
    held = reactions(asked(patient(ALT=alt)))["alectinib-liver-hold"]
    assert held.episode == episode


@pytest.mark.parametrize(
    ("started", "ordered", "seen", "facts", "kind", "dose"),
    [
        (5, "180", 2, {"rash grade": "3"}, "withhold", "90"),
        (5, "180", 2, {"visual disturbance grade": "3"}, "withhold", "60"),
        (5, "90", 2, {"visual disturbance grade": "3"}, "withhold", "60"),
        (5, "60", 2, {"visual disturbance grade": "3"}, "stop", None),
        (9, "180", 3, {"visual disturbance grade": "3"}, "withhold", "60"),
        (9, "180", 2, {"visual disturbance grade": "3"}, "withhold", "120"),
        (9, "90", 2, {"visual disturbance grade": "3"}, "withhold", "60"),
        (5, None, 2, {"visual disturbance grade": "3"}, "withhold", None),
    ],
)
def test_in_the_first_days_the_steps_of_the_lead_in_count(
    started: int,
    ordered: str | None,
    seen: int,
    facts: dict[str, str],
    kind: str,
    dose: str | None,
) -> None:
    """An order of a lead-in and the full dose is read at its full dose, which is not taken yet."""
    taken = (ordered, 1 if ordered else None)
    line = treatment((started, "active", taken), ingredient="brigatinib")
    dated = {name: [(seen, grade)] for name, grade in facts.items()}
    item = _only(reactions(asked(described({"lines": (line,), **dated}, "brigatinib"))))
    assert item is not None
    resume = item.resume_dose
    assert (item.kind.value, str(resume.amount_mg) if resume else None) == (kind, dose)


@pytest.mark.parametrize(
    ("qtc", "kind"),
    [
        ([(3, "480"), (20, "510"), (25, "505")], "resume"),
        ([(3, "481"), (20, "510"), (25, "505")], "withhold"),
        ([(3, "490"), (20, "510"), (25, "505"), (175, "490")], "resume"),
        ([(3, "491"), (20, "510"), (25, "505"), (175, "490")], "withhold"),
        ([(3, "481"), (20, "510"), (25, "505"), (175, "470")], "withhold"),
    ],
)
def test_a_long_qtc_has_recovered_below_481_or_at_a_baseline_above_it(
    qtc: list[tuple[int, str]], kind: str
) -> None:
    line = treatment((170, "paused", ("450", 1)), ingredient="ceritinib")
    item = _only(reactions(asked(described({"lines": (line,), "QTc": qtc}, "ceritinib"))))
    assert item is not None
    assert item.kind.value == kind


@pytest.mark.parametrize(
    ("lipase", "amylase", "kind"),
    [("1.49", "1", "resume"), ("1.5", "1", "withhold"), ("1.49", "1.5", "withhold"),
     ("1.49", None, "withhold")],
)  # fmt: skip
def test_both_enzymes_of_the_pancreas_must_be_below_the_limit(
    lipase: str, amylase: str | None, kind: str
) -> None:
    line = treatment((170, "paused", ("450", 1)), ingredient="ceritinib")
    facts = {"lines": (line,), "lipase": [(3, lipase), (20, "3")], "amylase": amylase}
    item = _only(reactions(asked(described(facts, "ceritinib"))))
    assert item is not None
    assert item.kind.value == kind


@pytest.mark.parametrize(
    ("cpk", "status", "kind", "dose"),
    [
        ([(3, "7"), (10, "12")], "active", "withhold", "450"),
        ([(3, "4"), (10, "12")], "paused", "withhold", "450"),
        ([(3, "2"), (10, "7"), (17, "12")], "paused", "resume", "450"),
        ([(3, "7"), (10, "2"), (17, "12")], "active", "withhold", "450"),
        ([(3, "7"), (10, "6")], "active", "withhold", "600"),
        ([(3, "2"), (10, "7")], "paused", "resume", "600"),
    ],
)
def test_the_gravest_result_of_an_episode_decides_the_way_back(
    cpk: list[tuple[int, str]], status: str, kind: str, dose: str
) -> None:
    """A value that comes down from above ten is still that episode, not a milder one."""
    line = treatment((170, status, FULL))
    item = _only(reactions(asked(patient(lines=[line], CPK=cpk))))
    assert item is not None
    offered = item.resume_dose or item.dose
    assert offered is not None
    assert (item.kind.value, str(offered.amount_mg)) == (kind, dose)


@pytest.mark.parametrize("status", ["active", "paused"])
@pytest.mark.parametrize("drug", ["alectinib", "brigatinib", "ceritinib", "crizotinib",
                                  "ensartinib", "lorlatinib"])  # fmt: skip
def test_a_hold_of_today_without_a_way_back_is_not_replaced_by_an_older_one_with_one(
    drug: str, status: str
) -> None:
    # ALT and bilirubin together may mean the end of the drug; that ALT alone, higher and a week
    # before, would have let it go on one level lower is no answer to that.
    full = knowledge().drugs[drug].drug.dosing.full_dose
    line = treatment((170, status, (str(full.amount_mg), full.per_day)), ingredient=drug)
    raised = {
        "ALT": [(1, "4"), (8, "6")],
        "total_bilirubin": [(1, "3"), (8, "0.5")],
        "cholestasis": None,
        "haemolysis": None,
    }
    facts = patient(lines=(line,), **raised)
    (found,) = [
        item
        for item in asked(facts).recommendations
        if item.topic is Topic.TOXICITY and item.kind is not Kind.ASK
    ]
    assert found.kind in (Kind.WITHHOLD, Kind.STOP)
    assert found.trace is not None
    assert "total bilirubin" in found.trace.condition
    assert found.resume_dose is None
