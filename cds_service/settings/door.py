"""Settings of the doors: who may call, how much and how often. The others stand in `settings`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from cds_service.protocol.keys import ALLOWED_ALGORITHMS
from cds_service.protocol.rate_limits import read_rate
from cds_service.protocol.security import DEFAULT_ALGORITHMS, LONGEST_LEEWAY_SECONDS
from cds_service.settings.checks import (
    check_ready_profile,
    check_secret,
    check_web_address,
    problem,
    read_text,
)
from cds_service.settings.rows import lost


class DoorSettings(BaseSettings):
    """The part of the settings that decides what is let in."""

    environment: Literal["production", "development"] = Field(
        default="production",
        description="`production` refuses every call without a valid signed token from a known "
        "client. `development` lets callers in unsigned and says so in the log. Production is "
        "the default so that a forgotten setting closes the door rather than opens it.",
    )
    clients_file: Path | None = Field(
        default=None,
        json_schema_extra=lost("nobody may call, and production does not start"),
        description="YAML file with the profiles of the EHRs that may call: issuer, keys, "
        "allowed FHIR servers. Required in production.",
    )
    unsigned_profile: Annotated[str, AfterValidator(check_ready_profile)] = Field(
        default="strict",
        description="Ready client profile of the callers that `development` lets in unsigned, for "
        "example `cds-hooks-sandbox`. In production each client has its own.",
    )
    bench: bool = Field(
        default=False,
        description="Serve the what-if bench at `/bench`, where a fictional patient or a pasted "
        "request can be changed and every hook played. Nobody signs in to it, so put it behind "
        "the site's own sign-in. `alk-cds serve --dev` and the demonstration turn it on.",
    )
    token_algorithms: Annotated[tuple[str, ...], NoDecode] = Field(
        default=DEFAULT_ALGORITHMS,
        description="Signature algorithms accepted in tokens, separated by commas: "
        f"{', '.join(ALLOWED_ALGORITHMS)}. There is no way to accept `none` or a shared secret.",
    )
    token_leeway_seconds: float = Field(
        default=30,
        ge=0,
        le=LONGEST_LEEWAY_SECONDS,
        description="Seconds by which a client's clock and this one may differ.",
    )
    token_max_life_seconds: int = Field(
        default=3600,
        ge=10,
        le=86_400,
        description="Longest life of a token, from `iat` to `exp`, in seconds. Used tokens are "
        "remembered for as long.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        json_schema_extra=lost("machines share used tokens by PostgreSQL, or not at all"),
        description="Redis that keeps used tokens and the counts of the rate limits for all "
        "workers and machines, for example `rediss://cache.example.org/0`; needs the extra "
        "`redis`. Without it used tokens stand in the database, and each worker counts calls for "
        "itself.",
    )
    redis_url_file: Path | None = Field(
        default=None,
        json_schema_extra=lost("the address comes from the environment"),
        description="File that holds the address of Redis, which may hold a password. Give this "
        "or `ALK_CDS_REDIS_URL`, not both.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        json_schema_extra=lost("production shows no numbers"),
        description="Secret that a Prometheus server sends as a bearer token to read `/metrics`, "
        "at least 32 characters. Without it there is no such address in production.",
    )
    metrics_token_file: Path | None = Field(
        default=None,
        json_schema_extra=lost("the secret comes from the environment"),
        description="File that holds that secret. Give this or `ALK_CDS_METRICS_TOKEN`, not both.",
    )
    rate_limit: str = Field(
        default="6000/minute",
        description="Most calls of one client, as number/unit or number/units of time, for "
        "example `100/second` or `20000/5 minutes`; `off` for no limit. Beyond it the answer is "
        "429 with `Retry-After`.",
    )
    refused_rate_limit: str = Field(
        default="60/minute",
        description="Most 401 answers to one network address; after that its refused calls get "
        "429. Calls with a good token are never affected.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Web origins whose pages may call the service from a browser, separated by "
        "commas, for example `https://sandbox.cds-hooks.org`. None by default; `*` is refused.",
    )
    max_body_bytes: int = Field(
        default=20_000_000,
        ge=10_000,
        le=200_000_000,
        description="Largest request body accepted, in bytes. A larger one is refused with "
        "status 413.",
    )
    max_json_depth: int = Field(
        default=64,
        ge=16,
        le=500,
        description="Most levels of arrays and objects inside each other in a request body. A "
        "deeper one is refused with status 400.",
    )
    max_resources: int = Field(
        default=20_000,
        ge=100,
        le=1_000_000,
        description="Most FHIR resources in one request, contained ones and Bundles among them. "
        "More are refused with status 413.",
    )
    request_deadline_seconds: float = Field(
        default=10,
        gt=0,
        le=120,
        description="Seconds after which a request is ended with status 503, whatever it is "
        "doing, also waiting for the rest of its body. It must be longer than "
        "`ALK_CDS_FHIR_DEADLINE_SECONDS`.",
    )

    @field_validator("token_algorithms", "cors_origins", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("token_algorithms")
    @classmethod
    def _check_algorithms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= set(ALLOWED_ALGORITHMS):
            raise problem(f"must list some of {', '.join(ALLOWED_ALGORITHMS)}")
        return value

    @field_validator("rate_limit", "refused_rate_limit")
    @classmethod
    def _check_rate(cls, value: str) -> str:
        try:
            read_rate(value)
        except ValueError:
            raise problem("must be a rate such as 6000/minute, or off") from None
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        if not value.get_secret_value().startswith(("redis://", "rediss://")):
            raise problem("must be an address such as rediss://cache.example.org/0")
        if find_spec("redis") is None:
            raise problem('needs the extra: pip install "alk-cds[redis]"')
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin == "*":
                raise problem("must list its origins; * would let any page call the service")
            check_web_address(origin, bare_origin=True)
        return value

    @field_validator("metrics_token")
    @classmethod
    def _check_metrics_token(cls, value: SecretStr | None) -> SecretStr | None:
        return check_secret(value)

    @field_validator("clients_file", "redis_url_file", "metrics_token_file")
    @classmethod
    def _check_door_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_text(value)
        return value
