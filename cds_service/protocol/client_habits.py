"""What kinds of CDS clients send and can take, and the ready profiles that say so by name.

The specification lets a client leave out much of what a service may send. A service that sends it
nevertheless gets its card dropped or, worse, half of a suggestion carried out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from cds_service.protocol.models_response import Action, ActionType, Link, SelectionBehavior
from cds_service.protocol.urls import parse_address

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

HELD_BACK = frozenset(
    {"suppressed", "incomplete", "too-costly", "timeout", "throttled", "transient", "lock-error"}
    | {"no-store", "exception", "security", "login", "forbidden", "expired", "unknown", "deleted"}
)
"""Codes of issues that say, or may say, that something of what was asked for is missing."""
_ISSUE_CODE = re.compile(r"[a-z]+(?:-[a-z]+)*")

DOSED = frozenset({"MedicationRequest"})
"""Resource types whose details are a dose: without them an order says something else."""


class ClientHabits(BaseModel):
    """How one kind of client deviates; the defaults are those of CDS Hooks 2.0.1 to the letter.

    What it sends: ``tolerate_absent_draft_orders`` for order-select and order-sign with nothing
    drafted (D-17, E-05, S-07); ``prefetch_keys`` from the client's own prefetch key to the one of
    this service, where a site types its own (E-02); ``agreed_warnings``, the warnings that its FHIR
    server adds to whole results: the code of an issue, or ``code|detail`` with a code of its
    details. An error, and a warning that says that data were held back, cannot be agreed on.

    What it can take: ``actions`` by type and resource type, None for all (E-23);
    ``one_action_per_suggestion`` (E-23); ``selection_behaviors`` it understands (E-20, C-20);
    ``ends_running_orders``, False when it takes any update for a change of what is being drafted;
    ``keeps_order_details``, False when an order arrives there with the site's own dose (E-23);
    ``links`` and ``link_hosts``, empty for any host (E-27, E-42); ``override_reasons`` (E-28);
    ``system_actions``, off unless agreed (R-151); ``max_cards`` in one answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tolerate_absent_draft_orders: bool = False
    prefetch_keys: Mapping[_Name, _Name] = Field(default_factory=dict)
    agreed_warnings: tuple[_Name, ...] = ()
    actions: Mapping[ActionType, tuple[_Name, ...]] | None = None
    one_action_per_suggestion: bool = False
    selection_behaviors: tuple[SelectionBehavior, ...] = Field(
        default=("at-most-one", "any"), min_length=1
    )
    keeps_order_details: bool = True
    ends_running_orders: bool = True
    links: Literal["all", "absolute", "none"] = "all"
    link_hosts: tuple[_Name, ...] = ()
    override_reasons: bool = True
    system_actions: bool = False
    max_cards: int | None = Field(default=None, ge=1)

    @field_validator("prefetch_keys")
    @classmethod
    def _one_key_each(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if len(set(value.values())) != len(value):
            raise ValueError("must not give two keys for the same data")
        return value

    @field_validator("agreed_warnings")
    @classmethod
    def _nothing_held_back(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            code, bar, detail = entry.partition("|")
            if not _ISSUE_CODE.fullmatch(code) or (bar and not detail.strip()):
                raise ValueError("must hold issue codes of FHIR, each maybe followed by |detail")
            if code in HELD_BACK:
                raise ValueError("must not hold a code that says that data are missing")
        return value

    @field_validator("link_hosts")
    @classmethod
    def _bare_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            address = parse_address(f"https://{host}")
            if address is None or address.host != host.lower():
                raise ValueError("must hold host names, without scheme, port or path")
        return tuple(host.lower() for host in value)

    def takes_action(self, action: Action) -> bool:
        """Say whether the client carries out this action, and as it is meant."""
        resource_type = (
            str(action.resource["resourceType"])
            if action.resource is not None
            else str(action.resource_id).split("/")[0]
        )
        if action.type != "delete" and resource_type in DOSED and not self.keeps_order_details:
            return False
        if action.ends_an_order and not self.ends_running_orders:
            return False
        return self.actions is None or resource_type in self.actions.get(action.type, ())

    def takes_link(self, link: Link) -> bool:
        """Say whether the client shows this link."""
        if self.links == "none" or (self.links == "absolute" and link.type != "absolute"):
            return False
        address = parse_address(link.url)
        return not self.link_hosts or (address is not None and address.host in self.link_hosts)


class ReadyProfile(ClientHabits):
    """The habits of a known kind of client, with one sentence about it."""

    about: _Name


@cache
def ready_profiles() -> Mapping[str, ReadyProfile]:
    """Return the ready profiles of the package by name, in the order of the file."""
    text = (files("cds_service.protocol") / "client_profiles.yaml").read_text(encoding="utf-8")
    rows: Mapping[str, object] = yaml.safe_load(text)
    return MappingProxyType({name: ReadyProfile.model_validate(row) for name, row in rows.items()})
