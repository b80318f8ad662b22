"""The site of the documentation: what Sphinx is told. `make docs` builds it, warnings as errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.conf import NAVIGATION, named

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "markdown", "expected"),
    [
        ("run", "[a test](../tests/web/test_x.py)", "a test (`tests/web/test_x.py`)"),
        ("coverage/S", "[test_x.py](../../tests/test_x.py)", "`tests/test_x.py`"),
        ("run", "[`app.py`](../cds_service/app.py)", "`cds_service/app.py`"),
        ("index", "[a list](algorithm_ids/x.yaml)", "a list (`docs/algorithm_ids/x.yaml`)"),
        ("run", "[words](glossary.md#level)", "[words](glossary.md#level)"),
        ("run", "![a card](images/card.png)", "![a card](images/card.png)"),
        ("run", "[the web](https://hl7.org/fhir)", "[the web](https://hl7.org/fhir)"),
        ("run", "[here](#settings)", "[here](#settings)"),
    ],
)  # fmt: skip
def test_a_link_to_a_file_that_is_not_on_the_site_names_the_file(
    page: str, markdown: str, expected: str
) -> None:
    assert named(page, markdown) == expected


def _in_the_sidebar() -> Iterator[Path]:
    for page, captions in NAVIGATION.items():
        folder = (DOCS / page).parent
        for pattern in (entry for entries in captions.values() for entry in entries):
            found = list(folder.glob(f"{pattern}.md"))
            assert found, f"{page} names {pattern}, and there is no such page"
            yield from found


def test_every_page_stands_in_the_sidebar() -> None:
    missing = {*DOCS.rglob("*.md")} - {*_in_the_sidebar()} - {DOCS / "index.md"}
    assert sorted(path.name for path in missing) == []
