"""Comparing codes: one spelling per code system and per code.

A code without a system never matches: "123" means something else in every system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cds_service.fhir.datatypes import CodeableConcept, Coding
from cds_service.fhir.remembered import remembered

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_10_WHO = "http://hl7.org/fhir/sid/icd-10"
ICD_10_AM = "http://hl7.org/fhir/sid/icd-10-am"
ICD_10_NL = "http://hl7.org/fhir/sid/icd-10-nl"
ICD_10 = frozenset((ICD_10_CM, ICD_10_GM, ICD_10_WHO, ICD_10_AM, ICD_10_NL))
"""The editions of ICD-10. One string can mean different things in two of them."""
NCI_THESAURUS = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
NDC = "http://hl7.org/fhir/sid/ndc"
ATC = "http://www.whocc.no/atc"
UNII = "http://fdasis.nlm.nih.gov"
HGNC = "http://www.genenames.org"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
NPU = "http://npu-terminology.org"
UCUM = "http://unitsofmeasure.org"

SYSTEM_VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        RXNORM: ("urn:oid:2.16.840.1.113883.6.88",),
        LOINC: ("urn:oid:2.16.840.1.113883.6.1",),
        SNOMED: ("urn:oid:2.16.840.1.113883.6.96",),
        NPU: (
            "urn:oid:1.2.208.176.2.1",
            "urn:oid:1.2.752.108.1",
            "urn:oid:2.16.578.1.12.4.1.1.7280",
        ),
        ICD_10_CM: ("urn:oid:2.16.840.1.113883.6.90",),
        ICD_10_GM: ("http://fhir.de/CodeSystem/dimdi/icd-10-gm",),
        ICD_10_WHO: ("urn:oid:2.16.840.1.113883.6.3",),
        ICD_10_AM: ("urn:oid:2.16.840.1.113883.6.135",),
        ICD_10_NL: ("urn:oid:2.16.840.1.113883.6.3.2",),
        NDC: ("urn:oid:2.16.840.1.113883.6.69",),
        ATC: (
            "http://fhir.de/CodeSystem/bfarm/atc",
            "http://fhir.de/CodeSystem/dimdi/atc",
            "urn:oid:2.16.840.1.113883.6.73",
        ),
        UNII: (),
        HGNC: ("http://www.genenames.org/geneId", "urn:oid:2.16.840.1.113883.6.281"),
        UCUM: ("urn:oid:2.16.840.1.113883.6.8",),
        ICD_O_3: ("urn:oid:2.16.840.1.113883.6.43.1",),
        "http://www.sequenceontology.org": ("http://sequenceontology.org",),
        # Systems whose canonical spelling is https.
        "https://www.meddra.org": ("http://terminology.hl7.org/CodeSystem/MDRAE",),
        "https://www.ncbi.nlm.nih.gov/gene": (),
        "https://cancer.sanger.ac.uk/cosmic": (),
    }
)

CodeKey = tuple[str, str]
"""(canonical system, normal code): what equal codes have in common."""

_OPEN_WITH_PATH = ("http://snomed.info/sct/",)
_ICD_STEM = re.compile(r"[A-Z][0-9][0-9A-Z](\.?)[0-9A-Z]{0,4}\Z")
_BLANKS = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
_ICD_MARKS = f"{_BLANKS}*+!†.-"
_CM_ONLY = re.compile(r"[A-Z](?:[0-9][A-Z]|[0-9]{2}(?:.*[A-Z]|.{3,}\Z))")
_GM_CERTAINTY = re.compile(r"([A-Z][0-9]{2}\.?[0-9]{0,2})[-*+!†]*\s*([GVZA])\s*\Z")
_NDC_HYPHENATED = re.compile(r"(\d{4,5})-(\d{3,4})-(\d{1,2})\Z")
_GENE_NUMBER = re.compile(r"(?:HGNC[:_ ]?)?0*([1-9]\d*)\Z", re.IGNORECASE)


def _spelling(uri: str) -> str:
    text = uri.strip().split("|", 1)[0].rstrip("/")
    if text.lower().startswith("urn:"):
        return text.lower()
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in {"http", "https"}:
        host, slash, path = rest.partition("/")
        return f"http://{host.lower()}{slash}{path}"
    return text


_CANONICAL = {
    _spelling(spelling): canonical
    for canonical, variants in SYSTEM_VARIANTS.items()
    for spelling in (canonical, *variants)
}


def canonical_system(uri: str) -> str:
    """One spelling for a code system: no version, no trailing slash, OIDs as their URL.

    A system that is not listed keeps its own address, written with http.
    """
    spelling = _spelling(uri)
    for prefix in _OPEN_WITH_PATH:
        # SNOMED CT puts module and version into the path; the codes are the same codes.
        if spelling.startswith(prefix):
            spelling = prefix.rstrip("/")
    return _CANONICAL.get(spelling, spelling)


def normal_code(system: str, code: str) -> str:
    """One spelling for a code of a canonical system: ICD-10 dots and case, NDC 5-4-2, HGNC:n."""
    code = code.strip()
    if system in ICD_10:
        marked = _GM_CERTAINTY.match(code.upper()) if system == ICD_10_GM else None
        if marked is None:
            return _icd_10(code)
        plain, certainty = _icd_10(marked.group(1)), marked.group(2)
        # In front, where no shortening of the code makes it the code without the letter.
        return plain if certainty == "G" else f"{certainty}:{plain}"
    if system == NDC:
        return _ndc(code)
    if system == HGNC:
        return "::".join(_gene(part) for part in code.split("::"))
    return code


def _icd_10(code: str) -> str:
    # Dagger, asterisk and exclamation mark say how a code is combined, ".-" that it goes on.
    upper = code.upper().rstrip(_ICD_MARKS)
    if _ICD_STEM.match(upper) is None:
        return upper
    plain = upper.replace(".", "")
    return plain if len(plain) == 3 else f"{plain[:3]}.{plain[3:]}"


def _ndc(code: str) -> str:
    if code.isdecimal() and len(code) == 11:
        return f"{code[:5]}-{code[5:9]}-{code[9:]}"
    match = _NDC_HYPHENATED.match(code)
    # Ten digits without hyphens fit three different packages: left alone, so they match nothing.
    if match is None or sum(map(len, match.groups())) < 10:
        return code
    labeler, product, package = match.groups()
    return f"{labeler:0>5}-{product:0>4}-{package:0>2}"


def _gene(code: str) -> str:
    match = _GENE_NUMBER.match(code.strip())
    return f"HGNC:{match.group(1)}" if match else code.strip().upper()


@remembered(16384)
def code_key(system: str | None, code: str | None) -> CodeKey | None:
    """The comparable form of a code, or None when system or code is missing."""
    if not system or not code:
        return None
    canonical = canonical_system(system)
    normal = normal_code(canonical, code)
    if canonical == ICD_10_WHO and _CM_ONLY.match(normal.replace(".", "")):
        # Many US senders name the international edition. Its codes have at most five characters
        # and no second letter, so a longer code can only be theirs; a shorter one stays what the
        # sender says it is.
        canonical = ICD_10_CM
    return (canonical, normal) if canonical and normal else None


_CERTAINTY_TAIL = "icd-10-gm-diagnosesicherheit"
GERMAN_CERTAINTY: Mapping[str, str] = MappingProxyType(
    {"V": "suspected", "Z": "over", "A": "excluded"}
)
"""What the letter behind an outpatient ICD-10-GM code says of the diagnosis."""


def german_certainty(key: CodeKey) -> tuple[CodeKey, str] | None:
    """A GM code without its letter of certainty, and what the letter says; None without one.

    `code_key` writes the letter in front ("A:J70.2"), so that an excluded pneumonitis is never
    taken for pneumonitis by a reader that does not know the letters. Behind a confirmed diagnosis
    (G) it is left out.
    """
    system, code = key
    letter, colon, plain = code.partition(":")
    if system != ICD_10_GM or not colon or letter not in GERMAN_CERTAINTY:
        return None
    return (system, plain), GERMAN_CERTAINTY[letter]


def coding_key(coding: Coding) -> CodeKey | None:
    """`code_key` of a Coding, with the letter of certainty that German profiles put beside it."""
    key = code_key(coding.system, coding.code)
    if key is None or not coding.extension or key[0] != ICD_10_GM or ":" in key[1]:
        return key
    for extension in coding.extension:
        said = extension.value_coding
        if (extension.url or "").lower().endswith(_CERTAINTY_TAIL) and said is not None:
            letter = (said.code or "").strip().upper()
            return (key[0], f"{letter}:{key[1]}") if letter in GERMAN_CERTAINTY else key
    return key


def concept_keys(concept: CodeableConcept | None) -> tuple[CodeKey, ...]:
    """Comparable codes of all codings of a concept, in the order sent."""
    if concept is None or not concept.coding:
        # What is in words only may be anything, and nothing of it is kept.
        return ()
    return _keys_of(concept)


def characters_of(concept: CodeableConcept) -> int:
    """How many characters stand in a concept: see `remembered`."""
    texts = [concept.text]
    for item in concept.coding:
        texts += [item.system, item.code, item.display, item.version]
    return sum([len(text) for text in texts if text])


@remembered(8192, characters_of)
def _keys_of(concept: CodeableConcept) -> tuple[CodeKey, ...]:
    keys = [coding_key(coding) for coding in concept.coding]
    return tuple([key for key in keys if key is not None])


def gene_codes(code: str) -> tuple[str, ...]:
    """HGNC ids named by one code: `HGNC:1316::HGNC:427` names two genes."""
    return tuple(_gene(part) for part in code.split("::") if part.strip())


@dataclass(frozen=True)
class CodeSet:
    """A named set of codes. Keys are normalised on construction, so any spelling will do."""

    name: str
    keys: frozenset[CodeKey] = field(repr=False)
    in_order: tuple[CodeKey, ...] = field(init=False, repr=False, compare=False, default=())
    """The keys in one order, whatever order a set has."""

    def __post_init__(self) -> None:
        normal = {code_key(system, code) for system, code in self.keys}
        if None in normal:
            raise ValueError(f"code set {self.name!r} holds a code without system or code")
        object.__setattr__(self, "keys", frozenset(key for key in normal if key is not None))
        object.__setattr__(self, "in_order", tuple(sorted(self.keys)))

    @classmethod
    def of(cls, name: str, codes: Iterable[tuple[str, str]]) -> CodeSet:
        """A set from (system, code) pairs in any spelling."""
        return cls(name, frozenset(codes))

    def __contains__(self, key: object) -> bool:
        return key in self.keys

    def match(self, concept: CodeableConcept | None) -> Coding | None:
        """The first coding of the concept that is in the set; text is never matched here."""
        if concept is None:
            return None
        for coding in concept.coding:
            if coding_key(coding) in self.keys:
                return coding
        return None
