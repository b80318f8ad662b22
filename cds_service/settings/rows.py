"""How a setting is shown in the documentation; the settings themselves stand in `settings`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

WITHOUT = "without"
"""Under this name a field says what is lost while it is not set."""


def lost(what: str) -> dict[str, Any]:
    """What is lost while a setting is not set, for its field."""
    return {WITHOUT: what}


@dataclass(frozen=True)
class SettingRow:
    """One line of the settings table in the documentation."""

    variable: str
    kind: str
    default: str
    description: str
    without: str
    """What is lost while it is not set; empty where its default serves."""
    is_secret: bool
    """Whether its value is never printed."""

    @property
    def in_words(self) -> str:
        """The description with what is lost without it."""
        return (
            f"{self.description} Without it: {self.without}." if self.without else self.description
        )


def kind(annotation: Any) -> str:
    """What a setting of this type takes, in words. Raises TypeError for a type without words."""
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    names = {"tuple": "list, comma-separated", "Path": "file", "SecretStr": "secret"}
    names |= {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    if text.startswith("typing.Literal["):
        options = text.removeprefix("typing.Literal[").rstrip("]").replace("'", "")
        return "one of " + options
    for name, shown in names.items():
        if re.search(rf"\b{name}\b", text):
            return shown
    raise TypeError(f"a setting of type {text} has no name for the documentation")


def shown_default(value: object) -> str:
    """The default of a setting as the documentation shows it."""
    if value is None or value == ():
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def row(variable: str, field: FieldInfo) -> SettingRow:
    """The line of one field."""
    extra = field.json_schema_extra
    return SettingRow(
        variable=variable,
        kind=kind(field.annotation),
        default=shown_default(field.default),
        description=field.description or "",
        without=str(extra.get(WITHOUT, "")) if isinstance(extra, dict) else "",
        is_secret=not field.repr or SecretStr.__name__ in str(field.annotation),
    )
