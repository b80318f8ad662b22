"""A changed cell changes its own row of a table, and no other byte."""

from __future__ import annotations

import pytest

from cds_service.knowledge.table_edits import row_at, with_cells

TABLE = 'id,when,says\na,"x, y",one\nb,z,"two\nlines"\r\nc,z,three\n'


def test_other_cells_leave_every_other_row_as_it_was_written() -> None:
    assert with_cells(TABLE, {"a": {"says": 'a "word", more'}}) == (
        'id,when,says\na,"x, y","a ""word"", more"\nb,z,"two\nlines"\r\nc,z,three\n'
    )
    assert with_cells(TABLE, {"b": {"says": "2"}}) == (
        'id,when,says\na,"x, y",one\nb,z,2\r\nc,z,three\n'
    )
    assert with_cells(TABLE, {}) == TABLE


def test_a_row_or_a_column_that_is_not_there_is_not_made_up() -> None:
    with pytest.raises(KeyError, match="d"):
        with_cells(TABLE, {"d": {"says": "four"}})
    with pytest.raises(KeyError, match="dose"):
        with_cells(TABLE, {"a": {"dose": "1"}})


def test_a_row_is_found_by_the_line_on_which_it_begins() -> None:
    assert [row_at(TABLE, line) for line in (1, 2, 3, 4, 5, 6)] == ["id", "a", "b", "", "c", ""]
