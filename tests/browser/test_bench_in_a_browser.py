"""The bench in a browser: changes at once, by keyboard, without a script, and when things fail."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fhir_fixtures import load_story
from tests.browser.conftest import LAPTOP, PHONE, OpenPage
from tests.services.calling import DAY, HOOKS, SAYING_THE_SAME, Service

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CARDS = "#answer .card h3"
SIDEBAR = {"width": 360, "height": 1200}
"""What EHRs leave to cards."""
IMAGES = Path(__file__).parents[2] / "docs" / "images"


def test_a_changed_field_changes_the_cards_at_once_and_the_address_with_them(
    open_page: OpenPage,
) -> None:
    page = open_page("/bench?story=alectinib-on-track&hook=order-sign")
    expect(page.locator(CARDS, has_text="Hold alectinib")).to_have_count(0)
    page.evaluate("window.stillHere = true")
    page.get_by_label("ALT × ULN").fill("6.2")
    expect(page.locator(CARDS, has_text="Hold alectinib: ALT 6.2 x ULN")).to_be_visible()
    assert page.evaluate("window.stillHere") is True
    expect(page.get_by_role("status")).to_contain_text("card")
    assert page.url.endswith("/bench?story=alectinib-on-track&hook=order-sign&alt=6.2")
    page.reload()
    expect(page.locator(CARDS, has_text="Hold alectinib: ALT 6.2 x ULN")).to_be_visible()
    assert page.get_by_label("ALT × ULN").input_value() == "6.2"


@pytest.mark.parametrize("hook", [*HOOKS, *SAYING_THE_SAME])
def test_every_hook_is_played_from_the_bench(
    open_page: OpenPage, service: Service, hook: str
) -> None:
    story = "alectinib-alt-six-times"
    page = open_page("/bench")
    page.get_by_label("Hook").select_option(hook)
    page.get_by_label("Fictional patient").select_option(story)
    expect(page.locator("#answer")).to_contain_text("HTTP 200")
    cards = [card["summary"] for card in service.cards(hook, story)]
    # The bench asks as of the same day as the service, and the story moves with it.
    assert page.locator(CARDS).all_inner_texts() == cards


def test_the_bench_works_without_a_script(open_page: OpenPage) -> None:
    page = open_page("/bench", java_script_enabled=False)
    page.get_by_label("Fictional patient").select_option("alectinib-on-track")
    page.get_by_label("Hook").select_option("order-sign")
    page.get_by_label("CPK × ULN").fill("11")
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(CARDS, has_text="Hold alectinib: CPK 11.0 x ULN")).to_be_visible()
    assert page.url.endswith("cpk=11")


def test_the_bench_needs_no_mouse_and_shows_where_the_keyboard_is(open_page: OpenPage) -> None:
    page = open_page("/bench")
    reached: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        place: dict[str, str] = page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at);
            return {id: at.id, outline: style.outlineStyle, width: style.outlineWidth}; }"""
        )
        if place["id"]:
            reached.append(place["id"])
            assert place["outline"] != "none", place
            assert place["width"] != "0px", place
        if page.evaluate("document.activeElement.type === 'submit'"):
            break
    fields = page.evaluate(
        "[...document.querySelectorAll('#bench select, #bench input')]"
        ".filter(item => item.checkVisibility()).map(item => item.id)"
    )
    assert [name for name in reached if name in fields] == fields
    page.get_by_label("Fictional patient").focus()
    page.keyboard.type("Woman, 55")
    page.keyboard.press("Tab")
    expect(page.locator(CARDS).first).to_be_visible()
    page.locator("#answer summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer .why[open] .tree").first).to_be_visible()


def test_an_open_explanation_stays_open_when_a_fact_changes(open_page: OpenPage) -> None:
    page = open_page("/bench?story=alectinib-on-track&hook=order-sign&alt=6.2")
    page.locator("#why-alectinib-liver-hold > summary").click()
    page.get_by_label("ALT × ULN").fill("7.3")
    expect(page.locator(CARDS, has_text="ALT 7.3 x ULN")).to_be_visible()
    expect(page.locator("#why-alectinib-liver-hold[open]")).to_contain_text("7.3")


def test_a_field_that_cannot_be_used_is_named_and_marked_until_it_is_mended(
    open_page: OpenPage,
) -> None:
    page = open_page("/bench?story=alectinib-on-track", faulty=True)
    field = page.get_by_label("ALT × ULN")
    field.fill("six")
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("ALT must be a number (× ULN)")
    expect(field).to_have_attribute("aria-invalid", "true")
    problem.get_by_role("link", name="ALT").click()
    expect(field).to_be_focused()
    field.fill("6")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert field.get_attribute("aria-invalid") is None


def test_a_lost_connection_is_told_and_the_earlier_answer_stays(open_page: OpenPage) -> None:
    page = open_page("/bench?story=first-line-choice", faulty=True)
    before = page.locator(CARDS).all_inner_texts()
    page.route("**/bench", lambda route: route.abort())
    page.get_by_label("Brain metastases").select_option("yes")
    expect(page.get_by_role("status")).to_contain_text("did not answer")
    assert page.locator(CARDS).all_inner_texts() == before


def test_pasted_content_is_answered_in_place_and_stays_out_of_the_address(
    open_page: OpenPage,
) -> None:
    page = open_page("/bench")
    bundle = load_story("alectinib-on-track", DAY).bundle
    page.get_by_text("Paste a request or a Bundle instead").click()
    page.get_by_label("Pasted content").fill(json.dumps(bundle))
    page.get_by_label("ALT × ULN").fill("6.2")
    expect(page.locator(CARDS, has_text="ALT 6.2 x ULN")).to_be_visible()
    assert page.url.endswith("/bench")
    expect(page.get_by_role("link", name="link to this")).to_have_count(0)


def test_many_cards_fit_a_phone(open_page: OpenPage) -> None:
    path = "/bench?story=alectinib-on-track&hook=order-sign&order=lorlatinib&alt=6&cpk=11"
    page = open_page(f"{path}&heart_rate=35&medication=rifampin&raw=yes", viewport=PHONE)
    assert page.locator(CARDS).count() >= 4
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_words_longer_than_a_line_fit_a_phone(open_page: OpenPage) -> None:
    page = open_page("/bench", viewport=PHONE)
    page.get_by_text("Paste a request or a Bundle instead").click()
    page.get_by_label("Pasted content").fill(json.dumps(long_chart()))
    page.get_by_label("Hook").select_option("order-sign")
    page.get_by_label("Order a drug").select_option("lorlatinib")
    page.get_by_label("Show the request as sent").check()
    expect(page.locator("#raw-request")).to_contain_text("UnbreakableUnbreakable")
    expect(page.locator(CARDS).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def long_chart() -> dict[str, Any]:
    """A chart with names that no line can hold."""
    bundle = load_story("alectinib-on-track", DAY).bundle
    for entry in bundle["entry"]:
        concept = entry["resource"].get("medicationCodeableConcept")
        if concept is not None:
            concept["text"] = "Unbreakable" * 60
    return bundle


def test_paper_shows_the_cards_and_not_the_form(open_page: OpenPage) -> None:
    page = open_page("/bench?story=alectinib-alt-six-times&hook=order-sign")
    page.emulate_media(media="print")
    assert not page.locator("#bench").is_visible()
    assert page.locator(CARDS).first.is_visible()
    assert page.locator(".why .tree").first.is_visible()


@pytest.mark.skipif(
    os.environ.get("WRITE_SCREENSHOTS") != "1", reason="WRITE_SCREENSHOTS=1 writes the images"
)
def test_the_images_of_the_documentation_are_written(open_page: OpenPage, decision: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    bench = open_page(
        "/bench?story=alectinib-on-track&hook=order-sign&alt=6.2&medication=rifampin",
        viewport=LAPTOP,
    )
    save(bench, "bench.png")
    save(open_page("/knowledge/?q=alectinib+hold+liver", viewport=LAPTOP), "knowledge.png")
    save(open_page(decision, viewport=LAPTOP), "decision.png")
    narrow = open_page("/bench?story=alectinib-alt-six-times&hook=order-sign", viewport=SIDEBAR)
    narrow.locator("#answer .card").first.screenshot(
        path=IMAGES / "card.png", animations="disabled"
    )
    for name in ("bench.png", "knowledge.png", "decision.png", "card.png"):
        assert (IMAGES / name).stat().st_size < 250_000


def save(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / name, animations="disabled")
