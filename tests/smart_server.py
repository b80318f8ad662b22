"""A small authorization server for SMART Backend Services, guarding a FHIR server.

It judges the assertion as a careful server does: signature by the registered key, algorithm,
issuer, audience, lifetime, and that no `jti` comes twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask, Response, jsonify, request

from cds_service.commands.running import LocalServer

CLIENT = "cohort-runner"
Json = dict[str, Any]


def new_key(kind: str = "EC") -> Any:
    if kind == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP384R1())


def pem_of(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def jwk_of(key: Any, key_id: str) -> Json:
    kind = "ES384" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS384"
    algorithm = jwt.get_algorithm_by_name(kind)
    body: Json = json.loads(algorithm.to_jwk(key))
    return {**body, "kid": key_id, "alg": kind, "use": "sig"}


def written(folder: Path, content: bytes | Json, name: str = "key") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


class SmartServer:
    """What was asked, and how the server answers; every member may be changed by a test."""

    def __init__(self, app: Flask, key: Any, key_id: str | None = None) -> None:
        self.app = app
        self.url = ""
        self.key = key.public_key()
        self.key_id = key_id
        self.clock: Callable[[], float] = time.time
        self.lifetime: Any = 300
        self.given: list[str] = []
        self.scopes: list[str] = []
        self.shown: list[str] = []
        self.configuration: Json = {}
        self.refusal: Response | None = None
        self.answer: Json = {}
        self._used: set[str] = set()
        app.add_url_rule("/.well-known/smart-configuration", view_func=self.configured)
        app.add_url_rule("/auth/token", view_func=self.token, methods=["POST"])
        app.before_request(self.guard)

    def configured(self) -> Response:
        found = {
            "token_endpoint": f"{self.url}/auth/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "capabilities": ["client-confidential-asymmetric"],
        }
        found.update(self.configuration)
        return jsonify({name: value for name, value in found.items() if value is not None})

    def token(self) -> Response:
        if self.refusal is not None:
            return self.refusal
        problem = self._problem()
        if problem:
            return _refused("invalid_client", problem)
        token = f"access-{uuid4()}"
        self.given.append(token)
        self.scopes.append(request.form["scope"])
        body = {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime}
        return jsonify({**body, "scope": request.form["scope"], **self.answer})

    def _problem(self) -> str:
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return "grant_type"
        wanted = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        if form.get("client_assertion_type") != wanted:
            return "client_assertion_type"
        assertion = form.get("client_assertion", "")
        try:
            claims = jwt.decode(
                assertion,
                self.key,
                algorithms=["ES384", "RS384"],
                audience=f"{self.url}/auth/token",
                issuer=CLIENT,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except jwt.PyJWTError as error:
            return type(error).__name__
        header = jwt.get_unverified_header(assertion)
        if header.get("kid") != self.key_id or header.get("typ") != "JWT":
            return "header"
        if claims["sub"] != CLIENT or claims["exp"] > self.clock() + 300:
            return "claims"
        if claims["jti"] in self._used:
            return "jti"
        self._used.add(claims["jti"])
        return ""

    def guard(self) -> Response | None:
        """FHIR data only for a token that was given here."""
        if request.path.startswith(("/.well-known/", "/auth/")):
            return None
        shown = request.headers.get("Authorization", "")
        self.shown.append(shown)
        if shown.removeprefix("Bearer ") not in self.given:
            return Response(status=401)
        return None


def _refused(error: str, words: str) -> Response:
    answer = jsonify({"error": error, "error_description": words})
    answer.status_code = 400
    return answer


@contextmanager
def smart_server(app: Flask, key: Any, key_id: str | None = None) -> Iterator[SmartServer]:
    """A guarded server over the routes that the application already has."""
    guarded = SmartServer(app, key, key_id)
    server = LocalServer()
    guarded.url = server.url
    server.start(app)
    try:
        yield guarded
    finally:
        server.close()
