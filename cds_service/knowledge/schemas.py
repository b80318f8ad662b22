"""The columns of every rule table: the contract between the tables and the algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cds_service.knowledge.dose_cells import check_dose_cell
from cds_service.knowledge.jurisdiction_cells import check_jurisdiction
from cds_service.knowledge.schedules import check_phase
from cds_service.knowledge.table_files import Check, Column

ACTIONS = ("stop", "withhold", "reduce", "ask", "continue")
"""Actions of a dose-change row; the order is the precedence when several rows fire."""

RESUME = frozenset({"same", "next lower", "next lower or stop", "same or next lower"})
"""How a drug is taken up again; a fixed label dose such as `250 x 1` may stand there instead."""

SEVERITIES = frozenset({"critical", "warning", "info"})
PLACES = ("preferred", "only if no preferred drug is available")
EFFECTS = ("favours", "cautions", "other dose", "avoid")
RESPONSES = {
    "sensitive": "favours",
    "intermediate": "cautions",
    "no data": "cautions",
    "resistant": "avoid",
}
"""What a finding in the tumour says about a drug, and how it moves that drug as an option."""

AGAIN = " again"
"""Behind a drug in a `drugs` cell: an option even though the disease progressed on it before."""

ALK_STATUSES = frozenset(
    {"confirmed", "negative", "equivocal", "discordant", "pending", "failed",
     "inconclusive", "point mutation only", "amplification only"}
)  # fmt: skip
"""What the ALK tests of a patient can say together: the values of the fact `ALK`."""

ALK_EVIDENCE = frozenset(
    {"D5F3 immunohistochemistry", "other immunohistochemistry", "FISH", "DNA sequencing",
     "RNA sequencing", "plasma sequencing", "RT-PCR", "unnamed method", "test on order",
     "ALK breakpoint without a partner", "ALK point mutation", "ALK amplification"}
)  # fmt: skip
"""What a single piece of ALK evidence is called; `leads` names the one that a row goes by."""

ALK_CONFLICTS = frozenset({"open", "settled"})
"""Whether tests that stand against each other still wait for a third, or were decided by one."""

ALK_ANSWERS = frozenset({"positive", "borderline positive", "equivocal", "negative"})

OFFERS = frozenset({"remove order", "first line", "end running orders"})
"""What a row about an order offers by one click."""

SUMMARY_LENGTH = 139
"""CDS Hooks wants fewer than 140 characters in a card's summary."""


def _known(names: frozenset[str], what: str) -> Check:
    return lambda entry: None if entry in names else f"the name of {what}"


def _option(drugs: frozenset[str]) -> Check:
    known = _known(drugs, "a drug with a folder of its own, maybe followed by 'again'")
    return lambda entry: known(entry.removesuffix(AGAIN))


def _whole_number(entry: str) -> str | None:
    return None if entry.isdigit() and int(entry) > 0 else "a whole number above 0"


def _short(entry: str) -> str | None:
    return None if len(entry) <= SUMMARY_LENGTH else f"at most {SUMMARY_LENGTH} characters"


def _resume(entry: str) -> str | None:
    if entry in RESUME or (check_dose_cell(entry) is None and "->" not in entry):
        return None
    return f"one of {', '.join(sorted(RESUME))}, or a dose such as '250 x 1'"


def _asks_for_findings(entry: str) -> str | None:
    # The table is skipped for patients without findings, so no row may speak about their absence.
    plain = entry.startswith("ALK mutation findings include") and " and " not in entry
    return None if plain else "ALK mutation findings include ..., and nothing else"


def _text(name: str, required: bool = True, check: Check | None = None) -> Column:
    return Column(name, required=required, check=check)


def _rule(name: str, required: bool = True) -> Column:
    return Column(name, required=required, rule=True)


def _choice(name: str, choices: frozenset[str], required: bool = True) -> Column:
    return Column(name, required=required, choices=choices)


def _list(name: str, check: Check | None = None, required: bool = False) -> Column:
    return Column(name, required=required, many=True, check=check)


_IDENTITY: tuple[Column, ...] = (_text("id"), _list("rule", required=True))
_JURISDICTION = _list("jurisdiction", check_jurisdiction)
"""In whose label a row stands; empty where it stands everywhere, as far as is known."""

_PLACE: tuple[Column, ...] = (_JURISDICTION, _list("instead_of"))
"""And which rows that stand everywhere it takes the place of there."""


def drug_columns(tests: frozenset[str]) -> Mapping[str, tuple[Column, ...]]:
    """Columns of the tables in a drug's folder by table name; `tests` are the known tests."""
    test: Callable[[str], str | None] = _known(tests, "a test in tests.yaml")
    return {
        "dose_changes": (
            *_IDENTITY,
            *_PLACE,
            _text("reaction"),
            _rule("when"),
            _choice("action", frozenset(ACTIONS)),
            _rule("until", required=False),
            _text("resume", required=False, check=_resume),
            _list("tests", test),
            _text("recheck_days", required=False, check=_whole_number),
            _text("ask", required=False),
            _text("says"),
        ),
        "monitoring": (
            *_IDENTITY,
            *_PLACE,
            _text("test", check=test),
            _text("baseline_days", required=False, check=_whole_number),
            _text("first_phase", required=False, check=check_phase),
            _text("later_phase", required=False, check=check_phase),
            _rule("when", required=False),
            _text("says"),
        ),
        "interactions": (
            *_IDENTITY,
            *_PLACE,
            _text("group"),
            _rule("when"),
            _choice("severity", SEVERITIES),
            _choice("action", frozenset({"none", "monitor", "dose", "avoid", "contraindicated"})),
            _text("dose", required=False, check=check_dose_cell),
            _list("brings"),
            _text("says"),
        ),
        "populations": (
            *_IDENTITY,
            *_PLACE,
            _rule("when"),
            _choice("severity", SEVERITIES),
            _text("dose", required=False, check=check_dose_cell),
            _text("ask", required=False),
            _text("says"),
        ),
    }


def algorithm_columns(
    tests: frozenset[str], drugs: frozenset[str], evidence: frozenset[str]
) -> Mapping[str, tuple[Column, ...]]:
    """Columns of the tables in the `algorithm` folder by table name."""
    test = _known(tests, "a test in tests.yaml")
    drug = _known(drugs, "a drug with a folder of its own")
    study = _known(evidence, "a result in evidence.yaml")
    card = (_text("summary", check=_short), _text("detail"))
    next_treatment = (
        _rule("when"),
        _choice("action", frozenset({"choose", "avoid", "ask", "inform"})),
        _choice("severity", SEVERITIES),
        _list("drugs", _option(drugs)),
        _list("others"),
        _list("tests", test),
        _list("evidence", study),
        *card,
    )
    return {
        "alk_answers": (
            *_IDENTITY,
            _rule("when"),
            _choice("answer", ALK_ANSWERS),
            _text("says"),
        ),
        "alk_evidence": (
            *_IDENTITY,
            _rule("when"),
            _choice("status", ALK_STATUSES),
            _choice("leads", ALK_EVIDENCE, required=False),
            _choice("conflict", ALK_CONFLICTS, required=False),
            _text("says"),
        ),
        "gates": (
            *_IDENTITY,
            _rule("when"),
            _choice("stops", frozenset({"selection", "nothing"})),
            _choice("severity", SEVERITIES),
            _choice("action", frozenset({"stop", "ask", "inform"})),
            _list("tests", test),
            *card,
        ),
        "order_checks": (
            *_IDENTITY,
            _rule("when"),
            _choice("severity", SEVERITIES),
            _choice("action", frozenset({"stop", "avoid", "reduce", "ask", "inform"})),
            _choice("undecided", frozenset({"ask", "silent"})),
            Column("offers", required=False, many=True, choices=OFFERS),
            _list("tests", test),
            *card,
        ),
        "orders_in_force": (
            *_IDENTITY,
            _rule("when"),
            _choice("severity", frozenset({"warning", "info"})),
            _choice("action", frozenset({"avoid", "ask", "inform"})),
            *card,
        ),
        "course": (
            *_IDENTITY,
            _rule("when"),
            _choice("severity", frozenset({"warning", "info"})),
            _choice("action", frozenset({"ask", "inform"})),
            *card,
        ),
        "first_line": (
            *_IDENTITY,
            _text("drug", check=drug),
            _rule("when"),
            _choice("place", frozenset(PLACES)),
            _JURISDICTION,
            _list("evidence", study, required=True),
            _text("says"),
        ),
        "choice_modifiers": (
            *_IDENTITY,
            _text("drug", check=_known(drugs | {"any"}, "a drug or 'any'")),
            _rule("when"),
            _choice("effect", frozenset(EFFECTS)),
            _text("says"),
        ),
        "resistance": (
            *_IDENTITY,
            _text("finding"),
            _text("drug", check=drug),
            _choice("response", frozenset(RESPONSES)),
            Column("when", rule=True, check=_asks_for_findings),
            _text("says"),
        ),
        "progression": (*_IDENTITY, *next_treatment),
        "later_lines": (*_IDENTITY, *next_treatment),
        "baseline": (
            *_IDENTITY,
            _text("test", check=test),
            _rule("when"),
            _text("within_days", check=_whole_number),
            _text("says"),
        ),
        "adjuvant": (
            *_IDENTITY,
            _rule("when"),
            _choice("action", frozenset({"start", "ask", "inform"})),
            _text("drug", required=False, check=drug),
            _text("months", required=False, check=_whole_number),
            _choice("severity", SEVERITIES),
            _list("evidence", study),
            *card,
        ),
    }
