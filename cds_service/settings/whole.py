"""All settings of the service, from those of its parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from cds_service.settings.checks import (
    MINIMUM_SECRET_LENGTH,
    check_secret,
    check_web_address,
    problem,
    read_text,
)
from cds_service.settings.door import DoorSettings
from cds_service.settings.records import RecordSettings
from cds_service.settings.rows import SettingRow, lost, row

PREFIX = "ALK_CDS_"

FROM_FILES = ("database_url", "link_secret", "redis_url", "metrics_token")
"""Settings that may stand in a file instead, named by the setting with `_file` at its end."""

_FILE_COMES_FIRST = frozenset({"database_url"})

_BIND = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")

_HIGHEST_PORT = 65535


class Settings(DoorSettings, RecordSettings):
    """All settings of the service. Build it with `load_settings`, which explains a bad value."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    public_url: str | None = Field(
        default=None,
        json_schema_extra=lost("cards lead to no page, and production does not start"),
        description="Base address under which EHRs reach the service, for example "
        "`https://cds.example.org`. A token's audience is the address of the endpoint below it, "
        "and cards link to pages below it. Required in production.",
    )
    bind: str = Field(
        default="127.0.0.1:8000",
        description="Address and port to listen on, as `host:port`. Only this machine can reach "
        "the default; the container image sets `0.0.0.0:8000`.",
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Number of worker processes. Each computes one answer at a time, so one per "
        "processor core is a good start.",
    )
    threads: int = Field(
        default=64,
        ge=2,
        le=500,
        description="Number of calls that one worker process can have in hand at once. All but "
        "one of them wait, for a FHIR server or for their turn to compute.",
    )
    fhir_deadline_seconds: float = Field(
        default=0.4,
        gt=0,
        le=30,
        description="Seconds within which everything that the prefetch lacks must have been read "
        "from the EHR's FHIR server. CDS Hooks asks for an answer within 0.5 s; the default "
        "leaves 0.1 s for deciding and for the network. What did not arrive is reported as "
        "missing on the card.",
    )
    allow_private_fhir_servers: bool = Field(
        default=False,
        description="Allow FHIR servers with http or with private, link-local or loopback "
        "addresses. Off, so that a caller cannot make the service ask inside its own network; "
        "needed for a hospital's internal FHIR server and for the fixture server.",
    )
    max_cards: int = Field(
        default=5,
        ge=1,
        le=50,
        description="Most cards in one answer. Critical cards come first and are all shown; what "
        "lies beyond the limit is folded into one card that names every point.",
    )
    snooze_days: int = Field(
        default=30,
        ge=0,
        le=365,
        description="Days for which a card that somebody overrode with a reason is not shown again "
        "to that person for that patient, unless a fact behind it changes. A card about tests or"
        " questions that was accepted stays away for a day. Whatever is critical, or asks to stop "
        "or hold a drug, is shown each time. 0 turns this off.",
    )
    shadow_services: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Services that decide and record and answer with no cards, as ids separated by "
        "commas. `alk-cds report shadow` compares what they would have said with what was ordered.",
    )
    shadow_rules: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="The same for single rules, as rule ids separated by commas.",
    )
    smart_launch_url: str | None = Field(
        default=None,
        json_schema_extra=lost("no card leads to an app"),
        description="Launch address of a SMART app of the site. Every card then links to it, and "
        "the EHR opens it for the patient in context. It must be registered with the EHR.",
    )
    jurisdiction: Literal["US", "EU", "UK", "CH", "JP", "CN", "CA", "AU"] = Field(
        default="US",
        description="Whose approvals and doses decide what is offered. The tables follow the US "
        "label; elsewhere a drug whose approval or dose was not read in a source is shown without "
        "an order.",
    )
    knowledge_folder: Path | None = Field(
        default=None,
        json_schema_extra=lost("the packaged tables answer"),
        description="Folder or zip file with another knowledge release than the packaged one, for "
        "example an earlier one. It is checked while loading; the service does not start with a "
        "release that it cannot read.",
    )
    releases_folder: Path | None = Field(
        default=None,
        json_schema_extra=lost("another release needs a restart"),
        description="Folder with a folder or zip file for each knowledge release among which "
        "`alk-cds knowledge use` chooses while the service runs. The choice stands in it as "
        "`in-use.json`. Machines that share the folder change together.",
    )
    earlier_releases: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Folders or zip files with earlier knowledge releases, separated by commas. "
        "The page `/knowledge/changes` shows what differs from each.",
    )
    local_codes_file: Path | None = Field(
        default=None,
        json_schema_extra=lost("codes of the site are not known"),
        description="YAML file with the site's own codes of tests, drugs and diagnoses, and with "
        "default upper limits of its laboratory. It is checked while loading.",
    )
    concept_maps: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="FHIR ConceptMaps (JSON files, or folders of them) that translate the site's "
        "codes into codes of the tables. Only targets that mean the same are followed.",
    )
    link_secret: SecretStr | None = Field(
        default=None,
        json_schema_extra=lost(
            "links, pages and keyed hashes end with the process, and production does not start"
        ),
        description=f"Secret that signs the links from cards to decision pages, at least "
        f"{MINIMUM_SECRET_LENGTH} characters. Required in production. Prefer "
        f"`{PREFIX}LINK_SECRET_FILE`, which keeps it out of the process environment.",
    )
    link_secret_file: Path | None = Field(
        default=None,
        json_schema_extra=lost("the secret comes from the environment"),
        description="File that holds the link secret, for container secrets. Give this or "
        f"`{PREFIX}LINK_SECRET`, not both.",
    )
    link_lifetime_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 30,
        description="Hours for which a link from a card to its decision page opens.",
    )
    timezone: str = Field(
        default="UTC",
        description="Time zone of the clinic, as an IANA name such as `America/New_York`: decides "
        "which day it is, and the zone of times that come without one.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Least severe level written to the log.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment: no hidden file decides how the service runs."""
        return init_settings, env_settings

    @field_validator(
        "concept_maps", "earlier_releases", "shadow_services", "shadow_rules", mode="before"
    )
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("smart_launch_url")
    @classmethod
    def _check_smart_launch_url(cls, value: str | None) -> str | None:
        if value is not None:
            check_web_address(value, bare_origin=False)
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        check_web_address(value, bare_origin=False)
        return value.rstrip("/")

    @field_validator("bind")
    @classmethod
    def _check_bind(cls, value: str) -> str:
        found = _BIND.fullmatch(value)
        if found is None or int(found["port"]) > _HIGHEST_PORT:
            raise problem("must be host:port, for example 127.0.0.1:8000")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise problem("must be an IANA time zone name, for example Europe/Berlin") from error
        return value

    @field_validator("link_secret_file", "local_codes_file")
    @classmethod
    def _check_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_text(value)
        return value

    @field_validator("knowledge_folder")
    @classmethod
    def _check_place(cls, value: Path | None) -> Path | None:
        if value is not None and not value.exists():
            raise problem("must name a folder or a zip file that is there")
        return value

    @field_validator("releases_folder")
    @classmethod
    def _check_releases(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise problem("must name a folder that is there")
        return value

    @field_validator("concept_maps", "earlier_releases")
    @classmethod
    def _check_maps(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        if not all(path.exists() for path in value):
            raise problem("must name files or folders that are there")
        return value

    @field_validator("link_secret")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        return check_secret(value)

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: Any, info: ValidationInfo) -> Any:
        del info
        if not isinstance(data, dict):
            return data
        read = dict(data)
        for name in FROM_FILES:
            file = data.get(f"{name}_file")
            if not file:
                continue
            if data.get(name) and name not in _FILE_COMES_FIRST:
                variable = f"{PREFIX}{name.upper()}"
                raise problem(f"{variable} and {variable}_FILE are both set; give one of them")
            try:
                read[name] = read_text(Path(file)).strip() or None
            except PydanticCustomError:
                # The field's own check reports an unreadable file under the variable's name.
                continue
        return read

    @model_validator(mode="after")
    def _check_deadlines(self) -> Self:
        if self.fhir_deadline_seconds >= self.request_deadline_seconds:
            raise problem(
                f"{PREFIX}REQUEST_DEADLINE_SECONDS must be longer than "
                f"{PREFIX}FHIR_DEADLINE_SECONDS"
            )
        return self

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.environment != "production":
            return self
        missing = [
            f"{PREFIX}{name.upper()}"
            for name, value in (
                ("public_url", self.public_url),
                ("clients_file", self.clients_file),
                ("link_secret", self.link_secret),
            )
            if value is None
        ]
        if missing:
            raise problem(
                f"{', '.join(missing)} must be set in production "
                f"(or set {PREFIX}ENVIRONMENT=development on a machine without patient data)"
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.timezone)

    @classmethod
    def describe(cls) -> tuple[SettingRow, ...]:
        """Rows for the settings table of the documentation, in the order of the fields."""
        return tuple(
            row(f"{PREFIX}{name.upper()}", field) for name, field in cls.model_fields.items()
        )
