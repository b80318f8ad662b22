"""The algorithm as a list: its sections, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.alk.adjustments import DoseInView, interactions
from cds_service.alk.availability import unavailable
from cds_service.alk.brought import with_reaction
from cds_service.alk.case import Case
from cds_service.alk.course import Unanswered
from cds_service.alk.decision import Recommendation
from cds_service.alk.drug_sections import Adjustments, Coverage, DueTests, FirstDose, Reactions
from cds_service.alk.gates import gates
from cds_service.alk.in_force import OrdersInForce
from cds_service.alk.monitoring import baseline_tests
from cds_service.alk.not_checked import not_checked, without_interactions
from cds_service.alk.orders import check_orders
from cds_service.alk.progression import knowing_the_advice, next_treatment
from cds_service.alk.section import EachDrug, Section
from cds_service.alk.selection import adjuvant, first_line
from cds_service.alk.settlement import Settlement
from cds_service.alk.uncovered import uncovered


class Gates(Section):
    """Whether anything may be said about choosing treatment at all."""

    name = "whether diagnosis and tests suffice for a choice of treatment"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """The gates that closed. Safety checks are never stopped by one."""
        found, closed = gates(case.knowledge, case.with_inhibitor, case.facts)
        case.answer.choice_closed = closed
        return found


class DraftOrders(Section):
    """What must not be signed, and what must be known before."""

    name = "the draft orders"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """What the order checks say about each order asked about."""
        found, undecided = check_orders(
            case.facts, case.question, case.knowledge, case.evaluation, case.answer.found
        )
        case.answer.undecided.update(undecided)
        return found


class Unrecognised(Section):
    """Medicines that no table knows."""

    name = "medicines that were not recognised"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """One line for all of them, beside an ALK inhibitor."""
        in_view = [(drug.line, drug.order) for drug in case.drugs_in_view]
        return not_checked(case.facts, case.question, case.knowledge, in_view)


class OtherOrders(Section):
    """What an order of another medication does to a drug of ours: running, on hold, or drafted in
    the same breath without being asked about itself."""

    name = "interactions of the other orders"

    def recommendations(self, case: Case) -> Iterator[Recommendation]:
        """The interactions that an order brings about."""
        lines = case.facts.lines
        doses = {line.ingredient: line.current_dose for line in lines if line.status != "ended"}
        asked_about = case.question.orders_asked_about
        ordered = {name for order in asked_about for name in order.ingredients}
        references = {order.reference for order in asked_about}
        for other in case.question.orders:
            for name in other.ingredients if other.reference not in references else ():
                doses.setdefault(name, other.dose)
        for order in asked_about:
            if any(name in case.knowledge.inhibitors for name in order.ingredients):
                continue
            asked = case.about(order)
            for drug, dose in doses.items():
                # A drug that is itself asked about was looked at together with this order.
                if drug in ordered:
                    continue
                if (unread := without_interactions(drug, order, case.knowledge)) is not None:
                    yield unread
                if drug not in case.knowledge.drugs:
                    continue
                looked_at = DoseInView(drug, order, dose)
                for item in interactions(looked_at, case.knowledge, asked, case.unsure):
                    evidence = item.trace.evidence if item.trace is not None else ()
                    if any(used.source == order.reference for used in evidence):
                        yield with_reaction(item, case.answer.found)


class Uncovered(Section):
    """The net under the dose tables."""

    name = "new diagnoses and adverse events that no dose table covers"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """One question, or a hold, about serious events that no row has read."""
        in_view = [(drug.line, drug.order) for drug in case.drugs_in_view]
        return uncovered(case.facts, case.knowledge, in_view, case.answer.found)


class TreatmentSection(Section):
    """A section that proposes treatment: not asked while a gate is closed."""

    def applies(self, case: Case) -> bool:
        """Unless a gate stops the choice of treatment, or the gates could not be asked."""
        return not case.answer.choice_closed


class FirstDrug(TreatmentSection):
    """The choice among first-line drugs, with the tests that belong before the first dose."""

    name = "the choice of the first drug"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """The choice, when one is open."""
        choice = first_line(case.question, case.knowledge, case.evaluation, case.offering())
        if choice is None:
            return []
        baseline = baseline_tests(case.facts, case.knowledge, case.with_inhibitor)
        case.answer.choice = choice
        return [choice] if baseline is None else [choice, baseline]


class Adjuvant(TreatmentSection):
    """Treatment after a resection."""

    name = "adjuvant treatment"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """What the adjuvant table says."""
        return adjuvant(case.question, case.knowledge, case.evaluation, case.offering())


class NextTreatment(TreatmentSection):
    """The way on after, or instead of, an earlier ALK inhibitor."""

    name = "treatment after progression"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """What the tables of progression and later lines say, knowing what was said so far."""
        facts, knowledge = case.facts, case.knowledge
        advised = knowing_the_advice(case.answer.found, facts, knowledge, case.evaluation)
        return next_treatment(facts, case.question, knowledge, advised, case.offering())


class Availability(Section):
    """What could not be obtained."""

    name = "which data were missing"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """Said, unless it is nobody's concern here."""
        return unavailable(case.facts, case.question, case.knowledge, case.answer.found)


SECTIONS: tuple[Section, ...] = (
    Gates(),
    EachDrug((Coverage, Reactions, DueTests, Adjustments)),
    DraftOrders(),
    Unrecognised(),
    OtherOrders(),
    Uncovered(),
    OrdersInForce(),
    FirstDrug(),
    EachDrug((FirstDose,)),
    Adjuvant(),
    NextTreatment(),
    Unanswered(),
    Availability(),
    Settlement(),
)
"""A gate can stop the choice of treatment, never a safety check. What comes later sees what was
said before; the settlement sees it all."""
