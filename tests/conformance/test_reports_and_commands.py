"""The kit as people use it: the command, its reports and exit codes, and the pytest plugin."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, request
from jwt.algorithms import RSAAlgorithm
from werkzeug.wrappers import Request

from cds_service.commands import commands
from cds_service.conformance import CHECKS, NoTokenError, clauses, subject_of
from cds_service.conformance.clauses import named_in
from cds_service.conformance.exchange import Caller, NotJsonError, strict_json
from cds_service.conformance.tokens import TokenCommand, read_key
from tests.conformance.distortions import Faulty, in_card
from tests.conformance.right_server import (
    ISSUER,
    KEY,
    KEY_ID,
    ORIGIN,
    Serving,
    application,
    serving,
)
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
Kit = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[Serving]:
    with serving() as found:
        found.app = application(found.url)
        yield found


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def kit(server: Serving, key_file: Path) -> Kit:
    """Runs `alk-cds conformance` as a client that the server knows."""

    def run(*more: str) -> Result:
        signing = ("--signing-key", str(key_file), "--issuer", ISSUER, "--key-id", KEY_ID)
        arguments = ("conformance", "--base-url", server.url, "--origin", ORIGIN, *signing, *more)
        return CliRunner().invoke(commands, list(arguments))

    return run


def test_a_right_service_is_reported_by_clause_and_ends_with_0(kit: Kit) -> None:
    result = kit()

    assert result.exit_code == 0, result.output
    assert "Services called: right-patient-view, right-order-sign" in result.output
    assert "passed     R-101  The summary is one sentence of fewer than 140" in result.output
    assert re.search(
        r"\nConformant, as far as it could be asked \(\d+ not tested\)\n$", result.output
    )
    assert all(len(line) <= 100 for line in result.output.splitlines())


def test_a_faulty_service_ends_with_1_and_the_report_says_where(
    kit: Kit, server: Serving, tmp_path: Path
) -> None:
    server.app = Faulty(server.app, in_card(indicator="hard-stop"))
    file = tmp_path / "report.json"

    result = kit("--format", "json", "--out", str(file))

    assert result.exit_code == 1
    assert result.output.startswith("1 failed, 0 unsafe, 0 warning")
    report = json.loads(file.read_text(encoding="utf-8"))
    (failed,) = [item for item in report["checks"] if item["outcome"] == "failed"]
    assert report["conformant"] is False
    assert failed["id"] == "card-indicator"
    assert failed["clauses"][0] == "R-104"
    assert failed["says"][0] == (
        "right-patient-view, the kit's request: cards[0].indicator is none of the three"
    )
    assert len(report["checks"]) == len(CHECKS)


def test_what_the_specification_leaves_open_is_never_called_not_conformant(
    kit: Kit, server: Serving
) -> None:
    def crashes(request: Request, response: Response) -> None:
        if "org.example.conformance-kit" in request.get_data(as_text=True):
            response.status_code = 500
            response.set_data("Traceback (most recent call last):\n  File ...")

    server.app = Faulty(server.app, crashes)

    result = kit()

    assert result.exit_code == 1
    before, after = result.output.split("\nDiscovery\n")
    assert "\nUnsafe: left open by the specification" in before
    assert "another hook was answered with 500 and a Python" in " ".join(before.split())
    assert "Broken" not in before
    assert "another hook was answered" not in after
    assert "but UNSAFE: see 1 check\n" in after
    assert "NOT conformant" not in result.output


def test_a_broken_requirement_leads_the_report(kit: Kit, server: Serving) -> None:
    server.app = Faulty(server.app, in_card(indicator="hard-stop"))

    result = kit()

    told = result.output.split("\n\n")[1]
    assert told.startswith("Broken: what the specification requires (SHALL)\nfailed     R-104")
    assert "cards[0].indicator is none of the three" in told
    assert result.output.endswith("\nNOT conformant: 1 check found broken what is required\n")


def test_a_report_may_be_a_page(kit: Kit) -> None:
    result = kit("--format", "markdown", "--service", "right-order-sign")

    assert result.exit_code == 0, result.output
    assert "Services called: right-order-sign\n" in result.output
    assert "\n## Discovery\n" in result.output
    assert "(`card-summary`) | SHALL | passed |" in result.output


def test_a_service_that_is_not_there_ends_with_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    arguments = ["conformance", "--base-url", f"http://127.0.0.1:{port}"]
    result = CliRunner().invoke(commands, arguments)

    assert result.exit_code == 3
    assert "no answer from the service" in result.output


def test_a_service_that_hangs_up_on_one_request_fails_that_check_only(
    kit: Kit, server: Serving
) -> None:
    def hangs_up(request: Request, response: Response) -> None:
        if "org.example.conformance-kit" in request.get_data(as_text=True):
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)

    server.app = Faulty(server.app, hangs_up)

    result = kit("--format", "json")

    assert result.exit_code == 1
    checks = json.loads(result.output)["checks"]
    failed = {item["id"]: item["says"] for item in checks if item["outcome"] == "unsafe"}
    assert failed == {"wrong-hook": ["a request got no answer: ConnectionError"]}


def test_without_a_key_what_needs_one_is_not_tested(server: Serving) -> None:
    result = CliRunner().invoke(commands, ["conformance", "--base-url", server.url])

    assert result.exit_code == 1
    assert "discovery was answered with 401: it wants a token" in result.output
    assert "not tested R-166" in result.output
    # A guarded discovery is allowed.
    assert result.output.splitlines()[-1] == "NOT TESTED: nothing could be asked"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--issuer", ISSUER], "an issuer needs a signing key"),
        (["--signing-key", "KEY"], "a signing key needs an issuer"),
        (["--signing-key", "KEY", "--issuer", ISSUER, "--token-command", "x"], "give either"),
        (["--signing-key", "OTHER", "--issuer", ISSUER], "holds no private key"),
        (["--request", "OTHER"], "is no JSON file"),
        (["--token-command", " "], "is empty"),
        (["--base-url", "cds.example.org"], "must start with http"),
        (["--base-url", "https://a:b@cds.example.org"], "must not hold a password"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_words(
    wrong: list[str], says: str, key_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("nothing of the kind", encoding="utf-8")
    files = {"KEY": str(key_file), "OTHER": str(other)}
    arguments = ["conformance", "--base-url", "http://127.0.0.1:1"]

    result = CliRunner().invoke(commands, arguments + [files.get(word, word) for word in wrong])

    assert result.exit_code == 2
    assert says in result.output


def test_a_command_may_give_the_tokens(server: Serving, key_file: Path, tmp_path: Path) -> None:
    script = tmp_path / "give_a_token.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from cds_service.conformance.tokens import Signer, read_key\n"
        f"key, _ = read_key(Path({str(key_file)!r}))\n"
        f"print(Signer(key, {ISSUER!r}, {KEY_ID!r})(sys.argv[1]))\n",
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        subject = subject_of(server.url, token_command=f"{sys.executable} {script}")

        assert subject.discovery.status == 200


@pytest.mark.parametrize("command", ["false", "echo two words", "no-such-command-anywhere"])
def test_a_command_that_gives_no_token_is_an_error(command: str) -> None:
    with pytest.raises(NoTokenError, match="token command"):
        TokenCommand(command)("https://cds.example.org/cds-services")


def test_a_key_may_be_a_jwk_or_stand_in_a_set(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = {**json.loads(RSAAlgorithm.to_jwk(key)), "kid": "one"}
    for content in (jwk, {"keys": [jwk, {"kty": "EC", "kid": "public"}]}):
        file = tmp_path / "key.json"
        file.write_text(json.dumps(content), encoding="utf-8")

        found, key_id = read_key(file)

        assert key_id == "one"
        assert found.private_numbers() == key.private_numbers()


def test_a_request_may_be_given_with_the_service_it_is_for(
    server: Serving, key_file: Path, tmp_path: Path
) -> None:
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "1"}, "conditions": None},
    }
    plain, aimed = tmp_path / "plain.json", tmp_path / "aimed.json"
    plain.write_text(json.dumps(body), encoding="utf-8")
    aimed.write_text(json.dumps({"service": "another", "body": body}), encoding="utf-8")

    subject = subject_of(
        server.url,
        requests=[aimed, plain],
        signing_key=key_file,
        issuer=ISSUER,
        key_id=KEY_ID,
    )

    places = [item.place for item in subject.asked if item.label.startswith("request")]
    assert places == ["right-patient-view, request 2"]


def test_a_service_that_asks_to_wait_is_asked_again() -> None:
    app = Flask("busy")
    asked: list[str] = []

    @app.get("/cds-services")
    def discovery() -> Response:
        asked.append(request.path)
        if len(asked) == 1:
            return Response(status=429, headers={"Retry-After": "0"})
        return Response('{"services": []}', content_type="application/json")

    with serving() as server:
        server.app = app
        answer = Caller(server.url).get()

    assert (answer.status, len(asked)) == (200, 2)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '{"a": NaN}', "{", '{"a": 1,}', '{"a": 1} // b', "\xff"]
)
def test_json_is_read_strictly(text: str) -> None:
    with pytest.raises(NotJsonError):
        strict_json(text.encode("latin-1"))


def test_pytest_runs_one_test_for_each_check(
    server: Serving, key_file: Path, tmp_path: Path
) -> None:
    """Somebody else's project: no settings of ours, nothing but the installed package."""
    plugin = ("-p", "cds_service.conformance.plugin", "--pyargs", "cds_service.conformance")
    signing = ("--signing-key", str(key_file), "--issuer", ISSUER, "--key-id", KEY_ID)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}

    def pytest_says(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *more],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip

    right = pytest_says("--base-url", server.url, "--origin", ORIGIN, *signing)
    server.app = Faulty(server.app, in_card(indicator="hard-stop"))
    wrong = pytest_says("--base-url", server.url, *signing, "-k", "indicator")

    assert right.returncode == 0, right.stdout + right.stderr
    assert f"{len(CHECKS) - 1} passed, 1 skipped" in right.stdout
    assert wrong.returncode == 1
    assert "cards[0].indicator is none of the three" in wrong.stdout


def test_a_text_names_clauses_one_by_one_and_in_ranges() -> None:
    assert set(named_in("R-101, X-20 and D-04")) == {"R-101", "D-04"}
    assert set(named_in("C-30 to C-33, N-50")) == {"C-30", "C-31", "C-32", "C-33", "N-50"}
    assert set(named_in("R-999")) == set()


def test_every_clause_says_something_short() -> None:
    assert len(clauses()) > 300
    assert [item.id for item in clauses().values() if len(item.says) > 90] == []
