"""By which method an ALK result was found: the clone of a stain, RNA or DNA, tissue or plasma.

The name may stand anywhere in the result: in its method, a note, a part, its specimen or device,
the results it was derived from, the report that lists it. It never changes the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.facts.alk_rearrangements import everything_said
from cds_service.facts.context import Context
from cds_service.fhir.datatypes import Reference
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import DiagnosticReport, Observation, Specimen

_LONGEST = 4000
_D5F3 = re.compile(r"\bD5[- ]?F3\b", re.IGNORECASE)
_OTHER_CLONE = re.compile(r"\b(?:5A4|1A4|ALK-?0?1|SP8|SP144)\b", re.IGNORECASE)
_NOT_USED = re.compile(
    r"\b(?:no|not|without|instead|than|ohne|nicht|kein\w{0,2}|statt|sans|non|n't)\b[^.;]{0,30}"
    r"\bD5[- ]?F3\b"
    r"|\bD5[- ]?F3\b[^.;,]{0,30}(?:\b(?:not|nicht|unavailable|pending|awaited|to follow|recommended"
    r"|requested|ordered|ausstehend|empfohlen|folgt|angefordert|non|en attente)\b|n't\b)",
    re.IGNORECASE,
)
_PLASMA = re.compile(
    r"plasma|blood|\bblut|\bsang\b|cf-?dna|ct-?dna|liquid biops|fl[üu]e?ssigbiops"
    r"|biopsie liquide",
    re.IGNORECASE,
)
PLASMA_SPECIMEN = "plasma or blood specimen"


def stain_of(context: Context, observation: Observation) -> str:
    """The stain by its clone, wherever in the result it is named; two clones are no answer."""
    said = " ".join(_said_anywhere(context, observation))[:_LONGEST]
    named = _D5F3.search(said) and not _OTHER_CLONE.search(said) and not _NOT_USED.search(said)
    return "D5F3 immunohistochemistry" if named else "other immunohistochemistry"


def _said_anywhere(context: Context, observation: Observation) -> Iterator[str]:
    record = context.record
    yield everything_said(observation)
    yield specimen_words(context, observation)
    if observation.device is not None:
        yield observation.device.display or ""
    for reference in (*observation.derived_from, *observation.has_member):
        part = record.resolve(reference, observation)
        if isinstance(part, Observation):
            yield everything_said(part)
    for holder in record.listed_in(observation):
        stains = [
            other
            for reference in _listed(holder)
            if isinstance(other := record.resolve(reference, holder), Observation)
        ]
        # The words of a report are of this stain when it lists no other result.
        if isinstance(holder, Observation):
            yield everything_said(holder)
        elif len(stains) == 1:
            yield holder.conclusion or ""


def _listed(holder: DiagnosticReport | Observation) -> tuple[Reference, ...]:
    return holder.has_member if isinstance(holder, Observation) else holder.result


def sequencing_of(context: Context, observation: Observation) -> str:
    """The method of a variant assessment; plasma first, whatever was read in it."""
    text = _method_text(observation).upper()
    if is_plasma(context, observation):
        return "plasma sequencing"
    if not re.search(r"\b(?:RNA|DNA|RT-?PCR)\b", text):
        # "RNA-based panel" may stand in the name, in a note or at the specimen instead.
        named = f"{everything_said(observation)} {specimen_words(context, observation)}".upper()
        words = [word for word in ("RNA", "DNA") if re.search(rf"\b{word}\b", named)]
        text += f" {words[0]}" if len(words) == 1 else ""
    if re.search(r"\bRNA\b|TRANSCRIPTOM", text):
        return "RNA sequencing"
    if re.search(r"\bDNA\b", text) or "SEQUENCING" in text:
        return "DNA sequencing"
    if re.search(r"\bRT-?PCR\b", text):
        return "RT-PCR"
    return "unnamed method"


def is_plasma(context: Context, observation: Observation) -> bool:
    """Whether plasma or blood was looked at, by a code of the specimen or by words of it."""
    said = f"{specimen_words(context, observation)} {_method_text(observation)}"
    if _PLASMA.search(said):
        return True
    specimen = _specimen(context, observation)
    return specimen is not None and context.book.says(specimen.type, PLASMA_SPECIMEN)


def _specimen(context: Context, observation: Observation) -> Specimen | None:
    if observation.specimen is None:
        return None
    found = context.record.resolve(observation.specimen, observation)
    return found if isinstance(found, Specimen) else None


def specimen_words(context: Context, observation: Observation) -> str:
    """What the specimen of a result is called, where it is displayed and where it is described."""
    if observation.specimen is None:
        return ""
    texts = [observation.specimen.display or ""]
    found = _specimen(context, observation)
    if found is not None:
        texts += [note.text or "" for note in found.note]
        if found.type is not None:
            texts += [found.type.text or "", *(item.display or "" for item in found.type.coding)]
    return " ".join(texts)


def _method_text(observation: Observation) -> str:
    concept = observation.method
    if concept is None:
        return ""
    displays = [coding.display or "" for coding in concept.coding]
    sequencing = any(key[1] == "LA26398-0" for key in concept_keys(concept))
    return " ".join([concept.text or "", *displays, "sequencing" if sequencing else ""])
