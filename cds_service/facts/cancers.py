"""The cancers on the problem list, and their histology."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.facts import tumours
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import REFUTED, SUSPECTED, Reading
from cds_service.facts.problems import diagnoses, statement
from cds_service.facts.statement_order import in_order
from cds_service.fhir.views import MedicationRequest
from cds_service.rules import Collection, Item, Reason, ReasonKind, Statement, Statements

CANCERS = {
    "non-small cell lung cancer": tumours.NON_SMALL_CELL,
    "small cell lung cancer": (tumours.SMALL_CELL,),
    "hepatocellular carcinoma": ("hepatocellular carcinoma",),
    "ALK-positive lymphoma": ("ALK-positive lymphoma",),
    "inflammatory myofibroblastic tumour": ("inflammatory myofibroblastic tumour",),
    "suspected lung cancer": (tumours.SUSPECTED,),
}
"""Which value sets of codes/conditions.yaml stand for which member of the fact `cancers`."""

OF_OTHER_USES = ("ALK-positive lymphoma", "inflammatory myofibroblastic tumour")
"""Tumours beside those of the lung for which a drug of ours is labelled."""

METASTASES = (
    "brain metastases",
    "leptomeningeal metastases",
    "central nervous system metastases",
    "lymph node metastases",
    "other metastases",
)


def cancers(context: Context, drafts: Iterable[MedicationRequest] = ()) -> Collection:
    """The cancers on the problem list, and a labelled one for which a draft is ordered; complete
    only when the conditions were supplied whole."""
    book = context.book
    items: list[Item] = []
    seen: set[str] = set()
    for member, value_sets in CANCERS.items():
        for name in value_sets:
            for item in diagnoses(context, name):
                if item.finding.status == REFUTED:
                    continue
                seen.add(item.record.key)
                named = member
                if item.finding.status == SUSPECTED and member != "suspected lung cancer":
                    named = "suspected lung cancer" if "lung" in member else "other cancer"
                items.append(_item(named, item))
    for item in diagnoses(context, tumours.UNKNOWN_TYPE):
        if item.record.key in seen or item.finding.status == REFUTED:
            continue
        seen.add(item.record.key)
        suspected = item.finding.status == SUSPECTED
        items.append(_item(tumours.SUSPECTED if suspected else tumours.UNKNOWN_TYPE, item))
    known = {key for name in METASTASES for key in book.value_sets[name].keys}
    for item in diagnoses(context):
        if item.record.key in seen or item.finding.status == REFUTED:
            continue
        if any(map(tumours.is_malignant, item.keys)) and known.isdisjoint(item.keys):
            items.append(_item("other cancer", item))
    items += _reasons(context, drafts)
    complete = "conditions" in context.complete
    reasons = () if complete else (_not_whole("cancers"),)
    return Collection(tuple(items), complete, reasons)


def _reasons(context: Context, drafts: Iterable[MedicationRequest]) -> Iterable[Item]:
    """What a draft gives as its reason. A reference leads to a Condition, read as such."""
    for draft in drafts:
        for concept in draft.reason_code:
            called = context.book.tumours.called(concept)
            for member in OF_OTHER_USES:
                if member in called:
                    names = frozenset({member})
                    yield Item(names, member, None, concept.label or member, draft.key)


def only_others(recorded: Collection) -> bool:
    """Whether the whole problem list names cancers, and none that may be of the lung."""
    kinds = {name for item in recorded.items for name in item.names}
    return recorded.complete and bool(kinds) and not any("lung" in kind for kind in kinds)


def only_others_recorded(recorded: Collection) -> Statements | None:
    """The same as a fact; None while the list is not whole and names no cancer of the lung."""
    lung = any("lung" in name for item in recorded.items for name in item.names)
    if not recorded.complete and not lung:
        return None
    item = next(iter(recorded.items), None)
    source = item.source if item is not None else ""
    value = "present" if only_others(recorded) else "absent"
    return Statements((Statement(value, None, item.label if item is not None else "", source),))


def _not_whole(subject: str) -> Reason:
    return Reason.of(ReasonKind.MISSING, subject, "the list was not supplied whole")


def _item(member: str, item: Reading) -> Item:
    found = item.finding
    return Item(frozenset({member}), member, found.began, found.label, found.source)


_HISTOLOGY_SETS = {
    "adenocarcinoma": ("adenocarcinoma of lung",),
    "squamous": ("squamous cell carcinoma of lung",),
    "adenosquamous": ("adenosquamous carcinoma of lung",),
    "large cell": ("large cell carcinoma of lung",),
    "small cell": ("small cell lung cancer",),
}


def histology(context: Context) -> Statements | None:
    """Histology from the code, the exact name or the morphology of a lung cancer."""
    statements = []
    for value, names in _HISTOLOGY_SETS.items():
        for item in diagnoses(context, *names):
            found = statement(item)
            if found is not None and found.value == "present":
                statements.append(Statement(value, found.day, found.as_sent, found.source))
    return in_order(statements)
