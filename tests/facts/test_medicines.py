"""Medications: what they are, lines of ALK inhibitors with doses, and draft orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from cds_service.facts import PatientFacts, TreatmentLine
from cds_service.rules import Collection, Events
from tests.facts.records import (
    RXNORM,
    Json,
    coded,
    day,
    dosage,
    facts_of,
    medication,
    read,
    resource,
    stated,
    table,
)

ALECTINIB, METOPROLOL, PEMBROLIZUMAB = "1727455", "6918", "1547545"


def _taken(facts: PatientFacts, name: str = "medications") -> Collection:
    found = facts.find(name)
    assert isinstance(found, Collection)
    return found


def _line(*resources: Json) -> TreatmentLine:
    (line,) = facts_of(*resources).lines
    return line


@pytest.mark.parametrize("row", table("medications.tsv"), ids=lambda row: row["says"])
def test_a_medication_is_what_its_code_or_exact_name_says(row: dict[str, str]) -> None:
    system, _, code = row["code"].rpartition("#")
    found = facts_of(
        medication(code=code or None, system=system or RXNORM, text=row["text"] or None)
    )
    names = {name for item in _taken(found).items for name in item.names}
    if "skin only" in row["says"]:
        assert "strong CYP3A inhibitor" not in names
        return
    assert ";".join(sorted(names)) == row["names"]


def test_a_draft_order_is_identified_like_a_medication() -> None:
    draft = medication(code=ALECTINIB, status="draft", dose=dosage(600, 2))
    facts, (order,) = read(drafts=[draft])
    assert order.ingredients == ("alectinib",)
    assert order.names == {
        "alectinib", "ALK inhibitor", "generation 2", "generation 2 or later",
    }  # fmt: skip
    assert (order.dose.amount_mg, order.dose.per_day) == (600, 2)
    assert order.reference == f"MedicationRequest/{draft['id']}"
    assert order.resource == draft
    assert facts.lines == ()


def test_an_unrecognised_draft_says_so() -> None:
    _, (order,) = read(drafts=[medication(text="alectinb", status="draft")])
    assert not order.identified
    assert order.ingredients == ()


STATUSES = [
    ("active", "active"),
    ("on-hold", "paused"),
    ("stopped", "ended"),
    ("completed", "ended"),
    ("cancelled", None),
    ("entered-in-error", None),
    ("draft", None),
    ("unknown", None),
]


@pytest.mark.parametrize(("status", "expected"), STATUSES)
def test_the_status_of_an_order_is_the_status_of_its_line(
    status: str, expected: str | None
) -> None:
    facts = facts_of(medication(code=ALECTINIB, status=status, dose=dosage(600, 2)))
    line = facts.line("alectinib")
    assert (line.status if line else None) == expected
    for name, word in (("active", "active"), ("paused", "paused"), ("prior", "ended")):
        listed = [item.label for item in _taken(facts, f"{name} ALK inhibitors").items]
        assert listed == (["alectinib"] if word == expected else [])
    assert (len(_taken(facts).items) == 1) is (status == "active")


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({"intent": "order"}, True),
        ({"intent": "original-order"}, True),
        ({"intent": "proposal"}, False),
        ({"intent": "option"}, False),
        ({"intent": "plan"}, False),
        ({"intent": "plan", "reportedBoolean": True}, True),
        ({"doNotPerform": True}, False),
        ({"start": -2}, False),
        ({"start": 0}, True),
        ({"patient": "somebody-else"}, False),
    ],
)
def test_only_real_orders_of_this_patient_count(more: dict[str, object], counts: bool) -> None:
    facts = facts_of(medication(code=ALECTINIB, dose=dosage(600, 2), **more))
    assert bool(facts.lines) is counts
    assert bool(_taken(facts).items) is counts


def test_a_line_holds_all_orders_of_a_drug_and_its_dose_by_day() -> None:
    line = _line(
        medication(code=ALECTINIB, status="stopped", start=200, dose=dosage(600, 2)),
        medication(code=ALECTINIB, status="active", start=40, dose=dosage(450, 2)),
        medication(text="Alecensa", status="stopped", start=90, dose=dosage(600, 2)),
    )
    assert [order.start.isoformat() for order in line.orders if order.start] == [
        day(200), day(90), day(40),
    ]  # fmt: skip
    assert (line.status, line.start) == ("active", date.fromisoformat(day(200)))
    doses = {ago: line.dose_on(date.fromisoformat(day(ago))) for ago in (201, 200, 41, 40, 0)}
    assert doses[201] is None
    found = {ago: dose.daily_mg for ago, dose in doses.items() if dose is not None}
    assert found == {200: 1200, 41: 1200, 40: 900, 0: 900}
    assert line.current_dose is not None
    assert line.current_dose.amount_mg == 450


DOSES = [
    (dosage(600, 2), "600", "2"),
    (dosage(4, 2, "capsule"), "600", "2"),
    (dosage(600, None), "600", None),
    ({"text": "as directed"}, None, None),
    (None, None, None),
    ({"text": "4 capsules (600 mg) twice daily with food"}, "600", "2"),
]


@pytest.mark.parametrize(("dose", "amount", "per_day"), DOSES)
def test_a_dose_is_read_or_left_unknown(
    dose: Json | None, amount: str | None, per_day: str | None
) -> None:
    order = _line(medication(code="1727479", dose=dose)).orders[0]
    assert order.dose.amount_mg == (Decimal(amount) if amount else None)
    assert order.dose.per_day == (Decimal(per_day) if per_day else None)


def test_capsules_of_a_drug_with_one_strength_are_counted_and_of_others_not() -> None:
    one = _line(medication(code=ALECTINIB, dose=dosage(4, 2, "capsule"))).orders[0]
    assert one.dose.amount_mg == 600
    several = _line(medication(code="1148495", dose=dosage(1, 2, "capsule"))).orders[0]
    assert several.dose.amount_mg is None


def test_a_lead_in_leads_to_the_dose_that_counts() -> None:
    request = medication(code="1921217")
    request["dosageInstruction"] = [
        {**dosage(90, 1), "sequence": 1},
        {**dosage(180, 1), "sequence": 2},
    ]
    order = _line(request).orders[0]
    assert order.dose.amount_mg == 180


def test_a_statement_of_the_patient_counts_as_the_same_drug() -> None:
    said = resource(
        "MedicationStatement",
        {
            "status": "active",
            "medicationCodeableConcept": {"text": "Alecensa"},
            "effectivePeriod": {"start": day(100)},
        },
    )
    line = _line(said, medication(code=ALECTINIB, start=90, dose=dosage(600, 2)))
    assert len(line.orders) == 2
    assert line.start == date.fromisoformat(day(100))


SLOWING = [
    ((), "none"),
    ((("active", 300, None),), "active"),
    ((("stopped", 300, 0),), "adjusted"),
    ((("stopped", 300, 30),), "adjusted"),
    ((("stopped", 300, 31),), "none"),
    ((("stopped", 300, None),), None),
    ((("stopped", 300, 200), ("active", 20, None)), "active"),
    ((("on-hold", 300, None),), "adjusted"),
]


@pytest.mark.parametrize(("orders", "expected"), SLOWING)
def test_a_contributing_medication_is_taken_adjusted_none_or_not_known(
    orders: tuple[tuple[str, int, int | None], ...], expected: str | None
) -> None:
    resources = [
        medication(code=METOPROLOL, status=status, start=start, end=end)
        for status, start, end in orders
    ]
    assert stated(facts_of(*resources), "contributing medication") == expected


def test_what_lowers_blood_pressure_is_a_cause_too_named_after_what_slows_the_heart() -> None:
    ramipril = medication(text="Ramipril 5 mg tablet", start=300)
    assert stated(facts_of(ramipril), "contributing medication") == "active"
    stopped = medication(text="Amlodipin 5 mg", status="stopped", start=300, end=10)
    assert stated(facts_of(stopped), "contributing medication") == "adjusted"
    found = facts_of(ramipril, medication(code=METOPROLOL, start=200))
    (said,) = found.find("contributing medication").statements  # type: ignore[union-attr]
    assert said.as_sent.casefold().startswith("metoprolol")


def test_without_the_whole_list_no_contributing_medication_is_not_none() -> None:
    facts = facts_of(complete={"conditions"})
    assert stated(facts, "contributing medication") is None
    assert not _taken(facts).complete
    assert not _taken(facts, "active ALK inhibitors").complete


@pytest.mark.parametrize(
    ("status", "start", "end", "days_ago"),
    [
        ("active", 200, None, 0),
        ("stopped", 200, 20, 20),
        ("completed", 200, None, 200),
        ("cancelled", 200, None, None),
        ("stopped", -4, None, None),
    ],
)
def test_immunotherapy_counts_to_the_last_day_it_may_have_been_given(
    status: str, start: int, end: int | None, days_ago: int | None
) -> None:
    facts = facts_of(medication(code=PEMBROLIZUMAB, status=status, start=start, end=end))
    found = facts.find("checkpoint inhibitor")
    assert isinstance(found, Events)
    assert [(facts.as_of - item.day).days for item in found.events] == (
        [] if days_ago is None else [days_ago]
    )


def test_tests_on_request_are_known_by_code() -> None:
    request = resource(
        "ServiceRequest", {"status": "active", "intent": "order", "code": coded("brain MRI")}
    )
    assert facts_of(request).requested_tests
    assert not facts_of({**request, "status": "revoked"}).requested_tests
    assert not facts_of({**request, "doNotPerform": True}).requested_tests


def test_nothing_of_the_patient_stands_in_a_printed_fact() -> None:
    facts = facts_of(medication(text="alectinib for Jane Example", dose=dosage(600, 2)))
    assert "Jane" not in repr(facts)
