"""A concept, set of diagnoses or fact that nobody reads looks like safety and is none."""

from __future__ import annotations

from dataclasses import replace

from cds_service.knowledge.checks import check_what_is_read
from cds_service.knowledge.code_models import Code, ValueSet
from cds_service.knowledge.concept_models import Concept
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.unread import Words, unread_value_sets, unused_facts

KNOWLEDGE = load_knowledge()


def with_concept(**fields: object) -> Knowledge:
    row = {"name": "glow", "describes": "a skin that glows", "chapter": "skin", **fields}
    concepts = (*KNOWLEDGE.concepts.values(), Concept.model_validate(row))
    return replace(KNOWLEDGE, concepts=Concepts(concepts, KNOWLEDGE.concepts.editions))


def faults(knowledge: Knowledge) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.kind, fault.rows) for fault in check_what_is_read(knowledge).errors]


def test_the_packaged_release_holds_nothing_that_is_not_read() -> None:
    assert faults(KNOWLEDGE) == []


def test_a_concept_that_no_rule_names_and_that_is_never_serious_is_a_fault() -> None:
    assert faults(with_concept()) == [("concept that no fact reads", ("glow",))]


def test_a_serious_concept_is_read_by_the_net_under_the_tables() -> None:
    assert faults(with_concept(serious="from grade 3")) == []


def test_a_concept_below_one_that_rules_name_is_read() -> None:
    assert faults(with_concept(parents=["muscle symptoms"])) == []


def test_a_concept_that_a_fact_is_read_from_in_code_is_read() -> None:
    assert faults(with_concept(read_by=["setting"])) == []
    assert faults(with_concept(read_by=["no such fact"])) != []


def test_a_set_of_diagnoses_that_no_fact_is_read_from_is_a_fault() -> None:
    code = Code(
        system="http://hl7.org/fhir/sid/icd-10-cm",
        code="J18",
        display="Pneumonia",
        verified=True,
        source="icd-10-cm-2026-04",
    )
    sets = {**KNOWLEDGE.codes.value_sets, "glow": ValueSet(name="glow", codes=(code,))}
    knowledge = replace(KNOWLEDGE, codes=replace(KNOWLEDGE.codes, value_sets=sets))
    assert faults(knowledge) == [("set of diagnoses that no fact reads", ("glow",))]
    assert not list(unread_value_sets(knowledge, Words(frozenset(sets), ("?",))))


def test_a_fact_that_nothing_asks_for_is_a_fault_unless_it_is_kept_for_a_reason() -> None:
    assert "reticulocytes" in KNOWLEDGE.fact_list.spare
    nothing_spare = replace(KNOWLEDGE, fact_list=replace(KNOWLEDGE.fact_list, spare=frozenset()))
    assert faults(nothing_spare) == [
        ("fact that nothing uses", ("reticulocytes",)),
        ("fact that nothing uses", ("reticulocyte share",)),
        ("fact that nothing uses", ("inhaled oxygen flow",)),
        ("fact that nothing uses", ("left ventricular ejection fraction",)),
        ("fact that nothing uses", ("troponin",)),
    ]
    assert "progression" in list(unused_facts(KNOWLEDGE, Words(frozenset(), ("?",))))
