"""The algorithm itself: the order in which the tables are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from cds_service.alk.adjustments import interactions, not_multiplied, populations, told_later
from cds_service.alk.currency import currency_notes
from cds_service.alk.decision import Decision, Kind, Question, Recommendation, Topic
from cds_service.alk.gates import gates
from cds_service.alk.monitoring import baseline_tests, due_tests
from cds_service.alk.not_checked import not_checked
from cds_service.alk.orders import check_orders, evaluation_with
from cds_service.alk.parts import Parts, incomplete
from cds_service.alk.progression import knowing_the_advice, next_treatment
from cds_service.alk.selection import adjuvant, first_line, speaks_against
from cds_service.alk.toxicity import Toxicity
from cds_service.alk.uncovered import uncovered
from cds_service.facts.patient import (
    UNREAD_DRAFT,
    OrderedMedication,
    PatientFacts,
    TreatmentLine,
)
from cds_service.knowledge.jurisdictions import under
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Collection, Evaluation, Trace


def decide(
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    as_of: date,
    *,
    thorough: bool = False,
) -> Decision:
    """Everything the knowledge has to say about one patient on one day.

    Order: gates, checks of draft orders, reactions to running drugs, choice of treatment, special
    populations, monitoring. A gate can stop the choice of treatment, never a safety check. A part
    that breaks is named on a recommendation that leads, and the others are answered (D-13).
    Pure: the same facts, question, knowledge and day give the same Decision. `thorough` only
    makes the traces of rules that do not hold complete; no verdict depends on it.
    """
    knowledge = under(knowledge, question.jurisdiction)
    evaluation = Evaluation(facts, as_of, thorough=thorough)
    parts = Parts()
    found, closed = parts.run(
        "whether diagnosis and tests suffice for a choice of treatment",
        lambda: gates(knowledge, _with_inhibitor(facts, question, knowledge, evaluation), facts),
    ) or ([], True)
    checked, open_rules = parts.run(
        "the draft orders", lambda: check_orders(facts, question, knowledge, evaluation)
    ) or ([], {})
    found += checked
    undecided = dict(open_rules)
    in_view = parts.collect(
        "the ALK inhibitors that are taken or ordered",
        lambda: list(_drugs_in_view(facts, question, knowledge)),
    )
    for line, order in in_view:
        found += _about_drug(line, order, facts, question, knowledge, evaluation, undecided, parts)
    found += parts.collect(
        "medicines that were not recognised",
        lambda: not_checked(facts, question, knowledge, in_view),
    )
    found += parts.collect(
        "interactions of the other orders",
        lambda: _new_interactions(facts, question, knowledge, evaluation),
    )
    found += parts.collect(
        "new diagnoses and adverse events that no dose table covers",
        lambda: uncovered(facts, knowledge, in_view, found),
    )
    choice = None
    if not closed:
        choice, chosen = parts.run(
            "the choice of the first drug",
            lambda: _choice(facts, question, knowledge, evaluation),
        ) or (None, [])
        found += chosen
        found += parts.collect(
            "adjuvant treatment", lambda: adjuvant(question, knowledge, evaluation)
        )
        found += parts.collect(
            "treatment after progression",
            lambda: next_treatment(
                facts,
                question,
                knowledge,
                knowing_the_advice(found, facts, knowledge, evaluation),
            ),
        )
    found += parts.collect(
        "which data were missing", lambda: _unavailable(facts, question, knowledge, found)
    )
    found.sort(key=lambda item: item.rank)
    if parts.failures and _concerned(facts, question, knowledge, found):
        found.insert(0, incomplete(parts.failures))
    return Decision(
        question,
        as_of,
        knowledge.release.version,
        tuple(found),
        undecided,
        choice,
        currency_notes(knowledge.release, as_of),
        facts.requested_tests,
        tuple(parts.failures),
    )


def _concerned(
    facts: PatientFacts, question: Question, knowledge: Knowledge, found: list[Recommendation]
) -> bool:
    """Whether a part that broke is anybody's concern; when that cannot be told either, it is."""
    try:
        return not _surely_no_concern(facts, question, knowledge, found)
    except Exception:  # noqa: BLE001 - the fault that is being reported may strike here as well
        return True


def _choice(
    facts: PatientFacts, question: Question, knowledge: Knowledge, evaluation: Evaluation
) -> tuple[Recommendation | None, list[Recommendation]]:
    """The choice among first-line drugs, and what to recommend with it."""
    choice = first_line(question, knowledge, evaluation)
    if choice is None:
        return None, []
    asked = _with_inhibitor(facts, question, knowledge, evaluation)
    baseline = baseline_tests(facts, knowledge, asked)
    return choice, [choice] if baseline is None else [choice, baseline]


def _with_inhibitor(
    facts: PatientFacts, question: Question, knowledge: Knowledge, evaluation: Evaluation
) -> Evaluation:
    """The evaluation with the ALK inhibitor being ordered, if one is.

    An order makes the diagnosis matter, and it decides which tests should be there.
    """
    inhibitors = [
        order
        for order in question.orders_asked_about
        if any(name in knowledge.inhibitors for name in order.ingredients)
    ]
    if not inhibitors:
        return evaluation
    # Of several at once each asks for its tests, whichever was drafted first.
    names = frozenset(name for order in inhibitors for name in order.names)
    together = replace(min(inhibitors, key=lambda order: order.reference), names=names)
    return evaluation_with(together, facts, knowledge, evaluation)


def _drugs_in_view(
    facts: PatientFacts, question: Question, knowledge: Knowledge
) -> Iterable[tuple[TreatmentLine, OrderedMedication | None]]:
    """Every drug of ours that is running, paused or in a draft order, once, with that order.

    Of several orders of one drug it is the one with the highest or an unreadable dose.
    """
    orders: dict[str, OrderedMedication] = {}
    for order in question.orders_asked_about:
        for ingredient in order.ingredients:
            if ingredient in knowledge.inhibitors:
                orders[ingredient] = max(orders.get(ingredient, order), order, key=_dose_rank)
    for line in facts.lines:
        if line.status != "ended" or line.ingredient in orders:
            yield line, orders.pop(line.ingredient, None)
    for ingredient, order in orders.items():
        yield TreatmentLine(ingredient, ()), order


def _dose_rank(order: OrderedMedication) -> tuple[bool, Decimal, str]:
    daily = order.dose.daily_mg
    return daily is None, daily or Decimal(0), order.reference


def _about_drug(
    line: TreatmentLine,
    order: OrderedMedication | None,
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    evaluation: Evaluation,
    undecided: dict[str, Trace],
    parts: Parts,
) -> list[Recommendation]:
    drug = line.ingredient
    tables = knowledge.drugs.get(drug)
    if tables is None:
        # An ALK inhibitor known by name only.
        return [_not_covered(line, order)]
    found: list[Recommendation] = []
    if tables.dose_changes is None or tables.monitoring is None:
        found.append(_not_covered(line, order))
    else:
        if line.orders:
            found += parts.collect(
                f"reactions to {drug}",
                lambda: _reactions(line, order, facts, knowledge, evaluation, undecided),
            )
        if line.status == "active":
            repeated = frozenset(test.test for item in found for test in item.tests)
            found += parts.collect(
                f"tests that are due with {drug}",
                lambda: _due(line, facts, knowledge, evaluation, repeated),
            )
    found += parts.collect(
        f"doses of {drug} with other drugs and in special populations",
        lambda: _adjusted(line, order, facts, question, knowledge, evaluation),
    )
    return found


def _reactions(
    line: TreatmentLine,
    order: OrderedMedication | None,
    facts: PatientFacts,
    knowledge: Knowledge,
    evaluation: Evaluation,
    undecided: dict[str, Trace],
) -> list[Recommendation]:
    tables = knowledge.drugs[line.ingredient]
    if tables.dose_changes is None:
        return []
    toxicity = Toxicity(
        tables,
        tables.dose_changes,
        knowledge.tests,
        facts,
        line,
        order,
        evaluation.as_of,
        thorough=evaluation.thorough,
    )
    against = speaks_against(line.ingredient, knowledge, evaluation)
    found = [_not_resumed(item, against) for item in toxicity.recommendations()]
    undecided.update(toxicity.undecided)
    return found


def _due(
    line: TreatmentLine,
    facts: PatientFacts,
    knowledge: Knowledge,
    evaluation: Evaluation,
    repeated: frozenset[str],
) -> list[Recommendation]:
    tables = knowledge.drugs[line.ingredient]
    if tables.monitoring is None:
        return []
    due = due_tests(tables, tables.monitoring, line, facts, knowledge, evaluation, repeated)
    return [due] if due is not None else []


def _adjusted(
    line: TreatmentLine,
    order: OrderedMedication | None,
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    evaluation: Evaluation,
) -> list[Recommendation]:
    asked = evaluation
    taken = line.current_dose
    if order is not None:
        beside = [other for other in question.orders if other is not order]
        asked = evaluation_with(order, facts, knowledge, evaluation, beside)
        taken = order.dose
    starting = order is not None and not line.orders
    drug = line.ingredient
    unsure = _unsure(facts, question)
    lowered = interactions(drug, order, knowledge, asked, taken, starting=starting, unsure=unsure)
    advice = populations(drug, order, knowledge, asked, taken, starting=starting)
    lowered, advice = not_multiplied(lowered, advice)
    return [*lowered, *(advice if starting else told_later(advice, line.start))]


def _not_resumed(item: Recommendation, against: tuple[str, ...]) -> Recommendation:
    """A drug whose order would be refused is not offered again just because a reaction is over."""
    if item.kind is not Kind.RESUME or not against:
        return item
    return item.changed(kind=Kind.ASK, dose=None, ask="; ".join(against))


def _unsure(facts: PatientFacts, question: Question) -> dict[str, frozenset[str]]:
    """By source what of a medicine, taken or drafted, was not read in a source."""
    drafted = {order.reference: order.unverified for order in question.orders if order.unverified}
    return {**facts.unsure, **drafted}


def _new_interactions(
    facts: PatientFacts, question: Question, knowledge: Knowledge, evaluation: Evaluation
) -> list[Recommendation]:
    """What an order of another medication does to a drug of ours: running, on hold, or drafted in
    the same breath without being asked about itself."""
    found: list[Recommendation] = []
    doses = {line.ingredient: line.current_dose for line in facts.lines if line.status != "ended"}
    asked_about = question.orders_asked_about
    ordered = {name for order in asked_about for name in order.ingredients}
    references = {order.reference for order in asked_about}
    for other in question.orders:
        for name in other.ingredients if other.reference not in references else ():
            doses.setdefault(name, other.dose)
    unsure = _unsure(facts, question)
    for order in question.orders_asked_about:
        if any(name in knowledge.inhibitors for name in order.ingredients):
            continue
        asked = evaluation_with(order, facts, knowledge, evaluation)
        for drug, dose in doses.items():
            # A drug that is itself asked about was looked at together with this order.
            if drug in knowledge.drugs and drug not in ordered:
                found += [
                    item
                    for item in interactions(drug, order, knowledge, asked, dose, unsure=unsure)
                    if item.trace is not None
                    and any(used.source == order.reference for used in item.trace.evidence)
                ]
    return found


def _not_covered(line: TreatmentLine, order: OrderedMedication | None) -> Recommendation:
    """This release has no dose-change or monitoring rules for the drug: say so, never nothing."""
    return Recommendation(
        Kind.INFORM,
        Topic.COVERAGE,
        f"{line.ingredient}-not-covered",
        "warning" if line.status == "active" else "info",
        drug=line.ingredient,
        detail="Holds, dose changes and tests for this drug are not in this release of the"
        " knowledge: nothing about them was checked.",
        order=order,
        verified=False,
    )


def _unavailable(
    facts: PatientFacts, question: Question, knowledge: Knowledge, found: list[Recommendation]
) -> list[Recommendation]:
    """Say what could not be obtained, unless the patient surely has nothing to do with ALK."""
    if not facts.unavailable:
        return []
    unread = UNREAD_DRAFT in facts.unavailable
    if not unread and (
        set(facts.unavailable) <= _QUIET or _surely_no_concern(facts, question, knowledge, found)
    ):
        return []
    severity = "info" if set(facts.unavailable) <= _MINOR else "warning"
    return [
        Recommendation(
            Kind.ASK,
            Topic.AVAILABILITY,
            UNREAD_DRAFT_RULE if unread else "data-not-available",
            severity,
            detail="; ".join(
                f"{what}: {why}"
                for what, why in facts.unavailable.items()
                if what not in _NOT_EVERYWHERE
            ),
        )
    ]


UNREAD_DRAFT_RULE = "draft-order-not-checked"
"""Rule id of the card that says so; it matters even when no other order is left."""

_NOT_EVERYWHERE = frozenset(
    {"medication_statements", "medication_administrations", "medication_dispenses", "visits"}
)
"""Kinds of data that many systems do not have: their absence is not said on a card."""

_QUIET = _NOT_EVERYWHERE | {"requests"}
"""Kinds of data whose absence alone is worth no card."""

_MINOR = _QUIET | {"procedures", "reports"}
"""Kinds of data whose absence hides no danger: a resection, an image, a test on order."""

_LUNG = frozenset(
    {"non-small cell lung cancer", "lung cancer of unknown type", "suspected lung cancer"}
)


def _surely_no_concern(
    facts: PatientFacts, question: Question, knowledge: Knowledge, found: list[Recommendation]
) -> bool:
    """Whether the patient certainly has neither lung cancer nor an ALK inhibitor, taken or
    ordered: then missing data are nobody's concern here."""
    cancers = facts.find("cancers")
    inhibitors = facts.find("active ALK inhibitors")
    if not (isinstance(cancers, Collection) and isinstance(inhibitors, Collection)):
        return False
    ordered = {name for order in question.orders_asked_about for name in order.ingredients}
    return (
        not found
        and cancers.complete
        and not any(item.names & _LUNG for item in cancers.items)
        and inhibitors.complete
        and not inhibitors.items
        and not any(name in knowledge.inhibitors for name in ordered)
    )
