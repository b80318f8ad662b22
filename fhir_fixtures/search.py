"""The part of FHIR search the fixture server speaks: tokens, references, dates, sorting.

Nothing here knows HTTP. A parameter that cannot be read raises ``BadSearchError``; one that is not
known is the caller's business, who says so in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Resource = dict[str, Any]
Interval = tuple[datetime, datetime]


class BadSearchError(ValueError):
    """A search parameter that is known but cannot be read; ``parameter`` names it."""

    def __init__(self, parameter: str, why: str) -> None:
        super().__init__(f"{parameter}: {why}")
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter: its kind (token, reference or date) and the elements it looks at."""

    kind: str
    paths: tuple[str, ...]


def _token(*paths: str) -> Parameter:
    return Parameter("token", paths)


def _reference(*paths: str) -> Parameter:
    return Parameter("reference", paths)


def _date(*paths: str) -> Parameter:
    return Parameter("date", paths)


_SUBJECT = {"patient": _reference("subject"), "subject": _reference("subject")}
_PATIENT = {"patient": _reference("patient")}

PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "AdverseEvent": {
        "subject": _reference("subject"),
        "date": _date("date"),
        "event": _token("event"),
        "actuality": _token("actuality"),
    },
    "AllergyIntolerance": {
        **_PATIENT,
        "code": _token("code"),
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
    },
    "ClinicalImpression": {**_SUBJECT, "status": _token("status")},
    "Condition": {
        **_SUBJECT,
        "code": _token("code"),
        "category": _token("category"),
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
        "onset-date": _date("onsetDateTime"),
        "recorded-date": _date("recordedDate"),
    },
    "Device": {**_PATIENT, "type": _token("type"), "status": _token("status")},
    "DeviceUseStatement": {**_SUBJECT},
    "DiagnosticReport": {
        **_SUBJECT,
        "code": _token("code"),
        "category": _token("category"),
        "date": _date("effectiveDateTime"),
        "status": _token("status"),
    },
    "Encounter": {**_SUBJECT, "status": _token("status")},
    "Flag": {**_SUBJECT},
    "Medication": {"code": _token("code")},
    "MedicationAdministration": {**_SUBJECT, "status": _token("status")},
    "MedicationDispense": {**_SUBJECT, "status": _token("status")},
    "MedicationRequest": {
        **_SUBJECT,
        "code": _token("medicationCodeableConcept"),
        "medication": _reference("medicationReference"),
        "requester": _reference("requester"),
        "status": _token("status"),
        "intent": _token("intent"),
        "authoredon": _date("authoredOn"),
    },
    "MedicationStatement": {**_SUBJECT, "status": _token("status")},
    "Observation": {
        **_SUBJECT,
        "code": _token("code"),
        "combo-code": _token("code", "component.code"),
        "category": _token("category"),
        "date": _date("effectiveDateTime"),
        "performer": _reference("performer"),
        "status": _token("status"),
    },
    "Organization": {},
    "Patient": {"identifier": _token("identifier"), "gender": _token("gender")},
    "Practitioner": {},
    "Procedure": {
        **_SUBJECT,
        "code": _token("code"),
        "category": _token("category"),
        "date": _date("performedDateTime"),
        "status": _token("status"),
    },
    "ServiceRequest": {
        **_SUBJECT,
        "code": _token("code"),
        "category": _token("category"),
        "authored": _date("authoredOn"),
        "requester": _reference("requester"),
        "status": _token("status"),
    },
}
"""The resource types served, each with its search parameters besides ``_id``."""

_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_DATE_VALUE = re.compile(
    r"(?P<prefix>eq|ne|lt|le|gt|ge|sa|eb)?"
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?"
)


def values_at(resource: Resource, path: str) -> Iterator[Any]:
    """Every value at a dotted path, lists opened on the way."""
    found: list[Any] = [resource]
    for element in path.split("."):
        found = [
            item
            for holder in found
            if isinstance(holder, dict) and element in holder
            for item in (
                holder[element] if isinstance(holder[element], list) else [holder[element]]
            )
        ]
    yield from found


def matcher(name: str, parameter: Parameter, given: str) -> Callable[[Resource], bool]:
    """The test one occurrence of a parameter puts to a resource; comma lists mean any of them.

    ``name`` may carry a modifier; only ``subject:Patient`` and its like are understood. Raises
    BadSearchError for another modifier, an empty value or a value that is not of the kind.
    """
    base, _, modifier = name.partition(":")
    if modifier and not (parameter.kind == "reference" and modifier in PARAMETERS):
        raise BadSearchError(base, "modifier not supported")
    choices = [choice.replace("\\,", ",") for choice in _UNESCAPED_COMMA.split(given)]
    if not all(choices):
        raise BadSearchError(base, "empty value")
    test_of = {"token": _token_test, "reference": _reference_test, "date": _date_test}
    tests = [test_of[parameter.kind](base, choice) for choice in choices]
    paths = parameter.paths

    def matches(resource: Resource) -> bool:
        return any(
            test(value) for path in paths for value in values_at(resource, path) for test in tests
        )

    return matches


def _token_test(_name: str, given: str) -> Callable[[Any], bool]:
    system, bar, code = given.rpartition("|")

    def agrees(found_system: str | None, found_code: str | None) -> bool:
        if not bar:
            return found_code == code
        # "|code" asks for a code without a system, "system|" for any code of the system.
        if system == "":
            return found_code == code and found_system is None
        return found_system == system and (code in ("", found_code))

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return not system and value == code
        if "value" in value:
            return agrees(value.get("system"), value["value"])
        return any(
            agrees(coding.get("system"), coding.get("code")) for coding in value.get("coding", [])
        )

    return test


def _reference_test(_name: str, given: str) -> Callable[[Any], bool]:
    wanted = "/".join(given.rstrip("/").split("/")[-2:])

    def test(value: Any) -> bool:
        reference = str(value.get("reference", ""))
        return reference == wanted or ("/" not in wanted and reference.endswith(f"/{wanted}"))

    return test


def _date_test(name: str, given: str) -> Callable[[Any], bool]:
    parsed = _DATE_VALUE.fullmatch(given)
    if parsed is None:
        raise BadSearchError(name, "not a date with an optional prefix")
    prefix = parsed["prefix"] or "eq"
    try:
        low, high = interval(given.removeprefix(parsed["prefix"] or ""))
    except ValueError as error:
        raise BadSearchError(name, "no such date") from error
    comparisons: dict[str, Callable[[datetime, datetime], bool]] = {
        "eq": lambda start, end: low <= start and end <= high,
        "ne": lambda start, end: not (low <= start and end <= high),
        "lt": lambda start, end: start < low,
        "le": lambda start, end: start < high,
        "gt": lambda start, end: end > high,
        "ge": lambda start, end: end > low,
        "sa": lambda start, end: start >= high,
        "eb": lambda start, end: end <= low,
    }
    compare = comparisons[prefix]
    return lambda value: compare(*interval(str(value)))


def interval(text: str) -> Interval:
    """The span of time a FHIR date or dateTime covers, from its start up to but without its end.

    A text without a zone is read as UTC. Raises ValueError when it is no date.
    """
    parsed = _DATE_VALUE.fullmatch(text)
    if parsed is None or parsed["prefix"]:
        message = "not a FHIR date"
        raise ValueError(message)
    if parsed["clock"]:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        start = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        has_seconds = parsed["clock"].count(":") == 2
        return start, start + (timedelta(seconds=1) if has_seconds else timedelta(minutes=1))
    year, month, day = int(parsed["year"]), parsed["month"], parsed["day"]
    start = datetime(year, int(month or 1), int(day or 1), tzinfo=UTC)
    if day:
        return start, start + timedelta(days=1)
    if month:
        return start, datetime(year + int(month) // 12, int(month) % 12 + 1, 1, tzinfo=UTC)
    return start, datetime(year + 1, 1, 1, tzinfo=UTC)


def sort_key(resource_type: str, name: str) -> Callable[[Resource], str | None] | None:
    """How to order resources by one ``_sort`` name, or None when that name cannot be sorted by.

    The key is None for a resource that has no such value.
    """
    if name == "_id":
        return lambda resource: str(resource["id"])
    parameter = PARAMETERS[resource_type].get(name)
    if parameter is None or parameter.kind != "date":
        return None
    path = parameter.paths[0]

    def key(resource: Resource) -> str | None:
        for value in values_at(resource, path):
            return interval(str(value))[0].astimezone(UTC).isoformat()
        return None

    return key


def ordered(
    resources: list[Resource], key: Callable[[Resource], str | None], *, descending: bool
) -> list[Resource]:
    """The resources in order of ``key``; those without a value come last either way."""
    with_value = [resource for resource in resources if key(resource) is not None]
    without = [resource for resource in resources if key(resource) is None]
    return sorted(with_value, key=lambda item: key(item) or "", reverse=descending) + without
