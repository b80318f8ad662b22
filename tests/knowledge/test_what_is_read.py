"""A concept, set of diagnoses or fact that nobody reads looks like safety and is none."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from cds_service.knowledge.checks import check_what_is_read
from cds_service.knowledge.code_models import Code, ValueSet
from cds_service.knowledge.concept_models import Concept
from cds_service.knowledge.concepts import Concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.unread import (
    READING,
    Words,
    unread_value_sets,
    unused_facts,
    words_of,
)
from cds_service.knowledge.yaml_files import knowledge_folder

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
        ("fact that nothing uses", ("inspired oxygen",)),
        ("fact that nothing uses", ("inhaled oxygen flow",)),
        ("fact that nothing uses", ("left ventricular ejection fraction",)),
        ("fact that nothing uses", ("troponin",)),
        ("fact that nothing uses", ("thoughts of death or self-harm",)),
    ]
    assert "recorded disease status" in list(unused_facts(KNOWLEDGE, Words(frozenset(), ("?",))))


def test_each_value_set_and_class_that_code_names_is_said_to_be_read_for_something() -> None:
    """So that its page can say which rules it serves."""
    named = words_of(READING).whole
    lists = KNOWLEDGE.fact_list
    said = {
        name for names in (*lists.read_from.values(), *lists.read_for.values()) for name in names
    }
    said |= set(KNOWLEDGE.diagnosis_sets)
    # A class that is itself a kind of fact in the rules needs no other reader.
    members = {"ALK inhibitor"}
    codes = KNOWLEDGE.codes
    asked = named & {*codes.value_sets, *codes.medication_classes}
    assert asked - said - members == set()


@pytest.mark.parametrize(
    ("section", "key", "value", "place"),
    [
        ("read_from", "no such fact", ["brain MRI"], "read_from.no such fact"),
        ("read_from", "brain imaging", ["no such set"], "read_from.brain imaging"),
        ("read_for", "anything", ["no such set"], "read_for.anything"),
    ],
)
def test_what_is_read_from_codes_that_stand_nowhere_is_refused(
    tmp_path: Path, section: str, key: str, value: list[str], place: str
) -> None:
    folder = tmp_path / "release"
    shutil.copytree(Path(str(knowledge_folder())), folder)
    file = folder / "vocabulary.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content[section][key] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)
    assert (caught.value.file, caught.value.where) == (str(file), place)


def test_a_class_without_members_is_refused_with_file_and_place(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.copytree(Path(str(knowledge_folder())), folder)
    file = folder / "codes" / "medications.yaml"
    content = file.read_text(encoding="utf-8")
    empty = content.replace("classes:\n", "classes:\n  empty class: {ingredients: {}}\n", 1)
    file.write_text(empty, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)
    assert (caught.value.file, caught.value.where) == (
        str(file),
        "classes.empty class.ingredients",
    )
    assert caught.value.column == "ingredients"
    assert caught.value.row == 8


def test_a_release_older_than_what_was_read_for_it_is_to_be_raised() -> None:
    assert not [
        found for found in check_what_is_read(KNOWLEDGE).findings if "read after" in found.kind
    ]
    newest = max(signature.read_on for signature in KNOWLEDGE.signatures.values())
    newest = max(newest, *(source.date_checked for source in KNOWLEDGE.sources.values()))
    day_before = newest - timedelta(days=1)
    older = KNOWLEDGE.release.model_copy(update={"date": day_before})
    (found,) = check_what_is_read(replace(KNOWLEDGE, release=older)).errors
    assert found.kind == "read after the day of the release"
    assert "raise number and date" in found.situation
