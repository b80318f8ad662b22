"""A run that is interrupted goes on, a chart or a process that fails is named, nothing is half."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

import cds_service.cohort.run as deciding
from cds_service.cohort import Limits, OtherRunError, PatientResult, Population
from cds_service.cohort.buckets import Shelf, Writer, bucket_count
from cds_service.cohort.charts import charts_of_bucket
from cds_service.cohort.grouping import LINE
from cds_service.cohort.pools import WORKER_DIED, Pool
from cds_service.cohort.tally import Tally, Unused
from cds_service.commands import commands
from tests.cohort.populations import SETUP, all_results, export, told

STOPPED, WELL = "alectinib-pneumonitis", "alectinib-on-track"

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ALK_CDS_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("data"), STOPPED, WELL)


def population(data: Path, work: Path) -> Population:
    # So little memory that each bucket holds few of the lines.
    work.mkdir(exist_ok=True)
    return Population(data, SETUP, work, Limits(1, 1))


def many_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.cohort.population.bucket_count", lambda size, memory: 7)


def test_a_run_that_stopped_goes_on_with_what_was_not_decided(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_buckets(monkeypatch)
    whole = all_results(data)
    real, seen = deciding.decide, []

    def stops(facts: Any, *others: Any) -> Any:
        if seen:
            raise KeyboardInterrupt
        seen.append(facts.patient_id)
        return real(facts, *others)

    monkeypatch.setattr(deciding, "decide", stops)
    with pytest.raises(KeyboardInterrupt):
        list(population(data, tmp_path / "work").results())

    def goes_on(facts: Any, *others: Any) -> Any:
        seen.append(facts.patient_id)
        return real(facts, *others)

    monkeypatch.setattr(deciding, "decide", goes_on)
    results = list(population(data, tmp_path / "work").results())
    assert sorted(seen) == sorted({f"{STOPPED}-patient", f"{WELL}-patient"})
    assert {item.patient: item for item in results} == {item.patient: item for item in whole}


def test_the_number_of_buckets_and_their_parts_change_no_result(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {item.patient: item for item in all_results(data)}
    many_buckets(monkeypatch)
    monkeypatch.setattr("cds_service.cohort.population._LEAST", 4000)
    assert {item.patient: item for item in population(data, tmp_path / "w").results()} == whole


def test_a_bucket_above_its_limit_is_gone_through_in_parts(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "charts", 1)
    writer = Writer(shelf, limit=500)
    for number in range(60):
        key = b"p%d" % (number % 20)
        writer.add(LINE, key, b"%03d" % number, b'{"resourceType":"Patient","id":"%s"}' % key)
    writer.close()
    alone = [chart.patient for chart in charts_of_bucket(shelf, 0, 10**9)]
    assert len(alone) == 20
    assert sorted(chart.patient or "" for chart in charts_of_bucket(shelf, 0, 900)) == sorted(
        name or "" for name in alone
    )


def test_more_lines_make_more_buckets_not_larger_ones() -> None:
    assert bucket_count(10**6, 10**8) == 1
    assert bucket_count(10**10, 10**8) == 400


@pytest.mark.parametrize("change", ["data", "day"])
def test_a_work_folder_of_another_run_is_not_gone_on_with(
    tmp_path: Path, change: str, data: Path
) -> None:
    own = export(tmp_path / "own", WELL)
    list(population(own, tmp_path / "work").results())
    if change == "data":
        (own / "2.Condition.ndjson").write_bytes(b"\n")
        again = population(own, tmp_path / "work")
    else:
        again = population(data, tmp_path / "work")
    with pytest.raises(OtherRunError):
        list(again.results())


def test_a_folder_with_other_files_is_no_work_folder(data: Path, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OtherRunError, match="not empty"):
        list(population(data, tmp_path).results())
    assert (tmp_path / "letters.txt").exists()


def prepared() -> None:
    pass


def dies_over_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 10


def test_a_process_that_is_killed_costs_nobody_else_an_answer() -> None:
    pool = Pool(dies_over_three, prepared, (), 2)
    found = dict(pool.answers(range(9)))
    assert found.pop(3) is WORKER_DIED
    assert found == {number: number * 10 for number in range(9) if number != 3}


def dies_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marker.name


def test_a_process_that_is_killed_once_is_asked_again(tmp_path: Path) -> None:
    tasks = [tmp_path / "one", tmp_path / "two"]
    assert dict(Pool(dies_once, prepared, (), 2).answers(tasks)) == {
        task: task.name for task in tasks
    }


def test_the_bucket_over_which_a_process_dies_is_named(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_buckets(monkeypatch)
    real = deciding.decide

    def dies(facts: Any, *others: Any) -> Any:
        if facts.patient_id == f"{WELL}-patient":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(facts, *others)

    monkeypatch.setattr(deciding, "decide", dies)
    work = tmp_path / "work"
    work.mkdir()
    results = list(Population(data, SETUP, work, Limits(2)).results())
    assert [item.error for item in results if item.error] == ["the process that decided it died"]
    assert f"{STOPPED}-patient" in {item.patient for item in results if not item.error}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["cohort", *arguments])


ASKED = ("--as-of", "2026-11-20", "--processes", "1")


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: Population) -> list[PatientResult]:
        raise AssertionError("the work began")

    monkeypatch.setattr(Population, "results", never)
    result = run(str(data), "--out", str(tmp_path / "no" / "where.ndjson"), *ASKED)
    assert result.exit_code == 2
    assert "--out cannot be written" in result.stderr
    blocked = tmp_path / "file"
    blocked.touch()
    result = run(str(data), "--work", str(blocked / "work"), *ASKED)
    assert result.exit_code == 2
    assert "--work cannot be written" in result.stderr


def test_results_appear_when_they_are_whole(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.ndjson"
    out.write_text("of yesterday", encoding="utf-8")

    def stops(_: Any) -> Any:
        yield PatientResult("x", "p")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Population, "results", stops)
        result = run(str(data), "--out", str(out), *ASKED)
    assert result.exit_code == 130
    assert out.read_text(encoding="utf-8") == "of yesterday"
    assert sorted(tmp_path.iterdir()) == [out]
    result = run(str(data), "--out", str(out), *ASKED)
    assert result.exit_code == 0, result.output
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


def test_the_exit_status_says_whether_the_data_were_whole(tmp_path: Path) -> None:
    folder = export(tmp_path / "data", WELL)
    (folder / "1.MedicationRequest.ndjson").unlink()
    result = run(str(folder), *ASKED)
    assert result.exit_code == 3
    assert "not whole for anybody: medications" in result.stderr
    assert "choose" not in json.loads(result.stdout)["kinds"]


def test_a_type_that_nobody_asks_for_cannot_be_left_out(data: Path) -> None:
    result = run(str(data), "--without", "Claim", *ASKED)
    assert result.exit_code == 2
    assert "--without Claim" in result.stderr


def test_how_far_a_run_is_and_how_fast_it_goes_is_told(data: Path) -> None:
    result = run(str(data), *ASKED)
    assert "reading: 100 %" in result.stderr
    assert "deciding: 100 %" in result.stderr
    assert "s left" in result.stderr


def test_no_name_of_a_patient_stands_in_the_results(data: Path) -> None:
    patients = [item for item in told(STOPPED) if item["resourceType"] == "Patient"]
    family = patients[0]["name"][0]["family"]
    assert family not in run(str(data), *ASKED).output


def test_what_was_counted_is_kept_as_text_and_read_back_whole() -> None:
    tally = Tally(
        Counter({"Observation": 3}), Counter({(Unused.BROKEN, "Condition"): 1}), {"a": None},
        [("x.ndjson:3", "why")], {"Encounter": None}, frozenset({"Patient"}), frozenset({"Flag"}),
    )  # fmt: skip
    assert Tally.decoded(tally.encoded()) == tally
    assert not Tally.decoded(tally.encoded()).whole
    with pytest.raises(msgspec.DecodeError):
        Tally.decoded(b"\x80\x04N.")


def test_a_work_folder_is_nobody_elses_to_read(data: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    arguments = ["cohort", str(data), "--as-of", "2026-11-20", "--work", str(work)]
    result = CliRunner().invoke(commands, [*arguments, "--out", str(tmp_path / "out.ndjson")])
    assert result.exit_code in (0, 1, 3), result.output
    assert work.stat().st_mode & 0o077 == 0
