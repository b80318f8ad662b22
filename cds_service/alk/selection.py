"""Choosing treatment: the first-line set and adjuvant treatment. A set, never one drug."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from cds_service.alk.decision import Dose, Kind, Modifier, Option, Question, Recommendation, Topic
from cds_service.alk.doses import adjusted, lead_in_under
from cds_service.alk.undecided import hangs_on_missing_data
from cds_service.facts.drug_asked_about import AboutDrug
from cds_service.facts.patient import DoseTaken
from cds_service.knowledge.dose_cells import read_dose_cell
from cds_service.knowledge.jurisdiction_cells import stands_in
from cds_service.knowledge.jurisdictions import UNAPPROVED, approval, approval_words
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.schemas import PLACES
from cds_service.knowledge.table_files import Row
from cds_service.rules import Evaluation, Trace, Verdict

_EFFECT_RANK = {"favours": 0, "": 1, "cautions": 2, "other dose": 3, "avoid": 4}
_ACTIONS = {"start": Kind.START, "ask": Kind.ASK, "inform": Kind.INFORM}


def first_line(
    question: Question, knowledge: Knowledge, evaluation: Evaluation, offering: Evaluation
) -> Recommendation | None:
    """The options for a first ALK inhibitor, ordered by the patient's own modifiers.

    Each is looked at under `offering`, with the drafts that would run beside it.
    None when the patient is not in that situation. When only missing data keep it open, a
    question that names them.
    """
    options: list[Option] = []
    waiting: tuple[Row, object] | None = None
    for row in knowledge.tables["first_line"]:
        if not stands_in(row, question.jurisdiction):
            continue
        trace = row.when.evaluate(evaluation)
        if trace.verdict is Verdict.MET:
            dose, changed = start_dose(row.text("drug"), knowledge, offering)
            options.append(
                Option(
                    row.text("drug"),
                    row.text("place"),
                    row.text("says"),
                    (*modifiers(row.text("drug"), knowledge, offering), *changed),
                    row.entries("evidence"),
                    row.identifier,
                    row.sources,
                    row.verified,
                    trace,
                    dose,
                    may_order=row.may_order,
                    approval=approval(
                        knowledge.drugs[row.text("drug")].drug, "advanced", question.jurisdiction
                    ),
                )
            )
        elif waiting is None and hangs_on_missing_data(trace):
            waiting = row, trace
            asked = Recommendation(
                Kind.ASK,
                Topic.CHOICE,
                row.identifier,
                "info",
                trace=trace,
                row=row,
                reasons=trace.reasons,
                verified=row.verified,
            )
    if options:
        options.sort(key=rank)
        preferred = [
            option
            for option in options
            if option.place == PLACES[0] and option.approval not in UNAPPROVED
        ]
        blocked = bool(preferred) and all(option.speaks_against for option in preferred)
        return Recommendation(
            Kind.CHOOSE,
            Topic.CHOICE,
            options[0].rule_id,
            "warning" if blocked else "info",
            trace=options[0].trace,
            row=next(
                row
                for row in knowledge.tables["first_line"]
                if row.identifier == options[0].rule_id
            ),
            options=tuple(options),
            verified=True,
        )
    return asked if waiting is not None else None


def rank(option: Option) -> tuple[int, bool, int, int]:
    """Place first, what is not approved last in it, then the worst effect on this patient or what
    favours it, then how much speaks against it."""
    effects = {modifier.effect for modifier in option.modifiers}
    worst = max((_EFFECT_RANK[effect] for effect in effects if effect != "favours"), default=1)
    favoured = 0 if "favours" in effects and worst == 1 else worst
    against = sum(modifier.effect == "avoid" for modifier in option.modifiers)
    return PLACES.index(option.place), option.approval in UNAPPROVED, favoured, against


def modifiers(drug: str, knowledge: Knowledge, evaluation: Evaluation) -> tuple[Modifier, ...]:
    """What about this patient moves the drug among the options, in the table's words."""
    found: list[Modifier] = []
    about = Evaluation(
        AboutDrug(evaluation.facts, drug), evaluation.as_of, thorough=evaluation.thorough
    )
    for row, trace in knowledge.tables["choice_modifiers"].of("drug", drug, "any").standing(about):
        if trace.verdict is Verdict.MET:
            says = row.text("says") + ("" if row.verified else " (not verified)")
            found.append(Modifier(row.text("effect"), says, row.identifier, row.sources, trace))
    return tuple(found)


def start_dose(
    drug: str, knowledge: Knowledge, evaluation: Evaluation
) -> tuple[Dose | None, tuple[Modifier, ...]]:
    """The label's start dose of a drug for this patient, and the rows that change it.

    None when it must be looked up: a modifier says that the label has a start dose that is not
    known here, the row may not order, the label raises the dose, two reasons lower it, because
    no label says how two reductions combine, or nothing says what becomes of the lower dose of the
    first days.
    """
    tables = knowledge.drugs[drug]
    full = tables.drug.dosing.full_dose
    lead = tables.drug.dosing.lead_in
    first = lead.amount_mg if lead is not None else None
    usual = Dose(drug, Decimal(full.amount_mg), full.per_day, lead_in_mg=first)
    at_full = DoseTaken(usual.amount_mg, Decimal(usual.per_day))
    doses: list[Dose | None] = []
    changed: list[Modifier] = []
    for table in (tables.interactions, tables.populations):
        if table is tables.populations:
            # Medications that lead to the very same dose agree; organs never do.
            doses = list(dict.fromkeys(doses))
        dosed = table.part(("with a dose",), _names_dose) if table is not None else None
        for row, trace in dosed.standing(evaluation) if dosed is not None else ():
            cell = read_dose_cell(row.text("dose"))
            if cell is None or trace.verdict is not Verdict.MET:
                continue
            change = adjusted(tables.drug, cell, at_full)
            if change.how == "fits":
                continue
            first = lead_in_under(tables.drug, cell)
            whole_start = lead is None or first is not None
            known = change.how == "lower" and row.may_order and whole_start
            doses.append(replace(change.dose, lead_in_mg=first) if known and change.dose else None)
            changed.append(_dose_modifier(row, trace, known=known))
    moved = modifiers(drug, knowledge, evaluation)
    if any(modifier.effect == "other dose" for modifier in moved) or len(doses) > 1:
        return None, tuple(changed)
    return (doses[0] if doses else usual), tuple(changed)


def _names_dose(row: Row) -> bool:
    return read_dose_cell(row.text("dose")) is not None


def _dose_modifier(row: Row, trace: Trace, *, known: bool) -> Modifier:
    says = row.text("says").rstrip(".") + ("" if row.verified else " (not verified)")
    effect = "cautions" if known else "other dose"
    return Modifier(effect, says, row.identifier, row.sources, trace)


def speaks_against(drug: str, knowledge: Knowledge, evaluation: Evaluation) -> tuple[str, ...]:
    """What about this patient argues for leaving the drug out, in the table's words."""
    moved = modifiers(drug, knowledge, evaluation)
    return tuple(modifier.says for modifier in moved if modifier.effect == "avoid")


def adjuvant(
    question: Question, knowledge: Knowledge, evaluation: Evaluation, offering: Evaluation
) -> list[Recommendation]:
    """What the adjuvant table says after a resection, its drug looked at under `offering`."""
    found: list[Recommendation] = []
    for row, trace in knowledge.tables["adjuvant"].standing(evaluation):
        if trace.verdict is not Verdict.MET:
            continue
        drug = row.text("drug") or None
        says = [row.text("detail")]
        kind, summary, severity = (
            _ACTIONS[row.text("action")],
            row.text("summary"),
            row.text("severity"),
        )
        dose: Dose | None = None
        if drug is not None:
            start, lowered = start_dose(drug, knowledge, offering)
            months = row.text("months")
            dose = replace(start, months=int(months) if months else None) if start else None
            says += [modifier.says for modifier in lowered]
            moved = modifiers(drug, knowledge, offering)
            says += [modifier.says for modifier in moved if modifier.effect != "favours"]
            if any(modifier.effect == "avoid" for modifier in moved):
                # What would be refused at the signature is not offered here.
                kind, summary, severity, dose = Kind.ASK, "", "warning", None
            known = approval(knowledge.drugs[drug].drug, "adjuvant", question.jurisdiction)
            if known != "approved" or not knowledge.drugs[drug].drug.dosing.verified:
                words = approval_words(known, question.jurisdiction) or "its dose is not verified"
                says.append(f"{drug.capitalize()}: {words}. Look up the label that applies.")
                dose = None
        found.append(
            Recommendation(
                kind,
                Topic.ADJUVANT,
                row.identifier,
                severity,
                trace=trace,
                row=row,
                drug=drug,
                summary=summary,
                detail="\n\n".join(says),
                dose=dose,
                evidence=row.entries("evidence"),
                verified=row.verified,
            )
        )
    return found
