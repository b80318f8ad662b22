"""Finding the pages of classes, concepts, value sets, tests and facts: by name, word and code."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

from markupsafe import Markup

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering import Writer
from cds_service.knowledge.rendering.markdown import html_name
from cds_service.knowledge.rendering.terms import Term
from cds_service.knowledge.search_words import SearchWords
from cds_service.web.full_text import TOKENIZER, any_of, excerpt, marked_pattern

KINDS = {
    "class": "Medication class",
    "concept": "Clinical concept",
    "value set": "Value set",
    "test": "Test",
    "fact": "Fact",
}
_MATCHING = "SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY bm25(terms, 20, 4, 1), rowid"


@dataclass(frozen=True, slots=True)
class TermHit:
    """One page that holds every part of the query, or a word that stands for it."""

    name: str
    kind: str
    address: str
    """Below the address of the knowledge pages."""
    text: Markup
    """Where the words stand there, marked."""


class TermSearch:
    """The pages of all terms as text, indexed once."""

    def __init__(self, knowledge: Knowledge, writer: Writer, words: SearchWords) -> None:
        self._knowledge = knowledge
        self._writer = writer
        self._words = words
        self._terms = tuple(writer.terms)
        self._texts = [tuple(self._text(term)) for term in self._terms]
        self._lock = Lock()
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute(
            f"CREATE VIRTUAL TABLE terms USING fts5(name, words, codes, tokenize = '{TOKENIZER}')"
        )
        self._index.executemany(
            "INSERT INTO terms (rowid, name, words, codes) VALUES (?, ?, ?, ?)",
            (
                (number, term.name, "\n".join(texts), "\n".join(self._codes(term)))
                for number, (term, texts) in enumerate(zip(self._terms, self._texts, strict=True))
            ),
        )

    def find(self, query: str) -> tuple[TermHit, ...]:
        """The pages in which every part of the query stands, names before words before codes."""
        parts = list(self._words.asked(query))
        if not parts:
            return ()
        asked = " AND ".join(any_of(part) for part in parts)
        with self._lock:
            found = self._index.execute(_MATCHING, [asked]).fetchall()
        pattern = marked_pattern([word for part in parts for word in part])
        hits = []
        for (number,) in found:
            term = self._terms[number]
            texts = (*self._texts[number], *self._codes(term))
            shown = [text for text in texts if pattern.search(text)][:3] or texts[:1]
            text = Markup("; ").join(excerpt(text, pattern) for text in shown)
            address = html_name(self._writer.terms.place(term))
            hits.append(TermHit(term.name, KINDS[term.kind], address, text))
        return tuple(hits)

    def _text(self, term: Term) -> Iterator[str]:
        """What is said about a term and what belongs to it, without its codes."""
        codes = self._knowledge.codes
        match term.kind:
            case "class":
                for member in self._writer.details.members(term):
                    names = f" ({', '.join(member.names)})" if member.names else ""
                    yield f"{member.name}{names}"
                yield codes.medication_classes[term.name].note or ""
            case "concept":
                concept = self._knowledge.concepts[term.name]
                yield from (concept.describes, ", ".join(concept.match_text), concept.note or "")
            case "value set":
                value_set = codes.value_sets[term.name]
                yield from (", ".join(value_set.match_text), value_set.note or "")
            case "test":
                analyte = codes.analytes[term.name]
                yield from (analyte.display_name, analyte.note or "")
            case "fact":
                yield self._knowledge.vocabulary.find(term.name).describes

    def _codes(self, term: Term) -> Iterator[str]:
        for line in self._writer.details.codes(term):
            yield f"{line.code} {line.display}"
        if term.kind == "class":
            yield from self._writer.details.products(term)
