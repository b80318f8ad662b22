"""Who may call, and what each caller is allowed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from cds_service.protocol.client_habits import ClientHabits, ready_profiles
from cds_service.protocol.urls import is_below, names_private_address, parse_address

DEFAULT_PROFILE = "strict"
_TENANT_MARK = "#"


class ClientsFileError(ValueError):
    """A clients file that cannot be used; the message says where and why, without any value."""


class ClientProfile(ClientHabits):
    """What the operator has agreed with one CDS client.

    ``profile`` names a ready profile whose habits it takes; each habit given here overrides it.

    The client's public keys come from exactly one of ``jwks`` (a JWK Set), ``jwks_file`` (a
    file with one) or ``jwks_url`` (an address that serves one). ``audience_aliases`` are values
    of ``aud`` accepted beside the endpoint's own address, because some sites type it by hand
    (R-165, E-31). An empty ``tenants`` admits every tenant of the issuer, and empty
    ``services`` every service; otherwise they are the ids that it may call. ``fhir_servers`` are
    the base addresses to which the client's token may be carried; with none of them the client
    is served from its prefetch alone (R-78). ``refuse_replay`` may be turned off for a client
    that sends one token twice.
    """

    profile: str = DEFAULT_PROFILE
    name: str = Field(min_length=1)
    iss: str = Field(min_length=1)
    jwks: dict[str, Any] | None = Field(default=None, repr=False)
    jwks_file: Path | None = None
    jwks_url: str | None = None
    audience_aliases: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    fhir_servers: tuple[str, ...] = ()
    allow_private_addresses: bool = False
    refuse_replay: bool = True
    require_typ: bool = True

    @model_validator(mode="before")
    @classmethod
    def _begin_with_the_ready_profile(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("profile"), str):
            return given
        ready = ready_profiles().get(given["profile"])
        if ready is None:
            raise ValueError(f"profile must be one of {', '.join(ready_profiles())}")
        return {**ready.model_dump(exclude={"about"}, exclude_unset=True), **given}

    @field_validator("audience_aliases", "tenants", "services")
    @classmethod
    def _no_blanks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(not value.strip() for value in values):
            raise ValueError("must not hold blank text")
        return values

    @field_validator("name")
    @classmethod
    def _no_mark(cls, value: str) -> str:
        if _TENANT_MARK in value:
            raise ValueError(f"must not hold {_TENANT_MARK}, which stands before a tenant")
        return value

    @field_validator("fhir_servers")
    @classmethod
    def _absolute_addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(parse_address(value) is None for value in values):
            raise ValueError("must hold absolute http or https URLs")
        return values

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        given = [source for source in (self.jwks, self.jwks_file, self.jwks_url) if source]
        if len(given) != 1:
            raise ValueError("exactly one of jwks, jwks_file and jwks_url is needed")
        if self.jwks_url is not None:
            address = parse_address(self.jwks_url)
            if address is None or (address.scheme != "https" and not self.allow_private_addresses):
                raise ValueError("jwks_url must be an https URL")
        return self


@dataclass(frozen=True)
class Client:
    """The caller of one request, once it is known who it is.

    ``any_fhir_server`` is for development only. ``name`` is the operator's name for the client
    and may be logged.
    """

    name: str
    issuer: str | None = None
    tenant: str | None = None
    services: tuple[str, ...] = ()
    fhir_servers: tuple[str, ...] = ()
    any_fhir_server: bool = False
    allow_private_addresses: bool = False
    habits: ClientHabits = field(default_factory=ClientHabits)

    @property
    def identity(self) -> str:
        """Whose cards and feedback these are: two tenants of one issuer share nothing."""
        return self.name if self.tenant is None else f"{self.name}{_TENANT_MARK}{self.tenant}"

    def may_call(self, service_id: str) -> bool:
        """Whether the operator agreed to this service for this client (D-10)."""
        return not self.services or service_id in self.services

    @property
    def may_offer_fhir_servers(self) -> bool:
        """Whether this client's FHIR server is used at all."""
        return self.any_fhir_server or bool(self.fhir_servers)

    def permits_fhir_server(self, url: str) -> bool:
        """Say whether a token may be carried to ``url`` on behalf of this client (R-78, C-04).

        Plain http is for clients with private addresses allowed: a token sent over it can be
        read on the way.
        """
        if not self.allow_private_addresses:
            address = parse_address(url)
            if address is None or address.scheme != "https" or names_private_address(url):
                return False
        if self.any_fhir_server:
            return parse_address(url) is not None
        return any(is_below(url, base) for base in self.fhir_servers)


def client_of(profile: ClientProfile, tenant: str | None = None) -> Client:
    """Return the caller described by ``profile``."""
    return Client(
        name=profile.name,
        issuer=profile.iss,
        tenant=tenant,
        services=profile.services,
        fhir_servers=profile.fhir_servers,
        allow_private_addresses=profile.allow_private_addresses,
        habits=ClientHabits(**{name: getattr(profile, name) for name in ClientHabits.model_fields}),
    )


def read_clients(
    content: object, prefetch_keys: Collection[str], services: Collection[str]
) -> tuple[ClientProfile, ...]:
    """Return the clients of a clients file, given as what its YAML says.

    ``services`` are the ids on offer, and ``prefetch_keys`` the keys that these services ask for.
    Raises ClientsFileError.
    """
    rows = content.get("clients") if isinstance(content, Mapping) else None
    if not isinstance(rows, list):
        raise ClientsFileError("it must hold a list named clients")
    return tuple(
        _client(row, place, prefetch_keys, services) for place, row in enumerate(rows, start=1)
    )


def _client(
    row: object, place: int, prefetch_keys: Collection[str], services: Collection[str]
) -> ClientProfile:
    try:
        profile = ClientProfile.model_validate(row)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in fault["loc"])
        raise ClientsFileError(
            f"client {place}{f', {where}' if where else ''}: {fault['msg']}"
        ) from None
    if not set(profile.services) <= set(services):
        # A misspelt id would lock the client out of a service that it was meant to have.
        raise ClientsFileError(
            f"client {place}, services: each entry is one of {', '.join(sorted(services))}"
        )
    for theirs, ours in profile.prefetch_keys.items():
        # A misspelt key would lose data in silence, and a swapped one would mix them up.
        if ours not in prefetch_keys or theirs in prefetch_keys:
            raise ClientsFileError(
                f"client {place}, prefetch_keys: each entry leads from a key of the client's own"
                f" to one of {', '.join(sorted(prefetch_keys))}"
            )
    return profile
