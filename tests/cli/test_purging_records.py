"""`records purge` on a database file that a service wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.commands import commands
from cds_service.operations.pseudonyms import Pseudonyms
from cds_service.records import DecisionRecord, Records

Command = Callable[..., Result]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """A database with a decision of 400 days ago, one of 100 days ago and one of today."""
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", url)
    records = Records(url)
    records.prepare()
    for days in (400, 100, 0):
        records.save_decision(
            DecisionRecord(
                id=f"decision-{days}",
                created_at=datetime.now(UTC) - timedelta(days=days),
                service_id="alk-order-sign",
                hook="order-sign",
                hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                client="Example Hospital",
                as_of=date(2026, 11, 20),
                release="2026.11.0",
                patient_key="f" * 64,
                rule_ids=(),
                cards=(),
                document={},
            )
        )
    return records


def left(records: Records) -> list[int]:
    return [days for days in (400, 100, 0) if records.decision(f"decision-{days}")]


def test_a_year_is_kept_unless_told_otherwise(run: Command, records: Records) -> None:
    result = run("records", "purge")
    assert result.output.startswith("deleted: 1 decisions and 0 feedback entries from before ")
    assert left(records) == [100, 0]


def test_the_setting_decides_how_long(
    run: Command, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_RETENTION_DAYS", "99")
    assert run("records", "purge").output.startswith("deleted: 2 decisions")
    assert left(records) == [0]


def test_the_option_comes_before_the_setting_and_a_dry_run_deletes_nothing(
    run: Command, records: Records
) -> None:
    told = run("records", "purge", "--older-than", "99", "--dry-run").output
    assert told.startswith("to delete: 2 decisions")
    assert left(records) == [400, 100, 0]
    assert run("records", "purge", "--older-than", "500").output.startswith("deleted: 0 decisions")


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_a_number_of_days_that_makes_no_sense_is_refused(
    run: Command, records: Records, days: str
) -> None:
    assert run("records", "purge", "--older-than", days).exit_code == 2
    assert left(records) == [400, 100, 0]


def test_an_address_without_a_database_is_told_in_one_line(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'none.sqlite3'}")
    result = run("records", "purge")
    assert result.exit_code == 1
    assert result.output == "Error: there is no database at this address\n"


SECRET = "0123456789abcdef0123456789abcdef"
PATIENT = "Quillfeather-4711"


@pytest.fixture
def of_a_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Records:
    """A database with two decisions about one patient, asked with and without a server."""
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", url)
    monkeypatch.setenv("ALK_CDS_LINK_SECRET", SECRET)
    caplog.set_level(logging.DEBUG)
    records = Records(url)
    records.prepare()
    people = Pseudonyms(SECRET)
    for name, server in (("one", None), ("two", "https://ehr.example.org/fhir")):
        records.save_decision(
            DecisionRecord(
                id=name,
                created_at=datetime.now(UTC),
                service_id="alk-order-sign",
                hook="order-sign",
                hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                client="Example Hospital",
                as_of=date(2026, 11, 20),
                release="2026.11.0",
                patient_key=people.patient_of("Example Hospital", server, PATIENT),
                rule_ids=(),
                cards=(),
                document={},
            )
        )
    return records


def forget(*options: str) -> Result:
    line = ["records", "forget", "--client", "Example Hospital", *options]
    return CliRunner().invoke(commands, line, input=f"{PATIENT}\n")


def test_all_of_a_patient_is_deleted_and_the_patient_is_named_nowhere(
    of_a_patient: Records, caplog: pytest.LogCaptureFixture
) -> None:
    done = forget("--fhir-server", "https://ehr.example.org/fhir/")

    assert done.exit_code == 0, done.output
    assert done.output == "deleted: 2 decisions with their cards, 0 feedback entries\n"
    assert [of_a_patient.decision(name) for name in ("one", "two")] == [None, None]
    assert PATIENT not in done.output + caplog.text


def test_a_patient_of_another_tenant_or_secret_is_not_touched(
    of_a_patient: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forget("--tenant", "north").exit_code == 1
    monkeypatch.setenv("ALK_CDS_LINK_SECRET", SECRET[::-1])
    done = forget()

    assert done.exit_code == 1
    assert "Nothing was found" in done.output
    assert of_a_patient.decision("one") is not None


def test_without_the_secret_nobody_can_be_found(
    of_a_patient: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALK_CDS_LINK_SECRET")

    assert "ALK_CDS_LINK_SECRET is not set" in forget().output
