"""The rows of a site's own code file, and the parts of a FHIR ConceptMap that are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import Factor, match_key
from cds_service.knowledge.yaml_files import Frozen

System = Annotated[str, StringConstraints(pattern=r"^(https?://|urn:)\S+$")]
PlainCode = Annotated[str, StringConstraints(pattern=r"^\S+( \S+)*$", max_length=100)]
# Shown on cards as it stands, so nothing that Markdown or HTML would read.
PlainName = Annotated[str, StringConstraints(pattern=r"^[^\W_]+(?:[ .,'/-]+[^\W_]+)*$")]


class LocalRow(Frozen):
    """A code of the site's own, or one that the packaged tables lack."""

    system: System
    code: PlainCode

    @property
    def key(self) -> CodeKey:
        """(system, code) as they are compared."""
        return match_key(self.system, self.code)


class LocalLab(LocalRow):
    """A local code of a laboratory test or vital sign."""

    analyte: str


class LocalDrug(LocalRow):
    """A local code of a medicine; a product with two ingredients stands in two rows."""

    ingredient: str
    strength_mg: Factor | None = None
    local_use: bool = False


class LocalMember(LocalRow):
    """A local code of a diagnosis, a test or an answer, as a member of a value set.

    `stage` and `value` are what such a code says in the sets whose codes have them.
    """

    value_set: str
    stage: str | None = Field(default=None, pattern=r"^(I|II|III|IV)[ABC]?$")
    value: int | None = None


class LocalFinding(LocalRow):
    """A local code of a diagnosis or adverse event, MedDRA among them, as a clinical concept."""

    concept: str


class DefaultLimit(Frozen):
    """An upper limit of normal for results that come without a reference range."""

    analyte: str
    high: Factor
    unit: str
    sex: Literal["female", "male"] | None = None


class LocalFile(Frozen):
    """The whole file. `laboratory` is named wherever one of its default limits is used."""

    laboratory: PlainName | None = None
    labs: tuple[LocalLab, ...] = ()
    drugs: tuple[LocalDrug, ...] = ()
    value_sets: tuple[LocalMember, ...] = ()
    concepts: tuple[LocalFinding, ...] = ()
    default_limits: tuple[DefaultLimit, ...] = ()


class _Part(BaseModel):
    """A part of a FHIR resource: what is not read here may stand beside."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


class MapTarget(_Part):
    """One target. R4 says `equivalence`, R5 `relationship`."""

    code: str | None = None
    equivalence: str | None = None
    relationship: str | None = None
    dependsOn: tuple[object, ...] = ()  # noqa: N815 - FHIR's own name

    @property
    def means_the_same(self) -> bool:
        """Whether the target may stand for the source without any condition."""
        said = {self.equivalence, self.relationship} - {None}
        return bool(said) and said <= {"equivalent", "equal"} and not self.dependsOn


class MapElement(_Part):
    """One source code with its targets."""

    code: str | None = None
    target: tuple[MapTarget, ...] = ()


class MapGroup(_Part):
    """All mappings from one code system to another."""

    source: System
    target: System
    element: tuple[MapElement, ...] = ()


class ConceptMap(_Part):
    """A FHIR ConceptMap of R4 or R5."""

    resourceType: Literal["ConceptMap"]  # noqa: N815 - FHIR's own name
    status: Literal["draft", "active", "unknown"]
    group: tuple[MapGroup, ...] = ()
