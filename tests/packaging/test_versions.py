"""One version of the program and one release of the tables, the same wherever somebody looks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from click.testing import CliRunner

from cds_service.commands import commands
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import released_knowledge
from tests.services.calling import Service, running_service

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION: str = PROJECT["project"]["version"]
RELEASE: str = yaml.safe_load((knowledge_folder() / "release.yaml").read_text(encoding="utf-8"))[
    "version"
]
SPECIAL = re.compile(r"(^|\.)(example(\.(com|net|org))?|invalid|localhost|test)$")
"""Domains that are set apart for documentation and tests: nobody can be reached there."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    database = tmp_path_factory.mktemp("versions") / "decisions.sqlite3"
    with running_service(database, released_knowledge()) as found:
        yield found


def test_the_newest_heading_of_the_changelog_names_both() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = next(line for line in text.splitlines() if line.startswith("## "))
    found = re.fullmatch(
        r"## (?:Unreleased \()?(\d+\.\d+\.\d+)(?:, | \()knowledge release ([\d.]+)\)", newest
    )
    assert found is not None, newest
    assert found.groups() == (VERSION, RELEASE)


def test_the_command_line_says_both() -> None:
    result = CliRunner().invoke(commands, ["--version"])
    assert result.output == f"alk-cds {VERSION}, knowledge release {RELEASE}\n"


def test_the_health_of_the_service_says_both(service: Service) -> None:
    answer = requests.get(f"{service.url}/health", timeout=10).json()
    assert answer == {"status": "up", "version": VERSION, "release": RELEASE}


def test_every_service_in_discovery_says_both_where_the_specification_allows(
    service: Service,
) -> None:
    answer = requests.get(f"{service.url}/cds-services", timeout=10).json()
    assert set(answer) == {"services"}
    said = {"alk-cds.version.software": VERSION, "alk-cds.version.knowledge": RELEASE}
    assert [item["extension"] for item in answer["services"]] == [said] * len(answer["services"])
    assert answer["services"]


def test_the_description_of_the_api_and_the_home_page_name_the_program(service: Service) -> None:
    described = requests.get(f"{service.url}/openapi.json", timeout=10).json()
    assert described["info"]["version"] == VERSION
    home = requests.get(f"{service.url}/", timeout=10).text
    assert f"<dt>Program</dt><dd>{VERSION}</dd>" in home


def test_the_number_of_the_program_is_written_down_once() -> None:
    files = [*(ROOT / "cds_service").rglob("*.py"), *(ROOT / "hooks").rglob("*.py")]
    files += (ROOT / "cds_service").rglob("*.yaml")
    assert [str(file) for file in files if f'"{VERSION}"' in file.read_text("utf-8")] == []


@pytest.mark.parametrize("label", PROJECT["project"]["urls"])
def test_an_address_of_the_package_is_a_real_one(label: str) -> None:
    address = urlsplit(PROJECT["project"]["urls"][label])
    assert address.scheme == "https"
    assert address.hostname
    assert SPECIAL.search(address.hostname) is None
