"""From which number on a result that cannot be read as sent is asked about."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.watched_numbers import WatchedNumber, load_watched_numbers
from tests.packaged import packaged_knowledge


def _loaded(tmp_path: Path, text: str) -> None:
    file = tmp_path / "watched_numbers.yaml"
    file.write_text(text, encoding="utf-8")
    load_watched_numbers(file, {"QTc"}, {"blood pressure panel"})


def test_an_older_release_has_none(tmp_path: Path) -> None:
    assert load_watched_numbers(tmp_path / "none.yaml", {"QTc"}, ()) == {}


@pytest.mark.parametrize(
    "text",
    [
        'QT: {above: "500", source: here}',
        "QTc: {source: here}",
        'QTc: {above: "500", below: "60", source: here}',
        'QTc: {above: "500", value_sets: [no set], source: here}',
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(KnowledgeError):
        _loaded(tmp_path, text)


def test_every_number_names_a_source_of_the_release() -> None:
    knowledge = packaged_knowledge()
    assert {item.source for item in knowledge.codes.watched_numbers.values()} <= {
        *knowledge.sources
    }


@pytest.mark.parametrize(
    ("bound", "number", "comparator", "matters"),
    [
        ({"above": "500"}, 500, None, False),
        ({"above": "500"}, 501, None, True),
        ({"above": "500"}, 500, ">", True),
        ({"above": "500"}, 600, "<", False),
        ({"at_least": "160"}, 160, None, True),
        ({"below": "90"}, 90, None, False),
        ({"below": "90"}, 89, None, True),
        ({"below": "90"}, 90, "<", True),
        ({"below": "90"}, 91, "<", False),
        ({"below": "90"}, 91, ">", False),
    ],
)
def test_a_number_matters_beyond_its_bound(
    bound: dict[str, str], number: int, comparator: str | None, *, matters: bool
) -> None:
    watched = WatchedNumber.model_validate({**bound, "source": "here"})
    assert watched.matters(Decimal(number), comparator) is matters
