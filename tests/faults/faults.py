"""The ways in which a kind of data can fail to arrive whole, each as a change of the true answer.

The same changes are made to what the EHR sends along and to what its FHIR server answers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
ABSENT = object()
"""In place of a value: the key does not come at all."""
SECRET = "Jane Roe, born 1950-01-01"
"""Words of others that must not reach a card or an error."""

Change = Callable[[Json, str], Any]


def outcome(severity: str, code: str = "processing") -> Json:
    """An OperationOutcome with one issue, in words that nobody may repeat."""
    issue = {"severity": severity, "code": code, "diagnostics": f"no data of {SECRET}"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _entries(value: Json) -> list[Json]:
    """The entries of a search, or the one resource of a read, as entries."""
    if value.get("resourceType") == "Bundle":
        return copy.deepcopy(value.get("entry", []))
    return [{"resource": copy.deepcopy(value)}]


def _some(value: Json, key: str) -> list[Json]:
    """The entries; where the truth has none, one that is there and does not fit the fault."""
    return _entries(value) or [{"resource": {"resourceType": TYPES[key], "id": "one"}}]


TYPES = {
    "patient": "Patient",
    "conditions": "Condition",
    "medications": "MedicationRequest",
    "laboratory": "Observation",
    "vital_signs": "Observation",
    "findings": "Observation",
    "procedures": "Procedure",
    "reports": "DiagnosticReport",
    "requests": "ServiceRequest",
    "medication_statements": "MedicationStatement",
    "medication_administrations": "MedicationAdministration",
    "medication_dispenses": "MedicationDispense",
    "adverse_events": "AdverseEvent",
    "allergies": "AllergyIntolerance",
    "impressions": "ClinicalImpression",
    "alerts": "Flag",
    "devices": "Device",
    "examinations": "Observation",
    "visits": "Encounter",
}
"""The resource type behind each prefetch key; a test holds this equal to the discovery."""


def _page(entries: list[Json], **members: Any) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}


def _only(resource: Any) -> list[Json]:
    return [{"resource": resource, "search": {"mode": "outcome"}}]


def _owned_by(reference: str) -> Change:
    def change(value: Json, key: str) -> Json:
        entries = _some(value, key)
        for entry in entries:
            resource = entry["resource"]
            holder = "patient" if key in ("allergies", "devices") else "subject"
            if key == "patient":
                resource["id"] = "somebody-else"
            else:
                resource[holder] = {"reference": reference}
        return _page(entries) if key != "patient" else entries[0]["resource"]

    return change


def _nobodys(value: Json, key: str) -> Json:
    entries = _some(value, key)
    for entry in entries:
        for member in ("subject", "patient", "id" if key == "patient" else ""):
            entry["resource"].pop(member, None)
    return _page(entries) if key != "patient" else entries[0]["resource"]


def _unreadable(value: Json, key: str) -> Json:
    entries = _some(value, key)
    for entry in entries:
        entry["resource"] |= {"meta": 7, "extension": 7, "identifier": 7, "id": {"no": "id"}}
    return _page(entries)


def _with_link(link: Any) -> Change:
    return lambda value, _: _page(_entries(value), link=link)


IN_PLACE: dict[str, Change] = {
    "an empty object": lambda *_: {},
    "a text": lambda *_: f"<html>please log in, {SECRET}</html>",
    "an empty text": lambda *_: "",
    "a number": lambda *_: 7,
    "true": lambda *_: True,
    "an empty list": lambda *_: [],
    "a list of resources": lambda value, _: [item["resource"] for item in _entries(value)] or [{}],
    "an object that is no resource": lambda *_: {"error": f"no access for {SECRET}"},
    "an outcome without an issue": lambda *_: {"resourceType": "OperationOutcome"},
    "an error": lambda *_: outcome("error"),
    "a warning": lambda *_: outcome("warning"),
    "a remark": lambda *_: outcome("information"),
    "a search of another type": lambda *_: _page(
        [{"resource": {"resourceType": "Encounter", "id": "e", "status": "finished"}}]
    ),
    "a resource of another type": lambda *_: {"resourceType": "Flag", "id": "f"},
    "a Bundle of no type that holds nothing": lambda *_: {"resourceType": "Bundle"},
    "an empty Bundle that is no search": lambda *_: {
        "resourceType": "Bundle",
        "type": "batch-response",
    },
    "a Bundle in a Bundle": lambda value, _: _page([{"resource": _page(_entries(value))}]),
}
"""What can stand where a resource or a search result belongs."""

IN_A_SEARCH: dict[str, Change] = {
    "nothing but an error in a search": lambda *_: _page(_only(outcome("error"))),
    "nothing but a warning in a search": lambda *_: _page(_only(outcome("warning"))),
    "an error among the results": lambda value, _: _page(
        [*_entries(value), *_only(outcome("error"))]
    ),
    "a warning among the results": lambda value, _: _page(
        [*_entries(value), *_only(outcome("warning", "suppressed"))]
    ),
    "a severity that nobody knows": lambda *_: _page(_only(outcome("dreadful"))),
    "a total of more than it holds": lambda value, _: _page(
        _entries(value), total=len(_entries(value)) + 1
    ),
    "a total in words of more than it holds": lambda value, _: _page(
        _entries(value), total=str(len(_entries(value)) + 1)
    ),
    "a total that is no number and nothing else": lambda *_: _page([], total={"count": 5}),
    "a next page elsewhere": _with_link(
        [{"relation": "next", "url": "https://elsewhere.example.org/fhir?page=2"}]
    ),
    "a next page that is no address": _with_link([{"relation": "next", "url": "http://["}]),
    "a next page without an address": _with_link([{"relation": "next"}]),
    "a next page whose address is a number": _with_link([{"relation": "next", "url": 7}]),
    "a next page spelt otherwise": _with_link([{"relation": " Next ", "url": "http://["}]),
    "links that cannot be read": _with_link("next: http://["),
    "entries that are no list": lambda *_: {**_page([]), "entry": {"resource": 5}},
    "entries that are texts": lambda *_: _page(["a", "b"]),  # type: ignore[list-item]
    "entries without a resource": lambda *_: _page([{"response": {"status": "403"}}]),
    "one resource where a search belongs": lambda value, key: _some(value, key)[0]["resource"],
}
"""What can be wrong with a search result itself."""

IN_EACH_RESOURCE: dict[str, Change] = {
    "every resource of another patient": _owned_by("Patient/somebody-else"),
    "every resource of another server": _owned_by("https://other.example.org/fhir/Patient/one"),
    "every resource of nobody": _nobodys,
    "every resource unreadable": _unreadable,
}
"""What can be wrong with every resource of a kind."""

NOT_SENT: dict[str, Change] = {"nothing at all": lambda *_: ABSENT, "null": lambda *_: None}

FAULTS: dict[str, Change] = {**IN_PLACE, **IN_A_SEARCH, **IN_EACH_RESOURCE, **NOT_SENT}
"""Every fault by its name."""
