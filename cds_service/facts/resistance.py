"""Findings that explain why an ALK inhibitor stopped working.

Only what was found on or after the start of the first ALK inhibitor counts: a mutation that was
there before is no answer to treatment. Several mutations without a stated phase never pass for a
compound one, nor for each of them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import combinations

from cds_service.facts.alk_status import GIVEN, SUFFICIENT, TISSUE, AlkResult
from cds_service.facts.cancers import CANCERS
from cds_service.facts.context import Context
from cds_service.facts.copies_in_words import MEMBER as UNINTERPRETED
from cds_service.facts.copies_in_words import copies_in_words
from cds_service.facts.finding_readings import Reading
from cds_service.facts.problems import diagnoses
from cds_service.facts.variants import Change, Variant, phase_of
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Observation
from cds_service.rules import Collection, Event, Events, Item, Reason, ReasonKind

KINASE_DOMAIN = range(1116, 1400)
"""Residues of the ALK kinase domain: changes outside of it are not resistance to an inhibitor."""

SEVERAL = "several mutations of unknown phase"
NONE_DETECTED = "none detected"
COMPOUND = "compound mutation"

_MUTATIONS = "ALK mutation findings"
_OTHER = "other resistance findings"


def mutation_findings(
    context: Context, variants: Sequence[Variant], start: date | None
) -> Collection:
    """The kinase-domain findings of the newest informative sample since `start`.

    A negative plasma test is not informative: the tumour may shed no DNA. Nothing is complete
    unless a sample was found and everything in it could be read.
    """
    if start is None:
        return _nothing(_MUTATIONS, "no dated start of an ALK inhibitor is recorded")
    about = [item for item in variants if "ALK" in item.genes and _of_kinase_domain(item)]
    if any(item.day < start for item in about):
        context.remark(_MUTATIONS, "results from before the first ALK inhibitor were left out")
    about = [item for item in about if item.day >= start]
    informative = [item for item in about if item.answer == "positive" or _clean(item)]
    if len(informative) < len(about):
        context.remark(
            _MUTATIONS, "a result that is not informative was left out: negative in plasma or in"
            " an unnamed specimen, equivocal or failed",
        )  # fmt: skip
    if not informative:
        return _nothing(_MUTATIONS, "no informative sample since the first ALK inhibitor")
    newest = max(item.day for item in informative)
    samples = {item.sample for item in informative if item.day == newest} - {""}
    sample = [item for item in informative if item.day == newest or item.sample in samples]
    # Which one is named must not hang on the order in which they were sent.
    sample.sort(key=lambda item: item.source)
    later = [item for item in about if item not in informative and item.day >= newest]
    found = [item for item in sample if item.answer == "positive"]
    unread = any(_unread(item) for item in found)
    whole = not later and not unread
    reasons = () if whole else (_missing(_MUTATIONS, "not all of it could be read"),)
    named = _item(context, found, unread=unread, day=newest, source=sample[0].source)
    return Collection((named,) if named is not None else (), whole, reasons)


def profile_days(findings: Collection) -> Events:
    """The days of the samples behind the findings: when resistance was last looked for."""
    days = [Event(item.day, item.label, item.source) for item in findings.items if item.day]
    return Events(tuple(days), complete=findings.complete)


def _of_kinase_domain(variant: Variant) -> bool:
    """Whether it tells of changes of the kinase domain, or of the lack of them."""
    if variant.answer == "negative":
        return variant.says_no_variant and "EML4" not in variant.genes
    if variant.answer == "positive" or variant.changes:
        return _unread(variant) or bool(_changes(variant))
    return False


def _unread(variant: Variant) -> bool:
    """Whether a change of ALK itself is stated that cannot be read; a fusion is none."""
    return variant.unread and not variant.fused


def _clean(variant: Variant) -> bool:
    return variant.answer == "negative" and variant.specimen == "tissue"


def _changes(variant: Variant) -> list[Change]:
    return [item for item in variant.changes if item.residue in KINASE_DOMAIN]


def _item(
    context: Context, found: Sequence[Variant], *, unread: bool, day: date, source: str
) -> Item | None:
    """What a sample says; None when a change in it cannot be read and there is no other."""
    changes = {change.name: change for item in found for change in _changes(item)}
    if not changes:
        if unread:
            return None
        return Item(frozenset({NONE_DETECTED}), NONE_DETECTED, day, NONE_DETECTED, source)
    ordered = sorted(changes.values(), key=lambda item: (item.residue, item.name))
    source = next(item.source for item in found if _changes(item))
    if len(ordered) == 1 and not unread:
        only = ordered[0]
        return Item(frozenset({only.name, only.codon}), only.name, day, only.name, source)
    cis, trans = _phases(context, found)
    if not unread and not trans and _all_joined([item.name for item in ordered], cis):
        name = " + ".join(item.name for item in ordered)
        return Item(frozenset({name, COMPOUND}), name, day, name, source)
    fractions = {change.name: item.fraction for item in found for change in _changes(item)}
    listed = [
        f"{item.name} ({fractions[item.name]})" if fractions[item.name] else item.name
        for item in ordered
    ]
    if unread:
        listed.append("one that cannot be read")
    how = "stated on different alleles" if trans and not cis else "phase not known"
    label = f"{', '.join(listed)}; {how}"
    return Item(frozenset({SEVERAL}), label, day, label, source)


Pairs = set[frozenset[str]]


def _phases(context: Context, found: Sequence[Variant]) -> tuple[Pairs, Pairs]:
    """The pairs of mutations that are stated to be in cis, and those in trans."""
    pairs: dict[str, Pairs] = {"cis": set(), "trans": set()}

    def add(phase: str, names: Iterable[str]) -> None:
        if phase:
            pairs[phase] |= {frozenset(pair) for pair in combinations(sorted(set(names)), 2)}

    by_source: dict[str, list[str]] = {}
    for variant in found:
        names = [change.name for change in _changes(variant)]
        by_source.setdefault(variant.source, []).extend(names)
        add(variant.phase, names)
    for result in context.record.observations(context.book.value_sets["allelic phase"]):
        observation = result.observation
        moment = context.effective(observation)
        day = moment.day if moment is not None else None
        if result.component is not None or status_of(observation) not in GIVEN:
            continue
        if day is not None and day > context.as_of:
            continue
        related = [context.record.resolve(reference) for reference in observation.derived_from]
        names = [
            name
            for other in related
            if isinstance(other, Observation)
            for name in by_source.get(other.key, ())
        ]
        add(phase_of(context, observation.value_codeable_concept), names)
    return pairs["cis"], pairs["trans"]


def _all_joined(names: Sequence[str], pairs: Pairs) -> bool:
    """Whether the pairs lead from the first name to every other one."""
    reached, waiting = {names[0]}, [names[0]]
    while waiting:
        here = waiting.pop()
        for pair in pairs:
            if here in pair and not pair <= reached:
                waiting += pair - reached
                reached |= pair
    return reached >= set(names)


def _missing(fact: str, detail: str) -> Reason:
    return Reason.of(ReasonKind.MISSING, fact, detail)


def _nothing(fact: str, detail: str) -> Collection:
    return Collection((), complete=False, incomplete=(_missing(fact, detail),))


_MUTATED = {
    "EGFR": "EGFR mutation",
    "KRAS": "KRAS mutation",
    "PIK3CA": "PIK3CA mutation",
}


_COPIES = frozenset({UNINTERPRETED, "HER2 amplification", "MET amplification"})


def other_findings(
    context: Context,
    variants: Sequence[Variant],
    results: Sequence[AlkResult],
    start: date | None,
) -> Collection:
    """Coded findings outside the ALK kinase domain since the first ALK inhibitor.

    Never complete: no record says what else a panel looked for.
    """
    if start is None:
        return _nothing(_OTHER, "no dated start of an ALK inhibitor is recorded")
    items: list[Item] = []
    for variant in variants:
        if variant.day < start or variant.answer != "positive":
            continue
        if _uninterpreted(variant):
            context.remark(_OTHER, "a number of copies without a coded amplification")
        items += [
            Item(frozenset({member}), member, variant.day, member, variant.source)
            for member in _members(variant)
        ]
    if not any(item.names & _COPIES for item in items):
        items += list(copies_in_words(context, start))[:1]
    items += _transformations(context, start)
    items += _fusion_lost(context, results, start)
    reasons = (_missing(_OTHER, "what else was looked for is not recorded"),)
    return Collection(tuple(items), complete=False, incomplete=reasons)


def _uninterpreted(variant: Variant) -> bool:
    """Copies of MET or HER2 were counted, and nobody says whether they are too many."""
    counted = variant.copies and bool(variant.genes & {"MET", "ERBB2"})
    return counted and not variant.kinds & {"gene amplified", "gene lost"}


def _members(variant: Variant) -> list[str]:
    """Which of the members one positive variant is."""
    found: list[str] = []
    genes = variant.genes
    if _uninterpreted(variant):
        found.append(UNINTERPRETED)
    if "ERBB2" in genes and "gene amplified" in variant.kinds:
        found.append("HER2 amplification")
    if "MET" in genes:
        if "gene amplified" in variant.kinds:
            found.append("MET amplification")
        if variant.fused:
            found.append("MET fusion")
    if variant.fused or variant.several_genes:
        return found
    if variant.mutated:
        found += [member for gene, member in _MUTATED.items() if gene in genes]
        if "BRAF" in genes and any(change.name == "V600E" for change in variant.changes):
            found.append("BRAF V600E")
    if "KIT" in genes:
        found.append("KIT alteration")
    for gene in ("NF2", "RB1", "TP53"):
        lost = {"gene lost"} if gene == "TP53" else {"gene lost", "loss of function"}
        if gene in genes and variant.kinds & lost:
            found.append(f"{gene} loss")
    return found


def _transformations(context: Context, start: date) -> list[Item]:
    """Another histology that was diagnosed on treatment, beside the earlier one."""
    earlier = {
        "small cell transformation": _non_small_cell(context),
        "squamous transformation": _adenocarcinomas(context),
    }
    new = {
        "small cell transformation": "small cell lung cancer",
        "squamous transformation": "squamous cell carcinoma of lung",
    }
    items: list[Item] = []
    for member, value_set in new.items():
        for item in diagnoses(context, value_set):
            day = item.finding.began
            if not item.confirmed or day is None or day < start:
                continue
            others = [other for other in earlier[member] if other.record.key != item.record.key]
            if any((other.finding.began or date.min) < day for other in others):
                items.append(Item(frozenset({member}), member, day, member, item.record.key))
    return items


def _non_small_cell(context: Context) -> list[Reading]:
    found = diagnoses(context, *CANCERS["non-small cell lung cancer"])
    return [item for item in found if item.confirmed]


def _adenocarcinomas(context: Context) -> list[Reading]:
    return [item for item in diagnoses(context, "adenocarcinoma of lung") if item.confirmed]


def _fusion_lost(context: Context, results: Sequence[AlkResult], start: date) -> list[Item]:
    """A tissue test without the fusion on treatment, after it was once confirmed.

    A positive test on that day or later contradicts it, and the fusion is not lost.
    """
    about = [item for item in results if item.finding == "fusion" and item.day is not None]
    positive = [
        item.day
        for item in about
        if item.answer == "positive" and item.method in SUFFICIENT and item.day is not None
    ]
    items: list[Item] = []
    for item in about:
        day = item.day
        if item.answer != "negative" or item.method not in TISSUE or day is None or day < start:
            continue
        if not any(other < day for other in positive):
            continue
        if any(other >= day for other in positive):
            context.remark(_OTHER, "a negative ALK test stands against a positive one")
            continue
        name = "ALK fusion lost"
        items.append(Item(frozenset({name}), name, day, item.as_sent, item.source))
    return items
