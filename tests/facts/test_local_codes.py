"""Facts read by a site's own codes and default limits, and remarks about codes nobody knows."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.facts import FactReader, PatientFacts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.watched_names import load_watched_names
from cds_service.rules import Collection, Measurement, ReasonKind, Series
from tests.facts import records
from tests.facts.records import Json, facts_of, knowledge, laboratory, medication, person

SITE = "urn:oid:1.2.3"
LOCAL = """
laboratory: City Lab
labs:
- {system: "urn:oid:1.2.3", code: ALT-1, analyte: ALT}
drugs:
- {system: "urn:oid:1.2.3", code: D-1, ingredient: alectinib, strength_mg: "150"}
value_sets:
- {system: "urn:oid:1.2.3", code: C-1, value_set: haemolysis}
default_limits:
- {analyte: ALT, high: "45", unit: U/L}
- {analyte: creatinine, high: "1.2", unit: mg/dL, sex: male}
- {analyte: creatinine, high: "1.0", unit: mg/dL, sex: female}
"""


@cache
def _site(folder: Path) -> Knowledge:
    file = folder / "local.yaml"
    file.write_text(LOCAL, encoding="utf-8")
    return knowledge().with_local(file)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    return _site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def at_the_site(site: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FactReader(site)
    monkeypatch.setattr(records, "reader", lambda: reader)


def result(*resources: Json, name: str = "ALT") -> Measurement:
    found = facts_of(*resources).find(name)
    assert isinstance(found, Series)
    (item,) = found.measurements
    return item


def concept(*codes: str, text: str | None = None, system: str = SITE) -> Json:
    found: Json = {"coding": [{"system": system, "code": code} for code in codes]}
    return found if text is None else {**found, "text": text}


def says(facts: PatientFacts, subject: str) -> list[str]:
    return [item.says for item in facts.remarks if item.subject == subject]


@pytest.mark.usefixtures("at_the_site")
def test_a_result_by_a_local_code_says_so() -> None:
    sent = laboratory("ALT", 62, code=concept("ALT-1"))
    item = result(sent)
    assert (item.value, item.upper_limit) == (Decimal(62), Decimal(40))
    assert item.limit_note == "recognised by a code of this site"
    facts = facts_of(sent, {**sent, "id": "again", "effectiveDateTime": "2026-11-01"})
    assert says(facts, "codes of this site") == [
        "code ALT-1 of urn:oid:1.2.3 counts as ALT, by the local code file"
    ]
    both = laboratory("ALT", 62)
    both["code"]["coding"] += concept("ALT-1")["coding"]
    assert result(both).limit_note == ""


def test_a_local_code_means_nothing_elsewhere() -> None:
    assert facts_of(laboratory("ALT", 62, code=concept("ALT-1"))).find("ALT") is None


@pytest.mark.usefixtures("at_the_site")
def test_a_drug_and_a_diagnosis_by_a_local_code_say_so() -> None:
    order = medication(code="D-1", system=SITE)
    illness = records.condition("haemolysis", code=concept("C-1"))
    facts = facts_of(order, illness)
    active = facts.find("active ALK inhibitors")
    assert isinstance(active, Collection)
    assert "alectinib" in active.items[0].names
    assert facts.find("haemolysis") is not None
    read_as = sorted(line.split(" counts as ")[1] for line in says(facts, "codes of this site"))
    assert read_as == ["alectinib, by the local code file", "haemolysis, by the local code file"]


@pytest.mark.usefixtures("at_the_site")
@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (None, "45"),
        ([], "45"),
        ([{"low": {"value": 7, "unit": "U/L"}}], "45"),
        ([{"high": {"value": 0, "unit": "U/L"}}], "45"),
        ([{"high": {"value": 500, "unit": "U/L"}, "type": {"coding": [{"code": "critical"}]}}],
         "45"),
        # A range that was sent is never overridden, be it higher, lower or not readable.
        ([{"high": {"value": 60, "unit": "U/L"}}], "60"),
        ([{"high": {"value": 30, "unit": "U/L"}}], "30"),
        ([{"text": "<= 55"}], "55"),
        ([{"text": "see report"}], "-"),
        ([{"high": {"value": 60, "unit": "furlongs"}}], "-"),
        ([{"high": {"value": 60}, "appliesTo": [{"text": "pregnant"}]}], "-"),
        ([{"high": {"value": 60}, "appliesTo": [{"text": "male"}]}], "-"),
        ([{"high": {"value": 60}}, {"high": {"value": 50}}], "-"),
        ([{"high": {"value": -5, "unit": "U/L"}}], "-"),
    ],
)  # fmt: skip
def test_the_default_limit_stands_in_only_where_none_was_sent(ranges: Any, expected: str) -> None:
    item = result(laboratory("ALT", 62, high=None, referenceRange=ranges))
    shown = "-" if item.upper_limit is None else str(item.upper_limit)
    assert shown == expected
    note = (
        "upper limit 45 U/L is the default of City Lab, because the result came without one"
        if expected == "45"
        else ""
    )
    assert item.limit_note == note


@pytest.mark.usefixtures("at_the_site")
@pytest.mark.parametrize(
    ("gender", "expected"),
    [("male", "106.08"), ("female", "88.4"), ("other", None), (None, None)],
)
def test_a_default_limit_by_sex_needs_the_sex(gender: str | None, expected: str | None) -> None:
    sent = laboratory("creatinine", 2, unit="mg/dL", high=None)
    limit = result(sent, person(gender), name="creatinine").upper_limit
    assert limit == (None if expected is None else Decimal(expected))


@pytest.mark.usefixtures("at_the_site")
def test_a_default_limit_stands_beside_other_notes() -> None:
    item = result(laboratory("ALT", 62, high=None, status="preliminary", code=concept("ALT-1")))
    first, second, third = item.limit_note.split(", ", 2)
    assert (first, second) == ("preliminary result", "recognised by a code of this site")
    assert third.startswith("upper limit 45 U/L is the default")


@pytest.mark.usefixtures("at_the_site")
def test_a_test_without_a_default_stays_without_a_limit() -> None:
    item = result(laboratory("AST", 62, high=None), name="AST")
    assert (item.upper_limit, item.limit_note) == (None, "")


LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    ("code", "subject", "expected"),
    [
        (concept("77", text="ALT"), "ALT",
         "a result named like ALT has a code that is not known here (77 of urn:oid:1.2.3)"),
        (concept("77", text="  sgpt (alt) "), "ALT", "(77 of urn:oid:1.2.3)"),
        ({"coding": [{"system": SITE, "code": "9", "display": "BILIRUBIN, TOTAL"}]},
         "total bilirubin", "a result named like total bilirubin has"),
        ({"text": "CK"}, "CPK", "a result named like CPK has no code"),
        ({"coding": [{"code": "9", "display": "CPK"}]}, "CPK", "(it is not shown)"),
        ({"coding": [{"system": SITE, "code": "Jane Doe", "display": "CPK"}]}, "CPK",
         "(it is not shown)"),
        # Known, known as something else, or another name.
        (concept("1742-6", text="ALT", system=LOINC), "ALT", None),
        (concept("1968-7", text="Bilirubin", system=LOINC), "total bilirubin", None),
        (concept("8634-8", text="QTc", system=LOINC), "QTc", None),
        (concept("77", text="ALT, urine"), "ALT", None),
        (concept("77", text="ALTT"), "ALT", None),
        (concept("77", text="Direct bilirubin"), "total bilirubin", None),
        (concept("77", text="CK-MB"), "CPK", None),
        (concept("77", text="ALK phos"), "ALT", None),
    ],
)  # fmt: skip
def test_a_result_that_is_named_like_one_that_matters_is_remarked_on(
    code: Json, subject: str, expected: str | None
) -> None:
    sent = laboratory("ALT", 62, code=code)
    facts = facts_of(sent, {**sent, "id": "again"})
    found = says(facts, subject)
    if expected is None:
        assert [line for line in found if "named like" in line] == []
        return
    (line,) = found
    assert expected in line
    came = facts.find(subject)
    assert isinstance(came, Series)
    assert came.measurements == ()
    assert [reason.kind for reason in came.unused] == [ReasonKind.NOT_READ]


def test_a_component_is_remarked_on_and_a_withdrawn_result_is_not() -> None:
    part = {"code": {"text": "ALT"}, "valueQuantity": {"value": 3}}
    panel = laboratory("ALT", None, code={"text": "Liver panel"}, component=[part])
    assert len(says(facts_of(panel), "ALT")) == 1
    withdrawn = laboratory("ALT", 62, code={"text": "ALT"}, status="entered-in-error")
    assert says(facts_of(withdrawn), "ALT") == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"text": "ALK inhibitor, study drug"}, "a medication named like an ALK inhibitor has no"),
        ({"text": "Envonalkib 100 mg", "code": "55", "system": SITE}, "(55 of urn:oid:1.2.3)"),
        ({"code": "1946821"}, "a medication coded like an ALK inhibitor has"),
        ({"code": "1727455", "text": "lorlatinib 100 mg"}, "neither was believed"),
        ({"code": "41126", "text": "lorlatinib 100 mg"}, None),
        ({"code": "1727455", "text": "Alecensa"}, None),
        ({"text": "alectinib"}, None),
        ({"text": "alectinb"}, None),
        ({"text": "iruplinalkibx"}, None),
        ({"text": "sodium chloride", "code": "55", "system": SITE}, None),
    ],
)
def test_a_medication_that_looks_like_an_alk_inhibitor_is_remarked_on(
    sent: dict[str, str], expected: str | None
) -> None:
    facts = facts_of(medication(**sent), medication(**sent))
    found = says(facts, "medications")
    if expected is None:
        assert found == []
        return
    (line,) = found
    assert expected in line


@pytest.mark.parametrize("status", ["active", "on-hold", "stopped", "completed"])
def test_whoever_may_take_an_unknown_alk_inhibitor_is_not_known_to_take_none(status: str) -> None:
    facts = facts_of(medication(text="Iruplinalkib 180 mg", status=status))
    taken = facts.find("ALK inhibitors used")
    assert isinstance(taken, Collection)
    assert not taken.complete
    assert "named or coded like an ALK inhibitor" in facts.unavailable["medications"]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "draft"])
def test_what_was_never_taken_leaves_nothing_open(status: str) -> None:
    facts = facts_of(medication(text="Iruplinalkib 180 mg", status=status))
    assert facts.unavailable == {}


def test_a_draft_order_is_remarked_on_too() -> None:
    facts, (order,) = records.read(drafts=[medication(text="ALK TKI", status="draft")])
    assert not order.identified
    assert "named like an ALK inhibitor" in says(facts, "medications")[0]


def test_no_watched_name_is_one_that_the_tables_know() -> None:
    watched = knowledge().codes.watched
    for name in watched.medications.names:
        facts = facts_of(medication(text=name))
        (line,) = says(facts, "medications")
        assert "not counted as one" in line
    names = [name for listed in watched.results.names.values() for name in listed]
    assert len(names) == len(set(names))


def test_watched_results_are_analytes(tmp_path: Path) -> None:
    file = tmp_path / "watched_names.yaml"
    file.write_text("results: {source: design, names: {ALTT: [x]}}", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"results\.names\.ALTT"):
        load_watched_names(file, {"ALT"})
    assert load_watched_names(tmp_path / "none.yaml", {"ALT"}).medications.names == ()
