"""A number in words is found where it would matter, and never where it is something else."""

from __future__ import annotations

import pytest

from cds_service.facts.number_finder import NumberFinder
from tests.facts.records import knowledge


def found(analyte: str, words: str, *, meant: bool = False) -> list[str]:
    codes = knowledge().codes
    finder = NumberFinder(codes.analytes[analyte], codes.watched_numbers[analyte])
    return [shown for shown, _ in finder.in_text(words, meant=meant)]


@pytest.mark.parametrize(
    ("analyte", "words", "shown"),
    [
        ("QTc", "QTc 512 ms", "512 ms"),
        ("QTc", "QTc: 0.512 s.", "0.512 s"),
        ("QTc", "QTcF=501", "501"),
        ("QTc", "QTc ≥ 501 ms", ">=501 ms"),
        ("PR interval", "P-R interval is 240 ms", "240 ms"),
        ("PR interval", "PR 240, QRS 100", "240"),
        ("heart rate", "HR 44 bpm", "44 bpm"),
        ("heart rate", "sinus bradycardia (44)", "44"),
        ("oxygen saturation", "SpO2 84% RA", "84 %"),
        ("systolic blood pressure", "BP: 165/80", "165/80"),
        ("diastolic blood pressure", "Blutdruck 140 / 105 mmHg", "140 / 105"),
        ("left ventricular ejection fraction", "EF 30-35 %", "30 to 35 %"),
        ("platelets", "platelets 38 10*9/L", "38 10*9/L"),
    ],
)
def test_a_number_that_would_matter_is_found(analyte: str, words: str, shown: str) -> None:
    assert found(analyte, words) == [shown]


@pytest.mark.parametrize(
    ("analyte", "words"),
    [
        ("QTc", "QTc 480 ms"),
        ("QTc", "QTc 5 ms"),
        ("QTc", "hold if QTc > 500 ms"),
        ("QTc", "previous QTc 520 ms"),
        ("QTc", "QTc normal. QRS 512"),
        ("PR interval", "PR 80 % positive"),
        ("PR interval", "PR (partial response) since 300 days"),
        ("PR interval", "PR normal QTc 512 ms"),
        ("heart rate", "HR 44"),
        ("heart rate", "respiratory rate 16 /min"),
        ("heart rate", "target heart rate 50/min"),
        ("oxygen saturation", "SpO2 90 %"),
        ("oxygen saturation", "transferrin saturation 20 %"),
        ("systolic blood pressure", "165/102"),
        ("systolic blood pressure", "BP 165/102/2"),
        ("ALT", "ALT 420"),
        ("ALT", "ALT within normal, 420 patients"),
    ],
)
def test_what_is_something_else_is_left_alone(analyte: str, words: str) -> None:
    assert found(analyte, words) == []


def test_a_text_that_is_the_result_needs_no_name() -> None:
    assert found("systolic blood pressure", "165/102", meant=True) == ["165/102"]
    assert found("oxygen saturation", "84 % on room air", meant=True) == ["84 %"]
