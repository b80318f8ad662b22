"""Every page that is cited has a publisher who is named, or verifies nothing and is no link."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.publishers import (
    FILE,
    Host,
    answered_for,
    host_of,
    load_publishers,
)
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.sources import Source, load_sources
from cds_service.knowledge.yaml_files import knowledge_folder

HOSTS = {
    "www.drugs.com": Host(name="Drugs.com", publishes=("compendium",)),
    "github.com/HL7": Host(name="HL7 International"),
    "github.com/project/leaflets": Host(name="A public project", publishes=("regulator",)),
}
TEST_HOSTS = ("azurewebsites", "mimsdev", "uat.", "stg.", "staging", "localhost", "webmail.")


def a_source(url: str, publisher: str | None = "compendium", kind: str = "monograph") -> Source:
    content = {"id": "x", "citation": "A citation long enough.", "kind": kind, "url": url}
    return Source.model_validate({**content, "publisher": publisher, "date_checked": "2026-11-20"})


def answered(source: Source, hosts: Mapping[str, Host] = HOSTS) -> Source:
    return answered_for({"x": source}, hosts, "sources.yaml")["x"]


def test_every_address_of_the_release_is_answered_for_or_is_no_link() -> None:
    for source in load_knowledge().sources.values():
        if source.url is not None and source.address is not None:
            assert source.published_by, source.id


@pytest.mark.parametrize("part", TEST_HOSTS)
def test_no_card_can_link_to_a_test_host(part: str) -> None:
    for source in load_knowledge().sources.values():
        assert part not in urlsplit(source.address or "").netloc, source.id


def test_every_publisher_named_is_cited() -> None:
    hosts = load_publishers(knowledge_folder())
    assert hosts is not None
    urls = [source.url for source in load_sources().values() if source.url is not None]
    cited = {found.name for url in urls if (found := host_of(url, hosts)) is not None}
    assert {host.name for host in hosts.values()} == cited


def test_a_page_is_named_with_its_publisher() -> None:
    assert answered(a_source("https://www.drugs.com/dosage/x.html")).published_by == "Drugs.com"


def test_a_page_of_a_site_that_nobody_answers_for_is_refused_with_its_place() -> None:
    with pytest.raises(KnowledgeError, match=r"x\.url: expected an address whose publisher"):
        answered(a_source("https://druglib.example/zykadia"))


@pytest.mark.parametrize("publisher", ["seller", "machine", "unknown"])
def test_what_verifies_nothing_may_stand_anywhere_and_is_no_link(publisher: str) -> None:
    assert answered(a_source("https://druglib.example/zykadia", publisher)).address is None


def test_a_site_is_cited_as_nothing_that_it_is_not() -> None:
    with pytest.raises(KnowledgeError, match=r"x\.publisher: expected .*Drugs.com: compendium"):
        answered(a_source("https://www.drugs.com/dosage/x.html", "regulator"))
    with pytest.raises(KnowledgeError, match="lists of codes alone"):
        answered(a_source("https://github.com/HL7/guide"))


def test_the_beginning_of_a_path_is_a_publisher_and_the_rest_of_the_host_is_not() -> None:
    for url, name in (
        ("https://github.com/project/leaflets", "A public project"),
        ("https://github.com/project/leaflets/tree/main", "A public project"),
    ):
        found = host_of(url, HOSTS)
        assert found is not None
        assert found.name == name
    for url in (
        "https://github.com/project/leaflets-of-somebody",
        "https://github.com/project",
        "https://sub.www.drugs.com/x",
        "https://www.drugs.com.example/x",
    ):
        assert host_of(url, HOSTS) is None


def test_a_list_of_codes_that_a_private_person_copied_is_cited_without_a_link() -> None:
    copied = answered(a_source("https://github.com/somebody/codes", None, "code list"))
    assert copied.can_be_shown
    assert copied.address is None
    named = answered(a_source("https://github.com/HL7/guide", None, "terminology"))
    assert named.address == "https://github.com/HL7/guide"


def test_a_release_from_before_there_were_publishers_still_loads(tmp_path: Path) -> None:
    assert load_publishers(tmp_path) is None


def test_a_publisher_without_a_name_is_refused_with_file_and_place(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("www.drugs.com: {publishes: [compendium]}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"www\.drugs\.com\.name: expected a value") as caught:
        load_publishers(tmp_path)
    assert FILE in caught.value.file


def test_a_source_cannot_name_its_own_publisher(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(
        "x:\n  citation: A citation long enough.\n  kind: code list\n  date_checked: 2026-11-20\n"
        "  url: https://example.org/x\n  published_by: Somebody\n",
        encoding="utf-8",
    )
    with pytest.raises(KnowledgeError, match=r"x\.published_by"):
        load_sources(file)
