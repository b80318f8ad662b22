"""Results as Markdown, printed and kept in the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rounds import Measured, Spread, ratios

DOCUMENT = Path("docs/performance.md")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run of `python -m benchmarks`; sizes in bytes, `seconds` for the whole run."""

    observations: int
    body_bytes: int
    cards: int
    requests: int
    seconds: float
    found: Mapping[str, Measured]


def comparison_section(run: Comparison) -> str:
    """The comparison of servers as Markdown."""
    rounds = len(next(iter(run.found.values())).cpu)
    lines = [
        (
            f"Measured {machine()}. One `order-sign` request with {run.observations} Observations"
            f" ({run.body_bytes / 1000:.0f} kB, every prefetch key supplied), answered with"
            f" {run.cards} {'card' if run.cards == 1 else 'cards'}. {rounds} interleaved rounds of"
            f" {run.requests} requests a server,"
            f" one at a time on new connections; {run.seconds:.0f} s in all."
        ),
        "",
        (
            "| server | CPU a request, ms: median (lowest to highest round) | latency p50, ms"
            " | latency p99, ms |"
        ),
        "| --- | --- | --- | --- |",
    ]
    for name, measured in run.found.items():
        lines.append(
            f"| {name} | {shown(Spread.of(measured.cpu))} | {measured.percentile(0.5):.2f}"
            f" | {measured.percentile(0.99):.2f} |"
        )
    lines += ["", "| ratio of CPU a request | median (lowest to highest round) |", "| --- | --- |"]
    first, *others = run.found
    lines += [
        f"| {first} / {other} | {shown(ratios(run.found, first, other))} |" for other in others
    ]
    return "\n".join(lines)


def bodies_section(found: Mapping[str, Mapping[str, Measured]]) -> str:
    """The same comparison for other bodies, one line a body, as Markdown.

    `found` holds by name of the body what each server cost; the first server is compared with the
    others.
    """
    first, *others = next(iter(found.values()))
    lines = [
        "| body | CPU a request, ms | latency p50, ms | latency p99, ms | "
        + " | ".join(f"{first} / {other}" for other in others)
        + " |",
        "| --- " * (4 + len(others)) + "|",
    ]
    for body, measured in found.items():
        own = measured[first]
        compared = [shown(ratios(measured, first, other)) for other in others]
        cells = [
            body,
            shown(Spread.of(own.cpu)),
            f"{own.percentile(0.5):.2f}",
            f"{own.percentile(0.99):.2f}",
            *compared,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """Day, processors and interpreter, enough to judge whether two results compare."""
    day = datetime.now(UTC).date().isoformat()
    return f"on {day} with {os.cpu_count()} processors and Python {platform.python_version()}"


def shown(spread: Spread) -> str:
    """A spread as text."""
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"


def rewrite(section: str, text: str) -> None:
    """Replace what stands between the markers of a section of the document.

    Raises ValueError when the document lacks the markers.
    """
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    content = DOCUMENT.read_text(encoding="utf-8")
    head, found, rest = content.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{DOCUMENT} has no section {section}")
    DOCUMENT.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
