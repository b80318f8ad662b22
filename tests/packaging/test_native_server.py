"""The one command that runs the service, started for real on a free port."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (
    'gunicorn --config python:cds_service.operations.gunicorn_conf "cds_service.app:create_app()"'
)


def environment(**settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ALK_CDS_")}
    scripts = sysconfig.get_path("scripts")
    return (
        kept | {"PATH": f"{scripts}{os.pathsep}{kept['PATH']}", "PYTHONPATH": str(ROOT)} | settings
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of the running service, and the file that its log goes to."""
    folder = tmp_path_factory.mktemp("service")
    port = free_port()
    log = folder / "log"
    settings = environment(
        ALK_CDS_ENVIRONMENT="development",
        ALK_CDS_BIND=f"127.0.0.1:{port}",
        ALK_CDS_DATABASE_URL=f"sqlite:///{folder / 'decisions.sqlite3'}",
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            shlex.split(COMMAND), cwd=folder, env=settings, stdout=stream, stderr=stream
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(process, address, log)
        yield address, log
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=PATIENCE)


def wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            pytest.fail(f"gunicorn ended with {process.returncode}:\n{log.read_text()}")
        try:
            requests.get(f"{address}/health", timeout=PATIENCE)
        except requests.ConnectionError:
            return False
        return True

    until(answers, "gunicorn answers")


def test_the_running_service_is_healthy(server: tuple[str, Path]) -> None:
    address, _ = server

    assert requests.get(f"{address}/health", timeout=PATIENCE).status_code == 200


def test_the_running_service_lists_its_services(server: tuple[str, Path]) -> None:
    address, _ = server

    response = requests.get(f"{address}/cds-services", timeout=PATIENCE)

    assert response.status_code == 200
    assert response.json()["services"]


def test_every_line_of_the_running_service_is_a_json_object(server: tuple[str, Path]) -> None:
    address, log = server
    requests.get(f"{address}/nowhere?name=Quillfeather", timeout=PATIENCE)
    # A call that is logged comes after it: once its line is there, the one before had its time.
    assert requests.get(f"{address}/cds-services", timeout=PATIENCE).status_code == 200
    until(lambda: '"event":"answered"' in log.read_text(encoding="utf-8"), "the call is logged")

    written = log.read_text(encoding="utf-8")
    events = [json.loads(line)["event"] for line in written.splitlines()]

    assert any(event.startswith("Listening at: http://127.0.0.1:") for event in events)
    assert "Quillfeather" not in written


def test_a_wrong_setting_stops_the_command_and_names_the_variable(tmp_path: Path) -> None:
    result = subprocess.run(
        shlex.split(COMMAND),
        cwd=tmp_path,
        env=environment(ALK_CDS_ENVIRONMENT="development", ALK_CDS_WORKERS="many"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert result.returncode != 0
    assert "ALK_CDS_WORKERS: " in result.stderr
    assert "Traceback" not in result.stderr
