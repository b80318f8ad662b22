"""Rows of lorlatinib that stand in the European or the Japanese label only."""

from __future__ import annotations

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, TELL, Reaction, cases_of
from tests.alk.drug_cases.lorlatinib_rows import EARLY, RECENT, STARTING
from tests.alk.order_cases import WOMAN, Case
from tests.alk.patients import running

in_europe = cases_of("lorlatinib", "EU")
in_japan = cases_of("lorlatinib", "JP")

LUNG = "interstitial lung disease grade"
NEW = {"interstitial lung disease": "present"}
FIRST = {"atrioventricular block of first degree": "present"}
FELT = {"bradycardia symptoms": "present"}
EUROPE = (
    in_europe("in Europe: a long PR interval and syncope", {"PR interval": "201", **FELT},
              block_first_degree_hold=HOLD),
    in_europe("in Europe: a PR interval at 200 and syncope",
              {"PR interval": "200", "atrioventricular block of first degree": "absent", **FELT}),
    in_europe("in Europe: a first degree block and syncope", {**FIRST, **FELT},
              block_first_degree_hold=HOLD),
    in_europe("in Europe: a first degree block", FIRST, block_first_degree=TELL),
    in_europe("in Europe: lung disease of grade 1", {LUNG: "1"}, lung_mild_europe=HOLD),
    in_europe("in Europe: lung disease of grade 2", {LUNG: "2"}, lung_mild_europe=HOLD),
    in_europe("in Europe: lung disease of grade 3", {LUNG: "3"}, lung_stop_europe=STOP),
    in_europe("in Europe: lung disease over", {LUNG: "0"}),
    in_europe("in Europe: lung disease by the drug, without a grade",
              {"drug-induced interstitial lung disease": "present"},
              lung_grade_unknown_europe=HOLD),
    in_europe("in Europe: lung disease a second time", {LUNG: [(3, "1"), (40, "0"), (60, "1")]},
              lung_recurrence_europe=STOP),
    in_europe("in Europe: lung disease, an earlier one on an unknown day",
              {**NEW, "ended interstitial lung disease": "present"},
              lung_episode_unknown_europe=HOLD),
    *(
        made
        for enzyme in ("lipase", "amylase")
        for made in (
            in_europe(f"in Europe: {enzyme} at 2", {enzyme: "2"}),
            in_europe(f"in Europe: {enzyme} above 2", {enzyme: "2.01"},
                      **{f"{enzyme}_hold_europe": HOLD}),
        )
    ),
)  # fmt: skip

PANCREATITIS = {"pancreatitis": "present"}
JAPAN = (
    in_japan("in Japan: lung disease of grade 1", {LUNG: "1"}, lung_grade_1_japan=HOLD),
    in_japan("in Japan: lung disease of grade 2", {LUNG: "2"}, lung_grade_2_japan=HOLD),
    in_japan("in Japan: lung disease of grade 3", {LUNG: "3"}, lung_stop_japan=STOP),
    in_japan("in Japan: lung disease over", {LUNG: "0"}),
    in_japan("in Japan: lung disease without a grade", NEW, lung_grade_unknown_japan=HOLD),
    in_japan("in Japan: lung disease by the drug, without a grade",
             {"drug-induced interstitial lung disease": "present"},
             lung_grade_unknown_japan=HOLD),
    in_japan("in Japan: lung disease a second time", {LUNG: [(3, "1"), (40, "0"), (60, "1")]},
             lung_recurrence_japan=STOP),
    in_japan("in Japan: lung disease, an earlier one on an unknown day",
             {**NEW, "ended interstitial lung disease": "present"},
             lung_episode_unknown_japan=HOLD),
    in_japan("in Japan: pancreatitis", PANCREATITIS, pancreatitis_japan=HOLD, serious_hold=HOLD),
    in_japan("in Japan: pancreatitis of grade 2", {"pancreatitis grade": "2"},
             pancreatitis_japan=HOLD, serious_hold=HOLD),
    in_japan("in Japan: pancreatitis of grade 3", {"pancreatitis grade": "3"},
             pancreatitis_stop_japan=STOP, serious_hold=HOLD),
    in_japan("in Japan: pancreatitis over", {"pancreatitis": "absent"}),
    in_japan("in Japan: a first degree block and syncope", {**FIRST, **FELT},
             block_first_degree_symptoms=ASK),
)  # fmt: skip

DOSE_CHANGES: tuple[Reaction, ...] = (*EUROPE, *JAPAN)

ENZYMES = {"lipase": [(3, "1")], "amylase": [(3, "1")]}
ROWS = (
    Case("lorlatinib-monitor-lipids-europe-early",
         {**RECENT, **ENZYMES, "lines": (running("lorlatinib", 25),),
          "triglycerides": [(22, "1")]}, {"triglycerides": [(13, "1")]}),
    Case("lorlatinib-monitor-lipids-europe",
         {**RECENT, **ENZYMES, "lines": EARLY, "triglycerides": [(31, "1")]},
         {"triglycerides": [(30, "1")]}),
    Case("lorlatinib-monitor-lipids-europe",
         {**RECENT, **ENZYMES, "total_cholesterol": [(92, "1")]},
         {"total_cholesterol": [(91, "1")]}),
    Case("lorlatinib-monitor-ecg-europe", {**RECENT, **ENZYMES, "electrocardiogram": 31},
         {"electrocardiogram": 30}),
    Case("lorlatinib-monitor-pancreas-europe", {**RECENT, **ENZYMES, "lipase": [(92, "1")]},
         {"lipase": [(91, "1")]}),
    Case("lorlatinib-liver-impaired-europe", {**STARTING, "Child-Pugh_class": "B"},
         {"Child-Pugh_class": "A"}),
    Case("lorlatinib-liver-impaired-europe", {**STARTING, "total_bilirubin": "1.51"},
         {"total_bilirubin": "1.5"}),
    *(
        Case(f"lorlatinib-contraception-female-{place}", {**STARTING, **WOMAN}, {"age": "56"})
        for place in ("europe", "japan")
    ),
    *(
        Case(f"lorlatinib-contraception-male-{place}", STARTING, {"sex": "female"})
        for place in ("europe", "japan")
    ),
)  # fmt: skip
