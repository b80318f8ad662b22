"""Reading the settings from ``ALK_CDS_*`` environment variables, and saying what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ValidationError

from cds_service.settings.whole import FROM_FILES, PREFIX, Settings


class SettingsError(ValueError):
    """One or more settings cannot be used. The message names each variable, never its value."""

    safe_to_log: ClassVar[bool] = True

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = [f"{variable}: {reason}" for variable, reason in self.problems.items()]
        super().__init__("The service cannot start with these settings:\n  " + "\n  ".join(lines))


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, with ``overrides`` by field name on top.

    :raises SettingsError: when a value cannot be used, or an ``ALK_CDS_`` variable is unknown.
        A misspelt variable stops the start: the setting it meant would silently stay at its
        default.
    """
    unknown = _unknown_variables(os.environ)
    if unknown:
        raise SettingsError(dict.fromkeys(unknown, "is not a setting of this service"))
    # What the caller gives counts more than a file that the environment names.
    given = {f"{name}_file": None for name in FROM_FILES if name in overrides} | overrides
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_readable(error)) from None


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(
        name
        for name in environment
        if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def _readable(error: ValidationError) -> dict[str, str]:
    problems: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        location = detail["loc"]
        variable = f"{PREFIX}{str(location[0]).upper()}" if location else "Settings together"
        problems[variable] = detail["msg"]
    return problems
