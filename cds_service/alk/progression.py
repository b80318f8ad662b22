"""After a first ALK inhibitor: what the tables say about the way on.

The tables of progression and later lines are asked together. Of several rows that offer drugs
only the first one speaks: its options already carry what the tumour's findings say about each
drug. Rows that ask, warn or inform all speak.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from cds_service.alk.approvals import earlier_inhibitors
from cds_service.alk.decision import Kind, Modifier, Option, Question, Recommendation, Topic
from cds_service.alk.gates import asked_tests
from cds_service.alk.monitoring import last_done
from cds_service.alk.selection import modifiers, rank, start_dose
from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.knowledge.jurisdictions import approval
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.schemas import AGAIN, PLACES, RESPONSES
from cds_service.knowledge.table_files import Row
from cds_service.rules import (
    Collection,
    Evaluation,
    FactSource,
    FactValue,
    Item,
    Statement,
    Statements,
    Trace,
    Verdict,
)

_KINDS = {
    "choose": Kind.CHOOSE,
    "avoid": Kind.AVOID,
    "ask": Kind.ASK,
    "inform": Kind.INFORM,
}
RECENT_DAYS = 90
"""A profile or an image that is not older is not asked for again (our own choice)."""

FINDINGS = "ALK mutation findings"
_TABLES = ("progression", "later_lines")


ADVISED_AGAINST = "running ALK inhibitor advised against"
"""The fact by which the rows know that the same answer says not to go on with the drug."""


def knowing_the_advice(
    said: Iterable[Recommendation],
    facts: PatientFacts,
    knowledge: Knowledge,
    evaluation: Evaluation,
) -> Evaluation:
    """The evaluation with what the answer says so far of the running ALK inhibitor.

    "Go on with the drug" must never stand beside advice to stop it, to hold it, or a finding in
    the tumour that it cannot meet.
    """
    running = {line.ingredient for line in facts.lines if line.status == "active"}
    left = {
        item.drug
        for item in said
        if item.kind in (Kind.STOP, Kind.WITHHOLD) and item.topic is Topic.TOXICITY
    }
    left |= {
        row.text("drug")
        for row, _ in _findings_met(knowledge, evaluation)
        if row.text("response") == "resistant"
    }
    return knowing(evaluation, ADVISED_AGAINST, present=bool(running & left))


def knowing(evaluation: Evaluation, name: str, *, present: bool) -> Evaluation:
    """The evaluation with one flag more: what the answer says so far."""
    stated = Statement("present" if present else "absent", evaluation.as_of, "", "")
    told = _WithAdvice(evaluation.facts, name, Statements((stated,)))
    return Evaluation(told, evaluation.as_of, thorough=evaluation.thorough)


class _WithAdvice:
    """The facts of a patient together with what the answer says of a drug."""

    def __init__(self, facts: FactSource, name: str, stated: Statements) -> None:
        self._facts = facts
        self._name = name
        self._stated = stated

    def find(self, name: str) -> FactValue | None:
        """The advice, else the patient's fact."""
        return self._stated if name == self._name else self._facts.find(name)


def next_treatment(
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    evaluation: Evaluation,
    offering: Evaluation,
) -> list[Recommendation]:
    """Everything the tables say about treatment after, or instead of, the one before.

    The drugs of a row are looked at under `offering`, with the drafts that would run beside them.
    """
    found: list[Recommendation] = []
    offered = False

    def asked(row: Row) -> bool:
        return not (offered and row.text("action") == "choose")

    tables = [knowledge.tables[name] for name in _TABLES]
    for row, trace in chain.from_iterable(table.standing(evaluation, asked) for table in tables):
        choosing = row.text("action") == "choose"
        if trace.verdict is not Verdict.MET or not asked(row):
            continue
        item = _without_repeats(_fired(row, trace, evaluation), facts, knowledge, evaluation)
        if choosing:
            offers = _Offers(facts, knowledge, offering, question.jurisdiction)
            options = tuple(sorted(offers.of(row, trace), key=rank))
            blocked = bool(options) and all(option.speaks_against for option in options)
            item = item.changed(
                options=options,
                verified=_some_verified(row, options),
                severity="warning" if blocked else item.severity,
            )
            offered = True
        found.append(item)
    said = tuple(item for drug in knowledge.drugs for item in findings(drug, knowledge, evaluation))
    if said and not found:
        found.append(_findings_only(said, knowledge))
    elif said:
        found[0] = found[0].changed(findings=said)
    return found


def _findings_only(said: tuple[Modifier, ...], knowledge: Knowledge) -> Recommendation:
    """What a finding means for each drug, when no row of the tables asks for more."""
    first = next(row for row in knowledge.tables["resistance"] if row.identifier == said[0].rule_id)
    return Recommendation(
        Kind.INFORM,
        Topic.PROGRESSION,
        first.identifier,
        "info",
        trace=said[0].trace,
        row=first,
        summary=f"ALK finding in the tumour: {first.text('finding')}; what it says about each drug",
        detail="Laboratory models and small series stand behind such findings.",
        findings=said,
        verified=all(not item.says.endswith("(not verified)") for item in said),
    )


def _without_repeats(
    item: Recommendation, facts: PatientFacts, knowledge: Knowledge, evaluation: Evaluation
) -> Recommendation:
    """The same advice without tests that were done a short while ago."""
    since = evaluation.as_of - timedelta(days=RECENT_DAYS)
    tests = []
    for due in item.tests:
        done = last_done(knowledge.tests[due.test], facts, evaluation.as_of)
        if done is None or done < since:
            tests.append(due)
    return item.changed(tests=tuple(tests))


def _fired(row: Row, trace: Trace, evaluation: Evaluation) -> Recommendation:
    item = Recommendation.of_row(row, trace, _KINDS[row.text("action")], Topic.PROGRESSION)
    return item.changed(
        tests=asked_tests(row, evaluation, row.text("summary")),
        others=row.entries("others"),
        evidence=row.entries("evidence"),
    )


def _some_verified(row: Row, options: tuple[Option, ...]) -> bool:
    return row.verified and all(option.verified for option in options)


@dataclass(frozen=True, slots=True)
class _Offers:
    """What the drugs of a row are offered by: `evaluation` knows what would run beside them."""

    facts: PatientFacts
    knowledge: Knowledge
    evaluation: Evaluation
    jurisdiction: str

    def of(self, row: Row, trace: Trace) -> Iterable[Option]:
        """The row's drugs without those that run, were not tolerated, or failed before."""
        facts, knowledge, evaluation = self.facts, self.knowledge, self.evaluation
        running = _labels(facts, "active ALK inhibitors")
        gone = {*running, *_labels(facts, "ALK inhibitors stopped for toxicity")}
        failed = set(_labels(facts, "ALK inhibitors stopped for progression"))
        earlier = earlier_inhibitors(facts)
        for entry in row.entries("drugs"):
            drug = entry.removesuffix(AGAIN)
            if drug in gone or (drug in failed and not entry.endswith(AGAIN)):
                continue
            dose, changed = start_dose(drug, knowledge, evaluation)
            moved = (
                *findings(drug, knowledge, evaluation),
                *modifiers(drug, knowledge, evaluation),
                *changed,
            )
            yield Option(
                drug,
                PLACES[0],
                "",
                moved,
                (),
                row.identifier,
                row.sources,
                row.verified,
                trace,
                dose,
                stop_first=tuple(running),
                may_order=row.may_order,
                approval=approval(
                    knowledge.drugs[drug].drug, "advanced", self.jurisdiction, earlier
                ),
            )


def _labels(facts: PatientFacts, collection: str) -> list[str]:
    found = facts.find(collection)
    return [item.label for item in found.items] if isinstance(found, Collection) else []


def findings(drug: str, knowledge: Knowledge, evaluation: Evaluation) -> tuple[Modifier, ...]:
    """What the tumour's findings say about one drug, each as something that moves it."""
    found: list[Modifier] = []
    for row, trace in _findings_met(knowledge, evaluation):
        if row.text("drug") == drug:
            effect = RESPONSES[row.text("response")]
            says = row.text("says") + ("" if row.verified else " (not verified)")
            found.append(Modifier(effect, says, row.identifier, row.sources, trace))
    return tuple(found)


def _findings_met(knowledge: Knowledge, evaluation: Evaluation) -> Iterable[tuple[Row, Trace]]:
    """The rows of the resistance table that hold. Each asks for a finding that is there, so
    nothing is looked at for the many patients without any."""
    recorded = evaluation.find(FINDINGS)
    if not isinstance(recorded, Collection) or not recorded.items:
        return
    for row, trace in knowledge.tables["resistance"].standing(evaluation):
        if trace.verdict is Verdict.MET:
            yield row, trace


def resisted(
    order: OrderedMedication, knowledge: Knowledge, evaluation: Evaluation
) -> list[Recommendation]:
    """A warning when a finding in the tumour makes the ordered drug unlikely to work."""
    found: list[Recommendation] = []
    for row, trace in _findings_met(knowledge, evaluation):
        drug = row.text("drug")
        if drug not in order.ingredients or row.text("response") != "resistant":
            continue
        found.append(
            Recommendation(
                Kind.AVOID,
                Topic.ORDER,
                row.identifier,
                "warning",
                trace=trace,
                row=row,
                drug=drug,
                summary=f"Reconsider {drug}: the tumour carries {_found(trace)}, which resists it",
                detail="Laboratory models and small series stand behind such findings; they"
                " argue against the drug, they do not prove it.",
                order=order,
                verified=row.verified,
            )
        )
    return found


def _found(trace: Trace) -> str:
    """The finding itself, not the whole group that a row is about."""
    used = (item for leaf in trace.walk() for item in leaf.used)
    return next(item.label for item in used if isinstance(item, Item))
