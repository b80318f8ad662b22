"""Odd but valid resources that must be read, and a list of those that must not be.

Every case is one shape seen in real data or allowed by FHIR R4. Where nothing is expected, the fact
has to stay unknown: a number that might be another one is worse than none.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.facts.records import (
    Json,
    condition,
    day,
    dosage,
    facts_of,
    laboratory,
    medication,
    numbers,
    stated,
)

LOINC = "http://loinc.org"
ALT = {"coding": [{"system": LOINC, "code": "1742-6"}]}
OLDER = laboratory("ALT", 30, 9)


def quantity(value: object, **more: object) -> Json:
    return {"value": value, "unit": "U/L", **more}


# What is put into a result of ALT, and the values that come out, newest first.
READ: dict[str, tuple[Json, list[str]]] = {
    "a number as text": ({"valueQuantity": quantity("62")}, ["62"]),
    "digits after the point": ({"valueQuantity": quantity(62.50)}, ["62.5"]),
    "an exponent": ({"valueQuantity": quantity(6.2e1)}, ["62"]),
    "a number in a string": ({"valueQuantity": None, "valueString": "62 U/L"}, ["62"]),
    "a bound in a string": ({"valueQuantity": None, "valueString": "<5 U/L"}, ["5"]),
    "a bound inside the value": ({"valueQuantity": quantity(">1000")}, ["1000"]),
    "an integer has no unit": ({"valueQuantity": None, "valueInteger": 62}, ["?"]),
    "a UCUM code and words as unit": (
        {"valueQuantity": {"value": 62, "unit": "units per litre", "code": "U/L",
                           "system": "http://unitsofmeasure.org"}}, ["62"]),
    "UCUM under its OID": (
        {"valueQuantity": {"value": 62, "code": "U/L",
                           "system": "urn:oid:2.16.840.1.113883.6.8"}}, ["62"]),
    "microkatal with the Greek letter": (
        {"valueQuantity": {"value": 2, "unit": "\u03bckat/L"}}, ["120"]),
    "a zone": ({"effectiveDateTime": f"{day(3)}T08:00:00+02:00"}, ["62"]),
    "no seconds and no zone": ({"effectiveDateTime": f"{day(3)}T08:00"}, ["62"]),
    "a day only": ({"effectiveDateTime": day(3)}, ["62"]),
    "a period": ({"effectiveDateTime": None, "effectivePeriod": {"end": day(3)}}, ["62"]),
    "an instant": (
        {"effectiveDateTime": None, "effectiveInstant": f"{day(3)}T08:00:00Z"}, ["62"]),
    "issued only": ({"effectiveDateTime": None, "issued": f"{day(3)}T08:00:00Z"}, ["62"]),
    "a blank behind the status": ({"status": "final "}, ["62"]),
    "a status in capitals": ({"status": "FINAL"}, ["62"]),
    "a category as an object": ({"category": {"coding": [{"code": "laboratory"}]}}, ["62"]),
    "two codings": (
        {"code": {"coding": [{"system": "urn:oid:1.2", "code": "9"}, ALT["coding"][0]]}}, ["62"]),
    "LOINC with a slash, a version and https": (
        {"code": {"coding": [{"system": "https://loinc.org/|2.77", "code": "1742-6"}]}}, ["62"]),
    "LOINC under its OID": (
        {"code": {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "1742-6"}]}},
        ["62"]),
    "unknown elements and extensions": (
        {"extension": [{"url": "urn:x", "valueString": "y"}], "vendor": {"a": [1]},
         "_status": {"extension": []}}, ["62"]),
    "a panel with the result as component": (
        {"valueQuantity": None, "code": {"text": "Liver panel"},
         "component": [{"code": ALT, "valueQuantity": quantity(62)}]}, ["62"]),
    "a panel that lists its members": ({"hasMember": [{"reference": "Observation/x"}]}, ["62"]),
    "a note and an interpretation": (
        {"note": [{"text": "x"}], "interpretation": [{"coding": [{"code": "H"}]}]}, ["62"]),
    "preliminary": ({"status": "preliminary"}, ["62"]),
    "the subject as an address": (
        {"subject": {"reference": "https://ehr.example.org/fhir/Patient/p"}}, ["62"]),
    "the subject with a version": (
        {"subject": {"reference": "Patient/p/_history/3"}}, ["62"]),
}  # fmt: skip

# What must not be read as a number. "?" stays the newest result and answers nothing; without it
# the older result of 30 may answer.
NOT_READ: dict[str, tuple[Json, list[str]]] = {
    "a range": (
        {"valueQuantity": None, "valueRange": {"low": quantity(60), "high": quantity(70)}},
        ["?", "30"]),
    "a ratio": (
        {"valueQuantity": None,
         "valueRatio": {"numerator": quantity(62), "denominator": {"value": 1}}}, ["?", "30"]),
    "an unknown comparator": ({"valueQuantity": quantity(62, comparator="ad")}, ["?", "30"]),
    "two comparators": ({"valueQuantity": quantity("<62", comparator=">")}, ["?", "30"]),
    "a comma": ({"valueQuantity": None, "valueString": "62,5"}, ["?", "30"]),
    "a span in words": ({"valueQuantity": None, "valueString": "60-70"}, ["?", "30"]),
    "another unit": ({"valueQuantity": {"value": 62, "unit": "mg/dL"}}, ["?", "30"]),
    "no unit": ({"valueQuantity": {"value": 62}}, ["?", "30"]),
    "a code and a unit that disagree": (
        {"valueQuantity": {"value": 62, "unit": "ukat/L", "code": "U/L",
                           "system": "http://unitsofmeasure.org"}}, ["?", "30"]),
    "haemolysed": ({"valueQuantity": None, "valueString": "HEMOLYZED"}, ["30"]),
    "a flag only": (
        {"valueQuantity": None, "interpretation": [{"coding": [{"code": "HH"}]}]}, ["?", "30"]),
    "a flag in words only": (
        {"valueQuantity": None, "interpretation": [{"text": "Critically high"}]}, ["?", "30"]),
    "a word for a number": ({"valueQuantity": None, "valueString": "elevated"}, ["?", "30"]),
    "a flag that says normal": (
        {"valueQuantity": None, "interpretation": [{"coding": [{"code": "N"}]}]}, ["30"]),
    "a flag beside an absent value": (
        {"dataAbsentReason": {"coding": [{"code": "error"}]},
         "interpretation": [{"coding": [{"code": "H"}]}]}, ["?", "30"]),
    "absent with a reason": (
        {"dataAbsentReason": {"coding": [{"code": "error"}]}}, ["30"]),
    "not a number": ({"valueQuantity": quantity("NaN")}, ["30"]),
    "a year only": ({"effectiveDateTime": "2026"}, ["30"]),
    "a month only": ({"effectiveDateTime": "2026-11"}, ["30"]),
    "no such day": ({"effectiveDateTime": "2026-11-31"}, ["30"]),
    "a day to come": ({"effectiveDateTime": day(-1)}, ["30"]),
    "a code without system": ({"code": {"coding": [{"code": "1742-6"}]}}, ["30"]),
    "a code of another system": (
        {"code": {"coding": [{"system": "urn:oid:1.2", "code": "1742-6"}]}}, ["30"]),
    "a name without code": ({"code": {"text": "ALT"}}, ["30"]),
    "in error": ({"status": "entered-in-error"}, ["30"]),
    "in error, with a blank": ({"status": "entered-in-error "}, ["30"]),
    "cancelled": ({"status": "cancelled"}, ["30"]),
    "an unknown status": ({"status": "bogus"}, ["30"]),
    "no status": ({"status": None}, ["30"]),
    "of somebody else": ({"subject": {"reference": "Patient/other"}}, ["30"]),
    "of nobody": ({"subject": None}, ["30"]),
    "of a group": ({"subject": {"reference": "Group/p"}}, ["30"]),
}  # fmt: skip


def sent(changes: Json) -> Json:
    merged = {**laboratory("ALT", 62), **changes}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.mark.parametrize("case", READ, ids=str)
def test_odd_but_valid_results_are_read(case: str) -> None:
    changes, expected = READ[case]
    assert numbers(facts_of(sent(changes)), "ALT") == expected


@pytest.mark.parametrize("case", NOT_READ, ids=str)
def test_what_might_be_another_number_is_not_read(case: str) -> None:
    changes, expected = NOT_READ[case]
    assert numbers(facts_of(sent(changes), OLDER), "ALT") == expected


def test_one_result_from_two_systems_counts_once() -> None:
    here = laboratory("ALT", 120, clock="T08:00:00Z")
    there = laboratory("ALT", 2, unit="ukat/L", high=None, clock="T10:00:00+02:00")
    there["referenceRange"] = [{"high": {"value": 40, "unit": "U/L"}}]
    assert numbers(facts_of(here, there), "ALT") == ["120"]


def test_members_of_a_panel_stand_for_themselves() -> None:
    member = laboratory("ALT", 62)
    panel = laboratory("ALT", None, code={"text": "Panel"})
    panel["hasMember"] = [{"reference": f"Observation/{member['id']}"}]
    assert numbers(facts_of(panel, member), "ALT") == ["62"]


BRAND = "http://www.nlm.nih.gov/research/umls/rxnorm"


def drug(**changes: Any) -> Json:
    order = medication(code="1727455", dose=dosage(600, 2))
    return {name: value for name, value in {**order, **changes}.items() if value is not None}


CONTAINED = {"resourceType": "Medication", "id": "m",
             "code": {"coding": [{"system": BRAND, "code": "1727455"}]}}  # fmt: skip

TAKEN: dict[str, tuple[Json, bool]] = {
    "by code": ({}, True),
    "a contained product": (
        {"medicationCodeableConcept": None, "contained": [CONTAINED],
         "medicationReference": {"reference": "#m"}}, True),
    "the display of a reference": (
        {"medicationCodeableConcept": None,
         "medicationReference": {"display": "ALECTINIB 150 MG PO CAPS"}}, True),
    "R5": (
        {"medicationCodeableConcept": None,
         "medication": {"concept": CONTAINED["code"]}}, True),
    "a plan that the patient reports": ({"intent": "plan", "reportedBoolean": True}, True),
    "the status in capitals": ({"status": "ACTIVE"}, True),
    "a plan": ({"intent": "plan"}, False),
    "a proposal": ({"intent": "proposal"}, False),
    "an option of a tumour board": ({"intent": "option", "status": "draft"}, False),
    "in error": ({"status": "entered-in-error"}, False),
    "cancelled": ({"status": "cancelled"}, False),
    "not to be given": ({"doNotPerform": True}, False),
    "of somebody else": ({"subject": {"reference": "Patient/other"}}, False),
    "an empty concept": ({"medicationCodeableConcept": {}}, False),
    "a code without system": (
        {"medicationCodeableConcept": {"coding": [{"code": "1727455"}]}}, False),
    "starts in the future": ({"authoredOn": day(-9)}, False),
    "a misspelt name": ({"medicationCodeableConcept": {"text": "alectinb"}}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN, ids=str)
def test_a_medication_is_a_treatment_line_or_is_not(case: str) -> None:
    changes, expected = TAKEN[case]
    lines = facts_of(drug(**changes)).lines
    assert [line.ingredient for line in lines] == (["alectinib"] if expected else [])


SYSTEM = "http://terminology.hl7.org/CodeSystem/condition-"

STATED: dict[str, tuple[Json, str | None]] = {
    "confirmed": ({}, "present"),
    "no verification": ({"verificationStatus": None}, "present"),
    "refuted": (
        {"verificationStatus": {"coding": [{"system": f"{SYSTEM}ver-status", "code": "refuted"}]}},
        "absent"),
    "in error": (
        {"verificationStatus": {"coding": [{"system": f"{SYSTEM}ver-status",
                                            "code": "entered-in-error"}]}}, None),
    "of somebody else": ({"subject": {"reference": "Patient/other"}}, None),
    "no code": ({"code": None}, None),
    "its exact name only": ({"code": {"text": "Haemolysis"}}, "present"),
    "other words only": ({"code": {"text": "no haemolysis"}}, None),
    "its name with a question mark": ({"code": {"text": "haemolysis?"}}, None),
}  # fmt: skip


@pytest.mark.parametrize("case", STATED, ids=str)
def test_a_condition_states_something_or_nothing(case: str) -> None:
    changes, expected = STATED[case]
    merged = {**condition("haemolysis"), **changes}
    found = facts_of({name: value for name, value in merged.items() if value is not None})
    assert stated(found, "haemolysis") == expected
