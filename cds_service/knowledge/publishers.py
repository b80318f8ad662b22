"""Who answers for the pages that are cited: `publishers.yaml`.

A page is no better than whoever answers for it, so each address is named there, by its host or
the beginning of its path, with its publisher. A source at any other address is refused, unless
`sources.yaml` says itself that it verifies nothing. Lists of codes may be read anywhere, since a
code is checked by its meaning; where nobody is named they are cited without a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import Field

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.sources import Publisher, Source
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

FILE = "publishers.yaml"


class Host(Frozen):
    """The publisher behind an address, and as what it may be cited: lists of codes as nothing."""

    name: str = Field(min_length=3)
    publishes: tuple[Publisher, ...] = ()


def load_publishers(folder: Traversable) -> Mapping[str, Host] | None:
    """Publishers by address; None for a release from before there was such a file.

    Raises KnowledgeError when an entry does not fit the schema.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    name = str(file)
    content = read_mapping(file)
    hosts = {
        str(address): validate(Host, entry if entry is not None else {}, name, str(address))
        for address, entry in content.items()
    }
    return MappingProxyType(hosts)


def answered_for(
    sources: Mapping[str, Source], hosts: Mapping[str, Host], file: str
) -> Mapping[str, Source]:
    """The sources, each with the name of its publisher where its address has one.

    Raises KnowledgeError for a source at an address for which nobody answers.
    """
    return MappingProxyType(
        {name: _with_publisher(source, hosts, file) for name, source in sources.items()}
    )


def host_of(url: str, hosts: Mapping[str, Host]) -> Host | None:
    """The entry for an address: the longest one that it begins with, whole steps of its path."""
    parts = urlsplit(url)
    steps = [parts.netloc.lower(), *filter(None, parts.path.split("/"))]
    for length in range(len(steps), 0, -1):
        found = hosts.get("/".join(steps[:length]))
        if found is not None:
            return found
    return None


def _with_publisher(source: Source, hosts: Mapping[str, Host], file: str) -> Source:
    if source.url is None or not source.can_be_shown:
        return source
    place = f"{source.id}.url"
    found = host_of(source.url, hosts)
    if found is None:
        if source.publisher is None:
            return source
        expected = f"an address whose publisher {FILE} names, or the publisher unknown"
        raise KnowledgeError(file, place, f"{expected} (found {source.url})")
    if source.publisher is not None and source.publisher not in found.publishes:
        known = " or ".join(found.publishes) or "lists of codes alone"
        raise KnowledgeError(
            file, f"{source.id}.publisher", f"what {FILE} says of {found.name}: {known}"
        )
    return source.model_copy(update={"published_by": found.name})
