"""The pages, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from cds_service.knowledge.release import Knowledge
from tests.packaged import packaged_knowledge

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<body>.*?)^ *```$", re.M | re.S)


@pytest.fixture(scope="session")
def pages() -> Mapping[str, str]:
    """The text of every page by its path from the root of the project."""
    found = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in found}


@pytest.fixture(scope="session")
def blocks(pages: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Every code block as page, kind and lines."""
    return [
        (page, match["kind"], match["body"])
        for page, text in pages.items()
        for match in _FENCE.finditer(text)
    ]


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The packaged release."""
    return packaged_knowledge()
