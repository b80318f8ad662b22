"""Why treatments ended, how the disease does, and which procedures are ordered."""

from __future__ import annotations

import json
from datetime import date

import pytest

from cds_service.facts import PatientFacts, Supplied, WithOrder
from cds_service.facts.patient import UNREAD_DRAFT
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import ServiceRequest
from cds_service.rules import Collection, Events, Series
from tests.facts.records import (
    AS_OF,
    Json,
    coded,
    day,
    dosage,
    facts_of,
    medication,
    numbers,
    observation,
    read,
    reader,
    resource,
    stated,
)

ALECTINIB, LORLATINIB, CRIZOTINIB = "1727455", "2103164", "1148495"
PEMBROLIZUMAB, METOPROLOL = "1547545", "6918"
PROGRESSION, TOXICITY = "treatment ended for progression", "treatment ended for toxicity"
OTHER = "treatment ended for another reason"
BUCKETS = {
    "progression": "ALK inhibitors stopped for progression",
    "toxicity": "ALK inhibitors stopped for toxicity",
    "other": "ALK inhibitors stopped for another reason",
    "none": "ALK inhibitors stopped without a reason",
}


def _members(facts: PatientFacts, name: str) -> list[str]:
    found = facts.find(name)
    assert isinstance(found, Collection)
    return sorted(item.label for item in found.items)


def _names(facts: PatientFacts, name: str) -> set[str]:
    found = facts.find(name)
    assert isinstance(found, Collection)
    return {name for item in found.items for name in item.names}


def _buckets(*resources: Json) -> set[str]:
    facts = facts_of(*resources)
    return {word for word, name in BUCKETS.items() if _members(facts, name)}


def _ended(
    reason: Json | None = None,
    *,
    start: int | None = 300,
    end: int | None = None,
    status: str = "stopped",
    code: str = ALECTINIB,
) -> Json:
    return medication(code=code, status=status, start=start, end=end, statusReason=reason)


def _status_reason(code: str) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"
    return {"coding": [{"system": system, "code": code}]}


def _snomed(code: str) -> Json:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code}]}


@pytest.mark.parametrize(
    ("reason", "bucket"),
    [
        (_snomed("266721009"), "progression"),
        (_snomed("407563006"), "toxicity"),
        (_snomed("182992009"), "other"),
        (_snomed("105480006"), "other"),
        (_snomed("160932005"), "other"),
        (_status_reason("sintol"), "toxicity"),
        (_status_reason("salg"), "toxicity"),
        (_status_reason("surg"), "other"),
        (_status_reason("altchoice"), "none"),
        (_status_reason("266721009"), "none"),
        ({"text": "Progression"}, "progression"),
        ({"text": "Tumorprogress"}, "progression"),
        ({"text": "Unverträglichkeit"}, "toxicity"),
        ({"text": "No progression, patient's wish"}, "none"),
        ({"text": "PD-L1"}, "none"),
        ({"text": "No response to treatment (situation)"}, "none"),
        (None, "none"),
    ],
)
@pytest.mark.parametrize("status", ["stopped", "completed"])
def test_an_ended_line_is_sorted_by_its_coded_reason_or_by_a_word_that_is_all_of_it(
    reason: Json | None, bucket: str, status: str
) -> None:
    assert _buckets(_ended(reason, status=status)) == {bucket}


SECOND = ("generation 2", "generation 2 or later")
THIRD = ("generation 3", "generation 2 or later", "generation 3 or later")


def test_a_drug_that_is_known_by_name_only_answers_to_its_generation_as_well() -> None:
    trial = medication(text="neladalkib", start=20)
    assert _names(facts_of(trial), "active ALK inhibitors") == {
        "neladalkib", "generation 4",
        "generation 2 or later", "generation 3 or later", "generation 4 or later",
    }  # fmt: skip


def test_an_ended_line_answers_to_drug_and_generation() -> None:
    facts = facts_of(_ended(coded(PROGRESSION)), _ended(coded(TOXICITY), code=LORLATINIB))
    assert _names(facts, BUCKETS["progression"]) == {"alectinib", *SECOND}
    assert _names(facts, BUCKETS["toxicity"]) == {"lorlatinib", *THIRD}
    assert _names(facts, "prior ALK inhibitors") == {"alectinib", *SECOND, "lorlatinib", *THIRD}
    assert _members(facts, "ALK inhibitors used") == ["alectinib", "lorlatinib"]


@pytest.mark.parametrize(
    ("status", "name"),
    [("active", "active ALK inhibitors"), ("on-hold", "paused ALK inhibitors")],
)
def test_a_drug_that_is_taken_again_or_paused_has_not_ended(status: str, name: str) -> None:
    again = medication(code=ALECTINIB, status=status, start=20)
    facts = facts_of(_ended(coded(PROGRESSION)), again)
    assert {word for word, bucket in BUCKETS.items() if _members(facts, bucket)} == set()
    assert _names(facts, name) == {"alectinib", *SECOND}
    assert _members(facts, "ALK inhibitors used") == ["alectinib"]


def test_two_drugs_taken_at_once_are_both_active_and_both_used() -> None:
    facts = facts_of(medication(code=ALECTINIB), medication(code=LORLATINIB))
    assert _members(facts, "active ALK inhibitors") == ["alectinib", "lorlatinib"]
    assert _members(facts, "ALK inhibitors used") == ["alectinib", "lorlatinib"]


def test_the_reason_of_a_dose_reduction_is_not_why_the_drug_was_given_up() -> None:
    reduced = _ended(coded(TOXICITY), start=300, end=200)
    assert _buckets(reduced, _ended(coded(PROGRESSION), start=200)) == {"progression"}
    assert _buckets(reduced, _ended(None, start=200)) == {"none"}


def test_a_statement_of_the_whole_course_says_why_it_ended() -> None:
    said = resource(
        "MedicationStatement",
        {
            "status": "stopped",
            "medicationCodeableConcept": {"text": "Alecensa"},
            "effectivePeriod": {"start": day(300), "end": day(20)},
            "statusReason": [coded(PROGRESSION)],
        },
    )
    assert _buckets(said) == {"progression"}
    assert _buckets(said, _ended(None, start=100)) == {"progression"}
    assert _buckets({**said, "effectivePeriod": None}) == {"progression"}


def test_contradictory_reasons_are_all_kept_and_remarked_on() -> None:
    both = {"coding": [*coded(PROGRESSION)["coding"], *coded(TOXICITY)["coding"]]}
    facts = facts_of(_ended(both))
    assert _members(facts, BUCKETS["progression"]) == ["alectinib"]
    assert _members(facts, BUCKETS["toxicity"]) == ["alectinib"]
    assert [remark.subject for remark in facts.remarks] == ["alectinib"]
    two = (_ended(coded(PROGRESSION), start=90), _ended(coded(TOXICITY), start=90))
    assert _buckets(*two) == {"progression", "toxicity"}


def test_orders_without_dates_still_say_why_the_drug_ended() -> None:
    assert _buckets(_ended(coded(PROGRESSION), start=None)) == {"progression"}
    undated = _ended(coded(PROGRESSION), start=None)
    assert _buckets(undated, _ended(None, start=90)) == {"progression"}


def test_an_order_of_the_future_is_no_line_yet() -> None:
    assert _buckets(_ended(coded(PROGRESSION), start=-3)) == set()


def test_without_the_whole_list_nothing_is_complete() -> None:
    facts = facts_of(_ended(coded(PROGRESSION)), complete={"conditions"})
    for name in (*BUCKETS.values(), "ALK inhibitors used", "earlier medications"):
        found = facts.find(name)
        assert isinstance(found, Collection)
        assert not found.complete
        assert found.incomplete


def _dose(code: str, days_ago: int | None, status: str = "completed") -> Json:
    return resource(
        "MedicationAdministration",
        {
            "status": status,
            "medicationCodeableConcept": {
                "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]
            },
            "effectiveDateTime": None if days_ago is None else f"{day(days_ago)}T08:00:00Z",
        },
    )


def test_a_dose_without_an_order_is_a_use_and_leaves_open_whether_it_goes_on() -> None:
    facts = facts_of(_dose(ALECTINIB, 40), _dose(ALECTINIB, 39))
    assert _members(facts, "ALK inhibitors used") == ["alectinib"]
    assert facts.lines == ()
    for name in ("active ALK inhibitors", "prior ALK inhibitors", BUCKETS["progression"]):
        found = facts.find(name)
        assert isinstance(found, Collection)
        assert (found.items, found.complete) == ((), False)
    assert [remark.subject for remark in facts.remarks] == ["alectinib"]


def test_a_dose_under_an_order_ends_nothing() -> None:
    facts = facts_of(medication(code=ALECTINIB, start=60), _dose(ALECTINIB, 40))
    assert _members(facts, "active ALK inhibitors") == ["alectinib"]
    found = facts.find("active ALK inhibitors")
    assert isinstance(found, Collection)
    assert found.complete


@pytest.mark.parametrize(("days_ago", "complete"), [(20, True), (19, False)])
def test_a_dose_after_the_end_of_the_order_leaves_open_whether_it_goes_on(
    days_ago: int, complete: bool
) -> None:
    facts = facts_of(_ended(coded(PROGRESSION), end=20), _dose(ALECTINIB, days_ago))
    found = facts.find("active ALK inhibitors")
    assert isinstance(found, Collection)
    assert found.complete is complete


@pytest.mark.parametrize(
    "dose",
    [
        _dose(ALECTINIB, 5, "not-done"),
        _dose(ALECTINIB, 5, "entered-in-error"),
        _dose(ALECTINIB, None),
        _dose(ALECTINIB, -2),
    ],
)
def test_a_dose_that_was_not_given_or_has_no_usable_day_does_not_count(dose: Json) -> None:
    assert _members(facts_of(dose), "ALK inhibitors used") == []


def test_earlier_medications_are_those_that_are_no_longer_taken() -> None:
    facts = facts_of(
        medication(code=PEMBROLIZUMAB, status="completed", start=400),
        medication(code=PEMBROLIZUMAB, status="stopped", start=300),
        medication(code=METOPROLOL, status="completed", start=200),
        medication(code=METOPROLOL, status="active", start=20),
        _ended(),
    )
    assert "immune checkpoint inhibitor" in _names(facts, "earlier medications")
    assert {"alectinib", "ALK inhibitor"} <= _names(facts, "earlier medications")
    assert not {"metoprolol", "beta-blocker"} & _names(facts, "earlier medications")
    found = facts.find("earlier medications")
    assert isinstance(found, Collection)
    assert [item.day for item in found.items if "pembrolizumab" in item.names] == [
        date.fromisoformat(day(300))
    ]


def test_an_infusion_that_was_given_counts_as_immunotherapy() -> None:
    facts = facts_of(_dose(PEMBROLIZUMAB, 12))
    assert "immune checkpoint inhibitor" in _names(facts, "earlier medications")
    found = facts.find("checkpoint inhibitor")
    assert isinstance(found, Events)
    assert [(AS_OF - item.day).days for item in found.events] == [12]


def test_the_other_drugs_beside_an_order_answer_to_their_generation() -> None:
    drafts = [
        medication(code=LORLATINIB, status="draft", dose=dosage(100, 1)),
        medication(code=CRIZOTINIB, status="draft", dose=dosage(250, 2)),
    ]
    facts, (order, beside) = read(medication(code=ALECTINIB), drafts=drafts)
    found = WithOrder(facts, order, {}, [beside]).find("other active ALK inhibitors")
    drafted = WithOrder(facts, order, {}, [beside]).find("other ordered ALK inhibitors")
    assert isinstance(found, Collection)
    assert isinstance(drafted, Collection)
    assert {"alectinib", "generation 2"} <= {name for item in found.items for name in item.names}
    names = {name for item in drafted.items for name in item.names}
    assert {"crizotinib", "generation 1"} <= names
    # What is only drafted is not said to be active, and the drug asked about is no other drug.
    assert not names & {"alectinib", "lorlatinib", "generation 3"}


def _status(answer: str, days_ago: int | None, status: str = "final") -> Json:
    return observation(
        "disease status", days_ago, status=status, valueCodeableConcept=coded(answer)
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("disease improved", "improved"),
        ("disease stable", "stable"),
        ("disease worsened", "worse"),
        ("disease status undetermined", "undetermined"),
        ("no evidence of disease", "free of disease"),
        ("answer positive", None),
    ],
)
def test_the_disease_status_is_the_coded_one(answer: str, expected: str | None) -> None:
    assert stated(facts_of(_status(answer, 10)), "disease status") == expected


def _switched(days_ago: int, status: str = "active") -> tuple[Json, Json]:
    """From alectinib to lorlatinib, so many days ago."""
    return (
        medication(code=ALECTINIB, status="stopped", start=300, end=days_ago),
        medication(code=LORLATINIB, status=status, start=days_ago),
    )


@pytest.mark.parametrize("status", ["active", "on-hold"])
def test_that_the_disease_was_worse_before_a_drug_began_is_not_said_of_that_drug(
    status: str,
) -> None:
    worse = _status("disease worsened", 32)

    for days_ago in (28, 32):
        facts = facts_of(worse, *_switched(days_ago, status))
        assert stated(facts, "disease status") is None
        assert stated(facts, "recorded disease status") == "worse"
    assert stated(facts_of(worse, *_switched(33, status)), "disease status") == "worse"


def test_a_progression_without_a_known_drug_before_is_never_silent() -> None:
    worse = _status("disease worsened", 32)
    refill = medication(code=LORLATINIB, start=10)
    long_ended = medication(code=ALECTINIB, status="stopped", start=900, end=400)
    end_not_known = medication(code=ALECTINIB, status="stopped", start=900)

    # A chart that holds the last refill alone, an inhibitor of years ago, one without its end.
    for taken in ((refill,), (long_ended, refill), (end_not_known, refill)):
        assert stated(facts_of(worse, *taken), "disease status") == "worse"
    sites = _own("progressing sites", 32, valueInteger=2)
    slow = _own("progression pattern", 32, valueCodeableConcept=coded("progression slow"))
    facts = facts_of(worse, sites, slow, refill)
    assert numbers(facts, "progressing sites") == ["2"]
    assert stated(facts, "progression pattern") == "slow"


def test_a_drug_that_is_taken_again_begins_again() -> None:
    first = medication(code=ALECTINIB, status="stopped", start=900, end=400)
    between = medication(code=LORLATINIB, status="stopped", start=390, end=20)
    again = medication(code=ALECTINIB, start=15)

    worse = _status("disease worsened", 32)
    assert stated(facts_of(worse, first, between, again), "disease status") is None
    since = _status("disease worsened", 5)
    assert stated(facts_of(since, first, between, again), "disease status") == "worse"
    # Renewed beside the other one, it never ended.
    renewed = medication(code=ALECTINIB, status="completed", start=900, end=16)
    other = medication(code=LORLATINIB, start=390)
    beside = _status("disease worsened", 20)
    assert stated(facts_of(beside, renewed, other, again), "disease status") == "worse"


def test_treatment_starts_anew_with_a_drug_that_is_taken_again_after_another_one() -> None:
    first = medication(code=ALECTINIB, status="stopped", start=900, end=400)
    between = medication(code=LORLATINIB, status="stopped", start=390, end=20)
    again = medication(code=ALECTINIB, start=15)

    facts = facts_of(first, between, again)
    assert _first_day(facts, "treatment start") == day(15)
    assert _first_day(facts, "earliest treatment start") == day(900)
    # A pause without another drug is no new course.
    assert _first_day(facts_of(first, again), "treatment start") == day(900)


def _first_day(facts: PatientFacts, name: str) -> str:
    found = facts.find(name)
    assert isinstance(found, Events)
    return found.events[0].day.isoformat()


def test_what_was_said_before_the_disease_was_worse_is_no_answer_either() -> None:
    stable, worse = _status("disease stable", 60), _status("disease worsened", 32)

    assert stated(facts_of(stable, worse, *_switched(28)), "disease status") is None
    later = _status("disease improved", 5)
    assert stated(facts_of(stable, worse, later, *_switched(28)), "disease status") == "improved"


def test_that_nobody_could_tell_later_takes_nothing_back_of_what_was_worse() -> None:
    running = medication(code=ALECTINIB, start=300)
    worse, open_ = _status("disease worsened", 32), _status("disease status undetermined", 20)
    stable = _status("disease stable", 32)

    assert stated(facts_of(running, worse, open_), "disease status") == "worse"
    assert stated(facts_of(worse, open_), "disease status") == "worse"
    assert stated(facts_of(running, stable, open_), "disease status") == "undetermined"
    answered = _status("disease stable", 25)
    assert stated(facts_of(running, worse, answered, open_), "disease status") == "undetermined"


def test_how_the_disease_progressed_on_the_drug_before_is_not_said_of_the_one_that_runs() -> None:
    slow = _own("progression pattern", 32, valueCodeableConcept=coded("progression slow"))
    sites = _own("progressing sites", 32, valueInteger=2)
    yes = _own("progressing sites ablatable", 32, valueBoolean=True)

    after = facts_of(slow, sites, yes, *_switched(28))
    assert stated(after, "progression pattern") is None
    assert stated(after, "progressing sites ablatable") is None
    assert after.find("progressing sites") is None
    before = facts_of(slow, sites, yes, *_switched(60))
    assert stated(before, "progression pattern") == "slow"
    assert stated(before, "progressing sites ablatable") == "present"
    assert numbers(before, "progressing sites") == ["2"]


def test_without_a_running_drug_or_its_first_day_the_status_is_that_of_the_disease() -> None:
    worse = _status("disease worsened", 32)
    ended = medication(code=ALECTINIB, status="stopped", start=300, end=30)
    undated = medication(code=LORLATINIB, start=None)

    for taken in ((ended,), (ended, undated), ()):
        assert stated(facts_of(worse, *taken), "disease status") == "worse"


@pytest.mark.parametrize(
    ("words", "expected"),
    [("Progressive disease", "worse"), ("PD", "worse"), ("Tumorprogress", "worse"),
     ("stable disease (SD)", "stable"), ("PR", "improved"), ("Not PD", None), ("PD-L1", None)],
)  # fmt: skip
@pytest.mark.parametrize("code", [None, "RECIST 1.1"])
def test_a_word_that_is_the_whole_answer_is_a_status(
    words: str, expected: str | None, code: str | None
) -> None:
    said = observation("disease status", 5, valueCodeableConcept={"text": words})
    if code is not None:
        said["code"] = {"text": code}
    assert stated(facts_of(said), "disease status") == expected


def test_the_best_response_so_far_is_no_status_of_today() -> None:
    best = observation("disease status", 5, valueCodeableConcept={"text": "PD"})
    best["code"] = {"text": "Best overall response (RECIST)"}
    assert stated(facts_of(best), "disease status") is None


def test_a_status_in_other_words_withdrawn_undated_or_of_the_future_is_not_used() -> None:
    words = observation("disease status", 5, valueCodeableConcept={"text": "maybe worsened"})
    for item in (
        words,
        _status("disease worsened", 5, "entered-in-error"),
        _status("disease worsened", None),
        _status("disease worsened", -1),
    ):
        assert stated(facts_of(item), "disease status") is None
        assert _progressions(item) == []


def _progressions(*resources: Json) -> list[int]:
    found = facts_of(*resources).find("progression")
    assert isinstance(found, Events)
    assert not found.complete
    return [(AS_OF - item.day).days for item in found.events]


def test_a_progression_is_a_day_on_which_the_disease_was_worse() -> None:
    worse = [_status("disease worsened", ago) for ago in (200, 20)]
    assert _progressions(*worse, _status("disease stable", 5)) == [20, 200]
    assert _progressions() == []


def _own(value_set: str, days_ago: int | None = 5, **value: object) -> Json:
    return observation(value_set, days_ago, **value)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("slow", "slow"),
        ("limited", "limited"),
        ("brain-only", "brain only"),
        ("systemic", "systemic"),
        ("visceral-crisis", "visceral crisis"),
        ("brain only", None),
        ("explosive", None),
    ],
)
def test_the_pattern_is_one_of_our_codes(code: str, expected: str | None) -> None:
    value = {"coding": [{"system": "urn:alk-cds:progression", "code": code}]}
    facts = facts_of(_own("progression pattern", valueCodeableConcept=value))
    assert stated(facts, "progression pattern") == expected
    foreign = {"coding": [{"system": "urn:somebody", "code": code}], "text": code}
    facts = facts_of(_own("progression pattern", valueCodeableConcept=foreign))
    assert stated(facts, "progression pattern") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueInteger": 3}, ["3"]),
        ({"valueInteger": 0}, ["0"]),
        ({"valueQuantity": {"value": 2}}, ["2"]),
        ({"valueQuantity": {"value": 2, "unit": "{sites}"}}, ["2"]),
        ({"valueQuantity": {"value": 2, "unit": "1", "code": "1"}}, ["2"]),
        ({"valueQuantity": {"value": 2, "unit": "cm"}}, []),
        ({"valueQuantity": {"value": 2.5}}, []),
        ({"valueInteger": -1}, []),
        ({"valueQuantity": {"value": 5, "comparator": ">"}}, []),
        ({"valueString": "several"}, []),
    ],
)
def test_the_number_of_sites_is_a_whole_number(value: Json, expected: list[str]) -> None:
    facts = facts_of(_own("progressing sites", **value))
    assert numbers(facts, "progressing sites") == expected


def test_sites_are_read_newest_first_and_not_of_the_future() -> None:
    facts = facts_of(
        _own("progressing sites", 60, valueInteger=1),
        _own("progressing sites", 5, valueInteger=4),
        _own("progressing sites", -5, valueInteger=9),
    )
    found = facts.find("progressing sites")
    assert isinstance(found, Series)
    assert [int(item.value or 0) for item in found.measurements] == [4, 1]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueBoolean": True}, "present"),
        ({"valueBoolean": False}, "absent"),
        ({"valueCodeableConcept": coded("answer yes")}, "present"),
        ({"valueCodeableConcept": coded("answer no")}, "absent"),
        ({"valueString": "yes"}, "present"),
        ({"valueString": "yes, most of them"}, None),
        ({}, None),
    ],
)
def test_whether_all_sites_can_be_treated_locally(value: Json, expected: str | None) -> None:
    facts = facts_of(_own("progressing sites ablatable", **value))
    assert stated(facts, "progressing sites ablatable") == expected


def test_a_later_answer_on_local_treatment_leads() -> None:
    facts = facts_of(
        _own("progressing sites ablatable", 2, valueBoolean=False),
        _own("progressing sites ablatable", 30, valueCodeableConcept=coded("answer yes")),
    )
    assert stated(facts, "progressing sites ablatable") == "absent"


def _procedures(*drafts: Json, unread: bool = False) -> Collection:
    requests = []
    for draft in drafts:
        (request,) = read_resources(json.dumps(draft).encode()).resources
        assert isinstance(request, ServiceRequest)
        requests.append(request)
    unavailable = {UNREAD_DRAFT: "it could not be read"} if unread else {}
    supplied = Supplied(PatientRecord.build("p"), frozenset(), unavailable, (), requests)
    found = reader().read(supplied, AS_OF)[0].find("ordered procedures")
    assert isinstance(found, Collection)
    return found


def _request(code: Json | None, status: str = "draft", **more: object) -> Json:
    return resource("ServiceRequest", {"status": status, "intent": "order", "code": code, **more})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"text": "Whole brain radiotherapy"}, "whole brain radiotherapy"),
        ({"text": "WBRT"}, "whole brain radiotherapy"),
        ({"text": "whole brain radiation therapy"}, "whole brain radiotherapy"),
        (
            {"text": "Stereotactic radiosurgery of the brain"},
            "stereotactic radiotherapy of the brain",
        ),
        (_snomed("447115003"), "brain surgery"),
        ({"text": "no whole brain radiotherapy"}, None),
        ({"text": "stereotactic radiotherapy"}, None),
        (coded("brain MRI"), None),
    ],
)
def test_a_drafted_procedure_is_known_by_code_or_exact_name(
    code: Json, expected: str | None
) -> None:
    found = _procedures(_request(code))
    assert [set(item.names) for item in found.items] == ([{expected}] if expected else [])
    assert found.complete


def test_procedures_that_are_not_to_be_done_or_withdrawn_do_not_count() -> None:
    wanted = {"text": "WBRT"}
    assert _procedures(_request(wanted, doNotPerform=True)).items == ()
    assert _procedures(_request(wanted, "revoked")).items == ()
    assert _procedures(_request(wanted, "entered-in-error")).items == ()


def test_a_draft_that_says_nothing_or_was_not_read_may_be_anything() -> None:
    assert _procedures().complete
    assert not _procedures(unread=True).complete
    assert not _procedures(_request(None)).complete
    assert not _procedures(_request({})).complete


def test_the_lines_hold_their_reasons() -> None:
    (line,) = facts_of(_ended(coded(OTHER))).lines
    assert line.orders[0].reasons == {"another reason"}
