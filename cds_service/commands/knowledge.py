"""`alk-cds knowledge`: the clinical tables before anybody relies on them."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Look after the clinical tables."""


@command.command()
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with a release; the packaged one by default.",
)
@click.option("--notes", is_flag=True, help="Also list what is no fault but worth a look.")
def check(folder: Path | None, notes: bool) -> None:
    """Check the tables for gaps, overlaps, rows that never fire and rows without a source.

    Ends with 1 when something must be mended before the release is used.
    """
    from rich.text import Text

    from cds_service.commands import view
    from cds_service.knowledge.checks import check_knowledge
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.knowledge.release import load_knowledge

    out = view.console()
    try:
        knowledge = load_knowledge(folder)
        tables = check_knowledge(knowledge, folder)
    except KnowledgeError as error:
        out.print(Text("A knowledge file cannot be used:", style="bold red"))
        for name, value in (
            ("file", error.file),
            ("place", error.where),
            ("row", error.row),
            ("column", error.column),
            ("expected", error.expected),
        ):
            if value not in (None, ""):
                out.print(Text(f"  {name}: {value}"))
        raise SystemExit(1) from None
    rows = {table.name: len(table) for table in knowledge.all_tables()}
    faults = sum(len(table.errors) for table in tables)
    for table in tables:
        others = len(table.findings) - len(table.errors)
        state = "clean" if table.clean else f"{len(table.errors)} to mend"
        noted = f", {others} to look at" if others else ""
        out.print(Text(f"{table.name:<36} {rows[table.name]:>3} rows  {state}{noted}"))
        for finding in table.findings:
            if finding.level == "error" or notes:
                style = "red" if finding.level == "error" else "dim"
                out.print(Text(f"    {finding}", style=style))
    release = knowledge.release
    out.print(
        Text(
            f"Release {release.version} of {release.date}: {sum(rows.values())} rows in"
            f" {len(tables)} tables, {faults or 'nothing'} to mend."
        )
    )
    if release.review_note:
        out.print(Text(f"Review: {release.review_note}", style="dim"))
    if faults:
        raise SystemExit(1)
