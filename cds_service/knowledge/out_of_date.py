"""What of the release a day has overtaken: goal dates, listings that end, texts not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from cds_service.knowledge.release import Knowledge

Overtaken = Literal["approval", "listing", "label", "release"]
OVERTAKEN: tuple[Overtaken, ...] = get_args(Overtaken)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to look up again: of which kind, about what, and a sentence that says why."""

    kind: Overtaken
    about: str
    says: str


def out_of_date(knowledge: Knowledge, day: date) -> tuple[Notice, ...]:
    """Everything that has to be looked up again on `day`, in the order of the kinds."""
    return tuple(sorted(_notices(knowledge, day), key=lambda notice: OVERTAKEN.index(notice.kind)))


def _notices(knowledge: Knowledge, day: date) -> Iterator[Notice]:
    for name, awaited in knowledge.awaited.items():
        flag = awaited.approval
        if flag.status == "not approved" and flag.to_check(day):
            goal = (
                f"; the regulator's goal date was {flag.goal_date}" if flag.goal_date < day else ""
            )
            says = f"the approval of {name} was last looked up on {flag.checked_on}{goal}"
            yield Notice("approval", name, says)
    patience = knowledge.release.check_again_after_days
    for name, tables in knowledge.drugs.items():
        label = tables.drug.label
        if label.listing_ends is not None and label.listing_ends < day:
            says = f"the listing of {name} was to end on {label.listing_ends}: is it still sold?"
            yield Notice("listing", name, says)
        looked = max(knowledge.sources[source].date_checked for source in label.sources)
        if (day - looked).days > patience:
            yield Notice("label", name, f"the label of {name} was last looked at on {looked}")
    if (day - knowledge.release.date).days > patience:
        says = f"release {knowledge.release.version} is of {knowledge.release.date}"
        yield Notice("release", knowledge.release.version, says)
