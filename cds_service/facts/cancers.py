"""The cancers on the problem list, and their histology."""

from __future__ import annotations

from cds_service.facts.context import Context
from cds_service.facts.problems import SUSPECTED, begun, in_order, not_yet, statement
from cds_service.fhir.record import status_of
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import Condition
from cds_service.rules import Collection, Item, Reason, ReasonKind, Statement, Statements

CANCERS = {
    "non-small cell lung cancer": (
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
    ),
    "small cell lung cancer": ("small cell lung cancer",),
    "hepatocellular carcinoma": ("hepatocellular carcinoma",),
    "ALK-positive lymphoma": ("ALK-positive lymphoma",),
    "suspected lung cancer": ("suspected lung cancer",),
}
"""Which value sets of codes/conditions.yaml stand for which member of the fact `cancers`."""

METASTASES = (
    "brain metastases",
    "leptomeningeal metastases",
    "central nervous system metastases",
    "lymph node metastases",
    "other metastases",
)
HISTOLOGY_EXTENSION = "histology-morphology-behavior"


def cancers(context: Context) -> Collection:
    """The cancers on the problem list; complete only when the conditions were supplied whole."""
    book, record = context.book, context.record
    items: list[Item] = []
    seen: set[str] = set()
    for member, value_sets in CANCERS.items():
        for name in value_sets:
            for condition in record.conditions(book.value_sets[name]):
                if _left_out(context, condition):
                    continue
                seen.add(condition.key)
                named = member
                if status_of(condition) in SUSPECTED and member != "suspected lung cancer":
                    named = "suspected lung cancer" if "lung" in member else "other cancer"
                items.append(_item(context, named, condition))
    for condition in record.conditions(book.value_sets["lung cancer of unknown type"]):
        if condition.key in seen or _left_out(context, condition):
            continue
        seen.add(condition.key)
        items.append(_item(context, _lung_type(context, condition), condition))
    known = {key for name in METASTASES for key in book.value_sets[name].keys}
    for condition in record.of_type(Condition):
        if condition.key in seen or _left_out(context, condition):
            continue
        keys = concept_keys(condition.code)
        if any(_is_malignant(key) for key in keys) and not any(key in known for key in keys):
            items.append(_item(context, "other cancer", condition))
    complete = "conditions" in context.complete
    reasons = () if complete else (_not_whole("cancers"),)
    return Collection(tuple(items), complete, reasons)


def _left_out(context: Context, condition: Condition) -> bool:
    """Refuted, or dated after the day asked about."""
    return status_of(condition) == "refuted" or not_yet(context, begun(context, condition))


def _not_whole(subject: str) -> Reason:
    return Reason.of(ReasonKind.MISSING, subject, "the list was not supplied whole")


def _item(context: Context, member: str, condition: Condition) -> Item:
    label = condition.code.label if condition.code is not None else None
    day = begun(context, condition)
    return Item(frozenset({member}), member, day, label or "", condition.key)


def _lung_type(context: Context, condition: Condition) -> str:
    """A lung site code with a coded histology is more than its site."""
    if status_of(condition) in SUSPECTED:
        return "suspected lung cancer"
    for extension in condition.extension:
        if HISTOLOGY_EXTENSION in (extension.url or "") and context.book.says(
            extension.value_codeable_concept, "adenocarcinoma morphology"
        ):
            return "non-small cell lung cancer"
    return "lung cancer of unknown type"


def _is_malignant(key: tuple[str, str]) -> bool:
    system, code = key
    if "icd-10" not in system or not code.startswith("C"):
        return False
    return code[1:3].isdigit() and not 77 <= int(code[1:3]) <= 79


_HISTOLOGY_SETS = {
    "adenocarcinoma": ("adenocarcinoma of lung",),
    "squamous": ("squamous cell carcinoma of lung",),
    "adenosquamous": ("adenosquamous carcinoma of lung",),
    "large cell": ("large cell carcinoma of lung",),
    "small cell": ("small cell lung cancer",),
}


def histology(context: Context) -> Statements | None:
    """Histology from the diagnosis code or the histology extension of a lung cancer."""
    book, statements = context.book, []
    for value, names in _HISTOLOGY_SETS.items():
        for name in names:
            for condition in context.record.conditions(book.value_sets[name]):
                found = statement(context, condition)
                if found is not None and found.value == "present":
                    statements.append(Statement(value, found.day, found.as_sent, found.source))
    for condition in context.record.of_type(Condition):
        if _left_out(context, condition):
            continue
        for extension in condition.extension:
            if HISTOLOGY_EXTENSION in (extension.url or "") and book.says(
                extension.value_codeable_concept, "adenocarcinoma morphology"
            ):
                day = begun(context, condition)
                statements.append(Statement("adenocarcinoma", day, "", condition.key))
    return in_order(statements)
