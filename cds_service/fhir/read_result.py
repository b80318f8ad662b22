"""What was read of one prefetch value or search page, and what is wanting of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import msgspec

from cds_service.fhir.outcomes import Outcome
from cds_service.fhir.views import Resource

UNREADABLE_LINK = ""
"""In place of the address of a next page that is announced in a way that cannot be read."""


class DropReason(StrEnum):
    """Why something that was sent is not among the resources."""

    NOT_JSON = "not JSON"
    NO_RESOURCE_TYPE = "no resourceType"
    TYPE_NOT_READ = "a resource type that is not read here"
    OLD_TYPE = "a resource type of an earlier FHIR version"
    UNREADABLE = "an element has the wrong shape"
    NESTED_BUNDLE = "a Bundle inside a Bundle"


@dataclass(frozen=True, slots=True)
class Dropped:
    """One thing that was sent and not read."""

    resource_type: str
    id: str | None
    why: DropReason


class Shortfall(StrEnum):
    """Why what was read is not all that there is, however little that may be."""

    NOT_GIVEN = "nothing was given"
    OUTCOME = "an error or a warning in its place or beside it"
    MORE_PAGES = "further pages"
    CUT_SHORT = "fewer resources than counted"
    UNREADABLE = "resources that cannot be read"
    NO_ANSWER = "neither a resource that was asked for nor the word that there is none"


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What one prefetch value or search page held.

    `given` is False for null or an absent value: nothing was asked, which is not "no data".
    `matched_none` is True only when a Bundle says in full that nothing matched. `bundled` is True
    for what came in a Bundle, as the answer to a search does. `next_link` is `UNREADABLE_LINK`
    when a further page is announced whose address cannot be read.
    `says_none` is `matched_none` whatever was warned of beside it. `full_urls` maps each entry's
    fullUrl to its resource. `matches` counts the entries that are answers, read or not; `total` is
    how many the server says there are, on all pages together. `texts` are the pages as sent.
    """

    resources: tuple[Resource, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    next_link: str | None = None
    dropped: tuple[Dropped, ...] = ()
    matched_none: bool = False
    given: bool = True
    full_urls: Mapping[str, Resource] = field(default_factory=dict, repr=False)
    matches: int = 0
    total: int | None = None
    bundled: bool = False
    says_none: bool = False
    texts: tuple[bytes | msgspec.Raw, ...] = field(default=(), repr=False, compare=False)

    def without_agreed(self, agreed: Collection[str]) -> ReadResult:
        """The same without the warnings that the operator agreed to (`Outcome.is_agreed`)."""
        kept = tuple(one for one in self.outcomes if not one.is_agreed(agreed))
        if len(kept) == len(self.outcomes):
            return self
        none = self.says_none and not any(outcome.serious for outcome in kept)
        return replace(self, outcomes=kept, matched_none=self.matched_none or none)

    @property
    def cut_short(self) -> bool:
        """True when the server counted more than it gave and names no page to go on with.

        Some servers cap a page without a next link; a few of the results are then not the results.
        """
        return self.next_link is None and self.total is not None and self.matches < self.total

    @property
    def lost(self) -> tuple[Dropped, ...]:
        """What was dropped although its type matters here."""
        return tuple(entry for entry in self.dropped if entry.why != DropReason.TYPE_NOT_READ)

    @property
    def shortfall(self) -> Shortfall | None:
        """Why this is not all that the sender has; None when it is."""
        if not self.given:
            return Shortfall.NOT_GIVEN
        if any(outcome.serious for outcome in self.outcomes):
            return Shortfall.OUTCOME
        if self.next_link is not None:
            return Shortfall.MORE_PAGES
        if self.cut_short:
            return Shortfall.CUT_SHORT
        if self.lost:
            return Shortfall.UNREADABLE
        return None if self.resources or self.matched_none else Shortfall.NO_ANSWER

    @property
    def complete(self) -> bool:
        """True when all that the sender has was read: absence then means absence."""
        return self.shortfall is None


NOT_GIVEN = ReadResult(given=False)
