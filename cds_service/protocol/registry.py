"""The services on offer: what each is called, asks for and does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cds_service.protocol.errors import BadRequest, NotFound
from cds_service.protocol.hook_call import HookCall
from cds_service.protocol.hook_definitions import hook_definition
from cds_service.protocol.models_response import CdsResponse, Discovery, ServiceDescription
from cds_service.protocol.prefetch import PrefetchTemplate, lint

_SERVICE_ID = re.compile(r"[A-Za-z0-9._~-]+")


class RegistryError(ValueError):
    """A service that cannot be offered; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service on one hook. The same ``id`` may serve several hooks (R-23).

    ``handler`` answers a call with a CdsResponse or raises a ProtocolError, for instance
    PreconditionFailed. Anything else it raises or returns becomes a 500.
    """

    id: str
    hook: str
    title: str
    description: str
    handler: Callable[[HookCall], CdsResponse]
    prefetch: tuple[PrefetchTemplate, ...] = ()
    usage_requirements: str | None = None
    hook_version: str | None = None


class ServiceRegistry:
    """The services of one application. A call is led by the URL's id and the body's hook."""

    def __init__(
        self, services: Iterable[Service] = (), extension: Mapping[str, str] | None = None
    ) -> None:
        """``extension`` is said with every service in discovery, under names that are ours."""
        self._extension = dict(extension) if extension else None
        self._services: dict[tuple[str, str], Service] = {}
        for service in services:
            self.register(service)

    @property
    def services(self) -> tuple[Service, ...]:
        """All services, in the order they were registered."""
        return tuple(self._services.values())

    def register(self, service: Service) -> Service:
        """Add ``service``, or raise RegistryError if it breaks a rule or is there already."""
        problems = self._problems(service)
        if problems:
            raise RegistryError(f"service {service.id!r}: " + "; ".join(problems))
        self._services[service.id, service.hook] = service
        return service

    def _problems(self, service: Service) -> list[str]:
        problems = []
        if not _SERVICE_ID.fullmatch(service.id) or not service.id.strip("."):
            problems.append("the id must be made of letters, digits, '.', '_', '~' and '-'")
        if service.id == "feedback":
            problems.append("the id 'feedback' would be taken for the feedback endpoint")
        if (service.id, service.hook) in self._services:
            problems.append(f"it is registered twice for {service.hook}")
        if not service.title.strip() or not service.description.strip():
            problems.append("title and description are needed")
        if service.usage_requirements is not None and not service.usage_requirements.strip():
            problems.append("usage requirements are blank")
        if hook_definition(service.hook) is None:
            problems.append(
                f"{service.hook!r} is neither a hook of the library nor a reversed domain name"
            )
            return problems
        keys = [template.key for template in service.prefetch]
        if len(set(keys)) != len(keys):
            problems.append("a prefetch key is used twice")
        for template in service.prefetch:
            problems += [
                f"prefetch {template.key!r}: {problem}" for problem in lint(template, service.hook)
            ]
        return problems

    def has(self, service_id: str) -> bool:
        """Say whether any service has this id."""
        return any(service.id == service_id for service in self._services.values())

    def require(self, service_id: str) -> None:
        """Raise NotFound unless a service has this id (D-01)."""
        if not self.has(service_id):
            raise NotFound("There is no CDS service at this address.")

    def find(self, service_id: str, hook: str) -> Service:
        """Return the service; raise NotFound for the id, BadRequest for the hook (D-04)."""
        self.require(service_id)
        service = self._services.get((service_id, hook))
        if service is None:
            raise BadRequest(
                "This service is not registered for the hook in the body.",
                expression="CDSHooksRequest.hook",
                issue_code="value",
            )
        return service

    def discovery(self, may_call: Callable[[str], bool] = lambda _: True) -> Discovery:
        """Return what ``GET {base}/cds-services`` answers to a caller who may call these ids."""
        return Discovery(
            services=tuple(
                ServiceDescription(
                    hook=service.hook,
                    title=service.title,
                    description=service.description,
                    id=service.id,
                    prefetch={item.key: item.template for item in service.prefetch},
                    usage_requirements=service.usage_requirements,
                    hook_version=service.hook_version,
                    extension=self._extension,
                )
                for service in self._services.values()
                if may_call(service.id)
            )
        )
