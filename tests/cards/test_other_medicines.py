"""Where a medicine is to be avoided beside an ALK inhibitor, the card says what another must be
like: in words, because the service knows neither its purpose nor its dose."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cds_service.alk.not_checked import asked_members
from cds_service.cards import CardContext, all_cards
from cds_service.cards.other_medicines import AVOIDED, _basis
from cds_service.cards.suggestions import OrderContext
from cds_service.knowledge.codes import Codes
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.cards.deciding import decided
from tests.facts import records
from tests.facts.records import knowledge

ANOTHER = "another one for the same purpose that "


def _details(drug: str, *others: records.Json, ordered: str) -> list[str]:
    """What the interaction cards of a running drug say when another medicine is ordered."""
    full = knowledge().drugs[drug].drug.dosing.full_dose
    running = records.medication(
        text=drug, start=200, dose=records.dosage(float(full.amount_mg), full.per_day)
    )
    draft = {**records.medication(text=ordered, status="draft", start=0), "id": "draft"}
    decision = decided("p", [records.person(), running, *others], [draft])
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, 30)
    cards = all_cards(decision, lambda _: True, knowledge(), context)
    return [card.card.detail or "" for card in cards if "-interaction-" in card.rule_id]


@pytest.mark.parametrize(
    ("drug", "ordered", "words"),
    [
        ("brigatinib", "clarithromycin", "does not inhibit CYP3A, or only weakly"),
        ("lorlatinib", "carbamazepine", "does not induce CYP3A"),
        ("crizotinib", "digoxin", "is not carried by P-gp and does not slow the heart"),
        ("ceritinib", "amiodarone", "does not prolong the QT interval and does not slow the heart"),
        ("ensartinib", "ketoconazole", "does not inhibit CYP3A, or only weakly"),
    ],
)
def test_what_another_medicine_must_be_like_is_said_for_all_that_the_card_says(
    drug: str, ordered: str, words: str
) -> None:
    assert any(f"{ANOTHER}{words}" in detail for detail in _details(drug, ordered=ordered))


@pytest.mark.parametrize(
    ("drug", "ordered"), [("alectinib", "atenolol"), ("lorlatinib", "simvastatin")]
)
def test_what_is_only_watched_is_replaced_by_nothing(drug: str, ordered: str) -> None:
    found = _details(drug, ordered=ordered)

    assert found
    assert not [detail for detail in found if ANOTHER in detail]


def test_an_inducer_that_was_stopped_and_still_acts_is_replaced_by_nothing() -> None:
    stopped = records.medication(text="carbamazepine", status="stopped", start=90, end=1)
    draft = {
        **records.medication(
            text="lorlatinib", status="draft", start=0, dose=records.dosage(100, 1)
        ),
        "id": "draft",
    }
    decision = decided("p", [records.person(), stopped], [draft])
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, 30)
    cards = all_cards(decision, lambda _: True, knowledge(), context)

    (card,) = [one for one in cards if one.rule_id == "lorlatinib-interaction-strong-inducer"]
    assert ANOTHER not in (card.card.detail or "")


def test_every_class_that_a_label_avoids_says_what_another_medicine_must_be_like() -> None:
    classes = knowledge().codes.medication_classes
    without = {
        name
        for tables in knowledge().drugs.values()
        for row in tables.interactions or ()
        if row.text("action") in AVOIDED
        for name in asked_members(row.when.expression)
        if name in classes and classes[name].alternative is None
    }
    # Its rows say themselves what to use: a method without hormones.
    assert without == {"hormonal contraceptive"}


def test_the_card_says_that_the_words_about_another_medicine_are_ours_and_no_label_s() -> None:
    (said,) = [one for one in _details("brigatinib", ordered="clarithromycin") if ANOTHER in one]

    assert "That follows from the class; no label that was read names it." in said


def test_the_card_names_the_text_in_which_the_words_about_another_medicine_were_read() -> None:
    read = replace(knowledge(), codes=_read_in("lorbrena-label-dosage"))
    classes = read.codes.medication_classes.values()

    assert {_basis([one.alternative], read) for one in classes if one.alternative is not None} == {
        f"Source: {read.sources['lorbrena-label-dosage'].citation}"
    }


def _read_in(source: str) -> Codes:
    codes = knowledge().codes
    moved = {
        name: one.model_copy(
            update={"alternative": one.alternative.model_copy(update={"sources": (source,)})}
        )
        for name, one in codes.medication_classes.items()
        if one.alternative is not None
    }
    return replace(codes, medication_classes=moved)


def test_an_alternative_without_a_source_is_refused_by_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.copytree(Path(str(knowledge_folder())), folder)
    file = folder / "codes" / "medications.yaml"
    text = file.read_text(encoding="utf-8")
    for sources, where in (("[]", "alternative"), ("[hearsay]", "classes.")):
        changed = text.replace("[design-alternative-by-class]", sources, 1)
        file.write_text(changed, encoding="utf-8")
        with pytest.raises(KnowledgeError) as told:
            load_knowledge(folder)
        assert "medications.yaml" in str(told.value)
        assert where in str(told.value)
