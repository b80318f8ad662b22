"""Every rule row outside the dose changes speaks in a case, and keeps silent in one close by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.alk import Decision
from tests.alk.patients import asked, jurisdiction_of, knowledge, patient, rows_heard
from tests.alk.row_cases import CASES, DATED, Case


def _decided(case: Case, facts: Mapping[str, Any]) -> Decision:
    changed = dict(facts)
    orders = changed.pop("orders", ())
    return asked(patient(**changed), *orders, jurisdiction=jurisdiction_of(case.row))


def _named(case: Case) -> str:
    return case.row


@pytest.mark.parametrize("case", CASES, ids=_named)
def test_a_row_speaks_in_its_case(case: Case) -> None:
    assert case.row in rows_heard(_decided(case, case.facts))


@pytest.mark.parametrize("case", CASES, ids=_named)
def test_a_row_keeps_silent_in_a_case_close_by(case: Case) -> None:
    assert case.row not in rows_heard(_decided(case, {**case.facts, **case.near}))


WEIGHED = frozenset({"alk_answers", "alk_evidence"})
"""Tables that make a fact: their rows are played in `tests/facts/test_alk_evidence.py`."""


def test_no_row_is_without_a_case() -> None:
    rows = {
        row.identifier
        for table in knowledge().all_tables()
        if not table.name.endswith("dose_changes") and table.name not in WEIGHED
        for row in table
    }
    assert rows == {case.row for case in CASES} | DATED
