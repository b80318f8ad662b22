"""What the codes and the exact names of a record stand for: the findings' only view of concepts.

Everything that must change when concepts are kept otherwise stands in `ConceptMatcher`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from cds_service.fhir.terminology import CodeKey
from cds_service.knowledge.code_models import ValueSet

ADVERSE_EFFECT = "adverse effect of a cancer drug"
"""The concept of a code that names only the cause: ICD-10-CM T45.1X5."""

_LETTERS = re.compile(r"[^\W_]+")
_TAG = re.compile(r"\s*\((?:disorder|finding|situation|procedure)\)\s*\Z", re.IGNORECASE)
_GRADE_WORDS = re.compile(r"[\s,;:(-]*\b(?:CTCAE\s+)?(?:grade\s*|G)[0-5]\b\)?\s*\Z", re.IGNORECASE)

_FURTHER = (
    "drug-induced interstitial lung disease", "radiation pneumonitis",
    "lung injury of other cause", "pneumonia", "bradycardia", "symptomatic bradycardia",
    "sick sinus syndrome", "first degree atrioventricular block", "long QT", "jaundice",
    "drug-induced liver injury", "liver failure", "cirrhosis", "other liver disease",
    "raised liver enzymes", "acute kidney failure", "chronic kidney disease",
    "severe chronic kidney disease", "dialysis", "drug-induced nephropathy", "myalgia",
    "myositis", "rhabdomyolysis", "raised creatine kinase", "hyperlipidaemia",
    "suicidal thoughts", "visual disturbance", "oedema", "pulmonary embolism",
    "photosensitivity", "gastrointestinal symptoms", "skin reaction", "lymph node metastases",
    "metastasis of unnamed site", "metastatic non-small cell lung cancer", ADVERSE_EFFECT,
)  # fmt: skip
_CAUSED_BY_A_DRUG = frozenset(
    {
        "drug-induced interstitial lung disease",
        "drug-induced liver injury",
        "drug-induced nephropathy",
        "drug-induced pancreatitis",
        ADVERSE_EFFECT,
    }
)
_CAUSED_OTHERWISE = frozenset({"radiation pneumonitis", "lung injury of other cause"})


class _Knowledge(Protocol):
    """The part of a knowledge release that is needed here."""

    @property
    def codes(self) -> _Codes: ...
    @property
    def fact_list(self) -> _FactList: ...


class _Codes(Protocol):
    @property
    def value_sets(self) -> Mapping[str, ValueSet]: ...


class _FactList(Protocol):
    @property
    def conditions(self) -> Mapping[str, tuple[str, ...]]: ...


def exact_name(text: str) -> str:
    """A text for comparing it as a whole: lower case, without a semantic tag or a grade."""
    bare = _GRADE_WORDS.sub("", _TAG.sub("", text))
    return " ".join(_LETTERS.findall(bare.lower()))


class ConceptMatcher:
    """Concepts by code and by exact name, from the value sets of codes/conditions.yaml."""

    def __init__(self, knowledge: _Knowledge) -> None:
        sets = knowledge.codes.value_sets
        listed = {name for names in knowledge.fact_list.conditions.values() for name in names}
        self.names = frozenset(name for name in (*listed, *_FURTHER) if name in sets)
        """Every concept by its name."""
        self._by_key: dict[CodeKey, frozenset[str]] = {}
        self._by_text: dict[str, frozenset[str]] = {}
        for name in self.names:
            for key in sets[name].code_keys():
                self._by_key[key] = self._by_key.get(key, frozenset()) | {name}
            displays = (code.display for code in sets[name].codes if code.verified)
            for text in {exact_name(item) for item in (name, *sets[name].match_text, *displays)}:
                self._by_text[text] = self._by_text.get(text, frozenset()) | {name}

    def match(self, keys: Iterable[CodeKey]) -> frozenset[str]:
        """The concepts that codes stand for, with every broader one; empty for unknown codes."""
        found: frozenset[str] = frozenset()
        for key in keys:
            found |= self._by_key.get(key, frozenset())
        return found

    def named(self, text: str | None) -> frozenset[str]:
        """The concepts of which a text as a whole is the name; never by a part or a likeness."""
        return self._by_text.get(exact_name(text), frozenset()) if text else frozenset()

    def caused_by_a_drug(self, names: Iterable[str]) -> bool:
        """Whether any of these concepts itself says that a drug is the cause."""
        return not _CAUSED_BY_A_DRUG.isdisjoint(names)

    def caused_otherwise(self, names: Iterable[str]) -> bool:
        """Whether any of these concepts itself says that the cause is no drug."""
        return not _CAUSED_OTHERWISE.isdisjoint(names)

    def least_grade(self, keys: Iterable[CodeKey]) -> int | None:
        """The lowest CTCAE grade that the term of an adverse event has; None when not known."""
        return None
