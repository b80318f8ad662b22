"""Genomic variants of the tumour: gene, change, kind of change, specimen and allele.

Read from coded Observations only, component by component. Germline variants are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.facts.alk_methods import is_plasma, specimen_words
from cds_service.facts.alk_status import GIVEN, coded_answer
from cds_service.facts.context import Context
from cds_service.facts.genes import genes_of
from cds_service.facts.statement_order import in_order
from cds_service.fhir.statuses import status_of
from cds_service.fhir.values import interpretation_codes
from cds_service.fhir.views import CodeableConcept, Observation, ObservationComponent
from cds_service.rules import Statement, Statements

_GENE_COMPONENTS = (
    "component gene studied",
    "component fusion five prime gene",
    "component fusion three prime gene",
    "component gene fusion transcript",
)
_KIND_COMPONENTS = (
    "component DNA change type",
    "component amino acid change type",
    "component molecular consequence",
)
_HIGH = frozenset({"H", "HH"})
_MORE_COPIES = _HIGH | {"POS"}
"""How a laboratory marks a number of copies as more than normal; no number of our own does."""
_KINDS = ("gene fusion", "gene amplified", "gene lost", "loss of function")
_TISSUE = re.compile(
    r"tissue|biops|tumou?r|ffpe|paraffin|block|resect|needle|aspirat|effusion|cytolog",
    re.IGNORECASE,
)
_LETTERS = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E",
    "Gly": "G", "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F",
    "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*",
}  # fmt: skip
_THREE = re.compile("|".join(_LETTERS))
_RESIDUE = f"[{''.join(sorted(set(_LETTERS.values()) - {'*'}))}]"
_CHANGE = re.compile(
    rf"({_RESIDUE})(\d{{1,4}})(?:_({_RESIDUE})(\d{{1,4}}))?"
    rf"({_RESIDUE}|[*=]|delins(?:{_RESIDUE}|\*)+|del|dup|ins{_RESIDUE}+|{_RESIDUE}?fs(?:\*?\d*)?)"
)
_SAME = {
    # One threonine more at 1151 is written in these ways.
    "1151Tins": "T1151dup",
    "I1151Tins": "T1151dup",
    "T1151_L1152insT": "T1151dup",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the protein, such as G1202R at residue 1202 (codon group G1202)."""

    name: str
    residue: int

    @property
    def codon(self) -> str:
        """The residue with its letter: every change at that place belongs to it."""
        return self.name[0] + str(self.residue)


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant assessment. `answer` is positive, negative, equivocal or failed.

    `changes` are its protein changes; `unread` says that one was stated and cannot be read.
    `notations` name a fusion, such as E13;A20.
    `phase` is cis or trans when the changes of this one assessment are stated to be so.
    `kinds` are the coded kinds of change, `copies` says that copies were counted. `specimen` is
    tissue or plasma, empty when nothing says which; `sample` names the specimen.
    """

    answer: str
    genes: frozenset[str]
    changes: tuple[Change, ...]
    unread: bool
    phase: str
    kinds: frozenset[str]
    copies: bool
    several_genes: bool
    specimen: str
    sample: str
    day: date
    fraction: str
    notations: tuple[str, ...]
    source: str

    @property
    def fused(self) -> bool:
        """Whether it is about a fusion and not about a change within one gene."""
        return "gene fusion" in self.kinds or (self.several_genes and self.answer == "positive")

    @property
    def mutated(self) -> bool:
        """Whether a gene is said to be changed, other than by a fusion or its number of copies."""
        amount = bool(self.kinds & {"gene amplified", "gene lost"}) or self.copies
        return self.answer == "positive" and not self.fused and not amount

    @property
    def says_no_variant(self) -> bool:
        """Whether it denies any variant of its genes, and not just one that it names."""
        named = self.changes or self.unread or self.kinds or self.copies
        return self.answer == "negative" and not named


def read_variants(context: Context) -> list[Variant]:
    """Every variant assessment with a usable day, newest first."""
    found: list[Variant] = []
    for result in context.record.observations(
        context.book.value_sets["genetic variant assessment"]
    ):
        observation = result.observation
        if result.component is not None or status_of(observation) not in GIVEN:
            continue
        variant = _variant(context, observation)
        if variant is not None:
            found.append(variant)
    found.sort(key=lambda item: item.day, reverse=True)
    return found


def _variant(context: Context, observation: Observation) -> Variant | None:
    book = context.book
    genes: set[str] = set()
    named = 0
    changes: dict[str, Change] = {}
    phases: set[str] = set()
    kinds: set[str] = set()
    notations: list[str] = []
    unread = copies = germline = amplified = False
    fraction = ""
    for component in observation.component:
        code, value = component.code, component.value_codeable_concept
        if book.says(code, *_GENE_COMPONENTS):
            about = genes_of(context, component)
            genes |= about.known
            count = about.number
            if book.says(code, "component gene fusion transcript"):
                kinds.add("gene fusion")
                notations += _texts(component)
                count = count if about.known else 0
            named += count
        elif book.says(code, "discrete genetic variant"):
            notations += _texts(component)
            if book.says(value, "EML4-ALK fusion identifier"):
                genes |= {"ALK", "EML4"}
                kinds.add("gene fusion")
        elif book.says(code, "component amino acid change"):
            read = _protein_change(component)
            unread = unread or read is None
            for change in read[0] if read else ():
                changes[change.name] = change
            phases.add(read[1] if read else "")
        elif book.says(code, "component DNA change"):
            # A change of the DNA that comes without its protein cannot be named here.
            unread = unread or not any(
                book.says(other.code, "component amino acid change")
                for other in observation.component
            )
        elif book.says(code, *_KIND_COMPONENTS):
            kinds.update(kind for kind in _KINDS if book.says(value, kind))
            copies = copies or book.says(value, "copy number variation")
        elif book.says(code, "component copy number"):
            copies = True
            amplified = amplified or bool(interpretation_codes(component) & _MORE_COPIES)
        elif book.says(code, "allelic phase"):
            phases.add(phase_of(context, value))
        elif book.says(code, "component genomic source class"):
            germline = book.says(value, "germline")
        elif book.says(code, "component allele fraction"):
            fraction = _fraction(component)
    if copies:
        amplified = amplified or bool(interpretation_codes(observation) & _HIGH)
    if amplified:
        kinds.add("gene amplified")
    answer = coded_answer(context, observation)
    if answer is None and copies:
        # A number of copies without an answer is a finding; what it means is asked elsewhere.
        answer = "positive"
    moment = context.effective(observation)
    if germline or answer is None or not genes:
        return None
    if not context.usable(moment, "genomic variants") or moment is None or moment.day is None:
        return None
    stated = phases - {""}
    reference = observation.specimen.reference if observation.specimen is not None else None
    return Variant(
        answer,
        frozenset(genes),
        tuple(sorted(changes.values(), key=lambda item: (item.residue, item.name))),
        unread,
        stated.pop() if len(stated) == 1 else "",
        frozenset(kinds),
        copies,
        named > 1,
        _specimen(context, observation),
        reference or "",
        moment.day,
        fraction,
        tuple(notations),
        observation.key,
    )


def phase_of(context: Context, concept: CodeableConcept | None) -> str:
    """cis, trans, or empty when neither is stated, or both are."""
    stated = [word for word in ("cis", "trans") if context.book.says(concept, f"phase {word}")]
    return stated[0] if len(stated) == 1 else ""


def _specimen(context: Context, observation: Observation) -> str:
    # Plasma first: "circulating tumour DNA" is no tissue.
    if is_plasma(context, observation):
        return "plasma"
    method = observation.method.text if observation.method is not None else None
    said = f"{specimen_words(context, observation)} {method or ''}"
    return "tissue" if _TISSUE.search(said) else ""


def _fraction(component: ObservationComponent) -> str:
    quantity = component.value_quantity
    number = quantity.number if quantity is not None else None
    if quantity is None or number is None or number < 0:
        return ""
    percent = number if "%" in (quantity.code or quantity.unit or "") else number * 100
    return f"{percent.normalize():f} %" if percent <= 100 else ""


def _texts(component: ObservationComponent) -> list[str]:
    """Everything that a component's value is called: codes, displays and texts."""
    concept = component.value_codeable_concept
    texts = [component.value_string]
    if concept is not None:
        texts += [concept.text, *(coding.code for coding in concept.coding)]
        texts += [coding.display for coding in concept.coding]
    return list(dict.fromkeys(text.strip() for text in texts if text and text.strip()))


def _protein_change(component: ObservationComponent) -> tuple[tuple[Change, ...], str] | None:
    """The changes of one component with their phase; None if unreadable or contradictory."""
    read = [found for text in _texts(component) if (found := read_protein_change(text)) is not None]
    if not read or any(found[0] != read[0][0] for found in read):
        return None
    phases = {phase for _, phase in read} - {""}
    return read[0][0], phases.pop() if len(phases) == 1 else ""


def read_protein_change(text: str) -> tuple[tuple[Change, ...], str] | None:
    """Changes and phase in p.HGVS, in one- or three-letter form; None when it is none.

    `p.[A;B]` states that all sit on one allele (cis), `p.[A];[B]` on two (trans); everything
    else, also `p.[A;B];[C]`, leaves the phase open. A silent change is no change.
    """
    written = text.strip().rpartition(":")[2].removeprefix("p.").replace(" ", "")
    phase = ""
    if re.fullmatch(r"\(?\[[^\[\];]*\](?:;\[[^\[\];]*\])+\)?", written):
        phase = "trans"
    elif "(;)" not in written and re.fullmatch(r"\(?\[[^\[\]]*;[^\[\]]*\]\)?", written):
        phase = "cis"
    changes: list[Change] = []
    for part in re.sub(r"[()\[\]]", "", written).split(";"):
        short = _THREE.sub(lambda match: _LETTERS[match[0]], part)
        short = _SAME.get(short, short)
        match = _CHANGE.fullmatch(short)
        if match is None:
            return None
        if match[5] != "=" and match[5] != match[1]:
            changes.append(Change(short, int(match[2])))
    changes.sort(key=lambda item: (item.residue, item.name))
    return tuple(changes), phase if len(changes) > 1 else ""


_VARIANTS = {
    "variant 1": re.compile(r"(?:variant ?|v)1|e13[;:]a20", re.IGNORECASE),
    "variant 3": re.compile(r"(?:variant ?|v)3(?:a|b|a/b)?|e6(?:a|b|a/b)?[;:]a20", re.IGNORECASE),
    "other variant": re.compile(
        r"(?:variant ?|v)(?:2|4|5a?b?|6|7|8)'?|e(?:2|14|15|17|18|20)[ab]?[;:]a20", re.IGNORECASE
    ),
}


def fusion_variant(variants: Iterable[Variant]) -> Statements | None:
    """The EML4-ALK variant of a positive fusion, from the exact notations such as E13;A20."""
    found: list[Statement] = []
    for variant in variants:
        if variant.answer != "positive" or not {"ALK", "EML4"} <= variant.genes:
            continue
        for text in variant.notations:
            word = _fusion_word(text)
            if word:
                found.append(Statement(word, variant.day, text, variant.source))
    return in_order(found)


def fusion_partner(variants: Iterable[Variant]) -> Statements | None:
    """The other gene of a positive ALK fusion: EML4, or another one that is named by code."""
    found = [
        Statement(
            "EML4" if "EML4" in variant.genes else "other partner", variant.day, "", variant.source
        )
        for variant in variants
        if variant.answer == "positive"
        and variant.fused
        and "ALK" in variant.genes
        and (variant.several_genes or len(variant.genes) > 1)
    ]
    return in_order(found)


def _fusion_word(text: str) -> str:
    """The variant of `E13;A20`, `V1`, `EML4-ALK V3a (E6a;A20)`; empty for anything else."""
    bare = re.sub(r"^EML4(?:::|--|-)ALK,? *", "", text, flags=re.IGNORECASE)
    parts = [part for part in re.split(r" *[()] *", bare) if part]
    words = {
        next((word for word, form in _VARIANTS.items() if form.fullmatch(part)), "")
        for part in parts
    }
    return words.pop() if len(words) == 1 else ""


def tp53(variants: Iterable[Variant]) -> Statements | None:
    """Whether TP53 is mutated. A negative plasma test does not make it wild type."""
    found: list[Statement] = []
    for variant in variants:
        if "TP53" not in variant.genes:
            continue
        if variant.mutated:
            label = ", ".join(change.name for change in variant.changes)
            found.append(Statement("mutated", variant.day, label, variant.source))
        elif variant.says_no_variant and variant.specimen == "tissue":
            found.append(Statement("wild type", variant.day, "", variant.source))
    return in_order(found)
