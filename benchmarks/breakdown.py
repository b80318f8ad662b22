"""Which part of one answer costs what: `python -m benchmarks.breakdown`.

The stages are the ones of `hooks.engine.Engine.answer`, walked by hand with a clock between them.
Facts are worked out when a rule first asks, so their cost is the difference between deciding with
fresh facts and deciding again with the same ones.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from flask import Flask

from benchmarks.payload import SERVICE_ID, order_sign_request
from benchmarks.report import machine, rewrite
from benchmarks.signatures import signed_checks
from cds_service.alk import Question, decide
from cds_service.app import create_app
from cds_service.cards import CardContext, build_cards, decision_document
from cds_service.cards.suggestions import OrderContext
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge.release import load_knowledge
from cds_service.operations.logs import configure_logging
from cds_service.protocol import CdsResponse, HookCall, ServiceRegistry, read_call
from cds_service.protocol.clients import Client
from cds_service.settings import load_settings
from hooks import AnsweredCall, Engine, as_service, order_sign
from hooks.data import templates
from hooks.gather import gather

REPEATS = 200
LOADS = 5
WARM_UP = 30
PROFILED = 100
ALGORITHMS = ("ES384", "RS384")
CLIENT = Client("benchmark", any_fhir_server=True)

Value = TypeVar("Value")


class Stopwatch:
    """Milliseconds by stage, one entry a repeat."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def __call__(self, stage: str, work: Callable[[], Value]) -> Value:
        started = time.perf_counter()
        value = work()
        elapsed = (time.perf_counter() - started) * 1000
        self.times.setdefault(stage, []).append(elapsed)
        return value

    def median(self, stage: str) -> float:
        """The middle one of the stage's times."""
        return statistics.median(self.times[stage])


class Walk:
    """One in-process answer, whole or stage by stage."""

    def __init__(self, folder: Path) -> None:
        self.knowledge = load_knowledge()
        today = datetime.now(UTC).date()
        self.body = order_sign_request(self.knowledge, today)
        self.app = _application(folder, today)
        self.engine: Engine = self.app.extensions["alk_cds"]
        self.registry = ServiceRegistry([as_service(order_sign.SERVICE, self.engine)])
        self.templates = templates(order_sign.SERVICE.data, self.knowledge)
        self.client = self.app.test_client()

    def over_http(self) -> int:
        """The whole application without a server: Flask's test client. The status."""
        response = self.client.post(
            f"/cds-services/{SERVICE_ID}", data=self.body, content_type="application/json"
        )
        return response.status_code

    def call(self) -> HookCall:
        """The request read, its prefetch still raw."""
        return read_call(self.body, SERVICE_ID, self.registry, client=CLIENT)

    def stages(self, clock: Stopwatch) -> None:
        """Walk the straight line once with the clock in hand."""
        engine = self.engine
        call = clock("request", self.call)
        as_of = engine.today()
        sent = [value for value in call.prefetch.values() if value is not None]
        pages = clock("decode", lambda: list(map(read_resources, sent)))
        clock("record", lambda: PatientRecord.build(call.patient_id, pages))
        supplied = clock("gather", lambda: gather(call, self.templates, engine.access))
        facts, orders = clock("medications", lambda: engine.reader.read(supplied, as_of))
        question = Question(call.hook, orders, None, engine.jurisdiction)
        decision = clock("decide", lambda: decide(facts, question, self.knowledge, as_of))
        clock("decide again", lambda: decide(facts, question, self.knowledge, as_of))
        decision_id = str(uuid4())
        context = CardContext(
            OrderContext(call.patient_id, call.user_id, call.encounter_id),
            engine.link(decision_id),
            engine.max_cards,
        )
        cards = clock(
            "cards",
            lambda: build_cards(
                decision, lambda item: order_sign.matters(item, question), self.knowledge, context
            ),
        )
        shown = {item.rule_id: card.card.uuid for card in cards for item in card.recommendations}
        document = clock(
            "document",
            lambda: decision_document(
                decision_id, decision, self.knowledge, shown, facts.remarks, facts=facts
            ),
        )
        answered = AnsweredCall(decision_id, call, decision, tuple(cards), document)
        clock("store", lambda: engine.keep(answered))
        response = clock("response", lambda: CdsResponse(cards=tuple(card.card for card in cards)))
        clock("serialise", response.to_json)


def _application(folder: Path, today: date) -> Flask:
    settings = load_settings(
        environment="development",
        public_url="http://localhost",
        database_url=f"sqlite:///{folder / 'decisions.sqlite3'}",
    )
    return create_app(settings, today=lambda: today)


def table(clock: Stopwatch) -> str:
    """The stages as Markdown, in the order in which they happen."""
    decode = clock.median("decode")
    record = clock.median("record")
    decide_again = clock.median("decide again")
    rows = [
        ("request: envelope, context, drafts", clock.median("request")),
        ("decode: resources into typed views", decode),
        ("record: one index by type and code", record),
        ("gather, the rest: prefetch keys, drafts", clock.median("gather") - decode - record),
        ("facts: medications and orders", clock.median("medications")),
        ("facts: all others, when a rule asks", clock.median("decide") - decide_again),
        ("decide: the tables", decide_again),
        ("cards", clock.median("cards")),
        ("document of the decision", clock.median("document")),
        ("store in SQLite", clock.median("store")),
        ("response: models and JSON", clock.median("response") + clock.median("serialise")),
    ]
    total = sum(cost for _, cost in rows)
    lines = [
        f"Measured {machine()}, in one process without a server; medians of {REPEATS} walks.",
        "",
        "| part | ms | share |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {name} | {cost:.2f} | {cost / total:.0%} |" for name, cost in rows]
    lines.append(f"| sum of the parts | {total:.2f} | |")
    lines.append(
        f"| whole application through Flask, without a server | {clock.median('whole'):.2f} | |"
    )
    lines.append(
        f"| loading and compiling the knowledge, once at start-up | {clock.median('load'):.0f} | |"
    )
    lines += [
        f"| checking a token signed with {algorithm}, on top in production"
        f" | {clock.median(algorithm):.2f} | |"
        for algorithm in ALGORITHMS
    ]
    return "\n".join(lines)


def profile(walk: Walk) -> str:
    """The functions in which most time is spent, as cProfile sees it."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(PROFILED):
        walk.over_http()
    profiler.disable()
    text = io.StringIO()
    statistic = pstats.Stats(profiler, stream=text).strip_dirs()
    statistic.sort_stats("tottime").print_stats(30)
    statistic.sort_stats("cumulative").print_stats(60)
    return text.getvalue()


def main() -> int:
    """Print the cost of each part and the profile; write the former if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.breakdown", description="Which part of one answer costs what."
    )
    parser.add_argument("--write", action="store_true", help="write the table to the documentation")
    parser.add_argument("--no-profile", action="store_true", help="leave out the profile")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (folder / "log.txt").open("w", encoding="utf-8") as log:
            configure_logging("INFO", log)
            walk = Walk(folder)
            # As the server does: what was loaded is not collected again in the middle of a call.
            gc.collect()
            gc.freeze()
            for _ in range(WARM_UP):
                walk.stages(Stopwatch())
                walk.over_http()
            clock = Stopwatch()
            for _ in range(REPEATS):
                walk.stages(clock)
                if clock("whole", walk.over_http) != 200:
                    raise RuntimeError("the application did not answer with status 200")
            for _ in range(LOADS):
                clock("load", load_knowledge)
            for algorithm in ALGORITHMS:
                for check in signed_checks(algorithm, REPEATS):
                    clock(algorithm, check)
            text = table(clock)
            profiled = "" if asked.no_profile else profile(walk)
    sys.stdout.write(text + "\n\n" + profiled)
    if asked.write:
        rewrite("breakdown", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
