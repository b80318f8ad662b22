"""The image and the compose file, checked without a container engine."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (
    'gunicorn --config python:cds_service.operations.gunicorn_conf "cds_service.app:create_app()"'
)
DIGEST = r"sha256:[0-9a-f]{64}"
SCRIPTS = Path(sysconfig.get_path("scripts"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile in order, continuation lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    pairs = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [(word.upper(), rest) for word, rest in pairs]


def last_stage(instructions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    start = max(i for i, (word, _) in enumerate(instructions) if word == "FROM")
    return instructions[start:]


def check_compose(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def lint_dockerfile(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPTS / "hadolint"), "--no-color", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_the_compose_file_follows_the_compose_schema() -> None:
    result = check_compose(ROOT / "docker-compose.yml")

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schema_check_finds_a_broken_compose_file(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text("services:\n  service:\n    imagge: alk-cds\n", encoding="utf-8")

    assert check_compose(broken).returncode != 0


def test_the_dockerfile_passes_its_linter() -> None:
    result = lint_dockerfile(ROOT / "Dockerfile")

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_linter_finds_a_floating_base_image(tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text("FROM python:latest\n", encoding="utf-8")

    assert "DL3007" in lint_dockerfile(broken).stdout


def test_the_stages_share_one_base_image_that_is_pinned_by_its_digest(
    dockerfile: list[tuple[str, str]],
) -> None:
    stages = [rest.split() for word, rest in dockerfile if word == "FROM"]
    names = {stage[2] for stage in stages if len(stage) == 3}
    bases = [stage[0] for stage in stages if stage[0] not in names]

    assert len(bases) == 1
    assert re.fullmatch(rf"python:3\.\d+-slim-[a-z]+@{DIGEST}", bases[0])


def test_the_image_runs_a_python_that_the_project_is_tested_with(
    dockerfile: list[tuple[str, str]],
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = re.match(r"python:(3\.\d+)-", dockerfile[0][1])

    assert version
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


def test_the_image_runs_as_a_numbered_user_without_rights(
    dockerfile: list[tuple[str, str]],
) -> None:
    users = [rest for word, rest in last_stage(dockerfile) if word == "USER"]

    assert users
    user, group = users[-1].split(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000


def test_the_image_checks_its_own_health(dockerfile: list[tuple[str, str]]) -> None:
    checks = [rest for word, rest in last_stage(dockerfile) if word == "HEALTHCHECK"]

    assert len(checks) == 1
    assert "http://127.0.0.1:8000/health" in checks[0]


def test_the_image_installs_only_what_the_lock_names(dockerfile: list[tuple[str, str]]) -> None:
    runs = [rest for word, rest in dockerfile if word == "RUN"]

    assert runs[0] == "python tools/install.py /opt/alk-cds requirements.lock"
    (install,) = [rest for rest in runs if "pip install" in rest]
    assert "--no-deps --no-build-isolation" in install
    assert install.endswith("pip check")


def test_every_copied_path_passes_the_docker_ignore_file(
    dockerfile: list[tuple[str, str]],
) -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        part.removeprefix("./")
        for word, rest in dockerfile
        if word == "COPY" and not rest.startswith("--from")
        for part in rest.split()[:-1]
    }

    assert "*" in ignore
    assert copied == allowed
    assert {"**/.env*", "**/*.pem", "**/*.key", "**/*.sqlite3*"} <= set(ignore)


def test_the_command_is_the_same_everywhere(
    dockerfile: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    (image_command,) = [rest for word, rest in dockerfile if word == "CMD"]

    assert json.loads(image_command) == shlex.split(COMMAND)
    assert compose["services"]["service"]["command"] == COMMAND
    for name in (
        "Dockerfile",
        "docker-compose.yml",
        "Makefile",
        "cds_service/operations/gunicorn_conf.py",
    ):
        assert COMMAND in (ROOT / name).read_text(encoding="utf-8"), name


def test_compose_waits_for_the_fhir_server_before_it_loads_the_stories(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]

    loader = services["loader"]
    assert loader["command"] == "alk-cds fixtures load --fhir-server http://fhir:8080/fhir"
    assert loader["depends_on"]["fhir-ready"]["condition"] == "service_completed_successfully"
    assert services["fhir-ready"]["depends_on"]["service"]["condition"] == "service_healthy"
    assert "/health" in " ".join(services["service"]["healthcheck"]["test"])


def test_compose_containers_drop_every_right_and_are_reachable_from_this_machine_only(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only", False) or name == "fhir", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_compose_images_are_our_own_or_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        image = service["image"]
        assert image == "alk-cds" or re.search(rf":v\d+\.\d+\.\d+(-\d+)?@{DIGEST}$", image), name


def test_no_secret_stands_in_the_container_files(
    dockerfile: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    image = " ".join(rest for word, rest in dockerfile if word in {"ENV", "ARG"})
    variables = [
        variable
        for service in compose["services"].values()
        for variable in service.get("environment", {})
    ]

    assert variables
    assert "SECRET" not in image
    assert not [variable for variable in variables if re.search("SECRET|PASSWORD|TOKEN", variable)]


def test_every_setting_named_in_the_container_files_exists(
    dockerfile: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    from cds_service.settings import Settings

    known = {row.variable for row in Settings.describe()}
    image = " ".join(rest for word, rest in dockerfile if word == "ENV")
    named = set(re.findall(r"ALK_CDS_[A-Z_]+", image))
    for service in compose["services"].values():
        named |= {v for v in service.get("environment", {}) if v.startswith("ALK_CDS_")}

    assert named
    assert named <= known
