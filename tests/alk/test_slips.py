"""The measure of the cases itself: what it changes in a table, and when a case notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.mutation import Cases
from benchmarks.slips import Slip, slips, with_slip
from tests.alk.patients import knowledge

LIVER = "alectinib-liver-hold"
TABLES = "drugs/alectinib/"


@pytest.fixture(scope="module")
def found() -> tuple[Slip, ...]:
    """Every slip of the tables of one drug."""
    return tuple(slips(knowledge(), TABLES))


def _of(found: tuple[Slip, ...], row: str, kind: str) -> Iterator[Slip]:
    return (slip for slip in found if slip.row.identifier == row and slip.kind == kind)


def test_every_table_is_changed_in_one_cell_of_one_row(found: tuple[Slip, ...]) -> None:
    assert {slip.table for slip in found} == {
        table.name for table in knowledge().all_tables() if table.name.startswith(TABLES)
    }
    for slip in found:
        column = slip.kind.split(":")[0]
        different = {
            name for name, cell in slip.row.cells.items() if slip.changed.cells[name] != cell
        }
        assert different == {column}, slip


def test_a_sign_and_a_number_are_changed_by_the_smallest_step(found: tuple[Slip, ...]) -> None:
    first = next(slip.text.split(" or ")[0] for slip in _of(found, LIVER, "when: sign"))
    assert first == "(ALT >= 5 xULN"
    numbers = {slip.text.split(" or ")[0] for slip in _of(found, LIVER, "when: number")}
    assert numbers == {"(ALT > 5 xULN", "(ALT > 4.99 xULN", "(ALT > 5.01 xULN"}


def test_a_slip_is_noticed_and_the_tables_are_whole_again(found: tuple[Slip, ...]) -> None:
    cases = Cases()
    slip = next(_of(found, LIVER, "when: sign"))
    assert cases.notice(knowledge(), slip)
    assert slip.text not in {row.text("when") for table in knowledge().all_tables()
                             for row in table if "when" in row.cells}  # fmt: skip


def test_what_changes_nothing_is_not_noticed(found: tuple[Slip, ...]) -> None:
    slip = next(_of(found, LIVER, "when: sign"))
    unchanged = Slip(slip.table, slip.row, "nothing", "", slip.row)
    assert not Cases().notice(knowledge(), unchanged)
    assert with_slip(knowledge(), unchanged).tables == knowledge().tables
