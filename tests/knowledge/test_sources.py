"""Every citation can be looked up, and a faulty list of sources stops with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.sources import Source, load_sources, require_known_sources

ENTRY = """
good-source:
  citation: "A citation that is long enough."
  kind: review
  publisher: journal
  date_checked: 2026-11-20
  doi: 10.1000/example
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "sources.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_source_has_an_address_or_says_why_not() -> None:
    for source in load_sources().values():
        known = source.url or source.doi or source.pmid or source.nct
        assert known or source.kind == "design" or source.note, source.id


def test_every_source_has_the_day_on_which_it_was_checked() -> None:
    days = {source.date_checked for source in load_sources().values()}
    assert days == {date(2026, 11, 20), date(2026, 11, 29), date(2026, 11, 30)}


def test_no_two_sources_share_an_address_by_mistake() -> None:
    """A label may be cited by section, but a DOI or a PubMed number names one paper."""
    for name in ("doi", "pmid"):
        values = [getattr(source, name) for source in load_sources().values()]
        given = [value for value in values if value is not None]
        assert len(given) == len(set(given))


def test_the_pivotal_trials_and_the_label_copy_are_cited() -> None:
    sources = load_sources()
    for identifier in ("alecensa-label-copy-2024-04", "alex-2017", "crown-2024", "asco-2022"):
        assert identifier in sources


def test_a_doi_becomes_an_address(tmp_path: Path) -> None:
    source = load_sources(write(tmp_path, ENTRY))["good-source"]
    assert source.address == "https://doi.org/10.1000/example"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"pmid": "32418886"}, "https://pubmed.ncbi.nlm.nih.gov/32418886/"),
        ({"nct": "NCT02075840"}, "https://clinicaltrials.gov/study/NCT02075840"),
        ({"url": "https://example.org/a", "pmid": "1"}, "https://example.org/a"),
        ({}, None),
    ],
)
def test_the_address_follows_what_is_known(given: dict[str, str], address: str | None) -> None:
    source = Source.model_validate(
        {
            "id": "x",
            "citation": "A citation long enough.",
            "kind": "trial",
            "publisher": "journal",
            "date_checked": "2026-11-20",
            **given,
        }
    )
    assert source.address == address


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        (ENTRY.replace("review", "hearsay"), "good-source.kind", "'label copy'"),
        (ENTRY.replace("  doi: 10.1000/example\n", ""), "good-source", "or a note"),
        (ENTRY.replace("  publisher: journal\n", ""), "good-source", "a publisher"),
        (ENTRY.replace("journal", "somebody"), "good-source.publisher", "'regulator'"),
        (ENTRY.replace("good-source", "Bad Source"), "Bad Source.id", "match pattern"),
        (ENTRY.replace("2026-11-20", "yesterday"), "good-source.date_checked", "date"),
        (ENTRY + "  colour: blue\n", "good-source.colour", "a field of"),
        ("just-a-name: 3\n", "just-a-name", "a mapping"),
        (ENTRY + ENTRY, "line 9", "given once"),
        ("a: [1\n", "line", "expected"),
        ("- a\n", "the top", "a mapping"),
    ],
)
def test_a_bad_source_stops_with_file_and_place(
    tmp_path: Path, text: str, where: str, expected: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(KnowledgeError) as caught:
        load_sources(file)
    assert caught.value.file == str(file)
    assert where in caught.value.where
    assert expected in str(caught.value)


def test_a_missing_file_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="a readable UTF-8 file"):
        load_sources(tmp_path / "sources.yaml")


def test_an_unknown_source_id_is_refused() -> None:
    sources = load_sources()
    require_known_sources(("alex-2017",), sources, "x.yaml", "row")
    with pytest.raises(KnowledgeError, match="not 'alex-1917'"):
        require_known_sources(("alex-1917",), sources, "x.yaml", "row")


def test_an_error_names_row_and_column_when_the_place_is_a_table_cell() -> None:
    error = KnowledgeError("t.csv", "", "a number", row=7, column="when")
    assert str(error) == "t.csv: at row 7, column when: expected a number"
    assert (error.row, error.column, error.expected) == (7, "when", "a number")
    assert isinstance(error, ValueError)
