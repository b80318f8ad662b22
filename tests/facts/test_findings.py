"""Clinical events in every kind of resource become findings: what, status, days, grade, cause."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cds_service.facts import PatientFacts
from cds_service.rules import Finding
from cds_service.rules.values import A_DRUG, ANOTHER_CAUSE
from tests.facts.records import (
    AS_OF,
    RXNORM,
    Json,
    coded,
    condition,
    day,
    facts_of,
    medication,
    resource,
    stated,
)

LUNG = "interstitial lung disease"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
NCI = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
CTCAE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
HL7 = "http://terminology.hl7.org/CodeSystem/"
GUIDES = "http://hl7.org/fhir/us/ctcae/StructureDefinition/"
BACKPORT = "http://hl7.org/fhir/uv/ae-research-backport-ig/StructureDefinition/"
PNEUMONITIS = {"coding": [{"system": SNOMED, "code": "205237003"}], "text": "Pneumonitis"}
ALECTINIB = "1727455"


def code(system: str, value: object) -> Json:
    return {"coding": [{"system": system, "code": str(value)}]}


def event(days_ago: int | None = 10, **more: object) -> Json:
    body = {
        "actuality": "actual",
        "event": PNEUMONITIS,
        "date": None if days_ago is None else day(days_ago),
        **more,
    }
    return resource("AdverseEvent", body)


def grade_extension(value: object, kind: str = "valueCodeableConcept", url: str = "") -> Json:
    return {"url": url or f"{GUIDES}ctcae-grade", kind: value}


def found(facts: PatientFacts, concept: str = LUNG) -> tuple[Finding, ...]:
    assert facts.found is not None
    return facts.found.of(concept).findings


def only(*resources: Json, concept: str = LUNG, as_of: date = AS_OF) -> Finding:
    (finding,) = found(facts_of(*resources, as_of=as_of), concept)
    return finding


def ago(finding: Finding) -> tuple[int | None, int | None]:
    return tuple(  # type: ignore[return-value]
        None if moment is None else (AS_OF - moment).days
        for moment in (finding.began, finding.ended)
    )


def remarks(facts: PatientFacts) -> set[str]:
    found(facts)
    return {f"{item.subject}: {item.says}" for item in facts.remarks}


# -- conditions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verification", "clinical", "status"),
    [
        ("confirmed", "active", "present"),
        ("confirmed", "recurrence", "present"),
        ("confirmed", "relapse", "present"),
        (None, "active", "present"),
        (None, None, "present"),
        ("provisional", "active", "suspected"),
        ("differential", "active", "suspected"),
        ("unconfirmed", None, "suspected"),
        ("refuted", None, "refuted"),
        ("refuted", "resolved", "refuted"),
        ("confirmed", "resolved", "over"),
        ("confirmed", "inactive", "over"),
        ("confirmed", "remission", "over"),
    ],
)
def test_a_condition_has_the_status_that_both_its_statuses_say(
    verification: str | None, clinical: str | None, status: str
) -> None:
    assert only(condition(LUNG, verification=verification, clinical=clinical)).status == status


def test_a_condition_entered_in_error_and_a_suspicion_of_the_past_are_no_findings() -> None:
    assert not found(facts_of(condition(LUNG, verification="entered-in-error")))
    assert not found(facts_of(condition(LUNG, verification="provisional", clinical="resolved")))


@pytest.mark.parametrize(
    "end",
    [
        {"abatementDateTime": "2026"},
        {"abatementAge": {"value": 56, "unit": "a"}},
        {"abatementRange": {"low": {"value": 50}}},
        {"abatementString": "after steroids"},
        {"abatementBoolean": True},
    ],
    ids=lambda item: str(next(iter(item))),
)
def test_any_type_of_end_says_that_it_is_over_if_not_since_when(end: Json) -> None:
    finding = only(condition(LUNG, 30, clinical=None, **end))
    assert (finding.status, finding.ended) == ("over", None)


def test_an_abatement_that_is_denied_is_none() -> None:
    assert only(condition(LUNG, clinical=None, abatementBoolean=False)).status == "present"


def test_what_is_over_later_was_there_on_the_day_asked_about() -> None:
    over = condition(LUNG, 30, clinical="resolved", abated=10)
    assert ago(only(over)) == (30, 10)
    before = only(over, as_of=AS_OF - timedelta(days=20))
    assert (before.status, before.ended) == ("present", None)
    assert not found(facts_of(over, as_of=AS_OF - timedelta(days=40)))


def test_an_episode_of_one_day_lasted_that_day() -> None:
    assert ago(only(condition(LUNG, 30, clinical="resolved", abated=30))) == (30, 29)


@pytest.mark.parametrize("onset", [{"onsetAge": {"value": 40}}, {"onsetString": "as a child"}])
def test_the_day_of_recording_does_not_stand_for_an_onset_of_long_ago(onset: Json) -> None:
    assert only(condition(LUNG, None, recorded=2, **onset)).began is None


def test_a_diagnosis_of_a_visit_has_the_day_of_the_visit() -> None:
    visit = resource("Encounter", {"status": "finished", "period": {"start": day(12)}})
    said = condition(LUNG, None, encounter={"reference": f"Encounter/{visit['id']}"})
    assert ago(only(visit, said)) == (12, None)


@pytest.mark.parametrize(
    ("letter", "status"), [("G", "present"), ("V", "suspected"), ("Z", "over"), ("A", "refuted")]
)
def test_the_letter_of_a_german_code_is_its_status(letter: str, status: str) -> None:
    german = code("http://fhir.de/CodeSystem/bfarm/icd-10-gm", f"J70.2{letter}")
    said = {**condition(LUNG, verification=None, clinical=None), "code": german}
    assert only(said).status == status


def test_an_edition_never_answers_for_another() -> None:
    said = {**condition(LUNG), "code": code("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M62.82")}
    assert not found(facts_of(said), "rhabdomyolysis")
    said["code"] = code(ICD, "M62.82")
    assert found(facts_of(said), "rhabdomyolysis")


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Pneumonitis", "pneumonitis (disorder)", "Pneumonitis, grade 2"])
def test_an_exact_name_stands_for_its_concept(text: str) -> None:
    finding = only({**condition(LUNG), "code": {"text": text}})
    assert finding.grade is None, "words alone state no grade"
    assert finding.note == "recognised by its name"


@pytest.mark.parametrize(
    "text", ["no pneumonitis", "radiation pneumonitis", "pneumonitis -", "history of pneumonitis",
             "pneumoniti", "pneumonitis after treatment"],
)  # fmt: skip
def test_what_only_holds_a_name_does_not(text: str) -> None:
    assert not found(facts_of({**condition(LUNG), "code": {"text": text}}))


@pytest.mark.parametrize(
    "text", ["Pneumonitis (HCC)", "ILD (interstitial lung disease) (CMS/HCC)",
             "Interstitial lung disease (ILD)", "Pneumonitis [J84.9]", "Pneumonitis NOS",
             "Interstitial lung disease, unspecified"],
)  # fmt: skip
def test_what_record_systems_write_around_a_name_changes_nothing(text: str) -> None:
    assert only({**condition(LUNG), "code": {"text": text}}).status == "present"


@pytest.mark.parametrize(
    "text", ["pneumonitis?", "? pneumonitis", "rule out pneumonitis", "R/O pneumonitis (HCC)",
             "Possible pneumonitis", "Pneumonitis (suspected)", "V. a. Pneumonitis"],
)  # fmt: skip
def test_a_doubt_in_words_is_a_suspicion(text: str) -> None:
    assert only({**condition(LUNG), "code": {"text": text}}).status == "suspected"


@pytest.mark.parametrize(
    ("text", "possible"),
    [("Pneumonitis after treatment", True), ("acute on chronic liver failure", True),
     ("No pneumonitis on CT", False), ("Family history of liver failure", False),
     ("Z. n. Pneumonitis", False), ("Fear of " + "very " * 60 + "bad pneumonitis", False)],
)  # fmt: skip
def test_a_name_within_a_text_is_possible_unless_the_text_speaks_of_something_else(
    text: str, possible: bool
) -> None:
    facts = facts_of({**condition(LUNG), "code": {"text": text}})
    assert facts.found is not None
    (event,) = facts.found.events
    assert bool(event.possible) is possible
    assert event.names == frozenset()


def test_what_no_table_knows_is_kept_for_whoever_must_not_drop_it() -> None:
    unknown = {**condition(LUNG), "code": {**code(ICD, "K76.89"), "text": "Liver lesion"}}
    facts = facts_of(unknown, event(5, event={"text": "felt odd"}))
    assert facts.found is not None
    kept = {item.finding.label: item for item in facts.found.events}
    assert kept["felt odd"].names == frozenset()
    assert (ICD, "K76.89") in kept["Liver lesion"].keys


# -- adverse events -----------------------------------------------------------------------------


def test_an_adverse_event_is_a_finding_from_its_own_day_on() -> None:
    finding = only(event(10))
    assert (finding.status, ago(finding)) == ("present", (10, None))


@pytest.mark.parametrize(
    "days",
    [
        {"detected": day(8), "recordedDate": day(3)},
        {"recordedDate": day(8)},
        {"occurrenceDateTime": day(8), "detected": day(3)},
        {"occurrencePeriod": {"start": day(8)}},
    ],
    ids=lambda item: str(next(iter(item))),
)
def test_without_its_own_date_an_event_has_the_day_of_detection_or_recording(days: Json) -> None:
    assert ago(only(event(None, **days)))[0] == 8


@pytest.mark.parametrize(
    "body",
    [
        {"actuality": "potential"},
        {"status": "entered-in-error"},
        {"modifierExtension": [{"url": f"{BACKPORT}status", "valueCode": "entered-in-error"}]},
        {"date": day(-2)},
    ],
    ids=["potential", "in error", "in error by the guide", "tomorrow"],
)
def test_an_event_that_did_not_happen_is_none(body: Json) -> None:
    assert not found(facts_of(event(**{"days_ago": 10, **body})))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (code(CTCAE, 3), "valueCodeableConcept"),
        (code(NCI, "C41340"), "valueCodeableConcept"),
        (code("http://example.org/grades", "3"), "valueCodeableConcept"),
        ({"text": "Grade 3"}, "valueCodeableConcept"),
        ({"system": CTCAE, "code": "3"}, "valueCoding"),
        ("3", "valueCode"),
        (3, "valueInteger"),
        ("G3", "valueString"),
        ("CTCAE v5.0 grade 3", "valueString"),
        ("Graded by the treating team at the visit, " * 8 + "CTCAE grade   3", "valueString"),
    ],
)
@pytest.mark.parametrize(
    "url",
    ["", "http://hl7.org/fhir/us/mcode/StructureDefinition/ctcae-grade", f"{BACKPORT}ae-grade",
     "http://example.org/ctcae-grade-extension"],
)  # fmt: skip
def test_a_grade_extension_is_read_at_any_address_and_with_any_value(
    value: object, kind: str, url: str
) -> None:
    finding = only(event(extension=[grade_extension(value, kind, url)]))
    assert (finding.grade, finding.grade_from) == (3, "stated")


def test_a_grade_made_for_it_speaks_before_a_severity() -> None:
    severity = code(f"{HL7}adverse-event-severity", "moderate")
    assert (only(event(severity=severity)).grade, only(event(severity=severity)).grade_from) == (
        2,
        "severity",
    )
    both = event(severity=severity, extension=[grade_extension(code(CTCAE, 1))])
    assert only(both).grade == 1


def test_seriousness_is_no_grade_but_where_the_german_module_puts_the_grade_there() -> None:
    assert only(event(seriousness=code(f"{HL7}adverse-event-seriousness", "serious"))).grade is None
    german = (
        "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem/"
        "mii-cs-onko-nebenwirkung-ctcae-grad"
    )
    assert only(event(seriousness=code(german, 3))).grade == 3


@pytest.mark.parametrize(
    ("more", "grade"),
    [
        ({"outcome": code(f"{HL7}adverse-event-outcome", "fatal")}, 5),
        ({"extension": [{"url": f"{GUIDES}adverse-event-seriousness-outcome",
                         "valueCodeableConcept": code(NCI, "C84266")}]}, 4),
        ({"extension": [{"url": f"{BACKPORT}seriousness-criteria", "extension": [
            {"url": "criterionCode", "valueCodeableConcept": code(NCI, "C84266")},
            {"url": "criterionPresent", "valueBoolean": False}]}]}, None),
    ],
    ids=["fatal", "life-threatening", "a criterion that was not met"],
)  # fmt: skip
def test_death_and_danger_to_life_are_what_the_grades_say(more: Json, grade: int | None) -> None:
    assert only(event(**more)).grade == grade


@pytest.mark.parametrize(
    ("more", "status", "ended"),
    [
        ({"outcome": code(f"{HL7}adverse-event-outcome", "resolved")}, "over", None),
        ({"outcome": code(NCI, "C49495")}, "over", None),
        ({"outcome": code(f"{HL7}adverse-event-outcome", "ongoing")}, "present", None),
        ({"outcome": code(f"{HL7}adverse-event-outcome", "recovering")}, "present", None),
        ({"extension": [{"url": f"{GUIDES}adverse-event-resolved-date",
                         "valueDateTime": day(4)}]}, "over", 4),
        ({"extension": [{"url": f"{BACKPORT}resolve-date", "valueDateTime": day(4)}]}, "over", 4),
        ({"extension": [{"url": f"{BACKPORT}resolve-date", "valueDateTime": day(-4)}]},
         "present", None),
    ],
)  # fmt: skip
def test_an_event_is_over_by_its_outcome_or_its_resolved_date(
    more: Json, status: str, ended: int | None
) -> None:
    finding = only(event(**more))
    assert (finding.status, ago(finding)) == (status, (10, ended))


def test_grade_0_says_that_it_was_looked_for_and_not_there() -> None:
    assert only(event(extension=[grade_extension(code(CTCAE, 0))])).status == "absent"


def test_a_term_that_begins_at_a_grade_says_at_least_that() -> None:
    block = event(event=code(NCI, "C143308"))
    finding = only(block, concept="complete atrioventricular block")
    assert (finding.grade, finding.grade_is_least, finding.grade_from) == (2, True, "term")
    block["extension"] = [grade_extension(code(CTCAE, 4))]
    finding = only(block, concept="complete atrioventricular block")
    assert (finding.grade, finding.grade_is_least) == (4, False)


# -- causes -------------------------------------------------------------------------------------


def suspect(reference: str | None = None, judged: str | None = None, **more: object) -> Json:
    entity: Json = {"instance": {"reference": reference}} if reference else {}
    if judged is not None:
        entity["causality"] = [{"assessment": code(NCI, judged)}]
    return {**entity, **more}


def test_a_suspect_names_the_drug_as_cause() -> None:
    order = medication(code=ALECTINIB, start=60)
    said = event(suspectEntity=[suspect(f"MedicationRequest/{order['id']}", "C53259")])
    assert only(order, said).causes == {A_DRUG, "alectinib"}


@pytest.mark.parametrize(
    ("judged", "causes"),
    [("C53256", {ANOTHER_CAUSE}), ("C53257", set()), ("C53258", {A_DRUG, "alectinib"}),
     (None, {A_DRUG, "alectinib"})],
    ids=["unrelated", "unlikely", "possible", "not judged"],
)  # fmt: skip
def test_a_suspect_that_is_unrelated_is_out(judged: str | None, causes: set[str]) -> None:
    order = medication(code=ALECTINIB, start=60)
    said = event(suspectEntity=[suspect(f"MedicationRequest/{order['id']}", judged)])
    assert only(order, said).causes == causes


def test_the_guide_has_its_suspects_in_an_extension() -> None:
    order = medication(code=ALECTINIB, start=60)
    entity = {"url": f"{BACKPORT}suspect-entity", "extension": [
        {"url": "instance", "valueReference": {"reference": f"MedicationRequest/{order['id']}"}},
    ]}  # fmt: skip
    assert only(order, event(extension=[entity])).causes == {A_DRUG, "alectinib"}
    named = {"url": "instance", "valueCodeableConcept": code(RXNORM, ALECTINIB)}
    entity["extension"] = [named]
    assert only(event(extension=[entity])).causes == {A_DRUG, "alectinib"}


def test_a_course_of_treatment_named_after_its_drug_names_it() -> None:
    course = resource("Procedure", {"status": "completed", "code": {"text": "Alectinib therapy"}})
    said = event(suspectEntity=[suspect(f"Procedure/{course['id']}")])
    assert only(course, said).causes == {A_DRUG, "alectinib"}


def test_an_effect_code_names_a_drug_on_the_same_condition_or_on_one_of_the_day() -> None:
    effect = coded("adverse effect of a cancer drug")["coding"]
    plain = {**condition(LUNG, 10), "code": PNEUMONITIS}
    assert only(plain).causes == frozenset()
    same = {**plain, "code": {"coding": [*PNEUMONITIS["coding"], *effect]}}  # type: ignore[misc]
    assert A_DRUG in only(same).causes
    beside = condition("adverse effect of a cancer drug", 10)
    assert only(plain, beside).causes == {A_DRUG}
    assert only(plain, condition("adverse effect of a cancer drug", 9)).causes == frozenset()
    elsewhere = {**beside, "encounter": {"reference": "Encounter/1"}}
    visited = {**plain, "encounter": {"reference": "Encounter/2"}}
    assert only(visited, elsewhere).causes == frozenset()


@pytest.mark.parametrize(
    "url",
    ["http://hl7.org/fhir/StructureDefinition/condition-dueTo", "http://example.org/causedBy"],
)
def test_an_extension_names_the_cause(url: str) -> None:
    plain = {**condition(LUNG, 10), "code": PNEUMONITIS}
    drug = {"url": url, "valueCodeableConcept": {"text": "alectinib"}}
    assert only({**plain, "extension": [drug]}).causes == {A_DRUG, "alectinib"}
    other = {**condition(LUNG, 12), "code": code(ICD, "J18.9")}
    due = {"url": url, "valueReference": {"reference": f"Condition/{other['id']}"}}
    assert only({**plain, "extension": [due]}, other).causes == {ANOTHER_CAUSE}


def test_evidence_names_the_drug() -> None:
    order = medication(code=ALECTINIB, start=60)
    evidence = [{"detail": [{"reference": f"MedicationRequest/{order['id']}"}]}]
    said = {**condition(LUNG, 10, evidence=evidence), "code": PNEUMONITIS}
    assert only(order, said).causes == {A_DRUG, "alectinib"}


def test_a_concept_may_say_its_cause_itself() -> None:
    said = {**condition(LUNG), "code": code(ICD, "J70.4")}
    assert only(said).causes == {A_DRUG}
    radiation = {**said, "code": code(ICD, "J70.0")}
    assert only(radiation, concept="radiation pneumonitis").causes == {ANOTHER_CAUSE}


# -- one event in several records ---------------------------------------------------------------


def test_a_condition_and_an_event_of_one_day_are_one() -> None:
    order = medication(code=ALECTINIB, start=60)
    said = event(
        extension=[grade_extension(code(CTCAE, 3))],
        suspectEntity=[suspect(f"MedicationRequest/{order['id']}")],
    )
    finding = only(condition(LUNG, 10, severity=code(SNOMED, "6736007")), said, order)
    assert (finding.grade, finding.grade_from) == (3, "stated")
    assert "alectinib" in finding.causes


def test_an_event_that_refers_to_its_condition_is_the_same_whatever_its_day() -> None:
    problem = condition(LUNG, 12)
    said = event(10, resultingCondition=[{"reference": f"Condition/{problem['id']}"}])
    assert ago(only(problem, said)) == (12, None)


def test_two_days_are_two_events_and_two_blocks_of_one_day_are_two() -> None:
    assert len(found(facts_of(condition(LUNG, 12), event(10)))) == 2
    blocks = facts_of(
        condition("second degree atrioventricular block", 5),
        condition("complete atrioventricular block", 5),
    )
    assert len(found(blocks, "atrioventricular block")) == 2


def test_a_condition_said_to_last_and_one_said_to_be_over_stay_two() -> None:
    said = [condition(LUNG, 12), condition(LUNG, 12, clinical="resolved", abated=3)]
    assert {item.status for item in found(facts_of(*said))} == {"present", "over"}


# -- observations, reports, procedures, visits, allergies ---------------------------------------


def observed(days_ago: int = 10, **body: object) -> Json:
    return resource("Observation", {"status": "final", "effectiveDateTime": day(days_ago), **body})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"valueBoolean": True}, "present"),
        ({"valueBoolean": False}, "absent"),
        ({"valueCodeableConcept": code("http://loinc.org", "LA9633-4")}, "present"),
        ({"valueCodeableConcept": code(SNOMED, "260385009")}, "absent"),
        ({"valueString": "absent"}, "absent"),
        ({"valueCodeableConcept": code(CTCAE, 2)}, "present"),
        ({"valueCodeableConcept": code(CTCAE, 0)}, "absent"),
        ({"valueCodeableConcept": code(SNOMED, "24484000")}, "present"),
        ({}, None),
        ({"valueString": "see report"}, None),
    ],
)
def test_a_finding_as_code_needs_an_answer(body: Json, status: str | None) -> None:
    said = found(facts_of(observed(code=PNEUMONITIS, **body)))
    assert [item.status for item in said] == ([] if status is None else [status])


def test_a_finding_as_value_is_there_with_the_grade_of_a_component() -> None:
    part = {"code": {"text": "CTCAE grade"}, "valueCodeableConcept": code(CTCAE, 2)}
    said = observed(code={"text": "Finding"}, valueCodeableConcept=PNEUMONITIS, component=[part])
    assert (only(said).grade, ago(only(said))) == (2, (10, None))
    family = observed(code={"text": "Family history"}, valueCodeableConcept=PNEUMONITIS)
    assert not found(facts_of(family))
    assert not found(facts_of({**said, "status": "cancelled"}))


def test_a_report_concludes_in_codes_and_only_asks_in_words() -> None:
    body = {"status": "final", "effectiveDateTime": day(6), "conclusionCode": [PNEUMONITIS]}
    assert ago(only(resource("DiagnosticReport", body))) == (6, None)
    unsigned = resource("DiagnosticReport", {**body, "status": "preliminary"})
    assert only(unsigned).status == "suspected"
    words = {"status": "final", "effectiveDateTime": day(6), "conclusion": "No pneumonitis."}
    assert not found(facts_of(resource("DiagnosticReport", words)))
    asks = resource("DiagnosticReport", {**words, "conclusion": "New pneumonitis."})
    assert not found(facts_of(asks))


def test_a_procedure_and_its_complication_are_findings() -> None:
    dialysis = {"text": "Dialysis"}
    body = {"status": "in-progress", "performedPeriod": {"start": day(20)}, "code": dialysis}
    assert only(resource("Procedure", body), concept="dialysis").status == "present"
    ended = {**body, "status": "completed", "performedPeriod": {"start": day(20), "end": day(5)}}
    assert only(resource("Procedure", ended), concept="dialysis").status == "over"
    assert not found(facts_of(resource("Procedure", {**body, "status": "not-done"})), "dialysis")
    biopsy = {"status": "completed", "performedDateTime": day(3), "complication": [PNEUMONITIS]}
    assert ago(only(resource("Procedure", biopsy))) == (3, None)


def test_a_visit_says_diagnoses_that_stand_nowhere_else() -> None:
    contained = {**condition(LUNG, None), "id": "d"}
    body = {"status": "finished", "period": {"start": day(9)}, "contained": [contained],
            "diagnosis": [{"condition": {"reference": "#d"}}]}  # fmt: skip
    assert ago(only(resource("Encounter", body))) == (9, None)
    shown = {**body, "diagnosis": [{"condition": {"reference": "Condition/gone",
                                                  "display": "Pneumonitis"}}]}  # fmt: skip
    assert only(resource("Encounter", shown)).note.startswith("recognised by its name")
    newer = {**body, "diagnosis": [{"condition": [{"concept": PNEUMONITIS}]}]}
    assert only(resource("Encounter", newer)).status == "present"
    assert not found(facts_of(resource("Encounter", {**body, "status": "cancelled"})))


def allergy(substance: Json, **more: object) -> Json:
    reaction = {"manifestation": [PNEUMONITIS], "severity": "severe", "onset": day(15)}
    body = {"code": substance, "reaction": [reaction], **more}
    made = resource("AllergyIntolerance", body)
    return {**{k: v for k, v in made.items() if k != "subject"}, "patient": made["subject"]}


def test_an_allergy_to_an_inhibitor_is_a_reaction_to_it() -> None:
    finding = only(allergy({"text": "alectinib"}))
    assert (finding.status, finding.grade, ago(finding)) == ("present", 3, (15, None))
    assert finding.causes == {A_DRUG, "alectinib"}
    assert not found(facts_of(allergy({"text": "penicillin"})))
    refuted = allergy({"text": "alectinib"}, verificationStatus=code("x", "refuted"))
    assert only(refuted).status == "refuted"
    error = allergy({"text": "alectinib"}, verificationStatus=code("x", "entered-in-error"))
    assert not found(facts_of(error))


# -- what is not believed -----------------------------------------------------------------------


@pytest.mark.parametrize("grade", [-1, 6, 7, 99])
def test_a_grade_that_no_scale_has_is_not_believed(grade: int) -> None:
    facts = facts_of(event(extension=[grade_extension(grade, "valueInteger")]))
    assert [item.grade for item in found(facts)] == [None]
    assert "adverse events: a grade outside 0 to 5 was not believed" in remarks(facts)


def test_a_resolved_date_before_the_onset_is_not_believed() -> None:
    early = [{"url": f"{BACKPORT}resolve-date", "valueDateTime": day(20)}]
    facts = facts_of(event(10, extension=early))
    assert [item.status for item in found(facts)] == ["present"]
    assert any("lies before its beginning" in text for text in remarks(facts))
    facts = facts_of(condition(LUNG, 10, clinical="resolved", abated=20))
    assert [(item.status, item.ended) for item in found(facts)] == [("over", None)]
    assert any("lies before its beginning" in text for text in remarks(facts))


def test_a_meddra_code_under_the_nci_system_is_not_believed_nor_its_display() -> None:
    coding = {"system": NCI, "code": "10035742", "display": "Pneumonitis"}
    facts = facts_of(event(event={"coding": [coding]}))
    assert not found(facts)
    assert any("MedDRA" in text for text in remarks(facts))
    assert found(facts_of(event(event={"coding": [coding], "text": "Pneumonitis"})))


def test_what_is_of_another_or_of_nobody_is_said_and_the_rest_is_read() -> None:
    other = event(9)
    other["subject"] = {"reference": "Patient/somebody-else"}
    report = resource("DiagnosticReport", {"status": "final", "conclusionCode": [PNEUMONITIS]})
    del report["subject"]
    facts = facts_of(other, report, condition(LUNG, 30))
    assert [ago(item)[0] for item in found(facts)] == [30]
    said = remarks(facts)
    assert "adverse events: an adverse event of another patient was left out" in said
    assert "reports: a report that does not say whose it is was left out" in said


def test_the_flags_read_the_same_model() -> None:
    assert stated(facts_of(event(10)), LUNG) == "present"
    resolved = event(10, outcome=code(f"{HL7}adverse-event-outcome", "resolved"))
    assert stated(facts_of(resolved), LUNG) == "absent"
