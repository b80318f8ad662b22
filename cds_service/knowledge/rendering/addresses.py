"""Where things stand: the page of a drug, of a table, of a row, and what a table is called."""

from __future__ import annotations

import re

from cds_service.knowledge.rendering.markdown import anchor
from cds_service.knowledge.table_files import Row, Table

INDEX = "README.md"

TITLES = {
    "dose_changes": "Dose changes",
    "monitoring": "Monitoring",
    "interactions": "Interactions",
    "populations": "Special populations",
}
"""Headings of the tables of a drug that this release may have; others take their file's name."""


def page_of_drug(drug: str) -> str:
    """The page of a drug."""
    return f"drugs/{drug}.md"


def place_of(table: Table) -> str:
    """The page on which the rows of a table stand."""
    folder, _, rest = table.name.partition("/")
    if folder == "drugs" and rest:
        return page_of_drug(rest.partition("/")[0])
    return f"tables/{table.name}.md"


def place_of_row(table: Table, row: Row) -> str:
    """The page of a row and its heading there."""
    return f"{place_of(table)}#{anchor(row.identifier)}"


def title_of(table: Table) -> str:
    """What a table is called in headings."""
    name = table.name.rpartition("/")[2]
    return TITLES.get(name, name.replace("_", " ").capitalize())


def full_title_of(table: Table) -> str:
    """What a table is called away from its page: with its drug."""
    folder, _, rest = table.name.partition("/")
    if folder == "drugs" and rest:
        return f"{rest.partition('/')[0]}, {title_of(table).lower()}"
    return title_of(table)


def file_name(name: str) -> str:
    """A name as a part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def seen_from(page: str, place: str) -> str:
    """The relative address of a place as a link on a page."""
    return "../" * page.count("/") + place
