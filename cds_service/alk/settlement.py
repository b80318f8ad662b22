"""The last section: all recommendations of one answer, looked at together and settled.

Each rule is right by itself, and still two of them can contradict each other: one stops a drug,
another offers a button that corrects its dose. Which of them gives way stands in the reviewed rows
of `settlement.yaml`; here is only how they are applied. Nothing is silenced: what gives way loses
its one-click order, and is told on the stronger card or keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cds_service.alk.case import Case
from cds_service.alk.decision import (
    SEVERITIES,
    Kind,
    Modifier,
    Option,
    Recommendation,
    Topic,
)
from cds_service.alk.section import Section
from cds_service.alk.selection import rank
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.settlement import Offer, Said, SameQuestion, SettlementRow
from cds_service.rules import Verdict


class Settlement(Section):
    """All that was said about each drug, settled by the rows of the release."""

    name = "whether the recommendations agree with each other"

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """Nothing new: the answer of the case is replaced by the settled one."""
        settled = Settled(case.answer.found, case.knowledge)
        choice = case.answer.choice
        # The choice stands among the recommendations as well; both must say the same.
        case.answer.choice = settled.choice(choice) if choice is not None else None
        case.answer.found = settled.recommendations()
        return ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What one recommendation says of one drug, with the row that settles it."""

    said: Said
    drug: str
    item: Recommendation
    row: SettlementRow

    def takes(self, offer: Offer, item: Recommendation, drug: str) -> bool:
        """Whether another recommendation loses what it offers for the drug."""
        if self.drug != drug or self.item is item:
            return False
        if offer in self.row.takes:
            return True
        return offer != "end" and "higher" in self.row.takes and _is_higher(item, self.item)

    @property
    def reason(self) -> str:
        """Why the order is lost, as a card says it."""
        return self.row.says.format(drug=self.drug)


def said_of(item: Recommendation, inhibitors: frozenset[str]) -> tuple[Said, tuple[str, ...]]:
    """What a recommendation says of which drugs; of no drug when it speaks against none.

    An order that is refused for the way it is written, and whose own card offers the drug written
    well, is to be rewritten: that is no word against the drug.
    """
    ordered = item.order.ingredients if item.order is not None else ()
    of_ours = tuple(name for name in ordered if name in inhibitors)
    about = (item.drug,) if item.drug is not None else ()
    match item.kind:
        case Kind.STOP if item.topic is Topic.TOXICITY:
            return "stopped", about
        case Kind.WITHHOLD:
            return "held", about
        case Kind.STOP | Kind.AVOID if of_ours and _is_about_its_dose(item):
            return "rewritten", of_ours
        case Kind.STOP | Kind.AVOID if item.topic is Topic.INTERACTION and not of_ours:
            return "combination", about
        case Kind.STOP:
            return "refused", of_ours
        case Kind.AVOID:
            return "avoided", of_ours or about
        case Kind.REDUCE:
            return "lowered", (item.dose.drug,) if item.dose is not None else about
        case Kind.ASK if item.topic is Topic.TOXICITY:
            return "questioned", about
    return "questioned", ()


def _is_about_its_dose(item: Recommendation) -> bool:
    """Whether an order is refused for the dose that it says, and its card offers another one."""
    named = item.row.when.facts_named if item.row is not None else ()
    return "first line" in item.offers and any(name.startswith("ordered dose") for name in named)


def offer_of(item: Recommendation) -> Offer | None:
    """What the one-click order of a recommendation does to its drug; None when it has none."""
    if item.dose is None:
        return None
    match item.kind:
        case Kind.START:
            return "start"
        case Kind.RESUME:
            return "resume"
        case Kind.REDUCE if item.topic is Topic.ORDER:
            return "correct"
        case Kind.REDUCE:
            return "lower"
    return None


class Settled:
    """The recommendations of one answer, settled. Pure: what is given is not changed."""

    def __init__(self, found: Iterable[Recommendation], knowledge: Knowledge) -> None:
        self._found = _asked_once(_each_once(found), knowledge.settlement.same_question)
        self._source = knowledge.settlement.source
        rows = {row.said: row for row in knowledge.settlement.rows}
        order = list(rows)
        said = (
            Statement(said, drug, item, rows[said])
            for item in _speaking(self._found, knowledge.inhibitors)
            for said, drugs in [said_of(item, knowledge.inhibitors)]
            for drug in drugs
        )
        self._said = sorted(said, key=lambda one: order.index(one.said))

    def recommendations(self) -> list[Recommendation]:
        """All of them, those that joined a stronger one among its `also`."""
        kept: dict[int, Recommendation] = {id(item): item for item in self._found}
        joined: list[tuple[Recommendation, Recommendation]] = []
        for item in self._found:
            if item.options:
                kept[id(item)] = self.choice(item)
                continue
            if item.ends and any(self._against_the_end(item)):
                kept[id(item)] = self._ending_what_is_stopped(item)
                continue
            against = next(self._against(item), None)
            if against is None:
                continue
            settled = item.changed(settled=against.reason)
            kept[id(item)] = settled
            host = next(filter(None, (_host(one, item) for one in self._against(item))), None)
            if host is not None:
                joined.append((host, settled))
                del kept[id(item)]
        for host, settled in joined:
            if id(host) in kept:
                kept[id(host)] = _with(kept[id(host)], settled)
        return list(kept.values())

    def choice(self, item: Recommendation) -> Recommendation:
        """A choice among drugs in which what another recommendation advises against is marked."""
        options = tuple(sorted((self._option(item, one) for one in item.options), key=rank))
        if options == item.options:
            return item
        preferred = [one for one in options if one.place == options[0].place]
        blocked = all(one.speaks_against for one in preferred)
        severity = "warning" if blocked and item.severity == "info" else item.severity
        return item.changed(options=options, severity=severity)

    def _against(self, item: Recommendation) -> Iterator[Statement]:
        offer = offer_of(item)
        if offer is None or item.dose is None:
            return
        for one in self._said:
            if one.takes(offer, item, item.dose.drug):
                yield one

    def _against_the_end(self, item: Recommendation) -> Iterator[Statement]:
        """What speaks against the order for whose sake a running one would end."""
        successors = item.order.ingredients if item.order is not None else ()
        for one in self._said:
            if any(one.takes("end", item, drug) for drug in successors):
                yield one

    def _ending_what_is_stopped(self, item: Recommendation) -> Recommendation:
        """A switch whose new drug may not come: the old one ends only where it is to be stopped for
        good all the same. What merely was to be replaced goes on, so that nobody is left without a
        drug by a click."""
        stopped = {one.drug: one.reason for one in self._said if one.said == "stopped"}
        ends = tuple(one for one in item.ends if one.ingredient in stopped)
        reasons = dict.fromkeys(stopped[one.ingredient] for one in ends)
        return item.changed(ends=ends, end_reason="; ".join(reasons))

    def _option(self, item: Recommendation, option: Option) -> Option:
        start = item.changed(dose=option.dose)
        against = next((one for one in self._said if one.takes("start", start, option.drug)), None)
        if against is None:
            return option
        dose_only = against.said == "lowered"
        modifier = Modifier(
            "other dose" if dose_only else "avoid",
            against.reason,
            against.row.id,
            (self._source, *against.item.sources),
            against.item.trace or option.trace,
        )
        moved = (*option.modifiers, modifier)
        return replace(option, modifiers=moved, dose=None if dose_only else option.dose)


def _speaking(
    found: Iterable[Recommendation], inhibitors: frozenset[str]
) -> Iterator[Recommendation]:
    """The recommendations, and what is asked on the card of another: it takes that card's own
    order, too. What else is told there is weaker than the card that tells it."""
    for item in found:
        yield item
        yield from (one for one in item.also if said_of(one, inhibitors)[0] == "questioned")


def _is_higher(item: Recommendation, lowered: Recommendation) -> bool:
    """Whether an order would be for more a day. What cannot be compared is."""
    if item.dose is None or lowered.dose is None:
        return True
    return item.dose.daily_mg > lowered.dose.daily_mg


def _host(against: Statement, item: Recommendation) -> Recommendation | None:
    """The stronger recommendation on whose card it is told: where both are about the same order,
    and the card is not the calmer of the two."""
    host = against.item
    if against.row.card == "stays" or offer_of(item) in against.row.apart:
        return None
    if SEVERITIES.index(host.severity) > SEVERITIES.index(item.severity):
        return None
    of_host = host.order.reference if host.order is not None else None
    of_item = item.order.reference if item.order is not None else None
    return host if of_host == of_item else None


def _with(host: Recommendation, settled: Recommendation) -> Recommendation:
    tests = {test.test: test for test in (*settled.tests, *host.tests)}
    return host.changed(also=(*host.also, settled), tests=tuple(tests.values()))


def _each_once(found: Iterable[Recommendation]) -> list[Recommendation]:
    kept: dict[tuple[object, ...], Recommendation] = {}
    for item in found:
        order = item.order.reference if item.order is not None else None
        key = (item.rule_id, item.kind, item.drug, order, item.dose, item.summary, item.detail)
        kept.setdefault(key, item)
    return _each_thing_once(kept.values())


def _each_thing_once(found: Iterable[Recommendation]) -> list[Recommendation]:
    """Two rows that ask the same about the same medicines, or wait for the same, on one card."""
    kept: dict[object, Recommendation] = {}
    for item in found:
        key = _asked_of_medicines(item) or _not_obtained(item) or id(item)
        first = kept.get(key)
        if first is None:
            kept[key] = item
            continue
        # The one that was read in a source leads: it alone may take an order back by a click.
        leads, follows = (item, first) if item.verified and not first.verified else (first, item)
        told = (*leads.also, follows.changed(also=()), *follows.also)
        kept[key] = leads.changed(also=told)
    return list(kept.values())


def _asked_once(
    found: list[Recommendation], questions: Iterable[SameQuestion]
) -> list[Recommendation]:
    """Rows that ask one thing, of one order or of the chart beside it, on the card of the first."""
    kept = found
    for question in questions:
        asking = [item for item in kept if item.rule_id in question.rules]
        if len(asking) < 2:
            continue
        leading: list[Recommendation] = []
        told: dict[int, list[Recommendation]] = {}
        for item in sorted(asking, key=lambda one: question.rules.index(one.rule_id)):
            host = next((one for one in leading if _of_one_order(one, item)), None)
            if host is None:
                leading.append(item)
            else:
                told.setdefault(id(host), []).append(item)
        joined = {id(item) for items in told.values() for item in items}
        kept = [_telling(item, told.get(id(item), ())) for item in kept if id(item) not in joined]
    return kept


def _of_one_order(one: Recommendation, other: Recommendation) -> bool:
    if one.rule_id == other.rule_id:
        return False
    orders = [item.order.reference for item in (one, other) if item.order is not None]
    return len(set(orders)) < 2


def _telling(host: Recommendation, told: Iterable[Recommendation]) -> Recommendation:
    """The card with the same question of others, as loud as the loudest of them."""
    items = tuple(told)
    if not items:
        return host
    severity = min((host, *items), key=lambda one: SEVERITIES.index(one.severity)).severity
    others = (one for item in items for one in (item.changed(also=()), *item.also))
    tests = {test.test: test for one in (*items, host) for test in one.tests}
    return host.changed(also=(*host.also, *others), tests=tuple(tests.values()), severity=severity)


def _not_obtained(item: Recommendation) -> tuple[object, ...] | None:
    """Which data a check of an order waits for; None where it waits for none."""
    if item.topic is not Topic.ORDER or not item.reasons or item.order is None:
        return None
    return (item.kind, item.order.reference, frozenset(one.subject for one in item.reasons))


def _asked_of_medicines(item: Recommendation) -> tuple[object, ...] | None:
    """What an interaction asks, and of which medicines; None where that is not the same twice."""
    if item.topic is not Topic.INTERACTION or item.row is None or item.trace is None:
        return None
    leaves = (leaf for leaf in item.trace.walk() if leaf.verdict is Verdict.MET)
    medicines = frozenset(used.source for leaf in leaves for used in leaf.used if used.source)
    order = item.order.reference if item.order is not None else None
    return (item.drug, item.kind, item.severity, order, item.dose, medicines)
