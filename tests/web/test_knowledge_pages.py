"""What the service knows, as pages: drugs, tables, search, coverage and what changed."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.knowledge.algorithm_points import named_point
from cds_service.knowledge.rendering import Writer
from cds_service.knowledge.rendering.markdown import html_name
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.services.calling import Service, running_service
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

ReadPage = Callable[[str], Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("pages") / "decisions.sqlite3") as found:
        yield found


def get(service: Service, path: str, status: int = 200) -> str:
    answer = requests.get(service.url + path, timeout=PATIENCE)
    assert answer.status_code == status, path
    return answer.text


def test_the_overview_links_every_drug_and_table_and_each_link_opens(
    service: Service, read_page: ReadPage
) -> None:
    overview = read_page(get(service, "/knowledge/")).one("main")
    links = [link.attributes["href"] for link in overview.all("a")]
    pages = [link for link in links if link.endswith(".html")]
    knowledge = service.app.extensions["alk_cds"].knowledge
    lists = 5  # classes, concepts, value sets, tests and other facts
    assert len(pages) == len(knowledge.drugs) + len(knowledge.tables) + lists
    for link in links:
        assert read_page(get(service, link)).one("h1").text


def test_each_row_of_a_page_tells_its_source_and_how_far_it_was_verified(
    service: Service, read_page: ReadPage
) -> None:
    text = read_page(get(service, "/knowledge/tables/gates.html")).one("main").text
    rows = len(service.app.extensions["alk_cds"].knowledge.tables["gates"])
    assert text.count("Level: ") == rows
    assert text.count("Source: ") == rows


def test_links_inside_a_page_lead_to_pages_that_are_there(
    service: Service, read_page: ReadPage
) -> None:
    page = read_page(get(service, "/knowledge/drugs/alectinib.html")).one("main")
    inside = {link.attributes["href"].partition("#")[0] for link in page.all("a")}
    inside = {link for link in inside if link and ":" not in link}
    assert "../index.html" in inside
    for link in inside:
        get(service, f"/knowledge/drugs/{link}")


def test_wide_tables_scroll_by_keyboard_in_a_region_with_a_name(
    service: Service, read_page: ReadPage
) -> None:
    page = read_page(get(service, "/knowledge/tables/resistance.html"))
    regions = page.one("main").all("div", "scroll")
    assert len(regions) == len(page.one("main").all("table")) > 0
    assert all(region.attributes["tabindex"] == "0" for region in regions)


def test_a_search_finds_the_rows_that_hold_every_word(
    service: Service, read_page: ReadPage
) -> None:
    page = read_page(get(service, "/knowledge/?q=CPK+alectinib+10"))
    hits = page.one("ol", "hits").all("li")
    assert "alectinib-muscle-severe" in [hit.one("a").text for hit in hits]
    for hit in hits:
        # A word may stand in the name of the table only; those that are marked are from the query,
        # or stand for a word of it.
        marked = {mark.text.lower() for mark in hit.all("mark")}
        assert marked <= {"cpk", "ck", "creatine kinase", "creatine phosphokinase", "alectinib",
                          "10"}  # fmt: skip
        assert "Source: " in hit.text


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("rifampin lorlatinib", "lorlatinib-interaction-strong-inducer"),
        ("rifampicin lorlatinib", "lorlatinib-interaction-strong-inducer"),
        ("Rifadin lorlatinib", "lorlatinib-interaction-strong-inducer"),
        ("creatine kinase alectinib", "alectinib-muscle-severe"),
        ("CK alectinib", "alectinib-muscle-severe"),
        ("hepatotoxicity alectinib", "alectinib-liver-hold"),
        ("hepatotoxicities alectinib", "alectinib-liver-hold"),
        ("liver injuries alectinib", "alectinib-liver-hold"),
        ("CKs alectinib", "alectinib-muscle-severe"),
        ("LFT alectinib", "alectinib-monitor-liver"),
        ("ILD crizotinib", "crizotinib-lung-stop"),
        ("pneumonitis crizotinib", "crizotinib-lung-stop"),
        ("QT prolongation crizotinib", "crizotinib-qtc-arrhythmia-stop"),
        ("bradycardias alectinib", "alectinib-bradycardia-with-symptoms"),
        ("holding alectinib", "alectinib-liver-hold"),
        ("hepatotoxic alectinib", "alectinib-liver-hold"),
        ("photosensitivity ceritinib", "ceritinib-sun"),
        ("DOAC lorlatinib", "lorlatinib-interaction-direct-anticoagulant"),
        ("vitamin K antagonists lorlatinib", "lorlatinib-interaction-cyp2c9"),
        ("LVEF lorlatinib", "lorlatinib-heart-function"),
        ("the pill alectinib", "alectinib-interaction-contraceptive"),
        ("hypokalaemia crizotinib", "crizotinib-electrolytes-low"),
        ("DKA brigatinib", "brigatinib-glucose-crisis"),
        ("high blood pressure brigatinib", "brigatinib-pressure-high"),
        ("blurred vision crizotinib", "crizotinib-sight-symptoms"),
        ("myalgia alectinib", "alectinib-muscle-severe"),
        ("toxic epidermal necrolysis alectinib", "alectinib-skin-severe-reaction"),
    ],
)
def test_a_row_is_found_by_the_words_of_the_field(
    service: Service, read_page: ReadPage, query: str, row: str
) -> None:
    page = read_page(get(service, f"/knowledge/?q={query.replace(' ', '+')}"))
    hits = page.one("ol", "hits").all("li")
    assert row in [hit.one("a").text for hit in hits]
    (hit,) = [hit for hit in hits if hit.one("a").text == row]
    assert hit.all("mark"), "it is shown why"


def test_everything_unverified_for_one_drug_is_one_question(
    service: Service, read_page: ReadPage
) -> None:
    knowledge = service.app.extensions["alk_cds"].knowledge
    tables = [table for table in knowledge.all_tables() if "/lorlatinib/" in table.name]
    wanted = {row.identifier for table in tables for row in table if row.level == "none"}
    page = read_page(get(service, "/knowledge/?drug=lorlatinib&level=none"))
    assert {hit.one("a").text for hit in page.one("ol", "hits").all("li")} == wanted
    page = read_page(get(service, "/knowledge/?drug=lorlatinib&level=none&table=monitoring"))
    found = {hit.one("a").text for hit in page.one("ol", "hits").all("li")}
    assert found == {name for name in wanted if name.startswith("lorlatinib-monitor-")}


@pytest.mark.parametrize("name", ["rifampin", "rifampicin", "methylphenobarbital", "carbamazepine"])
def test_a_medicine_finds_its_class_and_the_rules_that_ask_for_it(
    service: Service, read_page: ReadPage, name: str
) -> None:
    page = read_page(get(service, f"/knowledge/?q={name}"))
    (term,) = page.all("ul", "terms")[0].all("a")
    assert term.text == "strong CYP3A inducer"
    assert name in page.all("ul", "terms")[0].text
    rows = [hit.one("a").text for hit in page.one("ol", "hits").all("li")]
    assert "lorlatinib-interaction-strong-inducer" in rows
    shown = read_page(get(service, term.attributes["href"])).one("main")
    assert shown.one("h1").text == "strong CYP3A inducer"
    assert "lorlatinib-interaction-strong-inducer" in [link.text for link in shown.all("a")]


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("1742-6", "tests/alt.html"),
        ("K75.9", "concepts/hepatitis.html"),
        ("Tegretol", "classes/strong-cyp3a-inducer.html"),
        ("ILD", "concepts/interstitial-lung-disease.html"),
        ("heart slow medication", "facts/contributing-medication.html"),
        ("254637007", "value_sets/non-small-cell-lung-cancer.html"),
    ],
)
def test_a_code_a_brand_or_a_word_leads_to_the_page_of_what_it_means(
    service: Service, read_page: ReadPage, query: str, address: str
) -> None:
    page = read_page(get(service, f"/knowledge/?q={query.replace(' ', '+')}"))
    first = page.all("ul", "terms")[0].all("a")[0]
    assert first.attributes["href"] == f"/knowledge/{address}"


def test_a_filter_asks_for_rows_alone(service: Service, read_page: ReadPage) -> None:
    page = read_page(get(service, "/knowledge/?q=rifampin&drug=lorlatinib"))
    assert page.all("ul", "terms") == []


def test_each_page_of_what_rules_name_opens_and_its_links_lead_somewhere(
    service: Service, read_page: ReadPage
) -> None:
    writer = Writer(service.app.extensions["alk_cds"].knowledge, grouped=False)
    names = {html_name(name) for name in writer.names}
    for term in writer.terms:
        name = html_name(term.own_page)
        page = read_page(get(service, f"/knowledge/{name}")).one("main")
        assert page.one("h1").text == term.name
        for link in page.all("a"):
            target = link.attributes["href"].partition("#")[0]
            if target and ":" not in target and target.endswith(".html"):
                there = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
                assert there in names, (name, target)


def test_a_filter_that_nobody_offers_finds_nothing(service: Service, read_page: ReadPage) -> None:
    page = read_page(get(service, "/knowledge/?drug=nobody%27+OR+1%3D1"))
    assert "0 rows" in page.one("main").text


def test_a_piece_of_a_word_finds_nothing(service: Service, read_page: ReadPage) -> None:
    page = read_page(get(service, "/knowledge/?q=bradyc"))
    assert page.all("h2")[0].text.startswith("0 rows with")
    assert "Try fewer words" in page.one("main").text


def test_a_hit_leads_to_its_row(service: Service, read_page: ReadPage) -> None:
    page = read_page(get(service, "/knowledge/?q=alectinib-muscle-severe"))
    link = page.one("ol", "hits").one("a").attributes["href"]
    address, _, place = link.partition("#")
    assert place == "alectinib-muscle-severe"
    assert f'id="{place}"' in get(service, address)


def test_the_name_of_a_drug_or_its_brand_leads_to_its_page(
    service: Service, read_page: ReadPage
) -> None:
    page = read_page(get(service, "/knowledge/?q=alecensa"))
    links = [link.attributes["href"] for link in page.one("main").all("a")]
    assert links[0].endswith("/knowledge/drugs/alectinib.html")


@pytest.mark.parametrize("query", ['<script>alert("x")</script>', "(", "\\", "%", '" onfocus="x'])
def test_a_query_is_text_and_nothing_else(service: Service, query: str) -> None:
    answer = requests.get(f"{service.url}/knowledge/", params={"q": query}, timeout=PATIENCE)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert 'onfocus="' not in answer.text


def test_a_name_of_no_page_is_refused_in_words(service: Service, read_page: ReadPage) -> None:
    for name in ("drugs/nobody.html", "drugs/..%2F..%2Frelease.yaml", "drugs/alectinib.md"):
        text = get(service, f"/knowledge/{name}", 404)
        assert "There is no such page" in read_page(text).one("h1").text


def test_the_coverage_page_names_every_point_that_rows_carry(
    service: Service, read_page: ReadPage
) -> None:
    page = read_page(get(service, "/knowledge/coverage")).one("main")
    points = [head.text for head in page.one("tbody").all("th")]
    knowledge = service.app.extensions["alk_cds"].knowledge
    named = {
        named_point(point)
        for table in knowledge.all_tables()
        for row in table
        for point in row.algorithm_ids
    }
    assert set(points) == named
    assert len(points) == len(named)


def test_with_one_release_the_page_of_changes_says_so(
    service: Service, read_page: ReadPage
) -> None:
    text = read_page(get(service, "/knowledge/changes")).one("main").text
    assert "There is only one release here" in text
    get(service, "/knowledge/changes?from=1999.1.0", 404)


def test_the_page_of_changes_shows_each_cell_that_differs_from_an_earlier_release(
    tmp_path: Path, read_page: ReadPage
) -> None:
    earlier = tmp_path / "earlier"
    shutil.copytree(Path(str(knowledge_folder())), earlier)
    release = earlier / "release.yaml"
    text = release.read_text(encoding="utf-8")
    release.write_text(re.sub(r"version: \S+", "version: 2026.10.0", text), encoding="utf-8")
    table = earlier / "drugs" / "alectinib" / "dose_changes.csv"
    rows = table.read_text(encoding="utf-8")
    assert ",CPK > 10 xULN," in rows
    table.write_text(rows.replace(",CPK > 10 xULN,", ",CPK > 9 xULN,"), encoding="utf-8")
    with running_service(tmp_path / "db", earlier_releases=(earlier,)) as service:
        assert "since 2026.10.0" in get(service, "/knowledge/")
        page = read_page(get(service, "/knowledge/changes?from=2026.10.0")).one("main")
        changed = next(
            part for part in page.all("section") if "alectinib-muscle-severe" in part.text
        )
        assert changed.one("del").text == "was CPK > 9 xULN"
        assert changed.one("ins").text == "is now CPK > 10 xULN"


def test_forms_may_be_sent_here_only_and_no_script_runs(service: Service) -> None:
    policy = requests.get(f"{service.url}/knowledge/", timeout=PATIENCE).headers[
        "Content-Security-Policy"
    ]
    assert "form-action 'self'" in policy
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")
