"""Synthetic patient stories and a small read-only FHIR server over them.

Nobody in these stories is real. The folder ``patients`` is written by ``fhir_fixtures.build``.
"""

from __future__ import annotations

from fhir_fixtures.stories import (
    REFERENCE_DATE,
    Story,
    UnknownStoryError,
    load_story,
    people,
    story_names,
)

__all__ = ["REFERENCE_DATE", "Story", "UnknownStoryError", "load_story", "people", "story_names"]
