"""Real parts for the protocol tests: keys, tokens, services and an HTTP server in a thread."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug.serving import make_server

from cds_service.protocol import (
    Card,
    CdsResponse,
    Client,
    CollapseSlashes,
    HookCall,
    PrefetchTemplate,
    Service,
    ServiceRegistry,
    Source,
    create_blueprint,
)
from cds_service.protocol.models_request import FeedbackRequest

ISSUER = "https://ehr.example.org"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


class SigningKey:
    """A client's key pair and what is published of it."""

    def __init__(self, private_key: Any, algorithm: str, kid: str, jwk_text: str) -> None:
        self.private_key = private_key
        self.algorithm = algorithm
        self.kid = kid
        self.public = {**json.loads(jwk_text), "kid": kid, "use": "sig"}

    def sign(
        self,
        audience: Any,
        *,
        headers: dict[str, Any] | None = None,
        without: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """Return a token that is good unless the arguments make it bad."""
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": audience,
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
            **claims,
        }
        for name in without:
            payload.pop(name)
        # Encoding through the JWS layer keeps claims of a wrong type, which the JWT layer of
        # the library would refuse to write.
        return jwt.api_jws.encode(
            json.dumps(payload).encode(),
            self.private_key,
            algorithm=self.algorithm,
            headers={"kid": self.kid, "typ": "JWT", **(headers or {})},
        )


@pytest.fixture(scope="session")
def ec_key() -> SigningKey:
    private = ec.generate_private_key(ec.SECP384R1())
    return SigningKey(private, "ES384", "ec+/=1", ECAlgorithm.to_jwk(private.public_key()))


@pytest.fixture(scope="session")
def other_ec_key() -> SigningKey:
    private = ec.generate_private_key(ec.SECP384R1())
    return SigningKey(private, "ES384", "ec-2", ECAlgorithm.to_jwk(private.public_key()))


@pytest.fixture(scope="session")
def rsa_key() -> SigningKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return SigningKey(private, "RS384", "rsa-1", RSAAlgorithm.to_jwk(private.public_key()))


def no_guidance(_: HookCall) -> CdsResponse:
    return CdsResponse()


@pytest.fixture
def make_service() -> Callable[..., Service]:
    def make(**changes: Any) -> Service:
        settings: dict[str, Any] = {
            "id": "greeting",
            "hook": "patient-view",
            "title": "Greeting",
            "description": "Greets the reader.",
            "handler": no_guidance,
            "prefetch": (
                PrefetchTemplate(
                    key="patient",
                    template="Patient/{{context.patientId}}",
                    required=True,
                    purpose="Who the patient is.",
                ),
            ),
        }
        return Service(**{**settings, **changes})

    return make


@pytest.fixture
def make_card() -> Callable[..., Card]:
    def make(**changes: Any) -> Card:
        settings: dict[str, Any] = {
            "summary": "A short sentence.",
            "indicator": "info",
            "source": Source(label="The tests"),
        }
        return Card(**{**settings, **changes})

    return make


CONTEXTS: dict[str, dict[str, Any]] = {
    "patient-view": {"userId": "PractitionerRole/123", "patientId": "1288992"},
    "order-select": {
        "userId": "Practitioner/abc",
        "patientId": "1288992",
        "encounterId": "89284",
        "selections": ["MedicationRequest/103"],
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "103"}}],
        },
    },
    "order-sign": {
        "userId": "Practitioner/abc",
        "patientId": "1288992",
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "103"}}],
        },
    },
    "order-dispatch": {
        "patientId": "1288992",
        "dispatchedOrders": ["ServiceRequest/proc002"],
        "performer": "Organization/some-performer",
    },
    "medication-prescribe": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "medications": {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "MedicationOrder", "id": "o1"}}],
        },
    },
    "order-review": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "orders": {"resourceType": "Bundle", "entry": []},
    },
    "medication-refill": {
        "patientId": "1288992",
        "medications": {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "104"}}],
        },
    },
    "encounter-start": {
        "userId": "PractitionerRole/A2340113",
        "patientId": "1288992",
        "encounterId": "456",
    },
    "encounter-discharge": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "encounterId": "456",
    },
    "appointment-book": {
        "userId": "PractitionerRole/A2340113",
        "patientId": "1288992",
        "appointments": {"resourceType": "Bundle", "entry": []},
    },
    "problem-list-item-create": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "conditions": {"resourceType": "Bundle", "entry": []},
    },
    "allergyintolerance-create": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "allergyIntolerance": {"resource": {"resourceType": "AllergyIntolerance"}},
    },
    "medication-verify": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "order": {"resource": {"resourceType": "MedicationRequest"}},
    },
}


@pytest.fixture
def contexts() -> dict[str, dict[str, Any]]:
    copied: dict[str, dict[str, Any]] = json.loads(json.dumps(CONTEXTS))
    return copied


@pytest.fixture
def make_request(contexts: dict[str, dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a function that builds a valid request body for a hook, with changes."""

    def make(hook: str = "patient-view", **changes: Any) -> dict[str, Any]:
        return {
            "hook": hook,
            "hookInstance": HOOK_INSTANCE,
            "context": contexts[hook],
            **changes,
        }

    return make


class OpenDoor:
    """An authenticator for tests of what comes after authentication."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client(
            name="test-ehr",
            fhir_servers=("https://ehr.example.org/fhir",),
        )

    def authenticate(self, authorization_header: str | None, audience_urls: Any) -> Client:
        return self.client


@pytest.fixture
def open_door() -> Callable[..., OpenDoor]:
    return OpenDoor


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Return a function that serves services over real HTTP and gives the base address."""
    running = []

    def start(
        *services: Service,
        authenticator: Any = None,
        public_url: str | None = None,
        feedback_sink: Callable[[str, FeedbackRequest, str], int] | None = None,
        cors_origins: tuple[str, ...] = (),
        url_prefix: str | None = None,
        **settings: Any,
    ) -> str:
        app = Flask("protocol-tests")
        app.add_url_rule("/elsewhere", "elsewhere", lambda: "a page")
        app.register_blueprint(
            create_blueprint(
                ServiceRegistry(services),
                authenticator or OpenDoor(),
                public_url=public_url,
                feedback_sink=feedback_sink or (lambda _, request, __: len(request.feedback)),
                cors_origins=cors_origins,
                **settings,
            ),
            url_prefix=url_prefix,
        )
        server = make_server("127.0.0.1", 0, CollapseSlashes(app), threaded=True)
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}{url_prefix or ''}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
