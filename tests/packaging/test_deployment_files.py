"""Manifests for Kubernetes and the systemd unit, checked without a cluster and without systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes" / "alk-cds.yaml"
UNIT = ROOT / "deploy" / "systemd" / "alk-cds.service"
OLDEST, NEWEST = "1.33", "1.37"
KINDS = {
    "ServiceAccount", "ConfigMap", "Deployment", "Service", "HorizontalPodAutoscaler",
    "PodDisruptionBudget", "NetworkPolicy", "CronJob",
}  # fmt: skip


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(MANIFESTS.read_text(encoding="utf-8")))


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [item for item in manifests() if item["kind"] == kind]
    return found


def pod_of(kind: str) -> dict[str, Any]:
    spec: dict[str, Any] = of_kind(kind)["spec"]
    spec = spec["jobTemplate"]["spec"] if kind == "CronJob" else spec
    return dict(spec["template"]["spec"])


def settings_named(text: str) -> set[str]:
    return set(re.findall(r"ALK_CDS_[A-Z_]+[A-Z]", text))


def test_what_a_hospital_needs_is_there() -> None:
    assert {item["kind"] for item in manifests()} == KINDS


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", manifests(), ids=lambda item: str(item["kind"]))
def test_each_manifest_follows_the_schema_of_kubernetes(
    manifest: dict[str, Any], version: str
) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schema_finds_a_misspelt_member() -> None:
    broken = of_kind("Deployment")
    broken["spec"]["template"]["spec"]["container"] = []

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, NEWEST, strict=True)


@pytest.mark.parametrize("path", [MANIFESTS, UNIT], ids=lambda path: path.name)
def test_every_setting_that_a_file_gives_exists(path: Path) -> None:
    known = {f"ALK_CDS_{name.upper()}" for name in Settings.model_fields}
    assert settings_named(path.read_text(encoding="utf-8")) - known == set()


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_a_pod_has_no_rights_and_writes_to_its_volumes_only(kind: str) -> None:
    pod = pod_of(kind)
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    # Variables of services in the namespace would be taken for unknown settings.
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_every_file_that_a_setting_names_is_mounted(kind: str) -> None:
    (container,) = pod_of(kind)["containers"]
    folders = [mount["mountPath"] for mount in container["volumeMounts"]]
    given = of_kind("ConfigMap")["data"]
    files = [value for name, value in given.items() if name.endswith(("_FILE", "_FOLDER"))]

    assert len(files) == 6
    assert [name for name in files if not name.startswith(tuple(folders))] == []


def test_the_probes_ask_addresses_that_answer(tmp_path: Path) -> None:
    (container,) = pod_of("Deployment")["containers"]
    asked = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    database = f"sqlite:///{tmp_path / 'probes.sqlite3'}"
    client = create_app(Settings(environment="development", database_url=database)).test_client()

    assert asked["livenessProbe"] == "/health/live"
    assert {path: client.get(path).status_code for path in asked.values()} == {
        "/health/live": 200,
        "/health/ready": 200,
    }


def test_the_image_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    images = {pod_of(kind)["containers"][0]["image"] for kind in ("Deployment", "CronJob")}

    assert images == {f"registry.example.org/alk-cds:{project['version']}"}


def test_the_systemd_unit_passes_its_checker(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    here = tmp_path / UNIT.name
    scripts = sysconfig.get_path("scripts")
    here.write_text(UNIT.read_text("utf-8").replace("/opt/alk-cds/bin", scripts), "utf-8")

    command = [program, "verify", str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert (done.returncode, done.stderr) == (0, "")
