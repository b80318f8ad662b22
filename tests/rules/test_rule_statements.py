"""States, flags, collections and events: what is said, what is missing, what contradicts."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs
from rule_samples import (
    AS_OF,
    happened,
    kinds_of,
    members,
    result,
    results,
    said,
    trace_of,
    verdict_of,
)

from cds_service.rules import (
    Collection,
    Event,
    Events,
    FactValue,
    Item,
    Reason,
    ReasonKind,
    Series,
    Statements,
    Verdict,
)

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


# -- states -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "advanced", "resected"),
    [
        ("setting is advanced", MET, NOT_MET),
        ("setting is not advanced", NOT_MET, MET),
        ("setting in {advanced, locally advanced}", MET, NOT_MET),
        ("setting not in {advanced, locally advanced}", NOT_MET, MET),
    ],
)
def test_a_state_is_compared_with_the_latest_statement(
    rule: str, advanced: Verdict, resected: Verdict
) -> None:
    assert verdict_of(rule, {"setting": said(("advanced", 1), ("resected", 90))}) is advanced
    assert verdict_of(rule, {"setting": said(("resected", 1), ("advanced", 90))}) is resected


def test_what_nobody_said_is_missing_and_never_absent() -> None:
    for facts in ({}, {"brain metastases": said()}):
        for rule in ("brain metastases", "no brain metastases", "brain metastases absent"):
            assert verdict_of(rule, facts) is UNKNOWN
            assert kinds_of(rule, facts) == {ReasonKind.MISSING}


def test_statements_of_one_day_must_agree_on_the_answer() -> None:
    for pair in ((("advanced", 1), ("resected", 1)), (("resected", 1), ("advanced", 1))):
        facts = {"setting": said(*pair)}
        assert kinds_of("setting is advanced", facts) == {ReasonKind.CONTRADICTORY}
        assert verdict_of("setting in {advanced, resected}", facts) is MET
        assert verdict_of("setting is locally advanced", facts) is NOT_MET


def test_a_state_that_its_source_calls_contradictory_is_unknown() -> None:
    reason = Reason.of(ReasonKind.CONTRADICTORY, "ALK status", "two laboratories")
    facts = {"ALK status": structs.replace(said(("confirmed", 1)), unknown=(reason,))}
    trace = trace_of("ALK status is confirmed", facts)
    assert (trace.verdict, trace.reasons) == (UNKNOWN, (reason,))
    assert verdict_of("ALK status unknown", facts) is MET


@pytest.mark.parametrize(
    ("rule", "ago", "expected"),
    [
        ("pregnancy absent", 30, MET), ("pregnancy absent", 31, UNKNOWN),
        ("pregnancy absent within 7 days", 7, MET), ("pregnancy absent within 7 days", 8, UNKNOWN),
        ("pregnancy absent within 1 year", 200, MET), ("brain metastases absent", 4000, MET),
    ],
)  # fmt: skip
def test_a_statement_goes_stale(rule: str, ago: int, expected: Verdict) -> None:
    facts = {name: said(("absent", ago)) for name in ("pregnancy", "brain metastases")}
    assert verdict_of(rule, facts) is expected
    if expected is UNKNOWN:
        assert kinds_of(rule, facts) == {ReasonKind.STALE}


def test_a_statement_without_a_date_answers_only_what_never_goes_stale() -> None:
    facts = {name: said(("absent", None)) for name in ("pregnancy", "brain metastases")}
    assert verdict_of("brain metastases absent", facts) is MET
    assert kinds_of("brain metastases absent within 1 year", facts) == {ReasonKind.MISSING}
    assert kinds_of("pregnancy absent", facts) == {ReasonKind.MISSING}


def test_a_statement_without_a_date_may_be_the_newest_wherever_it_stands() -> None:
    dated, undated = ("absent", 1), ("present", None)
    for pair in ((dated, undated), (undated, dated)):
        facts = {"brain metastases": said(*pair)}
        assert kinds_of("brain metastases absent", facts) == {ReasonKind.CONTRADICTORY}
    for pair in ((dated, ("absent", None)), (("absent", None), dated)):
        facts = {"brain metastases": said(*pair)}
        assert verdict_of("brain metastases absent within 7 days", facts) is MET


def test_a_statement_of_tomorrow_is_not_known_today() -> None:
    facts = {"brain metastases": said(("present", -1), ("absent", 3))}
    assert verdict_of("brain metastases", facts) is NOT_MET
    assert verdict_of("brain metastases", {"brain metastases": said(("present", -1))}) is UNKNOWN


def test_a_trace_names_the_statement_it_rests_on() -> None:
    facts = {"setting": said(("advanced", 8), ("resected", 90))}
    trace = trace_of("setting is advanced", facts)
    assert trace.used == facts["setting"].statements[:1]
    assert "advanced on 12 Nov 2026" in trace.sentence


# -- collections --------------------------------------------------------------------------------

PRIOR = "prior ALK inhibitors"


@pytest.mark.parametrize(
    ("rule", "present", "complete", "expected"),
    [
        ("include alectinib", ("alectinib",), True, MET),
        ("include alectinib", ("alectinib",), False, MET),
        ("include alectinib", ("crizotinib",), True, NOT_MET),
        ("include alectinib", ("crizotinib",), False, UNKNOWN),
        ("include alectinib", (), False, UNKNOWN),
        ("do not include alectinib", ("crizotinib",), True, MET),
        ("do not include alectinib", ("crizotinib",), False, UNKNOWN),
        ("do not include alectinib", ("alectinib",), False, NOT_MET),
        ("include any of {alectinib, lorlatinib}", ("lorlatinib",), False, MET),
        ("include any of {alectinib, lorlatinib}", ("crizotinib",), True, NOT_MET),
        ("include any of {alectinib, lorlatinib}", ("crizotinib",), False, UNKNOWN),
        ("include all of {alectinib, lorlatinib}", ("alectinib", "lorlatinib"), False, MET),
        ("include all of {alectinib, lorlatinib}", ("alectinib",), True, NOT_MET),
        ("include all of {alectinib, lorlatinib}", ("alectinib",), False, UNKNOWN),
        ("do not include any of {alectinib, lorlatinib}", ("crizotinib",), True, MET),
        ("do not include any of {alectinib, lorlatinib}", ("alectinib",), False, NOT_MET),
        ("do not include all of {alectinib, lorlatinib}", ("alectinib",), True, MET),
        ("do not include all of {alectinib, lorlatinib}", ("alectinib",), False, UNKNOWN),
    ],
)
def test_an_incomplete_list_proves_presence_only(
    rule: str, present: tuple[str, ...], complete: bool, expected: Verdict
) -> None:
    facts = {PRIOR: members(*present, complete=complete)}
    assert verdict_of(f"{PRIOR} {rule}", facts) is expected


@pytest.mark.parametrize(
    ("number", "complete", "met", "failed"),
    [
        (0, True, {"< 2", "<= 2", "!= 2"}, {"> 2", ">= 2", "= 2"}),
        (2, True, {">= 2", "<= 2", "= 2"}, {"> 2", "< 2", "!= 2"}),
        (3, True, {"> 2", ">= 2", "!= 2"}, {"< 2", "<= 2", "= 2"}),
        (0, False, set(), set()),
        (2, False, {">= 2"}, {"< 2"}),
        (3, False, {"> 2", ">= 2", "!= 2"}, {"< 2", "<= 2", "= 2"}),
    ],
)
def test_an_incomplete_list_may_hold_any_number_more(
    number: int, complete: bool, met: set[str], failed: set[str]
) -> None:
    names = ("alectinib", "crizotinib", "lorlatinib")[:number]
    facts = {PRIOR: members(*names, complete=complete)}
    verdicts = {
        f"{sign} 2": verdict_of(f"count of {PRIOR} {sign} 2", facts)
        for sign in (">", ">=", "<", "<=", "=", "!=")
    }
    assert {sign for sign, verdict in verdicts.items() if verdict is MET} == met
    assert {sign for sign, verdict in verdicts.items() if verdict is NOT_MET} == failed


def test_members_of_one_label_are_counted_once() -> None:
    twice = Collection(members("alectinib").items * 2, complete=True)
    assert verdict_of(f"count of {PRIOR} = 1", {PRIOR: twice}) is MET


def test_any_and_no_speak_about_the_whole_collection() -> None:
    for facts, any_there, none_there in (
        (members("alectinib", complete=False), MET, NOT_MET),
        (members(), NOT_MET, MET),
        (members(complete=False), UNKNOWN, UNKNOWN),
    ):
        assert verdict_of(f"any {PRIOR}", {PRIOR: facts}) is any_there
        assert verdict_of(f"no {PRIOR}", {PRIOR: facts}) is none_there


def test_an_incomplete_list_gives_its_own_reason() -> None:
    reason = Reason.of(ReasonKind.STALE, PRIOR, "asked a year ago")
    facts = {PRIOR: Collection((), complete=False, incomplete=(reason,))}
    for rule in (f"no {PRIOR}", f"{PRIOR} include alectinib", f"count of {PRIOR} > 1"):
        assert trace_of(rule, facts).reasons == (reason,)


def test_a_member_answers_to_each_of_its_names_whatever_their_case() -> None:
    item = Item(frozenset({"clarithromycin", "Strong CYP3A inhibitors"}), "clarithromycin")
    facts = {"medications": Collection((item,), complete=True)}
    for name in ("clarithromycin", "strong CYP3A inhibitors", "Strong CYP3A inhibitors"):
        assert verdict_of(f'medications include "{name}"', facts) is MET
    assert verdict_of('medications include "CYP3A inhibitors"', facts) is NOT_MET


def test_a_member_of_tomorrow_is_not_there_today() -> None:
    item = Item(frozenset({"alectinib"}), "alectinib", date(2026, 11, 21))
    facts = {PRIOR: Collection((item,), complete=True)}
    assert verdict_of(f"no {PRIOR}", facts) is MET
    assert verdict_of(f"count of {PRIOR} = 0", facts) is MET
    assert verdict_of(f"{PRIOR} include alectinib", facts) is NOT_MET


def test_a_list_that_holds_other_members_is_never_said_to_be_empty() -> None:
    facts = {PRIOR: members("crizotinib")}
    trace = trace_of(f"{PRIOR} do not include alectinib", facts)
    assert trace.sentence == f"{PRIOR}: not among crizotinib; so this holds."
    empty = {PRIOR: Collection((), complete=True)}
    assert "none found" in trace_of(f"{PRIOR} do not include alectinib", empty).sentence


def test_a_trace_names_the_members_that_matched() -> None:
    facts = {PRIOR: members("alectinib", "crizotinib")}
    trace = trace_of(f"{PRIOR} include any of {{crizotinib, lorlatinib}}", facts)
    assert trace.used == facts[PRIOR].items[1:]
    assert "crizotinib" in trace.sentence


# -- events -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "met_at", "failed_at"),
    [
        ("resection within 28 days", (0, 28), (29, 400)),
        ("resection at least 28 days ago", (28, 400), (0, 27)),
        ("resection more than 28 days ago", (29, 400), (0, 28)),
        ("resection within 1 month", (0, 31), (32,)),
        ("resection before 2026-11-10", (11, 400), (0, 10)),
        ("resection on or before 2026-11-10", (10, 400), (0, 9)),
        ("resection after 2026-11-10", (0, 9), (10, 400)),
        ("resection on or after 2026-11-10", (0, 10), (11, 400)),
    ],
)
def test_an_event_is_dated_exactly(
    rule: str, met_at: tuple[int, ...], failed_at: tuple[int, ...]
) -> None:
    for ago in met_at:
        assert verdict_of(rule, {"resection": happened(ago, 1000)}) is MET
    for ago in failed_at:
        assert verdict_of(rule, {"resection": happened(ago, 1000)}) is NOT_MET


def test_no_event_in_a_complete_list_is_an_answer_and_in_an_incomplete_list_none() -> None:
    for rule in ("resection within 28 days", "resection at least 28 days ago", "any resection"):
        assert verdict_of(rule, {"resection": happened()}) is NOT_MET
        assert verdict_of(rule, {"resection": happened(complete=False)}) is UNKNOWN
        assert verdict_of(rule, {}) is UNKNOWN
    assert verdict_of("no resection", {"resection": happened()}) is MET
    assert verdict_of("no resection", {"resection": happened(complete=False)}) is UNKNOWN


@pytest.mark.parametrize(
    ("rule", "ago", "expected"),
    [
        ("resection within 28 days", 28, MET),
        ("resection within 28 days", 29, UNKNOWN),
        ("resection at least 28 days ago", 27, NOT_MET),
        ("resection at least 28 days ago", 28, UNKNOWN),
        ("resection more than 28 days ago", 28, NOT_MET),
        ("resection more than 28 days ago", 29, UNKNOWN),
        ("resection after 2026-11-10", 9, MET),
        ("resection after 2026-11-10", 10, UNKNOWN),
        ("resection before 2026-11-10", 10, NOT_MET),
        ("resection before 2026-11-10", 11, UNKNOWN),
    ],
)
def test_an_incomplete_list_of_events_may_lack_the_latest_one(
    rule: str, ago: int, expected: Verdict
) -> None:
    facts = {"resection": happened(ago, complete=False)}
    assert verdict_of(rule, facts) is expected
    if expected is UNKNOWN:
        assert kinds_of(rule, facts) == {ReasonKind.MISSING}


def test_an_event_of_tomorrow_has_not_happened() -> None:
    facts = {"resection": happened(-1, 40)}
    assert verdict_of("resection within 28 days", facts) is NOT_MET
    assert trace_of("any resection", facts).used == facts["resection"].events[1:]


def test_spans_since_an_event_reach_across_month_ends_and_leap_days() -> None:
    leap_day = {"resection": Events((Event(date(2024, 2, 29)),), complete=True)}
    for as_of, within, more in (
        (date(2024, 3, 29), MET, NOT_MET),
        (date(2024, 3, 30), MET, NOT_MET),
        (date(2024, 3, 31), MET, NOT_MET),
        (date(2024, 4, 1), NOT_MET, MET),
    ):
        assert verdict_of("resection within 1 month", leap_day, as_of) is within
        assert verdict_of("resection more than 1 month ago", leap_day, as_of) is more
    assert verdict_of("resection within 1 year", leap_day, date(2025, 2, 28)) is MET
    assert verdict_of("resection within 1 year", leap_day, date(2025, 3, 1)) is NOT_MET


# -- known and unknown --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fact", "known"),
    [
        ("ALT", results(result("5")), True),
        ("ALT", results(result("<5")), True),
        ("ALT", results(), False),
        ("ALT", results(baseline="5"), False),
        ("ALT", results(result(None, problem=ReasonKind.UNKNOWN_UNIT)), False),
        ("ALT", results(result(None), result("5", ago=1)), True),
        ("setting", said(("advanced", None)), True),
        ("setting", Statements(()), False),
        (PRIOR, members(), True),
        (PRIOR, members(complete=False), False),
        (PRIOR, members("alectinib", complete=False), True),
        ("resection", happened(), True),
        ("resection", happened(complete=False), False),
        ("resection", happened(-1, complete=False), False),
        ("resection", happened(1, complete=False), True),
    ],
)
def test_known_says_whether_something_usable_is_recorded(
    name: str, fact: FactValue, known: bool
) -> None:
    assert verdict_of(f"{name} known", {name: fact}) is (MET if known else NOT_MET)
    assert verdict_of(f"{name} unknown", {name: fact}) is (NOT_MET if known else MET)


@pytest.mark.parametrize("name", ["ALT", "setting", PRIOR, "resection"])
def test_what_was_never_asked_is_unknown_and_that_is_certain(name: str) -> None:
    assert verdict_of(f"{name} known", {}) is NOT_MET
    assert verdict_of(f"{name} unknown", {}) is MET


def test_unknown_whether_fires_on_what_cannot_be_decided_and_names_it_below() -> None:
    facts: dict[str, FactValue] = {"ALT": results(result("248"))}
    trace = trace_of("unknown whether (ALT > 5 xULN and setting is advanced)", facts)
    assert trace.verdict is MET
    assert trace.reasons == ()
    kinds = {reason.kind for node in trace.walk() for reason in node.reasons}
    assert kinds == {ReasonKind.NO_REFERENCE_RANGE, ReasonKind.MISSING}


def test_a_fact_of_the_wrong_kind_is_missing() -> None:
    wrong: dict[str, FactValue] = {
        name: Series(()) if name != "ALT" else said(("present", 0))
        for name in ("ALT", "setting", PRIOR, "resection")
    }
    rules = (
        "ALT > 5 U/L",
        "first episode of ALT > 5 U/L",
        "setting is advanced",
        f"no {PRIOR}",
        f"{PRIOR} include alectinib",
        f"count of {PRIOR} > 1",
        "resection within 1 day",
    )
    for rule in rules:
        assert kinds_of(rule, wrong, AS_OF) == {ReasonKind.MISSING}
