"""Medicines that no table knows: which of them leave interactions unchecked, and which may not.

What is unknown is never taken for harmless; only a closed list keeps quiet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cds_service.facts.medicine_names import MedicineIndex, WordList, words_in
from cds_service.fhir.datatypes import Dosage
from cds_service.fhir.medications import MedicationConcept
from cds_service.fhir.terminology import ATC, CodeKey, coding_key
from cds_service.knowledge.release import Knowledge

_PARTS = re.compile(r"[/+&;]|\b(?:and|und|et|mit|avec|with)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+[a-z]{0,4}")


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """One medicine that was not recognised: its name as in the record, and its resource.

    `may_induce` says that its ATC group holds strong CYP3A inducers, or that it has no ATC code.
    """

    label: str
    source: str
    may_induce: bool


@dataclass(frozen=True)
class HarmlessList:
    """The closed lists of `codes/harmless_medicines.yaml`, ready to be looked up."""

    index: MedicineIndex
    names: WordList
    words: WordList
    beside: WordList
    local: WordList
    systemic: WordList
    of_trials: WordList
    atc: tuple[str, ...]
    atc_that_matter: tuple[str, ...]
    atc_of_inducers: tuple[str, ...]
    recognised: frozenset[CodeKey]

    @classmethod
    def of(cls, knowledge: Knowledge, index: MedicineIndex) -> HarmlessList:
        """The lists of one release."""
        names = knowledge.codes.medicine_names
        listed = names.harmless
        return cls(
            index,
            WordList.of(listed.names),
            WordList.of(listed.words),
            WordList.of(listed.said_beside_names),
            WordList.of(listed.local_routes),
            WordList.of(listed.systemic_despite_route),
            WordList.of(listed.of_trials),
            listed.atc.words,
            listed.atc_that_matter.words,
            listed.atc_of_possible_inducers.words,
            names.recognised_codes,
        )

    def is_local(self, concept: MedicationConcept, dosages: Sequence[Dosage]) -> bool:
        """Whether form, route or name say that the product acts where it is applied."""
        texts = [*concept.texts, *_route_words(dosages)]
        if concept.form is not None and concept.form.label:
            texts.append(concept.form.label)
        words = [words_in(text) for text in texts]
        return any(map(self.local.any_in, words)) and not any(map(self.systemic.any_in, words))

    def unchecked(
        self, concept: MedicationConcept, dosages: Sequence[Dosage], *, coded: bool
    ) -> bool:
        """Whether the medicine, or one half of a combination, is known neither by name nor code.

        `coded` says that a code of it is known. A medicine that is named by nothing is not
        judged here: what may hide behind it is said elsewhere.
        """
        texts = tuple(dict.fromkeys((*concept.texts, *concept.ingredient_texts)))
        keys = [key for coding in concept.all_codings if (key := coding_key(coding)) is not None]
        if not texts and not keys:
            return False
        if any(self.words.any_in(words_in(text)) for text in texts):
            return False
        of_trials = any(self.of_trials.any_in(words_in(text)) for text in texts)
        systemic = of_trials or any(self.systemic.any_in(words_in(text)) for text in texts)
        if not systemic and self._harmless_by_code(keys):
            return False
        if coded or any(key in self.recognised for key in keys):
            # The other half of a combination stands in the text only.
            return any(self._has_unknown_part(text) for text in texts)
        if texts and not of_trials and self._known_in_words(texts, harmless=not systemic):
            return any(self._has_unknown_part(text) for text in texts)
        return of_trials or not self.is_local(concept, dosages)

    def may_induce(self, concept: MedicationConcept) -> bool:
        """Whether the medicine may be a strong CYP3A inducer as far as its ATC code tells."""
        codes = list(_atc(key for coding in concept.all_codings if (key := coding_key(coding))))
        return not codes or any(code.startswith(self.atc_of_inducers) for code in codes)

    def _harmless_by_code(self, keys: Iterable[CodeKey]) -> bool:
        codes = list(_atc(keys))
        return bool(codes) and all(
            code.startswith(self.atc) and not code.startswith(self.atc_that_matter)
            for code in codes
        )

    def _known_in_words(self, texts: Iterable[str], *, harmless: bool) -> bool:
        """Whether a name of the tables stands in the words, or one of the `harmless` list: a patch
        of a medicine that the tables know is known, one of a harmless name may act in the body."""
        return any(
            self.index.find(text) or (harmless and self.names.any_in(words_in(text)))
            for text in texts
        )

    def _has_unknown_part(self, text: str) -> bool:
        """Whether a text names a combination of which one part is not known."""
        parts = [words_in(part) for part in _PARTS.split(text)]
        if len(parts) < 2 or self._whole(text):
            return False
        return any(not self._part_known(words) for words in parts)

    def _whole(self, text: str) -> bool:
        """Whether one listed name covers every word of the text that names something."""
        words = words_in(text)
        spans = [(found.begin, found.end) for found in self.index.find(text)]
        return not self._unsaid(words, spans)

    def _part_known(self, words: tuple[str, ...]) -> bool:
        text = " ".join(words)
        if self.index.find(text) or self.names.any_in(words):
            return True
        return not self._unsaid(words, [])

    def _unsaid(self, words: tuple[str, ...], spans: list[tuple[int, int]]) -> list[str]:
        """The words that no name covers and that are no dose, form, route or filler."""
        lists = (self.names, self.beside, self.local, self.systemic)
        covered = [*spans, *(span for listed in lists for span in listed.spans(words))]
        known = {place for begin, end in covered for place in range(begin, end)}
        return [
            word
            for place, word in enumerate(words)
            if place not in known and not _NUMBER.fullmatch(word) and len(word) > 1
        ]


def _atc(keys: Iterable[CodeKey]) -> Iterator[str]:
    for system, code in keys:
        if system == ATC:
            yield code.upper()


def _route_words(dosages: Sequence[Dosage]) -> Iterator[str]:
    for dosage in dosages:
        if dosage.route is not None:
            yield from filter(None, (dosage.route.text, *(c.display for c in dosage.route.coding)))


def shown_name(concept: MedicationConcept) -> str:
    """The name as in the record, for the card; the code where there is no name."""
    if concept.text:
        return " ".join(concept.text.split())[:120]
    codes = [coding.code for coding in concept.all_codings if coding.code]
    return f"code {codes[0]}"[:120] if codes else "a medicine without a name"
