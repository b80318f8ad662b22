"""Adverse reactions: grades from coded severities only, and what began on the drug."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.facts import OnTreatment, PatientFacts
from cds_service.facts.grades import GradedSeries
from cds_service.facts.reactions import GRADED, NERVOUS_SYSTEM, OTHER
from cds_service.rules import ReasonKind, Series, Statements
from tests.facts.records import (
    AS_OF,
    Json,
    coded,
    condition,
    dosage,
    facts_of,
    knowledge,
    medication,
    numbers,
    stated,
)

SNOMED = "http://snomed.info/sct"
NCI = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
CTCAE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
LUNG = "interstitial lung disease grade"
NERVES = "nervous system effects grade"


def concept(code: str, system: str = SNOMED) -> Json:
    return {"coding": [{"system": system, "code": code}]}


MILD, MODERATE, SEVERE, LIFE_THREATENING = (
    concept(code) for code in ("255604002", "6736007", "24484000", "442452003")
)


def started(days_ago: int | None, text: str = "lorlatinib", status: str = "active") -> Json:
    return medication(text=text, status=status, start=days_ago, dose=dosage(100, 1))


def dated(facts: PatientFacts, name: str) -> list[tuple[str, int]]:
    """Grade and days ago of every measurement; a bound keeps its comparator."""
    found = facts.find(name)
    assert isinstance(found, Series)
    return [
        (
            f"{item.comparator or ''}{'?' if item.value is None else item.value}",
            (AS_OF - item.day).days,
        )
        for item in found.measurements
    ]


# -- the grade ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "grade"),
    [
        (MILD, "1"),
        (MODERATE, "2"),
        (concept("1255665007"), "2"),
        (SEVERE, "3"),
        (LIFE_THREATENING, "4"),
        (concept("C41338", NCI), "1"),
        (concept("C41339", NCI), "2"),
        (concept("C41340", NCI), "3"),
        (concept("C41337", NCI), "4"),
        (concept("C48275", NCI), "5"),
        *((concept(str(grade), CTCAE), str(grade)) for grade in range(1, 6)),
        ({"coding": [*MILD["coding"], *concept("3", CTCAE)["coding"]]}, "3"),
    ],
)
def test_a_coded_severity_is_a_grade(severity: Json, grade: str) -> None:
    facts = facts_of(condition("interstitial lung disease", 10, severity=severity))
    assert dated(facts, LUNG) == [(grade, 10)]


@pytest.mark.parametrize(
    "severity",
    [
        None,
        {"text": "grade 3"},
        concept("399166001"),
        concept("24484000", "http://example.org"),
        concept("C143767", NCI),
    ],
    ids=["none", "words only", "unknown code", "another system", "code of no grade"],
)
def test_without_a_known_code_the_grade_is_unknown_and_says_so(severity: Json | None) -> None:
    facts = facts_of(condition("interstitial lung disease", 10, severity=severity))
    found = facts.find(LUNG)
    assert isinstance(found, Series)
    (item,) = found.measurements
    assert (item.value, item.day) == (None, AS_OF - timedelta(days=10))
    assert item.problem is not None
    assert item.problem.kind is ReasonKind.MISSING
    assert item.problem.detail == "severity not recorded, condition of 10 Nov 2026"


@pytest.mark.parametrize("element", ["summary", "type"])
def test_a_grade_in_the_stage_counts_like_a_severity(element: str) -> None:
    stage = [{element: concept("4", CTCAE)}]
    facts = facts_of(condition("interstitial lung disease", 10, stage=stage))
    assert numbers(facts, LUNG) == ["4"]


def test_of_two_severities_in_one_condition_the_higher_counts() -> None:
    stage = [{"summary": concept("2", CTCAE)}, {"summary": {"text": "grade 5"}}]
    both = condition("skin reaction", 10, severity=SEVERE, stage=stage)
    assert numbers(facts_of(both), "rash grade") == ["3"]


def test_a_cancer_stage_is_no_grade() -> None:
    stage = [{"summary": coded("cancer stage")}]
    assert numbers(facts_of(condition("skin reaction", 10, stage=stage)), "rash grade") == ["?"]


@pytest.mark.parametrize(
    ("fact", "value_set"), [(fact, name) for fact, sets in GRADED.items() for name in sets]
)
def test_every_value_set_of_a_graded_fact_is_read(fact: str, value_set: str) -> None:
    assert knowledge().codes.value_sets[value_set].code_keys()
    facts = facts_of(condition(value_set, 4, severity=MODERATE))
    assert dated(facts, fact) == [("2", 4)]


@pytest.mark.parametrize("fact", [*GRADED, OTHER])
def test_a_condition_that_is_not_recorded_is_not_grade_0(fact: str) -> None:
    assert facts_of(condition("hypertension", 10)).find(fact) is None


@pytest.mark.parametrize(
    "left_out",
    [
        {"verification": "refuted"},
        {"verification": "provisional"},
        {"verification": "differential"},
        {"verification": "unconfirmed"},
        {"verification": "entered-in-error"},
        {"onset": -1},
        {"patient": "somebody-else"},
    ],
    ids=lambda item: str(next(iter(item.values()))),
)
def test_what_is_doubted_future_or_not_the_patients_is_left_out(left_out: Json) -> None:
    said = {"onset": 10, "severity": SEVERE, **left_out}
    assert facts_of(condition("interstitial lung disease", **said)).find(LUNG) is None


def test_a_reaction_of_today_counts() -> None:
    facts = facts_of(condition("interstitial lung disease", 0, severity=SEVERE))
    assert dated(facts, LUNG) == [("3", 0)]


def test_without_an_onset_the_day_of_recording_counts() -> None:
    facts = facts_of(condition("skin reaction", None, recorded=7, severity=MILD))
    assert dated(facts, "rash grade") == [("1", 7)]


# -- over time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("clinical", ["resolved", "inactive", "remission", None])
def test_a_reaction_that_is_over_ends_with_grade_0(clinical: str | None) -> None:
    over = condition("skin reaction", 30, clinical=clinical, abated=12, severity=SEVERE)
    assert dated(facts_of(over), "rash grade") == [("0", 12), ("3", 30)]


@pytest.mark.parametrize(
    ("abated", "expected"),
    [
        (None, [("0", 0), ("3", 30)]),
        (0, [("0", 0), ("3", 30)]),
        (-1, [("3", 30)]),
        (30, [("0", 29), ("3", 30)]),
        # An end before the beginning cannot be and is not believed: it is over, if not since when.
        (31, [("0", 0), ("3", 30)]),
    ],
    ids=["end not recorded", "today", "tomorrow", "the same day", "before it began"],
)
def test_the_end_is_the_first_day_on_which_it_is_known_to_be_over(
    abated: int | None, expected: list[tuple[str, int]]
) -> None:
    over = condition("skin reaction", 30, clinical="resolved", abated=abated, severity=SEVERE)
    assert dated(facts_of(over), "rash grade") == expected


def test_an_active_reaction_with_an_end_is_not_over() -> None:
    said = condition("skin reaction", 30, clinical="active", abated=12, severity=SEVERE)
    assert dated(facts_of(said), "rash grade") == [("3", 30)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_on_one_day_the_highest_wins(order: int) -> None:
    said = [
        condition("seizure", 10, severity=MODERATE),
        condition("psychosis", 10, severity=SEVERE),
        condition("mood disorder", 10, severity=MILD),
    ]
    assert dated(facts_of(*said[::order]), NERVES) == [("3", 10)]


def test_an_ungraded_one_beside_it_makes_the_grade_a_lower_bound() -> None:
    said = [condition("seizure", 10, severity=SEVERE), condition("psychosis", 10)]
    assert dated(facts_of(*said), NERVES) == [(">=3", 10)]


def test_one_kind_that_is_over_does_not_hide_another_that_lasts() -> None:
    said = [
        condition("psychosis", 30, severity=SEVERE),
        condition("mood disorder", 20, clinical="resolved", abated=5, severity=MODERATE),
    ]
    assert dated(facts_of(*said), NERVES) == [("3", 5), ("3", 20), ("3", 30)]


def test_a_later_grade_of_the_same_code_replaces_an_earlier_one_that_was_never_closed() -> None:
    said = [
        condition("interstitial lung disease", 30, severity=SEVERE),
        condition("interstitial lung disease", 10, severity=MILD),
    ]
    assert dated(facts_of(*said), LUNG) == [("1", 10), ("3", 30)]


def test_a_later_record_without_a_grade_does_not_replace_a_graded_one() -> None:
    said = [
        condition("interstitial lung disease", 30, severity=SEVERE),
        condition("interstitial lung disease", 10),
    ]
    assert dated(facts_of(*said), LUNG) == [(">=3", 10), ("3", 30)]


@pytest.mark.parametrize("onset", [{}, {"onsetDateTime": "2026"}])
def test_a_reaction_without_a_usable_date_is_unknown_from_today_on(onset: Json) -> None:
    said = condition("skin reaction", None, severity=SEVERE, **onset)
    facts = facts_of(said)
    assert dated(facts, "rash grade") == [("?", 0)]
    on_drug = OnTreatment(facts, AS_OF - timedelta(days=20)).find("rash grade")
    assert isinstance(on_drug, Series)
    assert on_drug.measurements[0].problem is not None


def test_one_that_is_over_and_has_no_date_says_nothing() -> None:
    said = condition("skin reaction", None, clinical="resolved", severity=SEVERE)
    assert facts_of(said).find("rash grade") is None


# -- since the first dose -----------------------------------------------------------------------


def on_treatment(facts: PatientFacts, name: str, days: int) -> list[tuple[str, int]]:
    found = OnTreatment(facts, AS_OF - timedelta(days=days)).find(name)
    assert isinstance(found, GradedSeries)
    return [(str(item.value), (AS_OF - item.day).days) for item in found.measurements]


@pytest.mark.parametrize(("days", "kept"), [(11, 1), (10, 1), (9, 0)])
def test_a_reaction_counts_from_the_day_of_the_first_dose_on(days: int, kept: int) -> None:
    facts = facts_of(condition("skin reaction", 10, severity=SEVERE))
    assert len(on_treatment(facts, "rash grade", days)) == kept


def test_an_old_disease_that_lasts_does_not_raise_the_grade_on_the_drug() -> None:
    facts = facts_of(
        condition("cognitive impairment", 900, severity=SEVERE),
        condition("mood disorder", 20, clinical="resolved", abated=5, severity=MILD),
    )
    assert dated(facts, NERVES) == [("3", 5), ("3", 20), ("3", 900)]
    assert on_treatment(facts, NERVES, 60) == [("0", 5), ("1", 20)]


def test_an_old_reaction_that_ends_on_the_drug_is_not_seen_there() -> None:
    facts = facts_of(condition("skin reaction", 90, clinical="resolved", abated=5, severity=SEVERE))
    assert on_treatment(facts, "rash grade", 60) == []


# -- other reactions ----------------------------------------------------------------------------


def test_a_coded_effect_of_a_cancer_drug_is_graded() -> None:
    said = condition("adverse effect of a cancer drug", 10, severity=SEVERE)
    assert dated(facts_of(said), OTHER) == [("3", 10)]


@pytest.mark.parametrize("own", ["skin reaction", "haemolysis"])
def test_an_effect_that_has_a_fact_of_its_own_is_not_counted_twice(own: str) -> None:
    code = {
        "coding": [
            *coded("adverse effect of a cancer drug")["coding"],
            *coded(own)["coding"],
        ]
    }
    said = {**condition("adverse effect of a cancer drug", 10, severity=SEVERE), "code": code}
    assert facts_of(said).find(OTHER) is None


def test_two_effects_under_the_same_general_code_do_not_replace_each_other() -> None:
    said = [
        condition("adverse effect of a cancer drug", 30, severity=SEVERE),
        condition("adverse effect of a cancer drug", 10, severity=MILD),
    ]
    assert dated(facts_of(*said), OTHER) == [("3", 10), ("3", 30)]


# -- flags --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value_set", NERVOUS_SYSTEM)
@pytest.mark.parametrize(
    ("onset", "expected"), [(59, "present"), (60, "present"), (61, None), (-1, None)]
)
def test_a_nervous_system_effect_begins_on_or_after_the_first_dose(
    value_set: str, onset: int, expected: str | None
) -> None:
    facts = facts_of(condition(value_set, onset), started(60))
    # What was there before says nothing of the other kinds: unknown, not absent.
    assert stated(facts, "nervous system effects") == expected


def test_nervous_system_effects_are_absent_only_when_every_kind_is() -> None:
    denied = [condition(name, 10, verification="refuted") for name in NERVOUS_SYSTEM]
    hallucinations = facts_of(*denied, started(60))
    # The first code of psychosis is one of hallucinations: without them there can be another.
    assert hallucinations.find("nervous system effects") is None
    denied[NERVOUS_SYSTEM.index("psychosis")]["code"] = concept("69322001")
    assert stated(facts_of(*denied, started(60)), "nervous system effects") == "absent"
    assert facts_of(*denied[1:], started(60)).find("nervous system effects") is None
    one = [*denied[1:], condition("seizure", 20)]
    assert stated(facts_of(*one, started(60)), "nervous system effects") == "present"


def test_an_effect_without_a_date_stays_open() -> None:
    found = facts_of(condition("seizure", None), started(60)).find("nervous system effects")
    assert isinstance(found, Statements)
    assert found.unknown
    both = facts_of(condition("seizure", None), condition("psychosis", 5), started(60))
    certain = both.find("nervous system effects")
    assert isinstance(certain, Statements)
    assert not certain.unknown
    assert certain.statements[0].value == "present"


def test_without_a_running_drug_there_is_no_effect_of_it() -> None:
    facts = facts_of(condition("seizure", 10), started(60, status="stopped"))
    assert facts.find("nervous system effects") is None
    assert stated(facts, "seizures") == "present"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(80, 5, "present"), (100, 5, "present"), (101, 5, None), (5, 5, None), (80, -1, None)],
)
def test_a_complete_block_recurs_when_it_began_on_two_days_since_the_first_dose(
    first: int, second: int, expected: str | None
) -> None:
    block = "complete atrioventricular block"
    over = condition(block, first, clinical="resolved", abated=4)
    facts = facts_of(over, condition(block, second), started(100))
    assert stated(facts, "recurrent complete atrioventricular block") == expected
    other = facts_of(condition("second degree atrioventricular block", 80), started(100), over)
    assert stated(other, "recurrent complete atrioventricular block") is None


@pytest.mark.parametrize(
    ("fact", "value_set"),
    [
        ("atrioventricular block of second degree", "second degree atrioventricular block"),
        ("complete atrioventricular block", "complete atrioventricular block"),
        ("pacemaker", "pacemaker"),
        ("torsades de pointes", "torsades de pointes"),
        ("congenital long QT", "congenital long QT"),
        ("severe visual loss", "severe visual loss"),
        ("pancreatitis", "acute pancreatitis"),
        ("pancreatitis", "drug-induced pancreatitis"),
        ("seizures", "seizure"),
        ("diabetes", "diabetes mellitus type 2"),
        ("diabetes", "hyperglycaemia"),
        ("hypertension", "hypertension"),
        ("lactation", "lactation"),
        ("difficulty swallowing", "difficulty swallowing"),
    ],
)
def test_a_condition_is_a_flag(fact: str, value_set: str) -> None:
    assert stated(facts_of(condition(value_set, 10)), fact) == "present"
    assert facts_of(condition(value_set, 10, verification="provisional")).find(fact) is None
    assert facts_of(condition("cholestasis", 10)).find(fact) is None


def test_a_refuted_drug_induced_pancreatitis_does_not_exclude_another() -> None:
    denied = facts_of(condition("drug-induced pancreatitis", 10, verification="refuted"))
    assert stated(denied, "pancreatitis") is None
    gallstones = condition("acute pancreatitis", 8)
    gallstones["code"] = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm",
                                      "code": "K85.10"}]}  # fmt: skip
    both = facts_of(condition("drug-induced pancreatitis", 10, verification="refuted"), gallstones)
    assert stated(both, "pancreatitis") == "present"
