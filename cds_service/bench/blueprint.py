"""The page of the bench as a Flask blueprint."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from cds_service.bench.changes import (
    GRADES,
    REASONS,
    STATES,
    Changes,
    Choices,
    FormError,
    read_changes,
)
from cds_service.bench.comparison import Comparison, compared
from cds_service.bench.fields import MeasuredField
from cds_service.bench.play import Played, Player
from cds_service.bench.requests import NEEDS_ORDERS, Prepared, from_paste, from_story
from cds_service.facts import BeforeBirthError
from cds_service.plots.scales import plain_number
from cds_service.protocol import BodyLimits, Service
from cds_service.protocol.time_limit import OutOfTime, time_limit
from cds_service.turns import Turns
from cds_service.web.security import content_security_policy, secure
from fhir_fixtures import people
from hooks import Engine

_logger = logging.getLogger("alk_cds.bench")

PASTED = "pasted"
"""The one field that never goes into a link."""

ALL_HOOKS = "all"
"""Chosen as the hook: the answers of every hook, one after the other."""

_LABELS: Mapping[str, str] = {
    "story": "Fictional patient",
    "hook": "Hook",
    PASTED: "Pasted content",
    "finding": "Finding",
    "state": "It is",
    "grade": "CTCAE grade",
    "brain": "Brain metastases",
    "pregnancy": "Pregnancy",
    "earlier": "Earlier ALK inhibitor",
    "ended": "Why it ended",
    "mutation": "ALK mutation",
    "medication": "Another medication",
    "order": "Order a drug",
    "days": "Days from today",
    "raw": "Show the request as sent",
}
"""What the fields of the form are called, besides those of the results."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_LONGEST_SECONDS = 10.0
_FORM_OVERHEAD = 4
"""A pasted text grows in a form: each sign that is no letter becomes three."""


@dataclass
class _View:
    """What the page shows besides its form."""

    problems: dict[str, str] = field(default_factory=dict)
    answers: list[_Answer] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Hooks that need an order where none is being given."""
    charted: Played | None = None
    link: str | None = None
    failed: bool = False

    @property
    def leading(self) -> _Answer | None:
        """The answer whose basis is shown: the one with the most to say."""
        return max(self.answers, key=lambda one: one.weight, default=None)


@dataclass(frozen=True)
class _Answer:
    """One call, and how its cards differ from those of the chart as it is."""

    prepared: Prepared
    played: Played
    difference: Comparison

    @property
    def weight(self) -> int:
        """How many recommendations stand behind it."""
        document = self.played.document
        return len(document.recommendations) if document is not None else 0


class _Bench:
    def __init__(self, engine: Engine, limits: BodyLimits, turns: Turns) -> None:
        self._player = Player(engine)
        self._turns = turns
        self._limits = limits
        self._choices = Choices.of(engine.knowledge)
        fields = self._choices.fields.measured
        self._labels = {**_LABELS, **{item.name: item.label for item in fields}}

    def page(self) -> BaseResponse:
        """``GET /bench``: the form, and the answer for what the address asks."""
        form = {name: value for name, value in request.args.items() if name != PASTED}
        return self._shown(form, self._answered(form) if form.get("story") else _View())

    def play(self) -> BaseResponse:
        """``POST /bench``: a story becomes a link that can be shared, pasted content an answer."""
        request.max_content_length = self._limits.max_bytes * _FORM_OVERHEAD
        request.max_form_memory_size = request.max_content_length
        try:
            form = {name: value.strip() for name, value in request.form.items()}
        except RequestEntityTooLarge:
            return self._too_large()
        if len(form.get(PASTED, "").encode()) > self._limits.max_bytes:
            return self._too_large()
        if not form.get(PASTED):
            return redirect(self._link(form), code=303)
        return self._shown(form, self._answered(form))

    def _answered(self, form: Mapping[str, str]) -> _View:
        # It computes beside the calls of EHRs, so it takes its turn and ends like one.
        try:
            with time_limit(_LONGEST_SECONDS), self._turns.taken():
                return self._played(form)
        except OutOfTime:
            return _View({PASTED: "takes longer to answer than any chart is worth"})

    def _played(self, form: Mapping[str, str]) -> _View:
        view = _View()
        today = self._player.today()
        try:
            changes = read_changes(form, self._choices)
            day = _day_asked(today, changes.days)
            for service in self._services(form):
                self._answer(view, form, service, changes, day)
            if not view.answers and view.left_out:
                raise FormError({"hook": "is about orders, and nothing is being ordered"})
            if not form.get(PASTED):
                view.link = self._link(form)
        except FormError as problem:
            view.problems = problem.problems
        except BeforeBirthError as error:
            view.problems = {"days": f"leads too far back: {error}"}
        except Exception as error:  # noqa: BLE001 - its text may quote what was pasted
            _logger.error("the bench failed with %s", type(error).__name__)
            view.failed = True
        return view

    def _services(self, form: Mapping[str, str]) -> tuple[Service, ...]:
        if form.get("hook") == ALL_HOOKS:
            return self._player.services
        service = self._player.service(form.get("hook") or "patient-view")
        if service is None:
            raise FormError({"hook": "is none of the hooks that are played here"})
        return (service,)

    def _answer(
        self, view: _View, form: Mapping[str, str], service: Service, changes: Changes, day: date
    ) -> None:
        """Play one hook. Where all are asked, one that lacks an order is named and left out."""
        try:
            prepared = self._prepared(form, service, changes, day)
        except FormError as problem:
            if form.get("hook") != ALL_HOOKS or set(problem.problems) != {"hook"}:
                raise
            view.left_out.append(service.hook)
            return
        if any(one.prepared.service.id == prepared.service.id for one in view.answers):
            # A pasted request is one call, whatever hooks are asked for.
            return
        played = self._player.play(prepared, day)
        charted = played
        if changes != Changes():
            today = self._player.today()
            try:
                as_charted = self._prepared(form, service, Changes(), today)
                charted = self._player.play(as_charted, today)
            except FormError:
                # Without the order that was chosen here there is nothing to compare with.
                view.answers.append(_Answer(prepared, played, Comparison()))
                return
        view.charted = view.charted or charted
        difference = compared(charted.cards, played.cards)
        view.answers.append(_Answer(prepared, played, difference))

    def _prepared(
        self, form: Mapping[str, str], service: Service, changes: Changes, day: date
    ) -> Prepared:
        knowledge = self._player.knowledge
        if form.get(PASTED):
            services = self._player.services
            return from_paste(
                form[PASTED], service, services, changes, knowledge, day, self._limits
            )
        return from_story(form["story"], service, changes, knowledge, self._player.today(), day)

    def _link(self, form: Mapping[str, str]) -> str:
        """The address of an answer: names and numbers of the form, never what was pasted."""
        asked = {name: form[name] for name in self._labels if name != PASTED and form.get(name)}
        if "finding" not in asked:
            # Of no finding nothing is said.
            asked = {key: value for key, value in asked.items() if key not in ("state", "grade")}
        address = url_for("bench.page")
        return f"{address}?{urlencode(asked)}" if asked else address

    def _too_large(self) -> BaseResponse:
        return self._shown({}, _View({PASTED: "is larger than this service reads"}), 413)

    def _shown(self, form: Mapping[str, str], view: _View, status: int = 200) -> BaseResponse:
        day = self._player.today()
        if (view.problems or view.failed) and status == 200:
            status = 500 if view.failed else 422
        leading = view.leading
        played = leading.played if leading is not None else None
        measured, others = self._choices.fields.of_drugs(_drugs(form, view.charted))
        body = render_template(
            "bench/bench.html",
            form=form,
            view=view,
            played=played,
            prepared=leading.prepared if leading is not None else None,
            card_count=sum(len(one.played.cards) for one in view.answers),
            labels=self._labels,
            measured=measured,
            other_measured=others,
            charted=_charted_values((*measured, *others), view.charted),
            reasons=REASONS,
            states=STATES,
            grades=GRADES,
            people=people(),
            all_hooks=ALL_HOOKS,
            services=self._player.services,
            needs_orders=NEEDS_ORDERS,
            choices=self._choices,
            cited=self._cited(played),
            timeline=_picture(played),
            today=day,
            release=self._player.knowledge.release,
        )
        answer = Response(body, status=status, mimetype="text/html")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _cited(self, played: Played | None) -> dict[str, Any]:
        if played is None or played.document is None:
            return {}
        sources = self._player.knowledge.sources
        named = [
            name
            for first in played.document.recommendations
            for item in (first, *first.also)
            for name in item.sources
        ]
        return {name: sources.get(name) for name in named}


def _picture(played: Played | None) -> Markup | None:
    """The patient's course as SVG. A picture that cannot be drawn never takes the page away."""
    if played is None or played.timeline is None:
        return None
    # Imported when there is something to draw: the rest of the service does not need it.
    from cds_service.plots.files import drawing_settings, page_svg
    from cds_service.plots.timeline_plot import (
        COLUMN_TIMELINE,
        NARROW_TIMELINE,
        TITLE,
        in_words,
        timeline_figure,
    )

    told = in_words(played.timeline)
    drawn = ""
    try:
        for width, name in ((COLUMN_TIMELINE, "plot-wide"), (NARROW_TIMELINE, "plot-narrow")):
            with drawing_settings():
                drawn += page_svg(timeline_figure(played.timeline, width), TITLE, told, name)
    except Exception as error:  # noqa: BLE001 - its text may hold values that were pasted
        _logger.error("the timeline of the bench failed with %s", type(error).__name__)
        return None
    # An XML writer wrote it from our own figure, so every text in it is escaped.
    return Markup(drawn)  # noqa: S704


def _day_asked(today: date, days: int) -> date:
    try:
        return today + timedelta(days=days)
    except OverflowError:
        raise FormError({"days": "leads to no day of the calendar"}) from None


def _drugs(form: Mapping[str, str], charted: Played | None) -> frozenset[str]:
    """The inhibitors that are in question: what is ordered here, and what the chart takes."""
    periods = charted.timeline.periods if charted is not None and charted.timeline else ()
    taken = {item.drug for item in periods if item.status != "ended"}
    return frozenset({*taken, *filter(None, [form.get("order")])})


def _charted_values(fields: Iterable[MeasuredField], charted: Played | None) -> dict[str, str]:
    """The newest result of each field in its unit, as a hint of what the chart holds."""
    courses = charted.timeline.courses if charted is not None and charted.timeline else ()
    newest = {item.fact: item.values[0] for item in courses if item.values}
    found: dict[str, str] = {}
    for item in fields:
        value = newest.get(item.analyte)
        if value is None or value.number is None:
            continue
        number = value.number
        if item.upper_limit is not None:
            if not value.upper_limit:
                continue
            number = number / value.upper_limit
        found[item.name] = f"{value.comparator}{plain_number(round(number, 2))}"
    return found


def as_markup(text: str) -> Markup:
    """The Markdown of a card as an EHR would show it; HTML in it stays text."""
    body = _MARKDOWN.render(text)
    opened = '<div class="scroll" role="region" aria-label="Options" tabindex="0"><table>'
    body = body.replace("<table>", opened).replace("</table>", "</table></div>")
    return Markup(body)  # noqa: S704 - the parser escapes and lets no HTML by


def create_bench_blueprint(engine: Engine, limits: BodyLimits, turns: Turns) -> Blueprint:
    """The blueprint with the page ``/bench``.

    It answers with the knowledge and settings of ``engine``, takes no more than ``limits`` and
    computes by ``turns``.
    Nobody signs in here: register it only where everyone who reaches it may use it.
    """
    bench = _Bench(engine, limits, turns)
    blueprint = Blueprint(
        "bench",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/bench/assets",
    )
    blueprint.add_url_rule("/bench", "page", bench.page, methods=["GET"])
    blueprint.add_url_rule("/bench", "play", bench.play, methods=["POST"])
    policy = content_security_policy((), forms=True, script=True)
    blueprint.after_request(partial(secure, policy=policy))
    blueprint.add_app_template_filter(as_markup, "card_markup")
    return blueprint
