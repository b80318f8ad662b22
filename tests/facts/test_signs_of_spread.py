"""Malignant effusions, tumour in the other lung and a category M1 are stage IV of lung cancer."""

from __future__ import annotations

import pytest

from tests.facts.records import Json, day, facts_of, observation, resource, stated

CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
SNOMED = "http://snomed.info/sct"
M_CATEGORY = "distant metastasis category"


def setting_of(*resources: Json) -> str | None:
    return stated(facts_of(*resources), "setting")


def diagnosis(**code: object) -> Json:
    return resource("Condition", {"code": code, "onsetDateTime": day(9)})


def coded(system: str, code: str) -> Json:
    return diagnosis(coding=[{"system": system, "code": code}])


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (CM, "J91.0"),
        (CM, "I31.31"),
        (CM, "C78.2"),
        (WHO, "C78.2"),
        (CM, "C79.89"),
        (CM, "C78.02"),
        (SNOMED, "94484009"),
    ],
)
def test_a_code_of_spread_within_the_chest_makes_the_disease_advanced(
    system: str, code: str
) -> None:
    assert setting_of(coded(system, code)) == "advanced"


@pytest.mark.parametrize(("system", "code"), [(CM, "I31.39"), (CM, "J90"), (WHO, "J91")])
def test_a_code_of_an_effusion_that_is_not_said_to_be_malignant_makes_none(
    system: str, code: str
) -> None:
    assert setting_of(coded(system, code)) is None


def test_the_code_of_one_edition_means_nothing_in_another() -> None:
    assert setting_of(coded(WHO, "I31.31")) is None


@pytest.mark.parametrize(
    "words",
    [
        "Malignant pericardial effusion",
        "Malignant pleural effusion (HCC)",
        "Contralateral lung metastasis",
        "Pleural carcinomatosis",
        "Pleurakarzinose",
    ],
)
def test_words_of_spread_within_the_chest_make_the_disease_advanced(words: str) -> None:
    assert setting_of(diagnosis(text=words)) == "advanced"


@pytest.mark.parametrize(
    "words",
    [
        "Pericardial effusion",
        "Pleural effusion",
        "No malignant pericardial effusion",
        "Lung nodule",
    ],
)
def test_words_that_do_not_say_malignant_make_none(words: str) -> None:
    assert setting_of(diagnosis(text=words)) is None


def test_a_malignant_effusion_is_no_reaction_of_the_heart() -> None:
    facts = facts_of(diagnosis(text="Malignant pericardial effusion"))
    assert stated(facts, "pericardial effusion present") != "present"


def category(value: Json, days_ago: int = 9) -> Json:
    return observation(M_CATEGORY, days_ago, valueCodeableConcept=value)


@pytest.mark.parametrize(
    "value",
    [
        {"text": "cM1a"},
        {"text": "M1c2"},
        {"coding": [{"system": "http://cancerstaging.org", "code": "pM1b"}]},
        {
            "coding": [
                {
                    "system": SNOMED,
                    "code": "1229904003",
                    "display": "American Joint Committee on Cancer cM1a (qualifier value)",
                }
            ]
        },
        {"coding": [{"system": SNOMED, "code": "1229903009"}]},
        {"coding": [{"system": SNOMED, "code": "1229917000"}]},
    ],
)
def test_a_category_that_says_metastases_makes_the_disease_advanced(value: Json) -> None:
    assert setting_of(category(value)) == "advanced"


@pytest.mark.parametrize("kind", ["399387003", "371497001"])
def test_a_category_is_known_by_its_snomed_code_as_well(kind: str) -> None:
    said = category({"coding": [{"system": SNOMED, "code": "1229910003"}]})
    said["code"] = {"coding": [{"system": SNOMED, "code": kind}]}

    assert setting_of(said) == "advanced"


def test_the_summary_of_a_stage_may_be_the_category() -> None:
    said = coded(SNOMED, "254637007")
    said["stage"] = [{"summary": {"coding": [{"system": SNOMED, "code": "1229904003"}]}}]

    assert setting_of(said) == "advanced"


def test_no_metastases_by_code_make_none() -> None:
    assert setting_of(category({"coding": [{"system": SNOMED, "code": "1229901006"}]})) is None


@pytest.mark.parametrize("words", ["cM0", "MX", "M1?", "not M1a", ""])
def test_a_category_that_does_not_say_metastases_makes_none(words: str) -> None:
    assert setting_of(category({"text": words})) is None


def test_a_category_of_a_later_day_is_not_known_yet() -> None:
    assert setting_of(category({"text": "cM1a"}, -3)) is None
