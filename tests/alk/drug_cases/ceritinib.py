"""Every row of ceritinib's tables: around its thresholds and where data are missing."""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.diagnoses import diagnoses
from tests.alk.drug_cases.liver import liver_cases
from tests.alk.order_cases import ALECTINIB, CERITINIB, WOMAN, Case
from tests.alk.patients import order, running

case = cases_of("ceritinib")
GUT = "gastrointestinal symptoms grade"
CULPRIT = "contributing medication"
SLOW = {"heart rate": "59"}
DIZZY = {**SLOW, "bradycardia symptoms": "present"}
GRAVE = {**DIZZY, "bradycardia grade 4": "present"}

DIGESTION = (
    case("gut: grade 2", {GUT: "2"}),
    case("gut: grade 3", {GUT: "3"}, gut_ask=ASK),
    case("gut: grade 4", {GUT: "4"}, gut_severe=HOLD),
    case("gut: grade 4 in an older record", {GUT: [(40, "4")]}, gut_severe=HOLD),
    case("gut: no grade", {GUT: "2 unknown unit"}, ungraded_results=ASK),
)

LUNG = (
    case(
        "caused by the drug",
        {
            "drug-induced interstitial lung disease": "present",
        },
        lung_stop=STOP,
    ),
    case("refuted", {"interstitial lung disease": "absent"}),
    case("new, cause open", {"interstitial lung disease": "present"}, lung_hold=HOLD),
    case("breathless", {"respiratory symptoms": [(30, "present")]}, lung_suspected=ASK),
    case("breathless longer ago", {"respiratory symptoms": [(31, "present")]}),
    case("not breathless", {"respiratory symptoms": "absent"}),
)

RHYTHM = (
    case("QTc 480", {"QTc": "480"}),
    case("QTc 481", {"QTc": "481"}, qtc_raised=ASK),
    case("QTc 500 twice", {"QTc": [(1, "500"), (5, "500")]}, qtc_raised=ASK),
    case("QTc 501 once", {"QTc": "501"}, qtc_repeat=ASK),
    case("QTc 501, 500 before", {"QTc": [(1, "501"), (5, "500")]}, qtc_repeat=ASK),
    case("QTc 501 twice", {"QTc": [(1, "501"), (5, "501")]}, qtc_hold=HOLD),
    case("QTc 500, 501 before", {"QTc": [(1, "500"), (5, "501")]}, qtc_raised=ASK),
    case("torsades", {"torsades de pointes": "present"}, qtc_arrhythmia_stop=STOP),
    case(
        "torsades and a long QTc",
        {"torsades de pointes": "present", "QTc": [(1, "520"), (5, "510")]},
        qtc_arrhythmia_stop=STOP,
    ),
    case(
        "torsades long ago", {"torsades de pointes": [(170, "present")]}, qtc_arrhythmia_stop=STOP
    ),
    case("torsades over", {"earlier torsades de pointes": "present"}),
    case("torsades before the first dose", {"torsades de pointes": [(171, "present")]}),
    case("no torsades", {"torsades de pointes": "absent"}),
)

GLUCOSE = (
    case("glucose just below 250", {"glucose": "249.9"}),
    case("glucose at 250", {"glucose": "250"}),
    case("glucose above 250", {"glucose": "250.1"}, glucose_high=ASK),
)

HEART = (
    case("heart: 60, with symptoms", {"heart rate": "60", "bradycardia symptoms": "present"}),
    case("heart: 59 without symptoms", SLOW, bradycardia_no_symptoms=TELL),
    case(
        "heart: 59, symptoms not known",
        {**SLOW, "bradycardia symptoms": None},
        bradycardia_symptoms_unknown=ASK,
    ),
    case("heart: symptoms", DIZZY, bradycardia_symptoms=HOLD),
    case(
        "heart: symptoms, medication stopped",
        {**DIZZY, CULPRIT: "adjusted"},
        bradycardia_symptoms=HOLD,
    ),
    case(
        "heart: symptoms, medication not known",
        {**DIZZY, CULPRIT: None},
        bradycardia_symptoms=HOLD,
    ),
    case("heart: grave", GRAVE, bradycardia_life_threatening_stop=STOP),
    case(
        "heart: grave, medication taken",
        {**GRAVE, CULPRIT: "active"},
        bradycardia_life_threatening_hold=HOLD,
    ),
    case(
        "heart: grave, medication stopped",
        {**GRAVE, CULPRIT: "adjusted"},
        bradycardia_life_threatening_hold=HOLD,
    ),
    case(
        "heart: grave, medication not known",
        {**GRAVE, CULPRIT: None},
        bradycardia_life_threatening_undecided=HOLD,
    ),
)

PANCREAS = (
    case("lipase just below 2", {"lipase": "1.99"}),
    case("lipase at 2", {"lipase": "2"}),
    case("lipase above 2", {"lipase": "2.01"}, pancreas_hold=HOLD),
    case("amylase at 2", {"amylase": "2"}),
    case("amylase above 2", {"amylase": "2.01"}, pancreas_hold=HOLD),
    case("amylase above 2, lipase missing", {"amylase": "3", "lipase": None}, pancreas_hold=HOLD),
    case("lipase without range", {"lipase": "9 no range"}, ungraded_results=ASK),
)

OTHERS = (
    case("another reaction of grade 3", {"adverse effect of a cancer drug grade": "3"},
         other_severe=HOLD),
    case("another reaction of grade 2", {"adverse effect of a cancer drug grade": "2"}),
    case("rash of grade 3", {"skin reaction grade": "3"}, other_severe=HOLD),
    case("rash of grade 2", {"skin reaction grade": "2"}),
)  # fmt: skip

DOSE_CHANGES: tuple[Reaction, ...] = (*diagnoses("ceritinib", case),
    *DIGESTION, *liver_cases(case), *LUNG, *RHYTHM, *GLUCOSE, *HEART, *PANCREAS, *OTHERS,
)  # fmt: skip

ON_IT: dict[str, object] = {"lines": (running("ceritinib"),)}
STARTING: dict[str, object] = {"lines": (), "orders": CERITINIB}
INTERACTIONS = tuple(
    Case(f"ceritinib-interaction-{row}", {**ON_IT, "medications": (taken,)}, {"medications": near})
    for row, taken, near in (
        ("strong-inhibitor", "strong CYP3A inhibitor", ("moderate CYP3A inhibitor",)),
        ("grapefruit", "grapefruit juice", ("moderate CYP3A inhibitor",)),
        ("strong-inducer", "strong CYP3A inducer", ("moderate CYP3A inducer",)),
        ("substrate", "sensitive CYP3A substrate", ("narrow CYP3A substrate",)),
        ("narrow-substrate", "narrow CYP3A substrate", ("sensitive CYP3A substrate",)),
        ("warfarin", "warfarin", ("CYP2C9 substrate",)),
        ("cyp2c9", "CYP2C9 substrate", ("P-gp substrate",)),
        ("qt", "QT-prolonging", ("beta-blocker",)),
        ("bradycardia", "beta-blocker", ("QT-prolonging",)),
        ("bradycardia", "other bradycardic", ()),
    )
)
POPULATIONS = (
    Case(
        "ceritinib-child-pugh-c", {**STARTING, "Child-Pugh_class": "C"}, {"Child-Pugh_class": "B"}
    ),
    Case(
        "ceritinib-child-pugh-c",
        {**ON_IT, "Child-Pugh_class": "C"},
        {"orders": (order("ceritinib", "300", 1),)},
    ),
    Case("ceritinib-kidney-no-data", {**STARTING, "eGFR": "29.9"}, {"eGFR": "30"}),
    Case(
        "ceritinib-congenital-long-qt",
        {**STARTING, "congenital_long_QT": "present"},
        {"congenital_long_QT": "absent"},
    ),
    Case("ceritinib-contraception-female", {**STARTING, **WOMAN}, {"age": "56"}),
    Case("ceritinib-contraception-male", STARTING, {"sex": "female"}),
    Case("ceritinib-lactation", {**STARTING, **WOMAN}, {"age": "11"}),
    Case("ceritinib-missed-dose", STARTING, {"orders": ALECTINIB}),
    Case("ceritinib-gut-prevention", STARTING, {"orders": ALECTINIB}),
    Case("ceritinib-sun", STARTING, {"orders": ALECTINIB}),
)
RECENT: dict[str, object] = {**ON_IT, "glucose": "95", "lipase": "0.5", "amylase": "0.5"}
MONITORING = (
    Case("ceritinib-monitor-liver", {**RECENT, "ALT": [(39, "1")]}, {"ALT": [(30, "1")]}),
    Case(
        "ceritinib-monitor-glucose", {**RECENT, "glucose": [(93, "95")]}, {"glucose": [(60, "95")]}
    ),
    Case(
        "ceritinib-monitor-ecg",
        {**RECENT, "medications": ("QT-prolonging",), "electrocardiogram": 93},
        {"electrocardiogram": 60},
    ),
    Case(
        "ceritinib-monitor-ecg",
        {**RECENT, "heart_rate": "59", "electrocardiogram": 93},
        {"heart_rate": "60"},
    ),
    Case(
        "ceritinib-monitor-heart",
        {**RECENT, "heart_rate": [(101, "72")]},
        {"heart_rate": [(60, "72")]},
    ),
    Case("ceritinib-monitor-pancreas", {**RECENT, "lipase": None}, {"lipase": "1", "amylase": "1"}),
)

ROWS: tuple[Case, ...] = (*INTERACTIONS, *POPULATIONS, *MONITORING)
