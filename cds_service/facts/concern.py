"""What a chart has to hold for the algorithm to say anything of it, by the tables.

Without lung cancer, another tumour that the tables know, an ALK inhibitor and anything of ALK
nothing is recommended. What is gathered here is more than the readers need, never less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.facts import tumours
from cds_service.facts.alk_elsewhere import PANEL
from cds_service.facts.context import CodeBook, words_of
from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.release import Knowledge

_ALK = "gene ALK"
_WORDS = re.compile(r"[A-Za-z]+")
_ESCAPED = re.compile(r"\\.")
_ABOUT_GENES = frozenset({"alk", "gene", "genetic"})


@dataclass(frozen=True)
class Concern:
    """`codes` in comparable form, `names` as people write them, `tumours` likewise, among whose
    words any of `stages` may stand, `symbols` that count as whole words only, and `patterns` of
    names with many forms (without look-around, whatever the case)."""

    codes: frozenset[CodeKey]
    names: frozenset[str]
    tumours: frozenset[str]
    stages: frozenset[str]
    symbols: frozenset[str]
    patterns: tuple[str, ...]

    @classmethod
    def of(cls, knowledge: Knowledge) -> Concern:
        """What one release reads, with the codes of the site."""
        book = CodeBook.of(knowledge)
        sets = knowledge.codes.value_sets
        told = [*tumours.TUMOURS, tumours.SITE]
        told += [name for name in sets if not _ABOUT_GENES.isdisjoint(words_of(name))]
        codes = {key for name in told for key in sets[name].code_keys()}
        codes |= {code.key for name in told for code in sets[name].codes}
        called = {text for name in tumours.TUMOURS for text in sets[name].match_text}
        called |= {code.display for name in tumours.TUMOURS for code in sets[name].codes}
        called |= book.tumours.by_name.keys()
        inhibitors = knowledge.inhibitors
        codes |= book.doubtful_inhibitors | frozenset(knowledge.local.readings)
        codes |= {
            key
            for key, matches in knowledge.codes.all_medications()
            if any(match.ingredient in inhibitors for match in matches)
        }
        names = set(_medicine_names(book)) | inhibitors
        names |= set(knowledge.codes.watched.medications.names)
        symbols = set(sets[_ALK].match_text) | {code.display for code in sets[_ALK].codes}
        stages = _WORDS.findall(_ESCAPED.sub(" ", tumours.STAGE.pattern))
        return cls(
            frozenset(codes),
            frozenset(names),
            frozenset(called),
            frozenset(stages),
            frozenset(symbols),
            (PANEL.pattern,),
        )


def _medicine_names(book: CodeBook) -> Iterator[str]:
    inhibitors = book.knowledge.inhibitors
    for entries in book.medication_names.by_first.values():
        for entry in entries:
            if not inhibitors.isdisjoint(entry.ingredients):
                yield " ".join(entry.words)
