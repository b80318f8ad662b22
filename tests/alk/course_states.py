"""Every state of treatment that a patient can be in, as a table that can be walked.

Setting x earlier inhibitors and why the last of them ended x running, paused or ended now x how
the disease does x what is ordered. `docs/course.md` shows which rows answer each state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.facts import OrderedMedication, TreatmentLine
from tests.alk.patients import asked, knowledge, order, patient, treatment

BEFORE_SURGERY, AFTER_SURGERY = "resected after the drugs", "resected before the drugs"
SETTINGS = (
    "advanced", BEFORE_SURGERY, AFTER_SURGERY, "locally advanced", "early", "not recorded",
)  # fmt: skip
"""A drug that ended before a resection was neoadjuvant: what follows is still to be decided."""
RESECTED_DAYS_AGO = {BEFORE_SURGERY: 150, AFTER_SURGERY: 1000}
EARLIER = (
    (), ("crizotinib",), ("alectinib",), ("lorlatinib",),
    ("crizotinib", "alectinib"), ("alectinib", "lorlatinib"), ("lorlatinib", "neladalkib"),
)  # fmt: skip
ENDED_FOR = ("progression", "toxicity", "another reason", "no recorded reason")
NOW = (
    "", "alectinib runs", "lorlatinib runs", "neladalkib runs", "alectinib on hold",
    "neladalkib on hold",
)  # fmt: skip
DISEASE = ("stable", "worse", "not recorded", "improved", "undetermined", "free of disease")
OF_NOW = "the drug of now"
CHEMOTHERAPY = "pemetrexed"
ORDERS = ("", "the last drug again", "lorlatinib", OF_NOW, CHEMOTHERAPY)
DOSES = {"crizotinib": ("250", 2), "alectinib": ("600", 2), "lorlatinib": ("100", 1)}


@dataclass(frozen=True)
class State:
    """One state of the course of treatment. Earlier drugs before the last one failed."""

    setting: str
    earlier: tuple[str, ...]
    ended_for: str
    now: str
    disease: str
    ordered: str

    @property
    def words(self) -> str:
        """The state as a test is named after it."""
        drugs = " then ".join(self.earlier) or "no inhibitor"
        ended = f" ended for {self.ended_for}" if self.earlier else ""
        ordered = f", {self.ordered} ordered" if self.ordered else ""
        now = self.now or "nothing runs"
        return f"{self.setting}: {drugs}{ended}, {now}, disease {self.disease}{ordered}"

    @property
    def runs(self) -> str:
        """The drug that runs now."""
        return self.now.removesuffix(" runs") if self.now.endswith(" runs") else ""

    @property
    def may_be_quiet(self) -> bool:
        """Whether "go on as you do" is the answer: a treatment runs where it belongs and nothing
        grows, or adjuvant treatment has ended as planned."""
        grows = self.disease == "worse"
        if self.runs and self.ordered in (OF_NOW, self.runs):
            # A refill of what runs: what is open was asked when the chart was opened.
            return not grows or self.setting != "advanced"
        if self.ordered == CHEMOTHERAPY:
            return self._chemotherapy_may_be_right
        if self.ordered:
            return False
        if self.now.endswith("hold"):
            # Nothing in these patients explains it.
            return False
        if self.setting in ("advanced", "not recorded"):
            return bool(self.now) and not grows
        over = bool(self.earlier) and self.ended_for == "another reason" and not self.now
        never = not self.earlier and not self.now
        if self.setting == AFTER_SURGERY:
            return not grows and ("alectinib" in self.now or over)
        if self.setting == BEFORE_SURGERY:
            return not grows and "alectinib" in self.now
        return not grows and never

    @property
    def _chemotherapy_may_be_right(self) -> bool:
        """Whether chemotherapy may be signed without a word: the inhibitors are used up, or no
        inhibitor runs and the setting is not known to be advanced."""
        advanced = self.setting == "advanced"
        if self.disease == "worse":
            third = {"lorlatinib", "neladalkib"} & {*self.earlier, *self.now.split()[:1]}
            return not advanced or bool(third)
        if self.now:
            return False
        failed = self.earlier[:-1] + (self.earlier[-1:] if self.ended_for == "progression" else ())
        return not advanced or "lorlatinib" in failed

    def _line(self, drug: str, ago: int, status: str) -> TreatmentLine:
        return treatment((ago, status, DOSES.get(drug, ("150", 1))), ingredient=drug)

    def decision(self) -> Decision:
        """What the service says of it."""
        ago = 900
        lines: list[TreatmentLine] = []
        for drug in self.earlier:
            lines.append(self._line(drug, ago, "ended"))
            ago -= 200
        if self.now:
            now = self.now.split()[0]
            status = "active" if self.runs else "paused"
            lines.append(self._line(now, 200, status))
        before = self.earlier[:-1]
        stopped: dict[str, tuple[str, ...]] = {"progression": before}
        if self.earlier and self.ended_for != "no recorded reason":
            stopped[self.ended_for] = (*stopped.get(self.ended_for, ()), self.earlier[-1])
        said: dict[str, object] = {
            f"ALK_inhibitors_stopped_for_{why.replace(' ', '_')}": drugs
            for why, drugs in stopped.items()
        }
        resected = self.setting in RESECTED_DAYS_AGO
        setting = "resected" if resected else self.setting
        said["setting"] = None if setting == "not recorded" else setting
        said["disease_status"] = None if self.disease == "not recorded" else self.disease
        said["tumour_size"], said["positive_lymph_nodes"] = "5", "0"
        if self.disease == "worse":
            said["progression_pattern"] = "systemic"
        if resected:
            since = RESECTED_DAYS_AGO[self.setting]
            said |= {"resection": since, "resection_margin": "R0", "ECOG_performance_status": "1"}
        facts = patient(lines=tuple(lines), **said)  # type: ignore[arg-type]
        return asked(
            facts, *self._orders(), moment="order-sign" if self.ordered else "patient-view"
        )

    def _orders(self) -> tuple[OrderedMedication, ...]:
        if not self.ordered:
            return ()
        drug = self.ordered
        if drug.startswith("the last"):
            drug = self.earlier[-1]
        elif drug == OF_NOW:
            drug = self.now.split()[0]
        return (order(drug, *DOSES.get(drug, ("150", 1))),)


_ANSWERS = frozenset({
    Topic.GATE, Topic.ORDER, Topic.IN_FORCE, Topic.CHOICE, Topic.ADJUVANT, Topic.PROGRESSION,
})  # fmt: skip


def answers(decision: Decision) -> list[Recommendation]:
    """What the decision says about the way on, not only about tests."""
    return [
        item
        for item in decision.recommendations
        if item.topic in _ANSWERS and item.kind is not Kind.ORDER_TEST
    ]


def states() -> Iterator[State]:
    """All of them, without those that cannot be."""
    for setting, earlier, why, now, disease, ordered in product(
        SETTINGS, EARLIER, ENDED_FOR, NOW, DISEASE, ORDERS
    ):
        drug = now.split()[0] if now else ""
        if drug in earlier or (not earlier and why != ENDED_FOR[0]):
            continue
        if ordered.startswith("the last") and not earlier:
            continue
        if setting not in ("advanced", "not recorded") and len(earlier) > 1:
            continue
        if ordered == OF_NOW and not drug:
            continue
        if ordered not in ("", OF_NOW, drug, CHEMOTHERAPY) and now.endswith("runs"):
            # A second drug beside a running one is refused by a row of its own, in any state.
            continue
        if disease in DISEASE[3:] and (
            why != ENDED_FOR[0] or ordered not in ("", OF_NOW, CHEMOTHERAPY)
        ):
            # Why a drug ended and what is ordered are walked with the first three.
            continue
        yield State(setting, earlier, why, now, disease, ordered)


def known_drugs() -> frozenset[str]:
    """The inhibitors that the table walks."""
    return frozenset(drug for drugs in EARLIER for drug in drugs) & knowledge().inhibitors
