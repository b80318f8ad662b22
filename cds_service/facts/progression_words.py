"""Progression in words: of assessments known by their name, of reports, of reasons.

A whole answer out of a closed list counts as the answer. Growth within other words is enough to
ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.facts.context import Context
from cds_service.facts.diagnosis_names import may_speak_of_now, sentences_in
from cds_service.fhir.remembered import remembered
from cds_service.fhir.views import CodeableConcept, Observation

_LONGEST = 20_000
"""Characters of a report that are read."""
_ASSESSMENT = re.compile(
    r"\bi?RECIST\b|\bRANO\b|\b(?:tumou?r|disease|cancer|treatment)[ -](?:response|status)\b"
    r"|\bresponse (?:assessment|evaluation|to treatment)\b|tumoransprechen|tumorstatus"
    r"|krankheitsstatus|gesamtbeurteilung|verlaufsbeurteilung|r[ée]ponse tumorale"
    r"|statut tumoral|respuesta tumoral",
    re.IGNORECASE,
)
_BEST = re.compile(r"\bbest\w*\b|baseline|planned|target lesion size", re.IGNORECASE)
"""The best response so far says nothing of today."""
_DISEASE = (
    r"(?:disease|\w*tumou?r\w*|cancer|carcinoma|malignan\w+|\w*metast\w+|lesions?|nodules?"
    r"|mass(?:es)?|(?:tumor|krebs|grund)?erkrankung|\w*karzinom\w*|\w*filia\w*|\w*herd\w*"
    r"|l[äé]sion\w*|maladie|l[ée]sions?|enfermedad|malattia)"
)
_GROWS = (
    r"(?:progress(?:ion|ed|ing|ive|es)?|progredien\w+|progresi[óo]n|progressione|enlarg\w+|grown"
    r"|increas\w+ in size|gr[öo](?:ß|ss)enzunahme|gr[öo](?:ß|ss)enprogredien\w*|zunahme)"
)
_GROWTH = re.compile(
    rf"\b{_DISEASE}\b[^.;\n]{{0,40}}?\b{_GROWS}\b|\b{_GROWS}\b[^.;\n]{{0,30}}?\b{_DISEASE}\b"
    r"|\b(?:tumor|krankheits|gr[öo](?:ß|ss)en)progress\w*|\bPD\b(?!-?L1)|\bprogressive disease\b"
    r"|\bnew\s+(?:\w{1,14}\s+){0,2}(?:lesions?|metastas[ei]s|nodules?)\b"
    r"|\bneue?[rns]?\s+(?:\w{1,16}\s+){0,2}(?:\w{0,12}l[äa]sion\w*|\w{0,16}metasta\w+|\w{0,12}herd\w*|filia\w*)"
    r"|\bnouvel\w*\s+(?:\w{1,14}\s+){0,2}(?:l[ée]sions?|m[ée]tastases?)\b|\bnuevas?\s+(?:\w{1,14}\s+){0,2}"
    r"(?:lesi[óo]n\w*|met[áa]stasis)\b",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"(?:(?:deutlich\w*|klar\w*|clear|marked|slow|slight|leichte\w*|geringe\w*) ?)?"
    r"(?:progress(?:ion|ed|ive)?|progredien\w*|PD|worse|worsened)(?: ?(?:on|unter|under|sous|bei))?"
    r"(?: ?\w+inib)? ?[.!]?",
    re.IGNORECASE,
)
_NO_GROWTH = re.compile(
    r"pseudo-?progress|progression-?free|progressionsfrei|\b(?:at|upon|until|bei|bis zum) progress"
    r"|\b(?:if|falls|unless|versus|vs|responding|cysts?)\b|\b(?:arthr\w|degenerat\w|stabil|regress)",
    re.IGNORECASE,
)


_STEM = re.compile(r"progr|PD|wors|new|neu|nouv|nuev|enlarg|grow|increas|zunahme", re.IGNORECASE)
"""Most texts hold none of these, and are not looked at further."""
_BLANKS = re.compile(r"[^\S\n]+")
_BUT = re.compile(r",?\s(?:but|however|aber|jedoch|mais|pero|ma)\s", re.IGNORECASE)
"""What stands after it is said for itself."""


@remembered(4096)
def _is_an_assessment(name: str) -> bool:
    begins = name[:_LONGEST]
    return _ASSESSMENT.search(begins) is not None and _BEST.search(begins) is None


def named_assessments(context: Context) -> tuple[Observation, ...]:
    """Observations that no code makes an assessment of the disease, but whose name does."""

    def only_named(code: CodeableConcept) -> bool:
        names = (code.text, *(coding.display for coding in code.coding))
        named = any(name and _is_an_assessment(name) for name in names)
        return named and not context.book.says(code, "disease status")

    return context.record.observations_called(only_named)


def tells_of_growth(text: str | None) -> bool:
    """Whether a text says that the disease grows now, in one of its sentences."""
    if not text or _STEM.search(text[:_LONGEST]) is None:
        return False
    words = _BLANKS.sub(" ", text[:_LONGEST])
    for sentence in sentences_in(_BUT.sub(". ", words)):
        if _NO_GROWTH.search(sentence) or not may_speak_of_now(sentence):
            continue
        if _GROWTH.search(sentence) or _ALONE.fullmatch(sentence.strip()):
            return True
    return False


def words_of(concept: CodeableConcept | None) -> Iterator[str]:
    """The words of a concept."""
    if concept is not None:
        yield from filter(None, (concept.text, *(coding.display for coding in concept.coding)))
