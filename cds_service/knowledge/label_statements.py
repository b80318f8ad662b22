"""What a label says of a drug in words, block by block, with what stands behind each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

from cds_service.knowledge.signed_blocks import Standing
from cds_service.knowledge.verification import Level
from cds_service.knowledge.yaml_files import Frozen


class Statement(Frozen):
    """A block of label facts with what stands behind it.

    `standing` is how far it was verified: by its signature, never by a word of its own. `note`
    says what a reader must know, above all where texts disagree.
    """

    sources: tuple[str, ...] = Field(min_length=1)
    note: str | None = None
    standing: Standing = Field(default=Standing(), exclude=True)

    @property
    def level(self) -> Level:
        """The level at which the block as it reads now was signed."""
        return self.standing.level

    @property
    def verified(self) -> bool:
        """Whether it was read in any text that counts."""
        return self.level != "none"

    @property
    def may_order(self) -> bool:
        """Whether the release lets a block of this level carry a one-click order."""
        return self.standing.may_order


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


@dataclass(frozen=True, slots=True)
class EarlierInhibitors:
    """The ALK inhibitors that a patient took, in the order of their first days.

    `in_order` says whether that order is known, `whole` whether these are all.
    """

    names: tuple[str, ...] = ()
    in_order: bool = True
    whole: bool = True

    def match(self, form: str) -> bool | None:
        """Whether they are as one form of an indication says; None when that is not known."""
        drug, _, more = form.partition(" ")
        if drug == "none":
            return not self.names and self.whole
        if drug not in self.names:
            return False
        match more:
            case "first":
                if len(self.names) > 1 and not self.in_order:
                    return None
                # Who is first of a list that is not whole is not known.
                return (True if self.whole else None) if self.names[0] == drug else False
            case "and another":
                return len(self.names) > 1 or (False if self.whole else None)
        return True


NO_EARLIER_INHIBITOR = EarlierInhibitors()
_TAKEN = r"(none|[a-z]+( first| and another)?)"


class Indication(Statement):
    """One approved use. `jurisdiction` is a country or union code such as US or EU.

    `prior_alk_inhibitor` says after which ALK inhibitors: `any`, or what may have been taken,
    separated by "or": `none`, a drug, a drug as the `first` one, a drug `and another`.
    """

    id: str
    jurisdiction: Literal["US", "EU", "JP"]
    setting: Literal["adjuvant", "metastatic", "locally advanced or metastatic"]
    text: str
    prior_alk_inhibitor: str = Field(pattern=rf"^(any|{_TAKEN}( or {_TAKEN})*)$")
    in_scope: bool = True
    test: str | None = None

    def holds_after(self, earlier: EarlierInhibitors) -> bool | None:
        """Whether it covers a patient who took these; None when the record leaves that open."""
        if self.prior_alk_inhibitor == "any":
            return True
        answers = [earlier.match(form) for form in self.prior_alk_inhibitor.split(" or ")]
        if True in answers:
            return True
        return None if None in answers or not earlier.whole else False


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
