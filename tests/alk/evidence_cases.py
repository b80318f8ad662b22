"""Cases for the rows that weigh ALK tests: tests that a row decides on, and some close by.

`Evidence(row, tests, near)` names each test as `method: answer`; `Share(row, percent, near)` is
about a share of rearranged cells.
"""

from __future__ import annotations

from typing import NamedTuple


class Evidence(NamedTuple):
    """ALK tests on which a row decides, and tests on which another one does."""

    row: str
    tests: str
    near: str


class Share(NamedTuple):
    """A share of cells, in per cent, of which a row speaks, and one of which another one does."""

    row: str
    percent: int
    near: int


EVIDENCE = (
    Evidence(
        "evidence-third-method-positive",
        "D5F3 immunohistochemistry: positive; FISH: negative; RNA sequencing: positive",
        "D5F3 immunohistochemistry: positive; FISH: negative",
    ),
    Evidence(
        "evidence-third-method-negative",
        "FISH: positive; other immunohistochemistry: negative; RNA sequencing: negative",
        "FISH: positive; RNA sequencing: negative",
    ),
    Evidence(
        "evidence-rna-beyond-dna",
        "RNA sequencing: positive; DNA sequencing: negative",
        "RNA sequencing: positive; FISH: negative",
    ),
    Evidence(
        "evidence-conflict",
        "FISH: positive; RNA sequencing: negative",
        "FISH: positive; plasma sequencing: negative",
    ),
    Evidence("evidence-sufficient", "FISH: positive", "unnamed method: positive"),
    Evidence("evidence-unnamed-method", "unnamed method: positive", "unnamed method: equivocal"),
    Evidence(
        "evidence-breakpoint-without-transcript",
        "ALK breakpoint without a partner: positive; RNA sequencing: negative",
        "ALK breakpoint without a partner: positive; FISH: negative",
    ),
    Evidence(
        "evidence-weak-settled",
        "other immunohistochemistry: equivocal; FISH: negative",
        "other immunohistochemistry: equivocal; D5F3 immunohistochemistry: negative",
    ),
    Evidence(
        "evidence-point-mutation",
        "ALK point mutation: positive; FISH: negative",
        "ALK point mutation: positive; FISH: positive",
    ),
    Evidence(
        "evidence-amplification",
        "ALK amplification: positive",
        "ALK amplification: positive; other immunohistochemistry: equivocal",
    ),
    Evidence(
        "evidence-breakpoint-only",
        "ALK breakpoint without a partner: positive; FISH: negative",
        "ALK breakpoint without a partner: positive; FISH: positive",
    ),
    Evidence("evidence-weak", "other immunohistochemistry: positive", "FISH: positive"),
    Evidence("evidence-negative", "FISH: negative", "plasma sequencing: negative"),
    Evidence(
        "evidence-pending", "test on order: pending", "test on order: pending; FISH: negative"
    ),
    Evidence("evidence-failed", "FISH: failed", "FISH: failed; RNA sequencing: pending"),
    Evidence(
        "evidence-inconclusive",
        "plasma sequencing: negative",
        "plasma sequencing: negative; FISH: negative",
    ),
    Evidence(
        "evidence-inconclusive",
        "unnamed method: negative",
        "unnamed method: negative; test on order: pending",
    ),
)

SHARES = (
    Share("fish-above-borderline", 21, 20),
    Share("fish-positive-borderline", 15, 14),
    Share("fish-below-borderline", 10, 9),
    Share("fish-negative", 9, 10),
)
