"""The whole service in a real browser: the Chromium of this machine, else Playwright's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.services.calling import Service, running_service

_INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WAIT_MILLISECONDS = 20_000
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests; they are skipped, saying so, where there is none."""
    program = next(filter(None, map(shutil.which, _INSTALLED)), None)
    if program is None and not Path(playwright.chromium.executable_path).exists():
        pytest.skip("no browser: neither Chromium nor Chrome is installed, nor Playwright's own")
    # A container's user is root, for whom Chromium refuses its sandbox; only our pages are opened.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=program, args=arguments)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The application with every page that it has."""
    database = tmp_path_factory.mktemp("browser") / "decisions.sqlite3"
    with running_service(database, bench=True, max_cards=50) as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, service: Service) -> Iterator[OpenPage]:
    """Opens an address in a context of its own; at the end nothing may have gone wrong in it."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_address(path: str, *, faulty: bool = False, **settings: object) -> Page:
        settings.setdefault("viewport", LAPTOP)
        context = browser.new_context(base_url=service.url, **settings)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"{path}: {error}"))
        if not faulty:
            # An answer that is no page of success shows up here too, so tests of errors say so.
            page.on(
                "console",
                lambda line: (
                    faults.append(f"{path}: {line.text}") if line.type == "error" else None
                ),
            )
        page.on(
            "request",
            lambda sent: (
                None
                if sent.url.startswith((service.url, "data:"))
                else faults.append(f"{path}: asked {sent.url}")
            ),
        )
        page.goto(path)
        return page

    yield open_address
    for context in contexts:
        with suppress(Exception):
            context.close()
    assert faults == []


@pytest.fixture(scope="session")
def decision(service: Service) -> str:
    """The path of the decision page behind a card of a patient with much to say."""
    (card, *_) = service.cards("order-sign", "alectinib-alt-six-times")
    (address,) = [link["url"] for link in card["links"] if "/decisions/" in link["url"]]
    return str(address).removeprefix(service.url)
