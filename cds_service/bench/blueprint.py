"""The page of the bench as a Flask blueprint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from cds_service.bench.changes import MEASURED, REASONS, Choices, FormError, read_changes
from cds_service.bench.play import Played, Player
from cds_service.bench.requests import NEEDS_ORDERS, Prepared, from_paste, from_story
from cds_service.facts import BeforeBirthError
from cds_service.protocol import BodyLimits
from cds_service.protocol.time_limit import OutOfTime, time_limit
from cds_service.turns import Turns
from cds_service.web.security import content_security_policy, secure
from fhir_fixtures import story_names
from hooks import Engine

_logger = logging.getLogger("alk_cds.bench")

PASTED = "pasted"
"""The one field that never goes into a link."""

LABELS: Mapping[str, str] = {
    "story": "Fictional patient",
    "hook": "Hook",
    PASTED: "Pasted content",
    **{item.name: item.label for item in MEASURED},
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
"""What the fields of the form are called."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_LONGEST_SECONDS = 10.0
_FORM_OVERHEAD = 4
"""A pasted text grows in a form: each sign that is no letter becomes three."""


@dataclass
class _View:
    """What the page shows besides its form."""

    problems: dict[str, str] = field(default_factory=dict)
    prepared: Prepared | None = None
    played: Played | None = None
    link: str | None = None
    failed: bool = False


class _Bench:
    def __init__(self, engine: Engine, limits: BodyLimits, turns: Turns) -> None:
        self._player = Player(engine)
        self._turns = turns
        self._limits = limits
        self._choices = Choices.of(engine.knowledge)

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
            return redirect(_link(form), code=303)
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
            service = self._player.service(form.get("hook") or "patient-view")
            if service is None:
                raise FormError({"hook": "is none of the hooks that are played here"})
            try:
                day = today + timedelta(days=changes.days)
            except OverflowError:
                raise FormError({"days": "leads to no day of the calendar"}) from None
            knowledge = self._player.knowledge
            if form.get(PASTED):
                services = self._player.services
                view.prepared = from_paste(
                    form[PASTED], service, services, changes, knowledge, day, self._limits
                )
            else:
                view.link = _link(form)
                view.prepared = from_story(form["story"], service, changes, knowledge, today, day)
            view.played = self._player.play(view.prepared, day)
        except FormError as problem:
            view.problems = problem.problems
        except BeforeBirthError as error:
            view.problems = {"days": f"leads too far back: {error}"}
        except Exception as error:  # noqa: BLE001 - its text may quote what was pasted
            _logger.error("the bench failed with %s", type(error).__name__)
            view.failed = True
        return view

    def _too_large(self) -> BaseResponse:
        return self._shown({}, _View({PASTED: "is larger than this service reads"}), 413)

    def _shown(self, form: Mapping[str, str], view: _View, status: int = 200) -> BaseResponse:
        day = self._player.today()
        if (view.problems or view.failed) and status == 200:
            status = 500 if view.failed else 422
        played = view.played
        body = render_template(
            "bench/bench.html",
            form=form,
            view=view,
            played=played,
            prepared=view.prepared,
            labels=LABELS,
            measured=MEASURED,
            reasons=REASONS,
            stories=story_names(),
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


def _link(form: Mapping[str, str]) -> str:
    """The address of an answer: names and numbers of the form, never what was pasted."""
    asked = {name: form[name] for name in LABELS if name != PASTED and form.get(name)}
    address = url_for("bench.page")
    return f"{address}?{urlencode(asked)}" if asked else address


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
