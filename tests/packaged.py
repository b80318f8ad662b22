"""What is built from the package once a process and only looked at by the tests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cds_service.knowledge.release import Knowledge, load_knowledge
from fhir_fixtures.stories import REFERENCE_DATE

RELEASE_OF_THE_STORIES = "2026.11.0"
"""The number under which the tests know the packaged tables, whichever release they are."""


@cache
def released_knowledge() -> Knowledge:
    """The packaged release with its own number and day, for what reads or writes its files."""
    return load_knowledge()


@cache
def packaged_knowledge() -> Knowledge:
    """The packaged tables, loaded and compiled once; frozen, so every test may use them.

    They stand under one number and the day on which the stories are told. A release newer than the
    day asked about says so on every card, and every card names its number: a test of what a row
    says would change with each release. What a newer release says has tests of its own.
    """
    knowledge = released_knowledge()
    told = {"version": RELEASE_OF_THE_STORIES, "date": REFERENCE_DATE}
    return replace(knowledge, release=knowledge.release.model_copy(update=told))
