"""A card's text as paragraphs and lists, shortened to what is read in ten seconds.

What to do is never shortened. A list that is only looked up, such as the values used, gives up its
last lines where the card would grow beyond its limit, and says how many stand on the page of the
decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

DETAIL_AIM = 600
"""Characters of a card's detail that are read in ten seconds."""
DETAIL_LIMIT = 1200
"""Characters of a card's detail at most: about one screen in the sidebar of an EHR."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with its title.

    `enough` is how many of its lines are shown where the card would be longer than the aim, all of
    them unless it says otherwise; `least` how many where it would be longer than the limit.
    """

    title: str
    lines: Sequence[str]
    least: int
    enough: int | None = None
    shown: int | None = None

    @property
    def text(self) -> str:
        """The list as Markdown, a single line beside its title; empty when no line is shown."""
        shown = len(self.lines) if self.shown is None else self.shown
        left = len(self.lines) - shown
        lines = [f"- {line}" for line in self.lines[:shown]]
        if not lines:
            return ""
        if len(lines) == 1:
            more = f" ({left} more on the decision page)" if left else ""
            return f"**{self.title}:** {self.lines[0]}{more}"
        if left:
            lines.append(f"- {left} more on the decision page")
        return f"**{self.title}**\n\n" + "\n".join(lines)

    def shorter(self, fewest: int | None) -> Listing | None:
        """The list with one line less; None when it has no more than the fewest lines."""
        shown = len(self.lines) if self.shown is None else self.shown
        if fewest is None or shown <= fewest:
            return None
        return replace(self, shown=shown - 1)


Part = str | Listing


def together(parts: Iterable[Part]) -> str:
    """The parts as one text, lists shortened from the last one on until it is short enough.

    What may not be shortened stays whole, however long it is.
    """
    kept = list(parts)
    _shorten(kept, DETAIL_AIM, lambda part: part.enough)
    _shorten(kept, DETAIL_LIMIT, lambda part: part.least)
    return _joined(map(_text_of, kept))


def _shorten(parts: list[Part], limit: int, fewest: Callable[[Listing], int | None]) -> None:
    texts = [_text_of(part) for part in parts]
    while len(_joined(texts)) > limit:
        for index in reversed(range(len(parts))):
            part = parts[index]
            shorter = part.shorter(fewest(part)) if isinstance(part, Listing) else None
            if shorter is not None:
                parts[index], texts[index] = shorter, shorter.text
                break
        else:
            return


def _text_of(part: Part) -> str:
    return part.text if isinstance(part, Listing) else part


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join([text for text in texts if text])
