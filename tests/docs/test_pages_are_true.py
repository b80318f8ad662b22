"""Commands, links and examples in the pages work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
import yaml

from cds_service.commands import commands
from cds_service.commands.local import LocalServices
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import ClientProfile
from fhir_fixtures import load_story, story_names
from fhir_fixtures.requests import hook_request

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.M)
INLINE = re.compile(r"`((?:alk-cds|make) [^`]+)`")
TARGET = re.compile(r"^(?P<name>[a-z-]+):.*## ", re.M)


def command_lines(pages: Mapping[str, str], blocks: list[tuple[str, str, str]]) -> list[str]:
    """Every `alk-cds` and `make` command that a page tells a reader to type."""
    found = [
        line.strip() for _, kind, body in blocks if kind == "console" for line in body.splitlines()
    ]
    found += [line for text in pages.values() for line in INLINE.findall(text)]
    return [line for line in found if re.match(r"(?:[A-Z_]+=\S+ )*(?:alk-cds|make) ", line)]


def without_settings(line: str) -> list[str]:
    words = shlex.split(line)
    while "=" in words[0]:
        words.pop(0)
    return words


def resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and what is left of them."""
    command: click.Command = commands
    while isinstance(command, click.Group):
        assert words, f"{command.name} needs a subcommand"
        name, words = words[0], words[1:]
        if name.startswith("-"):
            return command, [name, *words]
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"there is no command {name}"
        command = found
    return command, words


def test_every_alk_cds_command_in_the_pages_exists_with_its_options(
    pages: Mapping[str, str], blocks: list[tuple[str, str, str]]
) -> None:
    lines = [line for line in command_lines(pages, blocks) if " alk-cds " in f" {line}"]

    assert len(lines) > 10
    for line in lines:
        command, words = resolved(without_settings(line)[1:])
        known = {name for option in command.params for name in option.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_every_story_that_a_command_names_exists(
    pages: Mapping[str, str], blocks: list[tuple[str, str, str]]
) -> None:
    named = [
        words[words.index("--story") + 1]
        for words in map(without_settings, command_lines(pages, blocks))
        if "--story" in words
    ]

    assert named
    assert set(named) <= set(story_names())


def test_every_make_target_in_the_pages_exists(
    pages: Mapping[str, str], blocks: list[tuple[str, str, str]]
) -> None:
    known = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {
        words[1] for words in map(without_settings, command_lines(pages, blocks))
        if words[0] == "make"
    }  # fmt: skip

    assert {"demo", "test", "serve", "bench"} <= named
    assert named <= known


@pytest.mark.parametrize("module", ["benchmarks", "benchmarks.breakdown", "docs.generate"])
def test_a_module_that_the_pages_tell_to_run_can_be_run(
    module: str, pages: Mapping[str, str]
) -> None:
    path = ROOT / module.replace(".", "/")

    assert any(f"python -m {module}" in text for text in pages.values())
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@cache
def anchors(path: Path) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    text = path.read_text(encoding="utf-8")
    return {
        re.sub(r"[^\w\- ]", "", match["title"].lower()).replace(" ", "-")
        for match in HEADING.finditer(text)
    }


def links(pages: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for page, text in pages.items():
        for match in LINK.finditer(text):
            if not re.match(r"[a-z]+:", match["target"]):
                yield page, unquote(match["target"])


def test_every_link_between_pages_leads_somewhere(pages: Mapping[str, str]) -> None:
    found = list(links(pages))

    assert len(found) > 20
    for page, target in found:
        file, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert path.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(path), f"{page} links to {target}"


def test_every_page_can_be_reached_from_the_readme(pages: Mapping[str, str]) -> None:
    reached, todo = set[str](), ["README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for origin, target in links({page: pages[page]}):
            path = ((ROOT / origin).parent / target.partition("#")[0]).resolve()
            name = str(path.relative_to(ROOT))
            if name in pages:
                todo.append(name)

    assert set(pages) - reached == set()


def test_every_rule_in_the_pages_compiles_with_the_packaged_vocabulary(
    blocks: list[tuple[str, str, str]], knowledge: Knowledge
) -> None:
    sentences = [
        line.strip()
        for _, kind, body in blocks
        if kind == "rule"
        for line in body.splitlines()
        if line.strip()
    ]

    assert len(sentences) > 40
    for sentence in sentences:
        assert knowledge.compiler.compile(sentence).text == sentence


def test_the_example_of_a_clients_file_is_valid(blocks: list[tuple[str, str, str]]) -> None:
    (text,) = [body for _, kind, body in blocks if kind == "yaml" and "clients:" in body]
    profiles = [ClientProfile.model_validate(item) for item in yaml.safe_load(text)["clients"]]

    assert [profile.iss for profile in profiles] == ["https://ehr.example.org"]


def test_a_file_or_folder_of_the_code_that_a_page_names_exists(pages: Mapping[str, str]) -> None:
    named = {
        name.strip("`")
        for text in pages.values()
        for name in re.findall(r"`(?:cds_service|hooks|fhir_fixtures|tests)/[\w./-]*`", text)
    }

    assert len(named) > 20
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize(
    ("hook", "story"),
    [
        ("order-sign", "alectinib-alt-six-times"),
        ("patient-view", "alectinib-alt-without-bilirubin"),
    ],
)
def test_what_the_readme_shows_is_what_the_service_says(
    hook: str, story: str, pages: Mapping[str, str]
) -> None:
    day = date(2026, 11, 21)
    services = LocalServices(day, deadline_seconds=1)
    service = services.find(hook)
    body = hook_request(load_story(story, day), services.described(service))

    first = services.answer(service, body).response.cards[0]

    assert first.summary in re.sub(r"[│\s]+", " ", pages["README.md"])


@pytest.mark.parametrize(
    "words",
    ["not a certified medical device", "reviewed by a pharmacist or oncologist outside"],
)
def test_the_readme_says_plainly_what_the_service_is_not(
    words: str, pages: Mapping[str, str]
) -> None:
    assert words in re.sub(r"[*>\s]+", " ", pages["README.md"])


@pytest.mark.parametrize("owner", ["LOINC", "RxNorm", "National Library of Medicine", "SNOMED CT",
                                   "UCUM", "Apache License 2.0"])  # fmt: skip
def test_the_readme_carries_the_notices_of_its_terminologies(
    owner: str, pages: Mapping[str, str]
) -> None:
    assert owner in pages["README.md"].partition("## Licence")[2]
