"""Every drug table beside the second record of its label: do they say the same of the same patient?

The tables are not read here, they are asked: about patients just below, at and above each limit
that the record names, about the dose after a hold from every dose of the ladder, about the day on
which a test is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.alk import Kind, Recommendation, Topic
from cds_service.facts import PatientFacts
from cds_service.knowledge.table_files import Row
from tests.alk.drug_cases import DRUGS, REACTIONS
from tests.alk.label_records import (
    Patient,
    alternatives,
    met,
    on_drug,
    patients_of,
    record,
    speaks,
    typical,
)
from tests.alk.patients import (
    AS_OF,
    NORMAL,
    NORMAL_ON_TREATMENT,
    asked,
    described,
    jurisdiction_of,
    knowledge,
    reactions,
    treatment,
    with_facts,
)

TABLES = {
    "reactions": ("dose_changes", ""),
    "medicines": ("interactions", "interaction-"),
    "patients": ("populations", ""),
    "tests": ("monitoring", "monitor-"),
}
DONE = {
    "stop": (Kind.STOP, "critical"),
    "withhold": (Kind.WITHHOLD, "warning"),
    "reduce": (Kind.REDUCE, "warning"),
    "ask": (Kind.ASK, "warning"),
    "continue": (Kind.INFORM, "info"),
}
THEN = {"one level down": "next lower", "one level down, or stop": "next lower or stop"}
MEDICINES = {
    "never": (Kind.STOP, "contraindicated"),
    "avoid": (Kind.AVOID, "avoid"),
    "watch": (Kind.INFORM, "monitor"),
    "nothing": (Kind.INFORM, "none"),
}
Entry = Mapping[str, Any]


def _entries(*parts: str) -> Iterator[tuple[str, str, str]]:
    for drug in DRUGS:
        for part in parts:
            for name in record(drug)[part]:
                yield drug, part, name


def _row(drug: str, part: str, name: str) -> Row:
    table, prefix = TABLES[part]
    rows = getattr(knowledge().drugs[drug], table)
    return next(row for row in rows if row.identifier == f"{drug}-{prefix}{name}")


@pytest.mark.parametrize("drug", DRUGS)
@pytest.mark.parametrize("part", TABLES)
def test_the_record_and_the_table_have_the_same_rows(part: str, drug: str) -> None:
    table, prefix = TABLES[part]
    rows = {
        row.identifier: (row.level, row.text("jurisdiction"))
        for row in getattr(knowledge().drugs[drug], table)
    }
    assert rows == {
        f"{drug}-{prefix}{name}": (entry["read"], entry.get("in", ""))
        for name, entry in record(drug)[part].items()
    }


@pytest.mark.deep
@pytest.mark.parametrize(("drug", "part", "name"), list(_entries(*TABLES)))
def test_a_row_speaks_of_the_patients_of_the_record_and_of_no_others(
    drug: str, part: str, name: str
) -> None:
    entry, row = record(drug)[part][name], _row(drug, part, name)
    if "when" not in entry:
        assert "when" not in row.rules
        return
    _same_patients(drug, row, "when", entry["when"])


@pytest.mark.deep
@pytest.mark.parametrize(("drug", "part", "name"), list(_entries("reactions")))
def test_a_reaction_is_over_in_the_patients_of_the_record_and_in_no_others(
    drug: str, part: str, name: str
) -> None:
    entry, row = record(drug)[part][name], _row(drug, part, name)
    assert ("until" in entry) == ("until" in row.rules)
    if "until" in entry:
        _same_patients(drug, row, "until", entry["until"])


def _same_patients(drug: str, row: Row, column: str, entry: object) -> None:
    found = alternatives(entry)
    expected = set()
    for facts in patients_of(found):
        expected.add(speaks(found, facts))
        assert met(row.rules[column], on_drug(facts, drug), drug) is speaks(found, facts), facts
    assert expected == {True, False}


# -- what a reaction leads to ---------------------------------------------------------------------


def _doses(drug: str) -> list[tuple[str, int]]:
    return [_dose(written) for written in record(drug)["doses"]]


def _dose(written: str) -> tuple[str, int]:
    amount, per_day = written.split(" x ")
    return amount, int(per_day)


def _at_dose(facts: Patient, drug: str, dose: tuple[str, int]) -> dict[str, object]:
    return {**facts, "lines": (treatment((170, "active", dose), ingredient=drug),)}


def _case(drug: str, name: str) -> Patient:
    """A case of our own in which the row speaks: no stronger row of its reaction does."""
    done = DONE[record(drug)["reactions"][name]["do"]][0]
    return next(
        case.facts for case in REACTIONS[drug] if case.heard.get(f"{drug}-{name}") == done.value
    )


@pytest.mark.deep
@pytest.mark.parametrize(("drug", "part", "name"), list(_entries("reactions")))
def test_a_reaction_leads_to_the_action_of_the_record_from_every_dose(
    drug: str, part: str, name: str
) -> None:
    entry, facts = record(drug)[part][name], _case(drug, name)
    doses = _doses(drug)
    for place, dose in enumerate(doses):
        said = dict(facts) if "lines" in facts else _at_dose(facts, drug, dose)
        identifier = f"{drug}-{name}"
        decision = asked(described(said, drug), jurisdiction=jurisdiction_of(identifier))
        item = reactions(decision)[identifier]
        then, lowest = entry.get("then", ""), place == len(doses) - 1
        if "lines" not in facts and then.startswith("one level down") and lowest:
            assert (item.kind, item.severity, item.at_floor) == (Kind.STOP, "critical", True)
            continue
        assert (item.kind, item.severity) == DONE[entry["do"]]
        assert item.resume == THEN.get(then, then)
        if "lines" not in facts:
            assert _resumed(item) == _expected(then, doses, place)


def _resumed(item: Recommendation) -> tuple[str, int] | None:
    dose = item.resume_dose or item.dose
    return None if dose is None else (str(dose.amount_mg), dose.per_day)


def _expected(then: str, doses: list[tuple[str, int]], place: int) -> tuple[str, int] | None:
    if then == "same":
        return doses[place]
    if then.startswith("one level down"):
        return doses[place + 1]
    return _dose(then) if then else None


# -- other medicines and groups of patients --------------------------------------------------------


def _said(facts: PatientFacts, row: Row) -> Recommendation | None:
    found = [
        item
        for first in asked(facts, jurisdiction=jurisdiction_of(row.identifier)).recommendations
        for item in (first, *first.also)
        if item.rule_id == row.identifier
    ]
    return found[0] if found else None


@pytest.mark.parametrize(("drug", "part", "name"), list(_entries("medicines")))
def test_another_medicine_leads_to_what_the_record_says(drug: str, part: str, name: str) -> None:
    entry, row = record(drug)[part][name], _row(drug, part, name)
    kind, action = MEDICINES[entry["do"]]
    for dose in entry.get("dose") or record(drug)["doses"][:1]:
        item = _said(_treated(drug, entry, dose), row)
        assert item is not None
        assert item.severity == entry["level"]
        assert row.text("action") == action
        _changed_dose(item, entry, dose, kind)


@pytest.mark.parametrize(("drug", "part", "name"), list(_entries("patients")))
def test_a_group_of_patients_is_told_what_the_record_says(drug: str, part: str, name: str) -> None:
    entry, row = record(drug)[part][name], _row(drug, part, name)
    assert row.text("severity") == entry["level"]
    assert bool(row.text("dose")) == ("dose" in entry)
    for dose in entry.get("dose", ()):
        item = _said(_treated(drug, entry, dose), row)
        if item is None:
            # On treatment the advice is for the order that starts it; then it is asked there.
            assert "active ALK inhibitors" in alternatives(entry["when"])[0]
            continue
        assert item.severity == entry["level"]
        _changed_dose(item, entry, dose, Kind.INFORM)


def _treated(drug: str, entry: Entry, dose: str) -> PatientFacts:
    facts = typical(alternatives(entry["when"]), -1)
    return with_facts(described(_at_dose({}, drug, _dose(dose)), drug), facts)


def _changed_dose(item: Recommendation, entry: Entry, dose: str, kind: Kind) -> None:
    given = entry.get("dose", {}).get(dose)
    if given is None:
        assert (item.kind, item.dose) == (kind, None)
        return
    amount, per_day = _dose(given)
    taken = _dose(dose)
    if int(amount) * per_day > int(taken[0]) * taken[1]:
        assert (item.kind, item.dose) == (Kind.AVOID, None)
        return
    if dose in entry["dose"].values():
        # It may be lowered already.
        assert (item.kind, item.dose) == (Kind.ASK, None)
        return
    assert item.kind is Kind.REDUCE
    assert item.dose is not None
    assert (str(item.dose.amount_mg), item.dose.per_day) == (amount, per_day)


# -- tests that are due ----------------------------------------------------------------------------


def _before(day: date, span: str, times: int = 1) -> date:
    """The day so many weeks or calendar months earlier; days up to the 28th only."""
    number, unit = int(span.split()[0]) * times, span.split()[1]
    if unit.startswith("week"):
        return day - timedelta(weeks=number)
    months = day.year * 12 + day.month - 1 - number
    return day.replace(year=months // 12, month=months % 12 + 1)


def _status(drug: str, row: Row, entry: Entry, start: date, last: date) -> str | None:
    """How the test is spoken of when treatment began and the test was last done on these days."""
    test = knowledge().tests[row.text("test")]
    said: dict[str, object] = typical(alternatives(entry["when"]), -1) if "when" in entry else {}
    ago = (AS_OF - last).days
    for name in test.facts:
        usual = said.get(name, {**NORMAL, **NORMAL_ON_TREATMENT}.get(name, "1"))
        said[name] = [(ago, usual)]
    said |= dict.fromkeys(test.events, ago)
    said |= {name: [(ago, "absent")] for name in test.states}
    said["lines"] = (
        treatment(
            ((AS_OF - start).days, "active", _dose(record(drug)["doses"][0])), ingredient=drug
        ),
    )
    due = [
        found.status
        for item in asked(
            described(said, drug),
            moment="patient-view",
            jurisdiction=jurisdiction_of(row.identifier),
        ).recommendations
        if item.topic is Topic.MONITORING
        for found in item.tests
        if found.rule_id == row.identifier
    ]
    return due[0] if due else None


@pytest.mark.parametrize(("drug", "part", "name"), list(_entries("tests")))
def test_a_test_is_due_when_the_record_says(drug: str, part: str, name: str) -> None:
    entry, row = record(drug)[part][name], _row(drug, part, name)
    assert row.text("test") == entry["test"]
    first, later = entry.get("first"), entry.get("later every")
    long_ago = AS_OF - timedelta(days=1000)

    def overdue(start: date, every: str) -> list[str | None]:
        """On the last day of grace, and on the day after it."""
        days = [_before(AS_OF - timedelta(days=over), every) for over in (7, 8)]
        return [_status(drug, row, entry, min(start, last), last) for last in days]

    if first is not None:
        ends = _before(AS_OF, first["for"])
        seen = overdue(ends, first["every"])
        assert seen[0] != "overdue"
        assert seen[1] == "overdue"
        if first["every"] != later:
            # One day after the first phase its interval no longer counts.
            assert overdue(ends - timedelta(days=1), first["every"])[1] != "overdue"
    if later is not None:
        seen = overdue(long_ago, later)
        assert seen[0] != "overdue"
        assert seen[1] == "overdue"
    elif first is not None:
        assert _status(drug, row, entry, long_ago, AS_OF - timedelta(days=900)) is None
