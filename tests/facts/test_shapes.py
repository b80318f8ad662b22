"""The shapes in which hospitals send one meaning: each has to become the same fact, or none."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.rules import Collection
from tests.facts.records import (
    Json,
    coded,
    condition,
    facts_of,
    numbers,
    observation,
    stated,
)
from tests.facts.shapes import (
    ALK_SHAPES,
    MEDICATIONS,
    SNOMED,
    TEMPTING,
    concept,
    tempting,
)


def _line(resources: list[Json]) -> str:
    facts = facts_of(*resources)
    active = facts.find("active ALK inhibitors")
    assert isinstance(active, Collection)
    if not active.complete:
        return "unclear"
    if not facts.lines:
        return "none"
    (line,) = facts.lines
    dose = line.orders[-1].dose
    amount = "?" if dose.amount_mg is None else format(dose.amount_mg.normalize(), "f")
    times = "?" if dose.per_day is None else format(dose.per_day.normalize(), "f")
    return f"{line.status} {amount} x {times}"


@pytest.mark.parametrize("shape", MEDICATIONS)
def test_a_treatment_is_read_from_every_shape(shape: str) -> None:
    resources, expected = MEDICATIONS[shape]
    assert _line(resources) == expected


@pytest.mark.parametrize("shape", MEDICATIONS)
def test_what_is_unclear_about_a_medication_is_said(shape: str) -> None:
    resources, expected = MEDICATIONS[shape]
    said = facts_of(*resources).unavailable
    assert ("medications" in said) == (expected == "unclear")


@pytest.mark.parametrize("shape", ALK_SHAPES)
def test_the_alk_status_is_read_from_every_shape(shape: str) -> None:
    resources, expected = ALK_SHAPES[shape]
    assert stated(facts_of(*resources), "ALK") == expected


@pytest.mark.parametrize("place", tempting(""))
@pytest.mark.parametrize("words", TEMPTING)
def test_words_never_make_a_positive_alk_result(place: str, words: str) -> None:
    said = stated(facts_of(*tempting(words)[place]), "ALK")
    assert said in (None, "equivocal")


# -- progression, performance status, stage, metastases ------------------------------------------

_WORSE = coded("disease worsened")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([observation("disease status", valueCodeableConcept=_WORSE)], "worse"),
        (
            [
                observation(
                    "disease status",
                    valueCodeableConcept=_WORSE,
                    focus=[{"reference": "Condition/primary"}],
                    extension=[
                        {
                            "url": "http://hl7.org/fhir/us/mcode/StructureDefinition/"
                            "mcode-cancer-disease-status-evidence-type",
                            "valueCodeableConcept": concept(SNOMED, "363679005"),
                        }
                    ],
                )
            ],
            "worse",
        ),
        ([observation("disease status", valueString="progressive disease (RECIST)")], None),
        # No code for a progression on the problem list was verified: words are not read.
        ([condition("non-small cell lung cancer", note=[{"text": "progressive disease"}])], None),
        ([], None),
    ],
    ids=["disease status", "with focus and evidence", "in words", "in a note", "absent"],
)
def test_progression_is_the_coded_disease_status(
    resources: list[Json], expected: str | None
) -> None:
    assert stated(facts_of(*resources), "disease status") == expected


def test_worse_by_another_focus_is_not_this_patient() -> None:
    child = [{"reference": "Patient/child"}]
    found = observation("disease status", valueCodeableConcept=_WORSE, focus=child)
    assert stated(facts_of(found), "disease status") is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"valueInteger": 1}, ["1"]),
        ({"valueQuantity": {"value": 1, "unit": "{score}"}}, ["1"]),
        ({"valueQuantity": {"value": 1}}, ["1"]),
        ({"valueCodeableConcept": concept("http://loinc.org", "LA9623-5")}, ["1"]),
        ({"valueCodeableConcept": {"text": "ECOG 1"}}, ["1"]),
        ({"valueString": "1"}, ["1"]),
        ({"valueString": "ECOG 1"}, ["1"]),
        ({"valueString": "ECOG performance status: 1"}, ["1"]),
        ({"valueString": "ECOG PS=0"}, ["0"]),
        ({"valueString": "ECOG 1-2"}, []),
        ({"valueString": "ECOG 1 or 2"}, []),
        ({"valueString": "KPS 90"}, []),
        ({"valueString": "good"}, []),
        ({"valueInteger": 90}, []),
        ({"valueInteger": 6}, []),
        ({"valueQuantity": {"value": 1.5}}, []),
        ({"valueInteger": 0, "interpretation": [concept("http://loinc.org", "LA9622-7")]}, ["0"]),
    ],
)
def test_the_performance_status_is_one_of_its_scale(body: Json, expected: list[str]) -> None:
    found = observation("ECOG performance status", **body)
    assert numbers(facts_of(found), "ECOG performance status") == expected


def test_a_karnofsky_value_is_not_converted() -> None:
    found = observation("Karnofsky performance status", valueInteger=90)
    assert facts_of(found).find("ECOG performance status") is None


def _secondary(code: Json, site: Json | None = None, **more: Any) -> Json:
    sites = None if site is None else [site]
    return condition("brain metastases", **{"code": code, "bodySite": sites, **more})


_ANY_SITE = concept(SNOMED, "128462008", "Secondary malignant neoplastic disease")
_BRAIN = concept(SNOMED, "12738006", "Brain structure")
_LIVER = concept(SNOMED, "10200004", "Liver structure")
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"


@pytest.mark.parametrize(
    ("found", "brain", "other"),
    [
        (_secondary(concept(SNOMED, "94225005")), "present", None),
        (_secondary(concept(_ICD, "C79.31")), "present", None),
        (_secondary(concept(_ICD, "C7931")), "present", None),
        (_secondary(_ANY_SITE, _BRAIN), "present", None),
        (_secondary(concept(_ICD, "C79.9"), _BRAIN), "present", None),
        (_secondary(_ANY_SITE, _BRAIN, verification="refuted"), "absent", None),
        (_secondary(_ANY_SITE, _BRAIN, clinical="resolved"), "absent", None),
        (_secondary(_ANY_SITE, _LIVER), None, "present"),
        (_secondary(_ANY_SITE, {"text": "Brain"}), None, "present"),
        (_secondary(_ANY_SITE), None, "present"),
        # A primary tumour of the brain is none, nor is a tumour of the lung "in the brain".
        (_secondary(concept(_ICD, "C71.9")), None, None),
        (_secondary(concept(SNOMED, "254637007"), _BRAIN), None, None),
        (_secondary(concept(_ICD, "C79.31"), verification="entered-in-error"), None, None),
    ],
)
def test_brain_metastases_are_a_code_or_a_body_site(
    found: Json, brain: str | None, other: str | None
) -> None:
    facts = facts_of(found)
    assert stated(facts, "brain metastases") == brain
    assert stated(facts, "other distant metastases") == other


def _staged(**summary: Any) -> Json:
    stage = [{"summary": summary, "assessment": [{"reference": "Observation/x"}]}]
    return condition("non-small cell lung cancer", stage=stage)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (_staged(**concept(SNOMED, "258228008")), "advanced"),
        (_staged(text="Stage IVA"), "advanced"),
        (_staged(text="IVB"), "advanced"),
        (_staged(text="Stage IIIB"), "locally advanced"),
        (_staged(text="IB"), "early"),
        (_staged(text="cT4N2M1c"), None),
        (_staged(text="4"), None),
        (_staged(text="possibly stage IV"), None),
        (condition("non-small cell lung cancer", code=concept(SNOMED, "423121009")), "advanced"),
        (
            observation(
                "cancer stage group", valueCodeableConcept=concept(SNOMED, "258228008")
            ),
            "advanced",
        ),
        (
            observation("cancer stage group", valueCodeableConcept={"text": "Stage IVB"}),
            "advanced",
        ),
    ],
)  # fmt: skip
def test_the_stage_is_read_from_code_or_exact_words(resource: Json, expected: str | None) -> None:
    assert stated(facts_of(resource), "setting") == expected
