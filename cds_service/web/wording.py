"""Small pieces of text for the pages: verdicts, severities, dates and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from cds_service.knowledge.verification import WORDS
from cds_service.protocol.urls import parse_address


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with a symbol and a style, so that nothing is told by colour alone."""

    symbol: str
    word: str
    style: str


_VERDICTS = {
    "met": Mark("✓", "MET", "met"),
    "not met": Mark("✗", "NOT MET", "not-met"),
    "unknown": Mark("?", "UNKNOWN", "unknown"),
}

_SEVERITIES = {
    "critical": Mark("■", "Critical", "critical"),
    "warning": Mark("▲", "Warning", "warning"),
    "info": Mark("●", "Information", "info"),
}

_EFFECTS = {
    "favours": Mark("+", "Favours", "favours"),
    "cautions": Mark("!", "Caution", "cautions"),
    "other dose": Mark("!", "Look up the dose", "cautions"),
    "avoid": Mark("✗", "Avoid", "avoid"),
}


def verdict_mark(verdict: str) -> Mark:
    """The mark of a verdict; a word that is no verdict is shown as it is."""
    return _VERDICTS.get(verdict) or Mark("?", verdict or "no verdict", "unknown")


def severity_mark(severity: str) -> Mark:
    """The mark of a severity."""
    return _SEVERITIES.get(severity) or Mark("●", severity or "no severity", "info")


def effect_mark(effect: str) -> Mark:
    """The mark of what a modifier does to an option."""
    return _EFFECTS.get(effect) or Mark("●", effect or "no effect given", "cautions")


def plain_date(value: str | date | None) -> str:
    """A date such as ``12 Nov 2026``; text that is no ISO date is shown as it is."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    try:
        return plain_date(date.fromisoformat(value))
    except ValueError:
        return value


def plain_time(value: datetime) -> str:
    """A moment such as ``12 Nov 2026, 14:05 UTC``."""
    moment = value.astimezone(UTC)
    return f"{plain_date(moment.date())}, {moment:%H:%M} UTC"


def web_address(value: str | None) -> str | None:
    """The address if it is an http or https URL; anything else must not become a link."""
    return value if value is not None and parse_address(value) is not None else None


def one_sentence(text: str) -> str:
    """The text ending like a sentence."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def level_words(level: str) -> str:
    """How far a row was verified, in words; an older document's own word as it stands."""
    return next((words for known, words in WORDS.items() if known == level), level)
