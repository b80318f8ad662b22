"""Whose a line is, without more of it than that takes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from cds_service.cohort.tally import Unused
from cds_service.fhir.read_result import Dropped, DropReason
from cds_service.fhir.reading import read_resource
from cds_service.fhir.references import parse_reference
from cds_service.fhir.shared import Sharing
from cds_service.fhir.views import (
    Device,
    Medication,
    MedicationUse,
    OperationOutcome,
    Patient,
    Resource,
)

_REMEMBERED = 1000
"""Lines after which what they repeat is forgotten, so that memory stays small."""
_ID = re.compile(r"[A-Za-z0-9.\-]{1,128}\Z")
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{2,64})"')
_HOLDER = re.compile(
    rb'"(?:subject|patient)"\s*:\s*\{[^{}]{0,2000}?"reference"\s*:\s*'
    rb'"[^"]{0,500}?Patient/([A-Za-z0-9.\-]{1,128})(?:/_history/[^"]*)?"'
)
_BY_IDENTIFIER = re.compile(r"Patient\?identifier=([^&|]*)(?:\||%7C)([^&]+)\Z", re.IGNORECASE)


class _Identifier(msgspec.Struct):
    system: Any = None
    value: Any = None


class _Holder(msgspec.Struct):
    reference: Any = None
    identifier: Any = None


class _Named(msgspec.Struct, rename="camel"):
    subject: Any = None
    patient: Any = None


class _Person(msgspec.Struct):
    identifier: Any = None


_named_decoder = msgspec.json.Decoder(_Named)
_person_decoder = msgspec.json.Decoder(_Person)
_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Head(msgspec.Struct, frozen=True, gc=False):
    """What a line is: of which type and whose.

    `owner` is the id of a patient; without it `why` says why the line cannot be used, or
    `identifier` (``system|value``) stands in place of the id. `by_urn` says that the line names its
    patient in a way that only the fullUrls of a Bundle explain. `product` is the `Medication/id`
    that the line names, or that it is. `readable` is False for what was lost in reading.
    """

    resource_type: str
    owner: str | None = None
    why: Unused | None = None
    identifier: str | None = None
    product: str | None = None
    key: str = ""
    readable: bool = True
    identifiers: tuple[str, ...] = ()
    by_urn: bool = False
    nameless: bool = False


class Heads:
    """Reads the heads of lines one after the other, which repeat much."""

    def __init__(self) -> None:
        self._sharing = Sharing()
        self._read = 0

    def of(self, text: bytes) -> Head:
        """What one line is. Never raises."""
        self._read += 1
        if self._read % _REMEMBERED == 0:
            self._sharing = Sharing()
        return head_of(text, self._sharing)


def head_of(text: bytes, sharing: Sharing | None = None) -> Head:
    """What one line is. Never raises."""
    resource = read_resource(text, sharing)
    if isinstance(resource, Dropped):
        return _lost(text, resource)
    kind, key = resource.resource_type, resource.key
    if isinstance(resource, Patient):
        if not resource.id or _ID.match(resource.id) is None:
            return Head(kind, None, Unused.BROKEN, readable=False)
        return Head(kind, resource.id, key=key, identifiers=_identifiers(text))
    if isinstance(resource, Medication):
        nameless = not (resource.code and (resource.code.text or resource.code.coding))
        return Head(kind, None, None, product=key, key=key, nameless=nameless)
    product = None
    nameless = False
    if isinstance(resource, MedicationUse):
        product = _product(resource)
        concept = resource.medication_codeable_concept
        nameless = product is None and not (concept and (concept.text or concept.coding))
    holder = getattr(resource, "subject", None) or getattr(resource, "patient", None)
    reference = getattr(holder, "reference", None)
    if type(reference) is str and reference.startswith("Patient/"):
        owner = reference[8:]
        if _ID.match(owner) is not None:
            return Head(kind, owner, None, None, product, key, nameless=nameless)
    return msgspec.structs.replace(
        _of(kind, key, product, reference, text, resource), nameless=nameless
    )


def _of(
    kind: str,
    key: str,
    product: str | None,
    reference: str | None,
    text: bytes,
    resource: Resource,
) -> Head:
    owner, identifier = _patient_of(reference), None
    if owner is None:
        identifier = _by_identifier(text, reference)
    if owner is not None or identifier is not None:
        by_urn = (reference or "").lower().startswith("urn:")
        return Head(kind, owner, None, identifier, product, key, by_urn=by_urn)
    if reference or isinstance(resource, Device | OperationOutcome):
        return Head(kind, None, Unused.NOBODYS, key=key)
    return Head(kind, None, Unused.UNNAMED, key=key, readable=False)


def _patient_of(reference: str | None) -> str | None:
    """The id of the patient that a reference names: relative, absolute, versioned or as a urn."""
    parsed = parse_reference(reference)
    if parsed is None:
        return None
    if parsed.urn is not None:
        # In lines there is no fullUrl: the id that a server keeps is what stands in the urn.
        name = parsed.urn.rpartition(":")[2]
        return name if parsed.urn.lower().startswith("urn:uuid:") and _ID.match(name) else None
    named = parsed.resource_type == "Patient" and _ID.match(parsed.id) is not None
    return parsed.id if named else None


def _by_identifier(text: bytes, reference: str | None) -> str | None:
    searched = _BY_IDENTIFIER.search(reference or "")
    if searched is not None:
        return unquote(f"{searched[1]}|{searched[2]}")
    named = _decoded(_named_decoder, text)
    holder = named.subject or named.patient if isinstance(named, _Named) else None
    if not isinstance(holder, dict) or holder.get("reference"):
        return None
    return _written(holder.get("identifier"))


def _written(identifier: object) -> str | None:
    if not isinstance(identifier, dict):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    if not isinstance(system, str) or not isinstance(value, str) or not system or not value:
        return None
    return f"{system}|{value}"


def _identifiers(text: bytes) -> tuple[str, ...]:
    person = _decoded(_person_decoder, text)
    listed = person.identifier if isinstance(person, _Person) else None
    if not isinstance(listed, list):
        return ()
    return tuple(found for one in listed if (found := _written(one)) is not None)


def _product(resource: MedicationUse) -> str | None:
    named = resource.medication_reference
    if named is None and resource.medication is not None:
        named = resource.medication.reference
    parsed = parse_reference(named.reference) if named is not None else None
    if parsed is None or parsed.resource_type != "Medication":
        return None
    return f"Medication/{parsed.id}"


def _lost(text: bytes, dropped: Dropped) -> Head:
    """What can be told of a line that is not read, or could not be."""
    if dropped.why is DropReason.TYPE_NOT_READ:
        return Head(dropped.resource_type, None, Unused.NOT_READ)
    if dropped.why is DropReason.NESTED_BUNDLE:
        return Head("Bundle")
    found = _TYPE.search(text)
    kind = dropped.resource_type or (found[1].decode() if found is not None else "")
    holder = _HOLDER.search(text)
    owner = holder[1].decode() if holder is not None else None
    why = Unused.OLD_TYPE if dropped.why is DropReason.OLD_TYPE else Unused.BROKEN
    # A line that is JSON is handed on as it is, so that whoever decides says what was lost.
    json = dropped.why is not DropReason.NOT_JSON
    return Head(kind, owner, None if owner and json else why, readable=False)


def _decoded(decoder: msgspec.json.Decoder[Any], text: bytes) -> object:
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        return None


def with_owner(text: bytes, owner: str) -> bytes:
    """The line with the patient's id in place of the identifier; numbers stay as written.

    Raises msgspec.DecodeError.
    """
    document = _members_decoder.decode(text)
    member = "subject" if "subject" in document else "patient"
    document[member] = msgspec.Raw(msgspec.json.encode({"reference": f"Patient/{owner}"}))
    return msgspec.json.encode(document)
