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
_HEADINGS = {
    Outcome.FAILED: "Broken: what the specification requires (SHALL)",
    Outcome.UNSAFE: "Unsafe: left open by the specification, but it can hide a danger or let a"
    " stranger in",
    Outcome.WARNING: "Not kept: what the specification advises (SHOULD)",
    Outcome.NOTE: "Notes: the specification leaves it open",
}
"""What was found, the worst first; the rest stands clause by clause."""


@dataclass(frozen=True)
class Report:
    """The results of one run. ``services`` are the ids that were called."""

    base_url: str
    services: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def conformant(self) -> bool:
        """Whether nothing that the specification requires was found broken."""
        return not self._number(Outcome.FAILED)

    @property
    def ok(self) -> bool:
        """Whether something was asked, and nothing failed that the specification, or safety,
        asks for."""
        asked = any(result.outcome is not Outcome.NOT_TESTED for result in self.results)
        return asked and self.conformant and not self._number(Outcome.UNSAFE)

    @property
    def verdict(self) -> str:
        """The whole in one line. What was not asked is no part of it, and is counted."""
        open_ = self._number(Outcome.NOT_TESTED)
        limit = f", as far as it could be asked ({open_} not tested)" if open_ else ""
        broken, unsafe = self._number(Outcome.FAILED), self._number(Outcome.UNSAFE)
        if broken:
            also = f"; {_checks(unsafe)} found something unsafe" if unsafe else ""
            return f"NOT conformant: {_checks(broken)} found broken what is required{also}"
        if open_ == len(self.results):
            return "NOT TESTED: nothing could be asked"
        if unsafe:
            return f"Conformant{limit}, but UNSAFE: see {_checks(unsafe)}"
        return f"Conformant{limit}"

    def _number(self, outcome: Outcome) -> int:
        return sum(result.outcome is outcome for result in self.results)

    def _found(self) -> Iterator[tuple[str, tuple[Result, ...]]]:
        """What is worth a word, under its heading, the worst first."""
        for outcome, heading in _HEADINGS.items():
            results = tuple(item for item in self.results if item.outcome is outcome)
            if results:
                yield heading, results

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
            "conformant": self.conformant and self._number(Outcome.NOT_TESTED) < len(self.results),
            "safe": not self._number(Outcome.UNSAFE),
            "verdict": self.verdict,
            "counts": self.counts,
            "checks": checks,
        }
        return json.dumps(document, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        """The report for a terminal; every outcome is a word."""
        lines = [f"CDS Hooks conformance of {self.base_url}", _services(self.services)]
        for heading, results in self._found():
            lines += ["", *_wrapped(heading, 2)]
            for item in results:
                lines += _line(item)
                for text in _short(item.says):
                    lines += _wrapped(f"{'':<18}- {text}", 20)
        section = ""
        for here, _, results in self.by_clause():
            if here != section:
                section = here
                lines += ["", here]
            for item in results:
                lines += _line(item)
                if item.outcome is Outcome.NOT_TESTED:
                    lines += _wrapped(f"{'':<18}- {'; '.join(item.says)}", 20)
        lines += ["", self.summary, self.verdict]
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """The report for a page."""
        lines = [
            f"# CDS Hooks conformance of {self.base_url}",
            "",
            _services(self.services),
            "",
            f"**{self.verdict}.** {self.summary}.",
        ]
        for heading, results in self._found():
            lines += ["", f"## {heading}", ""]
            for item in results:
                says = "; ".join(_short(item.says))
                lines.append(f"- {item.check.clauses[0]}, {item.check.title}: {says}")
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


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"


def _line(item: Result) -> list[str]:
    first, *others = item.check.clauses
    also = "; ".join([item.check.id, *([", ".join(others)] if others else [])])
    return _wrapped(f"{item.outcome.value:<11}{first:<6} {item.check.title} [{also}]", 18)


def _services(services: Sequence[str]) -> str:
    return f"Services called: {', '.join(services) or 'none'}"


def _short(says: Sequence[str]) -> list[str]:
    rest = len(says) - _SHOWN
    return [*says[:_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent, drop_whitespace=True)
