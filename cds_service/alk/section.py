"""What a section of the algorithm is, and how the sections are walked.

One section that breaks must not silence the others: this is the one place where a fault is caught,
remembered by the section's name in plain words, and later said on a card (D-13).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cds_service.alk.case import Case, DrugInView
from cds_service.alk.decision import Failure, Kind, Recommendation, Topic

CHECK_INCOMPLETE_RULE = "check-incomplete"
"""Rule id of the card that says that a part of the check did not run."""


class Section(ABC):
    """One part of the algorithm. `name` is read by clinicians: what was not checked if it broke."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What is checked, as the object of "not checked: …"."""

    def applies(self, case: Case) -> bool:
        """Whether there is anything to ask in this case."""
        return True

    @abstractmethod
    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """What this part has to say; it may look at what the sections before it said."""

    def walked(self, case: Case) -> list[Failure]:
        """Adds its recommendations to the answer of the case, and returns what broke."""
        try:
            if self.applies(case):
                said = list(self.recommendations(case))
                case.answer.found += said
        except Exception as error:  # noqa: BLE001 - remembered, said on a card and logged
            return [failure(self.name, error)]
        return []


@dataclass(frozen=True)
class DrugSection(Section):
    """One part of the algorithm about one drug in view."""

    drug: DrugInView


@dataclass(frozen=True)
class EachDrug(Section):
    """The sections that are walked for each drug that is running, paused or ordered."""

    sections: tuple[type[DrugSection], ...]

    @property
    def name(self) -> str:
        """What is unchecked when it cannot even be told which drugs are in view."""
        return "the ALK inhibitors that are taken or ordered"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """Nothing of its own."""
        _ = case.drugs_in_view
        return ()

    def walked(self, case: Case) -> list[Failure]:
        """Walks its sections for each drug, one after the other."""
        failures = super().walked(case)
        if failures:
            return failures
        return [
            failure
            for drug in case.drugs_in_view
            for section in self.sections
            for failure in section(drug).walked(case)
        ]


def walk(case: Case, sections: Iterable[Section]) -> list[Failure]:
    """Walks the sections in their order and returns those that broke."""
    return [failure for section in sections for failure in section.walked(case)]


def failure(name: str, error: Exception) -> Failure:
    """What is remembered of a section that broke."""
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
