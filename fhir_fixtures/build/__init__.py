"""Writes the patient stories: ``python -m fhir_fixtures.build`` rewrites ``patients/`` the same."""

from __future__ import annotations

import json
from pathlib import Path

from fhir_fixtures.build import (
    stories_alectinib_liver,
    stories_alectinib_other,
    stories_biomarkers,
    stories_first_line,
    stories_lorlatinib,
    stories_other,
    stories_other_inhibitors,
    stories_progression,
)
from fhir_fixtures.build.codes import Json
from fhir_fixtures.build.courses import Story

__all__ = ["Story", "build_stories", "rendered_files", "write_stories"]

_MODULES = (
    stories_first_line,
    stories_biomarkers,
    stories_alectinib_liver,
    stories_alectinib_other,
    stories_lorlatinib,
    stories_other_inhibitors,
    stories_progression,
    stories_other,
)


def build_stories() -> list[Story]:
    """All stories, in the order they are told in the modules."""
    return [tell() for module in _MODULES for tell in module.STORIES]


def rendered_files(story: Story) -> dict[str, str]:
    """The text of each file of one story folder, by file name."""
    files = {
        "bundle.json": _as_json(story.bundle),
        "story.md": story.paragraph + "\n",
    }
    if story.draft_orders is not None:
        files["draft_orders.json"] = _as_json(story.draft_orders)
    return files


def write_stories(folder: Path) -> int:
    """Write every story below ``folder`` and return how many there are."""
    stories = build_stories()
    for story in stories:
        target = folder / story.name
        target.mkdir(parents=True, exist_ok=True)
        for name, text in rendered_files(story).items():
            (target / name).write_text(text, encoding="utf-8", newline="\n")
    return len(stories)


def _as_json(bundle: Json) -> str:
    """A Bundle with one entry per line: small, and a changed resource shows as one changed line."""
    head = {key: value for key, value in bundle.items() if key != "entry"}
    entries = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in bundle["entry"])
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "entry": [\n{entries}\n]}}\n'
