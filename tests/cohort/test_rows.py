"""One row for each patient and recommendation: what a quality department can act on."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from cds_service.cohort.rows import COLUMNS
from cds_service.commands import commands
from cds_service.commands.cohort_rows import _cell
from tests.cohort.populations import export

HELD, ABOVE = "alectinib-alt-six-times", "alectinib-on-track"
ASKED = ("--as-of", "2026-11-20", "--processes", "1")

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ALK_CDS_"):
            monkeypatch.delenv(name)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["cohort", *arguments])


def of_csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = export(tmp_path_factory.mktemp("data"), HELD, ABOVE)
    file = folder / "1.MedicationRequest.ndjson"
    orders = [json.loads(line) for line in file.read_bytes().splitlines()]
    for order in orders:
        if order["subject"]["reference"] == f"Patient/{ABOVE}-patient":
            # Twice what the label allows, in force: nobody is ordering anything today.
            order["dosageInstruction"] = [{
                "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 1200, "unit": "mg", "code": "mg",
                                                  "system": "http://unitsofmeasure.org"}}],
            }]  # fmt: skip
    file.write_bytes(b"".join(json.dumps(order).encode() + b"\n" for order in orders))
    return folder


@pytest.fixture(scope="module")
def rows(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    out = tmp_path_factory.mktemp("out") / "rows.csv"
    results = out.with_name("results.ndjson")
    done = run(str(data), "--rows", str(out), "--out", str(results), *ASKED)
    assert done.exit_code == 0, done.output
    listed = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    found = of_csv(out)
    assert [(row["patient"], row["rule_id"]) for row in found] == [
        (item["patient"], rule) for item in listed for rule in item["rule_ids"]
    ]
    return found


def test_a_hold_names_the_drug_the_value_with_its_unit_and_day_and_the_rule(
    rows: list[dict[str, str]],
) -> None:
    (hold,) = [row for row in rows if row["rule_id"] == "alectinib-liver-hold"]
    assert hold["patient"] == f"{HELD}-patient"
    assert (hold["kind"], hold["drug"], hold["topic"]) == ("withhold", "alectinib", "toxicity")
    assert hold["fact"] in ("ALT", "AST")
    assert float(hold["value"]) > 100
    assert hold["unit"]
    assert hold["value_date"] <= "2026-11-20"
    assert hold["summary"]
    assert hold["source_level"]
    assert hold["release"]
    assert hold["as_of"] == "2026-11-20"


def test_an_order_in_force_above_the_label_is_a_row(rows: list[dict[str, str]]) -> None:
    (above,) = [row for row in rows if row["rule_id"] == "force-above-label"]
    assert above["patient"] == f"{ABOVE}-patient"
    assert (above["topic"], above["drug"]) == ("order in force", "alectinib")
    assert "1200 mg" in above["summary"]


def test_days_overdue_are_counted_from_the_earliest_test(rows: list[dict[str, str]]) -> None:
    with_tests = [row for row in rows if row["tests"]]
    assert with_tests
    for row in with_tests:
        assert row["due"]
        assert int(row["days_overdue"]) >= 0


def test_parquet_holds_the_same_rows_with_days_and_numbers_as_such(
    data: Path, tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    out = tmp_path / "rows.parquet"
    done = run(str(data), "--rows", str(out), *ASKED)
    assert done.exit_code == 0, done.output
    table = parquet.read_table(out)
    assert tuple(table.column_names) == COLUMNS
    records = table.to_pylist()
    assert [record["rule_id"] for record in records] == [row["rule_id"] for row in rows]
    for record, row in zip(records, rows, strict=True):
        assert (record["as_of"].isoformat(), record["summary"]) == (row["as_of"], row["summary"])
        assert record["value"] == (float(row["value"]) if row["value"] else None)


def test_pseudonyms_take_the_place_of_ids_and_are_the_same_in_every_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_LINK_SECRET", "a secret of the tests, long enough to be one")
    found: list[set[str]] = []
    for name in ("one.csv", "two.csv"):
        out = tmp_path / name
        done = run(str(data), "--rows", str(out), "--pseudonyms", *ASKED)
        assert done.exit_code == 0, done.output
        for text in (out.read_text(encoding="utf-8"), done.output):
            assert HELD not in text
            assert ABOVE not in text
        found.append({row["patient"] for row in of_csv(out)})
    assert found[0] == found[1]
    assert len(found[0]) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rows", "rows.xlsx"), "--rows must end in"),
        (("--rows", "no/where/rows.csv"), "--rows cannot be written"),
        (("--rows", "no/where/rows.parquet"), "--rows cannot be written"),
        (("--pseudonyms",), "--pseudonyms needs ALK_CDS_LINK_SECRET"),
    ],
)
def test_what_rows_cannot_begin_with_is_said(
    data: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = run(str(data), *arguments, *ASKED)
    assert result.exit_code == 2
    assert says in result.stderr


def test_without_the_library_a_csv_is_still_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refused = run(str(data), "--rows", str(tmp_path / "rows.parquet"), *ASKED)
    assert refused.exit_code == 2
    assert "needs the extra cohort" in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "cell"), [("=1+1", "'=1+1"), ("@x", "'@x"), ("plain", "plain"), (None, ""), (3, 3)]
)
def test_no_cell_is_a_formula(value: Any, cell: Any) -> None:
    assert _cell(value) == cell
