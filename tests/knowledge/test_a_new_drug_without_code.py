"""A new ALK inhibitor is a folder of tables and some rows: no program text names a drug.

`new_drug/` holds the tables of a drug that does not exist. They are laid over a copy of the
packaged release; what comes out is asked of `decide` and of the running service over HTTP.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.alk import Decision, Kind, Question, Topic, decide
from cds_service.facts import OrderedMedication, PatientFacts
from cds_service.knowledge.checks import check_knowledge
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.signing import sign_rows
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.alk.patients import AS_OF, knowledge, patient, reactions, taken, treatment
from tests.services.calling import Json, Service, running_service

pytestmark = pytest.mark.slow

ADDED = Path(__file__).parent / "new_drug"
DRUG = "inventinib"
LABEL = "inventinib-label"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CLINICAL_DRUG = "99999035"
FULL = ("105", 2)
ON_IT = (treatment((170, "active", FULL), ingredient=DRUG),)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """The packaged release with one drug more."""
    folder = tmp_path_factory.mktemp("release") / "knowledge"
    shutil.copytree(
        str(knowledge_folder()), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    shutil.copytree(ADDED / "drugs" / DRUG, folder / "drugs" / DRUG)
    _append(folder / "sources.yaml", (ADDED / "sources.yaml").read_text(encoding="utf-8"))
    for file in (ADDED / "algorithm").iterdir():
        _, rows = file.read_text(encoding="utf-8").split("\n", 1)
        _append(folder / "algorithm" / file.name, rows)
    _sign(folder)
    return load_knowledge(folder)


def _sign(folder: Path) -> None:
    """Who made the drug up has read its label."""
    tables = load_knowledge(folder).all_tables()
    new = [row.identifier for table in tables for row in table if LABEL in row.sources]
    new.append(f"{DRUG}/")
    sign_rows(folder, new, level="manufacturer", source=LABEL, version="2026-11", by="the tests",
              read_on=AS_OF)  # fmt: skip


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def _order(extended: Knowledge, ingredient: str = DRUG, amount: str = "105") -> OrderedMedication:
    names = {ingredient, *extended.codes.classes_of(ingredient, include_unverified=True)}
    reference = f"MedicationRequest/draft-{ingredient}"
    dose = taken((amount, 2))
    return OrderedMedication(reference, ingredient, (ingredient,), frozenset(names), dose, {})


def _asked(extended: Knowledge, facts: PatientFacts, *orders: OrderedMedication) -> Decision:
    return decide(facts, Question("order-sign", orders), extended, AS_OF)


# -- the decision ----------------------------------------------------------------------------------


def test_the_packaged_release_knows_nothing_of_it(extended: Knowledge) -> None:
    assert set(extended.drugs) - set(knowledge().drugs) == {DRUG}
    assert CLINICAL_DRUG not in {code.code for _, code in knowledge().codes.all_codes()}


def test_its_tables_pass_the_checks_of_the_release(extended: Knowledge) -> None:
    checked = check_knowledge(extended)
    assert {table.name for table in checked} >= {f"drugs/{DRUG}/dose_changes"}
    assert [error for table in checked for error in table.errors if DRUG in str(error)] == []


def test_it_is_among_the_options_with_its_own_modifiers_and_dose(extended: Knowledge) -> None:
    decision = _asked(extended, patient(lines=(), brain_metastases="present"))
    (choice,) = [item for item in decision.recommendations if item.kind is Kind.CHOOSE]
    (option,) = [option for option in choice.options if option.drug == DRUG]
    assert option.dose is not None
    assert (option.dose.amount_mg, option.dose.per_day) == (Decimal(105), 2)
    assert "modifier-brain-inventinib" in {modifier.rule_id for modifier in option.modifiers}


@pytest.mark.parametrize(
    ("facts", "row", "resumed"),
    [
        ({"ALT": "4"}, None, None),
        ({"ALT": "4.01"}, "inventinib-liver-hold", Decimal(70)),
        ({"QTc": [(3, "501")]}, None, None),
        ({"QTc": [(3, "501"), (5, "500")]}, None, None),
        ({"QTc": [(3, "501"), (5, "501")]}, "inventinib-qt-hold", Decimal(70)),
        ({"QTc": [(3, "501"), (34, "501")]}, None, None),
    ],
)
def test_its_dose_changes_speak_at_its_own_thresholds(
    extended: Knowledge, facts: dict[str, Any], row: str | None, resumed: Decimal | None
) -> None:
    heard = reactions(_asked(extended, patient(lines=ON_IT, **facts)))
    assert {name: item.kind for name, item in heard.items()} == (
        {} if row is None else {row: Kind.WITHHOLD}
    )
    for item in heard.values():
        assert item.resume_dose is not None
        assert item.resume_dose.amount_mg == resumed


@pytest.mark.parametrize(("days_ago", "status"), [(34, None), (35, "due"), (43, "overdue")])
def test_its_tests_are_due_on_its_own_days(
    extended: Knowledge, days_ago: int, status: str | None
) -> None:
    done = {name: [(days_ago, "0.8")] for name in ("ALT", "AST", "total_bilirubin")}
    decision = _asked(extended, patient(lines=ON_IT, **done))
    due = [test for item in decision.recommendations if item.topic is Topic.MONITORING
           for test in item.tests]  # fmt: skip
    assert [(test.rule_id, test.status) for test in due] == (
        [] if status is None else [("inventinib-monitor-liver", status)]
    )


def test_its_interactions_and_organ_doses_lower_an_order(extended: Knowledge) -> None:
    cases: list[tuple[dict[str, Any], str, int]] = [
        ({"medications": ("strong CYP3A inhibitor",)}, "inventinib-interaction-inhibitor", 70),
        ({"Child-Pugh_class": "C"}, "inventinib-child-pugh-c", 35),
    ]
    for facts, row, amount in cases:
        decision = _asked(extended, patient(lines=(), **facts), _order(extended))
        (item,) = [item for item in decision.recommendations if item.rule_id == row]
        assert item.kind is Kind.REDUCE
        assert item.dose is not None
        assert item.dose.amount_mg == amount


def test_two_inhibitors_are_stopped_whichever_of_them_is_the_new_one(extended: Knowledge) -> None:
    on_alectinib = patient()
    on_it = patient(lines=ON_IT)
    for facts, order in (
        (on_alectinib, _order(extended)),
        (on_it, _order(extended, "alectinib", "600")),
    ):
        first = _asked(extended, facts, order).recommendations[0]
        assert (first.rule_id, first.kind) == ("order-two-alk-inhibitors", Kind.STOP)


def test_an_order_above_its_label_is_refused(extended: Knowledge) -> None:
    rules = {
        item.rule_id
        for item in _asked(
            extended, patient(lines=()), _order(extended, amount="140")
        ).recommendations
    }
    assert any("above" in rule for rule in rules)


# -- over HTTP -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving_it(extended: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The application with the extended release."""
    database = tmp_path_factory.mktemp("service") / "decisions.sqlite3"
    with running_service(database, extended) as found:
        yield found


def _with_it(body: Json) -> Json:
    """A call whose patient takes the new drug where the story's patient takes alectinib."""
    text = json.dumps(body).replace("1727479", CLINICAL_DRUG)
    for old, new in (
        (r"Alectinib 150 MG Oral Capsule", "Inventinib 35 MG Oral Tablet"),
        (r"alectinib 150 mg capsule", "inventinib 35 mg tablet"),
        (r"600 mg \(4 capsules\)", "105 mg (3 tablets)"),
        (r"450 mg \(3 capsules\)", "70 mg (2 tablets)"),
    ):
        text = re.sub(old, new, text)
    changed: Json = json.loads(text)
    _redose(changed)
    return changed


def _redose(value: Any) -> None:
    if isinstance(value, dict):
        dose = value.get("doseQuantity")
        if isinstance(dose, dict):
            dose["value"] = {600: 105, 450: 70}.get(dose["value"], dose["value"])
        for member in value.values():
            _redose(member)
    elif isinstance(value, list):
        for member in value:
            _redose(member)


def _cards(service: Service, hook: str, story: str) -> dict[str, Json]:
    cards = service.cards_of(hook, _with_it(service.body(hook, story)))
    assert "alectinib" not in json.dumps([card["summary"] for card in cards]).lower()
    return {card["source"]["topic"]["display"]: card for card in cards}


def _orders(card: Json, kind: str = "create") -> list[Json]:
    return [
        action["resource"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == kind and action["resource"]["resourceType"] == "MedicationRequest"
    ]


def _is_it(order: Json) -> bool:
    coding = order["medicationCodeableConcept"]["coding"]
    return any((code["system"], code["code"]) == (RXNORM, CLINICAL_DRUG) for code in coding)


def _amount(order: Json) -> tuple[Any, Any]:
    (line,) = order["dosageInstruction"]
    frequency = line["timing"]["repeat"]["frequency"]
    return line["doseAndRate"][0]["doseQuantity"]["value"], frequency


def test_a_card_offers_an_order_with_its_code(serving_it: Service) -> None:
    cards = serving_it.cards("patient-view", "first-line-choice")
    offered = [order for card in cards for order in _orders(card) if _is_it(order)]
    assert [_amount(order) for order in offered] == [(105, 2)]


def test_a_card_holds_it_when_its_row_says_so(serving_it: Service) -> None:
    card = _cards(serving_it, "order-sign", "alectinib-alt-six-times")["inventinib-liver-hold"]
    assert DRUG in card["summary"]


def test_a_card_lowers_the_dose_after_recovery(serving_it: Service) -> None:
    card = _cards(serving_it, "order-sign", "alectinib-recovered-liver")["inventinib-liver-hold"]
    (changed,) = _orders(card, "update")
    assert _is_it(changed)
    assert _amount(changed) == (70, 2)


def test_a_card_reminds_of_its_tests(serving_it: Service) -> None:
    cards = _cards(serving_it, "patient-view", "alectinib-monitoring-overdue")
    assert DRUG in cards["inventinib-monitor-liver"]["summary"]


def test_a_card_warns_of_its_interaction(serving_it: Service, extended: Knowledge) -> None:
    body = _with_it(serving_it.body("order-sign", "alectinib-on-track"))
    entries = body["prefetch"]["medications"]["entry"]
    name = "itraconazole"
    (code, *_) = [code for code in extended.codes.ingredients[name].codes if code.system == RXNORM]
    taken_too = json.loads(json.dumps(entries[-1]["resource"]))
    taken_too["id"] = f"taken-{name}"
    taken_too["medicationCodeableConcept"] = {
        "coding": [{"system": code.system, "code": code.code}],
        "text": name,
    }
    entries.append({"resource": taken_too})
    cards = {
        card["source"]["topic"]["display"]: card for card in serving_it.cards_of("order-sign", body)
    }
    card = cards["inventinib-interaction-inhibitor"]
    assert [_amount(order) for order in _orders(card, "update")] == [(70, 2)]


def test_a_card_stops_a_second_inhibitor(serving_it: Service) -> None:
    cards = _cards(serving_it, "order-sign", "two-alk-inhibitors")
    card = cards["order-switch-while-active"]
    assert card["indicator"] == "critical"
    assert DRUG in card["summary"]


# -- no drug in program text -----------------------------------------------------------------------


def test_no_program_text_names_a_drug() -> None:
    """Comments and examples may; a string or a name that the program uses may not."""
    names = {word for tables in knowledge().drugs.values() for word in tables.drug.match_text}
    root = Path(__file__).parents[2]
    found = []
    for file in (*(root / "cds_service").rglob("*.py"), *(root / "hooks").rglob("*.py")):
        if file.name == "demo.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        remarks = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if id(node) in remarks:
                continue
            used = [getattr(node, field, None) for field in ("id", "attr", "name", "arg", "value")]
            found += [
                f"{file.relative_to(root)}: {text}"
                for text in used
                if isinstance(text, str) and any(name in text.lower() for name in names)
            ]
    assert found == []
