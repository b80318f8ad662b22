"""Which tumour a Condition is beyond what its codes say: by an exact name, or by morphology.

Hospitals write a cancer as words alone, as a site code with the histology in words beside it, and
registries as morphology and topography of ICD-O-3. A code that says more exactly what it is goes
before its words, and words that do not fit the code are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.facts.concept_matching import plain_name
from cds_service.facts.diagnosis_names import LONGEST
from cds_service.fhir.terminology import CodeKey, concept_keys
from cds_service.fhir.views import CodeableConcept, Condition
from cds_service.knowledge.code_models import ValueSet

NON_SMALL_CELL = (
    "non-small cell lung cancer",
    "adenocarcinoma of lung",
    "squamous cell carcinoma of lung",
    "adenosquamous carcinoma of lung",
    "large cell carcinoma of lung",
    "metastatic non-small cell lung cancer",
    "ALK-positive non-small cell lung cancer",
    "ALK-negative non-small cell lung cancer",
    "EGFR-mutated non-small cell lung cancer",
    "EGFR wild-type non-small cell lung cancer",
    "ROS1-positive non-small cell lung cancer",
    "ROS1-negative non-small cell lung cancer",
)
SMALL_CELL = "small cell lung cancer"
UNKNOWN_TYPE = "lung cancer of unknown type"
SUSPECTED = "suspected lung cancer"
_OTHERS = (
    "hepatocellular carcinoma",
    "ALK-positive lymphoma",
    "inflammatory myofibroblastic tumour",
)
TUMOURS = (*NON_SMALL_CELL, SMALL_CELL, UNKNOWN_TYPE, SUSPECTED, *_OTHERS)
"""The value sets of codes/conditions.yaml that say what kind of tumour somebody has."""

_MORE_EXACT: Mapping[str, frozenset[str]] = {
    UNKNOWN_TYPE: frozenset({*NON_SMALL_CELL, SMALL_CELL}),
    NON_SMALL_CELL[0]: frozenset(NON_SMALL_CELL),
}
"""Of a tumour whose kind a code leaves open: the ones that words or morphology may make of it."""

_MORPHOLOGIES = {
    "adenocarcinoma morphology": "adenocarcinoma of lung",
    "squamous cell carcinoma morphology": "squamous cell carcinoma of lung",
    "adenosquamous carcinoma morphology": "adenosquamous carcinoma of lung",
    "large cell carcinoma morphology": "large cell carcinoma of lung",
    "non-small cell carcinoma morphology": "non-small cell lung cancer",
    "small cell carcinoma morphology": SMALL_CELL,
}
SITE = "lung body site"
_EXTENSION = "histology-morphology-behavior"
STAGE = re.compile(
    r"[,(\s]*\b(?:(?:AJCC|UICC)\s+)?(?:stage|stadium)\s+(?:IV|III|II|I)[ABC]?[0-9]?\b[,)\s]*",
    re.IGNORECASE,
)


def is_malignant(key: CodeKey) -> bool:
    """Whether a code of ICD-10 is a primary cancer."""
    system, code = key
    if "icd-10" not in system or not code.startswith("C"):
        return False
    return code[1:3].isdigit() and not 77 <= int(code[1:3]) <= 79


@dataclass(frozen=True)
class TumourMatcher:
    """Tumours by code, by exact name and by morphology at the lung."""

    by_code: Mapping[CodeKey, frozenset[str]]
    by_name: Mapping[str, frozenset[str]]
    by_morphology: Mapping[CodeKey, str]
    sites: frozenset[CodeKey]

    @classmethod
    def of(cls, value_sets: Mapping[str, ValueSet]) -> TumourMatcher:
        """From the value sets of a release; names are their `match_text` and their codes' names."""
        codes: dict[CodeKey, frozenset[str]] = {}
        names: dict[str, frozenset[str]] = {}
        for tumour in TUMOURS:
            value_set = value_sets[tumour]
            for key in value_set.code_keys():
                codes[key] = codes.get(key, frozenset()) | {tumour}
            displays = (code.display for code in value_set.codes if code.verified)
            for text in (*value_set.match_text, *displays):
                name = plain_name(text)
                if name:
                    names[name] = names.get(name, frozenset()) | {tumour}
        morphologies = {
            key: tumour
            for name, tumour in _MORPHOLOGIES.items()
            for key in value_sets[name].code_keys()
        }
        return cls(codes, names, morphologies, frozenset(value_sets[SITE].code_keys()))

    def at_lung(self, concepts: Iterable[CodeableConcept | None]) -> bool:
        """Whether one of these sites is the lung."""
        return any(
            key in self.sites or UNKNOWN_TYPE in self.by_code.get(key, ())
            for concept in concepts
            for key in concept_keys(concept)
        )

    def called(self, concept: CodeableConcept) -> frozenset[str]:
        """The tumours that a concept names, by code or by an exact name."""
        coded = (tumour for key in concept_keys(concept) for tumour in self.by_code.get(key, ()))
        return frozenset((*coded, *self._named(concept)))

    def beyond_codes(
        self,
        condition: Condition,
        reported: frozenset[CodeKey] = frozenset(),
        of_the_lung: frozenset[CodeKey] = frozenset(),
    ) -> frozenset[str]:
        """The tumours that a Condition is by more than its codes; empty for any other one.

        `reported` are morphologies that results state of it, `of_the_lung` those of a tumour there.
        """
        keys = concept_keys(condition.code)
        coded = frozenset(tumour for key in keys for tumour in self.by_code.get(key, ()))
        found = set(self._named(condition.code))
        if self.at_lung((condition.code, *condition.body_site)) or coded & _MORE_EXACT.keys():
            found.update(self._by_morphology(condition, (*keys, *reported, *of_the_lung)))
        if not coded:
            if any(map(is_malignant, keys)):
                return frozenset()
            if not found and not self.sites.isdisjoint(keys):
                # The topography of a registry alone: a cancer of the lung, and no more.
                return frozenset({UNKNOWN_TYPE})
            return frozenset(found)
        possible = [_MORE_EXACT.get(tumour, frozenset()) for tumour in coded]
        allowed = frozenset.intersection(*possible)
        return frozenset(found & allowed) - coded if found <= allowed | coded else frozenset()

    def _named(self, concept: CodeableConcept | None) -> Iterator[str]:
        if concept is None:
            return
        for text in (concept.text, *(coding.display for coding in concept.coding)):
            if text and len(text) <= LONGEST:
                yield from self.by_name.get(plain_name(STAGE.sub(" ", text)), ())

    def _by_morphology(self, condition: Condition, keys: Iterable[CodeKey]) -> Iterator[str]:
        said = [
            key
            for extension in condition.extension
            if _EXTENSION in (extension.url or "")
            for key in concept_keys(extension.value_codeable_concept)
        ]
        for key in (*keys, *said):
            if key in self.by_morphology:
                yield self.by_morphology[key]
