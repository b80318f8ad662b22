"""Whole patients: every vignette gets the answer that is written beside it, by both doors.

A failure lists everything that differs and the cards as they came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pytest

from cds_service.alk import Decision, Dose, Kind, Question, Recommendation, decide
from cds_service.cards.build import CardContext, build_cards
from cds_service.cards.built import BuiltCard
from cds_service.cards.evidence_words import evidence_line
from cds_service.cards.suggestions import OrderContext
from hooks import DEFINITIONS
from tests.alk.patients import AS_OF, knowledge, rows_heard
from tests.alk.reading_vignettes import (
    Asked,
    Given,
    Never,
    Options,
    Says,
    Then,
    Vignette,
    amount_and_times,
    from_chart,
    in_memory,
    vignettes,
)

ALGORITHM_IDS = {
    row.identifier: row.algorithm_ids for table in knowledge().all_tables() for row in table
}
ASKING = (Kind.STOP, Kind.WITHHOLD, Kind.ASK)


@dataclass(frozen=True)
class Answer:
    """What the clinician sees at this moment, and the decision behind it."""

    decision: Decision
    cards: tuple[BuiltCard, ...]

    @property
    def shown(self) -> list[tuple[Recommendation, BuiltCard]]:
        """Every recommendation with its card, those that do not lead it too."""
        return [
            (item, card)
            for card in self.cards
            for first in card.recommendations
            for item in (first, *first.also)
        ]

    @property
    def rows(self) -> set[str]:
        """Ids of every row that can be read on a card."""
        items = tuple(item for card in self.cards for item in card.recommendations)
        return rows_heard(replace(self.decision, recommendations=items))

    @property
    def text(self) -> str:
        return "\n\n".join(_text(card) for card in self.cards)


def _text(card: BuiltCard) -> str:
    labels = "\n".join(f"[{item.label}]" for item in card.card.suggestions)
    return f"{card.card.summary}\n{card.card.detail}\n{labels}"


def _figures(item: Recommendation) -> str:
    """The trials behind a recommendation, which stand on the page of the decision."""
    names = (*item.evidence, *(name for option in item.options for name in option.evidence))
    return "\n".join(evidence_line(*knowledge().result(name)) for name in names)


def _answer(given: Given, asked: Asked) -> Answer:
    facts, orders = asked
    question = Question(given.moment, orders, jurisdiction=given.jurisdiction)
    decision = decide(facts, question, knowledge(), AS_OF)
    matters = next(item.matters for item in DEFINITIONS if item.hook == given.moment)
    context = CardContext(OrderContext(facts.patient_id))
    cards = build_cards(decision, lambda it: matters(it, question), knowledge(), context)
    return Answer(decision, tuple(cards))


# -- what must be there ---------------------------------------------------------


def _lacking(then: Then, answer: Answer) -> Iterator[str]:
    for wanted in then.says:
        yield from _not_said(wanted, answer)
    if then.choice is not None:
        choice = answer.decision.choice
        options = choice.options if choice is not None else ()
        preferred = [item.drug for item in options if item.place == "preferred"]
        yield from _options_differ("the first-line choice", then.choice, preferred)
    asking = "\n".join(_text(card) for item, card in answer.shown if item.kind in ASKING)
    for words in then.missing:
        if not _has(asking, words):
            yield f"no card that asks or stops names {words!r} as missing"


def _not_said(wanted: Says, answer: Answer) -> Iterator[str]:
    name = wanted.row or "/".join(wanted.rules)
    if wanted.row is not None:
        if wanted.row not in ALGORITHM_IDS:
            yield f"{name}: there is no such row"
            return
        if wanted.row not in answer.rows:
            yield f"{name}: not on any card; there are {', '.join(sorted(answer.rows)) or 'none'}"
            return
        if foreign := set(wanted.rules) - set(ALGORITHM_IDS[wanted.row]):
            yield f"{name}: does not implement {', '.join(sorted(foreign))}"
    found = [(item, card) for item, card in answer.shown if _is_wanted(wanted, item)]
    if not found:
        # A row inside another card, such as what moves an option: it only has to be readable.
        if wanted.model_fields_set - {"row", "rules"} or wanted.row is None:
            yield f"{name}: does not speak for itself on a card"
        return
    tries = [list(_wrong(wanted, item, card)) for item, card in found]
    yield from (f"{name}: {says}" for says in min(tries, key=len))


def _is_wanted(wanted: Says, item: Recommendation) -> bool:
    if wanted.row is not None:
        return item.rule_id == wanted.row
    return set(wanted.rules) <= set(item.algorithm_ids)


def _wrong(wanted: Says, item: Recommendation, card: BuiltCard) -> Iterator[str]:
    if wanted.level not in (None, item.severity):
        yield f"level {item.severity}, not {wanted.level}"
    if wanted.action not in (None, item.kind.value):
        yield f"action {item.kind.value}, not {wanted.action}"
    for what, text, dose in (
        ("resumes at", wanted.resume, item.resume_dose),
        ("orders", wanted.dose, item.dose),
    ):
        if text is not None and not _same_dose(dose, text):
            yield f"{what} {dose}, not {text}"
    if wanted.months is not None and (item.dose is None or item.dose.months != wanted.months):
        yield f"not for {wanted.months} months"
    if wanted.ranked or wanted.set:
        yield from _options_differ("it", wanted, [option.drug for option in item.options])
    yield from _absent("test", wanted.tests, [test.test for test in item.tests])
    yield from _absent("button", wanted.buttons, [it.label for it in card.card.suggestions])
    for words in wanted.words:
        if not (_has(_text(card), words) or _has(_figures(item), words)):
            yield f"neither its card nor the page says {words!r}"


def _options_differ(who: str, wanted: Options, drugs: list[str]) -> Iterator[str]:
    if wanted.ranked and list(wanted.ranked) != drugs:
        yield f"{who} offers {drugs}, not {list(wanted.ranked)} in this order"
    if wanted.set and set(wanted.set) != set(drugs):
        yield f"{who} offers {sorted(drugs)}, not {sorted(wanted.set)}"


def _same_dose(dose: Dose | None, text: str) -> bool:
    amount, per_day = amount_and_times(text)
    return dose is not None and f"{dose.amount_mg:f}" == amount and dose.per_day == per_day


def _absent(what: str, wanted: Iterable[str], there: list[str]) -> Iterator[str]:
    for name in wanted:
        if name not in there:
            yield f"no {what} {name!r}; there are {there}"


def _has(text: str, words: str) -> bool:
    """Whether a text says these words, as whole words and numbers, whatever the case."""
    return re.search(rf"(?<![\w.]){re.escape(words)}(?![\w]|\.\d)", text, re.IGNORECASE) is not None


# -- what must not be there -----------------------------------------------------


def _forbidden(never: Never, answer: Answer) -> Iterator[str]:
    offered = [option.drug for item, _ in answer.shown for option in item.options]
    if never.offered == "any":
        if offered or list(_ordered(answer)):
            yield f"offers {offered or 'a medication order'}"
    else:
        yield from (f"offers {drug}" for drug in never.offered if drug in offered)
    for resource in _ordered(answer):
        yield from (f"a button orders {drug}" for drug in never.ordered if drug in resource)
    tests = {test.test for item, _ in answer.shown for test in item.tests}
    yield from (f"asks for {test}" for test in never.tests if test in tests)
    yield from (f"{row} speaks" for row in never.rows if row in answer.rows)
    for words in (*never.words, *vignettes().never_anywhere):
        if _has(answer.text, words):
            yield f"a card says {words!r}"


def _ordered(answer: Answer) -> Iterator[str]:
    """Every medication order that a suggestion would create or change."""
    for card in answer.cards:
        for suggestion in card.card.suggestions:
            for action in suggestion.actions:
                resource = action.resource
                if resource is not None and resource["resourceType"] == "MedicationRequest":
                    yield json.dumps(resource, default=str).lower()


def _check(vignette: Vignette, asked: Callable[[], Asked]) -> None:
    answer = _answer(vignette.given, asked())
    problems = [*_lacking(vignette.then, answer), *_forbidden(vignette.then.never, answer)]
    listed = "\n".join(f"- {problem}" for problem in problems)
    assert not problems, f"{vignette.id}: {vignette.title}\n{listed}\n\nThe cards:\n{answer.text}"


def _named(vignette: Vignette) -> str:
    return vignette.id


@pytest.mark.parametrize("vignette", vignettes().vignettes, ids=_named)
def test_a_vignette_gets_its_answer(vignette: Vignette) -> None:
    _check(vignette, lambda: in_memory(vignette.given))


@pytest.mark.parametrize(
    "vignette", [item for item in vignettes().vignettes if item.chart is not None], ids=_named
)
def test_the_same_patient_as_a_fhir_chart_gets_the_same_answer(vignette: Vignette) -> None:
    chart = vignette.chart
    assert chart is not None
    _check(vignette, lambda: from_chart(chart))


# -- the check itself -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ({"rules": ("TX-99",)}, "does not implement TX-99"),
        ({"level": "critical"}, "level info, not critical"),
        ({"action": "stop"}, "action choose, not stop"),
        ({"resume": "450 x 2"}, "resumes at None"),
        ({"dose": "600 x 2"}, "orders None"),
        ({"months": 24}, "not for 24 months"),
        ({"ranked": ("lorlatinib",)}, "not ['lorlatinib'] in this order"),
        ({"set": ("alectinib",)}, "not ['alectinib']"),
        ({"tests": ("ECG",)}, "no test 'ECG'"),
        ({"buttons": ("Order crizotinib",)}, "no button 'Order crizotinib'"),
        ({"words": ("0.9",)}, "says '0.9'"),
        ({"row": "progression-met"}, "progression-met: not on any card"),
        ({"row": "progression-mets"}, "there is no such row"),
    ],
)
def test_a_wrong_expectation_is_noticed(change: dict[str, object], noticed: str) -> None:
    vignette = next(item for item in vignettes().vignettes if item.id == "V-63")
    answer = _answer(vignette.given, in_memory(vignette.given))
    wanted = Says.model_validate({"row": "progression-after-crizotinib", **change})
    assert noticed in "\n".join(_not_said(wanted, answer))


@pytest.mark.parametrize(
    "never",
    [
        Never(offered="any"),
        Never(offered=("brigatinib",)),
        Never(ordered=("lorlatinib",)),
        Never(rows=("progression-after-crizotinib",)),
        Never(words=("ensartinib would be off-label",)),
    ],
)
def test_what_must_not_be_there_is_noticed(never: Never) -> None:
    vignette = next(item for item in vignettes().vignettes if item.id == "V-63")
    assert list(_forbidden(never, _answer(vignette.given, in_memory(vignette.given))))
