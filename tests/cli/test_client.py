"""`alk-cds client`: an entry and keys that a service in production lets in at once."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.services.calling import LocalServer, create_app, settings_for

pytestmark = pytest.mark.slow

Command = Callable[..., Result]


@pytest.fixture
def keys(run: Command, tmp_path: Path) -> Path:
    made = run("client", "new", "Example Hospital", "--iss", "https://ehr.example.org",
               "--to", str(tmp_path / "keys"))  # fmt: skip
    assert made.exit_code == 0, made.output
    return tmp_path / "keys"


@pytest.fixture
def url(keys: Path, tmp_path: Path) -> Iterator[str]:
    server = LocalServer()
    settings = settings_for(
        server,
        tmp_path / "kept.sqlite3",
        environment="production",
        clients_file=keys / "example-hospital.yaml",
        link_secret="0123456789abcdef0123456789abcdef",
    )
    server.start(create_app(settings))
    try:
        yield server.url
    finally:
        server.close()


def test_the_first_signed_call_is_let_in(run: Command, keys: Path, url: str) -> None:
    tried = run("client", "try", str(keys / "example-hospital.private.json"), "--url", url)

    assert tried.exit_code == 0, tried.output
    assert "Let in. Services: " in tried.output
    assert "alk-order-sign" in tried.output


def test_a_key_that_the_service_does_not_know_is_told_what_to_look_at(
    run: Command, tmp_path: Path, url: str
) -> None:
    run("client", "new", "Stranger", "--iss", "https://ehr.example.org", "--to", str(tmp_path))

    tried = run("client", "try", str(tmp_path / "stranger.private.json"), "--url", url)

    assert tried.exit_code == 1
    assert "Refused (401)" in tried.output
    assert "ALK_CDS_PUBLIC_URL" in tried.output


def test_the_private_key_is_for_its_owner_only_and_not_in_the_entry(keys: Path) -> None:
    secret = keys / "example-hospital.private.json"

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert json.loads(secret.read_text())["d"] not in (keys / "example-hospital.yaml").read_text()


def test_keys_that_are_there_are_kept(run: Command, keys: Path) -> None:
    before = (keys / "example-hospital.private.json").read_bytes()

    again = run("client", "new", "example hospital", "--iss", "x", "--to", str(keys))

    assert again.exit_code == 1
    assert "is there already" in again.output
    assert (keys / "example-hospital.private.json").read_bytes() == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kty": "EC"}'])
def test_a_file_that_is_no_key_is_said_to_be_none(
    run: Command, tmp_path: Path, content: str
) -> None:
    (tmp_path / "key.json").write_text(content)

    tried = run("client", "try", str(tmp_path / "key.json"), "--url", "http://127.0.0.1:1")

    assert tried.exit_code == 1
    assert "is no key that `alk-cds client new` made" in tried.output


def test_a_name_without_a_letter_is_refused(run: Command, tmp_path: Path) -> None:
    refused = run("client", "new", "///", "--iss", "x", "--to", str(tmp_path))

    assert refused.exit_code == 1
    assert "needs a letter or a digit" in refused.output
