"""The checks as pytest tests, for those who want them in their own test run.

``pytest -p cds_service.conformance.plugin --pyargs cds_service.conformance --base-url URL``
runs one test for each check: a failed check fails, a warning or note warns, and what could not
be asked is skipped with its reason. pytest itself is no dependency of the service.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.conformance.runner import UsageError, subject_of
from cds_service.conformance.subject import Subject


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of ``alk-cds conformance``."""
    group = parser.getgroup("conformance", "CDS Hooks conformance")
    add = group.addoption
    add("--base-url", help="Address of the service, without /cds-services.")
    add("--service", action="append", default=[], help="Only the service of this id.")
    add("--request", action="append", default=[], type=Path, help="File with a request body.")
    add("--signing-key", type=Path, help="Private key (PEM or JWK) that the service trusts.")
    add("--issuer", help="Issuer (iss) of the tokens.")
    add("--key-id", help="Id (kid) of the key.")
    add("--key-url", help="Address of the public keys (jku) to name in tokens.")
    add("--tenant", help="Tenant to name in tokens.")
    add("--token-command", help="Command that prints a token for the audience it is given.")
    add("--origin", help="Web origin that the service lets in.")


@pytest.fixture(scope="session")
def subject(pytestconfig: pytest.Config) -> Subject:
    """The service under test."""
    option = pytestconfig.getoption
    base_url = option("--base-url")
    if base_url is None:
        raise pytest.UsageError("--base-url says which service to look at")
    try:
        return subject_of(
            base_url,
            services=option("--service"),
            requests=option("--request"),
            signing_key=option("--signing-key"),
            issuer=option("--issuer"),
            key_id=option("--key-id"),
            key_url=option("--key-url"),
            tenant=option("--tenant"),
            token_command=option("--token-command"),
            origin=option("--origin"),
        )
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
