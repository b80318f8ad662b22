"""A card says how far its row was verified, and names nobody who does not answer for a text."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from cds_service.alk import Decision, Kind, Question, Recommendation, Topic
from cds_service.cards import CardContext, build_cards
from cds_service.cards.build import card_links
from cds_service.cards.footers import footer
from cds_service.cards.medication_orders import OrderContext
from cds_service.knowledge.sources import Source, is_own_advice
from cds_service.knowledge.table_files import Row
from cds_service.knowledge.verification import WORDS
from tests.alk.patients import AS_OF, knowledge
from tests.cards.deciding import decided
from tests.depth import examples
from tests.facts.records import Json
from tests.facts.test_ways_of_sending import charts

UNFIT = [source for source in knowledge().sources.values() if not source.can_be_shown]
ROWS = [row for table in knowledge().all_tables() for row in table]


def test_pages_of_sellers_and_machines_are_known_as_such() -> None:
    assert {source.publisher for source in UNFIT} == {"seller", "machine", "unknown"}


def _said_of(row: Row) -> str:
    drug = next((name for name in knowledge().drugs if f"drugs/{name}/" in row.table), None)
    item = Recommendation(Kind.INFORM, Topic.TOXICITY, row.identifier, "info", row=row, drug=drug)
    decision = Decision(Question("patient-view"), AS_OF, knowledge().release.version, (item,))
    return footer(item, decision, knowledge())


def _named(source: Source) -> str:
    """What a card would call a source: its citation without what was read of it."""
    return source.citation.partition(";")[0].rstrip(".")


def test_the_last_line_of_a_card_say_the_level_of_its_row() -> None:
    for row in ROWS:
        said = _said_of(row)
        own = is_own_advice(row.sources)
        assert (WORDS["design"] if own else WORDS[row.level]) in said, row.identifier
        assert not any(_named(source) in said for source in UNFIT), row.identifier


def _link_of(row: Row) -> tuple[str, str] | None:
    """The last link of the row's card: its label and its address."""
    drug = next((name for name in knowledge().drugs if f"drugs/{name}/" in row.table), None)
    item = Recommendation(Kind.INFORM, Topic.TOXICITY, row.identifier, "info", row=row, drug=drug)
    context = CardContext(OrderContext("p", "Practitioner/a"), None, 50)
    links = card_links(item, knowledge(), context)
    return (links[-1].label, links[-1].url) if links else None


def test_a_card_links_to_a_page_that_somebody_answers_for_or_to_the_label() -> None:
    answered = {source.address for source in knowledge().sources.values() if source.address}
    pages = {tables.drug.label_page for tables in knowledge().drugs.values()}
    for row in ROWS:
        link = _link_of(row)
        assert link is None or link[1] in (answered if link[0] == "Source" else pages), link


def test_what_was_read_on_a_test_host_sends_to_the_current_label() -> None:
    (row,) = [row for row in ROWS if row.identifier == "brigatinib-interaction-strong-inducer"]
    assert _link_of(row) == ("Current label", knowledge().drugs["brigatinib"].drug.label_page)
    assert "MIMS" in _said_of(row)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(chart=charts())
def test_no_card_of_any_chart_names_a_page_that_nobody_answers_for(
    chart: tuple[str, list[Json], list[Json]],
) -> None:
    context = CardContext(OrderContext("p", "Practitioner/a"), None, 50)
    for built in build_cards(decided(*chart), lambda _: True, knowledge(), context):
        card = built.card
        addresses = [link.url for link in card.links]
        for source in UNFIT:
            assert _named(source) not in (card.detail or "")
            assert source.citation != card.source.label
            assert source.url is None or source.url not in addresses
