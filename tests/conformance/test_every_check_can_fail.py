"""The checks are checked: a right server passes them all, and each notices its own fault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from cds_service.conformance import CHECKS, Check, Outcome, Subject, clauses, run
from cds_service.conformance.checks import OUTCOME_OF
from cds_service.conformance.exchange import Caller
from tests.conformance import right_server
from tests.conformance.distortions import Faulty
from tests.conformance.faults import FAULTS, Fault
from tests.conformance.right_server import KEY, ORIGIN, Serving, application, serving

pytestmark = pytest.mark.slow


def looking_at(url: str) -> Subject:
    signer = right_server.signer()
    return Subject(Caller(url, signer), origin=ORIGIN, signer=signer)


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as found:
        yield found


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and the key behind it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(KEY, hashes.SHA384())
    )
    public, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private


def test_a_server_that_does_everything_right_passes_every_check(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with serving(certificate=certificate) as server:
        server.app = application(server.url)
        report = run(looking_at(server.url))

    # How fast the machine is at this moment says nothing of the server.
    unhappy = [
        item
        for item in report.results
        if item.outcome is not Outcome.PASSED and item.check.id != "speed"
    ]
    assert [(item.check.id, item.outcome.value, item.says) for item in unhappy] == []
    assert len(report.results) == len(CHECKS)


@pytest.mark.clause("N-40", "N-90")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_notices_the_fault_it_is_for(check: Check, server: Serving) -> None:
    fault = FAULTS[check.id]
    if isinstance(fault, Fault):
        with serving(fault.host) as elsewhere:
            url = f"http://{fault.host}:{elsewhere.port}"
            elsewhere.app = application(url)
            result = check.run(looking_at(url))
    else:
        server.app = Faulty(application(server.url), fault)
        result = check.run(looking_at(server.url))

    assert result.outcome is OUTCOME_OF[check.strength], result.says
    assert result.says


def test_no_check_is_without_a_fault() -> None:
    assert set(FAULTS) == {check.id for check in CHECKS}


def test_checks_are_told_apart_and_name_clauses_that_exist() -> None:
    identifiers = [check.id for check in CHECKS]

    assert len(set(identifiers)) == len(identifiers)
    assert [item.id for item in CHECKS if not item.clauses or not item.title] == []
    assert {name for item in CHECKS for name in item.clauses} <= set(clauses())
