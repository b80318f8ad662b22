"""The top of the command line: which commands there are, and how their errors are told."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from cds_service import software_version
from cds_service.commands.options import TOKEN_VARIABLE

_MODULES = {
    "call": "call",
    "client": "client",
    "cohort": "cohort",
    "conformance": "conformance",
    "demo": "demo",
    "doctor": "doctor",
    "evaluate": "evaluate",
    "explain": "explain",
    "fhir-server": "fhir_server",
    "fixtures": "fixtures",
    "knowledge": "knowledge",
    "records": "records",
    "report": "report",
    "serve": "serve",
    "timeline": "timeline",
}
_HELP = {
    "call": "Play one story at one service and print the cards.",
    "client": "Make a client entry with keys, and try a first signed call.",
    "cohort": "Decide for many patients from files or a FHIR server.",
    "conformance": "Ask any CDS Hooks service whether it keeps to the specification.",
    "demo": "Show the whole service at work on fictional patients.",
    "doctor": "Check all that the service needs, and say what to do.",
    "evaluate": "Decide for one patient of a FHIR server.",
    "explain": "Print the rules and values behind each recommendation.",
    "fhir-server": "Serve the fictional patients as a FHIR server.",
    "fixtures": "List the fictional patients, or load them onto a FHIR server.",
    "knowledge": "Check the clinical tables.",
    "records": "Delete decisions and feedback: what is old, or all of one patient.",
    "report": "Report on feedback, and on what stayed in shadow mode.",
    "serve": "Run the service.",
    "timeline": "Draw one patient's treatment, tests and values over time.",
}


class _LazyGroup(click.Group):
    """Imports the module of a command only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        command = import_module(f"cds_service.commands.{module}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand:
            # Of commands that are not imported yet click does not know the names.
            known = self.list_commands(ctx)
            raise click.exceptions.NoSuchCommand(args[0], possibilities=known, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _HELP[name]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, RuntimeError) as error:
            if _is_operators_fault(error):
                raise click.ClickException(str(error)) from None
            raise


def _is_operators_fault(error: Exception) -> bool:
    """Whether the message itself says what to mend, so that a stack trace would only hide it."""
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.records import RecordsError
    from cds_service.settings import SettingsError

    return isinstance(error, (KnowledgeError, RecordsError, SettingsError))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from cds_service.knowledge.release import read_release

    # The packaged tables: what a service answers with, when it was given others, says its /health.
    click.echo(f"alk-cds {software_version()}, knowledge release {read_release().version}")
    ctx.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the versions of program and tables, and stop.")  # fmt: skip
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Decision support for ALK-positive lung cancer over HL7 CDS Hooks.

    For professionals; not a certified medical device. Settings are read from ALK_CDS_
    environment variables.
    """
    # It is no setting of the service, which refuses to start on a variable it does not know.
    ctx.obj = os.environ.pop(TOKEN_VARIABLE, "")
