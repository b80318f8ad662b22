"""Two releases whose cards have one headline may still show something else below it."""

from __future__ import annotations

import pytest

from cds_service.commands.shown_cards import ShownCard, apart, shown
from cds_service.protocol import Card, Source, Suggestion

HOLD = "Hold alectinib"
CLOSING = "Read in a copy. Source: A label and 1 more. Rule a, release 2026.11.0, 1 Nov 2026."
DETAIL = f"ALT is high.\n\n{CLOSING}"


def card(summary: str = HOLD, detail: str = DETAIL, orders: tuple[str, ...] = (),
         indicator: str = "warning") -> ShownCard:  # fmt: skip
    suggestions = [Suggestion(label=label) for label in orders]
    return shown(
        Card(summary=summary, detail=detail, indicator=indicator, source=Source(label="x"),
             suggestions=suggestions, selection_behavior="any" if orders else None)
    )  # fmt: skip


def test_the_same_card_is_no_difference_whatever_its_release_is_called() -> None:
    stale = "**This knowledge was last checked 120 days ago; look at the current label.**"
    newer = "Release 2026.12.0 of 1 Dec 2026 is newer than the day asked about, 1 Nov 2026."
    old = card(detail=f"{DETAIL}\n\n{stale}")
    new = card(detail=f"{DETAIL.replace('2026.11', '2026.12').replace('A label', 'B')}\n\n{newer}")

    assert apart([old], [new]) == apart([new], [old]) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (card(orders=("Remove the order",)), "one-click orders: Remove the order"),
        (card(detail=DETAIL.replace("Read in a copy", "Not verified by anybody")),
         "level: Not verified by anybody"),
        (card(indicator="critical"), "urgency: critical"),
        (card(detail=DETAIL.replace("ALT is high", "ALT is low")), "the text below"),
        (card(detail="ALT is high."), "level: none said"),
    ],
)  # fmt: skip
def test_what_is_otherwise_below_the_same_headline_is_named(other: ShownCard, said: str) -> None:
    (told,) = apart([other], [card()])

    assert told.startswith(f"{HOLD} (")
    assert said in told
    assert apart([card()], [other])


def test_of_another_headline_the_headline_is_enough() -> None:
    assert apart([card("Stop alectinib", orders=("Remove",))], [card()]) == ("Stop alectinib",)


def test_two_cards_with_one_headline_are_each_looked_for() -> None:
    both = [card(), card(indicator="critical")]

    assert apart(both, both) == ()
    assert len(apart(both, both[:1])) == 1
