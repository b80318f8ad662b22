"""A server that cannot be had is a plain reason to skip; one that is broken is a failure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fhir_servers.starting import ServerMissingError, built, needed, running


def script(text: str) -> list[str]:
    return [sys.executable, "-u", "-c", text]


def test_a_program_that_is_not_installed_is_named_with_what_it_is_for() -> None:
    with pytest.raises(
        ServerMissingError, match=r"no-such-maven is not installed \(fetches HAPI\)"
    ):
        needed("no-such-maven", "fetches HAPI")


@pytest.mark.parametrize(
    "said",
    [
        "[ERROR] Could not transfer artifact ca.uhn:hapi:pom:8 from/to central: Unknown host",
        "[ERROR] dependencies could not be resolved: ca.uhn:hapi:jar:8",
        "npm error code ENOTFOUND",
    ],
)
def test_artifacts_out_of_reach_are_a_missing_server(tmp_path: Path, said: str) -> None:
    with pytest.raises(ServerMissingError) as caught:
        built(script(f"print('downloading'); print({said!r}); raise SystemExit(1)"), tmp_path,
              seconds=30)  # fmt: skip
    assert str(caught.value).endswith(said)


def test_a_download_without_end_is_a_missing_server(tmp_path: Path) -> None:
    with pytest.raises(ServerMissingError, match="did not finish its downloads within 1 s"):
        built(script("import time; time.sleep(30)"), tmp_path, seconds=1)


def test_a_build_that_is_wrong_is_a_failure_and_no_reason_to_skip(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot find symbol"):
        built(script("raise SystemExit('HapiConfig: cannot find symbol')"), tmp_path, seconds=30)


def test_a_server_is_used_when_it_says_so_and_ended_afterwards(tmp_path: Path) -> None:
    speaking = "print('loading'); print('ready http://127.0.0.1:1/fhir')"
    waiting = f"import time; {speaking}; time.sleep(60)"
    with running(script(waiting), tmp_path, seconds=30) as address:
        assert address == "http://127.0.0.1:1/fhir"


def test_a_server_that_ends_before_it_is_ready_is_a_failure(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="no bean of that kind"),
        running(script("raise SystemExit('no bean of that kind')"), tmp_path, seconds=30),
    ):
        pytest.fail("it never said that it was ready")
