"""Diagnoses in words: what an EHR writes around a name, doubt about it, and names within a text.

The name of a diagnosis is compared as a whole. Record systems add marks for billing, abbreviations
and "unspecified"; people add their doubt. Both are closed lists of what may stand around a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.rules.doubt import DOUBT_AFTER, DOUBT_BEFORE

LONGEST = 200
"""Characters of a text in which a name is looked for: a longer one is a letter, not a diagnosis."""
_MARK = re.compile(r"\s*[\[(](?:CMS\s*(?:[/-]\s*)?)?HCC[\])]", re.IGNORECASE)
"""What Epic adds for billing: "(HCC)", "(CMS/HCC)"."""
_CODE = re.compile(r"\s*[\[(][A-Z]\d{2}(?:\.[0-9A-Z]{1,4})?[\])]\s*\Z")
_CODE_BEFORE = re.compile(r"\A\s*[A-Z]\d{2}(?:\.[0-9A-Z]{1,4})?(?:\s*[-:–])?\s+(?=\D)")
_SHORT_AFTER = re.compile(r"(?P<long>[^()]*[^()\s])\s*\([A-Z]{2,6}\)\s*\Z")
_SHORT_BEFORE = re.compile(r"[A-Z]{2,6}\s*\((?P<long>[^()]+)\)\s*\Z")
_TAIL = re.compile(
    r"(?:\s*,\s*(?:unspecified\b[^,]*|(?:initial|subsequent) encounter|NOS"
    r"|not otherwise specified|not elsewhere classified|nicht näher bezeichnet"
    r"|anderenorts nicht klassifiziert|sans précision|non spécifiée?|non specificat[ao]"
    r"|no especificad[ao]|não especificad[ao]|niet gespecificeerd|uspecificeret|ospecificerad"
    r"|uspesifisert|nieokreślon[ey]))+\s*\Z|\s+NOS\s*\Z",
    re.IGNORECASE,
)
_DRUG = r"\w+inib"
"""The stem of INN for kinase inhibitors: no list of drugs is needed here."""
_COURSE_BEFORE = re.compile(
    rf"\A(?:(?:acute|new|new-onset|worsening|progressive|increasing|akute[rs]?|neue|progrediente"
    rf"|(?:{_DRUG}|drug|medikamentös|medikamenten)[- ]?"
    rf"(?:induced|related|associated|induzierte[rs]?|assoziierte[rs]?))\s+)+",
    re.IGNORECASE,
)
_COURSE_AFTER = re.compile(
    rf"\s+(?:(?:on|under|with|during|since|after|unter|seit|sous|sotto)\s+{_DRUG}"
    r"|\d+\s*(?:h|hours?|days?)\s+after\s+" + _DRUG + r")\s*\Z",
    re.IGNORECASE,
)
"""How it began and beside which kinase inhibitor: it is the same illness without that."""
_DOUBT_BEFORE = re.compile(rf"\A\s*(?:\?\s*|(?:{DOUBT_BEFORE})\s+)", re.IGNORECASE)
# Asked of a text whose blanks are single.
_DOUBT_AFTER = re.compile(rf"(?: ?\?+| ?,? ?\(? ?(?:{DOUBT_AFTER}) ?\)?) ?\Z", re.IGNORECASE)
_NOT_NOW = re.compile(
    r"\b(?:no|not|non|without|denie[sd]|negative|excluded?|ruled out|history|hx|h/o|family|father"
    r"|mother|sibling|risk|screening|prevention|prophylaxis|vaccination|previous|prior|former|past"
    r"|status post|s/p|resolved|kein|keine|keinen|ohne|ausschluss|ausgeschlossen|nicht|zustand nach"
    r"|z\.\s*n\.|anamnese|anamnestisch|keinerlei|sans|pas|absence|aucune?|exclue?|antécédent"
    r"|antécédents|senza|assenza|nessuna?|nessun|esclus[oa]|sin|ausencia|ningún|ninguna"
    r"|descartad[oa]|antecedentes|geen|zonder|voorgeschiedenis|uitgesloten|ingen|intet|ikke|uden"
    r"|uten|inte|utan|udelukket|utesluten|tidligere|tidigare|sem|não|nega|excluíd[oa]|história"
    r"|histórico|brak|bez|nie|wykluczono)\b|\bz\.\s*n\.",
    re.IGNORECASE,
)
"""Words after which a name in a text may mean the contrary, the past or somebody else."""


_SENTENCE_ENDS = re.compile(r"(?<=[.;!])\s+|[\r\n]+")
_NOT_EXCLUDED = re.compile(
    r"\b(?:cannot|can ?not|can't|could not|not) (?:be )?(?:\w+ly )?(?:exclude[ds]?|ruled? out)\b"
    r"|\bnicht (?:sicher )?(?:auszuschließen|ausgeschlossen)\b",
    re.IGNORECASE,
)
_NOT_NEW = re.compile(
    r"\b(?:known|stable|unchanged|chronic|pre-?existing|longstanding|long-standing|comparison"
    r"|compared|improved|improving|previously|resolution|resolving|regress\w*|bekannte?[rns]?|unverändert\w*|stationär)\b",
    re.IGNORECASE,
)
"""Words of reports for what was there before or gets better."""


def sentences_in(text: str) -> Iterator[str]:
    """The sentences of a report that may tell of something new.

    "Cannot be excluded" is a suspicion and no denial.
    """
    for sentence in _SENTENCE_ENDS.split(text):
        if _NOT_NEW.search(sentence) is None:
            yield _NOT_EXCLUDED.sub("possible", sentence)


def names_in(text: str) -> Iterator[tuple[str, bool]]:
    """The names that a text as a whole may be, and whether it says so with doubt.

    The text itself comes first. "ILD (interstitial lung disease) (HCC)" is interstitial lung
    disease, "Pneumonitis?" and "Suspected pneumonitis" are a doubtful pneumonitis.
    """
    yield text, False
    if len(text) > LONGEST:
        return
    plain = _CODE.sub("", _MARK.sub("", " ".join(text.split())))
    plain = _CODE_BEFORE.sub("", plain).strip()
    certain = _DOUBT_AFTER.sub("", _DOUBT_BEFORE.sub("", plain, count=1), count=1).strip()
    doubtful = certain != plain
    for name in dict.fromkeys((certain, *_without_additions(certain))):
        if name and (name != text or doubtful):
            yield name, doubtful


def _without_additions(text: str) -> Iterator[str]:
    bare = _TAIL.sub("", text)
    yield bare
    for pattern in (_SHORT_AFTER, _SHORT_BEFORE):
        found = pattern.match(bare)
        if found is not None:
            yield _TAIL.sub("", found["long"]).strip()
    course = _COURSE_BEFORE.sub("", _COURSE_AFTER.sub("", bare)).strip()
    if course != bare:
        yield course


def may_speak_of_now(text: str) -> bool:
    """Whether nothing in a text says that what it names is absent, over or somebody else's."""
    return _NOT_NOW.search(text) is None


_LASTS = re.compile(r"\b(?:chroni\w*|crónic\w*|cronic\w*|przewlek\w*|langjährig\w*)", re.IGNORECASE)
_WORSE_OR_NEW = re.compile(
    r"\b(?:new\w*|acute|worsen\w*|progress\w*|progredi\w*|increas\w*|exacerbat\w*|neu|neue\w*|akut\w*"
    r"|zunehmend\w*|verschlecht\w*|aigu\w*|acut[oa]|agud[oa])\b",
    re.IGNORECASE,
)


def says_long_standing(text: str) -> bool:
    """Whether a diagnosis calls itself old, and neither new nor worse."""
    old = _NOT_NEW.search(text) is not None or _LASTS.search(text) is not None
    return old and _WORSE_OR_NEW.search(text) is None
