"""`alk-cds report`: what became of the cards."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cds_service.records import Records

_Command = TypeVar("_Command", bound=Callable[..., Any])
DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def command() -> None:
    """Report on the cards: feedback, and what stayed in shadow mode.

    Reads ALK_CDS_DATABASE_URL (or _FILE), also while the service runs.
    """


def _output_options(function: _Command) -> _Command:
    wrapped: Any = function
    for option in (
        click.option(
            "--out",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File to write; standard output without it.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "csv", "json"]),
            default="text",
            show_default=True,
        ),
        click.option(
            "--smallest",
            type=click.IntRange(1, 1000),
            default=5,
            show_default=True,
            help="Fewest people behind a number that is told.",
        ),
        click.option("--since", type=DAY, help="First day (UTC), as YYYY-MM-DD."),
    ):
        wrapped = option(wrapped)
    decorated: _Command = wrapped
    return decorated


@command.command()
@_output_options
@click.option("--until", type=DAY, help="Last day (UTC), as YYYY-MM-DD.")
@click.option(
    "--by",
    type=click.Choice(["rule", "release", "service"]),
    default="rule",
    show_default=True,
)
@click.option(
    "--rows",
    is_flag=True,
    help="One row for each answer instead of a summary: for the export of a certified EHR. Not"
    " suppressed, so treat it as patient data.",
)
@click.option("--comments", is_flag=True, help="With --rows: also free text, which may name people")
def feedback(
    since: datetime | None,
    until: datetime | None,
    by: str,
    rows: bool,
    comments: bool,
    smallest: int,
    form: str,
    out: Path | None,
) -> None:
    """Acceptance, override reasons and time to action."""
    from cds_service.reports import ROW_NAMES, feedback_lines, feedback_rows

    if comments and not rows:
        raise click.UsageError("--comments needs --rows")
    records = _records()
    end = None if until is None else _midnight(until.date() + timedelta(days=1))
    outcomes = records.outcomes(None if since is None else _midnight(since.date()), end)
    if rows:
        listed = list(feedback_rows(outcomes, comments=comments))
        _write(listed, ROW_NAMES, form, out)
    else:
        documents = [line.as_document() for line in feedback_lines(outcomes, by, smallest)]
        names = ("group", "patients", "shown", "accepted", "overridden", "acceptance",
                 "median_minutes", "reasons")  # fmt: skip
        _write(documents, names, form, out)
    records.close()


@command.command()
@_output_options
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    help="Days after a card whose orders count.",
)
def shadow(since: datetime | None, days: int, smallest: int, form: str, out: Path | None) -> None:
    """What rules in shadow mode would have said, beside what was ordered then."""
    from cds_service.reports import shadow_lines

    records = _records()
    cards = records.shadowed(None if since is None else _midnight(since.date()))
    later = records.asked_about_orders(sorted({asked.patient_key for _, asked in cards}))
    documents = [line.as_document() for line in shadow_lines(cards, later, days, smallest)]
    names = ("rule_id", "patients", "cards", "as_asked", "otherwise", "nothing_seen")
    _write(documents, names, form, out)
    records.close()


def _records() -> Records:
    from cds_service.records import Records
    from cds_service.settings import load_settings

    # Who may call the service does not matter here, so it is not asked for.
    records = Records(load_settings(environment="development").database_url)
    records.prepare()
    return records


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _write(
    lines: Sequence[Mapping[str, Any]], names: Sequence[str], form: str, out: Path | None
) -> None:
    if form == "json":
        text = json.dumps(list(lines), ensure_ascii=False, indent=2) + "\n"
    elif form == "csv":
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(line.get(name)) for name in names] for line in lines)
        text = stream.getvalue()
    elif out is None:
        _show(lines, names)
        return
    else:
        raise click.UsageError("--out needs --format csv or json")
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = "; ".join(f"{item['reason']}: {item['count']}" for item in value)
    text = str(value)
    # A spreadsheet would run a cell that begins like a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _show(lines: Iterable[Mapping[str, Any]], names: Sequence[str]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from cds_service.commands import view

    table = Table(box=SIMPLE)
    for place, name in enumerate(names):
        table.add_column(name.replace("_", " "), no_wrap=place == 0, overflow="fold")
    for line in lines:
        table.add_row(*(Text(_cell(line.get(name))) for name in names))
    view.console().print(table)
