"""Why a FHIR server refused a query, in the server's own words as far as they can be repeated.

An error answer may hold the query, and with it the patient; so only what surely names nobody is
kept: words of a fixed list, names of resource types and parameters, and error codes. Everything
else becomes three dots. The text is for whoever connects the EHR, in the log and in a 412.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

LENGTH = 160
"""Characters of a server's reason that are repeated."""
MOST_BYTES = 65536
"""How much of an error answer is looked at."""

_DOTS = "…"
_ADDRESS = re.compile(r"\S*(?:://|/|\\|@|www\.)\S*")
_GIVEN = re.compile(
    r"\b(?P<name>patient|subject|intent|code|category|status|date|_id|_count|_sort)"
    r"(?P<sign>[=:])\s*\S+"
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'_-]*")
_CODE = re.compile(r"[A-Z]{2,8}-\d{1,6}:?")
_TYPES = frozenset(
    {"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense",
     "Medication", "Observation", "DiagnosticReport", "Condition", "Procedure", "ServiceRequest",
     "AdverseEvent", "AllergyIntolerance", "Encounter", "ClinicalImpression", "Flag", "Device",
     "DeviceUseStatement", "Patient", "OperationOutcome", "FHIR"}
)  # fmt: skip
_WORDS = frozenset(
    """
    a accepted access active all allowed also an and any apply are argument as at authorization
    authorized available bad be because been before both but by call can cannot category client
    code combination could count data date denied did do does due each either empty encountered
    error exceeded exist expected expired failed failure fetch following for forbidden format
    found from given has have header if in include incorrect insufficient intent internal
    invalid is it its least limit list match maximum may method minimum missing modifier more
    most must name need needed needs no not nothing of on one only operation or order other
    parameter parameters patient permission plan please present problem process provide provided
    queries query read reason received reference rejected request requested requests require
    required requires resource resources response restricted result results returned role scope
    scopes search searches searching server service should specified specify status subject such
    supply support supported supports syntax system than that the there these this time to token
    too type unable unauthorized unexpected unknown unrecognized unsupported use used user using
    valid value values was were when which will with without you your
    """.split()  # noqa: SIM905 - a list of words is read more easily as a text
)
"""The words that are repeated. A name of a person may be any other word, in any spelling."""


class _Text(msgspec.Struct):
    text: Any = None


class _Issue(msgspec.Struct):
    diagnostics: Any = None
    details: _Text | None = None
    severity: Any = None


class _Refusal(msgspec.Struct, rename="camel"):
    resource_type: Any = None
    issue: list[_Issue] = []


_decoder = msgspec.json.Decoder(_Refusal)


def server_reason(body: bytes, secrets: tuple[str, ...] = ()) -> str:
    """What the OperationOutcome in `body` says, safe to repeat; empty when it says nothing.

    `secrets` are texts that are left out wherever they stand, such as the patient's id.
    """
    try:
        refusal = _decoder.decode(body[:MOST_BYTES])
    except (msgspec.DecodeError, RecursionError):
        return ""
    if refusal.resource_type != "OperationOutcome":
        return ""
    said = []
    for issue in refusal.issue:
        words = issue.diagnostics or (issue.details.text if issue.details is not None else None)
        if isinstance(words, str) and issue.severity != "information":
            said.append(harmless(words, secrets))
    text = "; ".join(dict.fromkeys(filter(None, said)))
    return text if len(text) <= LENGTH else text[: LENGTH - 1].rstrip() + _DOTS


def harmless(text: str, secrets: tuple[str, ...] = ()) -> str:
    """A text without anything that could name a person: see the head of this file."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, f" {_DOTS} ")
    text = _ADDRESS.sub(_DOTS, " ".join(text.split())[: 4 * LENGTH])
    text = _GIVEN.sub(rf"\g<name>\g<sign>{_DOTS}", text)
    kept = [_kept(word) for word in text.split()]
    return re.sub(rf"{_DOTS}(?:\s+{_DOTS})+", _DOTS, " ".join(kept)).strip(f" {_DOTS}")


def _kept(word: str) -> str:
    if _CODE.fullmatch(word):
        return word
    bare = word.strip(".,;:!?\"'`()[]{}")
    if not bare:
        return ""
    plain = _WORD.fullmatch(bare) is not None
    if plain and (bare in _TYPES or bare.lower() in _WORDS):
        return word
    return word if bare.endswith((f"={_DOTS}", f":{_DOTS}")) else _DOTS
