"""Approvals, doses and rows by jurisdiction: whose label a decision follows.

The tables follow the US label. Elsewhere `drug.yaml` says which uses are approved and, in
`dosing_by_jurisdiction`, which doses are others, and the column `jurisdiction` of a drug's tables
which rows stand in which label. What they do not say is not taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, get_args

from cds_service.knowledge.drugs import Dose, Drug, LadderLevel
from cds_service.knowledge.jurisdiction_cells import NAMES, rows_under
from cds_service.knowledge.label_statements import (
    NO_EARLIER_INHIBITOR,
    EarlierInhibitors,
    Indication,
)
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.knowledge.table_files import Table

Approval = Literal["approved", "open", "not verified", "not after", "none", "not described"]
UNAPPROVED: frozenset[Approval] = frozenset({"none", "not after"})
"""What a drug is not offered with: no such use, or none after the ALK inhibitors taken before."""

_DESCRIBED = frozenset(get_args(Indication.model_fields["jurisdiction"].annotation))
_SETTINGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "advanced": frozenset({"metastatic", "locally advanced or metastatic"}),
        "adjuvant": frozenset({"adjuvant"}),
    }
)


def approval(
    drug: Drug,
    situation: Literal["advanced", "adjuvant"],
    jurisdiction: str,
    earlier: EarlierInhibitors = NO_EARLIER_INHIBITOR,
) -> Approval:
    """Whether the drug is approved there for the situation, as far as its file says.

    "none" where the file describes the jurisdiction and lists no such use, "not after" where it
    lists one only for patients who took other ALK inhibitors before or none, "open" where the
    record does not say which, "not verified" where it lists one that was not read in a source,
    "not described" where no file describes it.
    """
    if jurisdiction not in _DESCRIBED:
        return "not described"
    found = [
        indication
        for indication in drug.indications
        if indication.in_scope
        and indication.jurisdiction == jurisdiction
        and indication.setting in _SETTINGS[situation]
    ]
    if not found:
        return "none"
    covers = [(item.verified, item.holds_after(earlier)) for item in found]
    answers: tuple[tuple[tuple[bool, bool | None], Approval], ...] = (
        ((True, True), "approved"),
        ((False, True), "not verified"),
        ((True, None), "open"),
        ((False, None), "not verified"),
    )
    return next((answer for case, answer in answers if case in covers), "not after")


def approval_words(known: Approval, jurisdiction: str) -> str:
    """What a card says about an approval; empty where there is nothing to say."""
    place = NAMES.get(jurisdiction, jurisdiction)
    return {
        "approved": "",
        "open": f"approval in {place} depends on the ALK inhibitors taken before",
        "not verified": f"approval in {place} not verified",
        "not after": f"not approved in {place} after these ALK inhibitors as far as known",
        "none": f"not approved in {place} as far as known",
        "not described": f"approvals in {place} are not known here",
    }[known]


def under(knowledge: Knowledge, jurisdiction: str) -> Knowledge:
    """The release as it stands in one jurisdiction: its doses, and the rows of its label alone.

    Worked out once a release; of what stands in a jurisdiction already it is the same.
    """
    kept = knowledge.standing.get(jurisdiction)
    if kept is None:
        drugs = {
            name: _tables_under(tables, jurisdiction) for name, tables in knowledge.drugs.items()
        }
        same = all(drugs[name] is tables for name, tables in knowledge.drugs.items())
        kept = knowledge if same else replace(knowledge, drugs=MappingProxyType(drugs))
        knowledge.standing[jurisdiction] = kept.standing[jurisdiction] = kept
    return kept


def _tables_under(tables: DrugTables, jurisdiction: str) -> DrugTables:
    changed: dict[str, Drug | Table] = {
        name: rows_under(table, jurisdiction)
        for name, table in tables.by_name.items()
        if table.by_jurisdiction
    }
    if any(block.jurisdiction == jurisdiction for block in tables.drug.dosing_by_jurisdiction):
        changed["drug"] = _drug_under(tables.drug, jurisdiction)
    return replace(tables, **changed) if changed else tables  # type: ignore[arg-type]


def _drug_under(drug: Drug, jurisdiction: str) -> Drug:
    (block,) = [
        block for block in drug.dosing_by_jurisdiction if block.jurisdiction == jurisdiction
    ]
    basis = {"standing": block.standing, "sources": block.sources, "note": block.note}
    levels = tuple(
        LadderLevel(level=number, amount_mg=dose.amount_mg, per_day=dose.per_day)
        for number, dose in enumerate((block.start, *block.lower))
    )
    ladder = {"levels": levels, "lead_in_levels": (), "below_minimum": block.below_minimum}
    dosing = drug.dosing.model_copy(update={"start": block.start, "lead_in": None, **basis})
    return drug.model_copy(
        update={"dosing": dosing, "ladder": drug.ladder.model_copy(update={**ladder, **basis})}
    )


def full_dose_elsewhere(
    drug: Drug, amount_mg: Decimal | None, per_day: Decimal | None
) -> tuple[str, ...]:
    """Names of other jurisdictions whose full dose this is, where it is not the full dose here."""
    full = drug.dosing.full_dose
    if amount_mg is None or per_day is None or _is(full, amount_mg, per_day):
        return ()
    return tuple(
        NAMES[block.jurisdiction]
        for block in drug.dosing_by_jurisdiction
        if _is(block.start, amount_mg, per_day)
    )


def _is(dose: Dose, amount_mg: Decimal, per_day: Decimal) -> bool:
    return (dose.amount_mg, Decimal(dose.per_day)) == (amount_mg, per_day)
