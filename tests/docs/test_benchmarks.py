"""The request that the benchmarks replay is what they say it is."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from benchmarks import batch, instructions, memory, open_loop, report
from benchmarks.instructions import Counted
from benchmarks.payload import (
    BODIES,
    OBSERVATIONS,
    SERVICE_ID,
    Body,
    observation_count,
    order_sign_request,
)
from benchmarks.rounds import Measured, Spread, ratios
from cds_service.app import create_app
from cds_service.knowledge.release import Knowledge
from cds_service.settings import load_settings

DAY = date(2026, 11, 21)


def test_the_request_carries_two_hundred_observations_and_is_the_same_each_time(
    knowledge: Knowledge,
) -> None:
    body = order_sign_request(knowledge, DAY)

    assert observation_count(body) == OBSERVATIONS == 200
    assert body == order_sign_request(knowledge, DAY)


def test_the_request_supplies_all_data_and_leads_to_a_hold(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'decisions.sqlite3'}")
    app = create_app(load_settings(environment="development"), today=lambda: DAY)

    answer = app.test_client().post(
        f"/cds-services/{SERVICE_ID}",
        data=order_sign_request(knowledge, DAY),
        content_type="application/json",
    )

    summaries = [card["summary"] for card in orjson.loads(answer.data)["cards"]]
    assert answer.status_code == 200
    assert any(summary.startswith("Hold alectinib") for summary in summaries)
    assert not any("could not be obtained" in summary for summary in summaries)


def test_the_borrowed_results_stand_under_this_patient_with_ids_of_their_own(
    knowledge: Knowledge,
) -> None:
    sent = orjson.loads(order_sign_request(knowledge, DAY))
    results = [entry["resource"] for entry in sent["prefetch"]["laboratory"]["entry"]]
    subjects = {resource["subject"]["reference"] for resource in results}

    assert subjects == {f"Patient/{sent['context']['patientId']}"}
    assert len({resource["id"] for resource in results}) == len(results)


@pytest.mark.deep
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_each_body_carries_what_its_name_says_and_is_answered(
    knowledge: Knowledge, tmp_path: Path, body: Body
) -> None:
    settings = load_settings(
        environment="development",
        database_url=f"sqlite:///{tmp_path / 'decisions.sqlite3'}",
        request_deadline_seconds=60.0,
    )
    app = create_app(settings, knowledge=knowledge, today=lambda: DAY)
    sent = body.request(knowledge, DAY)
    answer = app.test_client().post(
        f"/cds-services/{body.service_id}", data=sent, content_type="application/json"
    )

    assert observation_count(sent) == body.observations
    assert answer.status_code == 200
    assert ("no lung cancer" in body.name) <= (orjson.loads(answer.data)["cards"] == [])


def test_a_body_that_costs_a_twentieth_more_than_was_written_down_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions, "KEPT", tmp_path / "kept.json")
    written = instructions._document({"a body": Counted(100.0, 10.0)})
    instructions.KEPT.write_bytes(orjson.dumps(written))

    assert instructions._grown({"a body": Counted(104.0, 10.0)}) == 0
    assert instructions._grown({"a body": Counted(106.0, 10.0)}) == 1
    assert "a body: 106.0 million instructions" in capsys.readouterr().err
    assert instructions._grown({"another": Counted(1.0, 1.0)}) == 1


def test_counts_of_another_python_are_not_compared_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions, "KEPT", tmp_path / "kept.json")
    written = {**instructions._document({"a body": Counted(1.0, 1.0)}), "python": "3.0.0"}
    instructions.KEPT.write_bytes(orjson.dumps(written))

    assert instructions._grown({"a body": Counted(9.0, 1.0)}) == 0
    assert "NOT COMPARED" in capsys.readouterr().out


def test_the_bodies_that_were_counted_are_those_that_are_measured() -> None:
    kept = orjson.loads(instructions.KEPT.read_bytes())

    assert list(kept["millions"]) == [body.name for body in BODIES]


def test_ratios_are_formed_within_a_round() -> None:
    found = {"one": Measured([2.0, 9.0, 4.0]), "other": Measured([1.0, 3.0, 4.0])}

    assert ratios(found, "one", "other") == Spread(median=2.0, low=1.0, high=3.0)


def test_other_bodies_are_shown_one_a_line_with_what_the_first_server_costs_of_the_others() -> None:
    measured = {"service": Measured([8.0, 6.0], [3.0, 5.0]), "echo": Measured([2.0, 2.0], [1.0])}

    text = report.bodies_section({"50 Observations": measured})

    assert text.splitlines()[0].endswith("| service / echo |")
    assert text.splitlines()[-1] == (
        "| 50 Observations | 7.00 (6.00 to 8.00) | 3.00 | 5.00 | 3.50 (3.00 to 4.00) |"
    )


def test_requests_of_the_open_loop_come_by_chance_so_many_a_second() -> None:
    due = open_loop.arrivals(100.0, 60.0, random.Random(1))
    pauses = [later - at for at, later in pairwise(due)]

    assert due == sorted(due)
    assert due[-1] < 60.0
    assert 5_600 < len(due) < 6_400
    assert min(pauses) < 0.001 < 0.03 < max(pauses)


def test_a_refused_request_of_the_open_loop_is_counted_and_has_no_latency() -> None:
    class Refusing:
        def post(self, body: bytes) -> None:
            raise RuntimeError("answered with status 503")

        def cpu_milliseconds(self) -> float:
            return 1.0

    found = open_loop.run(Refusing(), b"", 200.0, 0.2)  # type: ignore[arg-type]

    assert found.failed == len(open_loop.arrivals(200.0, 0.2, random.Random(open_loop.SEED)))
    assert found.measured.latency == []
    assert (
        open_loop.table([found]).splitlines()[-1] == f"| 200 | 0 | {found.failed} |  |  |  | 0.0 |"
    )


def test_memory_is_measured_with_another_patient_each_time(knowledge: Knowledge) -> None:
    body = memory.BODY.request(knowledge, DAY)
    first, second = (
        orjson.loads(memory.another(body, memory.BODY.story, number)) for number in (1, 2)
    )

    assert first["context"]["patientId"] != second["context"]["patientId"]
    assert first["prefetch"]["patient"]["id"] == first["context"]["patientId"]


def test_the_batch_holds_the_charts_with_alk_inhibitors_and_no_others(
    knowledge: Knowledge,
) -> None:
    chosen = {chart.source for chart in batch.charts(knowledge, DAY)}

    assert "alectinib-alt-six-times" in chosen
    assert "no-lung-cancer" not in chosen


def test_a_percentile_is_a_latency_that_was_measured() -> None:
    measured = Measured(latency=[float(value) for value in range(1, 101)])

    assert (measured.percentile(0.5), measured.percentile(0.99)) == (50.0, 99.0)


def test_a_result_replaces_only_its_own_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "performance.md"
    document.write_text("before\n<!-- begin one -->\nold\n<!-- end one -->\nafter\n")
    monkeypatch.setattr(report, "DOCUMENT", document)

    report.rewrite("one", "new")

    assert document.read_text() == "before\n<!-- begin one -->\nnew\n<!-- end one -->\nafter\n"
    with pytest.raises(ValueError, match="no section two"):
        report.rewrite("two", "new")
