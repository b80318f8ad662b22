"""Whose a resource is: by its subject, by what it is about, and by the server that is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.fhir.reading import read_resource
from cds_service.fhir.references import ParsedReference, parse_reference, server_of
from cds_service.fhir.views import Device, Medication, Observation, Patient, Reference, Resource

_PEOPLE = frozenset({"Patient", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Owners:
    """Tells the patient's resources from those of others.

    `servers` are those on which the patient has that id: an absolute reference to another server
    names somebody else, whatever the id. Without any of them the id alone decides.
    """

    patient_key: str = ""
    urls: Mapping[str, Resource] = field(default_factory=dict, repr=False)
    servers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, patient_id: str, urls: Mapping[str, Resource], server: str | None) -> Owners:
        """For a patient of the `server` named, and of that on which the Patient itself stands."""
        found = {server_of(server)}
        for url, resource in urls.items():
            if isinstance(resource, Patient) and resource.id == patient_id:
                parsed = parse_reference(url)
                found.add(server_of(parsed.base) if parsed is not None else None)
        servers = frozenset(place for place in found if place is not None)
        return cls(f"Patient/{patient_id}", urls, servers)

    def of_resource(self, resource: Resource) -> str | None:
        """`Patient/id` of whom a resource is about; None when it does not say."""
        if isinstance(resource, Medication) or (
            isinstance(resource, Device) and resource.patient is None
        ):
            # A product belongs to nobody.
            return self.patient_key
        if isinstance(resource, Observation):
            for focus in resource.focus:
                about = parse_reference(focus.reference)
                if about is None or about.resource_type not in _PEOPLE:
                    continue
                # Of a child, a donor or a mother: in this record, but not of this body.
                whom = self._named(about)
                if whom != self.patient_key:
                    return whom
        return self.of_subject(resource)

    def of_subject(self, resource: Resource) -> str | None:
        """`Patient/id` of whose record a resource stands in, whoever it is about."""
        if isinstance(resource, Patient):
            return resource.key if resource.id else None
        subject = getattr(resource, "subject", None) or getattr(resource, "patient", None)
        text = subject.reference if isinstance(subject, Reference) else None
        if text == self.patient_key:
            return text
        parsed = parse_reference(text)
        return self._named(parsed) if parsed is not None else None

    def elsewhere(self, parsed: ParsedReference) -> bool:
        """Whether an absolute reference leads to another server than the patient's own."""
        away = parsed.base is not None and server_of(parsed.base) not in self.servers
        return bool(self.servers) and away

    def _named(self, parsed: ParsedReference) -> str | None:
        if parsed.urn is not None:
            target = self.urls.get(parsed.urn)
            return target.key if isinstance(target, Patient) and target.id else None
        if self.elsewhere(parsed):
            return f"{parsed.base}/{parsed.key}"
        return parsed.key


def contained(holder: Resource) -> Iterator[Resource]:
    """What a resource contains, as far as it can be read."""
    for raw in holder.contained:
        resource = read_resource(raw)
        if isinstance(resource, Resource):
            yield resource


def local_id(resource: Resource) -> str:
    """The id by which a contained resource is referred to, after the `#`."""
    return (resource.id or "").lstrip("#")
