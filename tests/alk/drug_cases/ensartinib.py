"""Every row of ensartinib's tables: around its thresholds and where data are missing."""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, LOWER_DOSE, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.diagnoses import diagnoses
from tests.alk.drug_cases.liver import by_laboratory
from tests.alk.order_cases import ENSARTINIB, WOMAN, Case
from tests.alk.patients import order, running

case = cases_of("ensartinib")
BILIRUBIN = "total bilirubin"
SLOW = {"heart rate": "59"}

LIVER = (
    case("nothing raised", {}),
    *by_laboratory(case, "2.01"),
    case("ALT at 3", {"ALT": "3", BILIRUBIN: "2.5"}),
    case("AST at 3", {"AST": "3", BILIRUBIN: "2.5"}),
    case("ALT just below 3", {"ALT": "2.99", BILIRUBIN: "2.5"}),
    case("ALT above 3, bilirubin at 2", {"ALT": "3.01", BILIRUBIN: "2"}, liver_watch=TELL),
    case(
        "ALT above 3, bilirubin just below 2", {"ALT": "3.01", BILIRUBIN: "1.99"}, liver_watch=TELL
    ),
    case("ALT above 3, bilirubin above 2", {"ALT": "3.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
    case("AST above 3, bilirubin above 2", {"AST": "3.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
    case("ALT just below 5", {"ALT": "4.99"}, liver_watch=TELL),
    case("ALT at 5", {"ALT": "5"}, liver_watch=TELL),
    case("ALT above 5", {"ALT": "5.01"}, liver_hold=HOLD),
    case("AST above 5", {"AST": "5.01"}, liver_hold=HOLD),
    case("ALT above 5, bilirubin at 2", {"ALT": "5.01", BILIRUBIN: "2"}, liver_hold=HOLD),
    case("ALT above 5, bilirubin above 2", {"ALT": "5.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
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
    case(
        "cholestasis present",
        {"ALT": "3.01", BILIRUBIN: "2.01", "cholestasis": "present"},
        liver_other_cause=HOLD,
    ),
    case(
        "cholestasis present, ALT at 3", {"ALT": "3", BILIRUBIN: "2.01", "cholestasis": "present"}
    ),
    case(
        "haemolysis present",
        {"ALT": "4", BILIRUBIN: "2.5", "haemolysis": "present"},
        liver_other_cause=HOLD,
        other_serious=HOLD,
    ),
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
        "bilirubin without range, ALT above 5",
        {"ALT": "5.01", BILIRUBIN: "0.6 no range"},
        liver_hold_bilirubin_unknown=HOLD,
        ungraded_results=ASK,
    ),
    case("ALT without range", {"ALT": "9 no range"}, ungraded_results=ASK),
    case("bilirubin just below 3", {BILIRUBIN: "2.99"}),
    case("bilirubin at 3", {BILIRUBIN: "3"}),
    case("bilirubin above 3", {BILIRUBIN: "3.01"}, bilirubin_raised=ASK),
    case(
        "above 5 weeks ago, at 3 now, still at the full dose",
        {"ALT": [(3, "3"), (40, "5.01")], BILIRUBIN: [(3, "1"), (40, "1")]},
        liver_hold=LOWER_DOSE,
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
)  # fmt: skip

HEART = (
    case("heart rate at 60, symptoms", {"heart rate": "60", "bradycardia symptoms": "present"}),
    case("heart rate above 60, symptoms", {"heart rate": "61", "bradycardia symptoms": "present"}),
    case("heart rate below 60, symptoms", {**SLOW, "bradycardia symptoms": "present"},
         bradycardia_symptoms=ASK),
    case("heart rate below 60, no symptoms", SLOW, bradycardia_no_symptoms=TELL),
    case("heart rate below 60, symptoms not known", {**SLOW, "bradycardia symptoms": None},
         bradycardia_symptoms_unknown=ASK),
    case("heart rate at 60, symptoms not known",
         {"heart rate": "60", "bradycardia symptoms": None}),
    case("life-threatening", {"bradycardia grade 4": "present"},
         bradycardia_life_threatening=HOLD),
    case("life-threatening long ago", {"bradycardia grade 4": [(170, "present")]},
         bradycardia_life_threatening=HOLD),
    case("life-threatening before the first dose", {"bradycardia grade 4": [(171, "present")]}),
)  # fmt: skip


def _graded(fact: str, first: int, row: str, does: str = ASK) -> tuple[Reaction, ...]:
    return tuple(
        case(f"{fact} {grade}", {fact: str(grade)}, **({row: does} if grade >= first else {}))
        for grade in (first - 1, first, first + 1)
    )


def _above(fact: str, limit: str, above: str, row: str, below: str) -> tuple[Reaction, ...]:
    return (
        case(f"{fact} just below {limit}", {fact: below}),
        case(f"{fact} at {limit}", {fact: limit}),
        case(f"{fact} beyond {limit}", {fact: above}, **{row: ASK}),
    )


OTHERS = (
    *_graded("skin reaction grade", 3, "skin_severe"),
    *_above("glucose", "250", "250.1", "glucose_high", "249.9"),
    *_graded("visual disturbance grade", 2, "vision"),
    case("severe loss of sight", {"severe visual loss": "present"}, vision=ASK),
    case("severe loss of sight excluded", {"severe visual loss": "absent"}),
    *_above("CPK", "5", "5.01", "muscle", "4.99"),
    case("uric acid at the limit", {"uric acid": "1"}),
    case("uric acid just below the limit", {"uric acid": "0.99"}),
    case("uric acid above the limit", {"uric acid": "1.01"}, urate_raised=TELL),
    # The limit of these patients is 400 umol/L, and 10 mg/dL are 594.8 umol/L.
    case("uric acid just below 10 mg/dL", {"uric acid": "1.486"}, urate_raised=TELL),
    case("uric acid at 10 mg/dL", {"uric acid": "1.487"}, urate_raised=TELL),
    case("uric acid above 10 mg/dL", {"uric acid": "1.488"}, urate_high=ASK),
    *_graded("adverse effect of a cancer drug grade", 3, "other_severe", HOLD),
    *_graded("muscle symptoms grade", 3, "other_severe", HOLD),
    *_graded("gastrointestinal symptoms grade", 3, "other_severe", HOLD),
    *(
        made
        for flag in ("pancreatitis", "torsades de pointes", "gastrointestinal perforation",
                     "haemolysis")
        for made in (
            case(flag, {flag: "present"}, other_serious=HOLD),
            case(f"{flag} excluded", {flag: "absent"}),
        )
    ),
    case("creatinine just below 3", {"creatinine": [(3, "2.99"), (175, "1.1")]}),
    case("creatinine at 3", {"creatinine": [(3, "3"), (175, "1.1")]}),
    case("creatinine above 3", {"creatinine": [(3, "3.01"), (175, "1.1")]}, other_laboratory=ASK),
    case("creatinine at 3 times the baseline", {"creatinine": [(3, "2.4"), (175, "0.8")]}),
    case("creatinine above 3 times the baseline", {"creatinine": [(3, "2.41"), (175, "0.8")]},
         other_laboratory=ASK),
    *_above("lipase", "5", "5.01", "other_laboratory", "4.99"),
    *_above("amylase", "5", "5.01", "other_laboratory", "4.99"),
    *_above("neutrophils", "1", "0.99", "other_laboratory", "1.01"),
    *_above("platelets", "50", "49", "other_laboratory", "51"),
    *_above("haemoglobin", "8", "7.9", "other_laboratory", "8.1"),
    case("QTc at 480", {"QTc": "480"}),
    case("QTc above 480", {"QTc": "481"}, qtc_raised=ASK),
    case("QTc at 500", {"QTc": "500"}, qtc_raised=ASK),
    case("QTc above 500", {"QTc": "501"}, other_laboratory=ASK),
    case("QTc risen by 59", {"QTc": [(3, "459"), (175, "400")]}),
    case("QTc risen by 60", {"QTc": [(3, "460"), (175, "400")]}, qtc_rise=ASK),
)  # fmt: skip

DOSE_CHANGES: tuple[Reaction, ...] = (
    *diagnoses("ensartinib", case),
    *LIVER,
    *LUNG,
    *HEART,
    *OTHERS,
)

ON = (running("ensartinib"),)
OTHER_DRUG = {"medications": ("acid reducing",)}
INTERACTIONS = (
    *(
        Case(row, {"lines": ON, "medications": (name,)}, OTHER_DRUG)
        for row, names in (
            ("ensartinib-interaction-inhibitor",
             ("strong CYP3A inhibitor", "moderate CYP3A inhibitor")),
            ("ensartinib-interaction-inducer", ("strong CYP3A inducer", "moderate CYP3A inducer")),
            ("ensartinib-interaction-transporter", ("P-gp inhibitor",)),
            ("ensartinib-interaction-bradycardia", ("beta-blocker", "other bradycardic")),
        )
        for name in names
    ),
)  # fmt: skip

STARTING: dict[str, object] = {"lines": (), "orders": ENSARTINIB}
ANOTHER = {"orders": (order("alectinib", "600", 2),)}
POPULATIONS = (
    Case("ensartinib-liver-severe", {**STARTING, "total_bilirubin": "3.01"},
         {"total_bilirubin": "3"}),
    Case("ensartinib-liver-moderate", {**STARTING, "total_bilirubin": "1.51"},
         {"total_bilirubin": "1.5"}),
    Case("ensartinib-liver-moderate", {**STARTING, "total_bilirubin": "3"},
         {"total_bilirubin": "3.01"}),
    Case("ensartinib-kidney-not-studied", {**STARTING, "eGFR": "29.9"}, {"eGFR": "30"}),
    Case("ensartinib-contraception-female", {**STARTING, **WOMAN}, {"age": "56"}),
    Case("ensartinib-contraception-female", {**STARTING, **WOMAN, "age": "12"}, {"age": "11"}),
    Case("ensartinib-contraception-male", STARTING, {"sex": "female"}),
    Case("ensartinib-lactation", {**STARTING, **WOMAN}, {"age": "11"}),
    Case("ensartinib-lactation", {**STARTING, **WOMAN, "age": "55"}, {"age": "56"}),
    Case("ensartinib-breastfeeding-now", {**STARTING, **WOMAN, "lactation": "present"},
         {"lactation": [(91, "present")]}),
    Case("ensartinib-sun", STARTING, ANOTHER),
    Case("ensartinib-skin-sight-breath", STARTING, {"lines": ON}),
    Case("ensartinib-tartrazine", STARTING, ANOTHER),
    Case("ensartinib-swallowing", {**STARTING, "difficulty_swallowing": "present"},
         {"difficulty_swallowing": "absent"}),
    Case("ensartinib-taking", STARTING, {"lines": ON}),
)  # fmt: skip

RECENT: dict[str, object] = {
    name: [(3, "1")] for name in ("ALT", "AST", "total_bilirubin", "glucose", "uric_acid", "CPK")
} | {"heart_rate": "72", "brain_imaging": 30, "lines": ON}
MONITORING = (
    Case("ensartinib-monitor-liver",
         {**RECENT, "lines": (running("ensartinib", 30),), "ALT": [(22, "1")]},
         {"ALT": [(21, "1")]}),
    Case("ensartinib-monitor-liver", {**RECENT, "ALT": [(39, "1")]}, {"ALT": [(30, "1")]}),
    Case("ensartinib-monitor-glucose", {**RECENT, "glucose": [(92, "1")]},
         {"glucose": [(91, "1")]}),
    Case("ensartinib-monitor-uric-acid", {**RECENT, "uric_acid": [(92, "1")]},
         {"uric_acid": [(91, "1")]}),
    Case("ensartinib-monitor-heart", {**RECENT, "heart_rate": [(101, "72")]},
         {"heart_rate": [(93, "72")]}),
    Case("ensartinib-monitor-cpk", {**RECENT, "CPK": [(101, "1")]}, {"CPK": [(93, "1")]}),
    Case("ensartinib-monitor-cpk-symptoms",
         {**RECENT, "muscle_symptoms": "present", "CPK": [(10, "1")], "glucose": [(120, "1")]},
         {"CPK": [(1, "1")]}),
    Case("ensartinib-monitor-brain", {**RECENT, "brain_imaging": 121}, {"brain_imaging": 112}),
)  # fmt: skip

BASELINE = (
    Case("baseline-uric-acid", STARTING, {"uric_acid": [(90, "1")]}),
    Case("baseline-uric-acid", {**STARTING, "uric_acid": [(91, "1")]}, ANOTHER),
)

MODIFIERS = (Case("modifier-kidney-ensartinib", {"lines": (), "eGFR": "29.9"}, {"eGFR": "30"}),)

ROWS = (*INTERACTIONS, *POPULATIONS, *MONITORING, *BASELINE, *MODIFIERS)
