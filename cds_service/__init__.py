"""Decision support for ALK-positive lung cancer over HL7 CDS Hooks."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def software_version() -> str:
    """The version of the installed package, as `pyproject.toml` names it: its only source.

    "not installed" when the program runs from a source tree that nobody installed.
    """
    try:
        return version("alk-cds")
    except PackageNotFoundError:
        return "not installed"
