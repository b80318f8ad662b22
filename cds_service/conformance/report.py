"""What was found, as text, JSON or Markdown, grouped by clause."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.conformance.checks import Outcome, Result
from cds_service.conformance.clauses import clauses

WIDTH = 100
_SHOWN = 8


@dataclass(frozen=True)
class Report:
    """The results of one run. ``services`` are the ids that were called."""

    base_url: str
    services: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed that the specification, or safety, asks for."""
        return all(result.outcome is not Outcome.FAILED for result in self.results)

    @property
    def counts(self) -> dict[str, int]:
        """How many checks had each outcome."""
        found = Counter(result.outcome for result in self.results)
        return {outcome.value: found[outcome] for outcome in Outcome}

    @property
    def summary(self) -> str:
        """One line for the end."""
        return ", ".join(f"{number} {name}" for name, number in self.counts.items())

    def by_clause(self) -> Iterator[tuple[str, str, tuple[Result, ...]]]:
        """Each clause that a check is filed under, with its section and results."""
        for clause in clauses().values():
            found = tuple(item for item in self.results if item.check.clauses[0] == clause.id)
            if found:
                yield clause.section, clause.id, found

    def as_json(self) -> str:
        """The whole report for a machine."""
        checks: list[dict[str, Any]] = [
            {
                "id": item.check.id,
                "clauses": list(item.check.clauses),
                "strength": item.check.strength,
                "title": item.check.title,
                "outcome": item.outcome.value,
                "says": list(item.says),
            }
            for _, _, results in self.by_clause()
            for item in results
        ]
        document = {
            "base_url": self.base_url,
            "services": list(self.services),
            "conformant": self.ok,
            "counts": self.counts,
            "checks": checks,
        }
        return json.dumps(document, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        """The report for a terminal; every outcome is a word."""
        lines = [f"CDS Hooks conformance of {self.base_url}", _services(self.services)]
        section = ""
        for here, clause, results in self.by_clause():
            if here != section:
                section = here
                lines += ["", here]
            for item in results:
                also = ", ".join(item.check.clauses[1:])
                line = f"{item.outcome.value:<11}{clause:<6} {item.check.title}"
                lines += _wrapped(f"{line} [{item.check.id}{'; ' if also else ''}{also}]", 18)
                for text in _short(item.says):
                    lines += _wrapped(f"{'':<18}- {text}", 20)
        lines += ["", self.summary, "conformant" if self.ok else "NOT conformant"]
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """The report for a page."""
        lines = [
            f"# CDS Hooks conformance of {self.base_url}",
            "",
            _services(self.services),
            "",
            f"**{'Conformant' if self.ok else 'Not conformant'}**: {self.summary}.",
        ]
        section = ""
        for here, clause, results in self.by_clause():
            if here != section:
                section = here
                lines += ["", f"## {here}", "", "| clause | check | strength | outcome | says |"]
                lines += ["| --- | --- | --- | --- | --- |"]
            for item in results:
                says = "<br>".join(_short(item.says)).replace("|", "\\|")
                lines.append(
                    f"| {clause} | {item.check.title} (`{item.check.id}`) | {item.check.strength} "
                    f"| {item.outcome.value} | {says} |"
                )
        return "\n".join(lines)


def _services(services: Sequence[str]) -> str:
    return f"Services called: {', '.join(services) or 'none'}"


def _short(says: Sequence[str]) -> list[str]:
    rest = len(says) - _SHOWN
    return [*says[:_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent, drop_whitespace=True)
