from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from pytest_httpserver import HTTPServer
from urllib3.util.retry import Retry
from werkzeug import Request, Response

from cds_service.fhir import network
from cds_service.fhir.client import FetchProblem, FetchResult, FhirClient, ProblemKind
from cds_service.fhir.errors import AddressRefused
from cds_service.sockets import EndableSockets
from tests.waiting import PATIENCE, held, until

TOKEN = "planted-token-4711"


def bundle(*names: str, **members: Any) -> dict[str, Any]:
    entries = [{"resource": {"resourceType": "Observation", "id": name}} for name in names]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}


def following(url: str) -> list[dict[str, str]]:
    return [{"relation": "next", "url": url}]


@pytest.fixture(scope="module")
def server_here() -> Iterator[HTTPServer]:
    """A real server that answers several requests at once."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture(scope="module")
def server_elsewhere() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def httpserver(server_here: HTTPServer) -> HTTPServer:
    server_here.clear()
    return server_here


@pytest.fixture
def elsewhere(server_elsewhere: HTTPServer) -> HTTPServer:
    server_elsewhere.clear()
    return server_elsewhere


def client_of(server: HTTPServer, **options: Any) -> FhirClient:
    settings: dict[str, Any] = {"deadline_seconds": 5, "allow_private": True, **options}
    return FhirClient(server.url_for("/fhir"), TOKEN, **settings)


def fetch_one(server: HTTPServer, **options: Any) -> FetchResult:
    return client_of(server, **options).fetch({"labs": "Observation?patient=p"})["labs"]


def names(result: FetchResult) -> list[str | None]:
    return [resource.id for resource in result.read.resources]


def test_all_queries_are_answered(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle("alt"))
    patient = {"resourceType": "Patient", "id": "p"}
    httpserver.expect_request("/fhir/Patient/p").respond_with_json(patient)
    results = client_of(httpserver).fetch(
        {
            "labs": "Observation?patient=p&code=http%3A%2F%2Floinc.org%7C1742-6",
            "patient": "/Patient/p",
        }
    )
    assert names(results["labs"]) == ["alt"]
    assert names(results["patient"]) == ["p"]
    assert all(result.complete for result in results.values())


def test_no_query_asks_nothing(httpserver: HTTPServer) -> None:
    assert client_of(httpserver).fetch({}) == {}
    assert httpserver.log == []


def test_the_token_and_the_fhir_media_type_are_sent(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle())
    result = fetch_one(httpserver)
    assert result.read.matched_none
    headers = httpserver.log[0][0].headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Accept"] == "application/fhir+json"


def test_without_a_token_none_is_sent(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle())
    client = FhirClient(httpserver.url_for("/fhir/"), deadline_seconds=60, allow_private=True)
    assert client.fetch({"labs": "Observation"})["labs"].complete
    assert "Authorization" not in httpserver.log[0][0].headers


def test_credentials_of_the_machine_are_never_used(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {httpserver.host} login root password machine-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle())
    client = FhirClient(httpserver.url_for("/fhir"), deadline_seconds=60, allow_private=True)
    assert client.fetch({"labs": "Observation"})["labs"].complete
    assert "Authorization" not in httpserver.log[0][0].headers


def test_pages_are_followed_to_the_end(httpserver: HTTPServer) -> None:
    third = bundle("c")
    second = bundle("b", link=following("?page=3"))
    first = bundle("a", link=following(httpserver.url_for("/fhir?page=2")))
    httpserver.expect_request("/fhir", query_string="page=3").respond_with_json(third)
    httpserver.expect_request("/fhir", query_string="page=2").respond_with_json(second)
    httpserver.expect_request("/fhir/Observation").respond_with_json(first)
    result = fetch_one(httpserver)
    assert names(result) == ["a", "b", "c"]
    assert result.complete


def test_a_search_asks_for_large_pages_and_a_read_does_not(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle())
    httpserver.expect_request("/fhir/Patient/p").respond_with_json(
        {"resourceType": "Patient", "id": "p"}
    )
    client_of(httpserver).fetch(
        {"labs": "Observation?patient=p", "one": "Observation?_count=1", "patient": "Patient/p"}
    )
    assert sorted(request.query_string for request, _ in httpserver.log) == [
        b"",
        b"_count=1",
        b"patient=p&_count=1000",
    ]


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_the_page_size_is_asked_without_it(
    httpserver: HTTPServer, status: int
) -> None:
    def strict(request: Request) -> Response:
        if "_count" in request.args:
            return Response(status=status)
        return Response(json.dumps(bundle("a")), content_type="application/fhir+json")

    httpserver.expect_request("/fhir/Observation").respond_with_handler(strict)
    result = fetch_one(httpserver)
    assert names(result) == ["a"]
    assert result.complete


@pytest.mark.parametrize("status", [400, 422])
def test_a_query_refused_in_both_ways_is_a_problem(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data("Jane Doe", status=status)
    result = fetch_one(httpserver)
    assert result.problem == FetchProblem(ProblemKind.STATUS, status)
    assert len(httpserver.log) == 2


def test_a_page_that_is_refused_later_is_not_begun_again(httpserver: HTTPServer) -> None:
    first = bundle("a", link=following(httpserver.url_for("/fhir?page=2")))
    httpserver.expect_request("/fhir/Observation").respond_with_json(first)
    httpserver.expect_request("/fhir", query_string="page=2").respond_with_data("", status=400)
    result = fetch_one(httpserver)
    assert names(result) == ["a"]
    assert result.problem == FetchProblem(ProblemKind.STATUS, 400)
    assert len(httpserver.log) == 2


def test_a_search_that_ends_before_its_count_is_a_problem(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle("a", total=3))
    result = fetch_one(httpserver)
    assert names(result) == ["a"]
    assert result.problem == FetchProblem(ProblemKind.CUT_SHORT)
    assert not result.complete


def test_more_pages_than_allowed_leave_the_result_incomplete(httpserver: HTTPServer) -> None:
    endless = bundle("a", link=following(httpserver.url_for("/fhir/Observation")))
    httpserver.expect_request("/fhir/Observation").respond_with_json(endless)
    result = fetch_one(httpserver, page_limit=3)
    assert len(httpserver.log) == 3
    assert names(result) == ["a", "a", "a"]
    assert result.problem == FetchProblem(ProblemKind.TOO_MANY_PAGES)
    assert not result.complete


def test_a_next_link_to_another_server_gets_neither_request_nor_token(
    httpserver: HTTPServer, elsewhere: HTTPServer
) -> None:
    page = bundle("a", link=following(elsewhere.url_for("/fhir/Observation")))
    httpserver.expect_request("/fhir/Observation").respond_with_json(page)
    result = fetch_one(httpserver)
    assert elsewhere.log == []
    assert names(result) == ["a"]
    assert result.problem == FetchProblem(ProblemKind.PAGE_LINK)
    assert not result.complete


def test_a_next_link_outside_the_base_path_is_not_followed(httpserver: HTTPServer) -> None:
    page = bundle("a", link=following(httpserver.url_for("/fhir/../admin")))
    httpserver.expect_request("/fhir/Observation").respond_with_json(page)
    assert fetch_one(httpserver).problem == FetchProblem(ProblemKind.PAGE_LINK)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("address", ["http://[", "http://[::1", "//[", "", 7, None])
def test_a_next_link_that_cannot_be_read_keeps_the_page_and_says_that_there_is_more(
    httpserver: HTTPServer, address: Any
) -> None:
    page = bundle("a", link=[{"relation": "next", "url": address}])
    httpserver.expect_request("/fhir/Observation").respond_with_json(page)
    result = fetch_one(httpserver)
    assert names(result) == ["a"]
    assert result.problem == FetchProblem(ProblemKind.PAGE_LINK)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    httpserver: HTTPServer, elsewhere: HTTPServer, status: int
) -> None:
    target = {"Location": elsewhere.url_for("/fhir/Observation")}
    httpserver.expect_request("/fhir/Observation").respond_with_data(status=status, headers=target)
    result = fetch_one(httpserver)
    assert elsewhere.log == []
    assert result.problem == FetchProblem(ProblemKind.REDIRECT, status)
    assert not result.read.given


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 501])
def test_an_error_status_is_a_problem_without_the_body(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data("Jane Doe", status=status)
    result = fetch_one(httpserver)
    assert result.problem == FetchProblem(ProblemKind.STATUS, status)
    assert not result.read.given
    assert "Jane" not in repr(result)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_failure_is_tried_again(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_ordered_request("/fhir/Observation").respond_with_data(status=status)
    httpserver.expect_ordered_request("/fhir/Observation").respond_with_json(bundle("alt"))
    result = fetch_one(httpserver)
    assert names(result) == ["alt"]
    assert result.complete


def test_a_lasting_failure_is_reported_with_its_status(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(status=503)
    assert fetch_one(httpserver).problem == FetchProblem(ProblemKind.STATUS, 503)
    assert len(httpserver.log) == 4


def test_a_wait_that_would_pass_the_deadline_is_not_begun(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(
        status=503, headers={"Retry-After": "60"}
    )
    result = fetch_one(httpserver, deadline_seconds=10)
    # Had it waited, the deadline would be the problem.
    assert result.problem == FetchProblem(ProblemKind.STATUS, 503)
    assert len(httpserver.log) == 1


def test_a_dropped_connection_is_tried_again() -> None:
    body = json.dumps(bundle("alt")).encode()
    answer = (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            first, _ = listener.accept()
            first.recv(65536)
            first.close()
            second, _ = listener.accept()
            with second:
                second.recv(65536)
                second.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
        client = FhirClient(url, TOKEN, deadline_seconds=60, allow_private=True)
        result = client.fetch({"labs": "Observation"})["labs"]
        thread.join(timeout=PATIENCE)
    assert names(result) == ["alt"]


def test_a_server_that_is_down_is_a_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = FhirClient(f"http://127.0.0.1:{port}", deadline_seconds=60, allow_private=True)
    result = client.fetch({"labs": "Observation"})["labs"]
    assert result.problem == FetchProblem(ProblemKind.CONNECTION)
    assert not result.complete


def test_one_deadline_holds_for_all_queries_and_the_quick_ones_are_kept(
    httpserver: HTTPServer,
) -> None:
    with held() as answer:

        def wait(_: Request) -> Response:
            answer.wait()
            return Response(json.dumps(bundle("late")))

        httpserver.expect_request("/fhir/Observation").respond_with_handler(wait)
        httpserver.expect_request("/fhir/Condition").respond_with_json(bundle("quick"))
        results = client_of(httpserver, deadline_seconds=3).fetch(
            {"slow": "Observation", "slower": "Observation?x=1", "quick": "Condition"}
        )
        assert answer.is_held
    assert names(results["quick"]) == ["quick"]
    for name in ("slow", "slower"):
        assert results[name].problem == FetchProblem(ProblemKind.DEADLINE)
        assert not results[name].read.given


def test_a_server_that_drips_bytes_does_not_outlast_the_deadline(httpserver: HTTPServer) -> None:
    with held() as rest:

        def drip(_: Request) -> Response:
            def chunks() -> Iterator[bytes]:
                while rest.is_held:
                    yield b" "
                    time.sleep(0.05)

            return Response(chunks(), headers={"Content-Type": "application/fhir+json"})

        httpserver.expect_request("/fhir/Observation").respond_with_handler(drip)
        result = fetch_one(httpserver, deadline_seconds=0.4)
        assert rest.is_held
    assert result.problem == FetchProblem(ProblemKind.DEADLINE)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_servers_that_drip_leave_no_thread_behind(head: bytes) -> None:
    """A byte now and then is never late for a socket: 60 calls left 422 threads."""
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening, held() as rest:

        def drip() -> None:
            connections = []
            listening.settimeout(0.01)
            while rest.is_held:
                with contextlib.suppress(TimeoutError):
                    connection, _ = listening.accept()
                    connection.setblocking(False)
                    connection.send(head)
                    connections.append(connection)
                for connection in connections:
                    with contextlib.suppress(OSError):
                        connection.send(b" ")
            for connection in connections:
                connection.close()

        server = threading.Thread(target=drip)
        server.start()
        client = FhirClient(
            f"http://127.0.0.1:{listening.getsockname()[1]}/fhir",
            deadline_seconds=0.1,
            allow_private=True,
        )
        for _ in range(10):
            results = client.fetch({str(number): "Observation" for number in range(6)})
            assert {item.problem for item in results.values()} == {
                FetchProblem(ProblemKind.DEADLINE)
            }
        until(lambda: set(threading.enumerate()) <= before | {server}, "the threads end")
        assert rest.is_held
    server.join(PATIENCE)


@pytest.mark.parametrize("body", ["", "null", "<html>sign in</html>", "{"])
def test_an_answer_that_is_no_json_is_not_no_data(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(body)
    result = fetch_one(httpserver)
    assert result.problem == FetchProblem(ProblemKind.NOT_FHIR, 200)
    assert not result.complete


def test_an_outcome_in_place_of_data_leaves_the_result_incomplete(httpserver: HTTPServer) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "throttled"}],
    }
    httpserver.expect_request("/fhir/Observation").respond_with_json(outcome)
    result = fetch_one(httpserver)
    assert result.read.outcomes[0].code == "throttled"
    assert not result.complete


def test_an_answer_without_end_is_not_read_into_memory(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(" " * 200_000)
    result = fetch_one(httpserver, max_page_bytes=100_000)
    assert result.problem == FetchProblem(ProblemKind.TOO_LARGE)


@pytest.mark.parametrize(
    "query",
    ["../admin", "%2e%2e/admin", "https://evil.example/Observation", "Observation/../../admin"],
)
def test_a_query_cannot_leave_the_base_url(httpserver: HTTPServer, query: str) -> None:
    result = client_of(httpserver).fetch({"labs": query})["labs"]
    assert result.problem == FetchProblem(ProblemKind.QUERY)
    assert httpserver.log == []


def test_a_name_that_leads_to_a_private_address_gets_no_byte(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after DNS rebinding: the name looks public, the connection ends on this machine."""
    real = socket.getaddrinfo

    def resolve(host: str, port: Any, *rest: Any, **more: Any) -> Any:
        name = "127.0.0.1" if host == "ehr.example" else host
        return real(name, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            connection.settimeout(PATIENCE)
            with connection:
                received.append(connection.recv(1000))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://ehr.example:{listener.getsockname()[1]}/fhir"
        result = FhirClient(url, TOKEN, deadline_seconds=3).fetch({"labs": "Observation"})["labs"]
        thread.join(timeout=PATIENCE)
    assert result.problem == FetchProblem(ProblemKind.ADDRESS)
    assert received == [b""]


def test_a_connection_to_a_public_address_is_used(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the judgement is replaced: this machine has no public address to answer from."""
    httpserver.expect_request("/fhir/metadata").respond_with_json({})
    session = requests.Session()
    session.mount(
        "http://", network.FhirAdapter(Retry(0), 1, EndableSockets(), allow_private=False)
    )
    with pytest.raises(AddressRefused):
        session.get(httpserver.url_for("/fhir/metadata"), timeout=PATIENCE)
    assert httpserver.log == []
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.1")
    assert session.get(httpserver.url_for("/fhir/metadata"), timeout=PATIENCE).status_code == 200


def test_a_deadline_that_has_passed_starts_no_request(httpserver: HTTPServer) -> None:
    result = fetch_one(httpserver, deadline_seconds=0)
    assert result.problem == FetchProblem(ProblemKind.DEADLINE)
    assert httpserver.log == []


@responses.activate
def test_a_fault_in_the_certificate_is_a_problem_and_its_words_stay_behind() -> None:
    responses.get(
        "https://ehr.example/fhir/Observation", body=requests.exceptions.SSLError("Jane Doe")
    )
    client = FhirClient("https://ehr.example/fhir", TOKEN, deadline_seconds=2)
    result = client.fetch({"labs": "Observation"})["labs"]
    assert result.problem == FetchProblem(ProblemKind.CONNECTION)
    assert "Jane" not in repr(result)


@responses.activate
def test_a_programming_fault_is_not_swallowed() -> None:
    responses.get("https://ehr.example/fhir/Observation", body=ZeroDivisionError())
    client = FhirClient("https://ehr.example/fhir", TOKEN, deadline_seconds=2)
    with pytest.raises(ZeroDivisionError):
        client.fetch({"labs": "Observation"})


def test_the_session_factory_makes_the_session(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle())

    class Marked(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            self.headers["X-Marked"] = "yes"

    assert fetch_one(httpserver, session_factory=Marked).complete
    assert httpserver.log[0][0].headers["X-Marked"] == "yes"


def test_cookies_of_one_answer_are_not_sent_with_the_next(httpserver: HTTPServer) -> None:
    first = json.dumps(bundle("a", link=following(httpserver.url_for("/fhir?page=2"))))
    httpserver.expect_request("/fhir", query_string="page=2").respond_with_json(bundle("b"))
    httpserver.expect_request("/fhir/Observation").respond_with_data(
        first, headers={"Set-Cookie": "session=1"}
    )
    assert fetch_one(httpserver).complete
    assert "Cookie" not in httpserver.log[1][0].headers


def test_token_and_query_are_in_no_repr_and_no_log(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(status=503)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    closed = FhirClient(f"http://127.0.0.1:{port}", TOKEN, deadline_seconds=60, allow_private=True)
    query = {"labs": "Observation?patient=planted-patient"}
    shown = []
    with caplog.at_level(logging.DEBUG):
        for client in (client_of(httpserver), closed):
            result = client.fetch(query)["labs"]
            assert result.problem is not None
            shown.append(f"{client!r} {client!s} {result!r}")
    ours = [record for record in caplog.records if record.name != "werkzeug"]
    everything = " ".join([*shown, *(record.getMessage() for record in ours)])
    assert TOKEN not in everything
    assert "planted-patient" not in everything
