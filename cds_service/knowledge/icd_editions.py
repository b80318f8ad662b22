"""The editions of ICD-10: one code can mean different things in two of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, knowledge_folder, read_mapping, validate

Edition = Literal["cm", "who", "gm", "am"]
IcdCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$")]


class IcdEdition(Frozen):
    """One edition of ICD-10: its code system and where its codes were read.

    `also` are systems that carry the same codes (a translation). `evidence` is "secondary" when
    the copy that was read is not the publisher's.
    """

    system: str = Field(pattern=r"^(https?://|urn:)\S+$")
    also: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    evidence: Literal["secondary"] | None = None
    note: str | None = None


def load_editions(file: Traversable | None = None) -> Mapping[str, IcdEdition]:
    """The editions of ICD-10 by short name; the packaged `codes/icd_10_editions.yaml` by default.

    Raises KnowledgeError naming the file and the place inside it.
    """
    file = file if file is not None else knowledge_folder() / "codes" / "icd_10_editions.yaml"
    name = str(file)
    found = {
        edition: validate(IcdEdition, row, name, edition)
        for edition, row in read_mapping(file).items()
    }
    for edition in ("cm", "who", "gm", "am"):
        if edition not in found:
            raise KnowledgeError(name, edition, "this edition with its system and source")
    return MappingProxyType(found)
