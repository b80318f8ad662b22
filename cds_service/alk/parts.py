"""The parts of a check, each on its own: one that breaks must not silence the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cds_service.alk.decision import Failure, Kind, Recommendation, Topic

_Result = TypeVar("_Result")

CHECK_INCOMPLETE_RULE = "check-incomplete"
"""Rule id of the card that says that a part of the check did not run."""


@dataclass
class Parts:
    """Runs the parts of one check and remembers those that broke."""

    failures: list[Failure] = field(default_factory=list)

    def run(self, name: str, work: Callable[[], _Result]) -> _Result | None:
        """What `work` returns, or None when it breaks. `name` is shown to clinicians."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - remembered, said on a card and logged
            self.failures.append(failure(name, error))
            return None

    def collect(self, name: str, work: Callable[[], list[_Result]]) -> list[_Result]:
        """What `work` finds; nothing when it breaks."""
        return self.run(name, work) or []


def failure(name: str, error: Exception) -> Failure:
    """What is remembered of a part that broke."""
    return Failure(name, error)


def incomplete(failures: Sequence[Failure]) -> Recommendation:
    """What leads every answer that is not whole.

    It stands before a stop card, because it bears on how far the rest can be relied on.
    """
    return Recommendation(
        Kind.ASK,
        Topic.AVAILABILITY,
        CHECK_INCOMPLETE_RULE,
        "warning",
        detail="A fault of this service kept part of the check from running. Not checked: "
        + "; ".join(dict.fromkeys(item.part for item in failures))
        + ". What the other parts found is shown, and nothing new can be ordered from it by one"
        " click. Check the parts named here by hand, and tell whoever runs this service.",
    )
