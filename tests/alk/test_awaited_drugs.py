"""A drug whose approval is awaited: refused until somebody sets a flag, and no Python changes."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.alk import Decision, Kind, Question, Recommendation, Topic, decide
from cds_service.cards import CardContext, build_cards
from cds_service.cards.suggestions import OrderContext
from cds_service.facts import PatientFacts
from cds_service.knowledge.checks import check_knowledge
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.sources import load_sources
from tests.alk.patients import AS_OF, asked, knowledge, order, patient, treatment

DRUG = "neladalkib"
DRAFT = order(DRUG, "150", 1)
FLAG = knowledge().awaited[DRUG].approval
PACKAGED = Path(__file__).parents[2] / "cds_service" / "knowledge"


def _heard(
    release: Knowledge, as_of: date = AS_OF, facts: PatientFacts | None = None
) -> dict[str, Recommendation]:
    about = facts if facts is not None else patient(lines=())
    decision = decide(about, Question("order-sign", (DRAFT,)), release, as_of)
    return {item.rule_id: item for item in decision.recommendations}


def _looked_up(on: date, **changes: Any) -> Knowledge:
    """The packaged release with the flag as somebody left it on that day."""
    flag = FLAG.model_copy(update={"checked_on": on, **changes})
    drug = knowledge().awaited[DRUG].model_copy(update={"approval": flag})
    return replace(knowledge(), awaited={DRUG: drug})


def _details(decision: Decision) -> list[tuple[str, str, list[str]]]:
    context = CardContext(OrderContext("p"), None, 9)
    built = build_cards(decision, lambda item: item.topic is Topic.ORDER, knowledge(), context)
    return [
        (
            item.card.summary,
            item.card.detail or "",
            [one.label for one in item.card.suggestions or ()],
        )
        for item in built
    ]


def test_it_is_known_by_name_and_has_no_dose() -> None:
    assert DRUG not in knowledge().drugs
    assert DRUG in knowledge().inhibitors
    assert set(FLAG.sources) <= set(knowledge().sources)
    assert "ALK inhibitor" in knowledge().codes.classes_of(DRUG)


def test_an_order_of_it_is_refused_with_the_way_to_it() -> None:
    item = _heard(knowledge())["order-not-approved"]
    assert (item.kind, item.severity, item.algorithm_ids) == (Kind.STOP, "critical", ("H-17",))
    (summary, detail, clicks), *_ = _details(asked(patient(lines=()), DRAFT))
    assert summary.startswith("Do not sign neladalkib: no approval is known")
    assert "20 Nov 2026" in detail
    assert "27 Nov 2026" in detail
    assert "expanded access" in detail
    assert "zidesamtinib" in detail
    assert clicks == ["Remove the neladalkib order"]


def test_nobody_is_asked_to_compare_it_with_a_label_that_it_does_not_have() -> None:
    compared = {"order-dose-unreadable", "order-above-label", "order-off-ladder"}
    compared |= {"order-lead-in-skipped", "order-lead-in-undecided"}
    assert not compared & set(_heard(knowledge()))


def test_its_sister_drug_is_not_it() -> None:
    ingredient = knowledge().codes.ingredients[DRUG]
    assert "zidesamtinib" not in ingredient.match_text
    assert "zidesamtinib" in knowledge().awaited[DRUG].confusable_with


@pytest.mark.parametrize(
    ("looked_up", "as_of", "asks"),
    [
        (date(2026, 11, 20), date(2026, 11, 20), False),
        (date(2026, 11, 20), date(2026, 11, 27), False),
        # The goal date has passed and nobody looked since.
        (date(2026, 11, 20), date(2026, 11, 28), True),
        (date(2026, 11, 27), date(2026, 11, 28), True),
        (date(2026, 11, 28), date(2026, 11, 28), False),
        (date(2026, 11, 28), date(2026, 12, 5), False),
        (date(2026, 11, 28), date(2026, 12, 6), True),
        # Before the goal date a week counts as well.
        (date(2026, 11, 13), date(2026, 11, 20), False),
        (date(2026, 11, 12), date(2026, 11, 20), True),
    ],
)
def test_a_flag_that_nobody_looked_up_lately_is_said_to_be_old(
    looked_up: date, as_of: date, asks: bool
) -> None:
    heard = _heard(_looked_up(looked_up), as_of)
    assert "order-not-approved" in heard
    assert ("order-approval-recheck" in heard) is asks
    if asks:
        item = heard["order-approval-recheck"]
        assert (item.kind, item.severity) == (Kind.ASK, "warning")


def test_the_interval_is_read_from_the_file() -> None:
    release = _looked_up(date(2026, 11, 28), recheck_days=30)
    assert "order-approval-recheck" not in _heard(release, date(2026, 12, 28))
    assert "order-approval-recheck" in _heard(release, date(2026, 12, 29))


def test_beside_it_no_second_inhibitor_is_signed() -> None:
    line = treatment((30, "active", ("150", 1)), ingredient=DRUG)
    heard = {
        item.rule_id: item
        for item in asked(patient(lines=(line,)), order("lorlatinib", "100", 1)).recommendations
    }
    assert "order-two-alk-inhibitors" in heard
    assert heard[f"{DRUG}-not-covered"].severity == "warning"


# -- switching it on, with files only ------------------------------------------------------------


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    shutil.copytree(PACKAGED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def _set(folder: Path, **flag: Any) -> None:
    file = folder / "drugs" / DRUG / "status.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["approval"] |= flag
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _add_dosing(folder: Path) -> None:
    """Dosing and tables as a maintainer would add them, here those of another drug renamed."""
    model, own = folder / "drugs" / "crizotinib", folder / "drugs" / DRUG
    for table in model.glob("*.csv"):
        # The ids of sources stay: they name what was read.
        sources = "|".join(map(re.escape, load_sources()))
        renamed = re.sub(
            rf"(?<![\w-])(?!(?:{sources})(?![\w-]))crizotinib",
            DRUG,
            table.read_text(encoding="utf-8"),
        )
        (own / table.name).write_text(renamed, encoding="utf-8")
    prose = folder / "prose_numbers.yaml"
    of_model = [line for line in prose.read_text("utf-8").splitlines() if "crizotinib-" in line]
    more = "".join(f"{line.replace('crizotinib', DRUG, 1)}\n" for line in of_model
                   if line.startswith("crizotinib-"))  # fmt: skip
    prose.write_text(prose.read_text("utf-8") + more, encoding="utf-8")
    drug = yaml.safe_load((model / "drug.yaml").read_text(encoding="utf-8"))
    drug |= {"ingredient": DRUG, "brand": "None", "match_text": [DRUG], "generation": "fourth"}
    drug |= {"codes": []}
    for product in drug["products"]:
        product.pop("clinical_drug", None)
    (own / "drug.yaml").write_text(yaml.safe_dump(drug, sort_keys=False), encoding="utf-8")


@pytest.mark.slow
def test_dosing_tables_and_the_flag_switch_it_on(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    _add_dosing(folder)
    waiting = load_knowledge(folder)
    assert DRUG in waiting.awaited
    assert "order-not-approved" in _heard(waiting)

    _set(folder, status="approved", checked_on=date(2026, 11, 28))
    release = load_knowledge(folder)
    assert DRUG not in release.awaited
    assert release.drugs[DRUG].complete
    assert all(table.clean for table in check_knowledge(release, folder))
    heard = _heard(release, FLAG.goal_date + timedelta(days=400))
    assert not {"order-not-approved", "order-approval-recheck"} & set(heard)
    assert "order-off-ladder" in _heard(release)
    on_it = patient(lines=(treatment((170, "active", ("250", 2)), ingredient=DRUG),), ALT="6")
    decision = decide(on_it, Question("patient-view"), release, AS_OF)
    assert f"{DRUG}-liver-hold" in {item.rule_id for item in decision.recommendations}


def test_approved_without_dosing_it_is_not_refused_but_not_checked_either(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    _set(folder, status="approved", checked_on=date(2026, 11, 20))
    heard = _heard(load_knowledge(folder))
    assert not {"order-not-approved", "order-dose-unreadable"} & set(heard)
    assert heard[f"{DRUG}-not-covered"].topic is Topic.COVERAGE


def test_a_folder_is_named_after_its_drug(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "drugs" / DRUG).rename(folder / "drugs" / "another")
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)
    assert caught.value.where == "ingredient"
