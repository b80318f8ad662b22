"""Reading the patient stories, told for one day or moved to any other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

REFERENCE_DATE = date(2026, 11, 20)
"""The day on which every story is told; "today" of the people in it."""

_DAY = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
# Elements that name things: a run of digits in them that looks like a date is not one.
_NAMING_ELEMENTS = frozenset({"id", "url", "system", "code", "reference", "fullUrl", "profile"})


class UnknownStoryError(LookupError):
    """There is no story of that name."""


@dataclass(frozen=True, slots=True)
class Story:
    """One person's chart on one day.

    ``bundle`` is a FHIR R4 Bundle of type collection holding the chart; ``draft_orders`` is the
    Bundle an order hook would carry as ``draftOrders``, or None when nothing is being ordered;
    ``as_of`` is the day the story is told on.
    """

    name: str
    paragraph: str
    patient_id: str
    bundle: dict[str, Any]
    draft_orders: dict[str, Any] | None
    as_of: date

    @property
    def person(self) -> str:
        """The paragraph without what the service is expected to say."""
        return self.paragraph.partition(" The service ")[0]


def _patients() -> Traversable:
    return files("fhir_fixtures") / "patients"


def story_names() -> list[str]:
    """The names of all stories in alphabetical order."""
    return sorted(
        folder.name for folder in _patients().iterdir() if (folder / "bundle.json").is_file()
    )


def people() -> dict[str, dict[str, str]]:
    """Every story as a clinician would name the person, by group and by name of the story."""
    text = (files("fhir_fixtures") / "people.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found


def load_story(name: str, as_of: date | None = None) -> Story:
    """One story, fresh from its files.

    With ``as_of`` every day in the chart and in the draft orders, birth dates included, moves by
    the number of days between ``REFERENCE_DATE`` and ``as_of``, so that ages and intervals stay
    what they were. Raises UnknownStoryError for a name that is not in ``story_names``.
    """
    if name not in story_names():
        message = f"no such story: {name!r}"
        raise UnknownStoryError(message)
    told_on = as_of or REFERENCE_DATE
    shift = told_on - REFERENCE_DATE
    folder = _patients() / name
    bundle = _read_bundle(folder / "bundle.json", shift)
    drafts = folder / "draft_orders.json"
    return Story(
        name=name,
        paragraph=(folder / "story.md").read_text(encoding="utf-8").strip(),
        patient_id=_patient_id(bundle),
        bundle=bundle,
        draft_orders=_read_bundle(drafts, shift) if drafts.is_file() else None,
        as_of=told_on,
    )


def _read_bundle(file: Traversable, shift: timedelta) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if shift:
        return {key: _shifted(key, value, shift) for key, value in bundle.items()}
    return bundle


def _shifted(element: str, value: Any, shift: timedelta) -> Any:
    if element in _NAMING_ELEMENTS and isinstance(value, str):
        return value
    if isinstance(value, str):
        return _DAY.sub(lambda found: _moved(found.group(), shift), value)
    if isinstance(value, list):
        return [_shifted(element, item, shift) for item in value]
    if isinstance(value, dict):
        return {key: _shifted(key, item, shift) for key, item in value.items()}
    return value


def _moved(day: str, shift: timedelta) -> str:
    return (date.fromisoformat(day) + shift).isoformat()


def _patient_id(bundle: dict[str, Any]) -> str:
    found = [
        entry["resource"]["id"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    ]
    if len(found) != 1:
        message = f"a story needs exactly one Patient, found {len(found)}"
        raise ValueError(message)
    return str(found[0])
