"""The bench over HTTP, without a script: what it changes, what it shows, what it refuses."""

from __future__ import annotations

import html
import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.bench.play import Player
from fhir_fixtures import load_story, people, story_names
from fhir_fixtures.requests import load_request
from tests.services.calling import (
    DAY,
    HOOKS,
    SAYING_THE_SAME,
    Service,
    running_service,
)
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

STORY = "alectinib-on-track"
EVERY_HOOK = (*HOOKS, *SAYING_THE_SAME)
SECRET = "Zebrowitz-Quagmire"


def asked(service: Service, status: int = 200, **fields: str) -> str:
    answer = requests.get(f"{service.url}/bench", params=fields, timeout=PATIENCE)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def pasted(service: Service, content: Any, status: int = 200, **fields: str) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    sent = {"pasted": text, **fields}
    answer = requests.post(
        f"{service.url}/bench", data=sent, timeout=PATIENCE, allow_redirects=False
    )
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    return html.unescape(answer.text)


def named_bundle() -> dict[str, Any]:
    """A chart whose patient has a name that is nowhere else."""
    bundle = load_story(STORY, DAY).bundle
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["name"] = [{"family": SECRET}]
    return bundle


def test_a_story_is_answered_as_its_hook_answers(service: Service) -> None:
    story = "alectinib-alt-six-times"
    page = asked(service, story=story, hook="order-sign")
    cards = service.cards("order-sign", story)
    assert cards
    for card in cards:
        assert f"<h3>{card['summary']}</h3>" in page


def test_the_course_is_drawn_once_with_the_change_in_it(service: Service) -> None:
    page = asked(service, story=STORY, hook="patient-view", alt="6.2")
    assert page.count('<figure id="timeline"') == 1
    assert "ALT (× ULN)" in page
    plain = asked(service, story=STORY, hook="patient-view")
    picture = page[page.index('<figure id="timeline"') : page.index("</figure>")]
    assert picture not in plain


def test_a_refused_call_has_no_course(service: Service) -> None:
    request = {"hook": "patient-view", "hookInstance": "no uuid", "context": {}}
    assert '<figure id="timeline"' not in pasted(service, request, 422)


@pytest.mark.parametrize(
    ("change", "hook", "told"),
    [
        ({"alt": "6.2"}, "order-sign", "Hold alectinib: ALT 6.2 x ULN"),
        ({"ast": "6"}, "order-sign", "Hold alectinib: AST 6.0 x ULN"),
        ({"alt": "4", "bilirubin": "2.5"}, "order-sign", "bilirubin"),
        ({"cpk": "11"}, "order-sign", "Hold alectinib: CPK 11.0 x ULN"),
        ({"heart_rate": "41"}, "order-sign", "heart rate 41"),
        ({"finding": "interstitial lung disease"}, "order-sign", "interstitial lung disease"),
        (
            {"finding": "interstitial lung disease", "state": "suspected"},
            "order-sign",
            "suspected interstitial lung disease",
        ),
        ({"finding": "skin reaction", "grade": "3"}, "order-sign", "skin reaction, grade 3"),
        ({"pregnancy": "yes", "order": "alectinib"}, "order-sign", "pregnan"),
        ({"order": "lorlatinib"}, "order-sign", "Do not sign lorlatinib"),
        ({"order": "lorlatinib", "medication": "rifampin"}, "order-sign", "rifampin"),
        ({"days": "200"}, "patient-view", "overdue"),
        ({"alt": "none", "ast": "none"}, "patient-view", "overdue on alectinib: liver tests"),
    ],
)
def test_a_changed_fact_changes_the_cards(
    service: Service, change: dict[str, str], hook: str, told: str
) -> None:
    before = heads(asked(service, story=STORY, hook=hook))
    after = heads(asked(service, story=STORY, hook=hook, **change))
    assert after != before
    assert any(told in head for head in after), after


def test_a_day_before_the_result_knows_nothing_of_it(service: Service) -> None:
    story = "alectinib-alt-six-times"
    assert any("Hold alectinib" in head for head in heads(asked(service, story=story)))
    before = asked(service, story=story, days="-60")
    assert not any("Hold alectinib" in head for head in heads(before))
    assert "what was written or happened later was not used" in before


def heads(page: str) -> list[str]:
    """The summaries of the cards, in their order."""
    cards = page.partition("<h2>Cards</h2>")[2].partition("<h2>Why</h2>")[0]
    return [part.partition("</h3>")[0] for part in cards.split("<h3>")[1:]]


def test_brain_metastases_count_as_present_and_as_gone(service: Service) -> None:
    added = asked(service, story="first-line-choice", brain="yes")
    assert "for: brain metastases" in added
    removed = asked(service, story="first-line-brain-metastases", brain="no")
    assert "for: brain metastases" not in removed
    assert "for: brain metastases" in asked(service, story="first-line-brain-metastases")


def test_an_earlier_inhibitor_and_a_mutation_reach_the_rules(service: Service) -> None:
    page = asked(
        service,
        story="first-line-choice",
        earlier="alectinib",
        ended="progression",
        mutation="G1202R",
    )
    assert not any("Choose a first-line ALK inhibitor" in head for head in heads(page))
    assert "G1202R" in page.partition("<h2>Cards</h2>")[2]


def test_people_are_named_as_clinicians_name_them_and_no_test_is_quoted(service: Service) -> None:
    page = asked(service, story="alectinib-alt-six-times", hook="order-sign")
    assert "Man, 63, fifth month of alectinib, ALT 6.2 x ULN, refill</option>" in page
    assert "The service should" not in page
    assert {name for group in people().values() for name in group} == set(story_names())


def test_the_chart_stands_in_the_fields_as_a_hint(service: Service) -> None:
    page = asked(service, story="alectinib-alt-six-times", hook="order-sign", alt="1")
    field = page.partition('id="alt"')[2].partition(">")[0]
    assert 'placeholder="6.2"' in field
    assert 'value="1"' in field


def test_the_fields_of_the_drug_in_use_stand_in_the_open(service: Service) -> None:
    page = asked(service, story="lorlatinib-triglycerides", hook="order-sign")
    open_ones, _, folded = page.partition('id="more-results"')
    assert 'id="triglycerides"' in open_ones
    assert 'id="triglycerides"' in asked(service, story=STORY).partition('id="more-results"')[2]
    assert 'id="heart_rate"' in folded


def test_all_hooks_are_answered_at_once_and_those_without_an_order_are_named(
    service: Service,
) -> None:
    page = asked(service, story="alectinib-alt-six-times", hook="all")
    for item in service.described:
        assert f"<strong>{item['hook']}</strong>" in page
    quiet = asked(service, story="first-line-choice", hook="all")
    assert "<strong>patient-view</strong>" in quiet
    left_out = quiet.partition("these hooks were left out:")[2].partition("</p>")[0]
    assert "order-sign" in left_out


def test_what_a_change_does_to_the_cards_is_marked(service: Service) -> None:
    story = "alectinib-alt-six-times"
    assert "beside the chart as it is" not in asked(service, story=story, hook="order-sign")
    higher = asked(service, story=story, hook="order-sign", alt="7")
    assert "changed beside the chart as it is" in higher
    treated = asked(service, story="first-line-choice", earlier="alectinib")
    assert "No longer shown: Choose a first-line ALK inhibitor" in treated
    assert "new beside the chart as it is" in asked(
        service, story=STORY, hook="order-sign", alt="6.2"
    )


def test_a_long_qtc_reaches_the_rules(service: Service) -> None:
    fields = {"story": "crizotinib-long-qtc", "hook": "patient-view"}
    before = heads(asked(service, **fields))
    assert heads(asked(service, **fields, qtc="400")) != before


@pytest.mark.parametrize("hook", EVERY_HOOK)
def test_every_hook_can_be_played_with_an_order(service: Service, hook: str) -> None:
    page = asked(service, story="first-line-choice", hook=hook, order="crizotinib")
    assert f"<dd>{hook}</dd>" in page
    assert "HTTP 200" in page


def test_the_request_is_shown_as_it_was_sent_and_is_a_request_of_the_service(
    service: Service,
) -> None:
    page = asked(service, story=STORY, hook="order-sign", alt="6.2", raw="yes")
    text = page.partition('aria-label="Request as JSON">')[2].partition("</pre>")[0]
    answer = service.post("order-sign", json.loads(text))
    assert answer.status_code == 200
    assert [card["summary"] for card in answer.json()["cards"]] == heads(page)


def test_a_form_with_a_story_leads_to_a_link_that_opens_the_same(service: Service) -> None:
    form = {"story": STORY, "hook": "order-sign", "alt": "6.2", "pasted": " ", "ast": ""}
    answer = requests.post(
        f"{service.url}/bench", data=form, timeout=PATIENCE, allow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/bench?story={STORY}&hook=order-sign&alt=6.2"


def test_a_pasted_bundle_is_played_and_can_be_changed(service: Service) -> None:
    page = pasted(service, named_bundle(), hook="patient-view", alt="6.2")
    assert "Hold alectinib: ALT 6.2 x ULN" in page
    order = pasted(service, named_bundle(), hook="order-dispatch", order="lorlatinib")
    assert "HTTP 200" in order


@pytest.mark.parametrize("where", ["name", "value", "hookInstance", "prefetch key"])
def test_half_a_surrogate_pair_in_pasted_content_is_shown_as_a_replacement(
    service: Service, where: str
) -> None:
    """JSON can name it, and no text, page or database can hold it."""
    body = load_request("full-order-sign")["body"]
    half = "\ud800"
    if where == "name":
        body["context"]["draftOrders"]["entry"][0]["resource"][f"x{half}"] = 1
    elif where == "value":
        body["context"]["userId"] += half
    elif where == "hookInstance":
        body["hookInstance"] += half
    else:
        body["prefetch"][f"x{half}"] = {"resourceType": "Bundle", "entry": half}
    status = 422 if where == "prefetch key" else 200
    assert "\N{REPLACEMENT CHARACTER}" in pasted(service, body, status, raw="yes")


def test_a_pasted_request_is_played_at_its_own_hook(service: Service) -> None:
    body = load_request("full-order-sign")["body"]
    page = pasted(service, body, hook="patient-view", story=STORY)
    assert "so that hook was played" in page
    assert "<dd>order-sign</dd>" in page


def test_a_pasted_address_is_never_asked(service: Service) -> None:
    body = {**load_request("full-patient-view")["body"], "fhirServer": f"{service.url}/nowhere"}
    body.pop("prefetch")
    page = pasted(service, body)
    assert "“fhirServer” was taken out" in page
    assert "The service refuses this call" in page
    assert "Required data could not be obtained" in page


def test_what_is_added_to_a_list_that_did_not_come_does_not_make_it_whole(
    service: Service,
) -> None:
    body = load_request("full-patient-view")["body"]
    body["prefetch"]["laboratory"] = None
    page = pasted(service, body, alt="1", raw="yes")
    text = page.partition('aria-label="Request as JSON">')[2].partition("</pre>")[0]
    assert json.loads(text)["prefetch"]["laboratory"]["total"] == 2


def test_nothing_pasted_gets_into_a_link_a_log_or_the_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "decisions.sqlite3"
    with caplog.at_level(logging.DEBUG), running_service(database, bench=True) as service:
        page = pasted(service, named_bundle(), hook="patient-view", alt="6.2", raw="yes")
        assert SECRET in page
        links = [part.partition('"')[0] for part in page.split('href="')[1:]]
        assert not any("pasted" in link or SECRET in link for link in links)
        answer = requests.get(f"{service.url}/bench", params={"pasted": SECRET}, timeout=PATIENCE)
        assert SECRET not in answer.text
    assert SECRET not in caplog.text
    assert SECRET.encode() not in database.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*) from decisions").fetchone() == (0,)


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"alt": "six"}, "ALT"),
        ({"alt": "-1"}, "ALT"),
        ({"alt": "9" * 12}, "ALT"),
        ({"days": "soon"}, "Days from today"),
        ({"days": "99999"}, "Days from today"),
        ({"days": "-36500"}, "Days from today"),
        ({"hook": "patient-wave"}, "Hook"),
        ({"story": "nobody"}, "Fictional patient"),
        ({"brain": "perhaps"}, "Brain metastases"),
        ({"earlier": "aspirin"}, "Earlier ALK inhibitor"),
        ({"ended": "boredom"}, "Why it ended"),
        ({"mutation": "A1B"}, "ALK mutation"),
        ({"medication": "moonshine"}, "Another medication"),
        ({"order": "aspirin"}, "Order a drug"),
        ({"hook": "order-sign", "story": "first-line-choice"}, "Hook"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(
    service: Service, fields: dict[str, str], label: str
) -> None:
    page = asked(service, 422, **{"story": STORY, **fields})
    problems = page.partition('id="problems"')[2].partition("</section>")[0]
    assert f">{label}</a>" in problems
    assert problems.count("<li") == 1
    assert 'aria-invalid="true"' in page


def test_every_field_that_cannot_be_used_is_named_at_once(service: Service) -> None:
    page = asked(service, 422, story=STORY, alt="x", days="y", medication="z")
    assert page.count('<li id="problem-') == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not well-formed JSON"),
        ("[]", "A JSON object is expected"),
        ("{}", "neither a CDS Hooks request"),
        ('{"resourceType": "Patient"}', "neither a CDS Hooks request"),
        ('{"resourceType": "Bundle"}', "exactly one Patient"),
        ('{"resourceType": "Bundle", "entry": {}}', "“Bundle.entry”"),
        ('{"resourceType": "Bundle", "entry": [{}]}', "Bundle.entry[0].resource"),
        ('{"hook": "patient-wave"}', "“hook”"),
        ('{"hook": ["patient-view"]}', "“hook”"),
        ('{"hook": "patient-view"}', "context.patientId"),
        ('{"hook": "patient-view", "context": {"patientId": 7}}', "context.patientId"),
        ('{"hook": "patient-view", "context": {"patientId": "p"}, "prefetch": []}', "“prefetch”"),
        ('{"hook": "patient-view", "hook": "order-sign"}', "occurs twice"),
        ('{"a": ' * 200 + "1" + "}" * 200, "nested deeper"),
    ],
)
def test_pasted_content_that_cannot_be_used_is_explained(
    service: Service, content: str, told: str
) -> None:
    assert told in pasted(service, content, 422)


def test_a_pasted_call_that_the_protocol_forbids_is_refused_as_an_ehr_would_see_it(
    service: Service,
) -> None:
    body = load_request("full-patient-view")["body"]
    del body["hookInstance"]
    page = pasted(service, body)
    assert "The service refuses this call" in page
    assert "HTTP 400" in page
    assert "CDSHooksRequest.hookInstance" in page


def test_a_large_chart_can_be_pasted(service: Service) -> None:
    content = json.dumps(named_bundle(), indent=4)
    assert len(content) > 500_000
    assert "HTTP 200" in pasted(service, content)


def test_pasted_content_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with running_service(tmp_path / "db", bench=True, max_body_bytes=10_000) as service:
        for size in (11_000, 100_000):
            assert "is larger than this service reads" in pasted(service, "x" * size, 413)


def test_text_of_a_pasted_record_becomes_no_markup(service: Service) -> None:
    bundle = named_bundle()
    nasty = '<img src=x onerror="alert(1)">'
    for entry in bundle["entry"]:
        concept = entry["resource"].get("medicationCodeableConcept")
        if concept is not None:
            concept["text"] = nasty
    sent = {"pasted": json.dumps(bundle), "hook": "patient-view", "raw": "yes"}
    answer = requests.post(f"{service.url}/bench", data=sent, timeout=PATIENCE)
    assert "onerror" in answer.text
    assert "<img" not in answer.text


def test_a_fault_of_the_service_is_told_without_what_was_pasted(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Player, "play", fail)
    page = pasted(service, load_request("full-patient-view")["body"], 500)
    assert "An EHR would have got an error, not an empty answer" in page
    assert SECRET not in page
    assert "the bench failed with RuntimeError" in caplog.text
    assert SECRET not in caplog.text


def test_only_our_own_script_runs_on_the_bench(service: Service) -> None:
    policy = requests.get(f"{service.url}/bench", timeout=PATIENCE).headers[
        "Content-Security-Policy"
    ]
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "unsafe" not in policy


def test_there_is_no_bench_unless_a_setting_turns_it_on(tmp_path: Path) -> None:
    with running_service(tmp_path / "db") as service:
        assert requests.get(f"{service.url}/bench", timeout=PATIENCE).status_code == 404
        assert "/bench" not in requests.get(f"{service.url}/", timeout=PATIENCE).text


def test_the_home_page_leads_to_the_bench_and_to_the_knowledge_pages(service: Service) -> None:
    page = requests.get(f"{service.url}/", timeout=PATIENCE).text
    assert 'href="/bench"' in page
    assert 'href="/knowledge/"' in page
    assert 'href="/health/ready"' in page
    assert 'href="/api"' in page
