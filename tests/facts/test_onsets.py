"""Onsets that are no day: the first and the last day that are possible."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.facts.onset_words import Days, days_in_words

WRITTEN = date(2026, 11, 17)


def between(first: str, last: str) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("two weeks ago", between("2026-10-27", "2026-11-17")),
        ("Onset 3 days ago", between("2026-11-13", "2026-11-17")),
        ("vor 2 Wochen", between("2026-10-27", "2026-11-17")),
        ("seit etwa 10 Tagen", between("2026-11-02", "2026-11-17")),
        ("il y a une semaine", between("2026-11-03", "2026-11-17")),
        ("since yesterday", between("2026-11-16", "2026-11-17")),
        ("gestern", between("2026-11-16", "2026-11-17")),
        ("since November 2026", between("2026-11-01", "2026-11-30")),
        ("Ende 2026", None),
        ("11/2026", between("2026-11-01", "2026-11-30")),
        ("03.11.2026", between("2026-11-03", "2026-11-03")),
        ("3. November 2026", between("2026-11-03", "2026-11-03")),
        ("03/11/2026", between("2026-03-11", "2026-11-03")),
        ("25/10/2026", between("2026-10-25", "2026-10-25")),
        ("2026-11-03", between("2026-11-03", "2026-11-03")),
        ("2024", between("2024-01-01", "2024-12-31")),
        ("31.02.2026", None),
        ("40/40/2026", None),
        ("more than two weeks ago", None),
        ("two weeks after surgery", None),
        ("at the age of 60", None),
        ("as a child", None),
        ("99 moons ago", None),
        ("many weeks ago", None),
        ("", None),
    ],
)
def test_words_give_the_days_between_which_it_surely_began(words: str, days: Days | None) -> None:
    assert days_in_words(words, WRITTEN) == days


@pytest.mark.parametrize("words", ["two weeks ago", "yesterday", "vor 3 Tagen"])
def test_what_is_ago_tells_nothing_without_the_day_on_which_it_was_written(words: str) -> None:
    assert days_in_words(words, None) is None
