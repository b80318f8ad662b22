"""What a day has overtaken is said where people look, and not only on a card."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.app import create_app
from cds_service.commands import commands
from cds_service.knowledge.out_of_date import Notice, out_of_date
from cds_service.knowledge.release import Knowledge
from cds_service.operations.metrics import Metrics
from tests.packaged import packaged_knowledge, released_knowledge
from tests.services.calling import Nowhere, settings_for

GOAL = packaged_knowledge().awaited["neladalkib"].approval.goal_date
LOOKED = packaged_knowledge().awaited["neladalkib"].approval.checked_on
PATIENCE = timedelta(days=packaged_knowledge().release.check_again_after_days)


def kinds(notices: Iterable[Notice]) -> set[tuple[str, str]]:
    return {(notice.kind, notice.about) for notice in notices}


def _with_label(knowledge: Knowledge, drug: str, **changed: object) -> Knowledge:
    tables = knowledge.drugs[drug]
    label = tables.drug.label.model_copy(update=changed)
    other = replace(tables, drug=tables.drug.model_copy(update={"label": label}))
    return replace(knowledge, drugs={**knowledge.drugs, drug: other})


def test_a_release_is_up_to_date_on_its_own_day() -> None:
    assert out_of_date(packaged_knowledge(), packaged_knowledge().release.date) == ()


def test_a_goal_date_that_has_passed_is_told_until_somebody_looks_it_up() -> None:
    knowledge = packaged_knowledge()
    awaited = knowledge.awaited["neladalkib"]
    flag = awaited.approval.model_copy(
        update={"goal_date": date(2026, 11, 27), "checked_on": date(2026, 11, 25)}
    )
    waiting = replace(
        knowledge, awaited={"neladalkib": awaited.model_copy(update={"approval": flag})}
    )
    assert out_of_date(waiting, date(2026, 11, 27)) == ()
    (notice,) = out_of_date(waiting, date(2026, 11, 28))
    assert (notice.kind, notice.about) == ("approval", "neladalkib")
    assert "goal date was 2026-11-27" in notice.says


def test_a_listing_that_was_to_end_is_told_after_its_last_day() -> None:
    last = date(2026, 12, 31)
    ends = _with_label(packaged_knowledge(), "ceritinib", listing_ends=last)
    assert ("listing", "ceritinib") not in kinds(out_of_date(ends, last))
    assert ("listing", "ceritinib") in kinds(out_of_date(ends, last + timedelta(days=1)))


def test_a_label_that_nobody_looked_at_for_too_long_is_told() -> None:
    knowledge = packaged_knowledge()
    sources = knowledge.drugs["alectinib"].drug.label.sources
    last = max(knowledge.sources[name].date_checked for name in sources) + PATIENCE
    assert ("label", "alectinib") not in kinds(out_of_date(knowledge, last))
    assert ("label", "alectinib") in kinds(out_of_date(knowledge, last + timedelta(days=1)))


def test_a_release_of_last_season_is_told() -> None:
    knowledge = packaged_knowledge()
    late = knowledge.release.date + PATIENCE
    about = ("release", knowledge.release.version)
    assert about not in kinds(out_of_date(knowledge, late))
    assert about in kinds(out_of_date(knowledge, late + timedelta(days=1)))


def test_the_numbers_follow_the_day_without_a_new_start() -> None:
    knowledge = packaged_knowledge()
    days = [knowledge.release.date]
    metrics = Metrics(lambda: knowledge, lambda: days[-1])
    assert 'alk_cds_knowledge_out_of_date{kind="release"} 0.0' in metrics.text().decode()
    days.append(knowledge.release.date + PATIENCE + timedelta(days=1))
    assert 'alk_cds_knowledge_out_of_date{kind="release"} 1.0' in metrics.text().decode()


def test_the_log_at_the_start_and_the_home_page_say_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    day = packaged_knowledge().release.date + PATIENCE + timedelta(days=1)
    settings = settings_for(Nowhere(), tmp_path / "records.sqlite3")
    with caplog.at_level(logging.WARNING, "alk_cds.app"):
        app = create_app(settings, knowledge=packaged_knowledge(), today=lambda: day)
    told = [record for record in caplog.records if record.message == "knowledge_out_of_date"]
    assert {vars(record)["kind"] for record in told} >= {"approval", "release"}

    page = html.unescape(app.test_client().get("/").get_data(as_text=True))
    assert "To be looked up again" in page
    for notice in out_of_date(packaged_knowledge(), day):
        assert notice.says[1:] in page


@pytest.mark.slow
def test_the_check_lists_it_and_passes_all_the_same() -> None:
    day = (released_knowledge().release.date + PATIENCE + timedelta(days=1)).isoformat()
    done = CliRunner().invoke(commands, ["knowledge", "check", "--as-of", day])
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert "Out of date: the approval of neladalkib" in said
    assert "Out of date: release" in said
