"""An older release answers as it would have then; a gap between release and question is said."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from cds_service.alk import Decision, Question, decide
from cds_service.alk.currency import stale_sources
from cds_service.cards.document import decision_document
from cds_service.cards.footers import footer
from cds_service.facts.patient import PatientFacts
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge, Release
from cds_service.knowledge.sources import Source
from tests.alk.patients import AS_OF, knowledge, patient, rows_heard

PACKAGED = Path(__file__).resolve().parents[2] / "cds_service" / "knowledge"
EARLIER = "2025.1.0"
HOLD = "alectinib-liver-hold"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """A release of a year before in which alectinib was held from 8 x ULN on only."""
    place = tmp_path_factory.mktemp("earlier")
    shutil.copytree(PACKAGED, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))
    table = place / "drugs" / "alectinib" / "dose_changes.csv"
    text = table.read_text(encoding="utf-8")
    changed = text.replace(
        f"{HOLD},TX-01,,,liver,(ALT > 5 xULN or AST > 5 xULN)",
        f"{HOLD},TX-01,,,liver,(ALT > 8 xULN or AST > 8 xULN)",
    )
    assert changed != text
    table.write_text(changed, encoding="utf-8")
    (place / "release.yaml").write_text(
        f"version: {EARLIER}\ndate: 2025-01-15\nreviewers: []\n"
        "changes:\n- affects: adults who take alectinib\n  what: the release of a year before\n",
        encoding="utf-8",
    )
    return load_release(place)


def raised() -> PatientFacts:
    return patient(ALT="6")


def answer(release: Knowledge, as_of: date = AS_OF) -> Decision:
    return decide(raised(), Question("patient-view"), release, as_of)


def test_an_older_release_gives_its_older_answer_and_the_current_one_its_own(
    earlier: Knowledge,
) -> None:
    assert HOLD in rows_heard(answer(knowledge()))
    assert HOLD not in rows_heard(answer(earlier))


def test_a_decision_and_its_document_name_the_release_that_answered(earlier: Knowledge) -> None:
    decision = answer(earlier)

    assert decision.release == EARLIER
    document = decision_document("1", decision, earlier, {})
    assert document["release"] == {"version": EARLIER, "date": "2025-01-15"}


def test_a_question_about_the_past_is_answered_by_the_release_of_then_without_a_note(
    earlier: Knowledge,
) -> None:
    facts = patient(ALT="6")
    day = earlier.release.date + timedelta(days=30)

    assert decide(facts, Question("patient-view"), earlier, day).notes == ()


def test_a_release_newer_than_the_day_asked_about_is_noted_and_still_answers() -> None:
    packaged = knowledge()
    day = packaged.release.date - timedelta(days=1)

    decision = answer(packaged, day)

    (note,) = decision.notes
    assert "newer than the day asked about" in note
    assert decision.recommendations
    assert note in footer(decision.recommendations[0], decision, packaged)
    assert decision_document("1", decision, packaged, {})["notes"] == [note]


def test_a_release_of_the_same_day_needs_no_note() -> None:
    packaged = knowledge()

    assert answer(packaged, packaged.release.date).notes == ()


@pytest.mark.parametrize(("days", "stale"), [(89, False), (90, False), (91, True)])
def test_knowledge_not_checked_for_more_than_ninety_days_is_said_to_be_old(
    days: int, stale: bool
) -> None:
    packaged = knowledge()
    decision = answer(packaged, packaged.release.date + timedelta(days=days))

    assert bool(decision.notes) is stale
    assert all(f"last checked {days} days ago" in note for note in decision.notes)


@pytest.mark.parametrize(("days", "stale"), [(90, False), (91, True)])
def test_a_card_warns_when_its_own_source_was_checked_too_long_ago(days: int, stale: bool) -> None:
    release = knowledge().release
    today = release.date
    source = Source(id="a-label", citation="A label, read once", kind="label", note="x",
                    publisher="regulator", date_checked=today - timedelta(days=days))  # fmt: skip

    assert bool(stale_sources(release, [source], today)) is stale


def test_an_own_choice_of_the_project_does_not_grow_old() -> None:
    release = knowledge().release
    source = Source(id="design-x", citation="A choice of ours", kind="design",
                    date_checked=date(2020, 1, 1))  # fmt: skip

    assert stale_sources(release, [source], release.date) == ""


def test_a_release_may_ask_to_be_checked_sooner() -> None:
    release = Release.model_validate(
        {**knowledge().release.model_dump(), "check_again_after_days": 7}
    )

    assert stale_sources(release, [], release.date + timedelta(days=8))


def test_a_stale_card_says_so_at_its_end() -> None:
    packaged = knowledge()
    decision = answer(packaged, packaged.release.date + timedelta(days=200))

    assert decision.recommendations
    for item in decision.recommendations:
        assert "**This knowledge was last checked" in footer(item, decision, packaged)
