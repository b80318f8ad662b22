"""Bundles: search pages and collections."""

from __future__ import annotations

from typing import Any

from cds_service.fhir.datatypes import DataType
from cds_service.fhir.views import AnyResource, Resource


class BundleSearch(DataType, frozen=True):
    """Why an entry is in a search result: match, include or outcome."""

    mode: str | None = None


class BundleLink(DataType, frozen=True):
    """A link of a Bundle; `relation` next leads to the following page."""

    relation: str | None = None
    url: str | None = None


class BundleEntry(DataType, frozen=True):
    """One entry."""

    full_url: str | None = None
    resource: AnyResource | None = None
    search: BundleSearch | None = None


class Bundle(Resource, frozen=True):
    """A search page or a collection."""

    type: str | None = None
    total: Any = None
    link: tuple[BundleLink, ...] = ()
    entry: tuple[BundleEntry, ...] = ()
