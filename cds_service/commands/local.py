"""The services inside this process, without HTTP, so that the whole decision can be looked at."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import uuid4

import click

from cds_service.alk import Question, decide
from cds_service.cohort import chart_facts
from cds_service.commands.running import clinic_day
from cds_service.commands.suggesting import did_you_mean
from cds_service.facts import BeforeBirthError, FactReader, PatientFacts
from cds_service.fhir.client import FhirClient
from cds_service.fhir.errors import ServerRefused
from cds_service.fhir.network import checked_base
from cds_service.fhir.read_result import ReadResult
from cds_service.fhir.smart import NoAccessToken
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge
from cds_service.plots import Timeline
from cds_service.plots.timeline import timeline_of
from cds_service.protocol import (
    BodyLimits,
    CdsResponse,
    Client,
    HookCall,
    PreconditionFailed,
    ProtocolError,
    Service,
    ServiceRegistry,
    read_call,
    resolve,
)
from cds_service.releases import chosen_path
from cds_service.settings import load_settings
from hooks import DEFINITIONS, AnsweredCall, Engine, as_service
from hooks.gather import FhirAccess

_Result = TypeVar("_Result")

NOT_OBTAINABLE = 3
"""Exit code when the data for a decision could not be obtained."""

OPERATOR = Client(name="command line", any_fhir_server=True, allow_private_addresses=True)
"""Whoever types a FHIR server's address on this machine may ask that server."""

NO_LIMITS = BodyLimits(**dict.fromkeys(BodyLimits.__dataclass_fields__, sys.maxsize))
"""A chart of any size: whoever asks here waits as long as it takes."""


class NotObtainableError(click.ClickException):
    """The FHIR server did not give what is needed; the message says what and why."""

    exit_code = NOT_OBTAINABLE


@dataclass(frozen=True)
class LocalAnswer:
    """The cards of one call and the decision document behind them."""

    response: CdsResponse
    document: Mapping[str, Any]


@dataclass
class LocalServices:
    """All services, answering for one day. `deadline_seconds` bounds the reading from FHIR.

    Of a day in the past only what was known then is used.

    `knowledge` is the release to answer with, by default the one that the settings name.
    """

    day: date
    deadline_seconds: float
    knowledge: Knowledge | None = field(default=None, repr=False)
    _kept: list[AnsweredCall] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        settings = load_settings(environment="development")
        self.today = clinic_day()
        local = (settings.local_codes_file, settings.concept_maps)
        if self.knowledge is None:
            knowledge = load_release(chosen_path(settings), *local)
        else:
            knowledge = self.knowledge.with_local(*local)
        engine = Engine(
            knowledge,
            FactReader(knowledge, settings.zone),
            lambda: self.day,
            self._kept.append,
            lambda _: None,
            FhirAccess(self.deadline_seconds, allow_private=True),
            settings.jurisdiction,
            settings.max_cards,
            calendar_day=self.today,
        )
        self._engine = engine
        self._registry = ServiceRegistry(as_service(item, engine) for item in DEFINITIONS)

    def find(self, wanted: str) -> Service:
        """The service with that hook or id. Raises click.UsageError."""
        for service in self._registry.services:
            if wanted in (service.id, service.hook):
                return service
        hooks = [service.hook for service in self._registry.services]
        near = did_you_mean(wanted, hooks)
        raise click.UsageError(f"there is no hook {wanted!r}; there are {', '.join(hooks)}.{near}")

    def rules(self) -> frozenset[str]:
        """The ids of all rows of the release that answers."""
        tables = self._engine.knowledge.all_tables()
        return frozenset(row.identifier for table in tables for row in table)

    def described(self, service: Service) -> dict[str, Any]:
        """The service as discovery describes it."""
        templates = {item.key: item.template for item in service.prefetch}
        return {"id": service.id, "hook": service.hook, "prefetch": templates}

    def answer(self, service: Service, body: Mapping[str, Any]) -> LocalAnswer:
        """The answer to one call, read from JSON text as from the wire.

        Raises NotObtainableError when required data are missing, click.UsageError for a call that
        the protocol forbids.
        """
        response = self._called(service, body, service.handler)
        return LocalAnswer(response, self._kept.pop().document)

    def _called(
        self, service: Service, body: Mapping[str, Any], work: Callable[[HookCall], _Result]
    ) -> _Result:
        try:
            text = json.dumps(body).encode()
            call = read_call(text, service.id, self._registry, client=OPERATOR, limits=NO_LIMITS)
            return work(call)
        except PreconditionFailed as error:
            raise NotObtainableError(error.diagnostics) from None
        except BeforeBirthError as error:
            raise _not_a_day_of(error) from None
        except ProtocolError as error:
            places = ", ".join(error.expression)
            raise click.UsageError(f"{error.diagnostics} ({places})") from None

    def answer_from_server(
        self,
        service: Service,
        fhir_server: str,
        patient_id: str,
        *,
        access: Callable[[], str | None] = lambda: None,
        draft_orders: Mapping[str, Any] | None = None,
    ) -> LocalAnswer:
        """The answer for a patient of a FHIR server. Raises NotObtainableError in one sentence.

        `access` gives the access token, None for a server that needs none.
        """

        def answered(body: Mapping[str, Any]) -> LocalAnswer:
            return self.answer(service, body)

        return self._from_server(service, fhir_server, patient_id, access, draft_orders, answered)

    def facts_from_server(
        self,
        fhir_server: str,
        patient_id: str,
        *,
        access: Callable[[], str | None] = lambda: None,
    ) -> PatientFacts:
        """The facts that are read when the chart of a patient is opened.

        Reads with the same queries as the service. Raises NotObtainableError in one sentence.
        """
        service = self.find("patient-view")

        def facts(body: Mapping[str, Any]) -> PatientFacts:
            return self._called(service, body, read)

        def read(call: HookCall) -> PatientFacts:
            supplied = self._engine.gathered(call, service.prefetch)
            return self._engine.reader.read(supplied, self.day)[0]

        return self._from_server(service, fhir_server, patient_id, access, None, facts)

    def facts_of_chart(self, patient_id: str, chart: ReadResult) -> PatientFacts:
        """The facts of a patient whose whole chart was read from a file.

        Raises click.UsageError for a day before the patient's birth.
        """
        try:
            return chart_facts(self._engine.reader, patient_id, chart, self.day, self.today)
        except BeforeBirthError as error:
            raise _not_a_day_of(error) from None

    def timeline(self, facts: PatientFacts) -> Timeline:
        """What a timeline of these facts shows, with the tests that are due when the chart is
        opened."""
        engine = self._engine
        question = Question("patient-view", jurisdiction=engine.jurisdiction)
        decision = decide(facts, question, engine.knowledge, self.day).whole()
        return timeline_of(facts, decision, engine.knowledge)

    def _from_server(
        self,
        service: Service,
        fhir_server: str,
        patient_id: str,
        access: Callable[[], str | None],
        draft_orders: Mapping[str, Any] | None,
        work: Callable[[Mapping[str, Any]], _Result],
    ) -> _Result:
        try:
            base_url = checked_base(fhir_server, allow_private=True)
        except ServerRefused as error:
            raise click.UsageError(f"--fhir-server: {error}") from None
        body = {
            "hook": service.hook,
            "hookInstance": str(uuid4()),
            "fhirServer": base_url,
            "context": server_context(service.hook, patient_id, draft_orders),
        }
        try:
            token = access()
        except NoAccessToken as error:
            raise NotObtainableError(f"{error}.") from None
        if token is not None:
            body["fhirAuthorization"] = {"access_token": token, "token_type": "Bearer"}
        try:
            return work(body)
        except NotObtainableError:
            why = self._why(service, base_url, patient_id, token)
            raise NotObtainableError(
                f"The FHIR server did not give what is needed: {why}."
            ) from None

    def _why(self, service: Service, base_url: str, patient_id: str, token: str | None) -> str:
        """Ask for the required data once more to say what became of each."""
        client = FhirClient(
            base_url, token, deadline_seconds=self.deadline_seconds, allow_private=True
        )
        queries: dict[str, str] = {}
        for template in service.prefetch:
            query = resolve(template, {"patientId": patient_id})
            if template.required and query is not None:
                queries[template.key] = query
        said = []
        for key, result in client.fetch(queries).items():
            if result.problem is not None:
                status = f" (HTTP {result.problem.status})" if result.problem.status else ""
                said.append(f"{key}: {result.problem.kind.value}{status}")
        return "; ".join(said) or "it answered incompletely a moment ago"


def _not_a_day_of(error: BeforeBirthError) -> click.UsageError:
    return click.UsageError(f"--as-of: {error}")


_OF_AN_EHR = {"encounter-start": "patient-view", "order-dispatch": "order-sign"}
"""Hooks about an encounter or a signed order of the EHR, with the hook that says the same."""


def server_context(
    hook: str, patient_id: str, draft_orders: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The context of a call made by an operator. Raises click.UsageError without the orders that
    the hook is about."""
    if hook in _OF_AN_EHR:
        raise click.UsageError(f"{hook} is a moment that only an EHR has: ask {_OF_AN_EHR[hook]}")
    context: dict[str, Any] = {"patientId": patient_id, "userId": "Practitioner/operator"}
    member = {
        "order-select": "draftOrders",
        "order-sign": "draftOrders",
        "medication-prescribe": "medications",
        "medication-refill": "medications",
    }.get(hook)
    if member is None:
        return context
    if draft_orders is None:
        raise click.UsageError(f"{hook} is about draft orders: give them with --draft-orders FILE")
    context[member] = draft_orders
    if hook == "order-select":
        entries = draft_orders.get("entry", ())
        drafts = [entry["resource"] for entry in entries]
        context["selections"] = [f"{item['resourceType']}/{item['id']}" for item in drafts]
    return context
