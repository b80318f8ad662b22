"""What other medications and the patient's organs do to the dose of one drug."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cds_service.alk.decision import Kind, Recommendation, Topic
from cds_service.alk.doses import adjusted, lead_in_under
from cds_service.alk.not_checked import asked_members
from cds_service.alk.undecided import unusable_results
from cds_service.facts.patient import DoseTaken, OrderedMedication
from cds_service.knowledge.dose_cells import read_dose_cell
from cds_service.knowledge.drugs import Dose as LabelDose
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.knowledge.table_files import Row
from cds_service.rules import (
    Evaluation,
    Evidence,
    Finding,
    Item,
    Measurement,
    ReasonKind,
    Statement,
    Trace,
    Verdict,
)

_FORMS = frozenset({ReasonKind.UNKNOWN_UNIT, ReasonKind.NOT_READ, ReasonKind.CONTRADICTORY})
"""Why a result that came cannot be used although nothing is wrong with the value itself."""


@dataclass(frozen=True, slots=True)
class DoseInView:
    """The dose of one drug that is looked at.

    `taken` is that of the draft order of the drug or else of the running treatment. `starting` says
    that this is the first order: a lead-in then belongs to the dose.
    """

    drug: str
    order: OrderedMedication | None
    taken: DoseTaken | None
    starting: bool = False


def interactions(
    dose: DoseInView,
    knowledge: Knowledge,
    evaluation: Evaluation,
    unsure: Mapping[str, frozenset[str]],
) -> list[Recommendation]:
    """Rows of the drug's interaction table that fire for the patient's medications.

    `unsure` holds by source of a medicine which of its names were not read in a source.
    """
    tables = knowledge.drugs[dose.drug]
    found: list[Recommendation] = []
    table = tables.interactions
    for row, trace in table.standing(evaluation) if table is not None else ():
        if trace.verdict is not Verdict.MET:
            continue
        action = row.text("action")
        kind = {"contraindicated": Kind.STOP, "avoid": Kind.AVOID}.get(action, Kind.INFORM)
        item = Recommendation(
            kind,
            Topic.INTERACTION,
            row.identifier,
            row.text("severity"),
            trace=trace,
            row=row,
            drug=dose.drug,
            detail=row.text("says"),
            order=dose.order,
            verified=row.verified,
        )
        if _only_unsure(row, trace, unsure):
            found.append(_doubtful(item))
            continue
        # The label avoids the combination at a dose that is lowered already, too.
        found.append(_with_dose(item, row, tables.drug, dose) or item)
    return found


def _only_unsure(row: Row, trace: Trace, unsure: Mapping[str, frozenset[str]]) -> bool:
    """Whether all that a row found rests on a name, class or half-life that was not read."""
    members = asked_members(row.when.expression)
    used = [item for item in trace.evidence if isinstance(item, Item) and members & item.names]
    return bool(used) and all(
        "*" in (doubts := unsure.get(item.source, frozenset())) or members & item.names <= doubts
        for item in used
    )


def _doubtful(item: Recommendation) -> Recommendation:
    """What rests on something that was not read in a source: it asks, and stops nothing."""
    if item.kind is not Kind.STOP:
        return item.changed(verified=False)
    return item.changed(
        kind=Kind.ASK,
        severity="warning",
        verified=False,
        ask="Is this medicine taken, or will it be? Is it what its name suggests, is it in this"
        " class, and since when is it stopped? If it acts beside the drug, the combination is"
        " contraindicated.",
    )


def populations(
    dose: DoseInView, knowledge: Knowledge, evaluation: Evaluation
) -> list[Recommendation]:
    """Rows of the drug's population table: a lower dose for this patient, or what to tell them.

    A row with a dose speaks only when the dose looked at is higher, or is not known.
    """
    tables = knowledge.drugs[dose.drug]
    found: list[Recommendation] = []
    open_rows: list[tuple[Row, Trace]] = []
    table = tables.populations
    for row, trace in table.standing(evaluation) if table is not None else ():
        if trace.verdict is not Verdict.MET:
            if row.text("severity") != "info":
                open_rows.append((row, trace))
            continue
        item = Recommendation(
            Kind.INFORM,
            Topic.POPULATION,
            row.identifier,
            row.text("severity"),
            trace=trace,
            row=row,
            drug=dose.drug,
            detail=row.text("says"),
            ask=row.text("ask"),
            order=dose.order,
            verified=row.verified,
        )
        changed = _with_dose(item, row, tables.drug, dose)
        if changed is not None:
            found.append(changed)
    return found + _unread_organs(dose, open_rows)


def _unread_organs(
    dose: DoseInView, open_rows: Sequence[tuple[Row, Trace]]
) -> list[Recommendation]:
    """One question for results of organs that came, and on which nothing but their form hangs.

    A limit that the laboratory did not send is no such form: it is asked for where it matters. Of
    a unit that is not sent month after month, as with "> 60", the first order asks.
    """
    forms = _FORMS if dose.starting else _FORMS - {ReasonKind.UNKNOWN_UNIT}
    reasons = {
        reason: None
        for _, trace in open_rows
        for reason in unusable_results(trace)
        if reason.kind in forms
    }
    if not reasons:
        return []
    row, trace = next(
        pair for pair in open_rows if any(reason in reasons for reason in pair[1].reasons)
    )
    fact = next(iter(reasons)).subject
    return [
        Recommendation(
            Kind.ASK,
            Topic.POPULATION,
            f"{dose.drug}-unread-organ-results",
            "warning",
            trace=trace,
            row=row,
            drug=dose.drug,
            summary=f"Check the dose of {dose.drug}: {fact} came and was not used",
            detail="These results are there but cannot be used, so no dose that the label makes"
            " depend on them was judged.",
            reasons=tuple(reasons),
            order=dose.order,
            verified=row.verified,
        )
    ]


def told_later(
    advice: Iterable[Recommendation], start: date | None, reactions: Collection[str] = ()
) -> list[Recommendation]:
    """What is said with a refill, too.

    What to tell a patient is told before the first dose. A warning that rests on what only came
    since then, such as dialysis, breastfeeding or a failing kidney, was not told. Facts of which
    the rows for `reactions` speak are answered there.
    """
    return [
        item
        for item in advice
        if item.kind is not Kind.INFORM or _came_since(item, start, reactions)
    ]


def _came_since(item: Recommendation, start: date | None, reactions: Collection[str]) -> bool:
    if item.severity == "info" or item.trace is None or start is None:
        return False
    return any(
        day > start
        for leaf in item.trace.deciding()
        for used in leaf.used
        if (day := _began(used, answered=leaf.subject in reactions)) is not None
    )


def _began(used: Evidence, *, answered: bool) -> date | None:
    """The day on which something recorded began to be so; of a number that is not `answered`."""
    if isinstance(used, Finding):
        return used.began
    if isinstance(used, Statement):
        return used.day
    lasting = isinstance(used, Measurement) and not answered and used.source != "Patient"
    return used.day if lasting else None


def _with_dose(
    item: Recommendation, row: Row, drug: Drug, looked_at: DoseInView
) -> Recommendation | None:
    """The recommendation with what its `dose` cell asks of the dose that is looked at.

    None when that dose already is what the label gives.
    """
    cell = read_dose_cell(row.text("dose"))
    if cell is None:
        return item
    change = adjusted(drug, cell, looked_at.taken)
    if change.how == "fits":
        return None
    if change.how == "lower":
        dose, lead_in = change.dose, drug.dosing.lead_in if looked_at.starting else None
        if dose is None or lead_in is None:
            return item.changed(kind=Kind.REDUCE, dose=dose)
        first = lead_in_under(drug, cell)
        if first is not None:
            return item.changed(kind=Kind.REDUCE, dose=replace(dose, lead_in_mg=first))
    if change.how == "higher":
        # Above the usual dose only a person orders.
        return item.changed(kind=Kind.AVOID)
    ask = "The label gives no single dose here: which dose is right for this patient?"
    return item.changed(kind=Kind.ASK, ask=_first(ask, item))


def _first(ask: str, item: Recommendation) -> str:
    """A question, and behind it what the row itself asks."""
    return f"{ask} {item.ask}".rstrip()


def not_multiplied(
    from_medications: list[Recommendation], from_organs: list[Recommendation]
) -> tuple[list[Recommendation], list[Recommendation]]:
    """The same advice, but as a question where two reasons ask for a lower dose.

    No label says how two reductions combine, so none of them is offered as the dose to order.
    Only medications that ask for the very same dose agree with each other.
    """
    medications = {item.dose for item in from_medications if item.kind is Kind.REDUCE}
    organs = sum(item.kind is Kind.REDUCE for item in from_organs)
    if len(medications) + organs < 2:
        return from_medications, from_organs
    return (
        [_undecided(item) for item in from_medications],
        [_undecided(item) for item in from_organs],
    )


def _undecided(item: Recommendation) -> Recommendation:
    if item.kind is not Kind.REDUCE:
        return item
    ask = (
        "Two reasons lower the dose here, and no label says how they combine: which dose is right"
        " for this patient?"
    )
    return item.changed(kind=Kind.ASK, dose=None, ask=_first(ask, item))


def highest_dose(tables: DrugTables, evaluation: Evaluation) -> LabelDose | None:
    """The dose above the full dose to which the label raises this patient, if it does.

    Only an interaction row that may order can raise a dose.
    """
    full = tables.drug.dosing.full_dose
    raised: LabelDose | None = None
    for row in tables.interactions or ():
        cell = read_dose_cell(row.text("dose"))
        higher = cell.instead_of(full) if cell is not None and row.may_order else None
        if higher is None or higher.daily_mg <= (raised or full).daily_mg:
            continue
        if row.when.evaluate(evaluation).verdict is Verdict.MET:
            raised = higher
    return raised
