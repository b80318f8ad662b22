"""What every FHIR resource has in the views of this service."""

from __future__ import annotations

import msgspec

from cds_service.fhir.datatypes import Extension, Meta


class Resource(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    gc=False,
    tag_field="resourceType",
    tag=str,
):
    """What every resource has. `resource_type` is its FHIR name, `key` is `Type/id`."""

    id: str | None = None
    meta: Meta | None = None
    extension: tuple[Extension, ...] = ()
    contained: tuple[msgspec.Raw, ...] = ()

    @property
    def resource_type(self) -> str:
        """The FHIR resource type, such as Observation."""
        return type(self).__name__

    @property
    def key(self) -> str:
        """`Type/id`; the id part is empty for a resource without id."""
        return f"{type(self).__name__}/{self.id or ''}"
