"""`serve`, `fhir-server` and `demo` as processes of their own, asked over their ports."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result

from cds_service.commands.running import LocalServer, development_settings
from fhir_fixtures.requests import load_request
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

Command = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = PATIENCE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(
    folder: Path, *arguments: str, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A running command and the file with all that it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALK_CDS_")}
    printed = folder / "printed.txt"
    with printed.open("w", encoding="utf-8") as stream:
        # A shell may have asked its children to ignore Ctrl-C, which a test of it must undo.
        started = subprocess.Popen(
            [sys.executable, "-m", "cds_service.cli", *arguments],
            cwd=folder, env=kept | {"PYTHONPATH": str(ROOT), **settings},
            stdout=stream, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
    try:
        yield started, printed
    finally:
        if started.poll() is None:
            started.kill()
        started.wait(timeout=TIMEOUT)


def answered(address: str, running: subprocess.Popen[str], printed: Path) -> Any:
    def answers() -> bool:
        if running.poll() is not None:
            pytest.fail(f"ended with {running.returncode}: {printed.read_text()}")
        try:
            requests.get(address, timeout=TIMEOUT)
        except requests.ConnectionError:
            return False
        return True

    until(answers, f"{address} answers")
    return requests.get(address, timeout=TIMEOUT)


def ends(running: subprocess.Popen[str], how: signal.Signals) -> int:
    running.send_signal(how)
    return running.wait(timeout=TIMEOUT)


def test_the_development_server_warns_loudly_and_answers(tmp_path: Path) -> None:
    port = free_port()
    with process(tmp_path, "serve", "--dev", "--port", str(port)) as (running, printed):
        url = f"http://127.0.0.1:{port}"
        assert answered(f"{url}/health", running, printed).json()["status"] == "up"
        assert len(requests.get(f"{url}/cds-services", timeout=TIMEOUT).json()["services"]) == 7
        sandbox = requests.options(
            f"{url}/cds-services",
            headers={
                "Origin": "https://sandbox.cds-hooks.org",
                "Access-Control-Request-Method": "GET",
            },
            timeout=TIMEOUT,
        )
        assert sandbox.headers["Access-Control-Allow-Origin"] == "https://sandbox.cds-hooks.org"
        assert ends(running, signal.SIGINT) == 0
        text = printed.read_text(encoding="utf-8")
    assert "NOT authenticated" in text
    assert "Send no patient data" in text
    assert not list(tmp_path.glob("*.sqlite3")), "development leaves no database behind"


def test_for_trying_out_a_fhir_server_has_longer_to_answer_unless_it_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert development_settings(LocalServer(), tmp_path).fhir_deadline_seconds == 5
    monkeypatch.setenv("ALK_CDS_FHIR_DEADLINE_SECONDS", "0.3")
    assert development_settings(LocalServer(), tmp_path).fhir_deadline_seconds == 0.3


def test_behind_a_tunnel_the_cards_link_through_it(tmp_path: Path) -> None:
    port = free_port()
    with process(
        tmp_path, "serve", "--dev", "--port", str(port),
        ALK_CDS_PUBLIC_URL="https://tunnel.example.org/alk",
    ) as (running, printed):  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        answered(f"{url}/health", running, printed)
        stored = load_request("full-order-sign")
        answer = requests.post(
            f"{url}/cds-services/{stored['service']}", json=stored["body"], timeout=TIMEOUT
        )
        (basis, *_) = answer.json()["cards"][0]["links"]
        assert basis["url"].startswith("https://tunnel.example.org/alk/decisions/")


def test_the_production_server_is_gunicorn_on_the_port_that_was_asked_for(tmp_path: Path) -> None:
    port = free_port()
    with process(
        tmp_path, "serve", "--port", str(port), "--workers", "1",
        ALK_CDS_ENVIRONMENT="development",
        ALK_CDS_DATABASE_URL=f"sqlite:///{tmp_path / 'decisions.sqlite3'}",
    ) as (running, printed):  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        assert answered(f"{url}/health", running, printed).status_code == 200
        assert ends(running, signal.SIGTERM) == 0
        assert "Starting gunicorn" in printed.read_text(encoding="utf-8")


def test_production_without_its_settings_does_not_start(run: Command) -> None:
    result = run("serve", "--port", "8000")
    assert result.exit_code == 1
    assert "ALK_CDS_CLIENTS_FILE" in result.output


def test_a_port_that_is_taken_is_one_clear_line(run: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (("fhir-server",), ("serve", "--dev"), ("demo",)):
            result = run(*command, "--port", str(port))
            assert result.exit_code == 1
            assert f"cannot listen on 127.0.0.1:{port}" in result.output


def test_the_fhir_server_tells_the_stories_as_of_today(tmp_path: Path) -> None:
    port = free_port()
    with process(tmp_path, "fhir-server", "--port", str(port)) as (running, printed):
        found = answered(
            f"http://127.0.0.1:{port}/MedicationRequest?patient=alectinib-on-track-patient",
            running, printed,
        ).json()  # fmt: skip
        metadata = requests.get(f"http://127.0.0.1:{port}/metadata", timeout=TIMEOUT).json()
        assert found["total"] > 0
        days = (datetime.now(UTC).date() - datetime.fromisoformat(metadata["date"]).date()).days
        assert days in (0, 1)
        assert ends(running, signal.SIGINT) == 0


def test_the_demo_shows_all_hooks_and_its_command_really_works(tmp_path: Path) -> None:
    ports = ("--port", str(free_port()), "--fhir-port", str(free_port()))
    with process(tmp_path, "demo", *ports) as (running, printed):
        text = _whole_demo(running, printed)
        assert "FAILED" not in text
        for hook in ("patient-view", "order-select", "order-sign", "medication-prescribe"):
            assert re.search(rf"^{hook}: ", text, re.MULTILINE)
        for shown in ("CRITICAL", "WARNING", "INFO", "with prefetch", "from the FHIR server",
                      "HTTP 412, OperationOutcome", "UNKNOWN  ", "No cards"):  # fmt: skip
            assert shown in text
        assert "\x1b[" not in text, "no colour where there is no terminal"
        long = [line for line in text.splitlines() if len(line) > 100]
        assert all("/decisions/" in line for line in long)
        for address in re.findall(r"^(?:Home page|Discovery|FHIR server|Decision page) +(\S+)$",
                                  text, re.MULTILINE):  # fmt: skip
            assert requests.get(address, timeout=TIMEOUT).status_code == 200
        command = text[text.index("\ncurl -s ") : text.index("Running until")]
        # Read as a shell reads it, so that the test needs no curl.
        words = shlex.split(command)
        assert words[:2] == ["curl", "-s"]
        name, _, value = words[words.index("-H") + 1].partition(": ")
        reply = requests.post(
            words[2], data=words[words.index("-d") + 1], headers={name: value}, timeout=TIMEOUT
        ).text
        assert '"cards":[{' in reply
        assert ends(running, signal.SIGINT) == 0


def _whole_demo(running: subprocess.Popen[str], printed: Path) -> str:
    def came_to_its_end() -> bool:
        text = printed.read_text(encoding="utf-8")
        if running.poll() is not None and "Running until Ctrl-C" not in text:
            pytest.fail(f"the demo did not come to its end: {text[-2000:]}")
        return "Running until Ctrl-C" in text

    until(came_to_its_end, "the demo comes to its end")
    return printed.read_text(encoding="utf-8")


def test_the_demo_ends_by_itself_when_asked_to(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_EXIT", "1")
    result = run("demo", "--port", "0", "--fhir-port", "0")
    assert result.exit_code == 0, result.output
    assert "Running until" not in result.output


def test_the_demo_fails_when_a_call_fails(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("a rule broke")

    monkeypatch.setenv("DEMO_EXIT", "1")
    monkeypatch.setattr("hooks.engine.decide", fail)
    result = run("demo", "--port", "0", "--fhir-port", "0")
    assert result.exit_code == 1
    assert "FAILED: first-line-choice at patient-view: HTTP 500" in result.output
