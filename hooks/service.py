"""What one file of this package defines, and how it becomes a CDS service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cds_service.alk import (
    CHECK_INCOMPLETE_RULE,
    PROCEDURE_RULE,
    UNREAD_DRAFT_RULE,
    Question,
    Recommendation,
    Topic,
)
from cds_service.alk import Kind as Advice
from cds_service.protocol import Service
from hooks.data import EVERYTHING, Kind, templates
from hooks.engine import Engine

Matters = Callable[[Recommendation, Question], bool]

USAGE = (
    "Decision support for professionals, not a certified medical device. Send the prefetch keys,"
    " or fhirServer and fhirAuthorization with read access to the same data."
)


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """One CDS service: id, hook, title, description, data, and what matters at that moment."""

    id: str
    hook: str
    title: str
    description: str
    matters: Matters
    data: tuple[Kind, ...] = EVERYTHING


def as_service(definition: ServiceDefinition, engine: Engine) -> Service:
    """The service that the protocol room serves."""
    asked = templates(definition.data, engine.knowledge)
    return Service(
        id=definition.id,
        hook=definition.hook,
        title=definition.title,
        description=definition.description,
        prefetch=asked,
        usage_requirements=USAGE,
        handler=lambda call: engine.answer(call, asked, definition.matters),
    )


def about_an_order(item: Recommendation, question: Question) -> bool:
    """What matters while an order is chosen or signed: the order itself and the drugs in it.

    A gate or a due test matters only when one of the orders is a cancer drug that the tables
    know; an order of paracetamol gets no advice on ALK testing.
    """
    concerned = any(_is_treatment(order.names) for order in question.orders_asked_about)
    match item.topic:
        case Topic.ORDER | Topic.INTERACTION:
            return item.order is not None
        case Topic.TOXICITY | Topic.POPULATION | Topic.COVERAGE:
            return item.order is not None
        case Topic.IN_FORCE:
            return False
        case Topic.MONITORING:
            return concerned and item.verified
        case Topic.BASELINE:
            return _orders_an_inhibitor(question)
        case Topic.GATE if item.kind is Advice.STOP:
            # That no ALK inhibitor fits is no word to the orders of another treatment.
            return _orders_an_inhibitor(question)
        case Topic.GATE | Topic.ADJUVANT:
            return concerned and not _says_the_same(item, question)
        case Topic.CHOICE:
            return concerned and item.kind is Advice.ASK
        case Topic.PROGRESSION:
            return _speaks_to_the_orders(item, question, concerned=concerned)
        case Topic.AVAILABILITY:
            always = (CHECK_INCOMPLETE_RULE, UNREAD_DRAFT_RULE, PROCEDURE_RULE)
            return bool(question.orders_asked_about) or item.rule_id in always


def _speaks_to_the_orders(item: Recommendation, question: Question, *, concerned: bool) -> bool:
    """A draft procedure that the advice is about, or a cancer drug other than those it offers."""
    leaves = item.trace.walk() if item.trace is not None else ()
    if any(leaf.subject == "ordered procedures" and leaf.used for leaf in leaves):
        return True
    ordered = {name for order in question.orders_asked_about for name in order.ingredients}
    return concerned and not any(option.drug in ordered for option in item.options)


_TREATMENT = frozenset(
    {
        "ALK inhibitor",
        "EGFR inhibitor",
        "immune checkpoint inhibitor",
        "chemotherapy",
        "antiangiogenic",
        "other targeted therapy",
    }
)


def _orders_an_inhibitor(question: Question) -> bool:
    return any("ALK inhibitor" in order.names for order in question.orders_asked_about)


def _is_treatment(names: frozenset[str]) -> bool:
    return bool(names & _TREATMENT)


def _says_the_same(item: Recommendation, question: Question) -> bool:
    """Adjuvant advice to start a drug that is just being ordered says nothing new."""
    ordered = {name for order in question.orders_asked_about for name in order.ingredients}
    return item.topic is Topic.ADJUVANT and item.drug in ordered
