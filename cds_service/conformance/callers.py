"""Checks of who is let in (S2 "Trusting CDS Clients", R-160 to R-175; N-01 to N-07).

All but the first need a key that the service trusts, because a refusal proves nothing while a
good token is refused too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cds_service.conformance import samples
from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.exchange import Answer
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Asked, Subject
from cds_service.conformance.tokens import Signer

CHECKS = Register()

_HOUR = 3600


def _knock(subject: Subject, item: Asked, token: str | None) -> Answer:
    """The call with another Authorization header, or with none."""
    header = None if token is None else f"Bearer {token}"
    return subject.call(item.service, item.body, headers={"Authorization": header})


def _guarded(subject: Subject) -> tuple[Signer, Asked, str]:
    """A signer, a call that its tokens open, and the audience. Raises NotTestedError."""
    if subject.signer is None:
        raise NotTestedError("needs a signing key that the service trusts")
    item = subject.working[0]
    if _knock(subject, item, None).cards is not None:
        raise NotTestedError("the service lets everyone in")
    audience = subject.caller.url(item.service["id"])
    if _knock(subject, item, subject.signer.sign(audience)).cards is None:
        raise NotTestedError("the service refuses a good token too")
    return subject.signer, item, audience


def _refused(subject: Subject, item: Asked, tokens: Mapping[str, str]) -> Found:
    for what, token in tokens.items():
        found = _knock(subject, item, token)
        if not found.refused:
            yield f"{item.service['id']}: {what} was answered with {found.status}"
        elif found.status not in {401, 403}:
            yield Problem(f"{item.service['id']}: {what} is {found.status}, not 401", "ours")


def _claim(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


@CHECKS.check("token-needed", "R-160", "R-162", "N-01", "D-09", strength="SHOULD")
def token_needed(subject: Subject) -> Found:
    """A caller without a token is refused."""
    for service in subject.services:
        body = samples.request_for(service)
        found = subject.call(service, body, headers={"Authorization": None})
        if found.status != 401:
            yield f"{service['id']}: a call without a token was answered with {found.status}"


@CHECKS.check("token-is-one-jwt", "R-162", "N-01", strength="robust")
def token_is_one_jwt(subject: Subject) -> Found:
    """Another scheme, an empty token and a text that is no token are refused."""
    signer, item, audience = _guarded(subject)
    good = signer.sign(audience)
    for what, header in {
        "Basic": "Basic a2l0OmtpdA==",
        "an empty token": "Bearer ",
        "a text": "Bearer conformance-kit",
        "two tokens": f"Bearer {good}, Bearer {good}",
    }.items():
        found = subject.call(item.service, item.body, headers={"Authorization": header})
        if not found.refused:
            yield f"{item.service['id']}: {what} was answered with {found.status}"


@CHECKS.check("token-unsigned", "R-166", "N-02")
def token_unsigned(subject: Subject) -> Found:
    """A token without a signature is refused, however that is spelt."""
    signer, item, audience = _guarded(subject)
    spellings = ("none", "None", "nOnE")
    tokens = {f"alg {name}": signer.unsigned(audience, name) for name in spellings}
    yield from _refused(subject, item, tokens)


@CHECKS.check("token-symmetric", "R-167", "R-168", "N-02")
def token_symmetric(subject: Subject) -> Found:
    """A token signed with the public key as a shared secret is refused."""
    signer, item, audience = _guarded(subject)
    yield from _refused(subject, item, {"HS256": signer.hmac_signed(audience)})


@CHECKS.check("token-forged", "R-171", "N-03", strength="robust")
def token_forged(subject: Subject) -> Found:
    """A signature of another key, a changed claim and an unknown key are refused."""
    signer, item, audience = _guarded(subject)
    tokens = {
        "a signature of another key": signer.stranger().sign(audience),
        "a claim changed after signing": signer.tampered(audience),
        "an unknown key id": signer.sign(audience, header={"kid": "conformance-kit-unknown"}),
    }
    yield from _refused(subject, item, tokens)


@CHECKS.check("token-header", "R-163", "N-03", strength="robust")
def token_header(subject: Subject) -> Found:
    """A token that does not name its key is refused."""
    signer, item, audience = _guarded(subject)
    yield from _refused(subject, item, {"no key id": signer.sign(audience, header={"kid": None})})


@CHECKS.check("token-claims", "R-164", "N-04", strength="robust")
def token_claims(subject: Subject) -> Found:
    """A token that lacks a required claim, or has one of a wrong type, is refused."""
    signer, item, audience = _guarded(subject)
    tokens = {
        f"no {name}": signer.sign(audience, **_claim(name, None))
        for name in ("iss", "exp", "iat", "jti")
    }
    tokens |= {
        f"{name} of a wrong type": signer.sign(audience, **_claim(name, ["x"]))
        for name in ("iss", "exp", "iat", "jti")
    }
    tokens["no aud"] = signer.sign(None)
    yield from _refused(subject, item, tokens)


@CHECKS.check("token-times", "R-174", "N-04", strength="robust")
def token_times(subject: Subject) -> Found:
    """A token that expired, or is not valid yet, is refused."""
    signer, item, audience = _guarded(subject)
    now = int(time.time())
    tokens = {
        "an expired token": signer.sign(audience, iat=now - 2 * _HOUR, exp=now - _HOUR),
        "a token not valid yet": signer.sign(audience, nbf=now + _HOUR, exp=now + 2 * _HOUR),
    }
    yield from _refused(subject, item, tokens)
    for what, token in {
        "a token from the future": signer.sign(audience, iat=now + _HOUR, exp=now + 2 * _HOUR),
        "a token that lives for a year": signer.sign(audience, exp=now + 365 * 24 * _HOUR),
    }.items():
        if not _knock(subject, item, token).refused:
            yield Problem(f"{item.service['id']}: {what} was accepted", "ours")


@CHECKS.check("token-audience", "R-165", "R-26", "N-05", strength="robust")
def token_audience(subject: Subject) -> Found:
    """A token made for another address is refused."""
    signer, item, audience = _guarded(subject)
    tokens = {
        "a token for another service": signer.sign(subject.caller.url("conformance-kit-other")),
        "a token for discovery": signer.sign(subject.caller.url()),
        "a token for another host": signer.sign("https://conformance-kit.invalid/cds-services"),
        "a token for nobody": signer.sign([]),
    }
    yield from _refused(subject, item, tokens)
    several = signer.sign(["https://conformance-kit.invalid", audience])
    if _knock(subject, item, several).cards is None:
        text = f"{item.service['id']}: a token for several addresses, this one too, was refused"
        yield Problem(text, "SHOULD")


@CHECKS.check("token-replay", "R-173", "N-06", strength="ours")
def token_replay(subject: Subject) -> Found:
    """A token is good for one call."""
    signer, item, audience = _guarded(subject)
    token = signer.sign(audience)
    if _knock(subject, item, token).cards is None:
        yield f"{item.service['id']}: a fresh token was refused"
    if any(_knock(subject, item, token).cards is not None for _ in range(4)):
        yield f"{item.service['id']}: a token was accepted again"


@CHECKS.check("token-issuer", "R-169", "N-07", strength="robust")
def token_issuer(subject: Subject) -> Found:
    """An issuer that nobody knows is refused, whatever address of keys it names."""
    signer, item, audience = _guarded(subject)
    iss, jku = "https://conformance-kit.invalid", {"jku": "https://conformance-kit.invalid/keys"}
    tokens = {
        "an unknown issuer": signer.sign(audience, iss=iss),
        "an unknown issuer with its keys": signer.stranger().sign(audience, header=jku, iss=iss),
    }
    yield from _refused(subject, item, tokens)


@CHECKS.check("unauthorized-is-bare", "R-172", "D-09", "R-162", strength="ours")
def unauthorized_is_bare(subject: Subject) -> Found:
    """A 401 names the scheme and no reason, the same for every fault."""
    signer, item, audience = _guarded(subject)
    tokens = (None, signer.stranger().sign(audience), signer.sign(audience, jti=None))
    answers = [_knock(subject, item, token) for token in tokens]
    refusals = [answer for answer in answers if answer.status == 401]
    if any(
        "bearer" not in answer.headers.get("WWW-Authenticate", "").lower() for answer in refusals
    ):
        yield f"{item.service['id']}: a 401 does not ask for a Bearer token"
    if len({answer.body for answer in refusals}) > 1:
        yield f"{item.service['id']}: a 401 tells one fault from another"


@CHECKS.check("discovery-token", "R-26", "R-13", "C-24", strength="robust")
def discovery_token(subject: Subject) -> Found:
    """Discovery, where it is guarded, takes a token made for it and no other."""
    signer, item, _ = _guarded(subject)
    if subject.caller.get(headers={"Authorization": None}).status == 200:
        raise NotTestedError("discovery is open to everyone")
    other = signer.sign(subject.caller.url(item.service["id"]))
    if subject.caller.get(headers={"Authorization": f"Bearer {other}"}).status == 200:
        yield "discovery takes a token that was made for a service"
