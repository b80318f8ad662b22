"""Every row of brigatinib's tables: around its thresholds and where data are missing."""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.diagnoses import diagnoses
from tests.alk.drug_cases.liver import liver_cases
from tests.alk.order_cases import ALECTINIB, WOMAN, Case
from tests.alk.patients import order, running

case = cases_of("brigatinib")
LUNG_GRADE = "interstitial lung disease grade"
MUSCLE_GRADE = "muscle symptoms grade"
SIGHT = "visual disturbance grade"
NEW_DISEASE = "interstitial lung disease"
CULPRIT = "contributing medication"
NO_GRADE = "2 unknown unit"
EARLY = {"treatment start": 7, "lines": (running("brigatinib", 7),)}
LATE = {"treatment start": 8, "lines": (running("brigatinib", 8),)}
SLOW = {"heart rate": "59"}
DIZZY = {**SLOW, "bradycardia symptoms": "present"}
GRAVE = {**DIZZY, "bradycardia grade 4": "present"}

LUNG = (
    case("lung: grade 0", {LUNG_GRADE: "0"}),
    case("lung: grade 1 in the first week", {LUNG_GRADE: "1", **EARLY}, lung_grade_1_early=HOLD),
    case("lung: grade 1 after it", {LUNG_GRADE: "1", **LATE}, lung_grade_1=HOLD),
    case("lung: grade 1, first day not known", {LUNG_GRADE: "1"}, lung_grade_1=HOLD),
    case("lung: grade 2 in the first week", {LUNG_GRADE: "2", **EARLY}, lung_grade_2_early=HOLD),
    case("lung: grade 2 after it", {LUNG_GRADE: "2", **LATE}, lung_grade_2=HOLD),
    case("lung: grade 3", {LUNG_GRADE: "3", **EARLY}, lung_stop=STOP),
    case("lung: grade 4", {LUNG_GRADE: "4"}, lung_stop=STOP),
    case(
        "lung: grade 1 again",
        {LUNG_GRADE: [(3, "1"), (40, "0"), (60, "1")]},
        lung_recurrence=STOP,
    ),
    case(
        "lung: grade 2 again, over by now",
        {LUNG_GRADE: [(3, "0"), (20, "2"), (40, "0"), (60, "1")]},
        lung_recurrence=STOP,
    ),
    case("lung: grade 1 left of grade 2", {LUNG_GRADE: [(3, "1"), (60, "2")]}, lung_grade_2=HOLD),
    case(
        "lung: an earlier record without a grade",
        {LUNG_GRADE: [(3, "1"), (40, "0"), (60, NO_GRADE)]},
        lung_recurrence=STOP,
    ),
    case(
        "lung: an earlier record of which nobody knows when it was over",
        {NEW_DISEASE: "present", "ended interstitial lung disease": "present"},
        lung_episode_unknown=HOLD,
    ),
    case("lung: recorded, no grade", {NEW_DISEASE: "present"}, lung_grade_unknown=HOLD),
    case("lung: recorded, grade not readable", {LUNG_GRADE: NO_GRADE}, lung_grade_unknown=HOLD),
    case(
        "lung: caused by the drug, no grade",
        {"drug-induced interstitial lung disease": "present"},
        lung_grade_unknown=HOLD,
    ),
    case(
        "lung: recorded as present and as over",
        {NEW_DISEASE: "present", LUNG_GRADE: "0"},
        lung_grade_unknown=HOLD,
    ),
    case(
        "lung: grade 1, and another record without a grade",
        {NEW_DISEASE: "present", LUNG_GRADE: "1"},
        lung_grade_unknown=HOLD,
    ),
    case(
        "lung: grade 2, and another record without a grade",
        {NEW_DISEASE: "present", LUNG_GRADE: "2"},
        lung_grade_2=HOLD,
    ),
    case("lung: refuted", {NEW_DISEASE: "absent"}),
    case("breathless", {"respiratory symptoms": [(30, "present")]}, lung_suspected=HOLD),
    case("breathless longer ago", {"respiratory symptoms": [(31, "present")]}, lung_suspected=ASK),
    case("not breathless", {"respiratory symptoms": "absent"}),
)

UPPER, LOWER = "systolic blood pressure", "diastolic blood pressure"
PRESSURE = (
    case("pressure 159/99", {UPPER: "159", LOWER: "99"}),
    case("pressure 160/99", {UPPER: "160", LOWER: "99"}, pressure_high=HOLD),
    case("pressure 161", {UPPER: "161"}, pressure_high=HOLD),
    case("pressure 159/100", {UPPER: "159", LOWER: "100"}, pressure_high=HOLD),
    case("pressure high, diastolic missing", {UPPER: "170", LOWER: None}, pressure_high=HOLD),
    case(
        "pressure high after 139",
        {UPPER: [(3, "160"), (20, "139"), (40, "165")]},
        pressure_again=HOLD,
    ),
    case(
        "pressure high, 140 between",
        {UPPER: [(3, "160"), (20, "140"), (40, "165")]},
        pressure_high=HOLD,
    ),
    case(
        "diastolic high after 89",
        {LOWER: [(3, "100"), (20, "89"), (40, "101")]},
        pressure_again=HOLD,
    ),
    case(
        "diastolic high, 90 between",
        {LOWER: [(3, "100"), (20, "90"), (40, "101")]},
        pressure_high=HOLD,
    ),
    case(
        "an earlier pressure in an unknown unit",
        {UPPER: [(3, "160"), (20, "130"), (40, "165 unknown unit")]},
        pressure_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case(
        "pressure before the treatment does not count",
        {UPPER: [(3, "160"), (200, "130"), (220, "165")]},
        pressure_high=HOLD,
    ),
)

HEART = (
    case("heart: 60, with symptoms", {"heart rate": "60", "bradycardia symptoms": "present"}),
    case("heart: 59 without symptoms", SLOW, bradycardia_no_symptoms=TELL),
    case(
        "heart: 59, symptoms not known",
        {**SLOW, "bradycardia symptoms": None},
        bradycardia_symptoms_unknown=ASK,
    ),
    case("heart: symptoms", DIZZY, bradycardia_no_culprit_change=HOLD),
    case(
        "heart: symptoms, medication taken",
        {**DIZZY, CULPRIT: "active"},
        bradycardia_no_culprit_change=HOLD,
    ),
    case(
        "heart: symptoms, medication stopped",
        {**DIZZY, CULPRIT: "adjusted"},
        bradycardia_culprit_adjusted=HOLD,
    ),
    case(
        "heart: symptoms, medication not known",
        {**DIZZY, CULPRIT: None},
        bradycardia_culprit_unknown=HOLD,
    ),
    case("heart: grave", GRAVE, bradycardia_life_threatening_stop=STOP),
    case(
        "heart: grave, medication taken",
        {**GRAVE, CULPRIT: "active"},
        bradycardia_life_threatening_hold=HOLD,
    ),
    case(
        "heart: grave, medication not known",
        {**GRAVE, CULPRIT: None},
        bradycardia_life_threatening_undecided=HOLD,
    ),
    case(
        "heart: grave for a second time",
        {**GRAVE, CULPRIT: "active", "repeated bradycardia grade 4": "present"},
        bradycardia_life_threatening_recurrent=STOP,
    ),
)

EYES = (
    case("sight: grade 1", {SIGHT: "1"}),
    case("sight: grade 2", {SIGHT: "2"}, vision_hold=HOLD),
    case("sight: grade 3", {SIGHT: "3"}, vision_hold=HOLD),
    case("sight: grade 4", {SIGHT: "4"}, vision_stop=STOP),
    case("sight: grade not readable", {SIGHT: NO_GRADE}, ungraded_results=ASK),
    case("sight: no severity recorded", {SIGHT: "2 without severity"}, ungraded_results=ASK),
    case("sight lost, no grade", {"severe visual loss": "present"}, vision_grade_unknown=HOLD),
    case(
        "sight lost, grade 1",
        {"severe visual loss": "present", SIGHT: "1"},
        vision_grade_unknown=HOLD,
    ),
    case("sight lost, grade 2", {"severe visual loss": "present", SIGHT: "2"}, vision_hold=HOLD),
    case("sight not lost", {"severe visual loss": "absent"}),
)

SORE = {MUSCLE_GRADE: "2"}
MUSCLE = (
    case("CPK at 5, grade 2", {"CPK": "5", **SORE}),
    case("CPK above 5, grade 2", {"CPK": "5.01", **SORE}, muscle_first=HOLD),
    case("CPK above 5, grade 1", {"CPK": "5.01", MUSCLE_GRADE: "1"}, muscle_no_symptoms=TELL),
    case("CPK above 5, grade 3", {"CPK": "12", MUSCLE_GRADE: "3"}, muscle_first=HOLD),
    case("CPK above 5, nothing known", {"CPK": "5.01"}, muscle_symptoms_unknown=ASK),
    case("CPK at 5, nothing known", {"CPK": "5"}),
    case(
        "CPK above 5, symptoms without grade",
        {"CPK": "5.01", "muscle symptoms": "present"},
        muscle_grade_unknown=HOLD,
    ),
    case("CPK at 5, symptoms without grade", {"CPK": "5", "muscle symptoms": "present"}),
    case(
        "CPK above 5, no symptoms",
        {"CPK": "5.01", "muscle symptoms": "absent"},
        muscle_no_symptoms=TELL,
    ),
    case("CPK missing, grade 2", {"CPK": None, **SORE}, muscle_episode_unknown=ASK),
    case(
        "both for a second time",
        {
            "CPK": [(3, "6"), (40, "2.5"), (60, "6")],
            MUSCLE_GRADE: [(3, "2"), (40, "0"), (60, "2")],
        },
        muscle_second=HOLD,
    ),
    case(
        "CPK for a second time, symptoms milder between and never over",
        {
            "CPK": [(3, "6"), (40, "2.5"), (60, "6")],
            MUSCLE_GRADE: [(3, "2"), (40, "1"), (60, "2")],
        },
        muscle_episode_unknown=HOLD,
    ),
    case(
        "CPK not below 2.5 between",
        {
            "CPK": [(3, "6"), (40, "2.51"), (60, "6")],
            MUSCLE_GRADE: [(3, "2"), (40, "0"), (60, "2")],
        },
        muscle_episode_unknown=HOLD,
    ),
    case(
        "CPK for a second time, symptoms for the first",
        {"CPK": [(3, "6"), (40, "2"), (60, "6")], **SORE},
        muscle_episode_unknown=HOLD,
    ),
    case(
        "an earlier CPK without range",
        {"CPK": [(3, "6"), (40, "2"), (60, "6 no range")], **SORE},
        muscle_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
)

PANCREAS = (
    case("lipase at 2", {"lipase": "2"}),
    case("amylase at 2", {"amylase": "2"}),
    case("lipase above 2", {"lipase": "2.01"}, pancreas_first=HOLD),
    case("amylase above 2", {"amylase": "2.01"}, pancreas_first=HOLD),
    case("lipase above 2, amylase missing", {"lipase": "3", "amylase": None}, pancreas_first=HOLD),
    case("lipase at 5", {"lipase": "5"}, pancreas_first=HOLD),
    case("lipase above 5", {"lipase": "5.01"}, pancreas_severe=HOLD),
    case("amylase above 5", {"amylase": "5.01"}, pancreas_severe=HOLD),
    case(
        "lipase above 2 after 1.5",
        {"lipase": [(3, "2.01"), (40, "1.5"), (60, "3")]},
        pancreas_second=HOLD,
    ),
    case(
        "lipase above 2, not below 1.5 between",
        {"lipase": [(3, "2.01"), (40, "1.51"), (60, "3")]},
        pancreas_first=HOLD,
    ),
    case(
        "amylase above 2 after 1.5",
        {"amylase": [(3, "2.01"), (40, "1.5"), (60, "3")]},
        pancreas_second=HOLD,
    ),
    case(
        "an earlier lipase without range",
        {"lipase": [(3, "2.01"), (40, "1"), (60, "3 no range")]},
        pancreas_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
)

GLUCOSE = (
    case("glucose at 250", {"glucose": "250"}),
    case("glucose above 250", {"glucose": "250.1"}, glucose_high=ASK),
    case("glucose just below 250", {"glucose": "249.9"}),
)

KINDS = (
    "gastrointestinal symptoms grade",
    "skin reaction grade",
    "nervous system effects grade",
    "adverse effect of a cancer drug grade",
)
OTHERS = tuple(
    found
    for kind in KINDS
    for found in (
        case(f"{kind} 2", {kind: "2"}),
        case(f"{kind} 3", {kind: "3"}, other_first=HOLD),
        case(f"{kind} 4", {kind: "4"}, other_lower=HOLD),
        case(f"{kind} 3 again", {kind: [(3, "3"), (40, "0"), (60, "3")]}, other_lower=HOLD),
        case(f"{kind} 3, not over", {kind: [(3, "3"), (40, "1"), (60, "3")]}, other_first=HOLD),
        case(f"{kind} 4 again", {kind: [(3, "4"), (40, "0"), (60, "4")]}, other_stop=STOP),
        case(f"{kind} 4, 3 before", {kind: [(3, "4"), (40, "0"), (60, "3")]}, other_lower=HOLD),
        case(
            f"{kind} 3, no grade before",
            {kind: [(3, "3"), (40, "0"), (60, NO_GRADE)]},
            other_episode_unknown=HOLD,
        ),
        case(f"{kind} not known", {kind: NO_GRADE}, ungraded_results=ASK),
    )
)

RESTART = (
    case("last dose 13 days ago", {"dose taken": 13}),
    case("last dose 14 days ago", {"dose taken": 14}, restart=ASK),
    case("last dose 15 days ago", {"dose taken": 15}, restart=ASK),
)

DOSE_CHANGES: tuple[Reaction, ...] = (*diagnoses("brigatinib", case),
    *liver_cases(case), *LUNG, *PRESSURE, *HEART, *EYES, *MUSCLE, *PANCREAS, *GLUCOSE, *OTHERS,
    *RESTART,
)  # fmt: skip

ON_IT: dict[str, object] = {"lines": (running("brigatinib"),)}
FULL = (order("brigatinib", "180", 1),)
STARTING: dict[str, object] = {"lines": (), "orders": FULL}
INTERACTIONS = tuple(
    Case(f"brigatinib-interaction-{row}", {**ON_IT, "medications": (taken,)}, {"medications": near})
    for row, taken, near in (
        ("strong-inhibitor", "strong CYP3A inhibitor", ("moderate CYP3A inhibitor",)),
        ("moderate-inhibitor", "moderate CYP3A inhibitor", ("strong CYP3A inhibitor",)),
        ("grapefruit", "grapefruit juice", ("moderate CYP3A inhibitor",)),
        ("strong-inducer", "strong CYP3A inducer", ("moderate CYP3A inducer",)),
        ("moderate-inducer", "moderate CYP3A inducer", ("strong CYP3A inducer",)),
        ("substrate", "narrow CYP3A substrate", ("P-gp substrate",)),
        ("substrate", "sensitive CYP3A substrate", ()),
        ("contraceptive", "hormonal contraceptive", ()),
        ("bradycardia", "beta-blocker", ("P-gp substrate",)),
        ("bradycardia", "other bradycardic", ()),
    )
)
POPULATIONS = (
    Case(
        "brigatinib-child-pugh-c", {**STARTING, "Child-Pugh_class": "C"}, {"Child-Pugh_class": "B"}
    ),
    Case(
        "brigatinib-child-pugh-c",
        {**ON_IT, "Child-Pugh_class": "C"},
        {"orders": (order("brigatinib", "60", 1),)},
    ),
    Case("brigatinib-kidney-severe", {**ON_IT, "eGFR": "29.9"}, {"eGFR": "30"}),
    Case("brigatinib-kidney-severe", {**ON_IT, "eGFR": "15"}, {"eGFR": "14.9"}),
    Case("brigatinib-kidney-failure", {**STARTING, "eGFR": "14.9"}, {"eGFR": "15"}),
    Case("brigatinib-kidney-failure", {**STARTING, "dialysis": "present"}, {"dialysis": "absent"}),
    Case("brigatinib-contraception-female", {**STARTING, **WOMAN}, {"age": "56"}),
    Case("brigatinib-contraception-non-hormonal", {**STARTING, **WOMAN}, {"age": "11"}),
    Case("brigatinib-contraception-male", STARTING, {"sex": "female"}),
    Case("brigatinib-lactation", {**STARTING, **WOMAN}, {"sex": "male"}),
    Case(
        "brigatinib-swallow-whole",
        {**STARTING, "difficulty_swallowing": "present"},
        {"difficulty_swallowing": "absent"},
    ),
    *(
        Case(f"brigatinib-{row}", STARTING, {"orders": ALECTINIB})
        for row in ("missed-dose", "early-lung-events", "vision", "sun")
    ),
)
RECENT: dict[str, object] = {
    **ON_IT,
    "glucose": "95",
    "lipase": "0.5",
    "amylase": "0.5",
    "systolic_blood_pressure": "120",
    "diastolic_blood_pressure": "70",
}
# A test without an order code, or of our own interval, is mentioned once it is a week late.
MONITORING = (
    Case(
        "brigatinib-monitor-blood-pressure",
        {
            **RECENT,
            "lines": (running("brigatinib", 22),),
            "systolic_blood_pressure": None,
            "diastolic_blood_pressure": None,
        },
        {"lines": (running("brigatinib", 21),)},
    ),
    Case(
        "brigatinib-monitor-blood-pressure",
        {
            **RECENT,
            "systolic_blood_pressure": [(39, "120")],
            "diastolic_blood_pressure": [(39, "70")],
        },
        {
            "systolic_blood_pressure": [(37, "120")],
            "diastolic_blood_pressure": [(37, "70")],
        },
    ),
    Case(
        "brigatinib-monitor-heart",
        {**RECENT, "heart_rate": [(101, "72")]},
        {"heart_rate": [(93, "72")]},
    ),
    Case("brigatinib-monitor-cpk", {**RECENT, "CPK": [(101, "1")]}, {"CPK": [(60, "1")]}),
    Case(
        "brigatinib-monitor-cpk-symptoms",
        {**RECENT, "muscle_symptoms": "present", "CPK": [(10, "1")], "heart_rate": [(101, "72")]},
        {"CPK": [(1, "1")]},
    ),
    Case(
        "brigatinib-monitor-pancreas",
        {**RECENT, "lipase": None},
        {"lipase": "1", "amylase": "1"},
    ),
    Case(
        "brigatinib-monitor-liver",
        {**RECENT, "ALT": [(101, "1")]},
        {"ALT": [(60, "1")]},
    ),
    Case("brigatinib-monitor-glucose", {**RECENT, "glucose": [(101, "95")]}, {"glucose": "95"}),
)

ROWS: tuple[Case, ...] = (*INTERACTIONS, *POPULATIONS, *MONITORING)
