"""The home page: what this is, what it offers, and how to connect."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import requests

from tests.waiting import PATIENCE

Serve = Callable[..., str]
ReadPage = Callable[[str], Any]


def get(address: str) -> str:
    response = requests.get(address, timeout=PATIENCE)
    assert response.status_code == 200
    return response.text


def test_the_home_page_says_what_this_is_and_is_not(serve: Serve, read_page: ReadPage) -> None:
    text = read_page(get(serve() + "/")).one("main").text
    assert "not a certified medical device" in text
    assert "supports professionals" in text
    assert "Something missing from the record is never taken as normal" in text


def test_the_home_page_lists_each_service(serve: Serve, read_page: ReadPage) -> None:
    (service,) = read_page(get(serve() + "/")).one("ul", "services").all("li")
    assert service.one("h3").text == "Before signing"
    assert "Checks drafted orders." in service.text
    assert [code.text for code in service.all("code")] == ["order-sign", "alk-order-sign"]


def test_the_home_page_tells_release_and_review(serve: Serve, read_page: ReadPage) -> None:
    text = read_page(get(serve() + "/")).one("main").text
    for words in (
        "Release 2026.11.0",
        "Date 19 Nov 2026",
        "nobody outside the project yet",
        "Nobody outside has reviewed this.",
        "first release. Affects adults on alectinib.",
    ):
        assert words in text


def test_reviewers_are_named_when_there_are_some(serve: Serve, read_page: ReadPage) -> None:
    base = serve(release=lambda: {"version": "1", "date": "2026-11-19", "reviewers": ["A", "B"]})
    text = read_page(get(base + "/")).one("main").text
    assert "Reviewed by A, B" in text
    assert "nobody outside" not in text


def test_discovery_is_linked_below_the_path_the_service_is_mounted_at(
    serve: Serve, read_page: ReadPage
) -> None:
    page = read_page(get(serve(url_prefix="/cds") + "/"))
    assert "/cds/cds-services" in [link.attributes["href"] for link in page.all("a")]


def test_the_public_address_of_discovery_is_shown_when_it_is_known(
    serve: Serve, read_page: ReadPage
) -> None:
    page = read_page(get(serve(public_url="https://cds.example.org") + "/"))
    links = [link.attributes["href"] for link in page.all("a")]
    assert "https://cds.example.org/cds-services" in links


def test_headings_do_not_skip_a_level(serve: Serve, read_page: ReadPage) -> None:
    levels = [
        int(element.tag[1])
        for element in read_page(get(serve() + "/")).all()
        if element.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}
    ]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
