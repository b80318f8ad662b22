"""How old the knowledge is on the day asked about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds_service.knowledge.release import Release
from cds_service.knowledge.sources import Source


def currency_notes(release: Release, as_of: date) -> tuple[str, ...]:
    """What must be said when release and question lie far apart; nothing when they do not.

    A question about a day before the release is answered all the same: it may be asked on purpose,
    but nobody may take the answer for what was known on that day.
    """
    if as_of < release.date:
        note = (
            f"Release {release.version} of {_written(release.date)} is newer than the day asked"
            f" about, {_written(as_of)}: it may hold what was not known then."
        )
        return (note,)
    days = (as_of - release.date).days
    return (_stale(days),) if days > release.check_again_after_days else ()


def stale_sources(release: Release, sources: Iterable[Source], as_of: date) -> str:
    """The warning for a card whose sources, or whose release, were checked too long ago.

    A design choice of this project is no text that could have changed meanwhile.
    """
    checked = [source.date_checked for source in sources if source.kind != "design"]
    days = (as_of - min((release.date, *checked))).days
    return _stale(days) if days > release.check_again_after_days else ""


def _stale(days: int) -> str:
    return f"This knowledge was last checked {days} days ago; look at the current label."


def _written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
