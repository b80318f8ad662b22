"""The rows of the `concepts` folder: a clinical idea, and every code that may say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from cds_service.fhir.terminology import NCI_THESAURUS, SNOMED, CodeKey
from cds_service.knowledge.code_models import Bound, match_key
from cds_service.knowledge.icd_editions import Edition, IcdCode, IcdEdition
from cds_service.knowledge.yaml_files import Frozen

Words = Annotated[str, StringConstraints(min_length=1)]
Chapter = Literal[
    "liver", "lung", "kidney", "heart", "pancreas", "skin", "eye", "mind", "blood", "gut",
    "muscle", "metabolism", "pregnancy", "cancer", "general",
]  # fmt: skip
WATCHED_CHAPTERS = frozenset(
    ("liver", "lung", "kidney", "heart", "pancreas", "skin", "eye", "mind", "blood", "gut")
)
"""Chapters that the labels of ALK inhibitors watch; `mind` holds the nervous system too."""


class ConceptCode(Frozen):
    """What every code of a concept has.

    A code that is not `verified` is kept for reference and never matched. A code that is `wider`
    than the concept does not say it, but leaves it possible. `also` names other concepts, neither
    broader nor narrower, that the same code stands for.
    """

    display: Words
    verified: bool
    wider: bool = False
    also: tuple[Words, ...] = ()


class IcdRow(ConceptCode):
    """An ICD-10 code in the editions in which it has this meaning.

    With `descendants` every longer code below it in the same edition counts, but for those below
    one of `except`.
    """

    code: IcdCode
    editions: tuple[Edition, ...] = Field(min_length=1)
    descendants: bool = False
    excepted: tuple[IcdCode, ...] = Field(default=(), alias="except")

    @model_validator(mode="after")
    def _exceptions_lie_below(self) -> IcdRow:
        for code in self.excepted:
            if not (self.descendants and code.startswith(self.code)):
                raise ValueError("exceptions below a code that counts with its descendants")
        return self


class SourcedCode(ConceptCode):
    """A code with the source in which it stood beside its meaning."""

    source: Words


class GradedCode(SourcedCode):
    """A code whose meaning has a lowest CTCAE grade: febrile neutropenia is never below grade 3."""

    lowest_grade: int = Field(default=1, ge=1, le=5)


class SnomedRow(GradedCode):
    """A SNOMED CT concept; only the code itself counts, for its hierarchy is not shipped."""

    code: str = Field(pattern=r"^\d{6,18}$")


class CtcaeRow(GradedCode):
    """A term of the CTCAE as NCI Thesaurus code, and the lowest grade the CTCAE gives it."""

    code: str = Field(pattern=r"^C\d{4,6}$")


class OtherRow(SourcedCode):
    """A code of any other system, such as a result that states the finding."""

    system: str = Field(pattern=r"^(https?://|urn:)\S+$")
    code: Words

    @property
    def key(self) -> CodeKey:
        """(system, code) as they are compared."""
        return match_key(self.system, self.code)


class ConceptCodes(Frozen):
    """Codes by system."""

    icd_10: tuple[IcdRow, ...] = ()
    snomed_ct: tuple[SnomedRow, ...] = ()
    ctcae: tuple[CtcaeRow, ...] = ()
    other: tuple[OtherRow, ...] = ()

    def rows(self, editions: Mapping[str, IcdEdition]) -> Iterator[tuple[str, str, ConceptCode]]:
        """Every row with each (system, code) it stands for, unverified ones too."""
        for icd in self.icd_10:
            for edition in icd.editions:
                for system in (editions[edition].system, *editions[edition].also):
                    yield system, icd.code, icd
        for snomed in self.snomed_ct:
            yield SNOMED, snomed.code, snomed
        for ctcae in self.ctcae:
            yield NCI_THESAURUS, ctcae.code, ctcae
        for other in self.other:
            yield other.system, other.code, other


class TellingResult(Frozen):
    """A result that leaves a concept possible: its fact, and from which number on.

    `below` and `above` are in the unit of the fact, `above_xuln` is a multiple of the result's own
    upper limit. `answers` is the value set of the answers to a question that is scored. A `sign` is
    a result that is there or not, such as a low haptoglobin.
    """

    result: Words
    answers: Words | None = None
    below: Bound | None = None
    above: Bound | None = None
    above_xuln: Bound | None = None
    sign: bool = False
    source: Words

    @model_validator(mode="after")
    def _has_one_bound(self) -> TellingResult:
        bounds = (self.below, self.above, self.above_xuln)
        if sum(bound is not None for bound in bounds) + self.sign != 1:
            raise ValueError("one of below, above, above_xuln and sign")
        return self


_SERIOUS = r"^(any grade|from grade [2-5]|ask)$"


class Concept(ConceptCodes):
    """One clinical idea that a patient has or has not.

    `parents` are the broader concepts: whoever has this one has them. `unless` are concepts that
    say more exactly what was found: a finding of one of them is none of this one. `serious` says
    when a new one on an ALK inhibitor must not pass in silence: whatever its grade, from a CTCAE
    grade on, or only the clinician can tell. `symptom_for_days` is set for what comes and goes
    unrecorded. `observed_for_days` is how long a test or an observation of it answers; a diagnosis
    lasts until somebody closes it. `caused_by` is set when the concept itself names a cause.
    `denied_by` are codes that say that it was looked for and is absent. `match_text` are whole
    words that mean it in free text, unless one of `not_text` stands there. `read_by` are facts that
    are read from it in code; a rule that names the concept need not be listed. `told_by` are
    results that leave it possible: enough to ask. With `suspected_in_words` the words of a report
    that name it make it suspected: it is never held for, and only keeps from believing another.
    """

    name: Words
    describes: Words
    chapter: Chapter
    parents: tuple[Words, ...] = ()
    unless: tuple[Words, ...] = ()
    serious: str | None = Field(default=None, pattern=_SERIOUS)
    symptom_for_days: int | None = Field(default=None, gt=0)
    observed_for_days: int | None = Field(default=None, gt=0)
    caused_by: Literal["a drug", "another cause"] | None = None
    match_text: tuple[Words, ...] = ()
    not_text: tuple[Words, ...] = ()
    denied_by: ConceptCodes = ConceptCodes()
    read_by: tuple[Words, ...] = ()
    told_by: tuple[TellingResult, ...] = ()
    suspected_in_words: bool = False
    note: str | None = None

    @property
    def serious_from_grade(self) -> int | None:
        """The CTCAE grade from which it is serious; None when it never is, or must be asked."""
        if self.serious is None or self.serious == "ask":
            return None
        return 1 if self.serious == "any grade" else int(self.serious.removeprefix("from grade "))

    @property
    def watched(self) -> bool:
        """Whether a new serious one is of a chapter that the labels watch."""
        return self.serious is not None and self.chapter in WATCHED_CHAPTERS
