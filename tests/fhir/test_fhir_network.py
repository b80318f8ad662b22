from __future__ import annotations

import socket
import threading

import pytest

from cds_service.fhir.client import FhirClient, ProblemKind
from cds_service.fhir.errors import ServerRefused
from cds_service.fhir.network import checked_base, is_below, is_public


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::",
        "64:ff9b::10.0.0.1",
        "2001:0000:4136:e378:8000:63bf:f5ff:fffe",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::a00:1",
        "fec0::1",
        "no address",
    ],
)
def test_private_addresses_are_not_public_in_any_disguise(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/fhir",
        "https://localhost/fhir",
        "https://ehr.localhost/fhir",
        "https://127.0.0.1/fhir",
        "https://169.254.169.254/",
        "https://[::1]/fhir",
        "https://[::ffff:10.0.0.1]/fhir",
    ],
)
def test_private_servers_and_plain_http_are_refused_unless_allowed(url: str) -> None:
    with pytest.raises(ServerRefused) as caught:
        FhirClient(url, "secret-token", deadline_seconds=1)
    assert url not in str(caught.value)
    assert checked_base(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ehr.example/fhir",
        "ftp://ehr.example/fhir",
        "file:///etc/passwd",
        "https://",
        "https://user:password@ehr.example/fhir",
        "https://ehr.example/fhir?x=1",
        "https://ehr.example/fhir#x",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/%2e%2e/admin",
        "https://ehr.example\\@evil.example/",
        "https://ehr.example/ fhir",
        "https://ehr.example:x/fhir",
        "https://[x/fhir",
    ],
)
def test_what_is_no_plain_base_url_is_always_refused(url: str) -> None:
    with pytest.raises(ServerRefused):
        checked_base(url, allow_private=True)


@pytest.mark.parametrize(
    ("url", "below"),
    [
        ("https://ehr.example/fhir", True),
        ("https://ehr.example/fhir?_getpages=1", True),
        ("https://ehr.example/fhir/", True),
        ("https://EHR.example:443/fhir/Observation?x=1", True),
        ("https://ehr.example/fhir-other/Observation", False),
        ("https://ehr.example/", False),
        ("https://ehr.example:8443/fhir/Observation", False),
        ("http://ehr.example/fhir/Observation", False),
        ("https://evil.example/fhir/Observation", False),
        ("https://ehr.example.evil.example/fhir/x", False),
        ("https://user@ehr.example/fhir/x", False),
        ("https://ehr.example/fhir/../admin", False),
        ("https://ehr.example/fhir/%2E%2E/admin", False),
        ("javascript:alert(1)", False),
        ("https:///fhir/x", False),
        ("https://ehr.example:port/fhir/x", False),
    ],
)
def test_only_urls_below_the_base_are_followed(url: str, below: bool) -> None:
    assert is_below(url, "https://ehr.example/fhir") is below


@pytest.mark.clause("R-78", "N-22")
@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f000001", "127.1", "0", "[::]"])
def test_this_machine_in_an_odd_spelling_gets_no_byte(host: str) -> None:
    """What a resolver makes of it does not matter: the open connection is judged."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)

        def listen() -> None:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                return
            with connection:
                connection.settimeout(0.5)
                received.append(connection.recv(1))

        listener = threading.Thread(target=listen)
        listener.start()
        base = f"https://{host}:{server.getsockname()[1]}/fhir"
        try:
            client = FhirClient(base, "secret-token", deadline_seconds=2)
        except ServerRefused:
            listener.join()
            assert received == []
            return
        problem = client.fetch({"patient": "Patient/1"})["patient"].problem
        listener.join()
    assert problem is not None
    assert problem.kind in {ProblemKind.ADDRESS, ProblemKind.CONNECTION}
    assert b"".join(received) == b""
