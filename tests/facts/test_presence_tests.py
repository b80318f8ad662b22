"""hCG as evidence of pregnancy, and what the laboratory says of haemolysis."""

from __future__ import annotations

import pytest

from tests.facts.records import (
    Json,
    coded,
    day,
    facts_of,
    knowledge,
    laboratory,
    observation,
    person,
    resource,
    stated,
)

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
QUALITATIVE = [code.code for code in knowledge().codes.value_sets["hCG qualitative"].codes]
QUANTITATIVE = [code.code for code in knowledge().codes.analytes["hCG"].codes]


def hcg(code: str, days_ago: int = 2, **body: object) -> Json:
    return resource(
        "Observation",
        {
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "effectiveDateTime": day(days_ago),
            **body,
        },
    )


def measured(value: object, unit: str = "mIU/mL", high: object = 5, **more: object) -> Json:
    quantity = {"value": value, "unit": unit, **more}
    ranges = [] if high is None else [{"high": {"value": high, "unit": unit}}]
    return {"valueQuantity": quantity, "referenceRange": ranges}


def flag(code: str) -> Json:
    return {"coding": [{"system": INTERPRETATION, "code": code}]}


def pregnancy(*resources: Json) -> str | None:
    return stated(facts_of(*resources), "pregnancy")


@pytest.mark.parametrize("code", QUALITATIVE)
def test_a_pregnancy_test_says_positive_or_negative(code: str) -> None:
    assert pregnancy(hcg(code, valueCodeableConcept=coded("answer positive"))) == "present"
    assert pregnancy(hcg(code, valueCodeableConcept=coded("answer negative"))) == "absent"


@pytest.mark.parametrize("code", QUANTITATIVE)
def test_a_number_is_judged_by_its_own_limit(code: str) -> None:
    assert pregnancy(hcg(code, **measured(2400))) == "present"
    assert pregnancy(hcg(code, **measured(2))) == "absent"
    assert pregnancy(hcg(code, **measured(2400, high=None))) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"valueString": "Positive"}, "present"),
        ({"valueString": " negative "}, "absent"),
        ({"valueString": "positive control valid"}, None),
        ({"valueString": "pending"}, None),
        ({"valueCodeableConcept": {"text": "Not detected"}}, "absent"),
        ({"interpretation": [flag("POS")]}, "present"),
        ({"interpretation": [flag("NEG")]}, "absent"),
        (measured(1000, comparator=">"), "present"),
        (measured(5, comparator="<"), "absent"),
        (measured(5, comparator="<", high=2), None),
        (measured(3, comparator=">"), None),
        (measured(5), "absent"),
        (measured(-1), None),
        ({**measured(2400, high=None), "interpretation": [flag("H")]}, "present"),
        ({**measured(2), "interpretation": [flag("H")]}, None),
        ({**measured(9, unit="ng/mL", high=1)}, "present"),
        ({"valueQuantity": {"value": 9, "unit": "ng/mL"},
          "referenceRange": [{"high": {"value": 5, "unit": "mIU/mL"}}]}, None),
        ({"valueQuantity": {"value": 9, "unit": "mIU/mL"},
          "referenceRange": [{"high": {"value": 5, "unit": "mIU/mL"}, "text": ">5"}]}, None),
    ],
)  # fmt: skip
def test_the_forms_in_which_the_answer_comes(body: Json, expected: str | None) -> None:
    assert pregnancy(hcg("21198-7", **body)) == expected


def test_of_a_man_hcg_is_a_tumour_marker() -> None:
    assert pregnancy(person("male"), hcg("21198-7", **measured(2400))) is None


def test_a_test_that_is_withdrawn_undated_or_of_the_future_says_nothing() -> None:
    positive = {"valueCodeableConcept": coded("answer positive")}
    assert pregnancy(hcg("2118-8", status="entered-in-error", **positive)) is None
    assert pregnancy(hcg("2118-8", **{**positive, "effectiveDateTime": None})) is None
    assert pregnancy(hcg("2118-8", -2, **positive)) is None


def test_the_newest_of_test_and_statement_leads() -> None:
    positive = hcg("2118-8", 2, valueCodeableConcept=coded("answer positive"))
    said = observation("pregnancy status", 20, valueCodeableConcept={"text": "not pregnant"})
    assert pregnancy(positive, said) == "present"


@pytest.mark.parametrize("code", ["25373-2", "32166-1", "29154-2"])
def test_free_beta_subunits_and_other_fluids_are_no_pregnancy_test(code: str) -> None:
    assert pregnancy(hcg(code, **measured(2400))) is None


# -- haemolysis -----------------------------------------------------------------------------------


def haptoglobin(value: object, days_ago: int = 3, **more: object) -> Json:
    limits = [{"low": {"value": 30, "unit": "mg/dL"}, "high": {"value": 200, "unit": "mg/dL"}}]
    body = {"referenceRange": limits, **more}
    return laboratory("haptoglobin", value, days_ago, unit="mg/dL", **body)


def ldh(value: object, days_ago: int = 3, high: object = 250) -> Json:
    return laboratory("LDH", value, days_ago, high=high)


def reticulocytes(value: object, days_ago: int = 3) -> Json:
    return laboratory("reticulocytes", value, days_ago, unit="10*9/L", high=100)


def coombs(answer: str, days_ago: int = 3) -> Json:
    value = coded(f"answer {answer}")
    return observation("direct antiglobulin test", days_ago, valueCodeableConcept=value)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([haptoglobin(8), ldh(600)], "present"),
        ([haptoglobin(8), reticulocytes(220)], "present"),
        ([haptoglobin(8), coombs("positive")], "present"),
        ([haptoglobin(8)], None),
        ([haptoglobin(8), ldh(200)], None),
        ([haptoglobin(8), ldh(600, high=None)], None),
        ([haptoglobin(8), ldh(600, 40)], None),
        ([haptoglobin(8, referenceRange=[]), ldh(600)], None),
        ([haptoglobin(8, referenceRange=[], interpretation=[flag("L")]), ldh(600)], "present"),
        ([ldh(600), reticulocytes(220), coombs("positive")], None),
        ([haptoglobin(120), ldh(200)], "absent"),
        ([haptoglobin(120), reticulocytes(60), ldh(200)], "absent"),
        ([haptoglobin(120), ldh(600)], None),
        ([haptoglobin(120), ldh(600), reticulocytes(60)], None),
        ([haptoglobin(120), ldh(200), coombs("positive")], None),
        ([haptoglobin(120), coombs("negative")], None),
        ([haptoglobin(120), ldh(-1)], None),
        ([haptoglobin(-1), ldh(600)], None),
        ([haptoglobin(8), haptoglobin(120), ldh(600)], None),
        ([haptoglobin(8, 9), haptoglobin(120, 3), ldh(200)], "absent"),
    ],
)
def test_what_the_laboratory_says_of_haemolysis(results: list[Json], expected: str | None) -> None:
    assert stated(facts_of(*results), "haemolysis in the laboratory") == expected


def test_haptoglobin_below_what_can_be_measured_is_low() -> None:
    sent = haptoglobin(10)
    sent["valueQuantity"]["comparator"] = "<"
    assert stated(facts_of(sent, ldh(600)), "haemolysis in the laboratory") == "present"


# -- ECG ------------------------------------------------------------------------------------------


def interval(code: str, value: object, unit: str) -> Json:
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
    }


@pytest.mark.parametrize("panel", ["34534-8", "11524-6", "8601-7", "45033-8"])
def test_intervals_and_rate_are_read_from_an_ecg_panel(panel: str) -> None:
    parts = [interval("76634-5", 508, "ms"), interval("8625-6", 0.21, "s"),
             interval("8867-4", 48, "/min")]  # fmt: skip
    facts = facts_of(hcg(panel, component=parts))
    found = {name: facts.find(name) for name in ("QTc", "PR interval", "heart rate")}
    values = {name: str(item.measurements[0].value) for name, item in found.items()}
    assert {name: float(value) for name, value in values.items()} == {
        "QTc": 508, "PR interval": 210, "heart rate": 48,
    }  # fmt: skip
    assert facts.find("electrocardiogram").events


def test_an_ecg_that_came_as_a_report_was_done() -> None:
    body = {"status": "final", "code": {"coding": [{"system": "http://loinc.org",
                                                    "code": "11524-6"}]}}  # fmt: skip
    dated = resource("DiagnosticReport", {**body, "effectiveDateTime": day(4)})
    planned = resource("DiagnosticReport", {**body, "status": "registered",
                                            "effectiveDateTime": day(4)})  # fmt: skip
    assert [item.day.isoformat() for item in facts_of(dated).find("electrocardiogram").events] == [
        day(4)
    ]
    assert not facts_of(planned).find("electrocardiogram").events


def test_an_empty_ecg_panel_is_no_ecg() -> None:
    assert not facts_of(hcg("34534-8")).find("electrocardiogram").events
