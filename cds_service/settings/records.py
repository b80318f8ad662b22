"""Settings of what is kept: where, and for how long. The others stand in `settings`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from cds_service.settings.checks import problem, read_text
from cds_service.settings.rows import lost

_DATABASE_ADDRESS = re.compile(r"[a-z][a-z0-9]*(\+[a-z0-9_]+)?://.*")


class RecordSettings(BaseSettings):
    """The part of the settings that says where decisions, feedback and used tokens are kept."""

    database_url: str = Field(
        default="sqlite:///./alk-cds.sqlite3",
        repr=False,
        description="Database for decisions and feedback, as an SQLAlchemy address: SQLite by "
        "default, PostgreSQL by address. It may hold a password, so it is never printed.",
    )
    database_url_file: Path | None = Field(
        default=None,
        json_schema_extra=lost("the address comes from the environment"),
        description="File that holds the database address, for container secrets. It comes before "
        "`ALK_CDS_DATABASE_URL`, which the container image sets.",
    )
    queue_folder: Path | None = Field(
        default=None,
        json_schema_extra=lost("the folder of the database or the working folder is used"),
        description="Folder on this machine's disk for decisions that the database does not take "
        "in time, which wait there, and for used tokens while their store is away. By default the "
        "folder of the SQLite file, or the working folder. All workers need it; no other machine "
        "does.",
    )
    retention_days: int = Field(
        default=365,
        ge=1,
        le=36_500,
        description="Days for which decisions and feedback are kept. `alk-cds records purge` "
        "deletes what is older; have it run every night.",
    )

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        if _DATABASE_ADDRESS.fullmatch(value) is None:
            raise problem("must be a database address, for example sqlite:///./alk-cds.sqlite3")
        return value

    @field_validator("database_url_file")
    @classmethod
    def _check_address_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_text(value)
        return value

    @field_validator("queue_folder")
    @classmethod
    def _check_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_dir() and os.access(value, os.W_OK)):
            raise problem("must name a folder that is there and can be written to")
        return value
