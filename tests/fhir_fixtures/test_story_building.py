"""The small program that writes the stories, and what it refuses to write."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fhir_fixtures.build import __main__ as program
from fhir_fixtures.build.chart import Chart, wobble
from fhir_fixtures.build.laboratories import SAGUARO
from fhir_fixtures.build.medicines import ALECTINIB_600, request

DAY = date(2026, 11, 1)


@pytest.fixture
def chart() -> Chart:
    return Chart("tried", SAGUARO, given="A", family="B", gender="female", birth_date="1970-01-01")


def test_the_program_writes_every_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "PATIENTS", tmp_path)
    assert program.main() == 0
    assert capsys.readouterr().out == "48 stories written\n"
    assert len(list(tmp_path.glob("*/bundle.json"))) == 48


def test_an_id_longer_than_fhir_allows_is_refused(chart: Chart) -> None:
    with pytest.raises(ValueError, match="longer than 64"):
        chart.new_id("x" * 60)


def test_a_test_without_an_upper_limit_cannot_be_multiplied(chart: Chart) -> None:
    with pytest.raises(ValueError, match="no upper limit"):
        chart.lab("egfr", DAY, times_upper_limit=2)


def test_an_unknown_shape_of_a_medicine_is_refused(chart: Chart) -> None:
    with pytest.raises(ValueError, match="unknown shape"):
        request(chart, "alectinib", ALECTINIB_600, DAY, shape="square")


def test_a_low_value_is_flagged_low_and_a_bounded_one_keeps_its_comparator(chart: Chart) -> None:
    chart.lab("haemoglobin", DAY, 9.1)
    chart.lab("bilirubin", DAY, 0.2, comparator="<")
    low, bounded = (entry["resource"] for entry in chart.bundle()["entry"][-2:])
    assert low["interpretation"][0]["coding"][0]["code"] == "L"
    assert bounded["valueQuantity"]["comparator"] == "<"


def test_scatter_is_repeatable_and_bounded() -> None:
    values = [wobble(str(number), 0.5) for number in range(200)]
    assert values == [wobble(str(number), 0.5) for number in range(200)]
    assert all(-0.5 <= value <= 0.5 for value in values)
    assert max(values) - min(values) > 0.8
