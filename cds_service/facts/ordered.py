"""What the instructions of an order say besides the dose: food, and how to swallow it.

Codes and a closed set of English phrases are read. Nothing clear means that nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cds_service.facts.context import Context
from cds_service.fhir.datatypes import usable_number
from cds_service.fhir.units import fold_unit
from cds_service.fhir.views import Dosage

WITH_FOOD = "with food"
FASTING = "fasting"

# Source fhir-r4-event-timing. After a meal is with food as the labels mean it.
_AT_A_MEAL = frozenset({"C", "CM", "CD", "CV", "PC", "PCM", "PCD", "PCV"})
_BEFORE_A_MEAL = frozenset({"AC", "ACM", "ACD", "ACV"})
_AFTER_A_MEAL = frozenset({"PC", "PCM", "PCD", "PCV"})
_SOON_AFTER = 60
"""Minutes after a meal that still count as with it (our own choice)."""

# Each repetition has an end, so that a text of any length is read in one go: where words may follow
# without end, every place of a long text would be read to its end.
_MEAL = r"(?:food|meals?|mealtimes?|eating|breakfast|lunch|dinner|supper|snacks?)"
_WHICH = (
    r"(?:(?:a|an|the|your|each|every|any|some|main|full|light|small|large|largest|morning|midday"
    r"|evening|low[- ]fat|high[- ]fat)\s+){0,4}"
)
_FOOD = rf"{_WHICH}{_MEAL}\b"
_NUMBER = r"(?:(?<![\d.])\d{1,4}(?:\.\d{1,2})?|an?|half an|one|two|three|thirty)"
_UNIT = r"(?:h|hrs?|hours?|min|mins|minutes?)"
_SPAN = rf"{_NUMBER}\s*{_UNIT}"
_NOT = r"(?:\bnot|n't|\bnever|\bavoid)\s+(?:(?:be|to|take|taken|taking|it)\s+){0,4}"

_EITHER_WAY = re.compile(
    rf"\bwith(?:out)?\s+or\s+with(?:out)?\s+{_FOOD}|\bwith\s+{_FOOD}\s+or\s+without\b"
    rf"|\b(?:without regard|regardless|irrespective|independent(?:ly)?)\s+(?:to|of)\s+{_FOOD}"
    r"|\bfasting\s+(?:blood|plasma|serum|glucose|sugar|lipids?|labs?|cholesterol|tests?|levels?)"
)
_HOURS_AROUND = re.compile(
    rf"(?:{_SPAN}\s+)?\bbefore\s+(?:{_FOOD}\s+)?(?:and|or)\s+(?:at least\s+)?{_SPAN}\s+after\b"
    rf"(?:\s+{_FOOD})?|{_SPAN}\s+before\s+or\s+after\s+{_FOOD}"
)
_NOT_WITH = re.compile(rf"{_NOT}(?:with|after)\s+{_FOOD}")
_NOT_EATING = re.compile(
    r"(?:\bnot|n't)\s+eat\s+(?:anything\s+|food\s+)?(?:for|within|until|before|at least|\d)"
)
_NOT_FASTING = re.compile(
    rf"{_NOT}(?:on\s+an\s+empty\s+stomach|without\s+{_FOOD}|before\s+{_FOOD})"
)
_SOME_TIME_AFTER = re.compile(rf"\b(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})\s+after\s+{_FOOD}")
_FASTING = re.compile(rf"\bempty\s+stomach\b|\bfasting\b|\bfasted\b|\b(?:without|before)\s+{_FOOD}")
_WITH = re.compile(rf"\b(?:with(?:\s+or\s+after)?|after|during|at)\s+{_FOOD}")

_NUMBERS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "half an": 0.5, "thirty": 30.0,
}  # fmt: skip

_VERB = (
    r"(?:crush(?:es|ed|ing)?|chew(?:s|ed|ing)?|split(?:s|ting)?|dissolv(?:e|es|ed|ing)"
    r"|open(?:s|ed|ing)?|break(?:s|ing)?|broken|cut(?:s|ting)?|halv(?:e|es|ed|ing)"
    r"|grind(?:s|ing)?|ground|suck(?:s|ed|ing)?|sprinkl(?:e|es|ed|ing)|divid(?:e|es|ed|ing))\b"
)
_PIECE = r"(?:tablets?|tabs?|capsules?|caps?|pills?)\b"
_OBJECT = rf"(?:\s+(?:up|the|your|any|each|this|these|them|it|contents|{_PIECE})){{0,6}}"
_REFUSED = re.compile(
    r"(?:n't|\b(?:cannot|not|never|without|avoid|no))\s+(?:(?:be|to|ever)\s+){0,4}"
    rf"{_VERB}{_OBJECT}"
    rf"(?:(?: ?(?:,|/|\bor\b|\band\b|\bnor\b)){{1,3}} ?(?:(?:be|to)\s+)?{_VERB}{_OBJECT}){{0,8}}"
)
# Words with another sense too (a split dose, a break in treatment, an opened bottle) count only
# beside the tablet or capsule.
_ASKED = re.compile(
    r"\b(?:crush|chew|dissolv|grind|suck|sprinkl)\w*"
    r"|\b(?:split|open|break|cut|halv|divid)\w*\s+"
    rf"(?:(?:up|the|your|each|every|all|both|any|this|these|an?|one|two|\d{{1,3}})\s+){{0,6}}{_PIECE}"
    rf"|\b{_PIECE}\s+(?:(?:may|can|should|must|will|is|are|to|be|then|gently)\s+){{0,6}}"
    r"(?:split|opened|broken|cut|halved|divided|ground)\b"
    rf"|\bhalf\s+(?:(?:of|an?|the)\s+){{0,3}}{_PIECE}"
    rf"|(?<![\d.])(?:1/2|0\.5|½)\s*(?:(?:of|an?)\s+){{0,3}}{_PIECE}"
)
_CLAUSES = re.compile(r"[.;!]\s|\bbut\b|\binstead\b|\bhowever\b|\botherwise\b")


def food_of(context: Context, dosages: Sequence[Dosage]) -> str:
    """`with food` or `fasting` as the instructions say it; empty when nothing clear is said."""
    said: set[str] = set()
    for dosage in dosages:
        said.update(_timed(dosage))
        for concept in dosage.additional_instruction:
            if context.book.says(concept, "take with food"):
                said.add(WITH_FOOD)
            if context.book.says(concept, "take without food"):
                said.add(FASTING)
        for text in _texts(dosage):
            said.update(_in_words(text))
    return said.pop() if len(said) == 1 else ""


def asks_to_crush(context: Context, dosages: Sequence[Dosage]) -> bool:
    """Whether the instructions ask to crush, chew, split, dissolve or open what is swallowed."""
    coded = any(
        context.book.says(concept, "chew or dissolve")
        for dosage in dosages
        for concept in dosage.additional_instruction
    )
    return coded or any(_crushes(text) for dosage in dosages for text in _texts(dosage))


def _texts(dosage: Dosage) -> Iterator[str]:
    texts = [dosage.text, dosage.patient_instruction]
    texts += [concept.label for concept in dosage.additional_instruction]
    for text in texts:
        if text and text.strip():
            yield " ".join(fold_unit(text).lower().replace("’", "'").split())


def _timed(dosage: Dosage) -> Iterator[str]:
    repeat = dosage.timing.repeat if dosage.timing is not None else None
    if repeat is None:
        return
    for event in repeat.when:
        code = event.strip()
        offset = usable_number(repeat.offset)
        late = code in _AFTER_A_MEAL and offset is not None and offset > _SOON_AFTER
        if code in _BEFORE_A_MEAL:
            yield FASTING
        elif code in _AT_A_MEAL and not late:
            yield WITH_FOOD


def _in_words(text: str) -> Iterator[str]:
    """What a text says about food; each phrase that was read is taken out before the next."""
    rest = _EITHER_WAY.sub(" ", text)
    for pattern, word in (
        (_HOURS_AROUND, FASTING),
        (_NOT_WITH, FASTING),
        (_NOT_EATING, FASTING),
        (_NOT_FASTING, WITH_FOOD),
    ):
        if pattern.search(rest):
            yield word
            rest = pattern.sub(" ", rest)
    for match in _SOME_TIME_AFTER.finditer(rest):
        minutes = _minutes(match["number"], match["unit"])
        if minutes <= _SOON_AFTER:
            yield WITH_FOOD
        elif minutes >= 2 * _SOON_AFTER:
            yield FASTING
    rest = _SOME_TIME_AFTER.sub(" ", rest)
    if _FASTING.search(rest):
        yield FASTING
    if _WITH.search(rest):
        yield WITH_FOOD


def _minutes(number: str, unit: str) -> float:
    amount = _NUMBERS[number] if number in _NUMBERS else float(number)
    return amount * 60 if unit.startswith("h") else amount


def _crushes(text: str) -> bool:
    return any(_ASKED.search(_REFUSED.sub(" ", clause)) for clause in _CLAUSES.split(text))
