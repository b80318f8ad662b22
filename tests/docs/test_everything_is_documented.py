"""Whatever a reader can set, call or write stands in the pages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from cds_service.commands import commands
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import ClientProfile
from cds_service.rules import FactKind, Quantity, ReasonKind, State
from cds_service.settings import Settings
from docs import generate
from hooks import DEFINITIONS
from hooks.data import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(r"ALK_CDS_[A-Z_]+")
TOKEN_FOR_COMMANDS = "ALK_CDS_FHIR_TOKEN"


def leaf_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaf_commands(command, (*path, name))
        else:
            yield (*path, name)


def test_every_setting_stands_in_the_page_on_running(pages: Mapping[str, str]) -> None:
    variables = [row.variable for row in Settings.describe()]

    assert len(variables) > 10
    assert [name for name in variables if f"`{name}`" not in pages["docs/run.md"]] == []


def test_every_setting_that_a_page_names_exists(pages: Mapping[str, str]) -> None:
    known = {row.variable for row in Settings.describe()} | {TOKEN_FOR_COMMANDS, "ALK_CDS_"}
    named = {(page, name) for page, text in pages.items() for name in SETTING.findall(text)}

    assert {item for item in named if item[1] not in known} == set()


def test_every_service_and_prefetch_key_stands_in_the_page_on_connecting(
    pages: Mapping[str, str],
) -> None:
    page = pages["docs/connect-an-ehr.md"]
    wanted = [item.id for item in DEFINITIONS] + [item.hook for item in DEFINITIONS]
    wanted += [kind.key for kind in EVERYTHING]

    assert [name for name in wanted if f"`{name}`" not in page] == []


def test_every_service_stands_in_the_page_for_clinicians(pages: Mapping[str, str]) -> None:
    page = pages["docs/for-clinicians.md"]

    assert [item.id for item in DEFINITIONS if f"`{item.id}`" not in page] == []


def test_every_member_of_a_client_profile_is_explained(pages: Mapping[str, str]) -> None:
    page = pages["docs/connect-an-ehr.md"]

    assert [name for name in ClientProfile.model_fields if f"`{name}`" not in page] == []


def test_every_command_stands_in_the_page_on_running(pages: Mapping[str, str]) -> None:
    found = [" ".join(path) for path in leaf_commands(commands)]

    assert len(found) >= 8
    assert [name for name in found if f"`alk-cds {name}`" not in pages["docs/run.md"]] == []


def test_every_fact_stands_in_the_reference_of_the_rule_language(
    pages: Mapping[str, str], knowledge: Knowledge
) -> None:
    names = [fact.name for fact in knowledge.vocabulary]

    assert len(names) > 40
    assert [name for name in names if f"| `{name}` |" not in pages["docs/rules.md"]] == []


def test_every_kind_of_fact_has_a_section(pages: Mapping[str, str], knowledge: Knowledge) -> None:
    page = pages["docs/rules.md"]
    headings = {"Measured quantities", "States", "Yes/no facts", "Collections", "Events"}

    assert {type(fact) for fact in knowledge.vocabulary} == set(FactKind.__args__)
    assert any(isinstance(fact, State) and fact.is_flag for fact in knowledge.vocabulary)
    assert {name for name in headings if f"\n### {name}\n" not in page} == set()


def test_every_reason_for_unknown_is_explained_to_clinicians(pages: Mapping[str, str]) -> None:
    page = pages["docs/for-clinicians.md"]

    assert [kind.value for kind in ReasonKind if f"| {kind.value} |" not in page] == []


def test_every_table_of_the_release_is_named_where_knowledge_is_changed(
    pages: Mapping[str, str], knowledge: Knowledge
) -> None:
    page = pages["docs/change-knowledge.md"]
    tables = [f"`algorithm/{name}.csv`" for name in knowledge.tables]
    tables += [
        f"`drugs/<ingredient>/{field.name}.csv`"
        for field in dataclasses.fields(next(iter(knowledge.drugs.values())))
        if field.name != "drug"
    ]

    assert [name for name in tables if name not in page] == []


def test_every_decision_note_is_listed(pages: Mapping[str, str]) -> None:
    listed = pages["docs/decisions/README.md"]
    notes = [Path(page).name for page in pages if page.startswith("docs/decisions/")]

    assert len(notes) > 8
    assert [name for name in notes if name != "README.md" and f"({name})" not in listed] == []


def test_every_test_folder_is_explained(pages: Mapping[str, str]) -> None:
    folders = {
        path.parent.relative_to(ROOT).parts[1] for path in (ROOT / "tests").glob("*/**/test_*.py")
    }

    assert {name for name in folders if f"`tests/{name}`" not in pages["docs/tests.md"]} == set()


@pytest.mark.parametrize("name", sorted(generate.SECTIONS))
def test_a_table_that_is_read_from_the_code_is_current(
    name: str, pages: Mapping[str, str], knowledge: Knowledge
) -> None:
    page, write = generate.SECTIONS[name]
    text = (generate.FOLDER / page).resolve().read_text(encoding="utf-8")

    assert text == generate.rewritten(text, name, write(knowledge)), "run: python -m docs.generate"


def test_the_reference_says_how_long_a_result_counts(
    pages: Mapping[str, str], knowledge: Knowledge
) -> None:
    rows = [line for line in pages["docs/rules.md"].splitlines() if line.startswith("| `ALT` |")]
    alt = knowledge.vocabulary.find("ALT")

    assert isinstance(alt, Quantity)
    assert len(rows) == 1
    assert f"counts for {alt.fresh_for_days} days" in rows[0]
