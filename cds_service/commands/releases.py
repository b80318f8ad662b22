"""`alk-cds knowledge use` and `releases`: which of the kept releases answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cds_service.knowledge.kept_releases import Choice, InUse, KeptReleases
    from cds_service.settings import Settings

_SHOWN_FAULTS = 20


@click.command()
@click.argument("version", required=False)
@click.option("--back", is_flag=True, help="The release that answered before this one.")
def use(version: str | None, back: bool) -> None:
    """Let the release VERSION answer from now on, while the service runs.

    It is one of those in ALK_CDS_RELEASES_FOLDER, or the one that came with the program. It is
    checked as `alk-cds knowledge check` does; one with anything to mend is refused, and nothing
    changes. With --back what answered before answers again.
    """
    from cds_service.commands import view
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.settings import SettingsError

    if back == (version is not None):
        raise click.UsageError("give a VERSION, or --back")
    settings, kept = _kept()
    out = view.console()
    try:
        choice = _before(kept) if version is None else kept.find(version)
        faults = _faults(settings, kept, choice, was_checked=back)
        if not faults:
            _say(kept.use(choice))
            return
    except KnowledgeError as error:
        view.unusable(out, error)
    except SettingsError as error:
        click.echo(f"The settings do not go with it: {'; '.join(error.problems.values())}")
    except OSError as error:
        click.echo(f"{kept.file} cannot be written: {error.strerror}")
    else:
        for fault in faults[:_SHOWN_FAULTS]:
            click.echo(f"  {fault}")
        if faults[_SHOWN_FAULTS:]:
            click.echo(f"  and {len(faults) - _SHOWN_FAULTS} more")
    raise click.ClickException("Refused. Nothing was changed: what answered goes on answering.")


@click.command()
def releases() -> None:
    """List the releases that `alk-cds knowledge use` can choose, and which one answers."""
    from cds_service.knowledge.kept_releases import Choice

    _, kept = _kept()
    in_use = kept.in_use()
    now = kept.find_own() if in_use is None else in_use.now
    for found in kept.all():
        where = found.place or "came with the program"
        if found.version is None:
            click.echo(f"           {where}: cannot be used: {found.problem}")
            continue
        states = {_name(now): "in use"}
        if in_use is not None and in_use.before is not None:
            states[_name(in_use.before)] = "before"
        state = states.get(_name(Choice(version=found.version, place=found.place)), "")
        click.echo(f"{state:<8}   {found.version}: {where}")


def _kept() -> tuple[Settings, KeptReleases]:
    from cds_service.releases import kept_releases
    from cds_service.settings import load_settings

    # Who may call the service does not matter to these commands, so they do not ask for it.
    settings = load_settings(environment="development")
    kept = kept_releases(settings)
    if kept is None:
        raise click.ClickException(
            "ALK_CDS_RELEASES_FOLDER is not set: name a folder that holds a folder or zip file"
            " for each release, start the service with it, and choose then"
        )
    return settings, kept


def _before(kept: KeptReleases) -> Choice:
    in_use = kept.in_use()
    if in_use is None or in_use.before is None:
        raise click.ClickException("No release answered before this one: name a VERSION")
    return in_use.before


def _faults(
    settings: Settings, kept: KeptReleases, choice: Choice, *, was_checked: bool
) -> list[str]:
    """What has to be mended before a release may answer. Raises KnowledgeError, SettingsError.

    One that answered before is only read again: whoever goes back is in a hurry, and a check that
    is newer than the release says nothing about what it did.
    """
    from cds_service.answering import shadow
    from cds_service.knowledge.checks import check_knowledge, check_what_is_read

    knowledge = kept.load(choice, settings.local_codes_file, settings.concept_maps)
    shadow(settings, knowledge)
    if was_checked:
        return []
    tables = check_knowledge(knowledge, kept.tables(choice))
    checked = (*tables, check_what_is_read(knowledge))
    return [f"{table.name}: {finding}" for table in checked for finding in table.errors]


def _say(written: InUse) -> None:
    before = written.before
    was = "" if before is None else f"; before it {before.version}"
    click.echo(f"Release {written.now.version} answers from now on{was}.")
    click.echo(
        "Each worker takes it within seconds. /health names the release that answers, and"
        " /health/ready the reason if one was refused. Back: alk-cds knowledge use --back"
    )


def _name(choice: Choice) -> tuple[str, str | None]:
    return choice.version, choice.place
