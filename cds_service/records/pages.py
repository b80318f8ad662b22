"""What the page of a decision shows, sealed with the secret that signs the links to it.

The page quotes the chart: values as sent, texts, ids of resources. In the database it can be read
by nobody who has not that secret, and it is emptied when no link opens it any more.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"alk-cds: pages of decisions"
_LEVEL = 1
"""The text repeats itself so much that the quickest level takes nine tenths away."""


class Pages:
    """Seals and opens. Safe to share between threads and to carry through a fork."""

    def __init__(self, secret: str) -> None:
        """The key is made of the secret for this purpose alone."""
        key = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, document: str) -> str:
        """The text of a document so that only this secret opens it."""
        return self._fernet.encrypt(zlib.compress(document.encode(), _LEVEL)).decode("ascii")

    def open(self, sealed: str) -> Mapping[str, Any] | None:
        """The document; None when it was sealed with another secret, or was changed."""
        try:
            found = orjson.loads(zlib.decompress(self._fernet.decrypt(sealed)))
        except InvalidToken:
            return None
        return found if isinstance(found, dict) else None
