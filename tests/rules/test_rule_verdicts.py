"""Kleene's logic, written out as tables."""

from __future__ import annotations

import itertools

import pytest
from rule_samples import happened, members, said, verdict_of

from cds_service.rules import FactValue, Verdict
from cds_service.rules.verdicts import (
    Reason,
    ReasonKind,
    conjunction,
    disjunction,
    merged,
    negation,
)

T, F, U = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN

AND = {
    (T, T): T, (T, F): F, (T, U): U,
    (F, T): F, (F, F): F, (F, U): F,
    (U, T): U, (U, F): F, (U, U): U,
}  # fmt: skip
OR = {
    (T, T): T, (T, F): T, (T, U): T,
    (F, T): T, (F, F): F, (F, U): U,
    (U, T): T, (U, F): U, (U, U): U,
}  # fmt: skip

# Three facts, each made to give the verdict that a row of the table asks for.
PARTS = ("brain metastases", "any resection", 'medications include "warfarin"')


def _patient(verdicts: tuple[Verdict, ...]) -> dict[str, FactValue]:
    makers = (
        ("brain metastases", {T: said(("present", 0)), F: said(("absent", 0)), U: said()}),
        ("resection", {T: happened(3), F: happened(), U: happened(complete=False)}),
        ("medications", {T: members("warfarin"), F: members(), U: members(complete=False)}),
    )
    return {name: made[verdict] for (name, made), verdict in zip(makers, verdicts, strict=False)}


@pytest.mark.parametrize("pair", list(AND), ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_two_conditions_combine_as_kleene_says(pair: tuple[Verdict, Verdict]) -> None:
    facts = _patient(pair)
    assert conjunction(pair) is AND[pair]
    assert disjunction(pair) is OR[pair]
    assert verdict_of(f"{PARTS[0]} and {PARTS[1]}", facts) is AND[pair]
    assert verdict_of(f"{PARTS[0]} or {PARTS[1]}", facts) is OR[pair]


@pytest.mark.parametrize(
    "three", list(itertools.product(Verdict, repeat=3)), ids=lambda t: "-".join(v.name for v in t)
)
def test_three_conditions_combine_like_two_and_one(three: tuple[Verdict, ...]) -> None:
    facts = _patient(three)
    assert verdict_of(" and ".join(PARTS), facts) is AND[AND[three[0], three[1]], three[2]]
    assert verdict_of(" or ".join(PARTS), facts) is OR[OR[three[0], three[1]], three[2]]


def test_not_swaps_met_and_not_met_and_leaves_unknown() -> None:
    assert [negation(verdict) for verdict in (T, F, U)] == [F, T, U]
    for verdict, opposite in ((T, F), (F, T), (U, U)):
        assert verdict_of(f"not {PARTS[0]}", _patient((verdict,))) is opposite


def test_unknown_whether_is_met_exactly_for_unknown() -> None:
    for verdict, expected in ((T, F), (F, F), (U, T)):
        assert verdict_of(f"unknown whether {PARTS[0]}", _patient((verdict,))) is expected


def test_nothing_to_combine_gives_the_neutral_verdict() -> None:
    assert conjunction(()) is T
    assert disjunction(()) is F


def test_merged_reasons_stand_once_in_their_first_order() -> None:
    one = Reason.of(ReasonKind.MISSING, "ALT", "")
    two = Reason.of(ReasonKind.STALE, "AST", "latest of 1 Jan 2026")
    assert merged((one, two), (two, one)) == (one, two)
    assert one.kind is ReasonKind.MISSING
