"""Every row of lorlatinib's dose-change table: around its thresholds and where data are missing.

The other tables stand in `lorlatinib_rows`, what other labels say in `lorlatinib_elsewhere`.
"""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, LOWER_DOSE, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.diagnoses import diagnoses
from tests.alk.drug_cases.lorlatinib_elsewhere import DOSE_CHANGES as ELSEWHERE
from tests.alk.drug_cases.lorlatinib_elsewhere import ROWS as ROWS_ELSEWHERE
from tests.alk.drug_cases.lorlatinib_rows import ROWS as ROWS_OF_THE_US

__all__ = ["DOSE_CHANGES", "ROWS"]

ROWS = (*ROWS_OF_THE_US, *ROWS_ELSEWHERE)

case = cases_of("lorlatinib")
CNS = "nervous system effects grade"
EFFECTS = {"nervous system effects": "present"}
MIND = "psychiatric disorder"
FAT, FATS = "total cholesterol", "triglycerides"
SYSTOLIC, DIASTOLIC = "systolic blood pressure", "diastolic blood pressure"
BILIRUBIN = "total bilirubin"

NERVES = (
    case("nothing recorded", {}),
    case("effects over", {CNS: "0", "nervous system effects": "absent"}),
    case("effects of grade 1", {CNS: "1"}, nervous_system_mild=TELL),
    case("effects of grade 2", {CNS: "2"}, nervous_system_hold=HOLD),
    case("effects of grade 3", {CNS: "3"}, nervous_system_hold=HOLD),
    case("effects of grade 4", {CNS: "4"}, nervous_system_stop=STOP),
    case("effects of grade 5", {CNS: "5"}, nervous_system_stop=STOP),
    case("effects without a grade", EFFECTS, nervous_system_grade_unknown=ASK),
    case(
        "effects of grade 1, and others without a grade",
        {**EFFECTS, CNS: "1"},
        nervous_system_grade_unknown=ASK,
    ),
    case(
        "effects of grade 2, and others without a grade",
        {**EFFECTS, CNS: "2"},
        nervous_system_hold=HOLD,
    ),
    case("effects absent, no grade", {"nervous system effects": "absent"}),
    case(
        "grade 2 before, grade 1 now, still at the full dose",
        {CNS: [(3, "1"), (40, "2")]},
        nervous_system_hold=LOWER_DOSE,
    ),
    case(
        "grade 4 before, over now: a stop stays a stop",
        {CNS: [(3, "0"), (40, "4")]},
        nervous_system_stop=STOP,
    ),
    case(
        "effects and a psychiatric disorder",
        {CNS: "1", MIND: "present"},
        nervous_system_mild=TELL,
        psychiatric_review=ASK,
    ),
    case(
        "the psychiatric question is not lost behind a hold",
        {CNS: "3", MIND: "present"},
        nervous_system_hold=HOLD,
        psychiatric_review=ASK,
    ),
    case("a psychiatric disorder, no effects", {MIND: "present"}),
    case(
        "effects, no psychiatric disorder",
        {CNS: "1", MIND: "absent"},
        nervous_system_mild=TELL,
    ),
)

LIPIDS = (
    case("cholesterol at 300", {FAT: "300"}),
    case("cholesterol above 300", {FAT: "300.1"}, lipids_treat=TELL),
    case("triglycerides just below 150", {FATS: "149.9"}),
    case("triglycerides at 150", {FATS: "150"}, lipids_treat=TELL),
    case("cholesterol just below 500", {FAT: "499.9"}, lipids_treat=TELL),
    case("cholesterol at 500", {FAT: "500"}, lipids_treat=TELL),
    case("cholesterol above 500", {FAT: "500.1"}, lipids_hold=HOLD),
    case("triglycerides just below 1000", {FATS: "999.9"}, lipids_treat=TELL),
    case("triglycerides at 1000", {FATS: "1000"}, lipids_treat=TELL),
    case("triglycerides above 1000", {FATS: "1000.1"}, lipids_hold=HOLD),
    case("triglycerides above 1000, cholesterol missing", {FAT: None, FATS: "1001"},
         lipids_hold=HOLD),
    case(
        "cholesterol above 500 again after 400",
        {FAT: [(3, "501"), (40, "400"), (80, "501")]},
        lipids_hold_again=HOLD,
    ),
    case(
        "cholesterol above 500 still, not at 400 between",
        {FAT: [(3, "501"), (40, "400.1"), (80, "501")]},
        lipids_hold=HOLD,
    ),
    case(
        "triglycerides above 1000 again after 500",
        {FATS: [(3, "1001"), (40, "500"), (80, "1001")]},
        lipids_hold_again=HOLD,
    ),
    case(
        "triglycerides above 1000 still, not at 500 between",
        {FATS: [(3, "1001"), (40, "500.1"), (80, "1001")]},
        lipids_hold=HOLD,
    ),
    case(
        "cholesterol above 400 again after a hold",
        {FAT: [(3, "401"), (40, "400"), (80, "501")]},
        lipids_severe_again=LOWER_DOSE,
    ),
    case(
        "cholesterol at 400 after a hold",
        {FAT: [(3, "400"), (40, "399"), (80, "501")]},
        lipids_treat=TELL,
    ),
    case(
        "cholesterol above 400 again, never held for it",
        {FAT: [(3, "401"), (40, "400"), (80, "500")]},
        lipids_treat=TELL,
    ),
    case(
        "triglycerides above 500 again after a hold",
        {FATS: [(3, "501"), (40, "500"), (80, "1001")]},
        lipids_severe_again=LOWER_DOSE,
    ),
    case(
        "an earlier cholesterol in an unknown unit",
        {FAT: [(3, "501"), (40, "200"), (80, "900 unknown unit")]},
        lipids_hold_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case(
        "an earlier triglyceride in an unknown unit",
        {FATS: [(3, "1001"), (40, "200"), (80, "900 unknown unit")]},
        lipids_hold_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case("cholesterol in an unknown unit", {FAT: "9 unknown unit"}, ungraded_results=ASK),
)  # fmt: skip

FIRST = {"atrioventricular block of first degree": "present"}
FELT = {"bradycardia symptoms": "present"}
SECOND = {"atrioventricular block of second degree": "present"}
COMPLETE = {"complete atrioventricular block": "present"}
AGAIN = {**COMPLETE, "repeated complete atrioventricular block": "present"}
PACED, UNPACED = {"pacemaker": "present"}, {"pacemaker": "absent"}
BLOCK = (
    case("second degree block", SECOND, block_second_degree_hold=HOLD),
    case("second degree block over", {"atrioventricular block of second degree": "absent"}),
    case("a PR interval at 200", {"PR interval": "200"}),
    case("a long PR interval", {"PR interval": "201"}, block_first_degree=TELL),
    case("a long PR interval of long ago", {"PR interval": [(40, "260")]}),
    case("a first degree block", FIRST, block_first_degree=TELL),
    case("a first degree block over", {"atrioventricular block of first degree": "absent"}),
    case(
        "a long PR interval and syncope",
        {"PR interval": "201", **FELT},
        block_first_degree_symptoms=ASK,
    ),
    case(
        "a PR interval at 200 and syncope",
        {"PR interval": "200", "atrioventricular block of first degree": "absent", **FELT},
    ),
    case("a first degree block and syncope", {**FIRST, **FELT}, block_first_degree_symptoms=ASK),
    case("complete block, no pacemaker", {**COMPLETE, **UNPACED}, block_complete_hold=HOLD),
    case("complete block, pacemaker", {**COMPLETE, **PACED}, block_complete_paced=TELL),
    case("complete block, pacemaker not known", COMPLETE, block_complete_pacemaker_unknown=HOLD),
    case("complete block over", {"complete atrioventricular block": "absent", **UNPACED}),
    case("complete block twice, no pacemaker", {**AGAIN, **UNPACED}, block_recurrent=STOP),
    case(
        "complete block twice, over now, no pacemaker",
        {**AGAIN, **UNPACED, "complete atrioventricular block": "absent"},
        block_recurrent=STOP,
    ),
    case(
        "complete block twice, pacemaker",
        {**AGAIN, "pacemaker": [(110, "present")]},
        block_complete_paced=TELL,
    ),
    case(
        "complete block twice, pacemaker since",
        {**AGAIN, **PACED},
        block_complete_paced=TELL,
    ),
    case(
        "complete block twice, pacemaker not known",
        AGAIN,
        block_recurrent_pacemaker_unknown=HOLD,
    ),
)

LUNG = (
    case("lung disease by the drug", {"drug-induced interstitial lung disease": "present"},
         lung_stop=STOP),
    case("lung disease by the drug excluded", {"drug-induced interstitial lung disease": "absent"}),
    case("new lung disease", {"interstitial lung disease": "present"}, lung_hold=HOLD),
    case("no new lung disease", {"interstitial lung disease": "absent"}),
    case("new breathlessness", {"respiratory symptoms": "present"}, lung_suspected=ASK),
    case("breathlessness 31 days ago", {"respiratory symptoms": [(31, "present")]}),
    case(
        "lung disease by the drug and breathlessness",
        {"drug-induced interstitial lung disease": "present",
         "respiratory symptoms": "present"},
        lung_stop=STOP,
    ),
)  # fmt: skip

PRESSURE = (
    case("systolic just below 160", {SYSTOLIC: "159"}),
    case("systolic at 160", {SYSTOLIC: "160"}, blood_pressure_hold=HOLD),
    case("systolic above 160", {SYSTOLIC: "161"}, blood_pressure_hold=HOLD),
    case("diastolic just below 100", {DIASTOLIC: "99"}),
    case("diastolic at 100", {DIASTOLIC: "100"}, blood_pressure_hold=HOLD),
    case("diastolic above 100", {DIASTOLIC: "101"}, blood_pressure_hold=HOLD),
    case(
        "systolic 160 again after 139",
        {SYSTOLIC: [(3, "160"), (40, "139"), (80, "160")]},
        blood_pressure_hold_again=HOLD,
    ),
    case(
        "systolic 160 still, 140 between",
        {SYSTOLIC: [(3, "160"), (40, "140"), (80, "160")]},
        blood_pressure_hold=HOLD,
    ),
    case(
        "diastolic 100 again after 89",
        {DIASTOLIC: [(3, "100"), (40, "89"), (80, "100")]},
        blood_pressure_hold_again=HOLD,
    ),
    case(
        "diastolic 100 still, 90 between",
        {DIASTOLIC: [(3, "100"), (40, "90"), (80, "100")]},
        blood_pressure_hold=HOLD,
    ),
    case(
        "an earlier value in an unknown unit",
        {SYSTOLIC: [(3, "160"), (40, "120"), (80, "22 unknown unit")]},
        blood_pressure_hold_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case("in an unknown unit", {SYSTOLIC: "22 unknown unit"}, ungraded_results=ASK),
)

SUGAR = (
    case("glucose just below 250", {"glucose": "249"}),
    case("glucose at 250", {"glucose": "250"}),
    case("glucose above 250", {"glucose": "250.1"}, glucose_high=ASK),
)


def _graded(fact: str, row: str) -> tuple[Reaction, ...]:
    mild, hold = f"{row}_mild", f"{row}_hold"
    return (
        case(f"{fact} 0", {fact: "0"}),
        case(f"{fact} 1", {fact: "1"}, **{mild: TELL}),
        case(f"{fact} 2", {fact: "2"}, **{mild: TELL}),
        case(f"{fact} 3", {fact: "3"}, **{hold: HOLD}),
        case(f"{fact} 4", {fact: "4"}, **{hold: HOLD}),
        case(f"{fact} 3 before, 2 now", {fact: [(3, "2"), (40, "3")]}, **{hold: LOWER_DOSE}),
    )


GRADED = (
    *_graded("adverse effect of a cancer drug grade", "other"),
    *_graded("visual disturbance grade", "vision"),
    *_graded("muscle symptoms grade", "muscle_symptoms"),
    *_graded("gastrointestinal symptoms grade", "gut"),
    *_graded("skin reaction grade", "skin"),
)

SERIOUS = tuple(
    made
    for flag in (
        "pancreatitis",
        "torsades de pointes",
        "severe visual loss",
        "gastrointestinal perforation",
        "haemolysis",
        "bradycardia grade 4",
    )
    for made in (
        case(flag, {flag: "present"}, serious_hold=HOLD),
        case(f"{flag} excluded", {flag: "absent"}),
    )
)


def _above(fact: str, limit: str, above: str, row: str, below: str) -> tuple[Reaction, ...]:
    return (
        case(f"{fact} just below {limit}", {fact: below}),
        case(f"{fact} at {limit}", {fact: limit}),
        case(f"{fact} above {limit}", {fact: above}, **{row: HOLD}),
    )


LABORATORY = (
    *_above("ALT", "5", "5.01", "liver_hold", "4.99"),
    *_above("AST", "5", "5.01", "liver_hold", "4.99"),
    case("ALT at 3, bilirubin above 2", {"ALT": "3", BILIRUBIN: "2.01"}),
    case("ALT above 3, bilirubin at 2", {"ALT": "3.01", BILIRUBIN: "2"}),
    case("ALT above 3, bilirubin above 2", {"ALT": "3.01", BILIRUBIN: "2.01"}, liver_injury=HOLD),
    case("AST above 3, bilirubin above 2", {"AST": "3.01", BILIRUBIN: "2.01"}, liver_injury=HOLD),
    case(
        "ALT above 5, bilirubin above 2: nothing promises to resume",
        {"ALT": "5.01", BILIRUBIN: "2.01"},
        liver_injury=HOLD,
    ),
    case(
        "ALT above 3, bilirubin above 2, cholestasis",
        {"ALT": "3.01", BILIRUBIN: "2.01", "cholestasis": "present"},
        liver_injury=HOLD,
    ),
    case(
        "ALT above 3, bilirubin missing",
        {"ALT": "3.01", BILIRUBIN: None},
        liver_injury_bilirubin_unknown=ASK,
    ),
    case("ALT at 3, bilirubin missing", {"ALT": "3", BILIRUBIN: None}),
    case("ALT without range", {"ALT": "9 no range"}, ungraded_results=ASK),
    *_above(BILIRUBIN, "3", "3.01", "bilirubin_hold", "2.99"),
    case("creatinine just below 3", {"creatinine": [(3, "2.99"), (175, "1.1")]}),
    case("creatinine at 3", {"creatinine": [(3, "3"), (175, "1.1")]}),
    case("creatinine above 3", {"creatinine": [(3, "3.01"), (175, "1.1")]}, kidney_hold=HOLD),
    case(
        "creatinine at 3 times the baseline",
        {"creatinine": [(3, "2.4"), (175, "0.8")]},
    ),
    case(
        "creatinine above 3 times the baseline",
        {"creatinine": [(3, "2.41"), (175, "0.8")]},
        kidney_hold=HOLD,
    ),
    *_above("CPK", "5", "5.01", "muscle_hold", "4.99"),
    *_above("lipase", "2", "2.01", "lipase_hold", "1.99"),
    *_above("amylase", "2", "2.01", "amylase_hold", "1.99"),
    case("neutrophils above 1", {"neutrophils": "1.01"}),
    case("neutrophils at 1", {"neutrophils": "1"}),
    case("neutrophils below 1", {"neutrophils": "0.99"}, neutrophils_hold=HOLD),
    case("platelets above 50", {"platelets": "51"}),
    case("platelets at 50", {"platelets": "50"}),
    case("platelets below 50", {"platelets": "49"}, platelets_hold=HOLD),
    case("haemoglobin above 8", {"haemoglobin": "8.1"}),
    case("haemoglobin at 8", {"haemoglobin": "8"}),
    case("haemoglobin below 8", {"haemoglobin": "7.9"}, haemoglobin_hold=HOLD),
    case("QTc at 480", {"QTc": "480"}),
    case("QTc above 480", {"QTc": "481"}, qtc_raised=ASK),
    case("QTc at 500", {"QTc": "500"}, qtc_raised=ASK),
    case("QTc above 500", {"QTc": "501"}, qtc_high=ASK),
)

REDUCED = {"current daily dose": "75", "treatment start": 170}
LESS = (
    case("reduced in the first 26 weeks", REDUCED, reduced_dose=TELL),
    case("at the full dose", {**REDUCED, "current daily dose": "100"}),
    case("26 weeks ago", {**REDUCED, "treatment start": 182}, reduced_dose=TELL),
    case("more than 26 weeks ago", {**REDUCED, "treatment start": 183}),
)

DOSE_CHANGES: tuple[Reaction, ...] = (*diagnoses("lorlatinib", case),
    *NERVES, *LIPIDS, *BLOCK, *LUNG, *PRESSURE, *SUGAR, *GRADED, *SERIOUS, *LABORATORY, *LESS,
    *ELSEWHERE,
)  # fmt: skip
