"""Findings as flags, and the cancers on the problem list: questions to the model of findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from cds_service.facts.context import Context
from cds_service.facts.finding_readings import ABSENT, PRESENT, REFUTED, SUSPECTED, Reading
from cds_service.facts.findings import findings_of
from cds_service.fhir.views import Condition
from cds_service.rules import Collection, Item, Reason, ReasonKind, Statement, Statements

_LONG_AGO = date.min

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


def statement(item: Reading) -> Statement | None:
    """Present, absent (refuted, over, not found), or None when it is only suspected."""
    found = item.finding
    if found.status == SUSPECTED:
        return None
    if found.status == PRESENT:
        return Statement("present", found.began, found.label, found.source)
    day = found.began if found.status == ABSENT else item.said
    return Statement("absent", day, found.label, found.source)


def flag(context: Context, value_sets: Sequence[str]) -> Statements | None:
    """What the findings say about a flag; None when they say nothing.

    Each kind of finding is judged by its newest statements. One that is present makes the flag
    present. The flag is absent when the first set, which stands for the whole, is absent, or when
    all are: a denied syncope does not exclude dizziness.
    """
    concepts = context.book.concepts
    judged = [
        [group for name in concepts.concepts_of(item) for group in _judged(context, name)]
        for item in value_sets
    ]
    groups = [group for kinds in judged for group in kinds]
    standing = [group for group in groups if any(item.value == "present" for item in group)]
    if standing:
        present = [item for group in standing for item in group if item.value == "present"]
        days = {item.day for item in present}
        # Contradictions within one kind and day stay visible to the rules.
        clashing = [item for group in standing for item in group
                    if item.value == "absent" and item.day in days]  # fmt: skip
        return in_order(dict.fromkeys((*present, *clashing)))
    absent = dict.fromkeys(item for group in groups for item in group)
    whole = bool(judged[0]) or all(judged)
    return in_order(absent) if whole and absent else None


def _judged(context: Context, concept: str) -> list[list[Statement]]:
    """The newest statements of each kind of finding of a concept.

    Those are the ones of the newest day, and any without a day: a condition that is listed as
    active without a date may be the newest of all. A kind is what the codes say at their most
    exact, so that a narrower finding that was excluded neither hides nor excludes a broader one.
    """
    kinds: dict[frozenset[str], list[Statement]] = {}
    for item in findings_of(context).of(concept):
        found = statement(item)
        kind = context.book.concepts.lowest(item.names)
        if found is None or (item.finding.status in (REFUTED, ABSENT) and concept not in kind):
            continue
        kinds.setdefault(kind, []).append(found)
    judged = []
    for said in kinds.values():
        latest = max((item.day for item in said if item.day is not None), default=None)
        judged.append([item for item in said if item.day in (latest, None)])
    return judged


def ever(context: Context, concept: str) -> Statements | None:
    """Whether a concept was ever confirmed, be it over or not."""
    return in_order(
        Statement("present", item.finding.began, item.finding.label, item.finding.source)
        for item in findings_of(context).of(concept)
        if item.confirmed
    )


def in_order(statements: Iterable[Statement]) -> Statements | None:
    """Newest first, undated last; None when there are none.

    Of one day "present" stands before "absent", and several that agree are kept.
    """
    ordered = sorted(statements, key=lambda item: item.value, reverse=True)
    ordered.sort(key=lambda item: item.day or _LONG_AGO, reverse=True)
    return Statements(tuple(ordered)) if ordered else None


def suspected(context: Context, concept: str) -> Statements | None:
    """The suspicions of a concept that somebody still has."""
    return in_order(
        Statement("present", item.finding.began, "", item.finding.source)
        for item in findings_of(context).of(concept)
        if item.finding.status == SUSPECTED and not item.over
    )


def diagnoses(context: Context, *value_sets: str) -> list[Reading]:
    """The Conditions with a code of these value sets, each once; all of them without any.

    Tumours are told apart by their codes: a finding of another kind of resource is no diagnosis.
    """
    keys = {key for name in value_sets for key in context.book.value_sets[name].keys}
    return [
        item
        for item in findings_of(context).readings
        if isinstance(item.record, Condition) and (not value_sets or not keys.isdisjoint(item.keys))
    ]


def has_histology(context: Context, item: Reading) -> bool:
    """Whether an extension of a Condition says that the tumour is an adenocarcinoma."""
    return any(
        HISTOLOGY_EXTENSION in (extension.url or "")
        and context.book.says(extension.value_codeable_concept, "adenocarcinoma morphology")
        for extension in item.record.extension
    )


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
