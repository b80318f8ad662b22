"""Several orders of one ALK inhibitor that run at once: parts of one dose, or doses at odds.

An order that follows another at the same dose renews it, and nobody is asked about that. At odds
are orders of which nothing says which one is taken: for different doses, one that runs beside a
later one on hold, or two of one day that make a label dose alone and together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from cds_service.facts.context import Context
from cds_service.facts.patient import AT_ODDS, DoseTaken, TreatmentLine, TreatmentOrder
from cds_service.knowledge.dose_cells import read_dose_cell
from cds_service.knowledge.release import DrugTables
from cds_service.rules import Collection, FactValue, Item

Step = tuple[Decimal, Decimal]
"""Milligrams each time, times a day."""

_TIMES = {1: "once daily", 2: "twice daily", 3: "three times daily", 4: "four times daily"}


def label_steps(tables: DrugTables | None) -> frozenset[Step]:
    """Every dose that the tables of a drug know, those beside another medicine included."""
    if tables is None:
        return frozenset()
    drug = tables.drug
    known = [*drug.ladder.levels, *drug.ladder.lead_in_levels, drug.dosing.full_dose]
    known += [drug.dosing.lead_in] if drug.dosing.lead_in is not None else []
    for row in (*(tables.interactions or ()), *(tables.populations or ())):
        cell = read_dose_cell(row.cells.get("dose", ""))
        if cell is not None:
            known += [cell.dose] if cell.dose is not None else []
            known += [after for _, after in cell.replaced]
    return frozenset((dose.amount_mg, Decimal(dose.per_day)) for dose in known)


def line_of(context: Context, ingredient: str, orders: Iterable[TreatmentOrder]) -> TreatmentLine:
    """The orders of one drug, oldest first, with the dose that those in force make up together."""
    sorted_orders = tuple(sorted(orders, key=lambda order: order.start or date.min))
    if len(sorted_orders) < 2:
        return TreatmentLine(ingredient, sorted_orders)
    together = one_dose(in_force(sorted_orders, context.as_of), _steps(context, ingredient))
    return TreatmentLine(ingredient, sorted_orders, together)


def readers(
    context: Context, lines: Sequence[TreatmentLine], known: Collection
) -> dict[str, Callable[[], FactValue | None]]:
    """The fact of this module; it is as whole as the list of `known` running drugs."""
    return {AT_ODDS: lambda: orders_at_odds(context, lines, known)}


def orders_at_odds(
    context: Context, lines: Iterable[TreatmentLine], known: Collection
) -> Collection:
    """Every order of which nothing says which one of its drug is taken."""
    items = [
        Item(frozenset({line.ingredient}), says, order.start, says, order.source)
        for line in lines
        if len(line.orders) > 1
        for order in at_odds(line.orders, _steps(context, line.ingredient), context.as_of)
        for says in (in_words(order),)
    ]
    return Collection(tuple(items), known.complete, known.incomplete)


def _steps(context: Context, ingredient: str) -> frozenset[Step]:
    return label_steps(context.book.knowledge.drugs.get(ingredient))


def in_force(orders: Iterable[TreatmentOrder], as_of: date) -> tuple[TreatmentOrder, ...]:
    """The orders that run: of a statement nobody says that it was ordered, and an order whose own
    last day is over runs in name only."""
    return tuple(
        order
        for order in orders
        if order.status == "active"
        and order.source.startswith("MedicationRequest/")
        and (order.end is None or order.end >= as_of)
    )


def one_dose(running: Sequence[TreatmentOrder], steps: frozenset[Step]) -> DoseTaken | None:
    """The label dose that running orders make up together, as morning and evening or tablets of
    two strengths do; None where each is a label dose by itself, or their sum is none."""
    parts = [_step(order.dose) for order in running]
    if len(parts) < 2 or all(part in steps for part in parts):
        return None
    whole = _sum(parts, steps)
    if whole is None:
        return None
    return DoseTaken(*whole, f"{_words(whole)} ({' and '.join(map(in_words, running))})")


def at_odds(
    orders: Sequence[TreatmentOrder], steps: frozenset[Step], as_of: date
) -> tuple[TreatmentOrder, ...]:
    """The orders of one drug of which nothing says which one is taken; none where one does."""
    running = in_force(orders, as_of)
    held = tuple(order for order in orders if order.status == "paused" and _later(order, running))
    if held:
        return (*running, *held)
    if len(running) < 2 or one_dose(running, steps) is not None:
        return ()
    parts = [_step(order.dose) for order in running]
    said = {part or order.dose.daily_mg for part, order in zip(parts, running, strict=True)}
    if len(said - {None}) > 1:
        return running
    days = {order.start for order in running}
    of_one_day = len(days) == 1 and None not in days and None not in said
    return running if of_one_day and _sum(parts, steps) is not None else ()


def in_words(order: TreatmentOrder) -> str:
    """The dose of one running order as people say it, and whether it is on hold."""
    step = _step(order.dose)
    if step is not None:
        says = _words(step)
    elif order.dose.daily_mg is not None:
        says = f"{order.dose.daily_mg.normalize():f} mg a day"
    else:
        says = "a dose that could not be read"
    return f"{says} (on hold)" if order.status == "paused" else says


def _words(step: Step) -> str:
    amount, per_day = step
    often = _TIMES.get(int(per_day)) if per_day == int(per_day) else None
    return f"{amount.normalize():f} mg {often or f'{per_day.normalize():f} times a day'}"


def _step(dose: DoseTaken) -> Step | None:
    if dose.amount_mg is None or dose.per_day is None:
        return None
    return dose.amount_mg, dose.per_day


def _sum(parts: Sequence[Step | None], steps: frozenset[Step]) -> Step | None:
    """The one label dose that the parts add up to, by amount or by times a day."""
    return next((whole for whole in _sums(parts) if whole in steps), None)


def _sums(parts: Sequence[Step | None]) -> Iterator[Step]:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return
    amounts, times = zip(*known, strict=True)
    if len(set(times)) == 1:
        yield sum(amounts, Decimal(0)), times[0]
    if len(set(amounts)) == 1:
        yield amounts[0], sum(times, Decimal(0))


def _later(held: TreatmentOrder, running: Sequence[TreatmentOrder]) -> bool:
    """Whether an order on hold is no older than one that runs: the hold may be of today."""
    begun = [order.start for order in running if order.start is not None]
    return held.start is not None and bool(begun) and held.start >= max(begun)
