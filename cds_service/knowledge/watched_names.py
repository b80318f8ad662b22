"""Names that matter although no table knows them: `codes/watched_names.yaml`.

They decide nothing. A reader of the decision is told that something so named was not read.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from importlib.resources.abc import Traversable

from pydantic import Field

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate


class MedicationNames(Frozen):
    """Names of drugs that belong into the list of ALK inhibitors and are not in the tables."""

    names: tuple[str, ...] = ()
    verified: bool = False
    source: str = "none"


class ResultNames(Frozen):
    """What laboratories call a test, by analyte.

    Of those in `named_alike_elsewhere` a standard code that is not known means another test.
    """

    names: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    named_alike_elsewhere: tuple[str, ...] = ()
    source: str = "none"


class WatchedNames(Frozen):
    """The whole file."""

    medications: MedicationNames = MedicationNames()
    results: ResultNames = ResultNames()


def load_watched_names(file: Traversable, analytes: Container[str]) -> WatchedNames:
    """The names of `file`; none for an older release, which has no such file.

    Raises KnowledgeError for a test that is no analyte.
    """
    if not file.is_file():
        return WatchedNames()
    found = validate(WatchedNames, read_mapping(file), str(file), "")
    for analyte in (*found.results.names, *found.results.named_alike_elsewhere):
        if analyte not in analytes:
            where = f"results.names.{analyte}"
            raise KnowledgeError(str(file), where, "a name in labs or vitals")
    return found
