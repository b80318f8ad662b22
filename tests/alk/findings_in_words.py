"""Findings for patients in memory, from the words that a rule would use.

A name is a concept, maybe with `suspected`, `earlier`, `ended` (nobody knows when) or `repeated`
before it and `grade N`, `caused by a drug`, `caused by crizotinib` or `before treatment` behind
it: `bradycardia grade 4`, `earlier torsades de pointes`. The value is `present` or `absent`, or a
list of them with days ago. That there is no suspicion, or nothing earlier, is nothing that a
record says.

`CONCEPT grade` tells the course of one illness: its grades with days ago, `0` once it is over, and
with words behind the number a record that holds no grade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import msgspec

from cds_service.rules import A_DRUG, ANOTHER_CAUSE, Concept, FactValue, Finding, Findings
from tests.packaged import packaged_knowledge

_WORDS = re.compile(
    r"(?:(suspected|earlier|ended|repeated) )?(.+?)"
    r"(?: grade ([0-5]))?"
    r"(?: caused by (a drug|another cause|the drug asked about|[a-z]+))?( before treatment)?"
)
DAYS_AGO = 2
COURSE_DAYS_AGO = 3
EARLIER = ((300, 250),)
ENDED = ((60, None),)
REPEATED = ((100, 90), (20, 15))
OVER = {"earlier": EARLIER, "ended": ENDED, "repeated": REPEATED}
BEFORE_TREATMENT = 400
GRADE = " grade"
_SOURCE = "Source/"


class Words(NamedTuple):
    """A name taken apart."""

    how: str
    concept: str
    grade: int | None
    causes: frozenset[str]
    before: bool


@cache
def finding_words(name: str) -> Words | None:
    """The parts of a name that is about a concept; None for the name of another fact."""
    vocabulary = packaged_knowledge().vocabulary
    if name in vocabulary and not isinstance(vocabulary.find(name), Concept):
        return None
    if is_course(name):
        return Words("graded", name.removesuffix(GRADE), None, frozenset(), before=False)
    match = _WORDS.fullmatch(name)
    assert match is not None
    how, concept, grade, cause, before = match.groups()
    if concept not in vocabulary or not isinstance(vocabulary.find(concept), Concept):
        return None
    said = cause or packaged_knowledge().concepts[concept].caused_by
    causes = {said} if said else set()
    if cause not in (None, ANOTHER_CAUSE):
        causes.add(A_DRUG)
    return Words(how or "", concept, int(grade) if grade else None, frozenset(causes), bool(before))


def is_course(name: str) -> bool:
    """Whether a name is about the grades of a concept over time."""
    concept = name.removesuffix(GRADE)
    vocabulary = packaged_knowledge().vocabulary
    known = concept in vocabulary and isinstance(vocabulary.find(concept), Concept)
    return concept != name and known


def findings(words: Words, value: object, as_of: date) -> Iterator[Finding]:
    """The findings behind one name and what is said of it."""
    if words.how == "graded":
        yield from _course(words, value, as_of)
        return
    ago = BEFORE_TREATMENT if words.before else DAYS_AGO
    statements = value if isinstance(value, list) else [(ago, value)]
    for days, said in statements:
        if said == "present" and words.how in OVER:
            for began, ended in OVER[words.how]:
                yield _finding(words, "over", as_of, began, ended)
        elif said == "present":
            yield _finding(words, words.how or "present", as_of, days)
        elif not words.how:
            yield _finding(words, "absent", as_of, days)


def _course(words: Words, value: object, as_of: date) -> Iterator[Finding]:
    """The findings behind the grades of one illness: each speaks until the next one does."""
    results = value if isinstance(value, list) else [(COURSE_DAYS_AGO, str(value))]
    ends: date | None = None
    later: tuple[date, str] | None = None
    for ago, text in sorted(results):
        number, _, without = text.partition(" ")
        day = as_of - timedelta(days=ago)
        if number == "0":
            ends = day
        else:
            succeeded = later[0] if later is not None and later[1] == "graded" else None
            over = later[0] if later is not None and succeeded is None else ends
            yield msgspec.structs.replace(
                _finding(words, "over" if over else "present", as_of, ago),
                ended=over,
                succeeded=succeeded,
                grade=None if without else int(number),
                grade_from="" if without else "stated",
            )
            if without:
                # Nobody says that it is the same illness: the one before ended when it began.
                ends = day
        later = (day, "over" if number == "0" else "ungraded" if without else "graded")
    if all(text == "0" for _, text in results):
        yield _finding(words, "absent", as_of, min(ago for ago, _ in results))


def _finding(
    words: Words, status: str, as_of: date, began: int | None, ended: int | None = None
) -> Finding:
    return Finding(
        packaged_knowledge().concepts.with_broader(words.concept),
        status,
        None if began is None else as_of - timedelta(days=began),
        None if ended is None else as_of - timedelta(days=ended),
        words.grade,
        grade_from="stated" if words.grade is not None else "",
        causes=words.causes,
        label=words.concept,
        source=f"{_SOURCE}{words.concept}",
    )


def with_findings(
    values: Mapping[str, FactValue],
    said: Mapping[str, object],
    as_of: date,
    started: Iterable[date | None],
) -> dict[str, FactValue]:
    """Values in which these names say all that is known of their concepts."""
    taken = {name: words for name in said if (words := finding_words(name)) is not None}
    again = {f"{_SOURCE}{words.concept}" for words in taken.values()}
    found = dict.fromkeys(
        item
        for value in values.values()
        if isinstance(value, Findings)
        for item in value.findings
        if item.source not in again
    )
    for name, words in taken.items():
        if said[name] is not None:
            found.update(dict.fromkeys(findings(words, said[name], as_of)))
    kept = {name: value for name, value in values.items() if not isinstance(value, Findings)}
    first = tuple(started)
    for concept in {name for item in found for name in item.names}:
        if finding_words(concept) is not None:
            listed = [item for item in found if concept in item.names]
            listed.sort(key=lambda item: item.began or date.min, reverse=True)
            kept[concept] = Findings(tuple(listed), first)
    return kept
