"""Every page: accessible, without errors, readable on a laptop, on a phone and on paper."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, OpenPage

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGES = {
    "home": "/",
    "knowledge": "/knowledge/",
    "search": "/knowledge/?q=hold",
    "search without a hit": "/knowledge/?q=nothing+like+it",
    "drug": "/knowledge/drugs/alectinib.html",
    "matrix": "/knowledge/tables/resistance.html",
    "medication class": "/knowledge/classes/strong-cyp3a-inducer.html",
    "large medication class": "/knowledge/classes/qt-prolonging.html",
    "concept": "/knowledge/concepts/hepatitis.html",
    "value set": "/knowledge/value_sets/non-small-cell-lung-cancer.html",
    "test": "/knowledge/tests/alt.html",
    "fact": "/knowledge/facts/contributing-medication.html",
    "all classes": "/knowledge/classes/index.html",
    "all value sets": "/knowledge/value_sets/index.html",
    "search for a medicine": "/knowledge/?q=rifampin",
    "coverage": "/knowledge/coverage",
    "changes": "/knowledge/changes",
    "bench": "/bench",
    "bench with cards": "/bench?story=alectinib-on-track&hook=order-sign&alt=6.2&raw=yes",
    "bench with a choice": "/bench?story=first-line-choice&brain=yes",
}
ERRORS = {
    "bench with problems": "/bench?story=first-line-choice&hook=order-sign",
    "no such page": "/knowledge/nothing",
    "link that opens nothing": "/decisions/not-a-link",
}
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def serious_findings(page: Page) -> list[str]:
    """What an accessibility engine holds against the page, by rule and place."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{item['id']} ({item['impact']}) at {node['target']}"
        for item in found
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_has_no_serious_finding_of_the_accessibility_engine(
    open_page: OpenPage, path: str
) -> None:
    assert serious_findings(open_page(path)) == []


@pytest.mark.parametrize("path", ERRORS.values(), ids=ERRORS)
def test_a_page_of_an_error_is_accessible_too(open_page: OpenPage, path: str) -> None:
    page = open_page(path, faulty=True)
    assert serious_findings(page) == []
    assert sideways(page) <= 0


def test_the_decision_page_is_accessible_and_fits_a_phone(
    open_page: OpenPage, decision: str
) -> None:
    page = open_page(decision)
    assert serious_findings(page) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert sideways(page) <= 0


@pytest.mark.parametrize("name", ["home", "search", "bench with cards"])
def test_the_dark_colours_are_accessible(open_page: OpenPage, name: str) -> None:
    assert serious_findings(open_page(PAGES[name], color_scheme="dark")) == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_fits_a_phone(open_page: OpenPage, path: str) -> None:
    assert sideways(open_page(path, viewport=PHONE)) <= 0


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_on_paper_leaves_out_what_is_only_for_the_screen(
    open_page: OpenPage, path: str
) -> None:
    page = open_page(path)
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    for unneeded in page.locator(".skip, .screen-only, .search, .pages").all():
        assert not unneeded.is_visible()
    ink = page.evaluate("getComputedStyle(document.body).color")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_the_first_stop_of_the_keyboard_skips_to_the_content(
    open_page: OpenPage, path: str
) -> None:
    page = open_page(path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    # The browser goes there in its own time.
    page.wait_for_url("**#main")


def test_a_search_needs_no_mouse(open_page: OpenPage) -> None:
    page = open_page("/knowledge/")
    page.get_by_label("Rows and pages that hold all of these words, or a code").focus()
    page.keyboard.type("CPK alectinib")
    page.keyboard.press("Enter")
    page.wait_for_url("**/knowledge/?q=CPK+alectinib*")
    assert page.locator(".hits li").count() > 0
    page.locator(".hits a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/knowledge/**#*")
    assert page.locator("h4:target").is_visible()
