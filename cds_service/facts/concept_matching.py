"""What the codes and the exact names of a record stand for: the findings' only view of concepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from cds_service.facts.diagnosis_names import LONGEST, may_speak_of_now, names_in, sentences_in
from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import ValueSet
from cds_service.knowledge.concept_facts import DiagnosisSets
from cds_service.knowledge.concept_models import Concept
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.local_codes import LocalCodes

ADVERSE_EFFECT = "adverse effect of a cancer drug"
EFFECTS = frozenset({ADVERSE_EFFECT, "adverse effect of a drug"})
"""The concepts of codes that name only the cause, such as ICD-10-CM T45.1X5."""

_LETTERS = re.compile(r"[^\W_]+")
_TAG = re.compile(r"\s*\((?:disorder|finding|situation|procedure)\)\s*\Z", re.IGNORECASE)
_GRADE_WORDS = re.compile(r"[\s,;:(-]*\b(?:CTCAE\s+)?(?:grade\s*|G)[0-5]\b\)?\s*\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[\w\s,./'()\[\]:;-]*[\w.)\]]", re.UNICODE)
"""A name as people write it. A question mark, a plus or a dash at its end says something of it."""
_SHORT = 4
"""Letters of an abbreviation, which counts within a text as a whole word only."""
_BEGINNING = 4
"""Letters by which names are looked up; a shorter name is looked up by all it has."""
_TUMOURS = ("metastatic non-small cell lung cancer",)
"""Value sets of tumours that flags are read from: no concept holds them."""


class _Codes(Protocol):
    @property
    def value_sets(self) -> Mapping[str, ValueSet]: ...


class _Knowledge(Protocol):
    """The part of a knowledge release that is needed here."""

    @property
    def codes(self) -> _Codes: ...
    @property
    def concepts(self) -> Concepts: ...
    @property
    def diagnosis_sets(self) -> DiagnosisSets: ...
    @property
    def local(self) -> LocalCodes: ...


def _phrase(text: str) -> str:
    phrase = exact_name(text)
    return f"{phrase} " if 0 < len(phrase) <= _SHORT else phrase


def _least_grades(concepts: Iterable[Concept]) -> Iterator[tuple[str, int]]:
    """Names below which no grade goes: those of a diagnosis that has one, and every name of a
    concept all of whose codes have one. A term of the CTCAE alone is no diagnosis in words: an
    acute kidney injury may be milder than the event of that name."""
    for concept in concepts:
        rows = [row for row in concept.snomed_ct if row.verified]
        terms = [row for row in concept.ctcae if row.verified]
        of_all = min((row.lowest_grade for row in (*rows, *terms)), default=1)
        if rows and of_all > 1:
            yield from ((exact_name(text), of_all) for text in (concept.name, *concept.match_text))
        yield from (
            (exact_name(row.display), row.lowest_grade) for row in rows if row.lowest_grade > 1
        )


def exact_name(text: str) -> str:
    """A text for comparing it as a whole: lower case, without a semantic tag or a grade."""
    bare = _GRADE_WORDS.sub("", _TAG.sub("", text))
    return " ".join(_LETTERS.findall(bare.lower()))


def plain_name(text: str | None) -> str:
    """A text for comparing it as the name of something; empty when it says something of it.

    A question mark, a plus or a dash at the end makes a doubt or an answer of a name.
    """
    if not text or len(text) > LONGEST or not _PLAIN.fullmatch(text.strip()) or "(-)" in text:
        return ""
    return exact_name(text)


class _Phrases:
    """Names looked for in a text: from the beginning of a word on, the last word maybe longer.

    Only the names that begin like a word of the text are compared with it: what a text costs
    follows its words, not the number of names.
    """

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        self._by_beginning: dict[str, list[tuple[str, str]]] = {}
        for phrase, name in phrases:
            self._by_beginning.setdefault(phrase[:_BEGINNING], []).append((phrase, name))
        self._sizes = sorted({len(beginning) for beginning in self._by_beginning})

    def begun_in(self, text: str) -> set[str]:
        """What the names stand for that a text of words, one blank between them, holds."""
        found: set[str] = set()
        begin = 0
        while begin >= 0:
            for size in self._sizes:
                for phrase, name in self._by_beginning.get(text[begin : begin + size], ()):
                    if text.startswith(phrase, begin):
                        found.add(name)
            begin = text.find(" ", begin) + 1 or -1
        return found


class ConceptMatcher:
    """Concepts by code, by a site's own code and by exact name."""

    def __init__(self, knowledge: _Knowledge) -> None:
        self._concepts = knowledge.concepts
        self._value_sets = knowledge.diagnosis_sets
        self._further: dict[CodeKey, frozenset[str]] = {}
        sets = knowledge.codes.value_sets
        for name in (*self._value_sets, *_TUMOURS):
            local_only = name not in _TUMOURS
            for key in sets[name].code_keys() if name in sets else ():
                # A site's own codes are told by value set; of ours the concepts know better.
                if not local_only or key in knowledge.local.readings:
                    self._further[key] = self._further.get(key, frozenset()) | {
                        broader
                        for concept in self.concepts_of(name)
                        for broader in self.with_broader(concept)
                    }
        self._by_text: dict[str, frozenset[str]] = {}
        for concept in self._concepts.values():
            named = self.with_broader(concept.name)
            displays = (
                row.display
                for row in (*concept.icd_10, *concept.snomed_ct, *concept.ctcae, *concept.other)
                if row.verified and not row.wider
            )
            for text in {exact_name(item) for item in (concept.name, *concept.match_text,
                                                       *displays)}:  # fmt: skip
                self._by_text[text] = self._by_text.get(text, frozenset()) | named

        self._least_by_text = dict(_least_grades(self._concepts.values()))
        self._phrases = _Phrases(
            (phrase, concept.name)
            for concept in self._concepts.values()
            for text in (concept.name, *concept.match_text)
            # An abbreviation is a word of its own: AKI is no part of "akinetic".
            if (phrase := _phrase(text))
        )
        self._not_in = {
            concept.name: tuple(map(exact_name, concept.not_text))
            for concept in self._concepts.values()
            if concept.not_text
        }

    def match(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes stand for, with every broader one; empty for unknown codes."""
        listed = tuple(keys)
        found = self._concepts.match(listed)
        for key in listed if self._further else ():
            found |= self._further.get(key, frozenset())
        return found

    def denied(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes say are absent."""
        return self._concepts.denied(keys)

    def named(self, text: str | None) -> frozenset[str]:
        """The concepts of which a text as a whole is the name; never by a part or a likeness."""
        return self._by_text.get(plain_name(text), frozenset())

    def named_in(self, text: str | None) -> tuple[frozenset[str], bool]:
        """The concepts of which a text is the name with what may stand around one, and whether it
        says so with doubt."""
        for name, doubtful in names_in(text) if text else ():
            found = self.named(name)
            if found:
                return found, doubtful
        return frozenset(), False

    def possible(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes leave possible without saying them."""
        return self._concepts.possible(keys)

    def mentioned(self, text: str | None) -> frozenset[str]:
        """The concepts whose name stands in a text that is no name itself: enough to ask."""
        if not text or len(text) > LONGEST or not may_speak_of_now(text):
            return frozenset()
        words = f"{exact_name(text)} "
        found = self._phrases.begun_in(words)
        if not found:
            return frozenset()
        words = f" {words}"
        denied = {name for name in found if any(
            f" {phrase}" in words for phrase in self._not_in.get(name, ())
        )}  # fmt: skip
        return frozenset(found - denied)

    def told(self, text: str | None) -> frozenset[str]:
        """The concepts that the sentences of a longer text tell of as of today: enough to ask."""
        found: frozenset[str] = frozenset()
        for sentence in sentences_in(text) if text else ():
            found |= self.mentioned(sentence)
        return self.lowest(found)

    def suspected_in_words(self, names: Iterable[str]) -> frozenset[str]:
        """Those of some concepts that words make suspected, with every broader one."""
        listed = (name for name in names if self._concepts[name].suspected_in_words)
        return frozenset(broader for name in listed for broader in self.with_broader(name))

    def any_of_chapter(self, names: Iterable[str], chapter: str) -> bool:
        """Whether any of these concepts stands in a chapter."""
        return any(
            name in self._concepts and self._concepts[name].chapter == chapter for name in names
        )

    def symptoms_only(self, names: Iterable[str]) -> bool:
        """Whether the narrowest of these concepts are all symptoms, that come and go unrecorded."""
        lowest = [self._concepts[name] for name in self.lowest(names) if name in self._concepts]
        return bool(lowest) and all(item.symptom_for_days is not None for item in lowest)

    def lowest(self, names: Iterable[str]) -> frozenset[str]:
        """Those of some concepts that are no broader name of another one among them."""
        listed = frozenset(names)
        above = {
            broader for name in listed for broader in self.with_broader(name) if broader != name
        }
        return listed - above

    def concepts_of(self, value_set: str) -> tuple[str, ...]:
        """The concepts that a value set of codes/conditions.yaml became."""
        return tuple(self._value_sets.get(value_set, (value_set,)))

    def with_broader(self, name: str) -> frozenset[str]:
        """A concept and every broader one."""
        if name in self._concepts:
            return self._concepts.with_broader(name)
        return frozenset({name})

    def caused_by_a_drug(self, names: Iterable[str]) -> bool:
        """Whether any of these concepts itself says that a drug is the cause."""
        return self._says_cause(names, "a drug")

    def caused_otherwise(self, names: Iterable[str]) -> bool:
        """Whether any of these concepts itself says that the cause is no drug."""
        return self._says_cause(names, "another cause")

    def least_grade(self, keys: Iterable[CodeKey]) -> int | None:
        """The lowest CTCAE grade that an event of these codes has; None when not known.

        Grade 1 says nothing that the event itself does not say.
        """
        found = [self._concepts.least_grade(key) for key in keys]
        return max((grade for grade in found if grade is not None and grade > 1), default=None)

    def least_grade_of(self, text: str | None) -> int | None:
        """The lowest CTCAE grade of what a text as a whole is the name of; None when not known."""
        for name, _ in names_in(text) if text else ():
            plain = plain_name(name)
            if plain in self._by_text:
                return self._least_by_text.get(plain)
        return None

    def _says_cause(self, names: Iterable[str], cause: str) -> bool:
        return any(
            name in self._concepts and self._concepts[name].caused_by == cause for name in names
        )
