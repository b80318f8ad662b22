"""What a label says of a drug in words, block by block, with what stands behind each."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from cds_service.knowledge.yaml_files import Frozen


class Statement(Frozen):
    """A block of label facts with what stands behind it.

    `verified` is true only when the statement was read in one of `sources`; `note` says what a
    reader must know, above all where texts disagree.
    """

    verified: bool
    sources: tuple[str, ...]
    note: str | None = None

    @model_validator(mode="after")
    def _verified_needs_a_source(self) -> Statement:
        if self.verified and not self.sources:
            raise ValueError("at least one source, because the block says verified")
        return self


class Span(Frozen):
    """A length of time as the label prints it."""

    value: int = Field(gt=0)
    unit: Literal["days", "weeks", "months"]


class Contraception(Statement):
    """Contraception during treatment and for `after_last_dose`."""

    method: Literal["effective", "effective non-hormonal", "condoms"]
    after_last_dose: Span


class Lactation(Statement):
    """No breastfeeding during treatment and for `after_last_dose`."""

    after_last_dose: Span


class LabelledText(Statement):
    """A sentence with its sources: a contraindication, an adverse reaction list, an alert."""

    text: str


class Reproduction(Frozen):
    """Pregnancy, contraception and breastfeeding."""

    pregnancy: str
    pregnancy_test: LabelledText | None = None
    contraception_female: Contraception
    contraception_male: Contraception
    lactation: Lactation


class Indication(Statement):
    """One approved use. `jurisdiction` is a country or union code such as US or EU."""

    id: str
    jurisdiction: Literal["US", "EU", "JP"]
    setting: Literal["adjuvant", "metastatic", "locally advanced or metastatic"]
    text: str
    prior_alk_inhibitor: str = Field(pattern=r"^(any|none|none or ([a-z]+|as the text says))$")
    in_scope: bool = True
    test: str | None = None


class LabelRevision(Frozen):
    """Which edition of the label the rows rest on, and which newer one was seen.

    `listing_ends` is the last day of the drug's listing with the regulator, where one is named.
    """

    jurisdiction: Literal["US"]
    revision_used: str
    latest_revision_seen: str
    set_id: str | None = None
    listing_ends: date | None = None
    boxed_warning: bool
    note: str | None = None
    sources: tuple[str, ...] = Field(min_length=1)
