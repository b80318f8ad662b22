"""How ALK tests are weighed: by the rows of two tables, and never by which test is the newer."""

from __future__ import annotations

import re
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from cds_service.facts.alk_evidence import weigh
from cds_service.facts.alk_fish import share_of_cells
from cds_service.facts.alk_status import AlkResult
from cds_service.facts.context import CodeBook, Context
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import Observation, Quantity
from cds_service.rules import Collection
from tests.alk.evidence_cases import EVIDENCE, SHARES, Evidence, Share
from tests.facts.records import (
    AS_OF,
    Json,
    alk_test,
    coded,
    day,
    facts_of,
    knowledge,
    observation,
    resource,
    stated,
    table,
)

_RESULT = re.compile(r"([\w ]+)@(-?\d+):(\w+)")
ROWS = table("alk_evidence.tsv")


def _result(text: str) -> Json:
    match = _RESULT.fullmatch(text.strip())
    assert match is not None, text
    method, days, answer = match.groups()
    if method == "order":
        body = {"status": "active", "intent": "order", "authoredOn": day(int(days)),
                "code": {"text": "ALK FISH"}}  # fmt: skip
        return resource("ServiceRequest", body)
    if method == "breakpoint":
        found = alk_test("DNA", answer, int(days))
        found["component"] = [
            found["component"][1],
            {
                "code": coded("component DNA change type"),
                "valueCodeableConcept": coded("structural rearrangement"),
            },
        ]
        return found
    return alk_test(method, answer, int(days))


def _decided(row: dict[str, str]) -> tuple[str, str, str]:
    resources = [_result(part) for part in row["results"].split(";") if part]
    facts = facts_of(*resources)
    against = facts.find("conflicting ALK tests")
    named = [item.label for item in against.items] if isinstance(against, Collection) else []
    return (
        stated(facts, "ALK") or "",
        stated(facts, "ALK assay") or "",
        ", ".join(sorted(re.sub(r" \(.*", "", label) for label in named)),
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["says"])
def test_tests_are_weighed_by_their_kind(row: dict[str, str]) -> None:
    assert _decided(row) == (row["status"], row["assay"], row["conflict"])


def _weighed(text: str) -> str:
    facts = [_evidence(part) for part in text.split(";") if part]
    return weigh(facts, knowledge(), AS_OF).row


def _evidence(text: str) -> AlkResult:
    method, _, answer = text.strip().partition(": ")
    finding = {
        "ALK breakpoint without a partner": "breakpoint",
        "ALK amplification": "amplification",
        "ALK point mutation": "point mutation",
    }.get(method, "fusion")
    assay = method if finding == "fusion" else "DNA sequencing"
    return AlkResult(assay, answer, finding, AS_OF, "", f"Observation/{method}-{answer}")


def test_every_row_of_the_evidence_has_a_case() -> None:
    rows = {row.identifier for row in knowledge().tables["alk_evidence"]}
    assert rows == {case.row for case in EVIDENCE}


@pytest.mark.parametrize("case", EVIDENCE, ids=lambda case: case.row)
def test_a_row_decides_in_its_case_and_not_in_one_close_by(case: Evidence) -> None:
    assert (_weighed(case.tests), _weighed(case.near) == case.row) == (case.row, False)


FISH_SHARE = "78233-4"


def _fish(**body: Any) -> Json:
    code = {"coding": [{"system": "http://loinc.org", "code": FISH_SHARE}]}
    return observation("ALK test by FISH", 20, **{"code": code, **body})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"valueQuantity": {"value": 62, "unit": "%"}}, "confirmed"),
        ({"valueQuantity": {"value": 15, "unit": "%"}}, "confirmed"),
        ({"valueQuantity": {"value": 14.9, "unit": "%"}}, "equivocal"),
        ({"valueQuantity": {"value": 10, "unit": "%"}}, "equivocal"),
        ({"valueQuantity": {"value": 9.9, "unit": "%"}}, "negative"),
        ({"valueQuantity": {"value": 0, "unit": "%"}}, "negative"),
        ({"valueQuantity": {"value": 62}}, "equivocal"),
        ({"valueQuantity": {"value": 0.62, "unit": "1"}}, "equivocal"),
        ({"valueQuantity": {"value": 162, "unit": "%"}}, "equivocal"),
        ({"valueQuantity": {"value": -1, "unit": "%"}}, "equivocal"),
        ({"valueQuantity": {"value": 20, "comparator": ">", "code": "%"}}, "confirmed"),
        ({"valueQuantity": {"value": 15, "comparator": "<", "code": "%"}}, "equivocal"),
        ({"valueRatio": {"numerator": {"value": 31}, "denominator": {"value": 50}}}, "confirmed"),
        ({"valueRatio": {"numerator": {"value": 31}, "denominator": {"value": 49}}}, "equivocal"),
        ({"valueRatio": {"numerator": {"value": 2}, "denominator": {"value": 50}}}, "negative"),
        ({"valueRatio": {"numerator": {"value": 51}, "denominator": {"value": 50}}}, "equivocal"),
        (
            {
                "valueQuantity": {"value": 62, "unit": "%"},
                "interpretation": [coded("interpretation negative")],
            },
            "equivocal",
        ),
        (
            {
                "valueQuantity": {"value": 18, "unit": "%"},
                "referenceRange": [{"high": {"value": 20, "unit": "%"}}],
            },
            "equivocal",
        ),
        (
            {
                "valueQuantity": {"value": 18, "unit": "%"},
                "referenceRange": [{"high": {"value": 15, "unit": "%"}}],
            },
            "confirmed",
        ),
    ],
)
def test_a_share_of_cells_is_held_against_its_cut_off(body: Json, expected: str) -> None:
    assert stated(facts_of(_fish(**body)), "ALK") == expected


@pytest.mark.parametrize("case", SHARES, ids=lambda case: case.row)
def test_every_row_of_the_answers_speaks_for_its_own_share(case: Share) -> None:
    rows = {row.identifier: row.text("answer") for row in knowledge().tables["alk_answers"]}
    assert set(rows) == {item.row for item in SHARES}
    assert _answer(case.percent) == rows[case.row]
    assert _answer(case.near) != rows[case.row]


def _answer(percent: int) -> str:
    record = PatientRecord.build("p", [])
    context = Context(CodeBook.of(knowledge()), record, AS_OF, UTC, frozenset())
    counted = Observation(value_quantity=Quantity(value=Decimal(percent), unit="%"))
    share = share_of_cells(context, counted)
    assert share is not None
    return share.answer


CLONE = "D5F3"
PLACES: dict[str, Json] = {
    "name of the test": {"code": {**coded("ALK test by immunohistochemistry"),
                                  "text": f"ALK ({CLONE}) stain"}},
    "display of the test": {
        "code": {"coding": [{**coded("ALK test by immunohistochemistry")["coding"][0],
                             "display": f"ALK clone {CLONE}"}]}
    },
    "method": {"method": {"text": f"clone {CLONE}"}},
    "note": {"note": [{"text": f"Stained with clone {CLONE} (Ventana)."}]},
    "value": {"valueCodeableConcept": {**coded("answer positive"), "text": f"positive, {CLONE}"}},
    "component": {"component": [{"code": {"text": "clone"}, "valueString": CLONE}]},
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_clone_counts_wherever_it_is_named(place: str) -> None:
    body = {"valueCodeableConcept": coded("answer positive"), **PLACES[place]}
    stain = observation("ALK test by immunohistochemistry", 20, **body)
    facts = facts_of(stain)
    assert (stated(facts, "ALK"), stated(facts, "ALK assay")) == (
        "confirmed",
        "D5F3 immunohistochemistry",
    )


def test_a_stain_that_names_another_clone_beside_it_is_not_enough() -> None:
    body = {
        "valueCodeableConcept": coded("answer positive"),
        "note": [{"text": "Clone 5A4 was used, D5F3 was not available."}],
    }
    stain = observation("ALK test by immunohistochemistry", 20, **body)
    assert stated(facts_of(stain), "ALK") == "equivocal"


def test_a_note_never_makes_a_result_positive() -> None:
    body = {"note": [{"text": "D5F3 strongly positive"}]}
    stain = observation("ALK test by immunohistochemistry", 20, **body)
    assert stated(facts_of(stain), "ALK") == "equivocal"


def _order(text: str = "", ago: int | None = 5, **more: Any) -> Json:
    body = {"status": "active", "intent": "order", "code": {"text": text},
            "authoredOn": None if ago is None else day(ago), **more}  # fmt: skip
    return resource("ServiceRequest", body)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (_order("ALK FISH"), "pending"),
        (_order("FISH for ALK rearrangement"), "pending"),
        (_order("ALK immunohistochemistry"), "pending"),
        (_order("NGS panel, lung"), "pending"),
        (_order("Next-generation sequencing, solid tumour"), "pending"),
        (_order(code=coded("ALK test by FISH")), "pending"),
        (_order(code=coded("genetic analysis report")), "pending"),
        (_order("ALK FISH", ago=None), "pending"),
        (_order("ALK FISH", status="completed"), None),
        (_order("ALK FISH", status="revoked"), None),
        (_order("ALK FISH", doNotPerform=True), None),
        (_order("ALK FISH", ago=181), None),
        (_order("ALK FISH", ago=-2), None),
        (_order("Alk Phos"), None),
        (_order("Alkaline phosphatase (ALK-P) test"), None),
        (_order("HER2 FISH"), None),
        (_order("CT chest"), None),
    ],
    ids=lambda value: str(value if isinstance(value, str) else value and value["code"])[:60],
)
def test_a_test_on_order_is_awaited(request_: Json, expected: str | None) -> None:
    assert stated(facts_of(request_), "ALK") == expected


def test_an_order_that_was_answered_awaits_nothing() -> None:
    assert stated(facts_of(_order("ALK FISH", 30), alk_test("FISH", "failed", 20)), "ALK") == (
        "failed"
    )
    assert stated(facts_of(_order("ALK FISH", 10), alk_test("FISH", "failed", 20)), "ALK") == (
        "pending"
    )


def test_an_order_of_another_patient_awaits_nothing_here() -> None:
    foreign = {**_order("ALK FISH"), "subject": {"reference": "Patient/somebody-else"}}
    assert stated(facts_of(foreign), "ALK") is None


def test_conflicting_tests_are_named_with_their_days() -> None:
    facts = facts_of(alk_test("FISH", "positive", 40), alk_test("RNA", "negative", 20))
    found = facts.find("conflicting ALK tests")
    assert isinstance(found, Collection)
    assert [item.label for item in found.items] == [
        "FISH positive (11 Oct 2026)",
        "RNA sequencing negative (31 Oct 2026)",
    ]


def test_a_fusion_named_in_words_beside_its_code_has_a_partner() -> None:
    fused = alk_test("DNA", "positive", 20)
    fused["component"] = [
        fused["component"][1],
        {
            "code": coded("component DNA change type"),
            "valueCodeableConcept": {**coded("gene fusion"), "text": "EML4::ALK fusion"},
        },
    ]
    assert stated(facts_of(fused), "ALK") == "confirmed"


def test_a_gene_fusion_in_dna_without_a_partner_is_not_confirmed() -> None:
    alone = alk_test("DNA", "positive", 20)
    alone["component"] = [
        alone["component"][1],
        {
            "code": coded("component DNA change type"),
            "valueCodeableConcept": coded("gene fusion"),
        },
    ]
    assert stated(facts_of(alone), "ALK") == "equivocal"
    rna = {**alone, "id": "rna", "method": {"text": "RNA sequencing"}}
    assert stated(facts_of(rna), "ALK") == "confirmed"


def test_rna_named_in_a_note_is_rna() -> None:
    fused = alk_test("unnamed", "positive", 20)
    fused["note"] = [{"text": "RNA-based panel."}]
    assert stated(facts_of(fused), "ALK assay") == "RNA sequencing"
