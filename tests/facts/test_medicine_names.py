"""What medicines are called: each text of the table names these ingredients and no others."""

from __future__ import annotations

import pytest

from cds_service.facts.medicine_names import MedicineIndex, words_in
from tests.facts.records import ATC, RXNORM, Json, facts_of, knowledge, medication, table


@pytest.fixture(scope="module")
def index() -> MedicineIndex:
    return MedicineIndex.of(knowledge())


@pytest.mark.parametrize("row", table("medicine_names.tsv"), ids=lambda row: row["says"])
def test_a_text_names_these_ingredients(row: dict[str, str], index: MedicineIndex) -> None:
    assert ";".join(index.in_text(row["text"])) == row["ingredients"]


def test_every_listed_name_is_found_where_it_stands_alone(index: MedicineIndex) -> None:
    missed = [
        item.name
        for item in knowledge().codes.medicine_names.names
        if not set(item.ingredients) & set(index.in_text(item.name))
    ]
    assert missed == []


def test_only_the_beginning_of_a_text_of_any_length_is_cut_into_words() -> None:
    assert len(words_in("rifampin " * 100_000)) < 300


def test_a_name_from_memory_is_marked_and_one_that_was_read_is_not(index: MedicineIndex) -> None:
    assert [found.verified for found in index.find("Luminaletten")] == [False]
    assert [found.verified for found in index.find("Rifadin")] == [True]


def names_of(*resources: Json) -> set[str]:
    found = facts_of(*resources).find("medications")
    assert found is not None
    return {name for item in found.items for name in item.names}  # type: ignore[union-attr]


def test_a_coded_ingredient_does_not_hide_the_other_half_of_a_combination() -> None:
    isoniazid = medication(code="6038", system=RXNORM, text="Rifampicin / Isoniazid 300/150 mg")
    assert "strong CYP3A inducer" in names_of(isoniazid)


def test_a_brand_of_either_of_two_substances_adds_nothing_to_the_code_of_one() -> None:
    names = names_of(medication(code="358255", text="Emend"))
    assert "aprepitant" in names
    assert "fosaprepitant" not in names


def test_a_local_product_named_in_words_is_no_systemic_medicine() -> None:
    drops = medication(text="Dexamethasone 0.1 % eye drops")
    assert "weak CYP3A inducer" not in names_of(drops)
    assert "weak CYP3A inducer" in names_of(medication(text="Dexamethasone 4 mg tablet"))


UNKNOWN: list[tuple[str, Json, bool]] = [
    ("a name nobody knows", medication(text="Zyxomab 50 mg"), True),
    ("a code nobody knows", medication(code="99999999"), True),
    ("a study drug, even on the skin", medication(text="study drug ABC-1234 cream"), True),
    ("a class only", medication(text="antiepileptic, see letter"), True),
    ("half of a combination", medication(text="carbamazepine 200 mg / zyxomab 5 mg"), True),
    ("half of a coded combination", medication(code="2002", text="carbamazepine + zyxomab"), True),
    ("a patch acts in the whole body", medication(text="Zyxofen transdermal patch"), True),
    ("a known name", medication(text="carbamazepine 200 mg Oral Tablet"), False),
    ("known by code, odd words", medication(code="2002", text="home med, see letter"), False),
    ("a harmless name", medication(text="Paracetamol 500 mg"), False),
    ("two harmless halves", medication(text="amoxicillin 875 mg / clavulanate 125 mg"), False),
    ("known without a class", medication(text="Lamotrigin 100 mg"), False),
    ("a fluid", medication(text="Sodium chloride 0.9 % infusion"), False),
    ("a cream", medication(text="Zyxoderm cream"), False),
    ("a dressing", medication(text="Foam dressing 10 x 10 cm"), False),
    ("a vaccine", medication(text="Influenza vaccine 2026"), False),
    ("a harmless ATC group", medication(code="J07BB02", system=ATC, text="Zyxovax"), False),
    ("an eye beta-blocker by ATC", medication(code="S01ED99", system=ATC, text="Zyxolol"), True),
    ("stopped", medication(text="Zyxomab 50 mg", status="stopped"), False),
    ("on hold", medication(text="Zyxomab 50 mg", status="on-hold"), True),
]


@pytest.mark.parametrize(("says", "order", "unknown"), UNKNOWN, ids=[row[0] for row in UNKNOWN])
def test_what_nobody_can_place_makes_the_list_incomplete(
    says: str, order: Json, unknown: bool
) -> None:
    facts = facts_of(order)
    found = facts.find("medications")
    assert [bool(facts.unrecognised), not found.complete] == [unknown, unknown], says  # type: ignore[union-attr]


def test_the_same_unknown_medicine_is_named_once() -> None:
    facts = facts_of(medication(text="Zyxomab 50 mg"), medication(text="ZYXOMAB 50 mg"))
    assert len(facts.unrecognised) == 1
