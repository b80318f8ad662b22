"""Each drug.yaml is whole, agrees with itself and cites its sources."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.knowledge.drug_folders import load_drug, load_drugs
from cds_service.knowledge.drugs import Dose, Drug, LadderLevel
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.sources import load_sources
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import packaged_knowledge

DRUGS = {name: tables.drug for name, tables in packaged_knowledge().drugs.items()}
EVERY_DRUG = pytest.mark.parametrize("drug", DRUGS.values(), ids=DRUGS)


def doses(levels: tuple[LadderLevel, ...]) -> list[tuple[int, int]]:
    return [(int(level.amount_mg), level.per_day) for level in levels]


def test_the_six_drugs_of_the_first_release_are_still_there() -> None:
    assert set(DRUGS) >= {
        "alectinib",
        "brigatinib",
        "ceritinib",
        "crizotinib",
        "ensartinib",
        "lorlatinib",
    }


@pytest.mark.parametrize(
    ("name", "ladder"),
    [
        ("alectinib", [(600, 2), (450, 2), (300, 2)]),
        ("brigatinib", [(180, 1), (120, 1), (90, 1), (60, 1)]),
        ("ceritinib", [(450, 1), (300, 1), (150, 1)]),
        ("crizotinib", [(250, 2), (200, 2), (250, 1)]),
        ("ensartinib", [(225, 1), (200, 1), (150, 1)]),
        ("lorlatinib", [(100, 1), (75, 1), (50, 1)]),
    ],
)
def test_the_ladder_is_the_label_ladder(name: str, ladder: list[tuple[int, int]]) -> None:
    assert doses(DRUGS[name].ladder.levels) == ladder


@EVERY_DRUG
def test_the_ladder_descends_in_daily_milligrams_and_ends_in_a_stop(drug: Drug) -> None:
    level: LadderLevel | None = drug.ladder.levels[0]
    while level is not None:
        lower = drug.next_lower(level)
        if lower is not None:
            assert lower.daily_mg < level.daily_mg
        level = lower
    assert drug.next_lower(drug.ladder.levels[-1]) is None
    assert drug.ladder.below_minimum == "permanently discontinue"


@EVERY_DRUG
def test_every_ladder_dose_can_be_made_up_from_the_products(drug: Drug) -> None:
    for level in drug.ladder.levels:
        dispensed = drug.dispensed(level.amount_mg)
        assert dispensed is not None
        total = sum(unit.strength_mg * unit.count for unit in dispensed.units)
        assert total == level.amount_mg


@EVERY_DRUG
def test_every_statement_has_known_sources_and_verified_ones_a_read_source(drug: Drug) -> None:
    sources = load_sources()
    for path, statement in drug.statements():
        assert statement.sources, path
        assert set(statement.sources) <= set(sources), path
        kinds = {sources[identifier].kind for identifier in statement.sources}
        assert not (statement.verified and kinds == {"design"}), path
    for code in drug.codes:
        assert code.source in sources


@EVERY_DRUG
def test_the_product_code_is_among_the_codes_of_the_drug(drug: Drug) -> None:
    known = {code.key for code in drug.codes}
    for product in drug.products:
        if product.clinical_drug is not None:
            assert product.clinical_drug.key in known
            assert f"{product.strength_mg} MG" in product.clinical_drug.display


@EVERY_DRUG
def test_impairment_rows_are_named_once(drug: Drug) -> None:
    rows = (*drug.organ_impairment.hepatic, *drug.organ_impairment.renal)
    assert len({row.id for row in rows}) == len(rows)


def test_a_dose_that_is_not_on_the_ladder_has_no_level() -> None:
    drug = DRUGS["alectinib"]
    assert drug.ladder_level(Decimal(900), 2) is None
    assert drug.ladder_level(Decimal(600), 1) is None
    level = drug.ladder_level(Decimal("600.0"), 2)
    assert level is not None
    assert level.level == 0


def test_the_last_crizotinib_step_is_lower_by_the_day_although_higher_by_the_dose() -> None:
    drug = DRUGS["crizotinib"]
    level = drug.ladder_level(Decimal(200), 2)
    assert level is not None
    lower = drug.next_lower(level)
    assert lower is not None
    assert (lower.amount_mg, lower.daily_mg) == (Decimal(250), Decimal(250))


def test_a_level_of_another_drug_is_refused() -> None:
    with pytest.raises(ValueError, match="does not belong"):
        DRUGS["alectinib"].next_lower(DRUGS["lorlatinib"].ladder.levels[0])


def test_brigatinib_begins_low_and_starts_again_low_after_two_weeks() -> None:
    drug = DRUGS["brigatinib"]
    assert drug.dosing.lead_in is not None
    assert (drug.dosing.lead_in.amount_mg, drug.dosing.lead_in.days) == (Decimal(90), 7)
    assert drug.dosing.full_dose == Dose(amount_mg=Decimal(180), per_day=1)
    assert drug.restart is not None
    assert drug.restart.interrupted_days_at_least == 14
    assert not drug.restart.applies_after_adverse_reaction
    assert drug.ladder.re_escalation == "prohibited"


def test_the_contested_female_contraception_interval_of_alectinib_is_not_verified() -> None:
    contraception = DRUGS["alectinib"].reproduction.contraception_female
    assert not contraception.verified
    assert contraception.note


def test_severe_liver_disease_lowers_alectinib_to_450_mg_twice_daily() -> None:
    row = DRUGS["alectinib"].organ_impairment.hepatic[-1]
    assert row.dose == Dose(amount_mg=Decimal(450), per_day=2)
    assert row.verified


def test_unreadable_lorlatinib_liver_doses_carry_no_number() -> None:
    rows = DRUGS["lorlatinib"].organ_impairment.hepatic
    assert [row.recommendation for row in rows[1:]] == ["not readable", "not readable"]
    assert all(row.dose is None and not row.verified for row in rows[1:])


def test_only_alectinib_has_an_adjuvant_indication_and_it_ends_after_24_months() -> None:
    adjuvant = [
        (name, indication)
        for name, drug in DRUGS.items()
        for indication in drug.indications
        if indication.setting == "adjuvant" and indication.jurisdiction == "US"
    ]
    assert [name for name, _ in adjuvant] == ["alectinib"]
    months = {item.setting: item.months for item in DRUGS["alectinib"].dosing.duration}
    assert months == {"adjuvant": 24, "metastatic": None}


Change = Callable[[dict[str, object]], None]


def change(path: str, value: object) -> Change:
    def apply(content: dict[str, object]) -> None:
        target: Any = content
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            target = target[part]
        target[last] = value

    return apply


@pytest.mark.parametrize(
    ("edit", "where", "expected"),
    [
        (change("dosing.food", "with wine"), "dosing.food", "'with food'"),
        (change("dosing.start", {"amount_mg": 600.5, "per_day": 2}), "dosing.start", "in quotes"),
        (change("dosing.start", {"amount_mg": 450, "per_day": 2}), "", "to be the full dose"),
        (change("ladder.levels.1", {"level": 1, "amount_mg": 700, "per_day": 2}), "", "lower"),
        (change("ladder.levels.1", {"level": 2, "amount_mg": 450, "per_day": 2}), "", "numbered"),
        (change("dispensing.0.units.0", {"strength_mg": 150, "count": 3}), "0", "add up"),
        (change("products.0.strength_mg", 200), "", "strengths listed under products"),
        (change("reproduction.lactation.sources", []), "reproduction.lactation", "at least 1"),
        (change("colour", "white"), "colour", "a field of the schema"),
        (change("ingredient", "loratadine"), "ingredient", "the folder's name"),
    ],
)
def test_a_bad_drug_stops_with_file_and_place(
    tmp_path: Path, edit: Change, where: str, expected: str
) -> None:
    packaged = knowledge_folder() / "drugs" / "alectinib" / "drug.yaml"
    content = yaml.safe_load(packaged.read_text(encoding="utf-8"))
    edit(content)
    file = tmp_path / "alectinib" / "drug.yaml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_drugs(tmp_path)
    assert caught.value.file == str(file)
    assert where in caught.value.where
    assert expected in str(caught.value)


def test_a_folder_without_a_drug_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "emptinib").mkdir()
    with pytest.raises(KnowledgeError, match="a readable UTF-8 file"):
        load_drugs(tmp_path)


def test_one_drug_can_be_loaded_alone() -> None:
    path = knowledge_folder() / "drugs" / "lorlatinib" / "drug.yaml"
    alone = load_drug(path)
    # The signatures are the release's: alone nobody has read it.
    assert not alone.dosing.verified
    assert alone.model_dump() == DRUGS["lorlatinib"].model_dump()
