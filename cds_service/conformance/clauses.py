"""The clause list: what CDS Hooks asks for, in our own short words, with a number each.

The numbers are those of this project: R binds the service, C is a fact about clients, D a
decision where the specification is silent, E and S are deviations of EHRs and of the public
sandbox, I the checks of Inferno's CRD test kit that are plain CDS Hooks, N a negative suite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

IDENTIFIER = re.compile(r"\b([RCDESIN])-(\d{2,3})\b")
_RANGE = re.compile(r"\b([RCDESIN])-(\d{2,3}) to \1-(\d{2,3})\b")


@dataclass(frozen=True)
class Clause:
    """One clause. ``strength`` is SHALL, SHOULD, MAY and so on, or empty for a mere fact."""

    id: str
    section: str
    strength: str
    says: str


@cache
def clauses() -> Mapping[str, Clause]:
    """Every clause by its id, in the order of the list. Raises ValueError for a faulty list."""
    text = (files(__package__) / "clauses.yaml").read_text(encoding="utf-8")
    found: dict[str, Clause] = {}
    for section, entries in yaml.safe_load(text).items():
        for identifier, line in entries.items():
            strength, _, says = str(line).rpartition(" | ")
            if identifier in found or not IDENTIFIER.fullmatch(identifier) or not says.strip():
                raise ValueError(f"faulty clause {identifier}")
            found[identifier] = Clause(identifier, section, strength, says)
    return found


def named_in(text: str) -> Iterator[str]:
    """The clauses that a text names, one by one or as "R-14 to R-22"."""
    for letter, first, last in _RANGE.findall(text):
        for identifier in clauses():
            family, _, number = identifier.partition("-")
            if family == letter and int(first) < int(number) < int(last):
                yield identifier
    for letter, number in IDENTIFIER.findall(text):
        if f"{letter}-{number}" in clauses():
            yield f"{letter}-{number}"
