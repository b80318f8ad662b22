"""The past is the past: of an earlier day only what was known then is used.

The day asked about is `AS_OF` in every test, and the chart was read sixty days later: what stands
in it "ten days ago" was known on the day asked about, what stands there in "ten days" was not.
"""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

import pytest

from cds_service.facts import BeforeBirthError, PatientFacts, Supplied
from cds_service.facts.context import CodeBook, Context
from cds_service.facts.past import as_it_was
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import (
    AdverseEvent,
    AllergyIntolerance,
    Encounter,
    MedicationAdministration,
    MedicationDispense,
    Period,
    ServiceRequest,
)
from cds_service.rules import Collection, Evaluation
from tests.facts.records import (
    AS_OF,
    Json,
    alk_test,
    coded,
    condition,
    day,
    facts_of,
    knowledge,
    laboratory,
    medication,
    numbers,
    observation,
    person,
    reader,
    resource,
    stated,
)

ALECTINIB, LORLATINIB, METOPROLOL = "1727455", "2103164", "6918"
READ_LATER = AS_OF + timedelta(days=60)


def then(*resources: Json, known_on: date = READ_LATER) -> PatientFacts:
    """The facts of the day asked about from a chart that was read later."""
    return facts_of(*resources, known_on=known_on)


def members(facts: PatientFacts, name: str) -> list[str]:
    found = facts.find(name)
    assert isinstance(found, Collection)
    return sorted(item.label for item in found.items)


def running(facts: PatientFacts) -> list[str]:
    return members(facts, "active ALK inhibitors")


def is_open(facts: PatientFacts) -> bool:
    """Whether the facts leave open which ALK inhibitors run."""
    found = facts.find("active ALK inhibitors")
    assert isinstance(found, Collection)
    return not found.complete and "medications" in facts.unavailable


# -- orders ----------------------------------------------------------------------------------------


ENDED_LATER: dict[str, dict[str, Any]] = {
    "its period ended later": {"effectiveDosePeriod": {"end": day(-5)}},
    "its status changed later": {"statusChanged": f"{day(-5)}T10:00:00Z"},
    "the dosage ended later": {"end": -5},
}


@pytest.mark.parametrize("how", ENDED_LATER)
@pytest.mark.parametrize("status", ["stopped", "completed"])
def test_an_order_that_was_stopped_later_ran_on_the_day(status: str, how: str) -> None:
    facts = then(medication(code=ALECTINIB, status=status, **ENDED_LATER[how]))
    assert running(facts) == ["alectinib"]
    assert members(facts, "prior ALK inhibitors") == []
    assert not is_open(facts)


@pytest.mark.parametrize("how", ENDED_LATER)
def test_why_an_order_was_stopped_is_not_known_before_it_was(how: str) -> None:
    progression = coded("treatment ended for progression")
    facts = then(
        medication(code=ALECTINIB, status="stopped", statusReason=progression, **ENDED_LATER[how])
    )
    assert members(facts, "ALK inhibitors stopped for progression") == []
    assert facts.lines[0].orders[0].reasons == frozenset()


ENDED_BEFORE: dict[str, dict[str, Any]] = {
    "its period ended before": {"effectiveDosePeriod": {"end": day(5)}},
    "its status changed before": {"statusChanged": f"{day(5)}T10:00:00Z"},
    "the dosage ended before": {"end": 5},
    "it ended on the very day": {"effectiveDosePeriod": {"end": day(0)}},
    "nothing could be supplied on it any more": {
        "dispenseRequest": {"validityPeriod": {"start": day(30), "end": day(5)}}
    },
    "the server changed nothing of it since": {"meta": {"lastUpdated": f"{day(5)}T10:00:00Z"}},
}


@pytest.mark.parametrize("how", ENDED_BEFORE)
def test_an_order_that_was_over_by_then_stays_over(how: str) -> None:
    facts = then(medication(code=ALECTINIB, status="stopped", **ENDED_BEFORE[how]))
    assert running(facts) == []
    assert members(facts, "prior ALK inhibitors") == ["alectinib"]
    assert not is_open(facts)


DATES_THAT_DO_NOT_SAY: dict[str, dict[str, Any]] = {
    "stopped on no day": {"status": "stopped"},
    "completed on no day": {"status": "completed"},
    "on hold since no day": {"status": "on-hold"},
    "stopped before the end that was planned": {
        "status": "stopped", "effectiveDosePeriod": {"end": day(-300)},
    },
    "still to be supplied when it was stopped": {
        "status": "stopped", "dispenseRequest": {"validityPeriod": {"end": day(-5)}},
    },
    "running, and begun on no day": {"status": "active", "start": None},
    "running since a change of later": {"status": "active", "statusChanged": day(-5)},
    "ended in the year of the question": {
        "status": "stopped", "effectiveDosePeriod": {"end": "2026"},
    },
    "changed at the server later": {
        "status": "stopped", "meta": {"lastUpdated": f"{day(-9)}T10:00:00Z"},
    },
    "changed at the server before it was written": {
        "status": "stopped", "meta": {"lastUpdated": f"{day(400)}T10:00:00Z"},
    },
}  # fmt: skip


@pytest.mark.parametrize("how", DATES_THAT_DO_NOT_SAY)
def test_where_the_dates_do_not_say_the_status_is_unknown_and_asked_about(how: str) -> None:
    facts = then(medication(code=ALECTINIB, **DATES_THAT_DO_NOT_SAY[how]))
    assert running(facts) == []
    assert members(facts, "prior ALK inhibitors") == []
    assert is_open(facts)
    assert "dates of an ALK inhibitor's order" in facts.unavailable["medications"]


@pytest.mark.parametrize("how", DATES_THAT_DO_NOT_SAY)
def test_in_the_present_the_status_of_today_is_taken_as_it_stands(how: str) -> None:
    sent = medication(code=ALECTINIB, **DATES_THAT_DO_NOT_SAY[how])
    today, of_today = facts_of(sent), facts_of(sent, known_on=AS_OF)
    assert today.lines == of_today.lines
    assert not is_open(today)
    assert not is_open(of_today)


def test_an_order_ran_on_the_day_on_which_it_began_whatever_became_of_it() -> None:
    assert running(then(medication(code=ALECTINIB, status="stopped", start=0))) == ["alectinib"]


def test_an_order_of_which_a_later_one_took_the_place_was_over_by_then() -> None:
    facts = then(
        medication(code=ALECTINIB, status="completed", start=90),
        medication(code=ALECTINIB, status="active", start=30),
    )
    assert running(facts) == ["alectinib"]
    assert [order.status for order in facts.lines[0].orders] == ["ended", "active"]
    assert not is_open(facts)


def test_an_order_that_was_put_on_hold_later_ran_on_the_day() -> None:
    held = medication(code=ALECTINIB, status="on-hold", statusChanged=day(-5))
    assert running(then(held)) == ["alectinib"]
    paused = medication(code=ALECTINIB, status="on-hold", statusChanged=day(5))
    assert members(then(paused), "paused ALK inhibitors") == ["alectinib"]


def test_a_supply_that_lasted_until_the_day_shows_that_its_order_ran() -> None:
    order = medication(code=ALECTINIB, status="stopped")
    supply = {
        "status": "completed",
        "medicationCodeableConcept": order["medicationCodeableConcept"],
        "authorizingPrescription": [{"reference": f"MedicationRequest/{order['id']}"}],
        "daysSupply": {"value": 30},
    }
    lasting = resource("MedicationDispense", {**supply, "whenHandedOver": day(10)})
    assert running(then(order, lasting)) == ["alectinib"]
    assert not is_open(then(order, lasting))
    later = resource("MedicationDispense", {**supply, "whenHandedOver": day(-1)})
    assert is_open(then(order, later))
    assert is_open(then(order, resource("MedicationDispense", supply)))


def test_an_order_of_later_is_no_order_and_one_written_before_for_later_is_remarked_on() -> None:
    later = then(medication(code=ALECTINIB, start=-3))
    assert later.lines == ()
    planned = medication(code=ALECTINIB, start=3, effectiveDosePeriod={"start": day(-3)})
    facts = then(planned)
    assert facts.lines == ()
    assert "an order that starts in the future is not counted yet" in {
        remark.says for remark in facts.remarks
    }


@pytest.mark.parametrize("written", ["2027", "2026-12"])
def test_a_month_or_year_that_lies_wholly_after_the_day_is_later(written: str) -> None:
    facts = then(medication(code=ALECTINIB, start=None, authoredOn=written))
    assert facts.lines == ()
    assert not is_open(facts)


def test_an_order_that_was_written_on_no_day_counts_from_its_beginning() -> None:
    def dosed_from(days_ago: int) -> Json:
        bounds = {"timing": {"repeat": {"boundsPeriod": {"start": day(days_ago)}}}}
        return medication(code=ALECTINIB, start=None, dosageInstruction=[bounds])

    assert running(then(dosed_from(3))) == ["alectinib"]
    later = then(dosed_from(-3))
    assert later.lines == ()
    assert later.remarks
    assert not is_open(later)
    assert then(_statement(status="active", effectiveDateTime=day(-3))).lines == ()
    assert running(then(_statement(status="active", effectiveDateTime=day(3)))) == ["alectinib"]


def test_another_medicine_that_nobody_knows_is_replaced_by_none() -> None:
    unknown = medication(text="Wunderpille", status="stopped", start=30)
    newer = medication(text="Wunderpille", status="active", start=10)
    found = then(unknown, newer).find("medications")
    assert isinstance(found, Collection)
    assert not found.complete


def test_an_order_of_a_year_that_is_long_over_had_begun() -> None:
    assert running(then(medication(code=ALECTINIB, start=None, authoredOn="2024"))) == ["alectinib"]


def _statement(**body: object) -> Json:
    concept = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                           "code": ALECTINIB}]}  # fmt: skip
    return resource("MedicationStatement", {"medicationCodeableConcept": concept, **body})


def test_a_statement_counts_from_the_day_on_which_it_was_made_for_its_period() -> None:
    period = {"start": day(90), "end": day(-5)}
    assert running(then(_statement(status="completed", effectivePeriod=period))) == ["alectinib"]
    over = {"start": day(90), "end": day(5)}
    assert running(then(_statement(status="completed", effectivePeriod=over))) == []
    made_later = _statement(status="active", dateAsserted=day(-5), effectivePeriod=period)
    assert then(made_later).lines == ()
    assert is_open(then(_statement(status="stopped", effectivePeriod={"start": day(90)})))


def test_the_adherence_that_newer_servers_send_is_of_today() -> None:
    taken = {"code": {"coding": [{"code": "stopped"}]}}
    period = {"start": day(90), "end": day(-5)}
    stopped = _statement(status="recorded", adherence=taken, effectivePeriod=period)
    assert running(then(stopped)) == ["alectinib"]


def test_a_supply_of_later_is_not_there_and_one_of_before_counts_by_its_days() -> None:
    def supplied(handed_over: int) -> Json:
        return resource(
            "MedicationDispense",
            {
                "status": "completed",
                "medicationCodeableConcept": medication(code=ALECTINIB)[
                    "medicationCodeableConcept"
                ],
                "whenHandedOver": day(handed_over),
                "daysSupply": {"value": 30},
            },
        )

    assert running(then(supplied(10))) == ["alectinib"]
    assert then(supplied(-1)).lines == ()


def test_a_dose_of_later_was_not_given_and_an_infusion_that_ended_later_was_running() -> None:
    def given(**body: object) -> Json:
        concept = medication(code=METOPROLOL)["medicationCodeableConcept"]
        return resource("MedicationAdministration", {"medicationCodeableConcept": concept, **body})

    assert members(then(given(status="completed", effectiveDateTime=day(-1))), "medications") == []
    period = {"start": day(20), "end": day(-20)}
    assert members(then(given(status="completed", effectivePeriod=period)), "medications")


# -- other medicines -------------------------------------------------------------------------------


def test_another_medicine_stopped_on_no_day_leaves_the_list_of_medicines_open() -> None:
    facts = then(medication(code=METOPROLOL, status="stopped", start=100))
    found = facts.find("medications")
    assert isinstance(found, Collection)
    assert not found.complete
    assert "medications" not in facts.unavailable


def test_another_medicine_stopped_on_no_day_is_not_asked_about_for_ever() -> None:
    facts = then(medication(code=METOPROLOL, status="stopped", start=800))
    found = facts.find("medications")
    assert isinstance(found, Collection)
    assert found.complete


# -- findings --------------------------------------------------------------------------------------

PNEUMONITIS = "interstitial lung disease"


@pytest.mark.parametrize(
    "left_out",
    [
        condition(PNEUMONITIS, -1),
        condition(PNEUMONITIS, None, recorded=-1),
        condition(PNEUMONITIS, 20, recorded=-1),
        condition(PNEUMONITIS, None, onsetDateTime="2027"),
        condition(PNEUMONITIS, None, onsetPeriod={"start": day(-1)}),
    ],
    ids=["began later", "written later", "known later", "of a later year", "a period of later"],
)
def test_a_condition_that_began_or_was_recorded_later_is_not_there(left_out: Json) -> None:
    facts = then(left_out)
    assert stated(facts, PNEUMONITIS) is None


@pytest.mark.parametrize("clinical", ["resolved", "inactive", "remission", None])
def test_a_condition_that_ended_later_lasted_on_the_day(clinical: str | None) -> None:
    facts = then(condition(PNEUMONITIS, 20, clinical=clinical, abated=-5))
    assert stated(facts, PNEUMONITIS) == "present"


def test_a_condition_that_ended_before_the_day_was_over() -> None:
    facts = then(condition(PNEUMONITIS, 20, clinical="resolved", abated=5))
    assert stated(facts, f"earlier {PNEUMONITIS}") == "present"


@pytest.mark.parametrize(
    "end", [{}, {"abatementString": "in spring"}, {"abatementDateTime": "2026"}]
)
def test_a_condition_that_is_over_since_no_day_is_a_question(end: Json) -> None:
    sent = condition(PNEUMONITIS, 20, clinical="resolved", **end)
    assert stated(then(sent), PNEUMONITIS) is None
    rule = knowledge().compiler.compile(PNEUMONITIS)
    (said,) = rule.evaluate(Evaluation(then(sent), AS_OF)).reasons
    assert "over by now, and nothing says since when" in said.detail
    assert stated(facts_of(sent), f"earlier {PNEUMONITIS}") == "present"


def test_a_condition_was_there_on_the_day_on_which_it_began() -> None:
    facts = then(condition(PNEUMONITIS, 0, clinical="resolved"))
    assert stated(facts, PNEUMONITIS) == "present"


def test_what_the_server_did_not_change_since_is_as_it_stands() -> None:
    untouched = {"meta": {"lastUpdated": f"{day(1)}T08:00:00Z"}}
    facts = then(condition(PNEUMONITIS, 20, clinical="resolved", **untouched))
    assert stated(facts, f"earlier {PNEUMONITIS}") == "present"


def test_a_condition_without_a_day_of_its_own_counts_from_its_first_visit() -> None:
    sent = condition(PNEUMONITIS, None)

    def visit(days_ago: int) -> Json:
        reference = {"reference": f"Condition/{sent['id']}"}
        return resource(
            "Encounter",
            {
                "status": "finished",
                "period": {"start": day(days_ago)},
                "diagnosis": [{"condition": reference}],
            },
        )

    assert stated(then(sent, visit(-3)), PNEUMONITIS) is None
    assert stated(then(sent, visit(3), visit(-3)), PNEUMONITIS) == "present"


def _event(**body: object) -> Json:
    return resource("AdverseEvent", {"actuality": "actual", "event": coded(PNEUMONITIS), **body})


def _outcome(code: str) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize("field", ["date", "detected", "recordedDate"])
def test_an_adverse_event_of_later_or_found_later_is_not_there(field: str) -> None:
    facts = then(_event(**{"date": day(20), field: day(-1)}))
    assert stated(facts, PNEUMONITIS) is None


def test_an_adverse_event_that_is_over_since_no_day_is_a_question() -> None:
    assert stated(then(_event(date=day(20), outcome=_outcome("resolved"))), PNEUMONITIS) is None
    assert stated(then(_event(date=day(0), outcome=_outcome("resolved"))), PNEUMONITIS) == "present"
    assert stated(then(_event(date=day(20), outcome=_outcome("ongoing"))), PNEUMONITIS) == "present"


def test_an_adverse_event_that_proved_fatal_later_was_not_fatal_on_the_day() -> None:
    fatal = _event(date=day(20), outcome=_outcome("fatal"))
    dead_later = {**person(), "deceasedDateTime": day(-20)}
    dead_before = {**person(), "deceasedDateTime": day(2)}
    assert stated(then(fatal, dead_later), PNEUMONITIS) == "present"
    grade = f"{PNEUMONITIS} grade >= 5"
    assert stated(then(fatal, dead_before), grade) == "present"
    assert stated(then(fatal, dead_later), grade) != "present"


def test_the_grade_of_what_is_over_since_no_day_is_a_question_like_the_finding() -> None:
    severe = {"coding": [{"system": "http://snomed.info/sct", "code": "24484000"}]}
    over = condition("skin reaction", 20, clinical="resolved", severity=severe)
    lasting = condition("skin reaction", 20, severity=severe)
    grade = "skin reaction grade >= 3"
    assert stated(then(over), grade) is None
    assert stated(facts_of(lasting), grade) == "present"


def test_the_day_on_which_an_adverse_event_was_over_tells_whether_it_was() -> None:
    address = "http://hl7.org/fhir/uv/ae-research-ig/StructureDefinition/"

    def event(days_ago: int) -> Json:
        end = {"url": f"{address}resolved-date", "valueDateTime": day(days_ago)}
        return _event(date=day(20), extension=[end], outcome=_outcome("resolved"))

    assert stated(then(event(-5)), PNEUMONITIS) == "present"
    assert stated(then(event(5)), f"earlier {PNEUMONITIS}") == "present"
    (kept,) = record_then(event(-5)).of_type(AdverseEvent)
    assert (kept.extension, kept.outcome) == ((), None)


def test_a_criterion_of_seriousness_that_tells_of_a_later_death_is_not_known() -> None:
    address = "http://hl7.org/fhir/us/ctcae/StructureDefinition/"
    fatal = {
        "url": f"{address}adverse-event-seriousness-outcome",
        "valueCodeableConcept": coded("adverse event fatal"),
    }
    (kept,) = record_then(person(), _event(date=day(20), extension=[fatal])).of_type(AdverseEvent)
    assert kept.extension == ()


def test_an_allergy_recorded_later_is_not_there() -> None:
    def allergy(recorded: int, **more: object) -> Json:
        return {
            "resourceType": "AllergyIntolerance",
            "id": f"a{recorded}",
            "patient": {"reference": "Patient/p"},
            "code": medication(code=ALECTINIB)["medicationCodeableConcept"],
            "recordedDate": day(recorded),
            "reaction": [{"manifestation": [coded(PNEUMONITIS)], **more}],
        }

    assert stated(then(allergy(3)), PNEUMONITIS) == "present"
    assert stated(then(allergy(-3)), PNEUMONITIS) is None
    assert stated(then(allergy(3, onset=day(-3))), PNEUMONITIS) is None


def test_an_allergy_whose_only_day_is_later_is_not_there_and_one_that_is_over_is_asked_about() -> (
    None
):
    def allergy(**more: object) -> Json:
        body: Json = {"resourceType": "AllergyIntolerance", "id": "a",
                      "patient": {"reference": "Patient/p"},
                      "code": medication(code=ALECTINIB)["medicationCodeableConcept"]}  # fmt: skip
        return {**body, "reaction": [{"manifestation": [coded(PNEUMONITIS)]}], **more}

    assert record_then(allergy(lastOccurrence=day(-3))).of_type(AllergyIntolerance) == ()
    later = [{"manifestation": [coded(PNEUMONITIS)], "onset": day(-3)}]
    assert record_then(allergy(reaction=later)).of_type(AllergyIntolerance) == ()
    (kept,) = record_then(allergy(recordedDate=day(3), lastOccurrence=day(-3))).of_type(
        AllergyIntolerance
    )
    assert kept.last_occurrence is None
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    resolved = {"coding": [{"system": system, "code": "resolved"}]}
    facts = then(allergy(recordedDate=day(3), clinicalStatus=resolved))
    assert stated(facts, PNEUMONITIS) is None
    assert stated(then(allergy(recordedDate=day(3))), PNEUMONITIS) == "present"


# -- results, reports and procedures ---------------------------------------------------------------


def test_a_result_of_later_is_not_there_and_leaves_no_trace() -> None:
    before, later = laboratory("ALT", 62, 2), laboratory("ALT", 990, -2)
    facts = then(before, later)
    assert numbers(facts, "ALT") == ["62"]
    assert {remark.subject for remark in facts.remarks} == {"the day asked about"}
    assert "ALT" in {remark.subject for remark in _looked_at(facts_of(before, later)).remarks}


def _looked_at(facts: PatientFacts) -> PatientFacts:
    facts.find("ALT")
    return facts


def test_a_result_that_was_issued_later_was_not_known() -> None:
    assert numbers(then(laboratory("ALT", 62, 2, issued=f"{day(-1)}T08:00:00Z")), "ALT") == []
    assert numbers(then(laboratory("ALT", 62, 2, issued=f"{day(0)}T08:00:00Z")), "ALT") == ["62"]


def test_a_result_without_a_day_counts_by_the_report_that_lists_it() -> None:
    result = laboratory("ALT", 62, None)

    def report(days_ago: int, **more: object) -> Json:
        listed = [{"reference": f"Observation/{result['id']}"}]
        body = {"status": "final", "effectiveDateTime": day(days_ago), "result": listed, **more}
        return resource("DiagnosticReport", body)

    assert numbers(then(result, report(2)), "ALT") == ["62"]
    assert numbers(then(result, report(-2)), "ALT") == []
    assert numbers(then(result, report(2, issued=day(-2))), "ALT") == []


def test_a_result_inside_a_report_of_later_is_not_there() -> None:
    inside = {**laboratory("ALT", 62, -2), "id": "inside"}
    report = resource(
        "DiagnosticReport",
        {
            "status": "final",
            "effectiveDateTime": day(2),
            "contained": [inside],
            "result": [{"reference": "#inside"}],
        },
    )
    assert numbers(then(report), "ALT") == []
    assert numbers(then({**report, "contained": [{**inside, "effectiveDateTime": day(2)}]}),
                   "ALT") == ["62"]  # fmt: skip


def test_an_alk_test_whose_result_came_later_was_awaited_on_the_day() -> None:
    awaited = {**alk_test("FISH", "positive", 5), "issued": f"{day(-5)}T08:00:00Z"}
    assert stated(then(awaited), "ALK") == stated(facts_of(alk_test("FISH", "pending", 5)), "ALK")
    assert stated(facts_of(awaited), "ALK") == "confirmed"


def test_a_report_of_later_says_nothing() -> None:
    def report(**days_of_it: str) -> Json:
        conclusion = [coded("disease worsened")]
        body = {"status": "final", "conclusionCode": conclusion, **days_of_it}
        return resource("DiagnosticReport", body)

    order = medication(code=ALECTINIB, start=100)
    signs = "signs of progression"
    assert members(then(order, report(effectiveDateTime=day(2))), signs)
    for later in (
        report(effectiveDateTime=day(-2)),
        report(issued=day(-2)),
        report(effectiveDateTime=day(2), issued=day(-2)),
    ):
        assert members(then(order, later), signs) == []


def test_an_operation_of_later_was_not_done_and_its_complications_are_not_known() -> None:
    def operation(**body: object) -> Json:
        return resource("Procedure", {"status": "completed", "code": coded("dialysis"), **body})

    assert stated(then(operation(performedDateTime=day(-1))), "dialysis") is None
    lasting = operation(performedPeriod={"start": day(9), "end": day(-9)},
                        complication=[coded(PNEUMONITIS)])  # fmt: skip
    assert stated(then(lasting), "dialysis") == "present"
    assert stated(then(lasting), PNEUMONITIS) is None


def test_the_disease_that_got_worse_later_had_not_on_the_day() -> None:
    worse = observation("disease status", -74, valueCodeableConcept=coded("disease worsened"))
    stable = observation("disease status", 10, valueCodeableConcept=coded("disease stable"))
    assert stated(then(stable, worse), "disease status") == "stable"


def test_a_test_ordered_later_is_not_on_order_and_one_done_by_now_may_have_been() -> None:
    def asked(**body: object) -> Json:
        code = {"coding": [{"system": "http://loinc.org", "code": "1742-6"}]}
        return resource("ServiceRequest", {"intent": "order", "code": code, **body})

    key = {("http://loinc.org", "1742-6")}
    assert then(asked(status="active", authoredOn=day(2))).requested_tests == key
    assert then(asked(status="active", authoredOn=day(-2))).requested_tests == frozenset()
    planned = asked(status="active", authoredOn=day(2), occurrenceDateTime=day(-20))
    assert then(planned).requested_tests == key
    assert then(asked(status="completed", authoredOn=day(2))).requested_tests == frozenset()
    (kept,) = record_then(
        asked(status="completed", authoredOn=day(2), meta={"lastUpdated": f"{day(1)}T08:00:00Z"})
    ).of_type(ServiceRequest)
    assert kept.status == "completed"


# -- the patient, and which day is the past --------------------------------------------------------


def record_then(*resources: Json) -> PatientRecord:
    """The record as it was on the day asked about."""
    record = PatientRecord.build("p", [_page(*resources)])
    context = Context(CodeBook.of(knowledge()), record, AS_OF, UTC, frozenset())
    return as_it_was(context, READ_LATER).record


@pytest.mark.parametrize(
    ("death", "known"),
    [
        ({"deceasedDateTime": day(2)}, True),
        ({"deceasedDateTime": day(-2)}, False),
        ({"deceasedDateTime": "2026"}, False),
        ({"deceasedBoolean": True}, False),
    ],
    ids=["died before", "died later", "died in that year", "died on no day"],
)
def test_a_death_is_known_from_its_day_on(death: Json, known: bool) -> None:
    patient = record_then({**person(), **death}).patient
    assert patient is not None
    assert bool(patient.deceased_date_time or patient.deceased_boolean) is known


@pytest.mark.parametrize("status", ["stopped", "on-hold"])
def test_since_when_a_supply_or_a_dose_was_halted_nobody_knows(status: str) -> None:
    supply = resource("MedicationDispense", {"status": status, "whenHandedOver": day(5)})
    (found,) = record_then(supply).of_type(MedicationDispense)
    assert found.status == "unknown"
    untouched = {**supply, "meta": {"lastUpdated": f"{day(1)}T08:00:00Z"}}
    (found,) = record_then(untouched).of_type(MedicationDispense)
    assert found.status == status


def test_a_dose_that_was_stopped_on_a_day_was_given_on_it() -> None:
    def dose(status: str, **body: object) -> str | None:
        sent = resource("MedicationAdministration", {"status": status, **body})
        (found,) = record_then(sent).of_type(MedicationAdministration)
        return found.status

    assert dose("stopped", effectiveDateTime=day(5)) == "stopped"
    assert dose("on-hold", effectiveDateTime=day(5)) == "unknown"
    assert dose("on-hold", effectivePeriod={"start": day(5), "end": day(-5)}) == "in-progress"


def test_a_visit_of_later_is_not_there_and_one_without_a_day_stays() -> None:
    def visit(**period: str) -> Json:
        return resource("Encounter", {"status": "finished", "period": period})

    kept = record_then(visit(start=day(-1)), visit(end=day(-1)), visit(start=day(1)), visit())
    assert [found.period for found in kept.of_type(Encounter)] == [
        Period(start=day(1)),
        Period(),
    ]


def _page(*resources: Json) -> Any:
    entries = [{"resource": item} for item in resources]
    return read_resources({"resourceType": "Bundle", "type": "collection", "entry": entries})


@pytest.mark.parametrize("birth", ["2027-01-01", "2026-12", "2027"])
def test_a_day_before_the_birth_is_refused_by_the_name_of_the_field(birth: str) -> None:
    with pytest.raises(BeforeBirthError, match=r"Patient\.birthDate"):
        then(person(birth=birth))
    with pytest.raises(BeforeBirthError):
        facts_of(person(birth=birth), known_on=AS_OF)


@pytest.mark.parametrize("birth", ["2026-11-20", "2026-11", "2026", None, "unknown"])
def test_a_day_that_may_lie_after_the_birth_is_answered(birth: str | None) -> None:
    assert then(person(birth=birth)).as_of == AS_OF


def test_a_call_about_today_is_never_refused_for_a_slip_in_the_birth_date() -> None:
    assert facts_of(person(birth="2066-01-01")).find("age") is None


def known_by(*resources: Json, today: date = READ_LATER) -> date | None:
    record = PatientRecord.build("p", [_page(person(), *resources)])
    return reader().known_by(Supplied(record), today, AS_OF).known_on


def test_a_chart_with_nothing_newer_is_the_chart_of_the_day_whenever_it_is_asked() -> None:
    assert known_by(laboratory("ALT", 62, 2), medication(code=ALECTINIB, status="stopped")) == AS_OF


@pytest.mark.parametrize(
    "newer",
    [
        laboratory("ALT", 62, -9),
        laboratory("ALT", 62, 9, issued=f"{day(-9)}T08:00:00Z"),
        condition(PNEUMONITIS, 20, clinical="resolved", abated=-9),
        medication(code=ALECTINIB, status="stopped", end=-9),
        medication(code=ALECTINIB, status="stopped", effectiveDosePeriod={"end": day(-9)}),
        medication(code=ALECTINIB, meta={"lastUpdated": f"{day(-9)}T08:00:00Z"}),
        resource(
            "Procedure",
            {"status": "completed", "performedPeriod": {"start": day(9), "end": day(-9)}},
        ),
    ],
    ids=[
        "a result",
        "an issue",
        "an end",
        "a stop",
        "a stop by its period",
        "a change",
        "a treatment",
    ],
)
def test_whatever_is_newer_shows_when_the_chart_was_read(newer: Json) -> None:
    assert known_by(newer) == AS_OF + timedelta(days=9)


@pytest.mark.parametrize(
    "plan",
    [
        medication(code=ALECTINIB, end=-9),
        medication(code=ALECTINIB, effectiveDosePeriod={"start": day(9), "end": day(-9)}),
        resource("ServiceRequest", {"status": "active", "authoredOn": day(9),
                                    "occurrenceDateTime": day(-9)}),
        resource("Encounter", {"status": "planned", "period": {"start": day(-9)}}),
        laboratory("ALT", 62, -90),
    ],
    ids=["a dosage", "a period", "a test", "a visit", "a slip after today"],
)  # fmt: skip
def test_plans_and_slips_do_not_make_a_chart_newer(plan: Json) -> None:
    assert known_by(laboratory("ALT", 62, 9), plan) == AS_OF


def test_of_today_nothing_is_looked_up() -> None:
    assert known_by(laboratory("ALT", 62, -9), today=AS_OF) == AS_OF
