"""A test with an argument `<table>_row` runs once for each row of data/<table>.tsv."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in metafunc.fixturenames:
        path = DATA / f"{name.removesuffix('_row')}.tsv"
        if name.endswith("_row") and path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                rows = list(reader)
            ids = [next(iter(row.values())) or "empty" for row in rows]
            metafunc.parametrize(name, rows, ids=ids)
