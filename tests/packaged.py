"""What is built from the package once a process and only looked at by the tests."""

from __future__ import annotations

from functools import cache

from cds_service.knowledge.release import Knowledge, load_knowledge


@cache
def packaged_knowledge() -> Knowledge:
    """The packaged release, loaded and compiled once; frozen, so every test may use it."""
    return load_knowledge()
