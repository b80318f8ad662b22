"""The rows of the `codes` folder: codes, value sets, analytes, medication classes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from cds_service.fhir.terminology import CodeKey, code_key
from cds_service.knowledge.icd_editions import Edition, IcdCode, IcdEdition
from cds_service.knowledge.yaml_files import Frozen


def match_key(system: str, code: str) -> CodeKey:
    """The form in which codes are compared: packages of NDC 5-4-2, systems in one spelling."""
    key = code_key(system, code)
    if key is None:
        raise ValueError("a code needs a system and a code")
    return key


def _factor(value: object) -> object:
    # Decimals are written in quotes, because YAML would turn a bare 17.1 into a binary float.
    if isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    raise ValueError("a decimal factor in quotes")


Bound = Annotated[Decimal, BeforeValidator(_factor), Field(ge=0, allow_inf_nan=False)]
Factor = Annotated[Decimal, BeforeValidator(_factor), Field(gt=0, allow_inf_nan=False)]


class Code(Frozen):
    """One code with its meaning and the source in which both were read together.

    `kind` is the term type or vocabulary layer (RxNorm IN, SCD, ... or ATC5), `header` marks a
    category code that claims do not carry, `local_use` a product that acts where it is applied,
    `stage` the cancer stage group a code implies, `value` the number an answer code stands for.
    `evidence` is "secondary" when the meaning was seen in public lists but not in the vocabulary.
    """

    system: str = Field(pattern=r"^(https?://|urn:)\S+$")
    code: str = Field(min_length=1)
    display: str = Field(min_length=1)
    verified: bool
    source: str = Field(min_length=1)
    kind: str | None = None
    header: bool = False
    local_use: bool = False
    stage: str | None = Field(default=None, pattern=r"^(I|II|III|IV)[ABC]?$")
    value: int | None = None
    unit: str | None = None
    evidence: Literal["secondary"] | None = None
    note: str | None = None

    @property
    def key(self) -> CodeKey:
        """(system, code) as they are compared."""
        return match_key(self.system, self.code)

    @property
    def as_written(self) -> CodeKey:
        """(system, code) as the table spells them, for a search on a server."""
        return self.system, self.code


class System(Frozen):
    """A code system: its canonical URI and the other spellings seen for it."""

    name: str
    uri: str
    variants: tuple[str, ...] = ()
    unconfirmed_variants: tuple[str, ...] = ()
    licence: str


class ForbiddenCode(Frozen):
    """A code that public lists give a wrong meaning; no value set may hold it."""

    system: str
    code: str
    claimed: str
    reason: str

    @property
    def key(self) -> CodeKey:
        """(system, code) as they are compared."""
        return match_key(self.system, self.code)


class EditionCode(Frozen):
    """An ICD-10 code in the editions in which it has this meaning."""

    code: IcdCode
    display: str = Field(min_length=1)
    editions: tuple[Edition, ...] = Field(min_length=1)
    verified: bool


class ValueSet(Frozen):
    """A named set of codes; `match_text` are whole words that mean the same in free text.

    `icd_10` are codes by edition as the file has them; `codes` holds them too, one for each
    system that carries the edition. `file` is the file of the codes folder that has the set.
    """

    name: str
    file: str = ""
    codes: tuple[Code, ...] = ()
    icd_10: tuple[EditionCode, ...] = ()
    match_text: tuple[str, ...] = ()
    not_text: tuple[str, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _holds_codes(self) -> ValueSet:
        if "codes" not in self.model_fields_set and not self.icd_10:
            raise ValueError("codes or icd_10")
        return self

    def of_editions(self, editions: Mapping[str, IcdEdition]) -> ValueSet:
        """The same set with the ICD-10 codes of every edition among its codes."""
        if not self.icd_10:
            return self
        found = [
            Code(
                system=system,
                code=row.code,
                display=row.display,
                verified=row.verified,
                source=editions[edition].source,
                evidence=editions[edition].evidence,
            )
            for row in self.icd_10
            for edition in row.editions
            for system in (editions[edition].system, *editions[edition].also)
        ]
        return self.model_copy(update={"codes": (*self.codes, *found)})

    def code_keys(self, *, include_unverified: bool = False) -> frozenset[CodeKey]:
        """The (system, code) pairs to match on."""
        return frozenset(code.key for code in self.codes if code.verified or include_unverified)


class Analyte(Frozen):
    """A laboratory test or vital sign: what it is called, coded and measured in.

    `unit` is the canonical unit. `units` is the closed table of accepted spellings: multiply the
    number as sent by the factor to get the canonical unit. A spelling that is not in the table
    has no factor, so its number cannot be used. `traps` are codes that look alike and must never
    match. `plausible` are the lowest and highest number, in the canonical unit, that a living
    person can have; a result outside was sent in another unit or mistyped.
    """

    name: str
    display_name: str
    kind: Literal["laboratory", "vital sign"]
    unit: str
    units: Mapping[str, Factor] = Field(min_length=1)
    codes: tuple[Code, ...] = Field(min_length=1)
    traps: tuple[ForbiddenCode, ...] = ()
    plausible: tuple[Bound, Bound]
    factor_source: str
    note: str | None = None

    @model_validator(mode="after")
    def _canonical_unit_is_one(self) -> Analyte:
        if self.units.get(self.unit) != 1:
            raise ValueError("the canonical unit among units with factor 1")
        return self

    def code_keys(self, *, include_unverified: bool = False) -> frozenset[CodeKey]:
        """The (system, code) pairs to match on."""
        return frozenset(code.key for code in self.codes if code.verified or include_unverified)


class RegistryAnswer(Frozen):
    """One answer of a registry item. `meaning` is the short word that rules use for it."""

    meaning: Literal["negative", "positive", "pending", "not applicable", "unknown"]
    display: str


class RegistryItem(Frozen):
    """A cancer registry item: its answer codes by meaning. Match only inside that item."""

    name: str
    item: str
    answers: Mapping[str, RegistryAnswer] = Field(min_length=1)
    verified: bool
    source: str


class Membership(Frozen):
    """That an ingredient belongs to a class, and who says so."""

    verified: bool
    sources: tuple[str, ...] = Field(min_length=1)
    note: str | None = None


class Alternative(Frozen):
    """What another medicine for the same purpose must be like: "a medicine that …", and who says
    so."""

    says: str = Field(min_length=5)
    sources: tuple[str, ...] = Field(min_length=1)


class MedicationClass(Frozen):
    """A class of medicines by the effect that matters here.

    `alternative` is told where a label says to avoid a member of the class.
    """

    name: str
    note: str | None = None
    alternative: Alternative | None = None
    ingredients: Mapping[str, Membership] = Field(min_length=1)

    @property
    def sources(self) -> tuple[str, ...]:
        """Everything that is cited for the class and its members, once each."""
        behind = self.alternative.sources if self.alternative is not None else ()
        members = (name for member in self.ingredients.values() for name in member.sources)
        return tuple(dict.fromkeys((*behind, *members)))


class Ingredient(Frozen):
    """An active ingredient. When `systemic_routes_only`, local products do not count."""

    name: str
    codes: tuple[Code, ...] = ()
    systemic_routes_only: bool = False
    match_text: tuple[str, ...] = Field(min_length=1)
    note: str | None = None


class ForbiddenCodes(Frozen):
    """The list in `do_not_use.yaml`."""

    codes: tuple[ForbiddenCode, ...]
