"""The same truth, however it is written: each cell of the matrix is a chart with one answer.

What a hospital sent once and was misread stands below `failing`, written in the same way.
"""

from __future__ import annotations

import pytest

from tests.forms.matrix import FOLDER, Cell, cells

MATRIX = cells()
SENT_ONCE = cells(FOLDER / "failing")
EVERY = (*MATRIX, *SENT_ONCE)


def _named(cell: Cell) -> str:
    return f"{cell.row.truth}: {cell.form}"


@pytest.mark.deep
@pytest.mark.parametrize("cell", [cell for cell in EVERY if cell.why_open is None], ids=_named)
def test_it_is_answered_alike(cell: Cell) -> None:
    assert cell.missed() == []


def test_an_open_cell_still_fails_or_has_to_be_moved() -> None:
    right = [_named(cell) for cell in EVERY if cell.why_open is not None and not cell.missed()]
    assert right == [], "these are right now: take them out of `open`"


def test_there_are_as_many_cells_as_were_promised() -> None:
    assert len([cell for cell in MATRIX if cell.why_open is None]) >= 250


def test_no_two_cells_have_one_name() -> None:
    names = [_named(cell) for cell in EVERY]
    assert len(names) == len(set(names))
