"""The liver cases of every drug whose label has the usual two rows: hold above 5, stop above 3
with a raised bilirubin. The rows stand in each drug's own table, so each table has all cases."""

from __future__ import annotations

from collections.abc import Callable

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, TELL, Reaction

BILIRUBIN = "total bilirubin"


def liver_cases(case: Callable[..., Reaction]) -> tuple[Reaction, ...]:
    """Around 3 and 5 times the limit, bilirubin around 2, and where something is missing."""
    return (
        case("nothing raised", {}),
        case("ALT just below 3", {"ALT": "2.99", BILIRUBIN: "2.5"}),
        case("ALT at 3", {"ALT": "3", BILIRUBIN: "2.5"}),
        case("AST at 3", {"AST": "3", BILIRUBIN: "2.5"}),
        case("ALT above 3", {"ALT": "3.01", BILIRUBIN: "1.99"}, liver_watch=TELL),
        case("ALT above 3, bilirubin at 2", {"ALT": "3.01", BILIRUBIN: "2"}, liver_watch=TELL),
        case("ALT above 3, bilirubin above 2", {"ALT": "3.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
        case("AST above 3, bilirubin above 2", {"AST": "3.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
        case("ALT just below 5", {"ALT": "4.99"}, liver_watch=TELL),
        case("ALT at 5", {"ALT": "5"}, liver_watch=TELL),
        case("ALT above 5", {"ALT": "5.01"}, liver_hold=HOLD),
        case("AST above 5", {"AST": "5.01"}, liver_hold=HOLD),
        case("ALT above 5, bilirubin at 2", {"ALT": "5.01", BILIRUBIN: "2"}, liver_hold=HOLD),
        case("ALT above 5, bilirubin above 2", {"ALT": "5.01", BILIRUBIN: "2.01"}, liver_stop=STOP),
        case("bilirubin alone", {BILIRUBIN: "3.5"}),
        *by_laboratory(case, "2.01"),
        case(
            "cholestasis not known",
            {"ALT": "4", BILIRUBIN: "2.5", "cholestasis": None},
            liver_stop_undecided=HOLD,
        ),
        case(
            "haemolysis not known, bilirubin at 2",
            {"ALT": "4", BILIRUBIN: "2", "haemolysis": None},
            liver_watch=TELL,
        ),
        case(
            "cholestasis present",
            {"ALT": "3.01", BILIRUBIN: "2.01", "cholestasis": "present"},
            liver_other_cause=HOLD,
        ),
        case(
            "haemolysis present",
            {"ALT": "6", BILIRUBIN: "2.5", "haemolysis": "present"},
            liver_other_cause=HOLD,
        ),
        case(
            "cholestasis present, bilirubin at 2",
            {"ALT": "3.01", BILIRUBIN: "2", "cholestasis": "present"},
            liver_watch=TELL,
        ),
        case("bilirubin missing, ALT at 3", {"ALT": "3", BILIRUBIN: None}),
        case(
            "bilirubin missing, ALT above 3",
            {"ALT": "3.01", BILIRUBIN: None},
            liver_bilirubin_needed=ASK,
        ),
        case(
            "bilirubin missing, ALT at 5",
            {"ALT": "5", BILIRUBIN: None},
            liver_bilirubin_needed=ASK,
        ),
        case(
            "bilirubin missing, ALT above 5",
            {"ALT": "5.01", BILIRUBIN: None},
            liver_hold_bilirubin_unknown=HOLD,
        ),
        case("ALT without range", {"ALT": "9 no range"}, ungraded_results=ASK),
        case(
            "ALT and AST missing, bilirubin above 2",
            {"ALT": None, "AST": None, BILIRUBIN: "2.01"},
            liver_stop=ASK,
        ),
    )


def by_laboratory(case: Callable[..., Reaction], bilirubin: str) -> tuple[Reaction, ...]:
    """Where no diagnosis speaks of cholestasis or haemolysis, the laboratory may exclude both.

    `bilirubin` lies just above the limit of the drug's stopping row.
    """
    raised = {"ALT": "4", BILIRUBIN: bilirubin}
    no_cholestasis, no_haemolysis = {"cholestasis": None}, {"haemolysis": None}
    in_laboratory = "haemolysis in the laboratory"
    return (
        case("ALP at 2, cholestasis not known", {**raised, **no_cholestasis, "ALP": "2"},
             liver_stop_by_laboratory=STOP),
        case("ALP above 2, cholestasis not known", {**raised, **no_cholestasis, "ALP": "2.01"},
             liver_stop_undecided=HOLD),
        case("no haemolysis in the laboratory",
             {**raised, **no_haemolysis, in_laboratory: "absent"}, liver_stop_by_laboratory=STOP),
        case("both excluded by the laboratory",
             {"AST": "4", BILIRUBIN: bilirubin, **no_cholestasis, **no_haemolysis, "ALP": "1",
              in_laboratory: "absent"}, liver_stop_by_laboratory=STOP),
        case("ALP at 2, but cholestasis recorded",
             {**raised, "cholestasis": "present", "ALP": "2"}, liver_other_cause=HOLD),
    )  # fmt: skip
