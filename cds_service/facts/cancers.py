"""The cancers on the problem list, and their histology."""

from __future__ import annotations

from cds_service.facts.context import Context
from cds_service.facts.finding_readings import REFUTED, SUSPECTED, Reading
from cds_service.facts.problems import diagnoses, in_order, statement
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
    "inflammatory myofibroblastic tumour": ("inflammatory myofibroblastic tumour",),
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
    for item in diagnoses(context, "lung cancer of unknown type"):
        if item.record.key in seen or item.finding.status == REFUTED:
            continue
        seen.add(item.record.key)
        items.append(_item(_lung_type(context, item), item))
    known = {key for name in METASTASES for key in book.value_sets[name].keys}
    for item in diagnoses(context):
        if item.record.key in seen or item.finding.status == REFUTED:
            continue
        if any(map(_is_malignant, item.keys)) and known.isdisjoint(item.keys):
            items.append(_item("other cancer", item))
    complete = "conditions" in context.complete
    reasons = () if complete else (_not_whole("cancers"),)
    return Collection(tuple(items), complete, reasons)


def _not_whole(subject: str) -> Reason:
    return Reason.of(ReasonKind.MISSING, subject, "the list was not supplied whole")


def _item(member: str, item: Reading) -> Item:
    found = item.finding
    return Item(frozenset({member}), member, found.began, found.label, found.source)


def _lung_type(context: Context, item: Reading) -> str:
    """A lung site code with a coded histology is more than its site."""
    if item.finding.status == SUSPECTED:
        return "suspected lung cancer"
    if has_histology(context, item):
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
    statements = []
    for value, names in _HISTOLOGY_SETS.items():
        for item in diagnoses(context, *names):
            found = statement(item)
            if found is not None and found.value == "present":
                statements.append(Statement(value, found.day, found.as_sent, found.source))
    for item in diagnoses(context):
        if item.finding.status != REFUTED and has_histology(context, item):
            said = Statement("adenocarcinoma", item.finding.began, "", item.record.key)
            statements.append(said)
    return in_order(statements)


def has_histology(context: Context, item: Reading) -> bool:
    """Whether an extension of a Condition says that the tumour is an adenocarcinoma."""
    return any(
        HISTOLOGY_EXTENSION in (extension.url or "")
        and context.book.says(extension.value_codeable_concept, "adenocarcinoma morphology")
        for extension in item.record.extension
    )
