"""The page of the course of treatment: which rows answer each state, played through the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from cds_service.knowledge.rendering.markdown import anchor

if TYPE_CHECKING:
    from tests.alk.course_states import State

GO_ON = "go on"
TWO_ROWS = 2
_AGAIN = "the last drug again"
_COLUMNS = ("stable", "worse", "not recorded")


@cache
def page() -> str:
    """One table a setting; each cell names the rows that speak of the way on."""
    # The folder of the project is on the path once this module can be imported.
    from tests.alk.course_states import SETTINGS, states

    played = [state for state in states() if _is_shown(state)]
    parts = []
    for setting in SETTINGS:
        parts += [f"### Setting: {setting}", ""]
        parts += [
            "| taken before | now | stable | worse | not recorded | ordered again |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        parts += _lines([state for state in played if state.setting == setting])
        parts.append("")
    return "\n".join(parts)


def _is_shown(state: State) -> bool:
    if state.disease not in _COLUMNS:
        return False
    if not state.ordered:
        return True
    return state.ordered == _AGAIN and state.disease == "not recorded" and not state.now


def _lines(states: Iterable[State]) -> Iterator[str]:
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for state in states:
        column = "again" if state.ordered else state.disease
        rows.setdefault((_before(state), state.now or "nothing"), {})[column] = _cell(state)
    for (before, now), cells in rows.items():
        columns = (cells.get(name, "") for name in (*_COLUMNS, "again"))
        yield f"| {before} | {now} | {' | '.join(columns)} |"


def _before(state: State) -> str:
    if not state.earlier:
        return "no ALK inhibitor"
    return f"{', then '.join(state.earlier)}; ended for {state.ended_for}"


def _cell(state: State) -> str:
    """The rows that answer, the loudest first."""
    from tests.alk.course_states import answers

    said = answers(state.decision())
    if not said:
        return GO_ON
    named = dict.fromkeys(item.row.identifier for item in said if item.row is not None)
    tables = {item.row.identifier: item.row.table for item in said if item.row is not None}
    links = [f"[{row}](knowledge/tables/{tables[row]}.md#{anchor(row)})" for row in named]
    more = f", and {len(links) - TWO_ROWS} more" if len(links) > TWO_ROWS else ""
    return ", ".join(links[:TWO_ROWS]) + more
