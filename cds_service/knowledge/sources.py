"""Where each row of knowledge was read: `sources.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Literal

from pydantic import Field, model_validator

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import (
    Frozen,
    knowledge_folder,
    read_mapping,
    validate,
)

SourceKind = Literal[
    "label",
    "label copy",
    "monograph",
    "guideline",
    "trial",
    "review",
    "news",
    "record",
    "terminology",
    "code list",
    "design",
]

Publisher = Literal[
    "regulator",
    "manufacturer",
    "society",
    "journal",
    "hospital",
    "compendium",
    "insurer",
    "newspaper",
    "seller",
    "machine",
    "unknown",
]

_UNFIT: frozenset[Publisher] = frozenset({"seller", "machine", "unknown"})
_NAMED_BY_KIND = frozenset({"terminology", "code list", "design"})


OWN = "design-"
"""How the ids of sources begin that are decisions of this project."""


def is_own_advice(sources: Iterable[str]) -> bool:
    """Whether advice rests on decisions of this project alone, by the ids of its sources.

    Of such advice no label could have been read; what cites nothing is not meant.
    """
    named = tuple(sources)
    return bool(named) and all(name.startswith(OWN) for name in named)


class Source(Frozen):
    """One citation.

    `kind` tells a reader how near to the origin it stands: a `label` is the regulator's or the
    manufacturer's own text, a `label copy` restates it, a `code list` is a public list in which
    a code was seen beside its meaning, `design` is a choice of this project. `publisher` is who
    answers for the text: what a seller, a text-writing machine or somebody unknown put up is kept
    for the record, verifies nothing and stands on no card. At least one of
    url, doi, pmid and nct is given, except for `design` and for a text that has no lasting
    address, whose `note` then says so.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    citation: str = Field(min_length=10)
    kind: SourceKind
    publisher: Publisher | None = None
    date_checked: date
    url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    doi: str | None = Field(default=None, pattern=r"^10\.\d{4,}/\S+$")
    pmid: str | None = Field(default=None, pattern=r"^\d+$")
    nct: str | None = Field(default=None, pattern=r"^NCT\d{8}$")
    note: str | None = None
    published_by: str | None = Field(default=None, exclude=True)
    """Who answers for the address, as `publishers.yaml` has it; no word of `sources.yaml`."""

    @model_validator(mode="after")
    def _is_answered_for(self) -> Source:
        if self.publisher is None and self.kind not in _NAMED_BY_KIND:
            raise ValueError("a publisher")
        return self

    @property
    def can_be_shown(self) -> bool:
        """Whether a card may name it or link to it."""
        return self.publisher not in _UNFIT

    @property
    def address(self) -> str | None:
        """The address a card links to: the url, else the DOI, PubMed or trial registry page.

        None for a page that nobody who can be named answers for.
        """
        if not self.can_be_shown:
            return None
        if self.url:
            named = self.publisher is not None or self.published_by is not None
            return self.url if named else None
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        if self.nct:
            return f"https://clinicaltrials.gov/study/{self.nct}"
        return None


def load_sources(file: Traversable | None = None) -> Mapping[str, Source]:
    """All sources by id, in the order of the file; the packaged `sources.yaml` by default.

    Raises KnowledgeError when an entry does not fit the schema or can not be looked up.
    """
    file = file if file is not None else knowledge_folder() / "sources.yaml"
    name = str(file)
    sources: dict[str, Source] = {}
    for identifier, content in read_mapping(file).items():
        if not isinstance(content, dict):
            raise KnowledgeError(name, str(identifier), "a mapping with citation, kind and date")
        if "published_by" in content:
            expected = "left out: publishers.yaml says it"
            raise KnowledgeError(name, f"{identifier}.published_by", expected)
        source = validate(Source, {"id": identifier, **content}, name, str(identifier))
        found = source.url or source.doi or source.pmid or source.nct
        if found is None and source.kind != "design" and source.note is None:
            raise KnowledgeError(
                name,
                str(identifier),
                "a url, doi, pmid or nct, or a note saying why there is none",
            )
        sources[source.id] = source
    return MappingProxyType(sources)


def require_known_sources(
    identifiers: tuple[str, ...], sources: Mapping[str, Source], file: str, where: str
) -> None:
    """Raises KnowledgeError when an identifier is not in `sources`."""
    for identifier in identifiers:
        if identifier not in sources:
            raise KnowledgeError(file, where, f"an id of sources.yaml, not {identifier!r}")
