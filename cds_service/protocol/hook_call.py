"""One hook call, as the services are given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, repr=False)
class HookCall:
    """What one call of one service says. Its repr shows no patient and no token.

    ``context`` and ``extension`` are the JSON objects as received, fractions as Decimal, so
    that a number is kept digit by digit. ``draft_orders`` are the resources of the context's
    Bundle, and ``draft_bundle_resources`` all of them with those that only ride along.
    ``dispatched_orders`` are references to signed orders on the client's FHIR server.
    ``prefetch`` holds raw JSON for each key that came with a resource and None for each that
    came as null ("the client looked and has nothing", R-62); a key that did not come is not
    there (R-63). A key that the operator agreed with the client under another name has ours
    (E-02); the others are as sent, also those this service did not ask for.
    ``unreadable_prefetch`` are keys that came with something that is no JSON object, such as the
    text of an error page, or with an empty one: they are not in ``prefetch`` and count as not had.
    ``fhir_server`` has no trailing slash, and is None if the client is not allowed one.
    ``access_token`` is for this call only (R-77). ``access_token_expires_in`` is in seconds.
    ``max_cards`` is how many cards the client takes, None when it set no limit.
    ``agreed_warnings`` are those of its FHIR server that mean that nothing is missing.
    ``takes_system_actions`` says that it agreed to changes which it carries out by itself.
    """

    service_id: str
    hook: str
    hook_instance: str
    patient_id: str
    user_id: str | None = None
    encounter_id: str | None = None
    fhir_server: str | None = None
    access_token: str | None = None
    draft_orders: tuple[Mapping[str, Any], ...] = ()
    draft_bundle_resources: tuple[Mapping[str, Any], ...] = ()
    selections: tuple[str, ...] = ()
    dispatched_orders: tuple[str, ...] = ()
    prefetch: Mapping[str, bytes | None] = field(default_factory=dict)
    unreadable_prefetch: frozenset[str] = frozenset()
    client: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    extension: Mapping[str, Any] = field(default_factory=dict)
    access_token_expires_in: int | None = None
    allow_private_addresses: bool = False
    max_cards: int | None = None
    agreed_warnings: frozenset[str] = frozenset()
    takes_system_actions: bool = False
    draft_resources_by_reference: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"HookCall(service_id={self.service_id!r}, hook={self.hook!r}, "
            f"hook_instance={self.hook_instance!r}, client={self.client!r})"
        )

    def draft_resource(self, reference: str) -> Mapping[str, Any] | None:
        """Return the context Bundle's resource for a ``Type/id`` or fullUrl, if there is one."""
        return self.draft_resources_by_reference.get(reference)
