"""Writes the page on forms: each clinical truth of the matrix, and how it may be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.forms.finding_forms import FORMS
from tests.forms.matrix import FOLDER, Cell, Row, cells, cells_of, rows

_EVENTS = (
    "The number of codes (ICD-10-CM, WHO, GM, AM, SNOMED CT, CTCAE) in which each form of an event "
    "is read; *open* where it is not."
)


def page() -> str:
    """Numbers, events by form, every other form by name, and what is open with its reason."""
    every = cells() + cells(FOLDER / "failing")
    still_open = [cell for cell in every if cell.why_open is not None]
    listed = (*rows(), *rows(FOLDER / "failing"))
    amiss = len(still_open)
    right = len(every) - amiss
    parts = [
        f"{len(listed)} truths in {len(every)} charts: {right} answered right, {amiss} open.",
        "## Events",
        _EVENTS,
        _events(listed),
        "## Everything by name",
        _named(listed),
        "## Open",
        _open(still_open) if still_open else "Nothing.",
    ]
    return "\n\n".join(parts)


def _events(listed: Iterable[Row]) -> str:
    lines = []
    for row in listed:
        if row.finding is None:
            continue
        read: Counter[str] = Counter()
        opened: set[str] = set()
        crossed = {
            f"{form}, {code}": form for form in row.finding.forms for code in row.finding.codes
        }
        for cell in cells_of(row):
            if cell.form in crossed and cell.why_open is None:
                read[crossed[cell.form]] += 1
            elif cell.form in crossed:
                opened.add(crossed[cell.form])
        shown = [_cell(read[form], form in opened) for form in FORMS]
        lines.append([row.truth, *shown])
    return _table(["truth", *FORMS], lines)


def _cell(read: int, opened: bool) -> str:
    return " ".join(filter(None, (str(read) if read else "", "*open*" if opened else "")))


def _named(listed: Iterable[Row]) -> str:
    lines = []
    for row in listed:
        held = list(cells_of(row))
        names = [form for form in row.cells if row.open.get(form) is None]
        read = sum(cell.why_open is None for cell in held)
        lines.append([row.truth, _answer(row), f"{read} of {len(held)}", "; ".join(names)])
    return _table(["truth", "answer", "read", "forms besides those above"], lines)


def _answer(row: Row) -> str:
    said = [row.answer.leads] if row.answer.leads else []
    said += [f"`{rule}`" for rule in row.answer.rules]
    never = ", ".join(f"`{item}`" for item in row.answer.never)
    return ", ".join(said) + (f"; never {never}" if never else "")


def _open(listed: Iterable[Cell]) -> str:
    reasons: dict[tuple[str, str], list[str]] = {}
    for cell in listed:
        reasons.setdefault((cell.row.truth, cell.why_open or ""), []).append(cell.form)
    return _table(
        ["truth", "form", "why"],
        [[truth, "; ".join(forms), why] for (truth, why), forms in reasons.items()],
    )


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    written = [heads, ["---"] * len(heads), *lines]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in written
    )
