"""A card is read in ten seconds: how long cards of all stories are, and what they never hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
import yaml

from cds_service.cards.paragraphs import DETAIL_AIM, DETAIL_LIMIT
from tests.services.calling import Json

STORIES = sorted((Path(__file__).parent / "__snapshots__" / "test_golden_cards").glob("*.yaml"))
RULE_LANGUAGE = re.compile(r"[<>]=|\bgrade [<>=]|xULN|xbaseline|\babsent\b.*\bunknown whether\b")


def answers() -> Iterator[tuple[str, list[Json]]]:
    """The cards of every story, as they were read and agreed, by hook."""
    for file in STORIES:
        for hook, cards in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            if isinstance(cards, list):
                yield hook, cards


def cards() -> list[Json]:
    return [card for _, found in answers() for card in found]


def test_the_details_of_all_stories_are_short() -> None:
    lengths = [len(card["detail"]) for card in cards()]
    assert len(lengths) > 100
    assert median(lengths) <= DETAIL_AIM
    assert max(lengths) <= DETAIL_LIMIT


def test_no_card_of_a_story_holds_a_table_or_a_rule() -> None:
    for card in cards():
        said = f"{card['summary']}\n{card['detail']}"
        assert "| --- |" not in said
        assert not RULE_LANGUAGE.search(said), said


def test_no_card_of_a_story_says_the_same_twice() -> None:
    for card in cards():
        # What marks one of several lines, such as "(not verified)", stands at each of them.
        told = re.sub(r" \([^()]*\)", "", card["detail"].split("\n\n**Used")[0])
        said = [
            part.strip(" .*-")
            for line in told.split("\n")
            for part in re.split(r": (?=avoid|for|caution|dose)|(?<=[.;])\s", line)
        ]
        long = [part for part in said if len(part) > 30]
        twice = {part for part in long if long.count(part) > 1}
        assert not twice, (card["summary"], twice)


def test_a_card_names_its_rule_in_its_last_line_alone() -> None:
    for card in cards():
        *before, last = card["detail"].split("\n\n")
        assert re.search(r"Rule [\w-]+, release \d", last) or "last checked" in last, last
        assert not any("Rule " in part and "release" in part for part in before[:-1])


@pytest.mark.parametrize("hook", ["order-sign"])
def test_at_signing_there_are_at_most_three_cards_unless_more_are_critical(hook: str) -> None:
    for said, found in answers():
        critical = sum(card["indicator"] == "critical" for card in found)
        assert said != hook or len(found) <= max(3, critical + 1)
