"""What comes from others: what was not checked is never told as well."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "supply_chain", ROOT / "tools" / "supply_chain.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


chain = _tool()
GOOD = {"name": "flask", "version": "3.1.0", "vulns": []}
HOLE = {"name": "flask", "version": "3.1.0",
        "vulns": [{"id": "CVE-2031-1", "fix_versions": ["3.1.9"]}]}  # fmt: skip
SKIPPED = {"name": "flask", "skip_reason": "not found"}


def report(*packages: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(packages)}


@pytest.mark.parametrize(
    ("reports", "status", "says"),
    [
        ([report(GOOD)], 0, "1 packages, no known vulnerability"),
        ([report(HOLE)], 1, "flask 3.1.0: CVE-2031-1, mended in 3.1.9"),
        ([report(SKIPPED)], 3, "NOT CHECKED: 1 of 1 packages"),
        (["pypi: no answer"], 3, "NOT CHECKED (pypi: no answer)"),
        ([report()], 3, "NOT CHECKED"),
        ([report(SKIPPED), report(GOOD)], 0, "no known vulnerability"),
        ([report(GOOD, {**SKIPPED, "name": "jinja2"})], 3, "1 of 2 packages"),
        ([report(HOLE, {**SKIPPED, "name": "jinja2"})], 1, "NOT CHECKED: 1 of 2"),
        ([report(HOLE), report(GOOD)], 1, "CVE-2031-1"),
    ],
)
def test_an_audit_is_well_only_when_every_package_was_looked_up(
    reports: list[Any], status: int, says: str
) -> None:
    told = chain.audited("requirements.lock", reports)

    assert told.status == status
    assert says in "\n".join(told.lines)


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("BSD License; MIT License", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-3.0-only)", True),
        ("MPL-2.0 AND (GPL-2.0-only OR GPL-3.0-only)", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_a_licence_may_be_used_when_every_part_that_binds_is_allowed(
    licence: str, allowed: bool
) -> None:
    assert chain.may_be_used(licence) is allowed


def test_a_package_that_is_not_installed_is_not_called_checked() -> None:
    assert chain.licensed(["flask"], {"flask": "BSD-3-Clause"}).status == 0
    told = chain.licensed(["flask", "jinja2"], {"flask": "BSD-3-Clause"})
    assert told.status == 3
    assert told.lines == ("NOT CHECKED: jinja2 is not installed here",)
    assert chain.licensed(["flask", "jinja2"], {"flask": "AGPL-3.0-only"}).status == 1


def test_the_packages_of_a_lock_are_those_that_this_machine_needs(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(
        "# made by hand\n"
        'async-timeout==5.0.1 ; python_full_version < "3.0" \\\n    --hash=sha256:0\n'
        "Markdown_It.py[linkify]==3.0.0 \\\n    --hash=sha256:0\n",
        encoding="utf-8",
    )

    assert list(chain.locked(lock)) == ["markdown-it-py"]


def test_a_tool_that_is_missing_says_not_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    assert [chain.main([what]) for what in ("audit", "licences")] == [3, 3]
    assert chain.main(["sbom", str(tmp_path / "list.json")]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("is not installed: make setup") == 4


@pytest.mark.slow
def test_what_production_installs_may_be_used_and_can_be_listed(tmp_path: Path) -> None:
    if importlib.util.find_spec("cyclonedx_py") is None:
        pytest.skip("the tools of the development lock are not all installed")
    assert chain.licences().status == 0

    file = tmp_path / "sbom.cdx.json"
    assert chain.sbom(file).status == 0
    listed = {item["name"].lower() for item in json.loads(file.read_text())["components"]}
    assert listed >= {"flask", "pydantic", "sqlalchemy", "cryptography"}
