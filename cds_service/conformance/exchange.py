"""Sending requests to the service under test, and reading its answers strictly.

Nothing here prints or logs what was sent or received: both may hold patient data or a token.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import requests

TokenSource = Callable[[str], str | None]
"""Gives the token for one call, from the address that is called (its audience)."""

JSON_TYPE = "application/json"

_LONGEST_PAUSE_SECONDS = 60.0
_PATIENCE = 3


class UnreachableError(Exception):
    """No answer came at all; the message names the kind of failure."""


class NotJsonError(ValueError):
    """The body is not strict JSON; the message says why, without quoting it."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. ``seconds`` is the time until the body was there."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    seconds: float

    @property
    def content(self) -> Any:
        """The JSON value of the body, or None when it is not strict JSON."""
        try:
            return strict_json(self.body)
        except NotJsonError:
            return None

    @property
    def cards(self) -> list[Any] | None:
        """The array of cards of a successful answer; None for anything else."""
        content = self.content if self.status == 200 else None
        cards = content.get("cards") if isinstance(content, dict) else None
        return cards if isinstance(cards, list) else None

    @property
    def refused(self) -> bool:
        """Whether the service said that the request cannot be taken."""
        return 400 <= self.status < 500


def strict_json(body: bytes) -> Any:
    """The value of a JSON text (RFC 8259). Raises NotJsonError.

    Python's own reader takes NaN and the last of two equal names without a word.
    """
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_unique_members
        )
    except UnicodeDecodeError:
        raise NotJsonError("it is not UTF-8") from None
    except _FaultyJsonError as error:
        raise NotJsonError(str(error)) from None
    except (ValueError, RecursionError):
        raise NotJsonError("it is not well-formed") from None


class _FaultyJsonError(Exception):
    pass


def _refuse(_: str) -> NoReturn:
    raise _FaultyJsonError("it holds NaN or Infinity")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _FaultyJsonError("a member name occurs twice in one object")
    return found


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class Caller:
    """Sends requests to addresses below one base address."""

    def __init__(
        self, base_url: str, token: TokenSource | None = None, timeout_seconds: float = 30.0
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._token: TokenSource = token if token is not None else lambda _: None
        self._timeout = timeout_seconds
        self._session = requests.Session()
        # With an authentication of its own the session reads no .netrc, which could add an
        # Authorization header that nobody asked for.
        self._session.auth = _as_it_is

    def url(self, *segments: str) -> str:
        """The address of discovery, or with segments of a service or its feedback."""
        return "/".join((self.base_url, "cds-services", *segments))

    def get(self, *segments: str, **how: Any) -> Answer:
        """GET one of the three addresses."""
        return self.send("GET", self.url(*segments), **how)

    def post(self, body: Any, *segments: str, **how: Any) -> Answer:
        """POST a JSON value, or bytes as they are, to one of the three addresses."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": JSON_TYPE, **how.pop("headers", {})}
        return self.send("POST", self.url(*segments), data=data, headers=headers, **how)

    def send(
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        audience: str | None = None,
    ) -> Answer:
        """One request. ``headers`` may replace the token; None leaves a header out. The token
        is made for ``audience``, by default the address itself.

        Redirects are shown, not followed. A service that asks to wait (429) is asked again, as
        a whole run is more than a clinician would send. Raises UnreachableError.
        """
        for remaining in reversed(range(_PATIENCE)):
            answer = self._send_once(method, url, data, headers or {}, audience or url)
            if answer.status != 429 or not remaining:
                break
            asked = answer.headers.get("Retry-After", "1")
            pause = float(asked) if asked.isascii() and asked.isdigit() else 1.0
            time.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
        return answer

    def _send_once(
        self,
        method: str,
        url: str,
        data: bytes | None,
        headers: Mapping[str, str | None],
        audience: str,
    ) -> Answer:
        sent: dict[str, str | None] = {"Accept": JSON_TYPE}
        if "Authorization" not in headers and (token := self._token(audience)) is not None:
            sent["Authorization"] = f"Bearer {token}"
        sent.update(headers)
        present = {name: value for name, value in sent.items() if value is not None}
        started = time.perf_counter()
        try:
            found = self._session.request(
                method,
                url,
                data=data,
                headers=present,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise UnreachableError(type(error).__name__) from None
        return Answer(
            found.status_code, found.headers, found.content, time.perf_counter() - started
        )
