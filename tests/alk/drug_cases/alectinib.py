"""Every row of alectinib's dose-change table: around its thresholds and where data are missing."""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.diagnoses import diagnoses
from tests.alk.drug_cases.liver import by_laboratory

case = cases_of("alectinib")
BILIRUBIN = "total bilirubin"
SLOW = {"heart rate": "59"}
DIZZY = {**SLOW, "bradycardia symptoms": "present"}
GRAVE = {**DIZZY, "bradycardia grade 4": "present"}
CULPRIT = "contributing medication"

LIVER = (
    case("nothing raised", {}),
    *by_laboratory(case, "2.01"),
    case("ALT just below 3", {"ALT": "2.99", BILIRUBIN: "2.5"}),
    case("ALT at 3", {"ALT": "3", BILIRUBIN: "2.5"}),
    case("AST at 3", {"AST": "3", BILIRUBIN: "2.5"}),
    case(
        "ALT above 3, bilirubin just below 2", {"ALT": "3.01", BILIRUBIN: "1.99"}, liver_watch=TELL
    ),
    case("ALT above 3, bilirubin at 2", {"ALT": "3.01", BILIRUBIN: "2"}, liver_watch=TELL),
    case("ALT above 3, bilirubin above 2", {"ALT": "3.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
    case("AST above 3, bilirubin above 2", {"AST": "3.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
    case("ALT just below 5", {"ALT": "4.99"}, liver_watch=TELL),
    case("ALT at 5", {"ALT": "5"}, liver_watch=TELL),
    case("AST at 5", {"AST": "5"}, liver_watch=TELL),
    case("ALT above 5", {"ALT": "5.01"}, liver_hold=HOLD),
    case("AST above 5", {"AST": "5.01"}, liver_hold=HOLD),
    case("ALT above 5, bilirubin at 2", {"ALT": "5.01", BILIRUBIN: "2"}, liver_hold=HOLD),
    case("ALT above 5, bilirubin above 2", {"ALT": "5.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
    case(
        "stop beats the hold for bilirubin",
        {"ALT": "6", BILIRUBIN: "3.5"},
        liver_stop=STOP,
        bilirubin_hold=HOLD,
    ),
    case(
        "cholestasis not known",
        {"ALT": "4", BILIRUBIN: "2.5", "cholestasis": None},
        liver_stop_undecided=HOLD,
    ),
    case(
        "haemolysis not known",
        {"ALT": "4", BILIRUBIN: "2.5", "haemolysis": None},
        liver_stop_undecided=HOLD,
    ),
    case(
        "cholestasis not known, bilirubin at 2",
        {"ALT": "4", BILIRUBIN: "2", "cholestasis": None},
        liver_watch=TELL,
    ),
    case("cholestasis not known, ALT at 3", {"ALT": "3", BILIRUBIN: "2.5", "cholestasis": None}),
    case(
        "cholestasis present",
        {"ALT": "3.01", BILIRUBIN: "2.01", "cholestasis": "present"},
        liver_other_cause=HOLD,
    ),
    case(
        "cholestasis present, bilirubin at 2",
        {"ALT": "3.01", BILIRUBIN: "2", "cholestasis": "present"},
        liver_watch=TELL,
    ),
    case(
        "cholestasis present, ALT at 3", {"ALT": "3", BILIRUBIN: "2.01", "cholestasis": "present"}
    ),
    case(
        "haemolysis present",
        {"ALT": "4", BILIRUBIN: "2.5", "haemolysis": "present"},
        liver_other_cause=HOLD,
        haemolysis_hold=HOLD,
    ),
    case("bilirubin missing, ALT just below 3", {"ALT": "2.99", BILIRUBIN: None}),
    case("bilirubin missing, ALT at 3", {"ALT": "3", BILIRUBIN: None}),
    case(
        "bilirubin missing, ALT above 3",
        {"ALT": "3.01", BILIRUBIN: None},
        liver_bilirubin_needed=ASK,
    ),
    case("bilirubin missing, ALT at 5", {"ALT": "5", BILIRUBIN: None}, liver_bilirubin_needed=ASK),
    case(
        "bilirubin missing, ALT above 5",
        {"ALT": "5.01", BILIRUBIN: None},
        liver_hold_bilirubin_unknown=HOLD,
    ),
    case(
        "bilirubin missing, AST above 5",
        {"AST": "5.01", BILIRUBIN: None},
        liver_hold_bilirubin_unknown=HOLD,
    ),
    case(
        "bilirubin stale, ALT above 5",
        {"ALT": "5.01", BILIRUBIN: [(15, "0.6")]},
        liver_hold_bilirubin_unknown=HOLD,
    ),
    case(
        "bilirubin on its last usable day",
        {"ALT": "5.01", BILIRUBIN: [(14, "0.6")]},
        liver_hold=HOLD,
    ),
    case(
        "bilirubin without range, ALT above 5",
        {"ALT": "5.01", BILIRUBIN: "0.6 no range"},
        liver_hold_bilirubin_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case(
        "bilirubin without range, ALT above 3",
        {"ALT": "3.01", BILIRUBIN: "0.6 no range"},
        liver_bilirubin_needed=ASK,
        ungraded_results=ASK,
    ),
    case(
        "bilirubin in an unknown unit, ALT above 3",
        {"ALT": "3.01", BILIRUBIN: "0.6 unknown unit"},
        liver_bilirubin_needed=ASK,
        ungraded_results=ASK,
    ),
    case("ALT without range", {"ALT": "9 no range"}, ungraded_results=ASK),
    case("ALT in an unknown unit", {"ALT": "9 unknown unit"}, ungraded_results=ASK),
    case("ALT without range, AST above 5", {"ALT": "9 no range", "AST": "5.01"}, liver_hold=HOLD),
    case(
        "ALT and AST missing, bilirubin above 2",
        {"ALT": None, "AST": None, BILIRUBIN: "2.01"},
        liver_stop=ASK,
    ),
    case("ALT and AST missing, bilirubin at 2", {"ALT": None, "AST": None, BILIRUBIN: "2"}),
    case("ALT and AST missing", {"ALT": None, "AST": None}),
)

JAUNDICE = (
    case("bilirubin just below 3", {BILIRUBIN: "2.99"}),
    case("bilirubin at 3", {BILIRUBIN: "3"}),
    case("bilirubin above 3", {BILIRUBIN: "3.01"}, bilirubin_hold=HOLD),
    case("bilirubin above 3 without range", {BILIRUBIN: "9 no range"}, ungraded_results=ASK),
    case("bilirubin in an unknown unit", {BILIRUBIN: "9 unknown unit"}, ungraded_results=ASK),
    case("bilirubin above 3 in a stale result", {BILIRUBIN: [(20, "3.01")]}, bilirubin_hold=HOLD),
)

LUNG = (
    case(
        "caused by the drug",
        {
            "drug-induced interstitial lung disease": "present",
        },
        lung_stop=STOP,
    ),
    case(
        "refuted",
        {
            "drug-induced interstitial lung disease": "absent",
            "interstitial lung disease": "absent",
        },
    ),
    case(
        "new, cause open",
        {"interstitial lung disease": "present"},
        lung_hold=HOLD,
    ),
    case(
        "older than the treatment",
        {"interstitial lung disease before treatment": "present"},
    ),
    case("breathless", {"respiratory symptoms": "present"}, lung_suspected=ASK),
    case(
        "breathless a month ago",
        {"respiratory symptoms": [(30, "present")]},
        lung_suspected=ASK,
    ),
    case("breathless longer ago", {"respiratory symptoms": [(31, "present")]}),
    case("not breathless", {"respiratory symptoms": "absent"}),
)

KIDNEY = (
    case("creatinine just below 3", {"creatinine": [(3, "2.99"), (175, "1")]}),
    case("creatinine at 3", {"creatinine": [(3, "3"), (175, "1")]}),
    case("creatinine above 3", {"creatinine": [(3, "3.01"), (175, "1.2")]}, kidney_hold=HOLD),
    case("three times its baseline", {"creatinine": [(3, "1.5"), (175, "0.5")]}),
    case(
        "above three times its baseline",
        {"creatinine": [(3, "1.51"), (175, "0.5")]},
        kidney_hold=HOLD,
    ),
    case("creatinine just below 6", {"creatinine": "5.99"}, kidney_hold=HOLD),
    case("creatinine at 6", {"creatinine": "6"}, kidney_hold=HOLD),
    case("creatinine above 6", {"creatinine": "6.01"}, kidney_stop=STOP),
    case(
        "without range, above 3 times baseline",
        {"creatinine": "9 no range"},
        kidney_hold=HOLD,
        ungraded_results=ASK,
    ),
    case(
        "without range or baseline",
        {"creatinine": [(3, "9 no range"), (300, "1")]},
        ungraded_results=ASK,
    ),
    case("in an unknown unit", {"creatinine": "9 unknown unit"}, ungraded_results=ASK),
    case("above 3 in a stale result", {"creatinine": [(20, "3.5")]}, kidney_hold=HOLD),
    case("above 6 in a stale result", {"creatinine": [(20, "6.5")]}, kidney_stop=STOP),
)

HEART = (
    case(
        "at 60",
        {
            "heart rate": "60",
            "bradycardia symptoms": "present",
            "bradycardia grade 4": "present",
            CULPRIT: "active",
        },
    ),
    case("above 60", {"heart rate": "61", "bradycardia symptoms": "present"}),
    case("59 without symptoms", SLOW, bradycardia_no_symptoms=TELL),
    case(
        "59, symptoms not known",
        {**SLOW, "bradycardia symptoms": None},
        bradycardia_symptoms_unknown=ASK,
    ),
    case("60, symptoms not known", {"heart rate": "60", "bradycardia symptoms": None}),
    case(
        "59, symptoms too long ago",
        {**SLOW, "bradycardia symptoms": [(34, "present")]},
        bradycardia_symptoms_unknown=ASK,
    ),
    case("symptoms, no contributing medication", DIZZY, bradycardia_no_culprit_change=HOLD),
    case(
        "symptoms, contributing medication taken",
        {**DIZZY, CULPRIT: "active"},
        bradycardia_no_culprit_change=HOLD,
    ),
    case(
        "symptoms, contributing medication stopped",
        {**DIZZY, CULPRIT: "adjusted"},
        bradycardia_culprit_adjusted=HOLD,
    ),
    case(
        "symptoms, medication not known", {**DIZZY, CULPRIT: None}, bradycardia_culprit_unknown=HOLD
    ),
    case("grave, no contributing medication", GRAVE, bradycardia_life_threatening_stop=STOP),
    case(
        "grave, and at 60 by now: it happened all the same",
        {**GRAVE, "heart rate": "60"},
        bradycardia_life_threatening_stop=STOP,
    ),
    case(
        "grave, contributing medication taken",
        {**GRAVE, CULPRIT: "active"},
        bradycardia_life_threatening_hold=HOLD,
    ),
    case(
        "grave, contributing medication stopped",
        {**GRAVE, CULPRIT: "adjusted"},
        bradycardia_life_threatening_hold=HOLD,
    ),
    case(
        "grave, medication not known",
        {**GRAVE, CULPRIT: None},
        bradycardia_life_threatening_undecided=HOLD,
    ),
    case(
        "grave for a second time",
        {**GRAVE, CULPRIT: "active", "repeated bradycardia grade 4": "present"},
        bradycardia_life_threatening_recurrent=STOP,
    ),
    case(
        "grave, heart rate not known",
        {**GRAVE, "heart rate": None},
        bradycardia_life_threatening_stop=STOP,
    ),
    case("heart rate in an unknown unit, no symptoms", {"heart rate": "45 unknown unit"}),
    case(
        "heart rate in an unknown unit, symptoms",
        {**DIZZY, "heart rate": "45 unknown unit"},
        bradycardia_no_culprit_change=ASK,
        ungraded_results=ASK,
    ),
    case(
        "slow in a stale result, symptoms then",
        {"heart rate": [(20, "45")], "bradycardia symptoms": [(21, "present")]},
        bradycardia_no_culprit_change=HOLD,
    ),
)

MUSCLE = (
    case("CPK just below 5", {"CPK": "4.99"}),
    case("CPK at 5", {"CPK": "5"}),
    case("CPK above 5", {"CPK": "5.01"}, muscle_first=HOLD),
    case("CPK just below 10", {"CPK": "9.99"}, muscle_first=HOLD),
    case("CPK at 10", {"CPK": "10"}, muscle_first=HOLD),
    case("CPK above 10", {"CPK": "10.01"}, muscle_severe=HOLD),
    case(
        "above 5 again after 2.5",
        {"CPK": [(3, "5.01"), (60, "2.5"), (90, "5.01")]},
        muscle_second=HOLD,
    ),
    case(
        "above 5 still, not below 2.5 between",
        {"CPK": [(3, "5.01"), (60, "2.51"), (90, "5.01")]},
        muscle_first=HOLD,
    ),
    case("at 5 again after 2.5", {"CPK": [(3, "5"), (60, "2.5"), (90, "5.01")]}, muscle_first=HOLD),
    case(
        "an earlier result without range",
        {"CPK": [(3, "5.01"), (60, "1"), (90, "7 no range")]},
        muscle_episode_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case(
        "before the treatment does not count",
        {"CPK": [(3, "5.01"), (200, "1"), (220, "9")]},
        muscle_first=HOLD,
    ),
    case("without range", {"CPK": "30 no range"}, ungraded_results=ASK),
    case("in an unknown unit", {"CPK": "30 unknown unit"}, ungraded_results=ASK),
    case("above 10 in a stale result", {"CPK": [(20, "11")]}, muscle_severe=HOLD),
)

OTHERS = (
    case("haemolysis", {"haemolysis": "present"}, haemolysis_hold=HOLD),
    case("haemolysis excluded", {"haemolysis": "absent"}),
    case(
        "haemolysis suspected",
        {"haemolysis": None, "suspected haemolysis": "present"},
        haemolysis_suspected=HOLD,
    ),
    case(
        "haemolysis in the laboratory",
        {"haemolysis": None, "haemolysis in the laboratory": "present"},
        haemolysis_in_the_laboratory=HOLD,
    ),
    case(
        "haemolysis in the laboratory, refuted as a diagnosis",
        {"haemolysis": "absent", "haemolysis in the laboratory": "present"},
    ),
    case("haemolysis suspicion dropped", {"suspected haemolysis": "absent"}),
    case(
        "perforation",
        {"gastrointestinal perforation": [(170, "present")]},
        gut_perforation_stop=STOP,
    ),
    case("perforation before the first dose", {"gastrointestinal perforation": [(171, "present")]}),
    case(
        "perforation without a date",
        {"gastrointestinal perforation": [(None, "present")]},
        gut_perforation_stop=ASK,
    ),
)

DOSE_CHANGES: tuple[Reaction, ...] = (
    *diagnoses("alectinib", case),
    *LIVER,
    *JAUNDICE,
    *LUNG,
    *KIDNEY,
    *HEART,
    *MUSCLE,
    *OTHERS,
    case(
        "another reaction of grade 3",
        {"adverse effect of a cancer drug grade": "3"},
        other_severe=HOLD,
    ),
    case("another reaction of grade 2", {"adverse effect of a cancer drug grade": "2"}),
    case("gut of grade 3", {"gastrointestinal symptoms grade": "3"}, other_severe=HOLD),
    case("gut of grade 2", {"gastrointestinal symptoms grade": "2"}),
)

ROWS = ()
"""The other tables of the drug stand in `tests/alk/row_cases.py`."""
