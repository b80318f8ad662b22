"""What is remarked about the data while they are read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the data that a reader of the decision should know, without patient text."""

    subject: str
    says: str
