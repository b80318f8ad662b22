"""The Makefile, the CI script and what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_make_alone_lists_every_target_with_one_line() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\.PHONY: (\S+)$", text, flags=re.MULTILINE)

    result = run("make")

    assert result.returncode == 0, result.stderr
    listed = dict(re.findall(r"^ {2}make (\S+) +(\S.*)$", result.stdout, flags=re.MULTILINE))
    assert list(listed) == targets
    assert {"setup", "demo", "test", "lint", "bench", "knowledge-check", "lock"} <= set(listed)


def test_the_demo_needs_only_the_runtime_lock(tmp_path: Path) -> None:
    result = run("make", "--dry-run", f"VENV={tmp_path / 'environment'}", "demo")

    assert result.returncode == 0, result.stderr
    assert re.search(r"tools/install\.py .*environment\" requirements\.lock$", result.stdout, re.M)
    assert "requirements-dev.lock" not in result.stdout
    assert "alk-cds demo" in result.stdout


@pytest.mark.parametrize("target", ["setup", "test", "lint", "wheel"])
def test_a_target_that_needs_the_tools_installs_them_from_the_lock(
    tmp_path: Path, target: str
) -> None:
    result = run("make", "--dry-run", f"VENV={tmp_path / 'environment'}", target)

    assert result.returncode == 0, result.stderr
    assert re.search(r"tools/install\.py .* requirements-dev\.lock$", result.stdout, re.M)


def test_the_continuous_integration_script_is_sound_bash_and_stops_at_the_first_failure() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
    assert run("bash", "-n", str(script)).returncode == 0


@pytest.mark.parametrize("contract", ["rooms", "top-floor"])
def test_an_import_contract_leaves_out_no_room(contract: str) -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {entry["id"]: entry for entry in table["tool"]["importlinter"]["contracts"]}
    layers = contracts[contract].get("layers") or contracts[contract]["source_modules"]
    named = {name for layer in layers for name in layer.split(" | ")}
    rooms = {
        f"cds_service.{path.parent.name}" for path in (ROOT / "cds_service").glob("*/__init__.py")
    }
    # Of the operator's room each part stands on a floor of its own.
    parts = {name for name in named if name.startswith("cds_service.operations.")}
    assert "cds_service.operations.metrics" in parts
    rooms -= {"cds_service.operations"}
    if contract == "top-floor":
        # The command line stands on the top floor itself, and the bench plays the fictional
        # patients, so it has a contract of its own.
        rooms -= {"cds_service.commands", "cds_service.bench", "cds_service.settings"}
        assert "cds_service.settings" in contracts[contract]["forbidden_modules"]
        assert contracts["bench"]["source_modules"] == ["cds_service.bench"]

    assert rooms
    assert rooms | {"hooks"} <= named
