"""Adverse reactions: grades from coded severities only, and what began on the drug."""

from __future__ import annotations

import pytest

from cds_service.facts import PatientFacts
from cds_service.facts.grade_courses import grade_course
from cds_service.rules import Concept, Evaluation, ReasonKind
from tests.facts.records import (
    AS_OF,
    Json,
    coded,
    condition,
    dosage,
    facts_of,
    knowledge,
    medication,
    stated,
)

SNOMED = "http://snomed.info/sct"
NCI = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
CTCAE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
LUNG = "interstitial lung disease"
NERVES = "nervous system effects"
SKIN = "skin reaction"
OTHER = "adverse effect of a cancer drug"
NERVOUS_SYSTEM = (
    "seizure",
    "psychosis",
    "mood disorder",
    "suicidal thoughts",
    "cognitive impairment",
)
READ_FROM = {
    LUNG: ("interstitial lung disease", "drug-induced interstitial lung disease"),
    NERVES: NERVOUS_SYSTEM,
    "visual disturbance": ("visual disturbance", "severe visual loss"),
    "muscle symptoms": ("myalgia", "myositis", "rhabdomyolysis"),
    "gastrointestinal symptoms": ("gastrointestinal symptoms",),
    SKIN: ("skin reaction", "photosensitivity"),
    OTHER: ("adverse effect of a cancer drug",),
}
"""The concepts whose grades the tables ask, with sets of diagnoses that are such."""


def concept(code: str, system: str = SNOMED) -> Json:
    return {"coding": [{"system": system, "code": code}]}


MILD, MODERATE, SEVERE, LIFE_THREATENING = (
    concept(code) for code in ("255604002", "6736007", "24484000", "442452003")
)


def started(days_ago: int | None, text: str = "lorlatinib", status: str = "active") -> Json:
    return medication(text=text, status=status, start=days_ago, dose=dosage(100, 1))


def dated(facts: PatientFacts, name: str) -> list[tuple[str, int]]:
    """Grade and days ago on every day on which something changed; a bound keeps its sign."""
    kind = knowledge().vocabulary.find(name)
    assert isinstance(kind, Concept)
    assert facts.found is not None
    course = grade_course(kind, facts.found.of(name), facts.as_of)
    return [
        (
            f"{item.comparator or ''}{'?' if item.value is None else item.value}",
            (AS_OF - item.day).days,
        )
        for item in (course.measurements if course is not None else ())
    ]


def known_grade(facts: PatientFacts, name: str) -> int | None:
    """The grade from which on a rule is answered yes; None when no grade can be said."""
    answers = [stated(facts, f"{name} grade >= {grade}") for grade in range(1, 6)]
    return None if None in answers else answers.count("present")


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
    assert dated(facts, LUNG) == [("?", 10)]
    trace = knowledge().compiler.compile(f"{LUNG} grade >= 1").evaluate(Evaluation(facts, AS_OF))
    (reason,) = trace.reasons
    assert (reason.kind, reason.subject) == (ReasonKind.MISSING, f"the grade of {LUNG}")
    assert reason.detail == "finding of 10 Nov 2026"


@pytest.mark.parametrize("element", ["summary", "type"])
def test_a_grade_in_the_stage_counts_like_a_severity(element: str) -> None:
    stage = [{element: concept("4", CTCAE)}]
    facts = facts_of(condition("interstitial lung disease", 10, stage=stage))
    assert known_grade(facts, LUNG) == 4


def test_of_two_severities_in_one_condition_the_higher_counts() -> None:
    stage = [{"summary": concept("2", CTCAE)}, {"summary": {"text": "grade 5"}}]
    both = condition("skin reaction", 10, severity=SEVERE, stage=stage)
    assert known_grade(facts_of(both), SKIN) == 3


def test_a_cancer_stage_is_no_grade() -> None:
    stage = [{"summary": coded("cancer stage")}]
    assert known_grade(facts_of(condition("skin reaction", 10, stage=stage)), SKIN) is None


@pytest.mark.parametrize(
    ("name", "value_set"), [(name, one) for name, sets in READ_FROM.items() for one in sets]
)
def test_every_diagnosis_that_is_such_a_reaction_is_read(name: str, value_set: str) -> None:
    assert knowledge().codes.value_sets[value_set].code_keys()
    facts = facts_of(condition(value_set, 4, severity=MODERATE))
    assert dated(facts, name) == [("2", 4)]


@pytest.mark.parametrize("name", READ_FROM)
def test_a_condition_that_is_not_recorded_is_not_grade_0(name: str) -> None:
    facts = facts_of(condition("hypertension", 10))
    assert stated(facts, f"no {name} grade >= 1") is None


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
    facts = facts_of(condition("interstitial lung disease", **said))
    assert dated(facts, LUNG) == []
    assert stated(facts, f"{LUNG} grade >= 1") != "present"


def test_a_reaction_of_today_counts() -> None:
    facts = facts_of(condition("interstitial lung disease", 0, severity=SEVERE))
    assert dated(facts, LUNG) == [("3", 0)]


def test_without_an_onset_the_day_of_recording_counts() -> None:
    facts = facts_of(condition("skin reaction", None, recorded=7, severity=MILD))
    assert dated(facts, SKIN) == [("1", 7)]


# -- over time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("clinical", ["resolved", "inactive", "remission", None])
def test_a_reaction_that_is_over_ends_with_grade_0(clinical: str | None) -> None:
    over = condition("skin reaction", 30, clinical=clinical, abated=12, severity=SEVERE)
    assert dated(facts_of(over), SKIN) == [("0", 12), ("3", 30)]


@pytest.mark.parametrize(
    ("abated", "expected"),
    [
        # On the day it began it was there, and afterwards nobody knows for how long.
        (None, [("0", 29), ("3", 30)]),
        (0, [("0", 0), ("3", 30)]),
        (-1, [("3", 30)]),
        (30, [("0", 29), ("3", 30)]),
        # An end before the beginning cannot be and is not believed: it is over, if not since when.
        (31, [("0", 29), ("3", 30)]),
    ],
    ids=["end not recorded", "today", "tomorrow", "the same day", "before it began"],
)
def test_the_end_is_the_first_day_on_which_it_is_known_to_be_over(
    abated: int | None, expected: list[tuple[str, int]]
) -> None:
    over = condition("skin reaction", 30, clinical="resolved", abated=abated, severity=SEVERE)
    assert dated(facts_of(over), SKIN) == expected


def test_an_active_reaction_with_an_end_is_not_over() -> None:
    said = condition("skin reaction", 30, clinical="active", abated=12, severity=SEVERE)
    assert dated(facts_of(said), SKIN) == [("3", 30)]


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


def test_the_illness_whose_grade_was_replaced_lasts_and_is_not_an_earlier_one() -> None:
    facts = facts_of(
        started(60),
        condition("interstitial lung disease", 30, severity=SEVERE),
        condition("interstitial lung disease", 10, severity=MILD),
    )
    assert stated(facts, f"earlier {LUNG}") == "absent"
    assert stated(facts, f"{LUNG} grade >= 2") == "absent"
    assert stated(facts, f"second or later episode of {LUNG} on treatment") == "absent"


def test_the_illness_whose_grade_was_replaced_is_over_when_the_last_record_is() -> None:
    facts = facts_of(
        condition("interstitial lung disease", 30, severity=SEVERE),
        condition("interstitial lung disease", 10, clinical="resolved", abated=5, severity=MILD),
    )
    assert dated(facts, LUNG) == [("0", 5), ("1", 10), ("3", 30)]
    assert stated(facts, f"earlier {LUNG} grade >= 3") == "present"
    assert stated(facts, f"no {LUNG}") == "present"


def test_a_new_reaction_after_the_end_is_a_second_episode() -> None:
    facts = facts_of(
        started(60),
        condition("interstitial lung disease", 30, clinical="resolved", abated=20, severity=SEVERE),
        condition("interstitial lung disease", 10, severity=MILD),
    )
    assert stated(facts, f"second or later episode of {LUNG} on treatment") == "present"


def test_another_code_of_the_same_concept_does_not_replace_a_grade() -> None:
    blurred, flashes = concept("246636008"), concept("56170001")
    said = [
        {**condition("visual disturbance", 30, severity=SEVERE), "code": blurred},
        {**condition("visual disturbance", 10, severity=MILD), "code": flashes},
    ]
    facts = facts_of(*said)
    assert dated(facts, "visual disturbance") == [("3", 10), ("3", 30)]


@pytest.mark.parametrize("onset", [{}, {"onsetDateTime": "2026"}])
def test_whether_a_reaction_without_a_usable_date_began_on_the_drug_is_unknown(
    onset: Json,
) -> None:
    facts = facts_of(started(20), condition("skin reaction", None, severity=SEVERE, **onset))
    assert stated(facts, f"{SKIN} grade >= 3") == "present"
    assert stated(facts, f"{SKIN} on treatment grade >= 3") is None


def test_one_that_is_over_and_has_no_date_is_over() -> None:
    said = condition("skin reaction", None, clinical="resolved", severity=SEVERE)
    assert stated(facts_of(said), f"no {SKIN} grade >= 3") == "present"


# -- since the first dose -----------------------------------------------------------------------


@pytest.mark.parametrize(("days", "expected"), [(11, "present"), (10, "present"), (9, "absent")])
def test_a_reaction_counts_from_the_day_of_the_first_dose_on(days: int, expected: str) -> None:
    facts = facts_of(condition("skin reaction", 10, severity=SEVERE), started(days))
    assert stated(facts, f"{SKIN} on treatment grade >= 3") == expected


def test_an_old_disease_that_lasts_does_not_raise_the_grade_on_the_drug() -> None:
    facts = facts_of(
        started(60),
        condition("cognitive impairment", 900, severity=SEVERE),
        condition("mood disorder", 20, clinical="resolved", abated=5, severity=MILD),
    )
    assert dated(facts, NERVES) == [("3", 5), ("3", 20), ("3", 900)]
    assert stated(facts, f"no {NERVES} on treatment grade >= 1") == "present"


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
    assert dated(facts_of(said), OTHER) == []


def test_two_effects_under_the_same_general_code_do_not_replace_each_other() -> None:
    said = [
        condition("adverse effect of a cancer drug", 30, severity=SEVERE),
        condition("adverse effect of a cancer drug", 10, severity=MILD),
    ]
    assert dated(facts_of(*said), OTHER) == [("3", 10), ("3", 30)]


# -- on treatment -------------------------------------------------------------------------------

NERVES_NOW = "nervous system effects on treatment"


@pytest.mark.parametrize("value_set", NERVOUS_SYSTEM)
@pytest.mark.parametrize(
    ("onset", "expected"), [(59, "present"), (60, "present"), (61, "absent"), (-1, None)]
)
def test_a_nervous_system_effect_begins_on_or_after_the_first_dose(
    value_set: str, onset: int, expected: str | None
) -> None:
    facts = facts_of(condition(value_set, onset), started(60))
    assert stated(facts, NERVES_NOW) == expected


def test_that_parts_were_denied_does_not_exclude_an_effect_on_the_nervous_system() -> None:
    denied = [condition(name, 10, verification="refuted") for name in NERVOUS_SYSTEM]
    assert stated(facts_of(*denied, started(60)), NERVES_NOW) is None
    one = [*denied[1:], condition("seizure", 20)]
    assert stated(facts_of(*one, started(60)), NERVES_NOW) == "present"


def test_an_effect_without_a_date_stays_open() -> None:
    assert stated(facts_of(condition("seizure", None), started(60)), NERVES_NOW) is None
    both = facts_of(condition("seizure", None), condition("psychosis", 5), started(60))
    assert stated(both, NERVES_NOW) == "present"


def test_without_a_running_drug_there_is_no_effect_of_it() -> None:
    facts = facts_of(condition("seizure", 10), started(60, status="stopped"))
    assert stated(facts, NERVES_NOW) is None
    assert stated(facts, "seizures") == "present"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(80, 3, "present"), (100, 3, "present"), (101, 3, "absent"), (80, -1, "absent")],
)
def test_a_complete_block_recurs_when_it_began_twice_since_the_first_dose(
    first: int, second: int, expected: str | None
) -> None:
    block = "complete atrioventricular block"
    again = f"second or later episode of {block} on treatment"
    over = condition(block, first, clinical="resolved", abated=4)
    facts = facts_of(over, condition(block, second), started(100))
    assert stated(facts, again) == expected
    other = facts_of(condition("second degree atrioventricular block", 80), started(100), over)
    assert stated(other, again) != "present"
