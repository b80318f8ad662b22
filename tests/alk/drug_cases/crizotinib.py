"""Every row of crizotinib's tables: around its thresholds and where data are missing."""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.diagnoses import diagnoses
from tests.alk.drug_cases.liver import by_laboratory
from tests.alk.order_cases import CRIZOTINIB, HAD_LORLATINIB, WOMAN, Case
from tests.alk.patients import order, running, treatment

case = cases_of("crizotinib")
BILIRUBIN = "total bilirubin"
SLOW = {"heart rate": "59"}
DIZZY = {**SLOW, "bradycardia symptoms": "present"}
GRAVE = {**DIZZY, "bradycardia grade 4": "present"}
CULPRIT = "contributing medication"
TORSADES = {"torsades de pointes": "present"}

BLOOD = (
    case("neutrophils just above 1", {"neutrophils": "1.01"}),
    case("neutrophils at 1", {"neutrophils": "1"}),
    case("neutrophils below 1", {"neutrophils": "0.99"}, blood_low=HOLD),
    case("neutrophils just above 0.5", {"neutrophils": "0.51"}, blood_low=HOLD),
    case("neutrophils at 0.5", {"neutrophils": "0.5"}, blood_low=HOLD),
    case("neutrophils below 0.5", {"neutrophils": "0.49"}, blood_severe=HOLD),
    case("platelets just above 50", {"platelets": "51"}),
    case("platelets at 50", {"platelets": "50"}),
    case("platelets below 50", {"platelets": "49"}, blood_low=HOLD),
    case("platelets just above 25", {"platelets": "26"}, blood_low=HOLD),
    case("platelets at 25", {"platelets": "25"}, blood_low=HOLD),
    case("platelets below 25", {"platelets": "24"}, blood_severe=HOLD),
    case("haemoglobin just above 8", {"haemoglobin": "8.1"}),
    case("haemoglobin at 8", {"haemoglobin": "8"}),
    case("haemoglobin below 8", {"haemoglobin": "7.9"}, blood_haemoglobin=HOLD),
    case(
        "the graver count leads", {"neutrophils": "0.9", "platelets": "24"}, blood_severe=HOLD
    ),
    case(
        "an anaemia of unknown grade leads a grade 3",
        {"neutrophils": "0.9", "haemoglobin": "7.9"},
        blood_haemoglobin=HOLD,
    ),
    case("neutrophils missing, platelets below 50", {"neutrophils": None, "platelets": "49"},
         blood_low=HOLD),
    case("in an unknown unit", {"neutrophils": "0.4 unknown unit"}, ungraded_results=ASK),
    case("no blood count at all", {"neutrophils": None, "platelets": None, "haemoglobin": None}),
    case("grade 4 in a stale result", {"platelets": [(20, "20")]}, blood_severe=HOLD),
    case("a neutropenia of grade 2 without a count",
         {"neutrophils": None, "neutropenia grade 2": "present"}),
    case("a neutropenia of grade 3 beside a count that is not low",
         {"neutrophils": "1.2", "neutropenia grade 3": "present"}),
)  # fmt: skip

LIVER = (
    case("nothing raised", {}),
    *by_laboratory(case, "1.51"),
    case("ALT just below 3", {"ALT": "2.99", BILIRUBIN: "1.4"}),
    case("ALT at 3", {"ALT": "3", BILIRUBIN: "1.4"}),
    case("AST at 3, bilirubin raised", {"AST": "3", BILIRUBIN: "1.6"}, bilirubin_alone=ASK),
    case("ALT above 3, bilirubin just below 1.5", {"ALT": "3.01", BILIRUBIN: "1.49"},
         liver_watch=TELL),
    case("ALT above 3, bilirubin at 1.5", {"ALT": "3.01", BILIRUBIN: "1.5"}, liver_watch=TELL),
    case("ALT above 3, bilirubin above 1.5", {"ALT": "3.01", BILIRUBIN: "1.51"}, liver_stop=STOP),
    case("AST above 3, bilirubin above 1.5", {"AST": "3.01", BILIRUBIN: "1.51"}, liver_stop=STOP),
    case("ALT at 5", {"ALT": "5"}, liver_watch=TELL),
    case("AST just below 5", {"AST": "4.99"}, liver_watch=TELL),
    case("ALT above 5", {"ALT": "5.01"}, liver_hold=HOLD),
    case("AST above 5", {"AST": "5.01"}, liver_hold=HOLD),
    case("ALT above 5, bilirubin at 1.5", {"ALT": "5.01", BILIRUBIN: "1.5"}, liver_hold=HOLD),
    case("ALT above 5, bilirubin above 1.5", {"ALT": "5.01", BILIRUBIN: "1.51"}, liver_stop=STOP),
    case(
        "cholestasis not known",
        {"ALT": "4", BILIRUBIN: "1.6", "cholestasis": None},
        liver_stop_undecided=HOLD,
    ),
    case(
        "haemolysis not known",
        {"ALT": "4", BILIRUBIN: "1.6", "haemolysis": None},
        liver_stop_undecided=HOLD,
    ),
    case(
        "cholestasis not known, bilirubin at 1.5",
        {"ALT": "4", BILIRUBIN: "1.5", "cholestasis": None},
        liver_watch=TELL,
    ),
    case(
        "cholestasis present",
        {"ALT": "3.01", BILIRUBIN: "1.51", "cholestasis": "present"},
        liver_other_cause=HOLD,
    ),
    case(
        "haemolysis present",
        {"ALT": "4", BILIRUBIN: "1.6", "haemolysis": "present"},
        liver_other_cause=HOLD,
    ),
    case(
        "cholestasis present, bilirubin at 1.5",
        {"ALT": "3.01", BILIRUBIN: "1.5", "cholestasis": "present"},
        liver_watch=TELL,
    ),
    case("bilirubin missing, ALT at 3", {"ALT": "3", BILIRUBIN: None}),
    case("bilirubin missing, ALT above 3", {"ALT": "3.01", BILIRUBIN: None},
         liver_bilirubin_needed=ASK),
    case("bilirubin missing, ALT at 5", {"ALT": "5", BILIRUBIN: None}, liver_bilirubin_needed=ASK),
    case("bilirubin missing, ALT above 5", {"ALT": "5.01", BILIRUBIN: None},
         liver_hold_bilirubin_unknown=HOLD),
    case(
        "bilirubin without range, AST above 5",
        {"AST": "5.01", BILIRUBIN: "0.6 no range"},
        liver_hold_bilirubin_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case("ALT without range", {"ALT": "9 no range"}, ungraded_results=ASK),
    case("ALT and AST missing, bilirubin above 1.5", {"ALT": None, "AST": None, BILIRUBIN: "1.51"},
         liver_stop=ASK),
    case("ALT and AST missing", {"ALT": None, "AST": None}),
    case("bilirubin alone at 1.5", {BILIRUBIN: "1.5"}),
    case("bilirubin alone above 1.5", {BILIRUBIN: "1.51"}, bilirubin_alone=ASK),
    case("bilirubin alone above 3", {BILIRUBIN: "3.5", "ALT": "3"}, bilirubin_alone=ASK),
)  # fmt: skip

LUNG = (
    case(
        "caused by the drug",
        {
            "drug-induced interstitial lung disease": "present",
        },
        lung_stop=STOP,
    ),
    case("refuted", {"drug-induced interstitial lung disease": "absent"}),
    case(
        "new, cause open",
        {"interstitial lung disease": "present"},
        lung_hold=HOLD,
    ),
    case(
        "older than the treatment",
        {"interstitial lung disease before treatment": "present"},
    ),
    case("breathless", {"respiratory symptoms": [(30, "present")]}, lung_suspected=ASK),
    case("breathless longer ago", {"respiratory symptoms": [(31, "present")]}),
)

QTC = (
    case("one ECG at 480", {"QTc": "480"}),
    case("one ECG at 481", {"QTc": "481"}, qtc_raised=ASK),
    case("one ECG at 500", {"QTc": "500"}, qtc_raised=ASK),
    case("one ECG above 500", {"QTc": "501"}, qtc_repeat=ASK),
    case("two ECGs above 500", {"QTc": [(2, "501"), (4, "510")]}, qtc_hold=HOLD),
    case("the second one at 500", {"QTc": [(2, "500"), (4, "510")]}, qtc_raised=ASK),
    case("the first one at 500", {"QTc": [(2, "501"), (4, "500")]}, qtc_repeat=ASK),
    case("two ECGs, now 481", {"QTc": [(1, "481"), (6, "501"), (8, "510")]}, qtc_hold=HOLD),
    case("in an unknown unit", {"QTc": "501 unknown unit"}, ungraded_results=ASK),
    case("torsades with 501", {"QTc": "501", **TORSADES}, qtc_arrhythmia_stop=STOP),
    case("torsades with 500", {"QTc": "500", **TORSADES}, qtc_arrhythmia_hold=HOLD),
    case("torsades without ECG", {"QTc": None, **TORSADES}, qtc_arrhythmia_hold=HOLD),
    case(
        "torsades on the day of the long QTc, which is over",
        {"QTc": [(2, "430"), (9, "520")], "torsades de pointes": [(9, "present")]},
        qtc_arrhythmia_stop=STOP,
    ),
    case(
        "torsades after the long QTc",
        {"QTc": [(2, "430"), (9, "520")], **TORSADES},
        qtc_arrhythmia_hold=HOLD,
    ),
    case("torsades long ago", {"torsades de pointes": [(200, "present")]}),
    case("torsades excluded, one ECG", {"QTc": "501", "torsades de pointes": "absent"},
         qtc_repeat=ASK),
)  # fmt: skip

HEART = (
    case("at 60", {"heart rate": "60", "bradycardia symptoms": "present"}),
    case("above 60", {"heart rate": "61", "bradycardia symptoms": "present"}),
    case("59 without symptoms", SLOW, bradycardia_no_symptoms=TELL),
    case("59, symptoms not known", {**SLOW, "bradycardia symptoms": None},
         bradycardia_symptoms_unknown=ASK),
    case("60, symptoms not known", {"heart rate": "60", "bradycardia symptoms": None}),
    case("symptoms, no contributing medication", DIZZY, bradycardia_no_culprit_change=HOLD),
    case("symptoms, contributing medication taken", {**DIZZY, CULPRIT: "active"},
         bradycardia_no_culprit_change=HOLD),
    case("symptoms, contributing medication stopped", {**DIZZY, CULPRIT: "adjusted"},
         bradycardia_culprit_adjusted=HOLD),
    case("symptoms, medication not known", {**DIZZY, CULPRIT: None},
         bradycardia_culprit_unknown=HOLD),
    case("grave, no contributing medication", GRAVE, bradycardia_life_threatening_stop=STOP),
    case("grave, and at 60 by now", {**GRAVE, "heart rate": "60"},
         bradycardia_life_threatening_stop=STOP),
    case("grave, contributing medication taken", {**GRAVE, CULPRIT: "active"},
         bradycardia_life_threatening_hold=HOLD),
    case("grave, contributing medication stopped", {**GRAVE, CULPRIT: "adjusted"},
         bradycardia_life_threatening_hold=HOLD),
    case("grave, medication not known", {**GRAVE, CULPRIT: None},
         bradycardia_life_threatening_undecided=HOLD),
    case(
        "grave for a second time",
        {**GRAVE, CULPRIT: "active", "repeated bradycardia grade 4": "present"},
        bradycardia_life_threatening_recurrent=STOP,
    ),
)  # fmt: skip

OTHERS = (
    case("severe loss of sight", {"severe visual loss": "present"}, sight_loss=HOLD),
    case("no loss of sight", {"severe visual loss": "absent"}),
    case("sight of grade 4", {"visual disturbance grade": "4"}, sight_loss=HOLD),
    case("sight of grade 3", {"visual disturbance grade": "3"}, sight_symptoms=ASK),
    case("sight of grade 1", {"visual disturbance grade": "1"}, sight_symptoms=ASK),
    case("sight recovered", {"visual disturbance grade": "0"}),
    case(
        "another reaction of grade 3",
        {"adverse effect of a cancer drug grade": "3"},
        other_severe=HOLD,
    ),
    case("another reaction of grade 2", {"adverse effect of a cancer drug grade": "2"}),
    case("gut of grade 3", {"gastrointestinal symptoms grade": "3"}, other_severe=HOLD),
    case("gut of grade 2", {"gastrointestinal symptoms grade": "2"}),
    case("rash of grade 3", {"skin reaction grade": "3"}, other_severe=HOLD),
    case("rash of grade 2", {"skin reaction grade": "2"}),
    case(
        "several at once",
        {"neutrophils": "0.9", "ALT": "5.01", "visual disturbance grade": "1"},
        blood_low=HOLD,
        liver_hold=HOLD,
        sight_symptoms=ASK,
    ),
)

DOSE_CHANGES: tuple[Reaction, ...] = (
    *diagnoses("crizotinib", case),
    *BLOOD,
    *LIVER,
    *LUNG,
    *QTC,
    *HEART,
    *OTHERS,
)

ON: dict[str, object] = {"lines": (running("crizotinib"),)}
NOTHING = {"medications": ()}


def _beside(row: str, medication: str, other: str) -> Case:
    near = {"medications": (other,)}
    return Case(f"crizotinib-interaction-{row}", {**ON, "medications": (medication,)}, near)


INTERACTIONS = (
    _beside("strong-inhibitor", "strong CYP3A inhibitor", "moderate CYP3A inhibitor"),
    Case(
        # A dose lowered already leaves the combination to be known.
        "crizotinib-interaction-strong-inhibitor",
        {**ON, "medications": ("strong CYP3A inhibitor",), "orders": CRIZOTINIB},
        NOTHING,
    ),
    _beside("moderate-inhibitor", "moderate CYP3A inhibitor", "strong CYP3A inhibitor"),
    _beside("grapefruit", "grapefruit juice", "strong CYP3A inhibitor"),
    _beside("strong-inducer", "strong CYP3A inducer", "moderate CYP3A inducer"),
    _beside("cyp3a-substrate", "narrow CYP3A substrate", "P-gp substrate"),
    _beside("cyp3a-substrate", "sensitive CYP3A substrate", "CYP2C9 substrate"),
    _beside("qt", "QT-prolonging", "beta-blocker"),
    _beside("bradycardia", "beta-blocker", "QT-prolonging"),
    _beside("bradycardia", "other bradycardic", "P-gp substrate"),
)

STARTING: dict[str, object] = {"lines": (), "orders": CRIZOTINIB}
MODERATE = {**STARTING, "total_bilirubin": "1.51"}
SEVERE = {**STARTING, "total_bilirubin": "3.01"}
# After an earlier ALK inhibitor no first drug is to be chosen, so only the order speaks.
SECOND = {**STARTING, "lines": HAD_LORLATINIB}
POPULATIONS = (
    Case("crizotinib-liver-moderate", MODERATE, {"total_bilirubin": "1.5"}),
    Case("crizotinib-liver-moderate", {**MODERATE, "total_bilirubin": "3"},
         {"total_bilirubin": "3.01"}),
    Case("crizotinib-liver-moderate", MODERATE, ON),
    Case("crizotinib-liver-moderate", {**SECOND, "total_bilirubin": "1.51"},
         {"orders": (order("crizotinib", "200", 2),)}),
    Case("crizotinib-liver-moderate", {"lines": (), "total_bilirubin": "1.51"},
         {"total_bilirubin": "1.5"}),
    Case("crizotinib-liver-severe", SEVERE, {"total_bilirubin": "3"}),
    Case("crizotinib-liver-severe", SEVERE, ON),
    # 200 mg twice daily is more a day than 250 mg once daily, although each capsule is smaller.
    Case("crizotinib-liver-severe",
         {**SECOND, "total_bilirubin": "3.01", "orders": (order("crizotinib", "200", 2),)},
         {"orders": (order("crizotinib", "250", 1),)}),
    Case("crizotinib-kidney-severe", {**STARTING, "eGFR": "29.9"}, {"eGFR": "30"}),
    Case("crizotinib-kidney-severe", {**ON, "eGFR": "29.9"},
         {"lines": (treatment((20, "active", ("250", 1)), ingredient="crizotinib"),)}),
    Case("crizotinib-kidney-severe", {"lines": (), "eGFR": "29.9"}, {"eGFR": "30"}),
    Case("crizotinib-kidney-severe", {**STARTING, "eGFR": "14", "dialysis": "absent"},
         {"dialysis": "present"}),
    Case("crizotinib-dialysis", {**STARTING, "dialysis": "present"}, {"dialysis": "absent"}),
    Case("crizotinib-dialysis", {**STARTING, "end-stage_renal_disease": "present"},
         {"end-stage_renal_disease": None}),
    Case("crizotinib-pregnancy", {**STARTING, **WOMAN}, {"age": "56"}),
    Case("crizotinib-contraception-female", {**STARTING, **WOMAN}, {"age": "11"}),
    Case("crizotinib-contraception-male", STARTING, {"sex": "female"}),
    Case("crizotinib-lactation", {**STARTING, **WOMAN}, {"sex": "male"}),
    Case("crizotinib-fertility", STARTING, {"age": "17"}),
    Case("crizotinib-testosterone", {**STARTING, "sex": "male"}, {"sex": "female"}),
    Case("crizotinib-sun", STARTING, ON),
    Case("crizotinib-swallowing", {**STARTING, "difficulty_swallowing": "present"},
         {"difficulty_swallowing": None}),
    Case("crizotinib-missed-dose", STARTING, ON),
    Case("crizotinib-sight", STARTING, ON),
)  # fmt: skip

RECENT: dict[str, object] = {
    **ON,
    **{name: [(3, "1")] for name in ("ALT", "AST", "total_bilirubin")},
    "neutrophils": "4",
    "haemoglobin": "13.5",
    "platelets": "220",
    "heart_rate": "72",
    "brain_imaging": 30,
}
EARLY = {"lines": (running("crizotinib", 40),)}
MONITORING = (
    Case("crizotinib-monitor-blood", {**RECENT, "neutrophils": [(31, "4")]},
         {"neutrophils": [(30, "4")]}),
    Case("crizotinib-monitor-blood", {**RECENT, "platelets": None}, {"platelets": "200"}),
    Case("crizotinib-monitor-liver", {**RECENT, **EARLY, "ALT": [(14, "1")]},
         {"ALT": [(13, "1")]}),
    Case("crizotinib-monitor-liver", {**RECENT, "ALT": [(31, "1")]}, {"ALT": [(30, "1")]}),
    # The two months of close tests are over: once a month is enough.
    Case("crizotinib-monitor-liver", {**RECENT, **EARLY, "ALT": [(20, "1")]}, ON),
    Case("crizotinib-monitor-ecg", {**RECENT, "medications": ("QT-prolonging",)},
         {"electrocardiogram": 0}),
    Case("crizotinib-monitor-ecg",
         {**RECENT, "heart_rate": "59", "bradycardia_symptoms": "absent"}, {"heart_rate": "60"}),
    Case("crizotinib-monitor-heart", {**RECENT, "heart_rate": [(101, "72")]},
         # The label gives no interval: silent until more than a week late.
         {"heart_rate": [(93, "72")]}),
    Case("crizotinib-monitor-brain", {**RECENT, "brain_imaging": 121}, {"brain_imaging": 112}),
)  # fmt: skip

ROWS = (*INTERACTIONS, *POPULATIONS, *MONITORING)
"""Cases of the other tables; modelled on those of alectinib in `tests/alk/row_cases.py`."""
