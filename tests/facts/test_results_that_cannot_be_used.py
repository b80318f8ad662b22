"""Results that came and cannot be used: never normal, never done, and never "not recorded"."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.facts import PatientFacts
from cds_service.knowledge.code_models import Analyte
from cds_service.rules import Evaluation, ReasonKind, RuleCompiler, Series, Verdict
from tests.facts.records import AS_OF, Json, day, facts_of, knowledge, laboratory, resource

ANALYTES = list(knowledge().codes.analytes.values())
RULES = RuleCompiler(knowledge().vocabulary)
FACT_OF = {analyte: fact for fact, analyte in knowledge().fact_list.analytes.items()}
READ = [item for item in ANALYTES if item.name in FACT_OF]


def series(facts: PatientFacts, name: str = "ALT") -> Series:
    found = facts.find(name)
    assert isinstance(found, Series)
    return found


def explained(facts: PatientFacts, rule: str = "ALT > 5 xULN") -> tuple[Verdict, list[str]]:
    trace = RULES.compile(rule).evaluate(Evaluation(facts, AS_OF))
    return trace.verdict, [reason.kind_name for reason in trace.reasons]


@pytest.mark.parametrize("analyte", ANALYTES, ids=lambda item: item.name)
def test_every_analyte_says_what_a_person_can_have(analyte: Analyte) -> None:
    lowest, highest = analyte.plausible
    assert 0 <= lowest < highest
    # One spelling of a unit must not turn a value that is usual in another into an impossible one.
    assert highest / max(lowest, Decimal("0.01")) >= 2


@pytest.mark.parametrize("analyte", READ, ids=lambda item: item.name)
@pytest.mark.parametrize("placeholder", ["-1", "-99", "99999999999"])
def test_a_placeholder_is_no_value_of_any_analyte(analyte: Analyte, placeholder: str) -> None:
    fact = FACT_OF[analyte.name]
    sent = laboratory(analyte.name, 1, unit=analyte.unit, high=None)
    sent["valueQuantity"]["value"] = int(placeholder)
    (item,) = series(facts_of(sent), fact).measurements
    assert item.value is None
    assert item.problem is not None
    assert item.problem.kind is ReasonKind.UNUSABLE


@pytest.mark.parametrize("analyte", ["ALT", "AST", "ALP", "CPK", "lipase", "amylase", "LDH"])
def test_nought_is_no_value_of_an_enzyme(analyte: str) -> None:
    (item,) = series(facts_of(laboratory(analyte, 0)), analyte).measurements
    assert item.value is None


@pytest.mark.parametrize("value", [-1, -99, 0, 99999])
def test_a_placeholder_is_neither_normal_nor_raised(value: int) -> None:
    facts = facts_of(laboratory("ALT", value))
    for rule in ("ALT <= 2 xULN", "ALT > 5 xULN", "ALT <= 1 xULN"):
        verdict, kinds = explained(facts, rule)
        assert verdict is Verdict.UNKNOWN
        assert kinds == ["not usable"]


@pytest.mark.parametrize(
    ("comparator", "value", "usable"),
    [("<", 5, True), ("<", 0, False), ("<", -1, False), (">", 20, True), (">", 99999, False)],
)
def test_a_bound_is_judged_by_what_can_lie_beyond_it(
    comparator: str, value: int, usable: bool
) -> None:
    sent = laboratory("ALT", value)
    sent["valueQuantity"]["comparator"] = comparator
    (item,) = series(facts_of(sent)).measurements
    assert (item.problem is None) is usable


def undated(value: object = 246) -> Json:
    return laboratory("ALT", value, None)


def test_a_result_without_a_day_is_said_to_have_come() -> None:
    facts = facts_of(undated())
    assert explained(facts) == (Verdict.UNKNOWN, ["undated"])
    (reason,) = series(facts).unused
    assert reason.detail == "246 U/L, not used"


def test_a_stale_result_does_not_hide_that_another_came_without_a_day() -> None:
    verdict, kinds = explained(facts_of(undated(), laboratory("ALT", 30, 60)))
    assert verdict is Verdict.UNKNOWN
    assert kinds == ["stale", "undated"]


def test_a_day_still_to_come_is_no_day() -> None:
    (reason,) = series(facts_of(laboratory("ALT", 246, -3))).unused
    assert reason.kind is ReasonKind.UNDATED
    assert "a day still to come" in reason.detail


@pytest.mark.parametrize(
    "absent",
    [
        {"dataAbsentReason": {"text": "haemolysed"}},
        {"valueString": "see comment"},
        {"valueCodeableConcept": {"text": "cancelled"}},
    ],
)
def test_a_result_without_a_number_is_said_to_have_come(absent: Json) -> None:
    facts = facts_of(laboratory("ALT", None, **absent))
    assert explained(facts) == (Verdict.UNKNOWN, ["not usable"])


def test_what_nobody_sent_is_not_recorded() -> None:
    assert explained(facts_of()) == (Verdict.UNKNOWN, ["missing"])


def test_an_observation_without_any_value_is_no_result() -> None:
    assert explained(facts_of(laboratory("ALT", None))) == (Verdict.UNKNOWN, ["missing"])


# -- days from elsewhere --------------------------------------------------------------------------


def report(result: Json, **body: object) -> Json:
    listed = [{"reference": f"Observation/{result['id']}"}]
    return resource(
        "DiagnosticReport",
        {"status": "final", "code": {"text": "Liver panel"}, "result": listed, **body},
    )


def test_the_report_that_lists_a_result_dates_it() -> None:
    sent = undated()
    (item,) = series(
        facts_of(sent, report(sent, effectiveDateTime=day(4), issued=f"{day(1)}T09:00:00Z"))
    ).measurements
    assert item.day.isoformat() == day(4)
    assert item.limit_note == "dated by its report"


def test_a_panel_dates_its_members() -> None:
    sent = undated()
    panel = resource(
        "Observation",
        {
            "status": "final",
            "code": {"text": "Liver panel"},
            "effectiveDateTime": day(4),
            "hasMember": [{"reference": f"Observation/{sent['id']}"}],
        },
    )
    (item,) = series(facts_of(sent, panel)).measurements
    assert item.day.isoformat() == day(4)


def test_a_result_inside_a_report_is_dated_by_it() -> None:
    inner = undated()
    del inner["subject"]
    whole = report(inner, effectiveDateTime=day(4))
    whole["contained"] = [{**inner, "id": "alt"}]
    whole["result"] = [{"reference": "#alt"}]
    (item,) = series(facts_of(whole)).measurements
    assert item.day.isoformat() == day(4)


def test_the_report_of_another_patient_dates_nothing() -> None:
    sent = undated()
    other = report(sent, effectiveDateTime=day(4))
    other["subject"] = {"reference": "Patient/somebody-else"}
    assert series(facts_of(sent, other)).measurements == ()


def test_a_withdrawn_report_dates_nothing() -> None:
    sent = undated()
    wrong = report(sent, effectiveDateTime=day(4), status="entered-in-error")
    assert series(facts_of(sent, wrong)).measurements == ()


def test_a_period_that_has_only_begun_gives_its_first_day() -> None:
    (item,) = series(
        facts_of(laboratory("ALT", 62, None, effectivePeriod={"start": day(6)}))
    ).measurements
    assert item.day.isoformat() == day(6)


def test_an_absent_reason_in_place_of_the_date_is_no_date() -> None:
    unknown = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                              "valueCode": "unknown"}]}  # fmt: skip
    assert series(facts_of(laboratory("ALT", 62, None, _effectiveDateTime=unknown))).unused


# -- families of codes ----------------------------------------------------------------------------

FAMILIES = [
    (analyte.name, code.code)
    for analyte in READ
    for code in analyte.codes
    if code.verified and code.system == "http://loinc.org"
]


def with_code(analyte: str, code: str, system: str = "http://loinc.org") -> Json:
    item = knowledge().codes.analytes[analyte]
    lowest, highest = item.plausible
    sent = laboratory(analyte, None, high=None)
    sent["code"] = {"coding": [{"system": system, "code": code}]}
    middle = lowest + min(highest - lowest, Decimal(50))
    sent["valueQuantity"] = {"value": float(middle), "unit": item.unit}
    return sent


@pytest.mark.parametrize(("analyte", "code"), FAMILIES)
def test_every_verified_code_of_a_family_is_read(analyte: str, code: str) -> None:
    found = series(facts_of(with_code(analyte, code)), FACT_OF[analyte])
    (item,) = found.measurements
    assert item.problem is None


LOOK_ALIKES = [(analyte.name, trap.code) for analyte in READ for trap in analyte.traps]


@pytest.mark.parametrize(("analyte", "code"), LOOK_ALIKES)
def test_no_look_alike_is_read(analyte: str, code: str) -> None:
    found = facts_of(with_code(analyte, code)).find(FACT_OF[analyte])
    assert not isinstance(found, Series) or found.measurements == ()


@pytest.mark.parametrize(
    ("analyte", "code"),
    [(analyte.name, code.code) for analyte in READ for code in analyte.codes if not code.verified],
)
def test_no_unverified_code_is_read(analyte: str, code: str) -> None:
    found = facts_of(with_code(analyte, code)).find(FACT_OF[analyte])
    # Its name may be that of the analyte: then it is asked about.
    assert found is None or (isinstance(found, Series) and found.measurements == ())


@pytest.mark.parametrize(
    ("code", "unit", "value", "expected"),
    [
        ("2164-2", "mL/min", 24, "24"),
        ("35591-7", "mL/min", 24, "24"),
        ("35592-5", "mL/min/{1.73_m2}", 24, "24"),
        ("98979-8", "mL/min/1.73m2", 24, "24"),
        ("98979-8", "mL/min", 24, "24"),
        ("2164-2", "mL/s", 0.4, "24"),
    ],
)
def test_kidney_function_is_read_as_clearance_and_as_estimate(
    code: str, unit: str, value: float, expected: str
) -> None:
    sent = with_code("eGFR", code)
    sent["valueQuantity"] = {"value": value, "unit": unit}
    (item,) = series(facts_of(sent), "eGFR").measurements
    assert item.value is not None
    assert format(item.value.normalize(), "f") == expected


def test_two_estimates_of_one_sample_on_two_sides_of_a_limit_are_contradictory() -> None:
    low, high = with_code("eGFR", "48642-3"), with_code("eGFR", "48643-1")
    low["valueQuantity"]["value"], high["valueQuantity"]["value"] = 28, 33
    rule = "eGFR < 30 mL/min/{1.73_m2}"
    assert explained(facts_of(low, high), rule) == (Verdict.UNKNOWN, ["contradictory"])
