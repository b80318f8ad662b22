"""Cases written as YAML become the cases that the tests ask; a fault is named by file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.alk.case_errors import CasesError
from tests.alk.drug_cases import alectinib, cases_of_drug
from tests.alk.drug_cases.written import DrugCases, read_cases
from tests.alk.order_cases import Case
from tests.alk.patients import order, running, treatment

GOOD = """
dose_changes:
- row: alectinib-liver-hold
  asks: withhold
  facts: {ALT: 5.01}
  near: {ALT: 5}
- row: alectinib-liver-stop
  asks: stop
  says: a raised bilirubin
  facts: {ALT: 5.01, total bilirubin: [{value: 2.01, days_ago: 3}, {value: 0.6, days_ago: 40}]}
  near: {total bilirubin: 2}
  instead: {alectinib-liver-hold: withhold}
rows:
- row: alectinib-interaction-transporter
  facts: {medications: [P-gp substrate]}
  near: {medications: []}
- row: alectinib-child-pugh-c
  facts: {taking: [], orders: [{drug: alectinib, dose: 600 x 2}], Child-Pugh class: C}
  near: {taking: [{drug: crizotinib, dose: 250 x 2, since_days: 400, status: ended}]}
- row: alectinib-monitor-brain
  facts: {brain imaging: 121, ECOG performance status: null}
  near: {brain imaging: 112}
"""


def _read(folder: Path, text: str = GOOD) -> DrugCases:
    file = folder / "alectinib.yaml"
    file.write_text(text, encoding="utf-8")
    return cases_of_drug("alectinib", folder)


def test_a_dose_change_becomes_the_patient_and_the_one_close_by(tmp_path: Path) -> None:
    hold, near, stop, below = _read(tmp_path).reactions

    assert hold.facts == {"ALT": "5.01"}
    assert hold.heard == {"alectinib-liver-hold": "withhold"}
    assert (near.facts, near.heard) == ({"ALT": "5"}, {})
    assert stop.says == "a raised bilirubin"
    assert stop.facts == {"ALT": "5.01", "total bilirubin": [(3, "2.01"), (40, "0.6")]}
    assert below.facts == {"ALT": "5.01", "total bilirubin": "2"}
    assert below.heard == {"alectinib-liver-hold": "withhold"}


def test_every_other_row_becomes_a_case_of_a_patient_on_the_drug(tmp_path: Path) -> None:
    taken, ordered, imaged = _read(tmp_path).rows

    assert taken == Case(
        "alectinib-interaction-transporter",
        {"lines": (running("alectinib"),), "medications": ("P-gp substrate",)},
        {"medications": ()},
    )
    assert ordered == Case(
        "alectinib-child-pugh-c",
        {"lines": (), "orders": (order("alectinib", "600", 2),), "Child-Pugh_class": "C"},
        {"lines": (treatment((400, "ended", ("250", 2)), ingredient="crizotinib"),)},
    )
    assert imaged.facts["brain_imaging"] == 121
    assert imaged.facts["ECOG_performance_status"] is None


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        ("row: alectinib-liver-stop", "row: alectinib-liver-stopp", "dose_changes.1.row",
         "did you mean 'alectinib-liver-stop'?"),
        ("asks: stop", "asks: pause", "dose_changes.1.asks", "'withhold', 'stop'"),
        ("{ALT: 5.01}", "{ALTT: 5.01}", "dose_changes.0.facts.ALTT", "did you mean 'ALT'?"),
        ("{ALT: 5.01}", "{ALT: high}", "dose_changes.0.facts.ALT", "a number"),
        ("{ALT: 5.01}", "{ALT: yes}", "dose_changes.0.facts.ALT", "a number"),
        ("near: {ALT: 5}", "nearly: {ALT: 5}", "dose_changes.0.near", "a value"),
        ("near: {ALT: 5}", "near: {}", "dose_changes.0.near", "at least 1"),
        ("{alectinib-liver-hold: withhold}", "{alectinib-liver-holds: withhold}",
         "dose_changes.1.instead", "a row of the drug"),
        ("days_ago: 40", "ago: 40", "dose_changes.1.facts.total bilirubin.1", "days_ago"),
        ("class: C}", "class: D}", "rows.1.facts.Child-Pugh class", "a value of the fact"),
        ("[P-gp substrate]", "[P-gp]", "rows.0.facts.medications", "a member of the list"),
        ("[P-gp substrate]", "P-gp substrate", "rows.0.facts.medications", "list"),
        ("dose: 600 x 2", "dose: 600 mg", "rows.1.facts.orders.0.dose", "pattern"),
        ("{drug: crizotinib", "{drug: crizotinb", "rows.1.near.taking", "'crizotinib'"),
        ("imaging: 121", "imaging: long ago", "rows.2.facts.brain imaging", "days ago"),
        ("row: alectinib-monitor-brain", "row: alectinib-liver-hold", "rows.2.row",
         "another table than dose_changes.csv"),
        ("rows:", "row:", "row", "a field of the schema"),
        ("  asks: stop", "  asks: stop\n  asks: stop", "line", "given once"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_file_and_field(
    tmp_path: Path, old: str, new: str, place: str, expected: str
) -> None:
    assert old in GOOD
    with pytest.raises(CasesError) as raised:
        _read(tmp_path, GOOD.replace(old, new, 1))

    said = str(raised.value)
    assert f"alectinib.yaml: at {place}" in said
    assert expected in said
    assert "\n" not in said


def test_cases_written_as_yaml_stand_beside_those_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "alectinib.py").touch()

    both = _read(tmp_path)

    assert both.rows == (*alectinib.ROWS, *_of_the_file(tmp_path).rows)
    assert both.reactions == (*alectinib.DOSE_CHANGES, *_of_the_file(tmp_path).reactions)


def _of_the_file(folder: Path) -> DrugCases:
    return read_cases(folder / "alectinib.yaml", "alectinib")


def test_a_drug_without_a_file_is_named_with_the_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(
        CasesError, match=r"exemplinib has tables but no cases: write .*/exemplinib"
    ):
        cases_of_drug("exemplinib", tmp_path)


def test_a_file_that_is_not_there_is_no_stack_trace(tmp_path: Path) -> None:
    with pytest.raises(CasesError, match="a readable UTF-8 file"):
        read_cases(tmp_path / "nobody.yaml", "alectinib")
