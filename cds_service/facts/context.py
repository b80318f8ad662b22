"""What every reader of facts needs: the record, the day, the code sets, and a place for remarks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import TypeVar

from cds_service.facts.concept_matching import ConceptMatcher
from cds_service.facts.grade_scale import GradeScale, grade_scale
from cds_service.facts.medicine_names import MedicineIndex
from cds_service.facts.number_finder import NumberFinder
from cds_service.facts.remarks import Remark
from cds_service.facts.tumours import TumourMatcher
from cds_service.facts.unrecognised import HarmlessList
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.dates import Moment, effective_moment, own_times, parse_moment
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.terminology import CodeKey, CodeSet, concept_keys
from cds_service.fhir.units import UnitTable
from cds_service.fhir.views import Observation
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Series

Book = TypeVar("Book")

_LETTERS = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[a-z][a-z0-9-]+")


def folded(text: str) -> str:
    """A name for comparing it as a whole: lower case, one blank for all that is no letter."""
    return " ".join(_LETTERS.findall(text.lower()))


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text for comparing names: lower case, without what stands between them."""
    return tuple(_WORD.findall(text.lower()))


@dataclass(frozen=True)
class Names:
    """A closed list of names, each a row of whole words, and what each name stands for."""

    by_words: Mapping[tuple[str, ...], tuple[str, ...]]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Names:
        """The list from (name, what it stands for)."""
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        for name, meaning in pairs:
            words = words_of(name)
            found[words] = (*found.get(words, ()), meaning)
        return cls(found, tuple(sorted({len(words) for words in found if words})))

    def in_text(self, text: str) -> tuple[str, ...]:
        """What the names in a text stand for, in their order; a misspelt name is no name."""
        words = words_of(text)
        return tuple(
            meaning
            for size in self.sizes
            for begin in range(len(words) - size + 1)
            for meaning in self.by_words.get(words[begin : begin + size], ())
        )


@dataclass(frozen=True)
class CodeBook:
    """Code sets and unit tables in the form the FHIR room matches with; built once."""

    knowledge: Knowledge
    value_sets: Mapping[str, CodeSet]
    analytes: Mapping[str, CodeSet]
    units: Mapping[str, UnitTable]
    medication_names: MedicineIndex
    harmless: HarmlessList
    watched_medications: Names
    """Names of ALK inhibitors that no table knows."""
    doubtful_inhibitors: frozenset[CodeKey]
    """Codes that somewhere stand for an ALK inhibitor and are not believed here."""
    result_names: Mapping[str, str]
    """What laboratories call a result that matters, folded, with its analyte."""
    doubtful_results: Mapping[CodeKey, str]
    """Codes that are said to mean an analyte and that nobody has looked up: never believed."""
    known_results: frozenset[CodeKey]
    """Codes of results that are known here, also as something else."""
    concepts: ConceptMatcher
    tumours: TumourMatcher
    grade_scale: GradeScale
    number_finders: Mapping[str, NumberFinder]
    """What finds the numbers of an analyte in words, for those of `watched_numbers.yaml`."""
    _together: dict[tuple[str, ...], frozenset[CodeKey]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The codes of value sets that are asked about together."""

    @classmethod
    def of(cls, knowledge: Knowledge) -> CodeBook:
        """The code book of one knowledge release. Only verified codes are matched on."""
        codes = knowledge.codes
        value_sets = {
            name: CodeSet.of(name, item.code_keys()) for name, item in codes.value_sets.items()
        }
        analytes = {
            name: CodeSet.of(name, item.code_keys()) for name, item in codes.analytes.items()
        }
        known = {key for group in (value_sets, analytes) for item in group.values()
                 for key in item.keys}  # fmt: skip
        traps = {trap.key for item in codes.analytes.values() for trap in item.traps}
        related = {key for tests in codes.related_tests.values() for test in tests
                   for key in test.code_keys()}  # fmt: skip
        inhibitors = knowledge.inhibitors
        names = MedicineIndex.of(knowledge)
        doubtful = {entry.key for entry in codes.do_not_use if entry.claimed in inhibitors}
        doubtful |= {
            key
            for key, matches in codes.all_medications()
            for match in matches
            if match.ingredient in inhibitors and not match.verified
        }
        return cls(
            knowledge,
            value_sets,
            analytes,
            {name: UnitTable(item.unit, item.units) for name, item in codes.analytes.items()},
            names,
            HarmlessList.of(knowledge, names),
            Names.of((name, name) for name in codes.watched.medications.names),
            frozenset(doubtful),
            {
                folded(name): analyte
                for analyte, names in codes.watched.results.names.items()
                for name in names
            },
            {
                code.key: name
                for name, item in codes.analytes.items()
                for code in item.codes
                if not code.verified
            },
            frozenset(known | traps | related),
            ConceptMatcher(knowledge),
            TumourMatcher.of(codes.value_sets),
            grade_scale(codes),
            {
                name: NumberFinder(codes.analytes[name], watched)
                for name, watched in codes.watched_numbers.items()
            },
        )

    def only_local(self, concept: CodeableConcept | None, codes: CodeSet) -> bool:
        """Whether a concept is in a code set by a code of the site's own alone."""
        local = self.knowledge.local.readings
        if not local:
            return False
        return all(key in local for key in concept_keys(concept) if key in codes)

    def says(self, concept: CodeableConcept | None, *names: str) -> bool:
        """Whether a concept carries a code of one of the named value sets."""
        keys = concept_keys(concept)
        if not keys:
            return False
        any_of_them = self._together.get(names)
        if any_of_them is None:
            any_of_them = frozenset().union(*(self.value_sets[name].keys for name in names))
            self._together[names] = any_of_them
        return not any_of_them.isdisjoint(keys)


@dataclass
class Context:
    """One reading: which patient, as of which day, and what was remarked on the way."""

    book: CodeBook
    record: PatientRecord
    as_of: date
    zone: tzinfo
    complete: frozenset[str]
    remarks: dict[Remark, None] = field(default_factory=dict)
    past: bool = False
    """Whether `as_of` lies before the day on which the chart was known: see `past.as_it_was`."""
    ends_unknown: frozenset[int] = frozenset()
    """By `id` those resources of the record that are over by now, and maybe not on that day."""
    tumours: dict[int, frozenset[str]] = field(default_factory=dict)
    """Kept by `problems.diagnoses`: what each Condition is by more than its codes."""
    morphologies: Mapping[str, frozenset[CodeKey]] | None = None
    """Kept by the same: what laboratories reported of each Condition."""
    series: dict[tuple[str, str], Series | None] = field(default_factory=dict)
    """Kept by `measurements.laboratory_series`, for each fact and analyte."""
    _kept: dict[type[object], object] = field(default_factory=dict)
    _moments: dict[tuple[str | None, ...], Moment | None] = field(default_factory=dict)
    _days: dict[str, Moment | None] = field(default_factory=dict)
    _parsed: dict[str, Moment | None] = field(default_factory=dict)

    def once(self, kind: type[Book], read: Callable[[Context], Book]) -> Book:
        """What is read of this patient when first asked for, and kept for whoever asks next."""
        kept = self._kept.get(kind)
        if not isinstance(kept, kind):
            kept = self._kept[kind] = read(self)
        return kept

    def effective(self, observation: Observation) -> Moment | None:
        """When an observation was true; worked out once for results of the same blood sample."""
        text = observation.effective_date_time
        if text and observation.effective_period is None and not observation.effective_instant:
            if text not in self._days:
                self._days[text] = effective_moment(observation, self.zone)
            return self._days[text]
        sent = own_times(observation)
        if not any(sent):
            listed_in = self.record.listed_in(observation)
            return effective_moment(observation, self.zone, listed_in)
        if sent not in self._moments:
            self._moments[sent] = effective_moment(observation, self.zone)
        return self._moments[sent]

    def remark(self, subject: str, says: str) -> None:
        """Note something about the data once; never with words from the record."""
        self.remarks.setdefault(Remark(subject, says))

    def day_of(self, *texts: str | None) -> date | None:
        """The day of the first text that was sent, None when it is absent or imprecise."""
        for text in texts:
            if text and text.strip():
                if text not in self._parsed:
                    self._parsed[text] = parse_moment(text, self.zone)
                moment = self._parsed[text]
                return moment.day if moment is not None else None
        return None

    def usable(self, moment: Moment | None, subject: str) -> bool:
        """Whether a result's moment can be used; undated and future ones are remarked on."""
        if moment is None or moment.day is None:
            self.remark(subject, "a result without a usable date was left out")
            return False
        if moment.day > self.as_of:
            self.remark(subject, "a result dated in the future was left out")
            return False
        return True
