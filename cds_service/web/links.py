"""Links from a card to its decision page: signed, so they cannot be guessed, and expiring."""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

_SECONDS_PER_HOUR = 3600


class LinkError(ValueError):
    """A link that does not open a page. The message never holds the token."""


class LinkInvalid(LinkError):  # noqa: N818 - the two names say what happened to the link
    """The link was not made by this service, or was changed or cut on its way."""


class LinkExpired(LinkError):  # noqa: N818
    """The link was good and is too old."""


class LinkSigner:
    """Makes and reads the tokens of links to decision pages.

    Whoever holds a link can read the page, so it works for ``lifetime_hours`` only. All workers
    must have the same ``secret``. Raises ValueError for an empty secret or a lifetime of zero.
    """

    def __init__(self, secret: str, lifetime_hours: float) -> None:
        if not secret:
            raise ValueError("the secret that signs links must not be empty")
        if lifetime_hours <= 0:
            raise ValueError("the lifetime of links must be above zero")
        self._max_age = round(lifetime_hours * _SECONDS_PER_HOUR)
        self._serializer = URLSafeTimedSerializer(
            secret,
            salt="alk-cds decision page",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def token(self, decision_id: str) -> str:
        """The token for that decision, safe to stand in a URL path."""
        return self._serializer.dumps(decision_id)

    def decision_id(self, token: str) -> str:
        """The decision that ``token`` was made for. Raises LinkExpired or LinkInvalid."""
        try:
            content = self._serializer.loads(token, max_age=self._max_age)
        except SignatureExpired:
            raise LinkExpired("the link has expired") from None
        except BadSignature:
            raise LinkInvalid("the link is not one of ours") from None
        if not isinstance(content, str):
            raise LinkInvalid("the link is not one of ours")
        return content
