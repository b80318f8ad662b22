"""`alk-cds demo`: the whole service at work on fictional patients, on one terminal."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

if TYPE_CHECKING:
    from rich.console import Console

    from cds_service.commands.asking import Answered
    from cds_service.commands.running import LocalServer

SERVICE_PORT = 8000
FHIR_PORT = 8081


@dataclass(frozen=True)
class Scene:
    """One story at one hook, with or without prefetch, and what to look at."""

    hook: str
    story: str
    prefetch: bool
    look: str
    cards: int = 2
    """How many of the cards to print in full; the others as one line each."""


SCENES = (
    Scene("patient-view", "first-line-choice", True,
          "A new diagnosis: which drugs, with what speaks for and against each."),
    Scene("order-select", "immunotherapy-ordered-alk-positive", True,
          "A drug is picked that should not come first."),
    Scene("order-select", "egfr-inhibitor-ordered", False,
          "The wrong target. No prefetch: the service asks the FHIR server itself."),
    Scene("order-sign", "alectinib-recovered-liver", False,
          "Restart after a hold: the order is changed to the lower dose with one click."),
    Scene("order-sign", "alectinib-alt-six-times", True,
          "A refill in the middle of a liver reaction."),
    Scene("order-sign", "lorlatinib-clarithromycin-ordered", True,
          "An antibiotic that does not go with the drug that runs."),
    Scene("order-sign", "progression-f1174l", False,
          "After progression: the tumour carries a mutation that resists the drug being ordered."),
    Scene("medication-prescribe", "pregnant-alk-inhibitor-ordered", True,
          "The older hook, a contraindication."),
    Scene("patient-view", "alectinib-alt-without-bilirubin", True,
          "One value is missing: nothing is assumed, it is asked for."),
    Scene("patient-view", "chart-almost-empty", False, "Nearly everything is missing.", 1),
    Scene("patient-view", "no-lung-cancer", True, "Nothing to do with ALK: silence."),
)  # fmt: skip
TRACED = ("patient-view", "alectinib-alt-without-bilirubin")


@dataclass
class Demo:
    """A running pair of servers and what went wrong so far."""

    out: Console
    service: str
    fhir: str
    day: date
    services: list[dict[str, Any]]
    faults: list[str] = field(default_factory=list)

    def play(self, scene: Scene) -> None:
        """One scene: the request, the time it took, the cards."""
        from rich.rule import Rule
        from rich.text import Text

        from cds_service.commands import view

        answered, took = self._called(scene.hook, scene.story, prefetch=scene.prefetch)
        self.out.print(Rule(Text(f"{scene.hook}: {scene.story}"), align="left", style="cyan"))
        door = "with prefetch" if scene.prefetch else "from the FHIR server"
        self.out.print(Text(f"{scene.look} ({door}, {took * 1000:.0f} ms)", style="italic"))
        if not answered.ok:
            self.faults.append(f"{scene.story} at {scene.hook}: HTTP {answered.status}")
        cards = answered.cards
        view.show_answer(
            self.out, answered.status, {**answered.body, "cards": cards[: scene.cards]}
            if answered.ok else answered.body, short=True,
        )  # fmt: skip
        for card in cards[scene.cards :]:
            self.out.print(Text(f"  and {card['indicator']}: {card['summary']}", style="dim"))
        self.out.print()

    def trace(self, hook: str, story: str) -> str:
        """The tree behind the first card of a call, read from its decision page; its address."""
        from rich.rule import Rule
        from rich.text import Text

        from cds_service.commands import asking, view

        self.out.print(Rule(Text(f"Why: {story}"), align="left", style="cyan"))
        answered, _ = self._called(hook, story, prefetch=True)
        pages = [
            link["url"]
            for card in answered.cards[:1]
            for link in card.get("links", ())
            if link["url"].startswith(f"{self.service}/decisions/")
        ]
        if not pages:
            self.faults.append(f"{story}: the first card has no decision page")
            return ""
        page = asking.fetch(f"{pages[0]}.json")
        if page.status != 200:
            self.faults.append(f"{story}: the decision page answered HTTP {page.status}")
            return ""
        self.out.print(view.recommendation_tree(page.body["recommendations"][0]))
        self.out.print()
        return str(pages[0])

    def refusal(self) -> None:
        """A call without any data must be refused, never answered with no cards."""
        from rich.rule import Rule
        from rich.text import Text

        from cds_service.commands import asking, view

        self.out.print(Rule(Text("Nothing sent, nobody to ask"), align="left", style="cyan"))
        body = {key: value for key, value in self.small_call().items() if key != "fhirServer"}
        answered = asking.ask(self.service, self._find("patient-view")["id"], body)
        if answered.status != 412:
            self.faults.append(f"a call without data was answered with HTTP {answered.status}")
        self.out.print(Text("An empty answer would read as 'no concerns', so the service refuses."))
        view.show_answer(self.out, answered.status, answered.body)
        self.out.print()

    def closing(self, page: str) -> None:
        """Where to look further, with a command that works as it stands."""
        from rich.rule import Rule
        from rich.text import Text

        def say(text: str) -> None:
            self.out.print(Text(text), soft_wrap=True)

        address = f"{self.service}/cds-services/{self._find('patient-view')['id']}"
        self.out.print(Rule(Text("Try it"), align="left", style="green"))
        say(f"Home page      {self.service}/")
        say(f"What-if bench  {self.service}/bench")
        say(f"Knowledge      {self.service}/knowledge/")
        say(f"Discovery      {self.service}/cds-services")
        say(f"FHIR server    {self.fhir}/Patient")
        if page:
            say(f"Decision page  {page}")
        say("One call:")
        say("")
        say(f"curl -s {address} \\")
        say("  -H 'Content-Type: application/json' \\")
        call = self.small_call()
        parts = [
            json.dumps({key: value}, separators=(",", ":"))[1:-1] for key, value in call.items()
        ]
        say("  -d '{" + ",\n       ".join(parts) + "}'")
        say("")

    def small_call(self) -> dict[str, Any]:
        """A call that names the FHIR server and sends no prefetch."""
        story = "alectinib-monitoring-overdue"
        return {
            "hook": "patient-view",
            "hookInstance": str(uuid4()),
            "fhirServer": self.fhir,
            "context": {"patientId": f"{story}-patient", "userId": "Practitioner/me"},
        }

    def _find(self, hook: str) -> dict[str, Any]:
        from cds_service.commands import asking

        return asking.find_service(self.services, hook)

    def _called(self, hook: str, story: str, *, prefetch: bool) -> tuple[Answered, float]:
        from cds_service.commands import asking
        from fhir_fixtures import load_story
        from fhir_fixtures.requests import hook_request

        service = self._find(hook)
        body: Mapping[str, Any] = hook_request(
            load_story(story, self.day), service, prefetch=prefetch, fhir_server=self.fhir
        )
        started = time.perf_counter()
        return asking.ask(self.service, service["id"], body), time.perf_counter() - started


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the service; 8000 if free.")
@click.option("--fhir-port", type=click.IntRange(0, 65535), help="Its FHIR server; 8081 if free.")
def command(port: int | None, fhir_port: int | None) -> None:
    """Show the whole service at work on fictional patients, then keep it running.

    Starts the service and a FHIR server on this machine, plays several patients through all
    hooks over HTTP and prints the cards. DEMO_EXIT=1 ends it after that; it ends with 1 when any
    call failed.
    """
    from rich.text import Text

    from cds_service.commands import asking, view
    from cds_service.commands.running import clinic_day, development_app, logging_to
    from fhir_fixtures.server import create_fixture_server

    out = view.console()
    day = clinic_day()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="alk-cds-demo-")))
        stack.enter_context(logging_to(folder / "service.log"))
        fhir, service = _listen(fhir_port, FHIR_PORT), _listen(port, SERVICE_PORT)
        fhir.start(create_fixture_server(day))
        stack.callback(fhir.close)
        service.start(development_app(service, folder))
        stack.callback(service.close)
        out.print(view.loud(
            "Demonstration with fictional patients. Calls are not authenticated:\n"
            "send no patient data. Decision support for professionals, no certified device."
        ))  # fmt: skip
        health = asking.fetch(f"{service.url}/health")
        services = asking.discover(service.url)
        release = health.body.get("release", "unknown")
        out.print(f"Service {service.url}: {health.body.get('status', 'down')}, release {release},"
                  f" {len(services)} services. FHIR server {fhir.url}.\n")  # fmt: skip
        demo = Demo(out, service.url, fhir.url, day, services)
        if health.status != 200:
            demo.faults.append(f"the health page answered HTTP {health.status}")
        for scene in SCENES:
            demo.play(scene)
        page = demo.trace(*TRACED)
        demo.refusal()
        demo.closing(page)
        for fault in demo.faults:
            out.print(Text(f"FAILED: {fault}", style="bold red"))
        if demo.faults:
            raise SystemExit(1)
        if os.environ.get("DEMO_EXIT") != "1":
            out.print("Running until Ctrl-C.")
            _wait()


def _listen(chosen: int | None, usual: int) -> LocalServer:
    """A port that was asked for, else the usual one, else any that is free."""
    from cds_service.commands.running import LocalServer

    if chosen is not None:
        return LocalServer(port=chosen)
    try:
        return LocalServer(port=usual)
    except click.ClickException:
        return LocalServer()


def _wait() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("stopped")
