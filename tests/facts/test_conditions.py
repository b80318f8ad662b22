"""What the problem list says: truth tables for flags, setting, histology and cancers."""

from __future__ import annotations

import re

import pytest

from cds_service.rules import Collection, Reason
from tests.facts.records import (
    AS_OF,
    Json,
    coded,
    condition,
    facts_of,
    medication,
    observation,
    resource,
    stated,
    table,
)

_CONDITION = re.compile(r"([^@]+)@(-?\d+|none):([^/]+)/([^/]+)(?:/(-?\d+))?")


def _conditions(text: str) -> list[Json]:
    found = []
    for part in filter(None, text.split(";")):
        match = _CONDITION.fullmatch(part)
        assert match is not None, part
        name, onset, verification, clinical, abated = match.groups()
        found.append(
            condition(
                name,
                None if onset == "none" else int(onset),
                verification=None if verification == "-" else verification,
                clinical=None if clinical == "-" else clinical,
                abated=int(abated) if abated else None,
            )
        )
    return found


@pytest.mark.parametrize("row", table("conditions.tsv"), ids=lambda row: row["says"])
def test_conditions_state_a_fact(row: dict[str, str]) -> None:
    assert (stated(facts_of(*_conditions(row["conditions"])), row["fact"]) or "") == row["answer"]


@pytest.mark.parametrize("row", table("cancers.tsv"), ids=lambda row: row["says"])
def test_conditions_are_counted_as_cancers(row: dict[str, str]) -> None:
    found = facts_of(*_conditions(row["conditions"])).find("cancers")
    assert isinstance(found, Collection)
    assert ";".join(sorted({item.label for item in found.items})) == row["members"]
    assert found.complete


def test_a_problem_list_that_was_not_supplied_whole_proves_no_absence() -> None:
    found = facts_of(condition("adenocarcinoma of lung"), complete=()).find("cancers")
    assert isinstance(found, Collection)
    assert not found.complete
    assert all(isinstance(reason, Reason) for reason in found.incomplete)
    assert found.incomplete


def test_another_patients_condition_is_not_used() -> None:
    facts = facts_of(condition("cholestasis", patient="somebody-else"))
    assert stated(facts, "cholestasis") is None


def test_the_histology_extension_makes_a_site_code_a_known_type() -> None:
    url = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
    extension = [{"url": url, "valueCodeableConcept": coded("adenocarcinoma morphology")}]
    facts = facts_of(condition("lung cancer of unknown type", extension=extension))
    found = facts.find("cancers")
    assert isinstance(found, Collection)
    assert {item.label for item in found.items} == {"non-small cell lung cancer"}
    assert stated(facts, "histology") == "adenocarcinoma"


LIVES = {"severity": {"coding": [{"system": "http://snomed.info/sct", "code": "442452003"}]}}


def _started(days_ago: int | None, status: str = "active") -> Json:
    return medication(code="1727455", start=days_ago, status=status)


@pytest.mark.parametrize(
    ("onset", "started", "new", "caused"),
    [
        (10, 60, "present", "present"),
        (60, 60, "present", "present"),
        (61, 60, "absent", "absent"),
        (10, "never", None, None),
        (None, 60, "open", "open"),
        (10, None, "open", "open"),
    ],
)
def test_lung_disease_is_a_reaction_only_when_it_began_on_treatment(
    onset: int | None, started: int | str | None, new: str | None, caused: str | None
) -> None:
    resources = [condition("drug-induced interstitial lung disease", onset)]
    if started != "never":
        assert not isinstance(started, str)
        resources.append(_started(started))
    facts = facts_of(*resources)
    for cause, expected in (("", new), (" caused by a drug", caused)):
        asked = f"interstitial lung disease on treatment{cause}"
        assert stated(facts, asked) == (None if expected == "open" else expected)


def test_lung_disease_that_began_on_a_drug_since_stopped_is_no_reaction_to_none() -> None:
    facts = facts_of(condition("interstitial lung disease", 10), _started(60, "stopped"))
    assert stated(facts, "interstitial lung disease on treatment") is None


def test_a_drug_induced_lung_disease_of_the_past_is_remembered() -> None:
    over = condition("drug-induced interstitial lung disease", 300, clinical="resolved", abated=200)
    facts = facts_of(over)
    assert stated(facts, "interstitial lung disease") == "absent"
    assert stated(facts, "earlier interstitial lung disease caused by a drug") == "present"
    doubted = {**over, "verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert stated(facts_of(doubted), "earlier interstitial lung disease caused by a drug") is None


def test_grave_bradycardia_is_known_by_its_severity() -> None:
    assert stated(facts_of(condition("bradycardia", 5)), "bradycardia grade >= 4") is None
    grave = facts_of(condition("bradycardia", 5, **LIVES))
    assert stated(grave, "bradycardia grade >= 4") == "present"
    assert (
        stated(grave, "second or later episode of bradycardia on treatment grade >= 4") != "present"
    )


@pytest.mark.parametrize(
    ("first", "started", "expected"),
    [(80, 100, "present"), (120, 100, "absent"), (3, 100, "absent")],
)
def test_a_second_grave_bradycardia_on_the_drug_recurs_also_when_the_first_is_over(
    first: int, started: int, expected: str | None
) -> None:
    over = condition("bradycardia", first, clinical="resolved", abated=4, **LIVES)
    facts = facts_of(over, condition("bradycardia", 3, **LIVES), _started(started))
    assert (
        stated(facts, "second or later episode of bradycardia on treatment grade >= 4") == expected
    )


def _resection(days_ago: int | None, status: str = "completed", **more: object) -> Json:
    body = {
        "status": status,
        "code": coded("lung lobectomy"),
        "performedDateTime": None
        if days_ago is None
        else (AS_OF.fromordinal(AS_OF.toordinal() - days_ago)).isoformat(),
        **more,
    }
    return resource("Procedure", body)


def _stage(text: str, days_ago: int = 5) -> Json:
    return observation("cancer stage group", days_ago, valueCodeableConcept={"text": text})


BRAIN = condition("brain metastases", 9)
SETTINGS = [
    ([], None),
    ([_stage("Stage IVA")], "advanced"),
    ([_stage("IVB")], "advanced"),
    ([_stage("Stage IIIA")], "locally advanced"),
    ([_stage("IB")], "early"),
    ([_stage("4")], None),
    ([_stage("cT4N2M1c")], None),
    ([_stage("IV", -4)], None),
    ([_resection(35)], "resected"),
    ([_resection(35), _stage("IIB", 40)], "resected"),
    ([_resection(35), _stage("IVA")], "advanced"),
    ([_resection(35), BRAIN], "advanced"),
    ([_resection(35, "not-done")], None),
    ([_resection(35, "entered-in-error")], None),
    ([_resection(-5)], None),
    ([_resection(None)], None),
    ([_stage("IIIA", 200), _stage("IVA", 10)], "advanced"),
    ([_stage("IA", 200), BRAIN], "advanced"),
    ([condition("cancer stage", 5)], "locally advanced"),
]


@pytest.mark.parametrize(("resources", "expected"), SETTINGS)
def test_stage_resection_and_metastases_make_the_setting(
    resources: list[Json], expected: str | None
) -> None:
    assert stated(facts_of(*resources), "setting") == expected
    assert stated(facts_of(*reversed(resources)), "setting") == expected


LYMPHOMA = condition("ALK-positive lymphoma", 9)
LUNG = condition("lung cancer of unknown type", 9)


def test_stage_and_metastases_of_another_cancer_make_no_setting_of_lung_cancer() -> None:
    for spread in (BRAIN, _stage("IVA")):
        of_lymphoma = facts_of(LYMPHOMA, spread)
        assert stated(of_lymphoma, "setting") is None
        assert stated(of_lymphoma, "only other cancers recorded") == "present"
        of_both = facts_of(LYMPHOMA, LUNG, spread)
        assert stated(of_both, "setting") == "advanced"
        assert stated(of_both, "only other cancers recorded") == "absent"


@pytest.mark.parametrize(
    ("observed", "recorded", "expected"),
    [
        (None, None, None),
        ("answer pregnant", None, "present"),
        (None, "confirmed", "present"),
        ("answer pregnant", "refuted", "present"),
    ],
)
def test_pregnancy_is_read_from_observation_and_condition(
    observed: str | None, recorded: str | None, expected: str | None
) -> None:
    resources = []
    if observed is not None:
        value = coded(observed)
        resources.append(observation("pregnancy status", 3, valueCodeableConcept=value))
    if recorded is not None:
        resources.append(condition("pregnancy", 30, verification=recorded))
    assert stated(facts_of(*resources), "pregnancy") == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("not pregnant", "absent"), ("Not pregnant?", None), ("unknown", None)]
)
def test_not_pregnant_is_read_from_exact_words_only(text: str, expected: str | None) -> None:
    said = observation("pregnancy status", 3, valueCodeableConcept={"text": text})
    assert stated(facts_of(said), "pregnancy") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueCodeableConcept": coded("residual tumour none")}, "R0"),
        ({"valueString": "R0"}, "R0"),
        ({"valueString": "clear as far as seen"}, None),
    ],
)
def test_the_resection_margin_is_coded_or_an_exact_word(value: Json, expected: str | None) -> None:
    assert (
        stated(facts_of(observation("surgical margin", 9, **value)), "resection margin") == expected
    )


@pytest.mark.parametrize("letter", ["A", "B", "C"])
def test_the_child_pugh_class_is_read_as_recorded(letter: str) -> None:
    value = coded(f"Child-Pugh class {letter}")
    said = observation("Child-Pugh score", 6, valueCodeableConcept=value)
    assert stated(facts_of(said), "Child-Pugh class") == letter


def _egfr(answer: str, change: str | None, days_ago: int = 9) -> Json:
    components = [{"code": coded("component gene studied"),
                   "valueCodeableConcept": coded("gene EGFR")}]  # fmt: skip
    if change is not None:
        value = {"coding": [{"system": "http://varnomen.hgvs.org", "code": change}]}
        components.append({"code": coded("component amino acid change"),
                           "valueCodeableConcept": value})  # fmt: skip
    return observation(
        "genetic variant assessment",
        days_ago,
        valueCodeableConcept=coded(answer),
        component=components,
    )


@pytest.mark.parametrize(
    ("answer", "change", "expected"),
    [
        ("answer negative", None, "wild type"),
        ("answer positive", "p.Leu858Arg", "sensitising mutation"),
        ("answer positive", "p.Glu746_Ala750del", "sensitising mutation"),
        ("answer positive", "p.Thr790Met", None),
        ("answer positive", None, None),
        ("answer no call", None, None),
    ],
)
def test_an_egfr_mutation_sensitises_only_when_it_is_a_known_one(
    answer: str, change: str | None, expected: str | None
) -> None:
    assert stated(facts_of(_egfr(answer, change)), "EGFR gene") == expected
