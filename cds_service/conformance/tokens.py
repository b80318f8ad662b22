"""Tokens for the calls of the kit: signed with a key, or given by a command of the user's.

CDS Hooks 2.0.1, "Trusting CDS Clients". The faulty tokens of the negative suite are made here
too, which is why the library's JWS layer is used: its JWT layer refuses to write some of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shlex
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

LIFE_SECONDS = 300
_COMMAND_SECONDS = 30


class NoTokenError(ValueError):
    """A key or a command that gives no token; the message says why and quotes nothing."""


class Signer:
    """Signs as a CDS client does: ES384 with a P-384 key, RS384 with an RSA key.

    ``jku`` is the address of the client's public keys, if the service expects one in the token.
    """

    def __init__(
        self,
        key: Any,
        issuer: str,
        key_id: str,
        *,
        jku: str | None = None,
        tenant: str | None = None,
    ) -> None:
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
            self.algorithm = "ES384"
        elif isinstance(key, rsa.RSAPrivateKey):
            self.algorithm = "RS384"
        else:
            raise NoTokenError("the signing key must be a private key of EC P-384 or RSA")
        self._key = key
        self.issuer = issuer
        self.key_id = key_id
        self._jku = jku
        self._tenant = tenant

    def __call__(self, audience: str) -> str:
        """A good token for one call of ``audience``."""
        return self.sign(audience)

    @property
    def public_pem(self) -> bytes:
        """The public key, which an attacker has as well."""
        public: bytes = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return public

    def stranger(self) -> Signer:
        """The same client with a key that nobody knows."""
        return Signer(ec.generate_private_key(ec.SECP384R1()), self.issuer, self.key_id)

    def claims(self, audience: Any, **changes: Any) -> dict[str, Any]:
        """The claims of a good token; None as a change leaves one out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": str(uuid4()),
            "tenant": self._tenant,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(
        self, audience: Any, *, header: Mapping[str, Any] | None = None, **changes: Any
    ) -> str:
        """A token, good unless the header or a claim is changed to be faulty."""
        wanted = {"typ": "JWT", "kid": self.key_id, "jku": self._jku, **(header or {})}
        return jwt.api_jws.encode(
            json.dumps(self.claims(audience, **changes)).encode(),
            self._key,
            algorithm=self.algorithm,
            headers={name: value for name, value in wanted.items() if value is not None},
        )

    def unsigned(self, audience: str, algorithm: str) -> str:
        """A token that says it needs no signature."""
        return compose({"alg": algorithm, "kid": self.key_id}, self.claims(audience), b"")

    def hmac_signed(self, audience: str) -> str:
        """A token signed with the public key as if it were a shared secret."""
        header, claims = {"alg": "HS256", "kid": self.key_id}, self.claims(audience)
        signed = compose(header, claims, b"").rstrip(".").encode()
        signature = hmac.new(self.public_pem, signed, hashlib.sha256).digest()
        return compose(header, claims, signature)

    def tampered(self, audience: str) -> str:
        """A token with one claim changed after it was signed."""
        _, _, signature = self.sign(audience).split(".")
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.key_id}
        claims = self.claims(audience)
        return compose(header, claims, b"").rstrip(".") + "." + signature


def compose(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    """A token from its three parts, whatever they say."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def read_key(file: Path, key_id: str | None = None) -> tuple[Any, str | None]:
    """A private key (PEM, JWK or JWK Set) and its id. Raises NoTokenError."""
    try:
        content = file.read_bytes()
    except OSError:
        raise NoTokenError("the file of the signing key cannot be read") from None
    if content.lstrip().startswith(b"{"):
        return _of_jwk(content, key_id)
    try:
        return serialization.load_pem_private_key(content, password=None), key_id
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoTokenError("the file of the signing key holds no private key") from None


def _of_jwk(content: bytes, key_id: str | None) -> tuple[Any, str | None]:
    try:
        found = json.loads(content)
        keys = found.get("keys", [found])
        wanted = [key for key in keys if "d" in key and key_id in (None, key.get("kid"))]
        if len(wanted) != 1:
            raise NoTokenError("the file must hold one private key of that id")
        algorithm = {"EC": "ES384", "RSA": "RS384"}.get(str(wanted[0].get("kty")))
        return jwt.PyJWK(wanted[0], algorithm).key, wanted[0].get("kid", key_id)
    except (ValueError, TypeError, AttributeError, KeyError, jwt.PyJWTError):
        raise NoTokenError("the file of the signing key holds no usable private JWK") from None


class TokenCommand:
    """Runs a command for each call; it gets the audience as last argument and prints a token."""

    def __init__(self, command: str) -> None:
        self._words = shlex.split(command)
        if not self._words:
            raise NoTokenError("the token command is empty")

    def __call__(self, audience: str) -> str:
        """The token that the command printed. Raises NoTokenError."""
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
                [*self._words, audience],
                capture_output=True,
                text=True,
                check=False,
                timeout=_COMMAND_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NoTokenError(f"the token command failed: {type(error).__name__}") from None
        token = done.stdout.strip()
        if done.returncode != 0 or not token or not token.isprintable() or " " in token:
            raise NoTokenError("the token command did not print one token")
        return token
