"""What a value of a setting is checked for; the settings themselves stand in `settings`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from cds_service.protocol import ready_profiles

MINIMUM_SECRET_LENGTH = 32
"""Characters a secret must have: 128 bits even when it is written in hexadecimal."""


def problem(message: str) -> PydanticCustomError:
    """What is wrong with a value, to raise in a validator: the value itself is never shown."""
    return PydanticCustomError("setting", "{message}", {"message": message})


def check_web_address(value: str, *, bare_origin: bool) -> None:
    """Raise unless `value` is a plain web address, without a path if `bare_origin`."""
    example = "https://ehr.example.org"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise problem(f"must be a web address, for example {example}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise problem(f"must be a web address, for example {example}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise problem("must hold no user name, password, query or fragment")
    if bare_origin and parts.path:
        raise problem(f"must be an origin without a path, for example {example}")


def check_secret(value: SecretStr | None) -> SecretStr | None:
    """`value` if it is long enough not to be guessed, else raise."""
    if value is not None and len(value.get_secret_value()) < MINIMUM_SECRET_LENGTH:
        raise problem(f"must have at least {MINIMUM_SECRET_LENGTH} characters")
    return value


def check_ready_profile(value: str) -> str:
    """`value` if it names a ready profile of a client, else raise."""
    if value not in ready_profiles():
        raise problem(f"must be one of {', '.join(ready_profiles())}")
    return value


def read_text(path: Path) -> str:
    """The text of a file that a setting names."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise problem("must name a readable text file") from error
