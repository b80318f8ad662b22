"""Protein changes in HGVS as laboratories write them: what is read, and what is not."""

from __future__ import annotations

import pytest

from cds_service.facts.variants import read_protein_change
from tests.facts.records import table


@pytest.mark.parametrize("row", table("hgvs.tsv"), ids=lambda row: row["says"])
def test_a_protein_change_is_read_with_its_phase(row: dict[str, str]) -> None:
    read = read_protein_change(row["text"])
    assert read is not None
    changes, phase = read
    assert " ".join(change.name for change in changes) == row["changes"]
    assert phase == row["phase"]


@pytest.mark.parametrize("row", table("hgvs_rejected.tsv"), ids=lambda row: row["says"])
def test_what_is_no_protein_change_is_never_made_one(row: dict[str, str]) -> None:
    assert read_protein_change(row["text"]) is None
