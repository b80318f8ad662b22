"""Checks of draft orders: what must not be signed, and what must be known before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.alk.adjustments import highest_dose
from cds_service.alk.approvals import NOT_APPROVED_HERE, naming_the_place, not_approved_here
from cds_service.alk.decision import Dose, Kind, Question, Recommendation, Topic
from cds_service.alk.doses import above_label, off_ladder
from cds_service.alk.gates import asked_tests
from cds_service.alk.lead_in import skips_lead_in
from cds_service.alk.look_alikes import look_alike
from cds_service.alk.ordered_before import another_runs, running_not_tolerated, taken_before
from cds_service.alk.progression import resisted
from cds_service.alk.selection import start_dose
from cds_service.alk.undecided import hangs_on_missing_data
from cds_service.facts.patient import (
    OrderedMedication,
    PatientFacts,
    TreatmentOrder,
    WithOrder,
)
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.jurisdictions import full_dose_elsewhere
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.table_files import Row
from cds_service.rules import Collection, Evaluation, Trace, Verdict
from cds_service.rules.syntax import Includes, predicates

_KINDS = {
    "stop": Kind.STOP,
    "avoid": Kind.AVOID,
    "reduce": Kind.REDUCE,
    "ask": Kind.ASK,
    "inform": Kind.INFORM,
}

_BELOW_START = "ordered first dose below the start"

SWITCH = "ordered switch"
"""The flag of an order that takes the place of a running ALK inhibitor."""

_HELD_BESIDE = "ordered beside a held ALK inhibitor"

_COMPARED = frozenset({"ordered dose above the label", "ordered dose off the ladder", _BELOW_START})


@dataclass(frozen=True, slots=True)
class AroundOrder:
    """What an order is looked at together with.

    `beside` are the other drafts of this moment. `said` is what the answer says so far, of
    reactions to a drug above all. `started_low` says of an order in force that no earlier one was
    for more: its dose is then the first dose, as it is of a draft of a drug that was never taken.
    """

    beside: Sequence[OrderedMedication] = ()
    said: Sequence[Recommendation] = ()
    jurisdiction: str = ""
    started_low: bool = False
    drafted_twice: bool = False


_ALONE = AroundOrder()


def evaluation_with(
    order: OrderedMedication,
    facts: PatientFacts,
    knowledge: Knowledge,
    evaluation: Evaluation,
    around: AroundOrder = _ALONE,
) -> Evaluation:
    """The evaluation of the patient together with one order and what stands around it."""
    beside = around.beside
    reactions = [item for item in around.said if item.topic is Topic.TOXICITY]
    flags = taken_before(order, facts, _drugs_of(reactions))
    told = _drugs_of(reactions)
    flags["ordered drug on hold unexplained"] = any(
        line is not None and line.status == "paused" and line.ingredient not in told
        for line in map(facts.line, order.ingredients)
    )
    flags["ordered drug drafted twice"] = around.drafted_twice
    flags["ordered dose without its division"] = order.dose.not_divided
    for ingredient in order.ingredients:
        tables = knowledge.drugs.get(ingredient)
        if tables is not None:
            raised = highest_dose(tables, Evaluation(WithOrder(facts, order, {}), facts.as_of))
            flags["ordered dose above the label"] = above_label(tables.drug, order.dose, raised)
            flags["ordered dose off the ladder"] = off_ladder(tables.drug, order.dose, raised)
            flags["ordered dose skips the lead-in"] = skips_lead_in(
                tables.drug, order, facts, beside
            )
            elsewhere = full_dose_elsewhere(tables.drug, order.dose.amount_mg, order.dose.per_day)
            first = facts.line(ingredient) is None
            flags["ordered first dose of another jurisdiction"] = first and bool(elsewhere)
            patient = Evaluation(WithOrder(facts, order, {}, beside), facts.as_of)
            flags[_BELOW_START] = (first or around.started_low) and _below_start(
                tables.drug, order, knowledge, patient
            )
    awaited = [knowledge.awaited[name] for name in order.ingredients if name in knowledge.awaited]
    flags["ordered drug without dosing"] = bool(awaited)
    flags["ordered drug not approved"] = any(
        drug.approval.status == "not approved" for drug in awaited
    )
    flags["ordered drug approval to be checked"] = any(
        drug.approval.to_check(evaluation.as_of) for drug in awaited
    )
    flags[NOT_APPROVED_HERE] = not_approved_here(order, facts, knowledge, around.jurisdiction)
    flags["ordered look-alike"] = bool(look_alike(order, knowledge)[0])
    stopped = _drugs_of(item for item in reactions if item.kind is Kind.STOP)
    held = _drugs_of(item for item in reactions if item.kind is Kind.WITHHOLD)
    not_tolerated = running_not_tolerated(order, facts, stopped)
    flags[SWITCH] = (
        not_tolerated or _replaces_running(order, facts) or _is_for_progression(order, facts)
    )
    flags[_HELD_BESIDE] = another_runs(order, facts, held)
    with_order = WithOrder(facts, order, flags, beside)
    return Evaluation(with_order, evaluation.as_of, thorough=evaluation.thorough)


def _drugs_of(items: Iterable[Recommendation]) -> frozenset[str]:
    return frozenset(item.drug for item in items if item.drug is not None)


def _replaces_running(order: OrderedMedication, facts: PatientFacts) -> bool:
    """Whether an order says itself that it takes the place of a running one of another drug."""
    prior = order.resource.get("priorPrescription")
    named = prior.get("reference") if isinstance(prior, Mapping) else None
    return isinstance(named, str) and any(
        named == one.source or named.endswith(f"/{one.source}")
        for line in facts.lines
        if line.ingredient not in order.ingredients
        for one in line.orders
        if one.status == "active"
    )


def _is_for_progression(order: OrderedMedication, facts: PatientFacts) -> bool:
    """Whether an order of an ALK inhibitor gives progression on the running one as its reason."""
    if "ALK inhibitor" not in order.names:
        return False
    signs = facts.find("signs of progression")
    items = signs.items if isinstance(signs, Collection) else ()
    return any(item.source == order.reference for item in items)


def _below_start(
    drug: Drug, order: OrderedMedication, knowledge: Knowledge, patient: Evaluation
) -> bool | None:
    """Whether an order is for less a day than the label starts this patient at.

    Never for the lower dose of the first days alone. None when the dose cannot be read, or when
    the start dose of this patient must be looked up.
    """
    daily = order.dose.daily_mg
    if daily is None:
        return None
    lead_in = drug.dosing.lead_in
    if daily >= drug.dosing.full_dose.daily_mg or (lead_in and daily == lead_in.daily_mg):
        return False
    start, _ = start_dose(drug.ingredient, knowledge, patient)
    return None if start is None else daily < start.daily_mg


def check_orders(
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    evaluation: Evaluation,
    said: Sequence[Recommendation] = (),
) -> tuple[list[Recommendation], dict[str, Trace]]:
    """What the order checks say about each order asked about, and the rules left undecided.

    `said` is what the answer says so far: of a drug that it stops for a reaction, an order of
    another one is the switch.
    """
    found: list[Recommendation] = []
    reactions = [item for item in said if item.topic is Topic.TOXICITY]
    undecided: dict[str, Trace] = {}
    for order in question.orders_asked_about:
        beside = [other for other in question.orders if other is not order]
        place = question.jurisdiction
        twice = _drafted_twice(order, question, knowledge.inhibitors)
        around = AroundOrder(beside, said, place, drafted_twice=twice)
        ordered = evaluation_with(order, facts, knowledge, evaluation, around)
        for row, trace in knowledge.tables["order_checks"].standing(ordered):
            if trace.verdict is Verdict.MET:
                lines = [facts.line(name) for name in order.ingredients]
                started = any(line is not None and line.status != "ended" for line in lines)
                fired = _fired(row, trace, order, knowledge, ordered)
                if started and fired.dose is not None:
                    # Whoever takes the drug already has its first days behind them.
                    fired = fired.changed(dose=replace(fired.dose, lead_in_mg=None))
                also = _reasons_to_switch(row, order, reactions)
                ends = _brought_to_an_end(row, order, facts, question)
                found.append(naming_the_place(fired.changed(also=also, ends=ends), place))
            elif hangs_on_missing_data(trace):
                undecided[row.identifier] = trace
                if row.text("undecided") == "ask":
                    found.append(_unanswered(row, trace, order))
        found += resisted(order, knowledge, ordered)
    return found, undecided


def _drafted_twice(
    order: OrderedMedication, question: Question, inhibitors: frozenset[str]
) -> bool:
    """Whether another order of this moment is of the same ALK inhibitor.

    Of two that are both asked about, one says so, so that the question comes once: the last by
    reference and dose, in whatever order they were sent.
    """
    drugs = inhibitors & set(order.ingredients)
    same = [one for one in question.orders if drugs & set(one.ingredients)]
    asked = [one for one in question.orders_asked_about if drugs & set(one.ingredients)]
    # Drafts without an id cannot be the same one sent twice: each counts.
    different = {one.reference if one.reference[-1:] != "/" else id(one) for one in same}
    if len(different) < 2:
        return False
    return max(asked, key=lambda one: (one.reference, str(one.dose))) is order


def _reasons_to_switch(
    row: Row, order: OrderedMedication, reactions: Sequence[Recommendation]
) -> tuple[Recommendation, ...]:
    """The stops, or the holds, of the drug that the order replaces, where the row speaks of it."""
    named = row.when.facts_named
    kind = Kind.WITHHOLD if _HELD_BESIDE in named else Kind.STOP if SWITCH in named else None
    if kind is None or row.text("action") != "ask":
        return ()
    return tuple(
        item.changed(also=(), tests=())
        for item in reactions
        if item.kind is kind and item.drug not in order.ingredients
    )


def _brought_to_an_end(
    row: Row, order: OrderedMedication, facts: PatientFacts, question: Question
) -> tuple[TreatmentOrder, ...]:
    """The running orders of other ALK inhibitors, where the row offers to end them.

    None when one of them is no order, such as a statement of the patient, or is itself being
    revised: the rest would be ended and the drug would still stand in the chart.
    """
    if "end running orders" not in row.entries("offers"):
        return ()
    running = [
        one
        for line in facts.lines
        if line.ingredient not in order.ingredients
        for one in line.orders
        if one.status == "active"
    ]
    drafts = {other.reference for other in question.orders}
    endable = all(
        one.source.startswith("MedicationRequest/") and one.source not in drafts for one in running
    )
    return tuple(running) if endable else ()


def _fired(
    row: Row,
    trace: Trace,
    order: OrderedMedication,
    knowledge: Knowledge,
    evaluation: Evaluation,
) -> Recommendation:
    kind = _KINDS[row.text("action")]
    dose: Dose | None = None
    drug = next((name for name in order.ingredients if name in knowledge.drugs), None)
    names_start = kind is Kind.REDUCE or _BELOW_START in row.when.facts_named
    if names_start and drug is not None:
        dose, _ = start_dose(drug, knowledge, evaluation)
    return Recommendation.of_row(row, trace, kind, Topic.ORDER).changed(
        drug=drug,
        dose=dose,
        order=order,
        offers=row.entries("offers"),
        tests=asked_tests(row, evaluation, row.text("summary")),
        verified=row.verified
        and not (order.unverified & _classes_asked(row))
        and doses_verified(row, drug, knowledge),
    )


def doses_verified(row: Row, drug: str | None, knowledge: Knowledge) -> bool:
    """Whether the label doses that a row compares with were read in a source."""
    compares = _COMPARED & set(row.when.facts_named)
    return drug is None or not compares or knowledge.drugs[drug].drug.dosing.verified


def _classes_asked(row: Row) -> frozenset[str]:
    """The names that the row's condition looks for in the order."""
    return frozenset(
        member
        for leaf in predicates(row.when.expression)
        if isinstance(leaf, Includes) and leaf.fact == "ordered medications"
        for member in leaf.members
    )


def _unanswered(row: Row, trace: Trace, order: OrderedMedication) -> Recommendation:
    return Recommendation(
        Kind.ASK,
        Topic.ORDER,
        row.identifier,
        "warning",
        trace=trace,
        row=row,
        order=order,
        detail=row.text("detail"),
        reasons=trace.reasons,
        verified=row.verified,
    )
