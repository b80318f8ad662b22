"""Every story at every service: the cards as they leave, kept as files that people can read."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from fhir_fixtures import load_story, story_names
from tests.services.calling import HOOKS, CountingServer, Json, Service, told_apart


class _CardsDumper(yaml.SafeDumper):
    """Writes a text of several lines as lines."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_CardsDumper.add_representer(str, _text)


class CardsFile(SingleFileSnapshotExtension):
    """One YAML file for each story."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """The story's name, so that the files read as a list of stories."""
        return str(test_location.item.callspec.params["story"])

    def serialize(self, data: Any, **_: Any) -> str:
        return yaml.dump(data, Dumper=_CardsDumper, sort_keys=False, allow_unicode=True, width=100)


def _brief(card: Json) -> Json:
    """Override reasons by their codes only: they come in two fixed sets."""
    if "overrideReasons" not in card:
        return card
    codes = [reason["code"] for reason in card["overrideReasons"]]
    return {**card, "overrideReasons": ", ".join(codes)}


def hooks_of(story: str) -> tuple[str, ...]:
    return HOOKS if load_story(story).draft_orders else HOOKS[:1]


@pytest.mark.parametrize("story", story_names())
def test_the_cards_of_a_story_are_the_ones_that_were_read_and_agreed(
    service: Service, fhir_server: CountingServer, snapshot: SnapshotAssertion, story: str
) -> None:
    found = {
        hook: [
            _brief(card)
            for card in told_apart(service.cards(hook, story, fhir_server=fhir_server.url))
        ]
        for hook in hooks_of(story)
    }
    # At the older prescribing hook the same is to be said as at the signature.
    if "medication-prescribe" in found:
        assert found.pop("medication-prescribe") == found["order-sign"]

    assert found == snapshot(extension_class=CardsFile)


@pytest.mark.deep
@pytest.mark.parametrize("story", story_names())
def test_the_service_says_the_same_when_it_has_to_ask_the_fhir_server(
    service: Service, fhir_server: CountingServer, story: str
) -> None:
    for hook in hooks_of(story):
        fhir_server.asked.clear()
        sent = service.cards(hook, story, fhir_server=fhir_server.url)
        # Only a product that prefetch templates cannot name is still looked up.
        assert {path.split("/")[0] for path in fhir_server.asked} <= {"Medication"}

        fhir_server.asked.clear()
        fetched = service.cards(hook, story, prefetch=False, fhir_server=fhir_server.url)

        assert {"Patient", "Condition", "Observation"} <= {
            path.split("/")[0] for path in fhir_server.asked
        }
        assert told_apart(fetched) == told_apart(sent)


@pytest.mark.slow
def test_a_summary_is_short_and_every_card_names_its_source_and_rule(
    service: Service, fhir_server: CountingServer
) -> None:
    for story in story_names():
        for hook in hooks_of(story):
            for card in service.cards(hook, story, fhir_server=fhir_server.url):
                assert 0 < len(card["summary"]) < 140
                assert card["source"]["label"]
                assert card["source"]["topic"]["code"].isalnum()
