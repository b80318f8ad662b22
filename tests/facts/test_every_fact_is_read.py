"""A fact that no reader fills would leave every rule on it undecided for ever."""

from __future__ import annotations

from datetime import date

from cds_service.facts import FactReader, OrderedMedication, Supplied, WithOrder
from cds_service.facts.patient import DoseTaken
from cds_service.facts.reader import LazyValues
from cds_service.fhir.record import PatientRecord
from cds_service.rules import Statements
from tests.packaged import packaged_knowledge

ONLY_WITH_AN_ORDER = {
    "ordered medications",
    "ordered daily dose",
    "other active ALK inhibitors",
    "other ordered ALK inhibitors",
    "ordered switch",
    "ordered beside a held ALK inhibitor",
    "ordered look-alike",
    "ordered dose above the label",
    "ordered dose off the ladder",
    "ordered dose skips the lead-in",
    "ordered food",
    "ordered crushed or opened",
    "ordered first dose of another jurisdiction",
    "ordered first dose below the start",
    "ordered drug not approved",
    "ordered drug already taken",
    "ordered drug ended unexplained",
    "ordered drug failed before",
    "ordered drug intolerance explained",
    "ordered drug intolerance unexplained",
    "ordered drug not tolerated before",
    "ordered drug approval to be checked",
    "ordered drug without dosing",
    "ordered dose without its division",
    "ordered drug not approved here",
    "ordered drug drafted twice",
    "ordered drug on hold unexplained",
}
WITHIN_AN_ANSWER = {
    "running ALK inhibitor advised against",
    "reaction of a paused ALK inhibitor told",
    "intolerances to the offered drug",
}
"""What the answer so far says, for the parts that come after, and what is of one offered drug."""


def test_every_fact_of_the_vocabulary_has_a_reader() -> None:
    knowledge = packaged_knowledge()
    facts, _ = FactReader(knowledge).read(
        Supplied(PatientRecord.build("nobody")), date(2026, 11, 20)
    )
    assert isinstance(facts.values, LazyValues)
    assert facts.values.known_names | ONLY_WITH_AN_ORDER | WITHIN_AN_ANSWER == set(
        knowledge.vocabulary.names
    )


def test_a_draft_order_brings_its_own_facts() -> None:
    facts, _ = FactReader(packaged_knowledge()).read(
        Supplied(PatientRecord.build("nobody"), frozenset({"medications"})), date(2026, 11, 20)
    )
    order = OrderedMedication(
        "MedicationRequest/1",
        "a drug",
        ("drug",),
        frozenset({"drug"}),
        DoseTaken(None, None),
        {},
        food="with food",
        crushed=False,
    )
    flags = {
        "ordered dose above the label": True,
        "ordered dose off the ladder": False,
        "ordered dose skips the lead-in": False,
        "ordered first dose of another jurisdiction": False,
        "ordered first dose below the start": False,
        "ordered drug not approved": False,
        "ordered drug approval to be checked": False,
        "ordered drug without dosing": False,
        "ordered switch": False,
        "ordered beside a held ALK inhibitor": False,
        "ordered look-alike": False,
        "ordered drug already taken": False,
        "ordered drug ended unexplained": False,
        "ordered drug failed before": False,
        "ordered drug intolerance explained": False,
        "ordered drug intolerance unexplained": False,
        "ordered drug not tolerated before": False,
        "ordered dose without its division": False,
        "ordered drug not approved here": False,
        "ordered drug drafted twice": False,
        "ordered drug on hold unexplained": False,
    }
    view = WithOrder(facts, order, flags)
    found = {name for name in ONLY_WITH_AN_ORDER if view.find(name) is not None}
    assert found == ONLY_WITH_AN_ORDER - {"ordered daily dose"}


def test_a_fact_without_a_value_is_answered_by_what_the_caller_gives_instead() -> None:
    facts = LazyValues({"there": lambda: Statements(()), "absent": lambda: None})

    assert facts.get("there", None) == Statements(())
    assert facts.get("absent") is None
    assert facts.get("absent", "instead") == "instead"
