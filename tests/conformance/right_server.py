"""A small service that does everything right, and has everything that a check can look at.

It is made of the protocol room alone, so what it says is nobody's medicine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from jwt.algorithms import ECAlgorithm
from werkzeug.serving import WSGIRequestHandler, make_server

from cds_service.conformance import Signer
from cds_service.protocol import (
    Action,
    Card,
    CdsResponse,
    ClientProfile,
    Coding,
    CollapseSlashes,
    HookCall,
    JwtAuthenticator,
    Link,
    OverrideReason,
    PreconditionFailed,
    PrefetchTemplate,
    Service,
    ServiceRegistry,
    Source,
    Suggestion,
    create_blueprint,
)

ISSUER = "https://ehr.example.org"
ORIGIN = "https://sandbox.example.org"
KEY = ec.generate_private_key(ec.SECP384R1())
KEY_ID = "test"
PREFETCH = (
    PrefetchTemplate("patient", "Patient/{{context.patientId}}", True, "Who it is."),
    PrefetchTemplate(
        "conditions", "Condition?patient={{context.patientId}}", True, "What is known."
    ),
)


def public_keys() -> dict[str, Any]:
    """The keys that the server trusts, as a JWK Set."""
    return {"keys": [{**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": KEY_ID}]}


def signer() -> Signer:
    """Signs as a client that the server knows."""
    return Signer(KEY, ISSUER, KEY_ID)


def answer(call: HookCall) -> CdsResponse:
    """One card with every kind of member; 412 while required data are lacking."""
    if not {"patient", "conditions"} <= call.prefetch.keys():
        raise PreconditionFailed("Needed: patient and conditions.", expression="prefetch")
    order = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order"}
    suggestions = [
        Suggestion(
            label="Order the test",
            is_recommended=True,
            actions=(Action(type="create", description="Order it", resource=order),),
        )
    ]
    drafts = [dict(draft) for draft in call.draft_orders]
    for draft in drafts:
        name = f"{draft['resourceType']}/{draft['id']}"
        changed = {**draft, "note": [{"text": "Changed."}]}
        suggestions += [
            Suggestion(
                label=f"Change {name}",
                actions=(Action(type="update", description="Change it", resource=changed),),
            ),
            Suggestion(
                label=f"Remove {name}",
                actions=(Action(type="delete", description="Remove it", resource_id=name),),
            ),
        ]
    topic = Coding(code="kit", system="urn:example:topics")
    card = Card(
        summary="A test is due.",
        detail="Because **nobody** ordered it.",
        indicator="warning",
        source=Source(
            label="The tests",
            url="https://example.org/guideline",
            icon="https://example.org/icon.png",
            topic=topic,
        ),
        suggestions=tuple(suggestions),
        selection_behavior="at-most-one",
        override_reasons=(OverrideReason(code="no", system="urn:example", display="Not now"),),
        links=(
            Link(label="Guideline", url="https://example.org/guideline", type="absolute"),
            Link(label="App", url="https://example.org/launch", type="smart", app_context="{}"),
        ),
    )
    note = Action(type="update", description="Add a note", resource={**order, "id": "1"})
    return CdsResponse(cards=(card,), system_actions=(note,))


def services() -> list[Service]:
    """Two services, so that a fault of one can be told from a fault of both."""
    return [
        Service(
            id=f"right-{hook}",
            hook=hook,
            title="Right",
            description="Does everything right.",
            handler=answer,
            prefetch=PREFETCH,
            usage_requirements="None.",
        )
        for hook in ("patient-view", "order-sign")
    ]


def application(public_url: str) -> Flask:
    """The right service as clients reach it at ``public_url``."""
    app = Flask("right")
    profile = ClientProfile(name="test", iss=ISSUER, jwks=public_keys(), system_actions=True)
    app.register_blueprint(
        create_blueprint(
            ServiceRegistry(services()),
            JwtAuthenticator([profile]),
            public_url=public_url,
            feedback_sink=lambda _service, request, _client: len(request.feedback),
            cors_origins=(ORIGIN,),
        )
    )
    app.wsgi_app = CollapseSlashes(app.wsgi_app)  # type: ignore[method-assign]
    return app


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - Werkzeug's name
        """Stay quiet."""


class Serving:
    """A port whose application can be changed between two calls."""

    def __init__(self, host: str, certificate: tuple[Path, Path] | None) -> None:
        self.app: WSGIApplication = Flask("nothing yet")
        context = None if certificate is None else (str(certificate[0]), str(certificate[1]))
        self._server = make_server(
            host,
            0,
            lambda environ, start: self.app(environ, start),
            threaded=True,
            request_handler=_Quiet,
            ssl_context=context,
        )
        scheme = "http" if certificate is None else "https"
        self.port = self._server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer in a thread."""
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def stop(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(
    host: str = "127.0.0.1", certificate: tuple[Path, Path] | None = None
) -> Iterator[Serving]:
    """A port of this machine, by https where a certificate and its key are given."""
    found = Serving(host, certificate)
    found.start()
    try:
        yield found
    finally:
        found.stop()


def a_moment() -> None:
    """Longer than a clinician should wait."""
    time.sleep(0.6)
