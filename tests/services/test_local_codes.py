"""A site's own codes from the settings to the card and the decision page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.app import create_app
from cds_service.commands.running import LocalServer
from cds_service.knowledge.errors import KnowledgeError
from tests.services.calling import TIMEOUT, Json, running_service, settings_for

pytestmark = pytest.mark.slow

LOCAL = """
laboratory: City Lab
labs:
- {system: "urn:oid:1.2.3", code: ALT-1, analyte: ALT}
default_limits:
- {analyte: ALT, high: "50", unit: U/L}
"""


@pytest.fixture
def local_file(tmp_path: Path) -> Path:
    file = tmp_path / "local.yaml"
    file.write_text(LOCAL, encoding="utf-8")
    return file


def _as_the_site_sends_it(value: Any) -> Any:
    """The chart with ALT under a local code and without reference ranges."""
    if isinstance(value, list):
        return [_as_the_site_sends_it(member) for member in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _as_the_site_sends_it(member) for name, member in value.items()}
    if value.get("resourceType") == "Observation" and "1742-6" in str(value.get("code")):
        changed["code"] = {"coding": [{"system": "urn:oid:1.2.3", "code": "ALT-1"}], "text": "ALT"}
        changed.pop("referenceRange", None)
    return changed


def _page(cards: list[Json]) -> str:
    found = re.search(r"https?://[^\s)\"]+/decisions/[^\s)\"]+", str(cards))
    assert found is not None
    return requests.get(found.group(0).rstrip("'"), timeout=TIMEOUT).text


def test_cards_and_page_say_what_a_site_added(database: Path, local_file: Path) -> None:
    with running_service(database, local_codes_file=local_file) as service:
        body = _as_the_site_sends_it(service.body("patient-view", "alectinib-alt-six-times"))
        cards = service.cards_of("patient-view", body)
        page = _page(cards)
    (card,) = [item for item in cards if "ALT" in item["summary"] and item["indicator"] != "info"]
    assert "x ULN" in card["summary"]
    assert "upper limit 50 U/L is the default of City Lab" in card["detail"]
    assert "recognised by a code of this site" in card["detail"]
    assert "code ALT-1 of urn:oid:1.2.3 counts as ALT, by the local code file" in page
    assert "default of City Lab" in page


def test_without_the_file_the_code_is_remarked_on(database: Path) -> None:
    with running_service(database) as service:
        body = _as_the_site_sends_it(service.body("patient-view", "alectinib-alt-six-times"))
        cards = service.cards_of("patient-view", body)
        page = _page(cards)
    assert not any("ALT" in item["summary"] and "x ULN" in item["summary"] for item in cards)
    assert "a result named like ALT has a code that is not known here (ALT-1 of" in page


def test_a_faulty_file_stops_the_start(database: Path, local_file: Path) -> None:
    local_file.write_text(LOCAL.replace("analyte: ALT,", "analyte: ALTT,"), encoding="utf-8")
    server = LocalServer()
    try:
        settings = settings_for(server, database, local_codes_file=local_file)
        with pytest.raises(KnowledgeError, match=r"default_limits\.0\.analyte"):
            create_app(settings)
    finally:
        server.close()
