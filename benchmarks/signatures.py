"""What it costs to check who calls, which the development mode of the other measurements leaves
out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.protocol import ClientProfile, JwtAuthenticator

AUDIENCE = "http://localhost/cds-services/alk-order-sign"
ISSUER = "https://ehr.example.org"


def signed_checks(algorithm: str, count: int) -> list[Callable[[], object]]:
    """`count` checks of different tokens of one client, signed with ES384 or RS384."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm == "ES384":
        key = ec.generate_private_key(ec.SECP384R1())
        public = ECAlgorithm.to_jwk(key.public_key())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = RSAAlgorithm.to_jwk(key.public_key())
    profile = ClientProfile(
        name="benchmark", iss=ISSUER, jwks={"keys": [{**json.loads(public), "kid": "one"}]}
    )
    authenticator = JwtAuthenticator([profile])
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600}
    tokens = [
        jwt.encode(
            {**claims, "jti": str(uuid4())},
            key,
            algorithm,
            headers={"kid": "one", "typ": "JWT"},
        )
        for _ in range(count)
    ]
    return [_check(authenticator, f"Bearer {token}") for token in tokens]


def _check(authenticator: JwtAuthenticator, header: str) -> Callable[[], object]:
    return lambda: authenticator.authenticate(header, [AUDIENCE])
