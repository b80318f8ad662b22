"""What a browser sees when something goes wrong, and the page of the API description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from cds_service.operations.health import Readiness
from tests.services.calling import TIMEOUT, Service, running_service
from tests.web.conftest import Element

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    database: Path = tmp_path_factory.mktemp("errors") / "decisions.sqlite3"
    with running_service(database) as found:
        yield found


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/bench/nowhere",
        "/health/nowhere",
        "/metrics/nowhere",
        "/assets/nothing.css",
        "/%3Cb%3E",
    ],
)
def test_a_page_that_is_not_there_is_told_in_the_house_style(
    service: Service, path: str, read_page: Callable[[str], Element]
) -> None:
    answer = requests.get(f"{service.url}{path}", headers=BROWSER, timeout=TIMEOUT)
    assert answer.status_code == 404
    page = read_page(answer.text)
    assert page.one("h1").text == "There is no such page"
    assert page.all("link", None)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<b>" not in answer.text


def test_a_wrong_method_says_which_is_right(service: Service) -> None:
    answer = requests.post(f"{service.url}/", headers=BROWSER, timeout=TIMEOUT)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "not asked in this way" in answer.text


def test_a_failure_shows_no_stack_and_no_text_of_it(service: Service) -> None:
    def fail() -> str:
        raise ValueError("Ada Secret, born 1950")

    service.app.view_functions["web.home"], kept = fail, service.app.view_functions["web.home"]
    try:
        answer = requests.get(f"{service.url}/", headers=BROWSER, timeout=TIMEOUT)
    finally:
        service.app.view_functions["web.home"] = kept
    assert answer.status_code == 500
    assert "The service failed on this page" in answer.text
    assert "Secret" not in answer.text
    assert "Traceback" not in answer.text


def test_programs_get_no_page(service: Service) -> None:
    for path in ("/cds-services/nothing", "/nowhere"):
        headers = {"Accept": "application/json"}
        answer = requests.post(f"{service.url}{path}", headers=headers, timeout=TIMEOUT)
        assert answer.status_code in (404, 405, 415)
        assert answer.json()


def test_the_api_description_can_be_read_by_people(
    service: Service, read_page: Callable[[str], Element]
) -> None:
    answer = requests.get(f"{service.url}/api", headers=BROWSER, timeout=TIMEOUT)
    page = read_page(answer.text)
    described = requests.get(f"{service.url}/openapi.json", timeout=TIMEOUT).json()
    for path in described["paths"]:
        assert path in page.text
    known = {item.attributes.get("id") for item in page.all("h3")}
    linked = {item.attributes["href"] for item in page.all("a")}
    assert {href[1:] for href in linked if href.startswith("#") and href != "#main"} <= known
    assert "/openapi.json" in linked


@pytest.mark.parametrize(
    ("status", "told"),
    [("degraded", "EHRs get their cards; something is kept back"), ("not ready", "no cards now")],
)
def test_the_home_page_says_what_the_readiness_check_says(
    service: Service,
    serve: Callable[..., str],
    status: str,
    told: str,
    read_page: Callable[[str], Element],
) -> None:
    assert "ready" in requests.get(f"{service.url}/", headers=BROWSER, timeout=TIMEOUT).text
    checks = {"database": "it is locked", "disk": "ok"}
    url = serve(readiness=lambda: Readiness(status, checks))
    page = read_page(requests.get(url, headers=BROWSER, timeout=TIMEOUT).text)
    assert told in page.text
    assert "database : it is locked" in page.text
