"""Another knowledge release takes over while the service runs, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.records import Records
from fhir_fixtures.requests import load_request
from tests.kept_releases import (
    BROKEN,
    BROKEN_FILE,
    BROKEN_LINE,
    LATER,
    broken,
    choose,
    kept,
    release,
)
from tests.packaged import released_knowledge
from tests.packaging.test_native_server import environment
from tests.serving.conftest import Server, started
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

STORED = load_request("full-order-sign")
OWN = released_knowledge().release.version
WORKERS = 2


@dataclass(frozen=True)
class Site:
    """A running service with two workers, and the folder of its releases."""

    server: Server
    releases: Path
    database: Path

    def use(self, *chosen: str) -> subprocess.CompletedProcess[str]:
        """`alk-cds knowledge use` in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "cds_service.cli", "knowledge", "use", *chosen],
            env=environment(ALK_CDS_RELEASES_FOLDER=str(self.releases)),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def answer(self) -> tuple[list[dict[str, Any]], str]:
        """The cards of one call, and the release that each card names."""
        sent = requests.post(
            f"{self.server.url}/cds-services/{STORED['service']}",
            json=STORED["body"],
            timeout=PATIENCE,
        )
        assert sent.status_code == 200, sent.text
        cards: list[dict[str, Any]] = sent.json()["cards"]
        named = {
            version
            for version in (OWN, LATER, BROKEN)
            for card in cards
            if version in json.dumps(card)
        }
        assert len(named) == 1, named
        return cards, named.pop()

    def asked(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(
            f"{self.server.url}{path}", headers={"Connection": "close"}, timeout=PATIENCE
        ).json()
        return found

    def all_answer_with(self, version: str) -> bool:
        """Whether a run of requests, which either worker takes, all name it."""
        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(lambda _: self.asked("/health")["release"], range(40)))
        return set(said) == {version}

    def wait_for(self, version: str) -> None:
        until(lambda: self.all_answer_with(version), f"all workers answer with {version}")

    def begin_with(self, version: str) -> None:
        """Choose it, unless every worker answers with it already."""
        if not self.all_answer_with(version):
            choose(self.releases, version)
        self.wait_for(version)

    def workers(self) -> list[int]:
        """The processes of the workers."""
        children = Path(f"/proc/{self.server.process.pid}/task/{self.server.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    releases = kept(folder / "releases")
    with started(folder, workers=str(WORKERS), releases_folder=str(releases)) as server:
        yield Site(server, releases, folder / "records.sqlite3")


def test_a_new_release_answers_in_every_worker_and_each_record_names_its_own(site: Site) -> None:
    _, before = site.answer()
    assert before == OWN

    assert site.use(LATER).returncode == 0
    site.wait_for(LATER)

    _, after = site.answer()
    assert after == LATER
    described = site.asked("/cds-services")["services"]
    assert {item["extension"]["alk-cds.version.knowledge"] for item in described} == {LATER}
    page = requests.get(f"{site.server.url}/knowledge/", timeout=PATIENCE).text
    assert LATER in page
    numbers = requests.get(f"{site.server.url}/metrics", timeout=PATIENCE).text
    assert f'alk_cds_knowledge_release{{version="{LATER}"}} 1.0' in numbers
    assert f'alk_cds_knowledge_release{{version="{OWN}"}} 0.0' in numbers
    records = Records(f"sqlite:///{site.database}")
    made = {item.release for item in records.outcomes()}
    records.close()
    assert made == {OWN, LATER}


def test_a_broken_release_is_refused_and_the_old_one_stays(site: Site) -> None:
    site.begin_with(LATER)

    done = site.use(BROKEN)

    assert done.returncode == 1
    said = "".join(done.stdout.split())
    assert f"{BROKEN}/{BROKEN_FILE}" in said
    assert f"row:{BROKEN_LINE}" in said
    assert site.all_answer_with(LATER)
    assert site.asked("/health/ready")["checks"]["knowledge"] == "ok"


def test_one_that_breaks_after_it_was_checked_is_refused_by_every_worker(site: Site) -> None:
    site.begin_with(LATER)
    place = release(site.releases, "2099.4.1")
    try:
        site.begin_with("2099.4.1")
        site.begin_with(LATER)
        broken(place)
        # As the command writes it, which would itself refuse the release as it is now.
        choice = site.releases / "in-use.json"
        written = json.loads(choice.read_text(encoding="utf-8"))
        written["now"], written["before"] = written["before"], written["now"]
        (site.releases / "next").write_text(json.dumps(written), encoding="utf-8")
        (site.releases / "next").replace(choice)

        def told() -> str:
            reason: str = site.asked("/health/ready")["checks"]["knowledge"]
            return reason

        until(lambda: site.server.log().count("knowledge_refused") == WORKERS, "both said so")
        until(lambda: "refused" in told(), "the refusal is told")
        # A worker that was asked a moment ago tells the same again for two seconds.
        until(lambda: f"row {BROKEN_LINE}" in told(), "it names the row")
        until(lambda: f"2099.4.1/{BROKEN_FILE}" in told(), "it names the file")
        assert site.all_answer_with(LATER)

        # Back to a release that can be read, and nothing is degraded any more.
        choose(site.releases, LATER)
        until(lambda: site.asked("/health/ready")["status"] == "ready", "it is ready again")
    finally:
        shutil.rmtree(place)


def test_going_back_answers_with_what_answered_before(site: Site) -> None:
    site.begin_with(OWN)
    site.begin_with(LATER)

    assert site.use("--back").returncode == 0
    site.wait_for(OWN)

    assert site.answer()[1] == OWN


def test_a_worker_that_starts_anew_begins_with_the_release_that_was_chosen(site: Site) -> None:
    site.begin_with(LATER)
    killed = site.workers()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    until(lambda: len(set(site.workers()) - set(killed)) == WORKERS, "new workers are there")

    for _ in range(20):
        try:
            assert site.asked("/health")["release"] == LATER
        except requests.ConnectionError:
            # It was on its way to one that was killed.
            continue


def test_no_call_is_lost_or_answered_by_two_releases_while_they_change(site: Site) -> None:
    site.begin_with(OWN)
    seen: list[str] = []

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(site.answer) for _ in range(60)]
        site.use(LATER)
        while not all(call.done() for call in calls) or not site.all_answer_with(LATER):
            calls.append(pool.submit(site.answer))
            calls[-1].result(timeout=PATIENCE)
        seen = [call.result(timeout=PATIENCE)[1] for call in calls]

    assert set(seen) == {OWN, LATER}
