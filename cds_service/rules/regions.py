"""The set of situations in which a rule fires, as a union of boxes.

Every question that some rule asks becomes a dimension with finitely many cells: for a quantity
the intervals and points between all thresholds that the table compares it with, for a state its
values, and for each dimension one more cell, "cannot be said". A box allows some cells in each
dimension. The verdict of a rule is constant inside a cell, so comparing boxes decides exactly
whether two rules can fire together, whether a rule can fire at all, and what no rule covers.

Dimensions are taken as independent of each other. Where they are not (a count of episodes or
results and the latest value of the same quantity), a box may stand for a situation that cannot
occur; the checks then warn once too often. A result that is only known as a bound (``<5``),
or a count that lies between two numbers, is not told apart from one that cannot be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds_service.rules.boxes import (
    EVERYWHERE,
    NOWHERE,
    Box,
    Region,
    box_of,
    union,
    without_contained,
)
from cds_service.rules.dimensions import SINCE, UNSAID, Dimension, numbers_of
from cds_service.rules.finding_regions import possible_answers, without_window_if_absent
from cds_service.rules.spans import Span
from cds_service.rules.syntax import (
    ABOVE_BASELINE,
    X_BASELINE,
    X_UPPER_LIMIT,
    Ago,
    And,
    Compare,
    CountOf,
    Dated,
    Episodes,
    Expression,
    Found,
    FoundEpisodes,
    Happened,
    Includes,
    IsState,
    Known,
    Nonempty,
    Not,
    Or,
    Predicate,
    Results,
    UnknownWhether,
    predicates,
)
from cds_service.rules.verdicts import Verdict
from cds_service.rules.vocabulary import Quantity, State, Vocabulary

_DAYS = {"days": Decimal(1), "weeks": Decimal(7), "months": Decimal("30.44"),
         "years": Decimal("365.25")}  # fmt: skip


class Space:
    """All dimensions that a group of rules asks about, and the regions of those rules."""

    def __init__(self, vocabulary: Vocabulary, expressions: Sequence[Expression]) -> None:
        self._vocabulary = vocabulary
        self.dimensions: dict[str, Dimension] = {}
        self._of_fact: dict[str, set[str]] = {}
        self._counted: set[str] = set()
        thresholds: dict[str, tuple[set[Decimal], str]] = {}
        leaves = [leaf for expression in expressions for leaf in predicates(expression)]
        for leaf in leaves:
            for name, number, unit in self._thresholds(leaf):
                thresholds.setdefault(name, (set(), unit))[0].add(number)
                self._of_fact.setdefault(leaf.fact, set()).add(name)
                if isinstance(leaf, Episodes | Results):
                    self._counted.add(name)
        for name, (numbers, unit) in thresholds.items():
            self.dimensions[name] = numbers_of(name, numbers, unit)
        for leaf in leaves:
            for name, cells in self._choices(leaf):
                self.dimensions.setdefault(name, Dimension(name, (*cells, UNSAID)))
                self._of_fact.setdefault(leaf.fact, set()).add(name)
        self._found: dict[Found, tuple[str, int, int]] = {}
        found = dict.fromkeys(
            without_window_if_absent(leaf) for leaf in leaves if isinstance(leaf, Found)
        )
        for fact in dict.fromkeys(leaf.fact for leaf in found):
            of_fact = [leaf for leaf in found if leaf.fact == fact]
            # What is over is a finding of its own, whatever is there today.
            self._add_findings(fact, [leaf for leaf in of_fact if leaf.aspect != "earlier"])
            earlier = [leaf for leaf in of_fact if leaf.aspect == "earlier"]
            self._add_findings(f"earlier {fact}", earlier)

    def _add_findings(self, name: str, leaves: list[Found]) -> None:
        """One dimension for all conditions on one concept, and where in it each of them holds."""
        if not leaves:
            return
        answers = possible_answers(leaves)
        cells: list[str] = []
        met = [0] * len(leaves)
        failed = [0] * len(leaves)
        for index, answer in enumerate(answers):
            said = [answer.says(at) for at in range(len(leaves))]
            holding = [
                str(leaf)
                for leaf, verdict in zip(leaves, said, strict=True)
                if verdict is _wanted(leaf)
            ]
            cells.append(f"so that {' and '.join(holding) or 'none of the rows on it'} holds")
            for at, verdict in enumerate(said):
                met[at] |= (verdict is _wanted(leaves[at])) << index
                failed[at] |= (verdict is _unwanted(leaves[at])) << index
        self.dimensions[name] = Dimension(name, (*cells[:-1], UNSAID))
        self._of_fact.setdefault(leaves[0].fact, set()).add(name)
        for at, leaf in enumerate(leaves):
            self._found[leaf] = name, met[at], failed[at]

    # -- dimensions -----------------------------------------------------------------------------

    def _canonical(self, leaf: Compare) -> tuple[Decimal, str]:
        amount = leaf.amount
        fact = self._vocabulary.find(leaf.fact)
        if amount.unit in (X_UPPER_LIMIT, X_BASELINE) or not isinstance(fact, Quantity):
            return amount.number, amount.unit
        factor = fact.units.get(amount.unit, Decimal(1))
        above = f" {ABOVE_BASELINE}" if amount.above_baseline else ""
        return amount.number * factor, fact.unit + above

    def _thresholds(self, leaf: Predicate) -> list[tuple[str, Decimal, str]]:
        match leaf:
            case Compare(sustained=None):
                number, unit = self._canonical(leaf)
                return [(self._compare_name(leaf, unit), number, unit)]
            case CountOf():
                return [(f"count of {leaf.fact}", Decimal(leaf.number), "")]
            case Episodes() | Results():
                return [(_counted_name(leaf), Decimal(leaf.number), "")]
            case FoundEpisodes():
                return [(_counted_name(leaf), Decimal(leaf.number), "")]
            case Happened():
                return [(f"{SINCE} {leaf.fact}", _in_days(leaf.window), "days")]
            case Ago():
                return [(f"{SINCE} {leaf.fact}", _in_days(leaf.span), "days")]
        return []

    @staticmethod
    def _compare_name(leaf: Compare, unit: str) -> str:
        which = leaf.selector
        if which != "latest":
            # "any result > 5" asks about the highest, "every result > 5" about the lowest one.
            upwards = leaf.operator.startswith(">")
            if leaf.operator in ("=", "!="):
                return f"{leaf} holds"
            which = "highest" if upwards is (which == "any") else "lowest"
        judged = unit in (X_UPPER_LIMIT, X_BASELINE) or unit.endswith(ABOVE_BASELINE)
        relative = f" in {unit}" if judged else ""
        window = f" in the last {leaf.window}" if leaf.window is not None else ""
        return f"{which} {leaf.fact}{relative}{window}"

    def _choices(self, leaf: Predicate) -> list[tuple[str, tuple[str, ...]]]:
        match leaf:
            case Compare() if leaf.sustained is not None:
                return [(str(leaf), ("holds", "does not hold"))]
            case IsState():
                state = self._vocabulary.find(leaf.fact)
                if not isinstance(state, State):
                    raise TypeError(f"{leaf.fact} is not a state")
                return [(_state_name(leaf), state.values)]
            case Includes():
                return [(f"{leaf.fact} with {member}", ("yes", "no")) for member in leaf.members]
            case Nonempty():
                return [(f"any {leaf.fact}", ("yes", "no"))]
            case Dated():
                return [(str(leaf), ("holds", "does not hold"))]
            case Found(aspect="absent") if leaf.window is not None:
                return [(_denial_name(leaf), ("yes",))]
            case Known():
                return [(f"record of {leaf.fact}", ("known", "unknown"))]
        return []

    # -- regions --------------------------------------------------------------------------------

    def met(self, expression: Expression) -> Region:
        """Where the expression is MET."""
        return self._both(expression)[0]

    def _both(self, expression: Expression) -> tuple[Region, Region]:
        """Where the expression is MET and where it is NOT_MET."""
        match expression:
            case And(parts):
                met, failed = EVERYWHERE, NOWHERE
                for part in parts:
                    part_met, part_failed = self._both(part)
                    met = self.intersect(met, part_met)
                    failed = union(failed, part_failed)
                return met, failed
            case Or(parts):
                met, failed = NOWHERE, EVERYWHERE
                for part in parts:
                    part_met, part_failed = self._both(part)
                    met = union(met, part_met)
                    failed = self.intersect(failed, part_failed)
                return met, failed
            case Not(inner):
                met, failed = self._both(inner)
                return failed, met
            case UnknownWhether(inner):
                met, failed = self._both(inner)
                decided = union(met, failed)
                return self.subtract(EVERYWHERE, decided), decided
        return self._leaf(expression)

    def _leaf(self, leaf: Predicate) -> tuple[Region, Region]:
        match leaf:
            case Compare() if leaf.sustained is None:
                number, unit = self._canonical(leaf)
                return self._split(self._compare_name(leaf, unit), leaf.operator, number)
            case Compare() | Dated():
                return self._chosen(str(leaf), ("holds",), ("does not hold",))
            case CountOf():
                return self._split(f"count of {leaf.fact}", leaf.operator, Decimal(leaf.number))
            case Episodes() | Results() | FoundEpisodes():
                counting = ">=" if isinstance(leaf, Results) else leaf.counting
                return self._split(_counted_name(leaf), counting, Decimal(leaf.number))
            case Happened():
                return self._split(f"{SINCE} {leaf.fact}", "<=", _in_days(leaf.window))
            case Ago():
                operator = ">" if leaf.strict else ">="
                return self._split(f"{SINCE} {leaf.fact}", operator, _in_days(leaf.span))
            case IsState():
                dimension = self.dimensions[_state_name(leaf)]
                wanted = dimension.named(leaf.values)
                other = dimension.all_cells & ~dimension.unsaid & ~wanted
                if leaf.negated:
                    wanted, other = other, wanted
                return box_of(dimension, wanted), box_of(dimension, other)
            case Includes():
                met, failed = (EVERYWHERE, NOWHERE) if leaf.every else (NOWHERE, EVERYWHERE)
                for member in leaf.members:
                    name = f"{leaf.fact} with {member}"
                    inside, outside = self._chosen(name, ("yes",), ("no",))
                    if leaf.every:
                        met, failed = self.intersect(met, inside), union(failed, outside)
                    else:
                        met, failed = union(met, inside), self.intersect(failed, outside)
                return (failed, met) if leaf.negated else (met, failed)
            case Nonempty():
                met, failed = self._chosen(f"any {leaf.fact}", ("yes",), ("no",))
                return (failed, met) if leaf.negated else (met, failed)
            case Found():
                return self._finding(leaf)
            case Known():
                return self._known(leaf)

    def _finding(self, leaf: Found) -> tuple[Region, Region]:
        name, inside, outside = self._found[without_window_if_absent(leaf)]
        dimension = self.dimensions[name]
        met, failed = box_of(dimension, inside), box_of(dimension, outside)
        if leaf.aspect == "absent" and leaf.window is not None:
            # Only a denial of these days will do; an older one leaves the answer open.
            recent = self.dimensions[_denial_name(leaf)]
            met = self.intersect(met, box_of(recent, recent.named(("yes",))))
        return met, failed

    def _known(self, leaf: Known) -> tuple[Region, Region]:
        """Nothing is recorded: then every other question about that fact has no answer either.

        Only a count may have one: of a single unusable result it is certain that it is not two.
        """
        record = self.dimensions[f"record of {leaf.fact}"]
        names = self._of_fact[leaf.fact] - {record.name} - self._counted
        unknown: Region = (
            {
                record.name: record.named(("unknown",)),
                **{name: self.dimensions[name].unsaid for name in names},
            },
        )
        known: Region = ({record.name: record.named(("known",))},)
        return (unknown, known) if leaf.negated else (known, unknown)

    def _split(self, name: str, operator: str, number: Decimal) -> tuple[Region, Region]:
        dimension = self.dimensions[name]
        inside = dimension.where(operator, number)
        outside = dimension.all_cells & ~dimension.unsaid & ~inside
        return box_of(dimension, inside), box_of(dimension, outside)

    def _chosen(
        self, name: str, inside: tuple[str, ...], outside: tuple[str, ...]
    ) -> tuple[Region, Region]:
        dimension = self.dimensions[name]
        return (
            box_of(dimension, dimension.named(inside)),
            box_of(dimension, dimension.named(outside)),
        )

    # -- algebra --------------------------------------------------------------------------------

    def intersect(self, one: Region, other: Region) -> Region:
        """Where both regions are."""
        found = (self._common(left, right) for left in one for right in other)
        return without_contained(tuple(box for box in found if box is not None))

    def _common(self, left: Box, right: Box) -> Box | None:
        common = dict(left)
        for name, mask in right.items():
            both = common.get(name, self.dimensions[name].all_cells) & mask
            if not both:
                return None
            common[name] = both
        return common

    def subtract(self, region: Region, other: Region) -> Region:
        """Where ``region`` is and ``other`` is not."""
        remaining = region
        for hole in other:
            pieces: list[Box] = []
            for box in remaining:
                pieces.extend(self._cut(box, hole))
            remaining = without_contained(tuple(pieces))
        return remaining

    def _cut(self, box: Box, hole: Box) -> list[Box]:
        if self._common(box, hole) is None:
            return [box]
        pieces: list[Box] = []
        inside = dict(box)
        for name, mask in hole.items():
            whole = inside.get(name, self.dimensions[name].all_cells)
            outside = whole & ~mask
            if outside:
                pieces.append({**inside, name: outside})
            inside[name] = whole & mask
        return pieces

    def witness(self, region: Region) -> str:
        """One situation inside the region, in words."""
        if not region:
            return ""
        box = region[0]
        said = []
        for name, mask in sorted(box.items()):
            dimension = self.dimensions[name]
            decided = mask & ~dimension.unsaid
            chosen = decided or mask
            said.append(dimension.words(chosen & -chosen))
        return "; ".join(said) or "any patient"


def _state_name(leaf: IsState) -> str:
    return leaf.fact if leaf.window is None else f"{leaf.fact} within {leaf.window}"


def _wanted(leaf: Found) -> Verdict:
    """The answer about the presence that makes the leaf hold."""
    return Verdict.NOT_MET if leaf.aspect == "absent" else Verdict.MET


def _unwanted(leaf: Found) -> Verdict:
    return Verdict.MET if leaf.aspect == "absent" else Verdict.NOT_MET


def _denial_name(leaf: Found) -> str:
    return f"denial of {leaf.fact} within {leaf.window}"


def _counted_name(leaf: Episodes | Results | FoundEpisodes) -> str:
    if isinstance(leaf, FoundEpisodes):
        text = f"episodes of {leaf.fact}{leaf.qualifiers}"
        return text if leaf.window is None else f"{text} in the last {leaf.window}"
    counted = "episodes" if isinstance(leaf, Episodes) else "results"
    text = f"{counted} of {leaf.fact} {leaf.operator} {leaf.amount}"
    if isinstance(leaf, Episodes) and leaf.recovery_amount is not None:
        text += f" recovering to {leaf.recovery_operator} {leaf.recovery_amount}"
    return text if leaf.window is None else f"{text} in the last {leaf.window}"


def _in_days(span: Span) -> Decimal:
    return span.number * _DAYS[span.unit]
