"""The net under the dose tables: what no row of the running drug reads is asked about, once.

Charts are written as FHIR resources, so that what is said here holds from the record to the card.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import NamedTuple

import pytest

from cds_service.alk import UNCOVERED_RULE, Decision, Kind, Question, Recommendation, decide
from cds_service.alk.read_concepts import read_by
from cds_service.cards.fingerprints import fingerprint, may_be_quiet
from cds_service.cards.summaries import summary
from cds_service.facts import Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.rules import Finding
from cds_service.rules.finding_leaves import describe
from fhir_fixtures import load_story, story_names
from tests.facts.records import (
    ALL,
    AS_OF,
    Json,
    condition,
    day,
    facts_of,
    knowledge,
    medication,
    reader,
    resource,
)

CM, GM, WHO = (
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "http://hl7.org/fhir/sid/icd-10",
)
SNOMED = "http://snomed.info/sct"
SEVERE, LIFE_THREATENING = "24484000", "442452003"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"
BEGUN = 100
"""Days since the first dose of the drug in these charts."""


def drug(name: str = "brigatinib", status: str = "active", start: int | None = BEGUN) -> Json:
    return medication(text=name, status=status, start=start)


def severity(code: str) -> Json:
    return {"coding": [{"system": SNOMED, "code": code}]}


def coded(code: str, system: str = CM, text: str | None = None) -> Json:
    concept: Json = {"coding": [{"system": system, "code": code}]}
    return concept if text is None else {**concept, "text": text}


def diagnosis(
    code: str | Json, system: str = CM, onset: int | None = 10, severity: Json | None = None
) -> Json:
    """A confirmed, active Condition by code or, as a whole CodeableConcept, by text."""
    concept = coded(code, system) if isinstance(code, str) else code
    return condition("rash", onset, code=concept, severity=severity)


def in_words(text: str, severity: Json | None = None, onset: int | None = 10) -> Json:
    return diagnosis({"text": text}, onset=onset, severity=severity)


def adverse_event(code: Json, grade: int | None = None, days_ago: int = 10, **more: object) -> Json:
    graded = [{"url": f"{MCODE}ctcae-grade", "valueInteger": grade}] if grade is not None else None
    return resource(
        "AdverseEvent",
        {"actuality": "actual", "event": code, "date": day(days_ago), "extension": graded, **more},
    )


def decision(*resources: Json) -> Decision:
    return decide(facts_of(*resources), Question("patient-view"), knowledge(), AS_OF).whole()


def net(*resources: Json) -> list[Recommendation]:
    found = decision(*resources).recommendations
    return [item for item in found if item.rule_id == UNCOVERED_RULE]


def only(*resources: Json) -> Recommendation:
    (item,) = net(*resources)
    return item


def said(item: Recommendation) -> str:
    return summary(item, knowledge())


# -- what is caught ------------------------------------------------------------------------------


def test_a_life_threatening_diagnosis_holds_the_drug_and_asks_for_its_cause() -> None:
    item = only(drug(), diagnosis("I27.21", severity=severity(LIFE_THREATENING)))
    assert item.kind is Kind.WITHHOLD
    assert said(item) == (
        "Hold brigatinib; not covered by the dose table: pulmonary hypertension, grade 4; is it"
        " caused by brigatinib?"
    )


def test_a_severe_one_is_a_question() -> None:
    item = only(drug(), diagnosis("I27.0", severity=severity(SEVERE)))
    assert item.kind is Kind.ASK
    assert said(item) == (
        "Not covered by the dose table: pulmonary hypertension, grade 3; is it caused by"
        " brigatinib?"
    )


@pytest.mark.parametrize(("grade", "kind"), [(4, Kind.WITHHOLD), (3, Kind.ASK)])
def test_the_grade_of_an_adverse_event_decides(grade: int, kind: Kind) -> None:
    assert only(drug(), adverse_event(coded("I27.0"), grade)).kind is kind


def test_an_adverse_event_of_a_low_grade_is_quiet() -> None:
    assert net(drug(), adverse_event(coded("I27.0"), 2)) == []


def test_the_lowest_grade_of_the_term_counts() -> None:
    nci = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
    item = only(drug(), adverse_event(coded("C143809", nci)))
    assert item.kind is Kind.WITHHOLD
    assert "respiratory failure, grade 4 or more" in said(item)


def test_an_event_called_serious_is_a_question() -> None:
    serious = coded("serious", "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness")
    item = only(drug(), adverse_event({"text": "Vasculitis"}, seriousness=serious))
    assert item.kind is Kind.ASK
    assert "Vasculitis" in said(item)


def test_a_diagnosis_in_words_counts_by_its_coded_severity() -> None:
    item = only(drug(), in_words("Leukoclastic vasculitis", severity(LIFE_THREATENING)))
    assert item.kind is Kind.WITHHOLD
    assert "Leukoclastic vasculitis, grade 4" in said(item)


@pytest.mark.parametrize(
    "words",
    [
        in_words("Vasculitis", {"text": "Severe"}),
        in_words("Vasculitis", {"text": "CTCAE grade 4"}),
        in_words("Severe vasculitis of the skin"),
        in_words("Vaskulitis, CTCAE Grad 4"),
    ],
    ids=["severity", "grade", "name", "German"],
)
def test_words_alone_ask_and_never_hold(words: Json) -> None:
    assert only(drug(), words).kind is Kind.ASK


def test_a_diagnosis_in_words_without_severity_is_quiet() -> None:
    assert net(drug(), in_words("Vasculitis")) == []


@pytest.mark.parametrize(
    ("code", "system"),
    [("I21.4", CM), ("I21.4", GM), ("I21.4", WHO), ("N04.9", CM), ("K55.0", GM), ("G61.0", CM)],
)
def test_a_code_that_no_concept_knows_is_told_by_its_block(code: str, system: str) -> None:
    assert only(drug(), diagnosis(code, system)).kind is Kind.ASK


def test_a_block_that_threatens_life_holds() -> None:
    assert only(drug(), diagnosis("I46.9")).kind is Kind.WITHHOLD


def test_a_block_is_no_block_of_another_terminology() -> None:
    assert net(drug(), diagnosis("I21.4", "http://hl7.org/fhir/sid/icd-9-cm")) == []


@pytest.mark.parametrize("concept", ["heart failure", "jaundice", "pulmonary embolism",
                                     "acute kidney injury"])  # fmt: skip
def test_a_serious_concept_of_a_watched_chapter_needs_no_grade(concept: str) -> None:
    assert only(drug(), condition(concept)).kind is Kind.ASK


@pytest.mark.parametrize("concept", ["respiratory failure", "gastrointestinal perforation"])
def test_a_concept_that_threatens_life_holds_without_a_grade(concept: str) -> None:
    assert only(drug(), condition(concept)).kind is Kind.WITHHOLD


@pytest.mark.parametrize("name", ["alectinib", "crizotinib"])
@pytest.mark.parametrize("code", ["E11.10", "E11.00"])
def test_a_crisis_of_blood_sugar_holds_a_drug_without_a_row_for_it(name: str, code: str) -> None:
    assert only(drug(name), diagnosis(code)).kind is Kind.WITHHOLD


def test_a_suspicion_asks_however_grave_it_is() -> None:
    item = only(drug(), condition("respiratory failure", verification="provisional"))
    assert item.kind is Kind.ASK
    assert "suspected respiratory failure" in said(item)


def test_all_of_them_are_one_card_that_names_the_gravest_first() -> None:
    item = only(
        drug(),
        condition("acute kidney injury"),
        diagnosis("I27.0", severity=severity(LIFE_THREATENING)),
        diagnosis("I21.4"),
    )
    assert item.kind is Kind.WITHHOLD
    assert said(item).startswith(
        "Hold brigatinib; not covered by the dose table: pulmonary hypertension, grade 4"
    )
    assert said(item).endswith("is one caused by brigatinib?")
    assert item.trace is not None
    assert len(item.trace.evidence) == 3


def test_a_paused_drug_counts() -> None:
    paused = drug(status="on-hold")
    assert only(paused, condition("heart failure", 60)).kind is Kind.ASK


def test_it_is_our_own_advice_and_names_its_source() -> None:
    item = only(drug(), condition("heart failure"))
    assert item.sources == ("design-net-under-the-tables",)
    assert not item.verified


@pytest.mark.parametrize(
    "label",
    ["Interstitial lung disease (suspected) on Alecensa", "Possible bowel perforation on Alecensa",
     "V. a. interstitielle Lungenerkrankung unter Alecensa", "Bowel perforation? on Alecensa",
     "Sospetto di polmonite interstiziale in terapia con Alecensa",
     "Concern for interstitial lung disease after Alecensa"],
)  # fmt: skip
def test_a_name_that_says_its_doubt_is_not_called_suspected_once_more(label: str) -> None:
    for undated in (None, 5):
        doubted = condition("rash", undated, code={"text": label}, verification="provisional")
        item = only(drug("alectinib"), doubted)
        assert said(item).startswith(f"Not covered by the dose table: {label}; is it")
        assert item.trace is not None
        (told,) = item.trace.evidence
        assert isinstance(told, Finding)
        assert describe(told).startswith(label)


def test_a_name_that_says_its_grade_is_not_graded_once_more() -> None:
    item = only(drug(), in_words("Vasculitis grade 3", {"text": "CTCAE grade 3"}))
    assert "Vasculitis grade 3; is it" in said(item)


# -- what has no day -----------------------------------------------------------------------------

ALECENSA_LUNG = "Interstitial lung disease (suspected) on Alecensa"


LOOKED_FOR = sorted(
    name
    for name, tables in knowledge().drugs.items()
    if any("interstitial lung disease" in row.when.facts_named for row in tables.dose_changes or ())
)
"""Drugs whose table asks about the disease; all six, and maybe not one that a site adds."""


@pytest.mark.parametrize("name", LOOKED_FOR)
@pytest.mark.parametrize("status", ["confirmed", "provisional"])
def test_words_without_a_day_about_what_the_dose_table_looks_for_ask(
    name: str, status: str
) -> None:
    undated = condition("rash", None, code={"text": ALECENSA_LUNG}, verification=status)
    assert only(drug(name), undated).kind is Kind.ASK


@pytest.mark.parametrize(
    ("name", "undated"),
    [
        ("brigatinib", diagnosis("J96.01", onset=None)),
        ("ceritinib", diagnosis("I21.4", onset=None, severity=severity(LIFE_THREATENING))),
        ("alectinib", in_words("Stevens-Johnson syndrome after Alecensa", onset=None)),
        ("alectinib", in_words("Colitis with bowel perforation on Alecensa", onset=None)),
        ("lorlatinib", in_words("Bekannte Herzinsuffizienz unter Lorlatinib", onset=None)),
        ("crizotinib", {**adverse_event({"text": "Vasculitis"}, 3), "date": None}),
    ],
)
def test_what_has_no_day_asks_where_a_row_looks_for_it_or_it_is_grave(
    name: str, undated: Json
) -> None:
    item = only(drug(name), {key: part for key, part in undated.items() if part is not None})
    assert item.kind is Kind.ASK
    assert "a day is missing" in item.detail
    assert item.ask.startswith("Since when is it there")


def test_a_drug_without_a_first_day_leaves_open_what_began_on_it() -> None:
    unknown = drug("alectinib", start=None)
    assert only(unknown, in_words(ALECENSA_LUNG)).kind is Kind.ASK
    assert net(unknown, condition("heart failure")) == []
    assert net(unknown, in_words(ALECENSA_LUNG, onset=400)) == []


@pytest.mark.parametrize("name", sorted(knowledge().drugs))
@pytest.mark.parametrize(
    "text",
    ["Chronic heart failure, NYHA II", "Known chronic pancreatitis, stable since years",
     "Chronic respiratory failure", "Herzinsuffizienz, chronisch"],
)  # fmt: skip
def test_what_calls_itself_long_standing_and_has_no_day_is_quiet(name: str, text: str) -> None:
    assert net(drug(name), in_words(text, onset=None)) == []


# -- what stays quiet ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quiet",
    [
        condition("heart failure", BEGUN + 30),
        condition("heart failure", BEGUN),
        condition("heart failure", None),
        condition("heart failure", verification="refuted"),
        condition("heart failure", clinical="resolved", abated=2),
        condition("acute kidney injury", clinical="resolved"),
    ],
    ids=["older than the drug", "of the first day", "undated", "refuted", "over", "end not known"],
)
def test_what_is_old_undated_refuted_or_over_is_quiet(quiet: Json) -> None:
    assert net(drug(), quiet) == []


def test_what_is_long_standing_is_quiet_unless_it_threatens_life() -> None:
    assert net(drug(start=900), condition("heart failure", 400)) == []
    grave = diagnosis("I27.0", onset=400, severity=severity(LIFE_THREATENING))
    assert only(drug(start=900), grave).kind is Kind.WITHHOLD


@pytest.mark.parametrize("concept", ["cough", "nausea", "rash", "hypertension", "oedema",
                                     "chronic kidney disease stage 3", "pregnancy",
                                     "brain metastases", "liver metastases"])  # fmt: skip
def test_everyday_and_chronic_findings_and_the_disease_itself_are_quiet(concept: str) -> None:
    assert net(drug(), condition(concept)) == []


def test_a_severe_tumour_is_no_side_effect() -> None:
    assert net(drug(), diagnosis("C79.51", severity=severity(LIFE_THREATENING))) == []


def test_a_patient_without_an_inhibitor_is_not_asked() -> None:
    assert net(condition("heart failure")) == []
    assert net(drug(status="stopped"), condition("heart failure")) == []


def test_another_cause_that_is_recorded_answers_the_question() -> None:
    unrelated = [{"causality": [{"assessment": coded(
        "C53256", "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl")}],
        "instance": {"display": "brigatinib"}}]  # fmt: skip
    event = adverse_event(coded("I27.0"), 4)
    assert net(drug(), event) != []
    assert net(drug(), {**event, "suspectEntity": unrelated}) == []


def test_what_a_row_reads_is_left_to_the_row() -> None:
    severe = diagnosis("I27.0", severity=severity(SEVERE))
    assert "pulmonary hypertension" in read_by(knowledge(), "lorlatinib")
    assert net(drug("lorlatinib"), severe) == []
    assert net(drug("brigatinib"), severe) != []


def test_a_row_that_asks_for_absence_reads_nothing() -> None:
    tables = knowledge().drugs["alectinib"].dose_changes
    assert tables is not None
    only_absent = {
        name
        for row in tables
        for name in row.when.facts_named
        if name in knowledge().concepts and f"no {name}" in row.text("when")
    }
    present = {name for name in only_absent if any(f"{name} present" in row.text("when")
                                                   for row in tables)}  # fmt: skip
    assert (only_absent - present).isdisjoint(read_by(knowledge(), "alectinib"))


@pytest.mark.parametrize("name", sorted(knowledge().drugs))
def test_a_drug_reads_a_concept_by_name_or_by_the_fact_that_stands_for_it(name: str) -> None:
    lungs = knowledge().concepts.with_broader("drug-induced interstitial lung disease")
    assert not lungs.isdisjoint(read_by(knowledge(), name))


# -- answered ------------------------------------------------------------------------------------


def test_an_answered_question_stays_away_until_something_changes() -> None:
    records = drug(), condition("heart failure")
    first, again = only(*records), only(*records)
    assert fingerprint("p", [first]) == fingerprint("p", [again])
    assert may_be_quiet([first])
    more = only(*records, condition("acute kidney injury"))
    assert fingerprint("p", [first]) != fingerprint("p", [more])


def test_a_suspicion_that_is_confirmed_asks_again() -> None:
    suspected = condition("heart failure", verification="provisional")
    confirmed = {**condition("heart failure"), "id": suspected["id"]}
    one, other = only(drug(), suspected), only(drug(), confirmed)
    assert fingerprint("p", [one]) != fingerprint("p", [other])


def test_a_hold_is_said_each_time() -> None:
    item = only(drug(), diagnosis("I27.0", severity=severity(LIFE_THREATENING)))
    assert not may_be_quiet([item])


# -- noise ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", story_names())
def test_no_story_shows_it(name: str) -> None:
    story = load_story(name)
    found = read_resources(json.dumps(story.bundle).encode())
    record = PatientRecord.build(story.patient_id, [found])
    facts, _ = reader().read(Supplied(record, ALL, {}, []), story.as_of)
    answer = decide(facts, Question("patient-view"), knowledge(), story.as_of).whole()
    assert UNCOVERED_RULE not in {item.rule_id for item in answer.recommendations}


class Everyday(NamedTuple):
    """A diagnosis of everyday practice, and in how many of a hundred charts it stands."""

    code: str
    system: str
    per_hundred: int


EVERYDAY = (
    Everyday("I10", CM, 35), Everyday("I10.90", GM, 10), Everyday("E78.5", CM, 35),
    Everyday("E11.9", CM, 15), Everyday("E03.9", CM, 12), Everyday("K21.9", CM, 20),
    Everyday("J44.9", CM, 12), Everyday("J45.909", CM, 8), Everyday("F41.1", CM, 12),
    Everyday("F32.9", GM, 8), Everyday("F32.A", CM, 8), Everyday("G47.00", CM, 12),
    Everyday("M54.50", CM, 20), Everyday("M17.9", WHO, 10), Everyday("N18.30", CM, 8),
    Everyday("I48.91", CM, 6), Everyday("I25.10", CM, 8), Everyday("D64.9", CM, 12),
    Everyday("K59.00", CM, 20), Everyday("R60.0", CM, 15), Everyday("R05.9", CM, 15),
    Everyday("R06.00", CM, 8), Everyday("R11.0", CM, 12), Everyday("R19.7", CM, 10),
    Everyday("R21", CM, 10), Everyday("R42", CM, 8), Everyday("R53.83", CM, 20),
    Everyday("R63.5", CM, 10), Everyday("E66.9", CM, 12), Everyday("H25.9", CM, 8),
    Everyday("H40.9", WHO, 5), Everyday("J06.9", CM, 15), Everyday("J18.9", CM, 5),
    Everyday("J90", CM, 8), Everyday("N39.0", CM, 8), Everyday("U07.1", CM, 8),
    Everyday("J30.9", CM, 8), Everyday("K76.0", CM, 8), Everyday("K57.30", CM, 6),
    Everyday("K64.9", CM, 5), Everyday("N40.0", CM, 6), Everyday("N28.1", CM, 6),
    Everyday("I45.10", CM, 4), Everyday("I49.3", CM, 4), Everyday("I34.0", CM, 4),
    Everyday("I82.409", CM, 3), Everyday("G62.9", CM, 6), Everyday("G43.909", CM, 5),
    Everyday("C79.31", CM, 15), Everyday("C79.51", CM, 15), Everyday("C78.7", GM, 8),
    Everyday("Z85.118", CM, 10), Everyday("Z79.899", CM, 10), Everyday("S72.001A", CM, 2),
    Everyday("271807003", SNOMED, 4), Everyday("38341003", SNOMED, 10),
    Everyday("44054006", SNOMED, 6), Everyday("55822004", SNOMED, 8),
    Everyday("235595009", SNOMED, 6), Everyday("160903007", SNOMED, 10),
)  # fmt: skip
MILD = ("255604002", "6736007")
CHRONIC = (
    "Chronic heart failure, NYHA II", "Known chronic pancreatitis", "COPD with chronic bronchitis",
    "Chronische Niereninsuffizienz G3a", "Herzinsuffizienz, chronisch, kompensiert",
    "Stable chronic hypoxic respiratory failure on home oxygen", "Fatty liver, mild",
    "Hypertension, well controlled", "Elevated cholesterol under statin", "Z.n. Pneumonie 2019",
    "History of pancreatitis", "Bradycardia of the athlete, asymptomatic", "Type 2 diabetes",
    "Dépression chronique", "Migraine with visual aura", "Family history of seizures",
)  # fmt: skip
"""Diagnoses in words, as they stand on lists of problems for years."""
INTERCURRENT = ("I26.99", "I21.4", "I63.9", "K85.90")
"""Serious illness that no drug caused, in one of a hundred charts."""


@cache
def _population(size: int, seed: int, dated: float = 1.0) -> tuple[tuple[Json, ...], ...]:
    """Charts of people who take an inhibitor and have no toxicity.

    Each everyday diagnosis begins before or after the first dose with even odds; one in five has
    a severity, which is mild or moderate. `dated` is the share of which somebody wrote down when.
    """
    chance = random.Random(seed)
    drugs = sorted(knowledge().drugs)
    charts = []
    for _ in range(size):
        begun = chance.randint(30, 900)
        chart = [drug(chance.choice(drugs), start=begun), diagnosis("C34.11", onset=begun + 40)]
        for item in EVERYDAY:
            if chance.randrange(100) < item.per_hundred:
                onset = chance.randint(0, begun - 1) if chance.random() < 0.5 else begun + 500
                graded = severity(chance.choice(MILD)) if chance.random() < 0.2 else None
                known = onset if chance.random() < dated else None
                chart.append(diagnosis(item.code, item.system, known, severity=graded))
        if dated < 1:
            chart += [in_words(text, onset=None) for text in CHRONIC if chance.randrange(100) < 5]
        if chance.randrange(100) == 0:
            chart.append(diagnosis(chance.choice(INTERCURRENT), onset=chance.randint(0, begun - 1)))
        charts.append(tuple(chart))
    return tuple(charts)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(8))
def test_at_most_one_in_fifty_charts_without_toxicity_shows_it(seed: int) -> None:
    charts = _population(100, seed)
    shown = [chart for chart in charts if net(*chart)]
    assert len(shown) <= len(charts) / 50


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(4))
def test_at_most_one_in_fifty_shows_it_where_half_of_the_diagnoses_have_no_day(seed: int) -> None:
    charts = _population(200, seed, 0.5)
    shown = [chart for chart in charts if net(*chart)]
    assert len(shown) <= len(charts) / 50
