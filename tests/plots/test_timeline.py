"""The timeline: what is gathered of a patient, and what is drawn of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from cds_service.commands.local import LocalServices
from cds_service.facts import PatientFacts
from cds_service.fhir.reading import read_resources
from cds_service.plots import Course, DatedEvent, DatedTest, DosePeriod, Timeline
from cds_service.plots.drawing import Width
from cds_service.plots.files import drawing_settings
from cds_service.plots.timeline_plot import NARROW_TIMELINE, TIMELINE, in_words, timeline_figure
from fhir_fixtures import REFERENCE_DATE, load_story, story_names
from tests.plots.courses import (
    TODAY,
    ago,
    alt,
    artist,
    artists,
    order,
    points,
    results,
    texts,
    value,
)

pytestmark = pytest.mark.slow

SERVICES = LocalServices(REFERENCE_DATE, 20.0)


def facts_of(story: str) -> PatientFacts:
    told = load_story(story)
    return SERVICES.facts_of_chart(
        told.patient_id, read_resources(json.dumps(told.bundle).encode())
    )


def timeline_of_story(story: str) -> Timeline:
    return SERVICES.timeline(facts_of(story))


def drawn(timeline: Timeline) -> Figure:
    with drawing_settings():
        return timeline_figure(timeline)


FULL = Timeline(
    TODAY,
    (order("ended", 200, 60), order("active", 50, mg="900")),
    (alt(value(3, "240"), value(190, "20"), asked=()),),
    (
        DatedEvent(ago(210), "brain imaging"),
        DatedEvent(ago(100), "disease status", "stable"),
        DatedEvent(ago(5), "disease status", "worse"),
    ),
    (DatedTest("liver tests", (ago(190), ago(3)), ago(-10), "due"), DatedTest("ECG")),
)


def test_a_story_becomes_a_timeline_of_doses_values_events_and_tests() -> None:
    found = timeline_of_story("alectinib-alt-six-times")

    (period,) = found.periods
    assert (period.drug, period.status, str(period.daily_mg)) == ("alectinib", "active", "1200")
    courses = {course.fact: course for course in found.courses}
    newest = courses["ALT"].values[0]
    assert (newest.day, newest.as_sent, str(newest.upper_limit)) == (
        date(2026, 11, 12),
        "341 U/L",
        "55",
    )
    assert {event.kind for event in found.events} == {"brain imaging", "ALK result"}
    liver = next(test for test in found.tests if test.label.startswith("liver tests"))
    assert liver.done[-1] == date(2026, 11, 12)
    assert liver.due == date(2026, 11, 27)


def test_progression_is_an_event_of_its_day() -> None:
    events = timeline_of_story("progression-g1202r").events

    assert "worse" in {item.label for item in events if item.kind == "disease status"}


def test_no_text_of_the_record_gets_into_a_timeline() -> None:
    found = timeline_of_story("progression-g1202r")

    names = {"disease status", "brain imaging", "ALK result", "resistance profile", "resection"}
    assert {event.kind for event in found.events} <= names
    assert {event.label for event in found.events} <= {"", "worse", "stable", "improved"}


def test_every_part_is_drawn_at_its_day() -> None:
    figure = drawn(FULL)

    assert results(figure, "ALT") == [(ago(190), 0.5), (ago(3), 6.0)]
    assert points(figure, "done liver tests") == [(ago(190), 0.5), (ago(3), 0.5)]
    assert points(figure, "due liver tests") == [(ago(-10), 0.5)]
    assert points(figure, "events disease status worse") == [(ago(5), 0.5)]
    assert points(figure, "events disease status stable") == [(ago(100), 0.5)]
    assert artist(figure, "no order alectinib").get_hatch()


def test_the_limits_of_the_drug_in_use_are_drawn() -> None:
    limits = {
        course.fact: {(item.operator, str(item.number), item.meaning) for item in course.thresholds}
        for course in timeline_of_story("alectinib-alt-six-times").courses
    }
    assert (">", "5", "hold") in limits["ALT"]
    # Held for only together with another value, or not at all: a line alone would say too much.
    assert not {item for item in limits["total bilirubin"] if item[0] == "<="}
    assert limits["haemoglobin"] == set()


def test_a_limit_that_counts_only_the_second_time_is_not_drawn() -> None:
    courses = {item.fact: item for item in timeline_of_story("lorlatinib-triglycerides").courses}
    drawn_limits = {
        (str(item.number), item.meaning) for item in courses["triglycerides"].thresholds
    }
    assert drawn_limits == {("1000", "hold")}


def test_what_happened_long_before_the_first_dose_is_folded_into_words() -> None:
    events = (DatedEvent(ago(900), "brain imaging"), DatedEvent(ago(2000), "brain imaging"))
    figure = drawn(replace(FULL, events=events))

    assert any(text.startswith("brain imaging; earlier:") for text in texts(figure))
    assert any("2 in all" in text for text in texts(figure))
    first_dose = min(item.start for item in FULL.periods if item.start is not None)
    first_day = artist(figure, "done liver tests").axes.get_xlim()[0]
    assert first_day > date2num(first_dose) - 60


def test_values_in_line_that_no_drug_has_a_limit_for_are_named_and_not_drawn() -> None:
    quiet = Course("LDH", "U/L", (value(3, "20"),))
    figure = drawn(replace(FULL, courses=(*FULL.courses, quiet)))

    assert results(figure, "LDH") == []
    assert any(text.endswith("without a limit of these drugs: LDH") for text in texts(figure))
    assert results(figure, "ALT")


def test_the_picture_has_a_title_and_says_its_marks_in_words() -> None:
    said = texts(drawn(FULL))
    assert "Treatment, tests and findings over time" in said
    assert any("above the upper limit of normal" in text for text in said)


def test_worse_and_stable_have_different_marks_and_a_key_in_words() -> None:
    figure = drawn(FULL)

    worse = artist(figure, "events disease status worse").get_marker()
    assert worse != artist(figure, "events disease status stable").get_marker()
    assert any("○ stable, × worse" in text for text in texts(figure))


def test_each_test_says_when_it_was_last_done_or_is_due() -> None:
    figure = drawn(FULL)

    assert artist(figure, "said liver tests").get_text() == "due: 30 Nov 2026"
    assert artist(figure, "said ECG").get_text() == "never recorded"


def test_with_nothing_recorded_the_picture_says_so() -> None:
    said = [line.get_text() for line in artists(drawn(Timeline(TODAY)), "line")]

    assert said == [
        "no ALK inhibitor recorded",
        "no imaging, progression or ALK result recorded",
        "no test recorded or due",
        "no laboratory result or vital sign recorded",
    ]


def test_an_order_without_a_first_day_is_named() -> None:
    figure = drawn(Timeline(TODAY, (order("active", None),)))

    said = [line.get_text() for line in artists(figure, "line")]
    assert said[0] == "alectinib: ordered, since when is not recorded"


def test_what_was_recorded_long_before_the_drug_is_counted_or_named() -> None:
    old = replace(alt(value(2000, "20"), asked=()), fact="AST")
    courses = (alt(value(3, "20"), value(2000, "20"), asked=()), old)
    figure = drawn(replace(FULL, courses=courses))

    assert "1 earlier not shown" in artist(figure, "title ALT").get_text()
    assert "Recorded only before these days: AST" in texts(figure)
    assert results(figure, "AST") == []


def test_a_history_of_ten_years_with_thousands_of_values_stays_within_its_frame() -> None:
    courses = tuple(
        Course(name, "U/L", tuple(value(day, str(35 + day % 9)) for day in range(0, 3650, 2)))
        for name in ("ALT", "AST", "CPK", "ALP")
    )
    orders = tuple(order("ended", 3650 - 300 * step, 3400 - 300 * step) for step in range(11))
    figure = drawn(replace(FULL, courses=courses, periods=(*orders, order("active", 40))))

    with drawing_settings():
        figure.draw_without_rendering()
    assert len(results(figure, "ALT")) == 1825
    for item in figure.findobj(lambda found: bool(getattr(found, "get_text", str)())):
        box = item.get_window_extent()
        assert box.x0 >= 0, item.get_text()
        assert box.x1 <= TIMELINE.pixels, item.get_text()


@pytest.mark.parametrize("width", [TIMELINE, NARROW_TIMELINE])
def test_every_text_of_a_story_lies_within_the_picture(width: Width) -> None:
    with drawing_settings():
        figure = timeline_figure(timeline_of_story("progression-g1202r"), width)
        figure.draw_without_rendering()

    for item in figure.findobj(lambda found: bool(getattr(found, "get_text", str)())):
        box = item.get_window_extent()
        assert box.x0 >= 0, item.get_text()
        assert box.x1 <= width.pixels, item.get_text()


def test_no_two_texts_overlap() -> None:
    figure = drawn(timeline_of_story("progression-g1202r"))

    with drawing_settings():
        figure.draw_without_rendering()
    boxes = [
        (item.get_text(), item.get_window_extent().shrunk(0.95, 0.7))
        for item in figure.findobj(lambda item: bool(getattr(item, "get_text", str)()))
        if item.get_gid() is not None
    ]
    assert len(boxes) > 20
    for index, (text, box) in enumerate(boxes):
        for other, second in boxes[index + 1 :]:
            assert not box.overlaps(second), (text, other)


@pytest.mark.parametrize("timeline", [FULL, Timeline(TODAY)])
def test_a_picture_is_told_in_words(timeline: Timeline) -> None:
    words = in_words(timeline)

    assert words.startswith("As of 20 Nov 2026.")
    expected = "alectinib" if timeline.periods else "ALK inhibitors: none recorded"
    assert expected in words


def test_days_of_the_first_year_can_be_drawn() -> None:
    first = DosePeriod("alectinib", "ended", date.min, date.min)
    events = (DatedEvent(date.min, "brain imaging"),)
    figure = drawn(Timeline(TODAY, (first,), (), events))

    assert points(figure, "events brain imaging") == [(date.min, 0.5)]


@pytest.mark.parametrize("story", story_names())
def test_every_story_can_be_drawn(story: str) -> None:
    assert artist(drawn(timeline_of_story(story)), "today label").get_text() == "as of 20 Nov 2026"


def test_the_grades_of_a_reaction_are_drawn_and_no_word_of_its_record() -> None:
    courses = {item.fact: item for item in timeline_of_story("lorlatinib-hallucinations").courses}
    grades = courses["nervous system effects"]
    assert grades.unit == "grade"
    assert [(value.number, value.as_sent) for value in grades.values] == [(2, "grade 2")] * 2
