"""The parts of the `alk-cds` command, one module for each command.

A module is imported when its command is asked for, and it imports the service when it runs, so
that ``alk-cds --help`` answers at once.
"""

from cds_service.commands.group import commands

__all__ = ["commands"]
