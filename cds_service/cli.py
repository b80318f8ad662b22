"""The `alk-cds` command. What each command does stands in `cds_service.commands`."""

from __future__ import annotations

import sys

from cds_service.commands import commands


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a question mark instead of a stack trace.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    commands(prog_name="alk-cds")


if __name__ == "__main__":
    main()
