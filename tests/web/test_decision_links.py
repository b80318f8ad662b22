"""Links: signed, expiring, and honest about why one does not open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cds_service.web import LinkError, LinkExpired, LinkInvalid, LinkSigner

DECISION = "2b1f7c1e-8a1a-4b57-9d7a-7a8d6a6f6a10"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def signer(secret: str = "s" * 32, hours: float = 24) -> LinkSigner:
    return LinkSigner(secret, hours)


def test_a_token_leads_back_to_its_decision() -> None:
    assert signer().decision_id(signer().token(DECISION)) == DECISION


def test_a_token_can_stand_in_a_path() -> None:
    token = signer().token(DECISION)
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in token)


@pytest.mark.parametrize(("minutes", "opens"), [(0, True), (119, True), (120, True), (121, False)])
def test_a_token_opens_for_its_lifetime_and_no_longer(minutes: int, opens: bool) -> None:
    with time_machine.travel(START, tick=False) as clock:
        token = signer(hours=2).token(DECISION)
        clock.move_to(START + timedelta(minutes=minutes))
        if opens:
            assert signer(hours=2).decision_id(token) == DECISION
        else:
            with pytest.raises(LinkExpired):
                signer(hours=2).decision_id(token)


def test_a_token_of_another_secret_is_invalid() -> None:
    with pytest.raises(LinkInvalid):
        signer("t" * 32).decision_id(signer().token(DECISION))


def test_every_changed_letter_makes_a_token_invalid() -> None:
    token = signer().token(DECISION)
    for place, letter in enumerate(token[:-1]):
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkInvalid):
            signer().decision_id(changed)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "abc", DECISION, "a.b.c", "é", "\x00", "a" * 9999]
)
def test_what_is_no_token_is_invalid(token: str) -> None:
    with pytest.raises(LinkInvalid) as caught:
        signer().decision_id(token)
    assert len(token) < 2 or token not in str(caught.value)


def test_both_troubles_are_link_errors() -> None:
    assert issubclass(LinkExpired, LinkError)
    assert issubclass(LinkInvalid, LinkError)


@pytest.mark.parametrize(("secret", "hours"), [("", 24), ("s" * 32, 0), ("s" * 32, -1)])
def test_a_signer_that_could_not_protect_anything_is_refused(secret: str, hours: float) -> None:
    with pytest.raises(ValueError, match="must"):
        LinkSigner(secret, hours)
