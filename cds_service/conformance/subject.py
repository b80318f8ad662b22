"""The service under test: where it is, how it is called, and what it has answered so far.

Discovery and the answers that many checks look at are asked for once and kept.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cds_service.conformance import samples
from cds_service.conformance.exchange import Answer, Caller, NotJsonError, strict_json
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.tokens import Signer

Json = dict[str, Any]

OWN_REQUEST = "the kit's request"


@dataclass(frozen=True)
class Asked:
    """One call of one service with its answer. ``label`` tells the calls of a service apart."""

    service: Json
    label: str
    body: Json = field(repr=False)
    answer: Answer

    @property
    def place(self) -> str:
        """Where in a report a problem was found."""
        return f"{self.service['id']}, {self.label}"


@dataclass(frozen=True)
class Part:
    """An object inside an answer, with its place in words."""

    asked: Asked
    place: str
    value: Json = field(repr=False)

    def has(self, name: str) -> bool:
        """Whether the member is there at all."""
        return name in self.value

    def text(self, name: str) -> bool:
        """Whether the member is text that says something."""
        value = self.value.get(name)
        return isinstance(value, str) and bool(value.strip())


class Subject:
    """A CDS service as its clients see it.

    ``given`` are requests of the user's own, for services that say nothing about an empty
    chart. ``origin`` is a web origin that the service lets in (CORS). ``signer`` makes tokens,
    faulty ones too; with ``anonymous`` calls nothing about tokens can be asked but whether
    strangers are let in.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        services: Sequence[str] = (),
        given: Sequence[Mapping[str, Any]] = (),
        origin: str | None = None,
        signer: Signer | None = None,
    ) -> None:
        self.caller = caller
        self.origin = origin
        self.signer = signer
        self._wanted = tuple(services)
        self._given = tuple(given)

    @cached_property
    def discovery(self) -> Answer:
        """The answer of discovery. Raises UnreachableError."""
        return self.caller.get()

    @cached_property
    def entries(self) -> list[Any]:
        """Whatever discovery lists. Raises NotTestedError without a list."""
        content = self.discovery.content
        listed = content.get("services") if isinstance(content, dict) else None
        if not isinstance(listed, list):
            raise NotTestedError("discovery gives no list of services")
        return listed

    @cached_property
    def services(self) -> list[Json]:
        """The services that can be called, of the ones asked for. Raises NotTestedError."""
        usable = [
            entry
            for entry in self.entries
            if isinstance(entry, dict)
            and all(isinstance(entry.get(name), str) and entry[name] for name in ("id", "hook"))
            and (not self._wanted or entry["id"] in self._wanted)
        ]
        if not usable:
            raise NotTestedError("discovery lists no service to call")
        return usable

    def call(self, service: Mapping[str, Any], body: Any, **how: Any) -> Answer:
        """POST one body to a service."""
        return self.caller.post(body, str(service["id"]), **how)

    @cached_property
    def asked(self) -> list[Asked]:
        """Every service called with the kit's own request, then with those of the user."""
        found = []
        for service in self.services:
            body = samples.request_for(service)
            found.append(Asked(service, OWN_REQUEST, body, self.call(service, body)))
        for position, entry in enumerate(self._given, start=1):
            body, wanted = _body_and_service(entry)
            for service in self.services:
                if service["hook"] == body.get("hook") and wanted in (None, service["id"]):
                    label = f"request {position}"
                    found.append(Asked(service, label, body, self.call(service, body)))
        return found

    @cached_property
    def answered(self) -> list[Asked]:
        """The calls that brought an array of cards, be it empty. Raises NotTestedError."""
        found = [item for item in self.asked if item.answer.cards is not None]
        if not found:
            raise NotTestedError("no call brought an array of cards; give one with --request")
        return found

    @cached_property
    def working(self) -> list[Asked]:
        """For each service one call that brought cards, to be sent again with changes.

        Those with something to say come first: silence could hide that a change lost it.
        """
        found: dict[tuple[str, str], Asked] = {}
        for item in sorted(self.answered, key=lambda item: not item.answer.cards):
            found.setdefault((item.service["id"], item.service["hook"]), item)
        return list(found.values())

    def variants(self, **changes: Any) -> Iterator[tuple[Asked, Json]]:
        """A copy of each working request with root members replaced."""
        for item in self.working:
            yield item, {**copy.deepcopy(item.body), **changes}

    def documents(self) -> Iterator[tuple[str, Any]]:
        """Discovery and every successful answer as JSON values, with their place in words."""
        for place, answer in self.successes():
            try:
                yield place, strict_json(answer.body)
            except NotJsonError:
                continue  # Another check says so.

    def successes(self) -> Iterator[tuple[str, Answer]]:
        """Discovery and every call that was answered with 200."""
        if self.discovery.status == 200:
            yield "discovery", self.discovery
        for item in self.asked:
            if item.answer.status == 200:
                yield item.place, item.answer

    def cards(self) -> list[Part]:
        """Every card. Raises NotTestedError when there is none to look at."""
        found = [
            Part(item, f"{item.place}: cards[{position}]", card)
            for item in self.answered
            for position, card in enumerate(item.answer.cards or [])
            if isinstance(card, dict)
        ]
        return _some(found, "no answer holds a card to look at; give a request with --request")

    def sources(self) -> list[Part]:
        """The source of every card that has one."""
        return _some(
            [part for card in self.cards() for part in members(card, "source")],
            "no card names a source",
        )

    def suggestions(self) -> list[Part]:
        """Every suggestion of every card."""
        found = [part for card in self.cards() for part in members(card, "suggestions")]
        return _some(found, "no card holds a suggestion")

    def actions(self) -> list[Part]:
        """Every action of every suggestion."""
        found = [
            part
            for card in self.cards()
            for suggestion in members(card, "suggestions")
            for part in members(suggestion, "actions")
        ]
        return _some(found, "no suggestion holds an action")

    def links(self) -> list[Part]:
        """Every link of every card."""
        found = [part for card in self.cards() for part in members(card, "links")]
        return _some(found, "no card holds a link")

    def system_actions(self) -> list[Part]:
        """Every action of an answer's root."""
        roots = [
            Part(item, item.place, item.answer.content)
            for item in self.answered
            if isinstance(item.answer.content, dict)
        ]
        found = [part for root in roots for part in members(root, "systemActions")]
        return _some(found, "no answer holds systemActions")


def members(part: Part, name: str) -> list[Part]:
    """The objects of a member that is an object or an array of them."""
    value = part.value.get(name)
    if isinstance(value, dict):
        return [Part(part.asked, f"{part.place}.{name}", value)]
    if not isinstance(value, list):
        return []
    return [
        Part(part.asked, f"{part.place}.{name}[{position}]", item)
        for position, item in enumerate(value)
        if isinstance(item, dict)
    ]


def _some(found: list[Part], otherwise: str) -> list[Part]:
    if not found:
        raise NotTestedError(otherwise)
    return found


def _body_and_service(entry: Mapping[str, Any]) -> tuple[Json, str | None]:
    """A request is given as it is, or with the id of the service that it is for."""
    body = entry.get("body")
    if isinstance(body, dict):
        service = entry.get("service")
        return body, service if isinstance(service, str) else None
    return dict(entry), None
