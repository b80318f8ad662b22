"""`alk-cds knowledge`: the clinical tables before anybody relies on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from cds_service.commands.options import AS_OF
from cds_service.commands.releases import releases, use
from cds_service.knowledge.verification import LEVELS, WORDS

RELEASE = click.Path(exists=True, path_type=Path)


@click.group()
def command() -> None:
    """Look after the clinical tables."""


command.add_command(use)
command.add_command(releases)


@command.command()
@click.option("--folder", type=RELEASE, help="A release elsewhere; the packaged one by default.")
@click.option("--notes", is_flag=True, help="Also list what is no fault but worth a look.")
@AS_OF
def check(folder: Path | None, notes: bool, as_of: datetime | None) -> None:
    """Check the tables for gaps, overlaps, rows that never fire and rows without a source,
    and the release for concepts and facts that nobody reads. Lists what the day has overtaken.

    Ends with 1 when something must be mended before the release is used.
    """
    from rich.text import Text

    from cds_service.commands import view
    from cds_service.commands.options import given_day
    from cds_service.knowledge.checks import check_knowledge, check_what_is_read
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.knowledge.out_of_date import out_of_date
    from cds_service.knowledge.places import release_folder
    from cds_service.knowledge.release import load_knowledge

    out = view.console()
    try:
        place = None if folder is None else release_folder(folder)
        knowledge = load_knowledge(place)
        tables = check_knowledge(knowledge, place)
        reading = check_what_is_read(knowledge)
    except KnowledgeError as error:
        view.unusable(out, error)
        raise SystemExit(1) from None
    rows = {table.name: len(table) for table in knowledge.all_tables()}
    rows[reading.name] = len(knowledge.concepts)
    faults = sum(len(table.errors) for table in (*tables, reading))
    for table in (*tables, reading):
        others = len(table.findings) - len(table.errors)
        state = "clean" if table.clean else f"{len(table.errors)} to mend"
        noted = f", {others} to look at" if others else ""
        out.print(Text(f"{table.name:<36} {rows[table.name]:>3} rows  {state}{noted}"))
        for finding in table.findings:
            if finding.level == "error" or notes:
                style = "red" if finding.level == "error" else "dim"
                out.print(Text(f"    {finding}", style=style))
    release, total = knowledge.release, sum(rows[table.name] for table in tables)
    out.print(
        Text(
            f"Release {release.version} of {release.date}: {total} rows in"
            f" {len(tables)} tables, {faults or 'nothing'} to mend."
        )
    )
    for notice in out_of_date(knowledge, given_day(as_of)):
        out.print(Text(f"Out of date: {notice.says}.", style="yellow"))
    if release.review_note:
        out.print(Text(f"Review: {release.review_note}", style="dim"))
    if faults:
        raise SystemExit(1)


@command.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("docs/knowledge"),
    show_default=True,
    help="Folder of the pages; it belongs to them.",
)
@click.option("--folder", type=RELEASE, help="A release elsewhere; the packaged one by default.")
@click.option("--html", is_flag=True, help="Also as HTML, to be read without the service.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say what is behind.")
def render(out: Path, folder: Path | None, html: bool, only_check: bool) -> None:
    """Write the tables as pages in Markdown: one a drug, one a table.

    With --check it ends with 1 when a page is missing, behind or left over, byte by byte.
    """
    from cds_service.knowledge.places import load_release
    from cds_service.knowledge.rendering import compare, rendered, write

    pages = rendered(load_release(folder), html=html)
    changed = compare(out, pages) if only_check else write(out, pages)
    for name, what in changed:
        click.echo(f"{out / name}: {what if only_check else 'written'}" if name in pages
                   else f"{out / name}: {'left over' if only_check else 'taken away'}")  # fmt: skip
    click.echo(f"{len(pages)} pages, {sum(1 for _ in changed) or 'nothing'} to change")
    if only_check and changed:
        raise SystemExit(1)


@command.command()
@click.argument("rows", nargs=-1, required=True)
@click.option(
    "--level", required=True, type=click.Choice([*LEVELS[:-1]]), help="How near to the origin."
)
@click.option("--source", required=True, help="Id in sources.yaml of what was read.")
@click.option("--by", required=True, help="Who read it.")
@click.option("--version", default="", help="Of the text, such as 2026-01.")
@click.option("--read-on", type=click.DateTime(["%Y-%m-%d"]), help="Today by default.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("cds_service/knowledge"),
    show_default=True,
    help="The release whose row is signed.",
)
def sign(
    rows: tuple[str, ...],
    level: str,
    source: str,
    by: str,
    version: str,
    read_on: datetime | None,
    folder: Path,
) -> None:
    """Sign that ROWS, as they read now, were read in a source.

    ROWS are ids of rows, and names of blocks of a drug's file such as lorlatinib/dosing;
    lorlatinib/ stands for all of its blocks. What changes afterwards falls to the level "none"
    until it is signed again.
    """
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.knowledge.signing import sign_rows

    day = datetime.now(tz=UTC).date() if read_on is None else read_on.date()
    try:
        signed = sign_rows(
            folder, rows, level=level, source=source, version=version, by=by, read_on=day
        )
    except KnowledgeError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}") from None
    for one in signed:
        click.echo(f"{one.row}: {WORDS[one.level]}, {one.source}, {one.read_on}")


@command.command()
@click.argument("old", type=RELEASE)
@click.argument("new", type=RELEASE)
@click.option(
    "--format",
    "written",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option("--rows-only", is_flag=True, help="Leave out the fictional patients.")
@AS_OF
def diff(old: Path, new: Path, written: str, rows_only: bool, as_of: datetime | None) -> None:
    """Say what changed between two releases, and whose cards change by it.

    OLD and NEW are folders of tables, source trees, or zip files such as wheels. The cards are
    those of the fictional patients, at every hook, without any network. For a changed rule the
    patients in between are worked out. Tables that differ under one number are refused with the
    list of what differs, before anything else is compared.
    """
    from cds_service.commands.differences import as_json, as_lines, as_markdown, compared
    from cds_service.commands.options import given_day

    def told(names: Sequence[str]) -> Iterator[str]:
        # On a terminal only: a file or a pipe gets the result alone.
        unseen = not sys.stderr.isatty()
        with click.progressbar(
            names, label="Fictional patients", file=sys.stderr, hidden=unseen
        ) as shown:
            yield from shown

    found = compared(old, new, None if rows_only else given_day(as_of), told)
    write = {"text": as_lines, "json": as_json, "markdown": as_markdown}[written]
    sys.stdout.write(write(found))
    if found.unnumbered:
        raise click.ClickException(found.unnumbered)


@command.command()
@click.argument("drugs", nargs=-1, metavar="[DRUG]...")
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the worksheets; it is made where it is not there.",
)
@click.option("--folder", type=RELEASE, help="A release elsewhere; the packaged one by default.")
def worksheet(drugs: tuple[str, ...], to: Path, folder: Path | None) -> None:
    """Write one spreadsheet a drug for a pharmacist to review, of all drugs by default.

    What was reviewed comes back by `alk-cds knowledge import`. A file that is there is kept.
    """
    from cds_service.knowledge.places import load_release
    from cds_service.knowledge.worksheets import file_name, worksheets_of, write_workbook

    knowledge = load_release(folder)
    for drug in drugs:
        if drug not in knowledge.drugs:
            known = ", ".join(knowledge.drugs)
            raise click.ClickException(f"{drug} is no drug of this release: {known}")
    for drug in drugs or tuple(knowledge.drugs):
        file = to / file_name(drug, knowledge.release.version)
        if file.exists():
            # Somebody's answers may stand in it.
            raise click.ClickException(f"{file} is there already: move it, or name another folder")
        sheets = worksheets_of(knowledge, drug)
        try:
            to.mkdir(parents=True, exist_ok=True)
            write_workbook(file, sheets)
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
        click.echo(f"{file}: {sum(len(sheet.lines) for sheet in sheets)} rows")


@command.command("import")
@click.argument("sheet", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("cds_service/knowledge"),
    show_default=True,
    help="The release that takes the changes.",
)
@click.option("--yes", is_flag=True, help="Write without asking.")
def take_back(sheet: Path, folder: Path, yes: bool) -> None:
    """Take a reviewed worksheet back: show what it changes, ask, and write tables and signatures.

    A sheet is taken whole or not at all. What is not as the worksheet had it (an id, a heading, a
    formula, merged cells, another release) is refused with sheet, row and column.
    """
    from cds_service.commands.reviewed import as_lines
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.knowledge.worksheets import proposal

    try:
        with proposal(folder, sheet, datetime.now(tz=UTC).date()) as proposed:
            if not proposed.changes:
                click.echo("The worksheet changes nothing.")
                return
            click.echo(as_lines(proposed), nl=False)
            if not yes:
                click.confirm("Write this?", abort=True)
            written = proposed.write()
    except KnowledgeError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}") from None
    for file in written:
        click.echo(f"{file}: written")
    click.echo(
        "Now say what changed for whom in release.yaml, raise its version, and run"
        " `alk-cds knowledge check` and `make pages`."
    )
