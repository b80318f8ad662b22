"""What an order for an ALK inhibitor names: the product, the pieces, the supply."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.alk import Dose
from cds_service.cards.medication_orders import (
    OrderContext,
    new_order,
    reason_for_order,
    steps_for,
    supply_of,
    with_dose,
)
from tests.alk.patients import knowledge

DAY = date(2026, 11, 20)
CONTEXT = OrderContext("p", "Practitioner/a", "e1")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def _dose(drug: str, amount: str, per_day: int, lead_in: str | None = None) -> Dose:
    return Dose(drug, Decimal(amount), per_day, None, Decimal(lead_in) if lead_in else None)


def _ordered(dose: Dose) -> dict[str, Any]:
    reason = reason_for_order(knowledge().codes)
    order = new_order(knowledge().drugs[dose.drug].drug, dose, DAY, CONTEXT, reason)
    assert order is not None
    return order


@pytest.mark.parametrize(
    ("dose", "product", "texts", "quantity"),
    [
        (_dose("alectinib", "600", 2), "Alectinib 150 MG Oral Capsule",
         ["600 mg (4 capsules) by mouth twice daily with food"], (240, "CAP")),
        (_dose("alectinib", "450", 2), "Alectinib 150 MG Oral Capsule",
         ["450 mg (3 capsules) by mouth twice daily with food"], (180, "CAP")),
        (_dose("lorlatinib", "100", 1), "lorlatinib 100 MG Oral Tablet",
         ["100 mg (1 tablet) by mouth once daily"], (30, "TAB")),
        (_dose("lorlatinib", "75", 1), "lorlatinib 25 MG Oral Tablet",
         ["75 mg (3 tablets) by mouth once daily"], (90, "TAB")),
        # Both steps can be made of the one product: 7 days of one and 23 days of two.
        (_dose("brigatinib", "180", 1, "90"), "Brigatinib 90 MG Oral Tablet",
         ["90 mg (1 tablet) by mouth once daily for 7 days",
          "180 mg (2 tablets) by mouth once daily"], (53, "TAB")),
        (_dose("brigatinib", "180", 1), "Brigatinib 180 MG Oral Tablet",
         ["180 mg (1 tablet) by mouth once daily"], (30, "TAB")),
        (_dose("brigatinib", "120", 1), "Brigatinib 30 MG Oral Tablet",
         ["120 mg (4 tablets) by mouth once daily"], (120, "TAB")),
    ],
    ids=lambda value: f"{value.drug}-{value.amount_mg}" if isinstance(value, Dose) else "",
)  # fmt: skip
def test_the_product_makes_up_every_step(
    dose: Dose, product: str, texts: list[str], quantity: tuple[int, str]
) -> None:
    order = _ordered(dose)
    coding = order["medicationCodeableConcept"]["coding"][0]
    assert coding["system"] == RXNORM
    # Some clients show the text as the name of the drug: it names the ingredient once.
    assert order["medicationCodeableConcept"]["text"] == coding["display"]
    assert coding["display"].lower() == product.lower()
    assert [step["text"] for step in order["dosageInstruction"]] == texts
    supply = order["dispenseRequest"]
    assert (supply["quantity"]["value"], supply["quantity"]["code"]) == quantity
    assert supply["expectedSupplyDuration"]["value"] == 30


def test_a_new_order_is_complete() -> None:
    order = _ordered(_dose("alectinib", "600", 2))
    assert order["status"] == "draft"
    assert order["intent"] == "order"
    assert order["subject"] == {"reference": "Patient/p"}
    assert order["requester"] == {"reference": "Practitioner/a"}
    assert order["encounter"] == {"reference": "Encounter/e1"}
    assert order["authoredOn"] == "2026-11-20"
    assert order["reasonCode"][0]["coding"][0]["code"] == "254637007"
    step = order["dosageInstruction"][0]
    assert step["timing"]["repeat"]["frequency"] == 2
    assert step["doseAndRate"][0]["doseQuantity"]["value"] == 600
    assert step["route"]["coding"][0]["code"] == "26643006"
    assert step["additionalInstruction"] == [{"text": "with food"}]
    assert order["dispenseRequest"]["numberOfRepeatsAllowed"] == 0


def test_two_strengths_in_one_dose_are_named_and_not_counted() -> None:
    drug = knowledge().drugs["ensartinib"].drug
    steps = steps_for(drug, _dose("ensartinib", "225", 1))
    assert steps[0].pieces is None
    assert steps[0].made_of == "2 capsules of 100 mg and 1 capsule of 25 mg"
    assert supply_of(steps, 30).pieces is None


def test_no_dose_above_the_label_becomes_an_order() -> None:
    with pytest.raises(ValueError, match="above the label"):
        steps_for(knowledge().drugs["alectinib"].drug, _dose("alectinib", "750", 2))


def _draft(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "d",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "2103170"}]},
        "subject": {"reference": "Patient/p"},
        "dosageInstruction": [{"text": "100 mg once daily"}],
        "note": [{"text": "as discussed"}],
        **more,
    }


def _lowered(draft: dict[str, Any]) -> dict[str, Any]:
    return with_dose(draft, knowledge().drugs["lorlatinib"].drug, _dose("lorlatinib", "75", 1))


def _clinical_drug(strength: int) -> str:
    products = knowledge().drugs["lorlatinib"].drug.products
    (code,) = [item.clinical_drug for item in products if item.strength_mg == strength]
    assert code is not None
    return code.code


def test_a_product_that_cannot_make_up_the_new_dose_is_replaced() -> None:
    concept = {"coding": [{"system": RXNORM, "code": _clinical_drug(100)}]}
    changed = _lowered(_draft(medicationCodeableConcept=concept))
    (coding,) = changed["medicationCodeableConcept"]["coding"]
    assert coding["code"] == _clinical_drug(25)


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": "urn:oid:1.2.3", "code": "lorlatinib"}], "text": "lorlatinib"},
        {"text": "lorlatinib"},
        {"coding": [{"system": RXNORM, "code": "25-mg"}]},
    ],
    ids=["a code of the site", "text", "the right strength"],
)
def test_any_other_product_stays_as_the_ehr_sent_it(concept: dict[str, Any]) -> None:
    if concept.get("coding", [{}])[0].get("code") == "25-mg":
        concept = {"coding": [{"system": RXNORM, "code": _clinical_drug(25)}]}
    changed = _lowered(_draft(medicationCodeableConcept=concept))
    assert changed["medicationCodeableConcept"] == concept


@pytest.mark.parametrize(
    ("dispense", "left"),
    [
        ({"quantity": {"value": 30}, "numberOfRepeatsAllowed": 2}, {"numberOfRepeatsAllowed": 2}),
        ({"quantity": {"value": 30}}, None),
        ({"numberOfRepeatsAllowed": 2}, {"numberOfRepeatsAllowed": 2}),
        ({"quantity": {"value": 30}, "expectedSupplyDuration": {"value": 0, "code": "d"}},
         {"expectedSupplyDuration": {"value": 0, "code": "d"}}),
        ({"quantity": {"value": 30}, "expectedSupplyDuration": {"value": 1, "code": "mo"}},
         {"expectedSupplyDuration": {"value": 1, "code": "mo"}}),
    ],
    ids=["no days", "nothing else", "no quantity", "zero days", "months"],
)  # fmt: skip
def test_a_quantity_whose_days_are_not_known_is_taken_out(
    dispense: dict[str, Any], left: dict[str, Any] | None
) -> None:
    assert _lowered(_draft(dispenseRequest=dispense)).get("dispenseRequest") == left


@pytest.mark.parametrize(
    ("duration", "pieces"),
    [({"value": 30, "code": "d"}, 90), ({"value": 4, "unit": "weeks"}, 84)],
)
def test_a_quantity_is_counted_again_for_the_days_of_the_draft(
    duration: dict[str, Any], pieces: int
) -> None:
    dispense = {"quantity": {"value": 30}, "expectedSupplyDuration": duration}
    changed = _lowered(_draft(dispenseRequest=dispense))["dispenseRequest"]
    assert changed["quantity"]["value"] == pieces
    assert changed["expectedSupplyDuration"] == duration


def test_everything_else_of_a_draft_stays() -> None:
    draft = _draft()
    changed = _lowered(draft)
    assert {name for name in changed if changed[name] != draft[name]} == {"dosageInstruction"}
