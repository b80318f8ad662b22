"""Reading from the EHR's FHIR server: several searches at once, under one deadline.

The access token goes to the server it was issued for and nowhere else: redirects are not
followed, and a `next` link is followed only below the same base URL. No body, token or query
appears in an error.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util.retry import Retry

from cds_service.fhir.errors import (
    AddressRefused,
    AnswerTooLarge,
    PastDeadline,
    ServerRefused,
)
from cds_service.fhir.network import (
    FhirAdapter,
    checked_base,
    is_below,
)
from cds_service.fhir.read_result import NOT_GIVEN, DropReason, ReadResult
from cds_service.fhir.reading import merged, read_resources
from cds_service.fhir.server_reasons import MOST_BYTES, server_reason
from cds_service.sockets import EndableSockets

__all__ = [
    "FetchProblem",
    "FetchResult",
    "FhirClient",
    "ProblemKind",
    "ServerRefused",
]

# urllib3 logs the query of every attempt, and a query names the patient.
for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(lambda record: False)

RETRIED_STATUSES = (429, 502, 503, 504)
_MOST_PARALLEL = 8
_CHUNK_BYTES = 65536
_FIRST_WAIT_SECONDS = 0.05
# Servers give 10 to 50 resources a page unless asked for more, and every further page is one more
# round trip before the deadline. Those that allow fewer give fewer; few allow more than 1000.
_PAGE_SIZE = 1000
_NAMES_PATIENT = frozenset({"patient", "subject", "_id"})
# How servers refuse a parameter that they do not know.
_BAD_QUERY_STATUSES = frozenset({400, 422})
# Some call it forbidden when a search lacks a parameter that they demand.
_OTHERWISE_STATUSES = _BAD_QUERY_STATUSES | {403}


class ProblemKind(StrEnum):
    """Why a search gave no answer, or not the whole answer."""

    DEADLINE = "no answer before the deadline"
    CONNECTION = "no connection"
    STATUS = "an error status"
    REDIRECT = "a redirect, which is not followed"
    NOT_FHIR = "an answer that is not FHIR JSON"
    TOO_LARGE = "an answer larger than allowed"
    TOO_MANY_PAGES = "more pages than allowed"
    CUT_SHORT = "fewer resources than the server counted"
    PAGE_LINK = "a next link that leads away from the server's base URL or cannot be read"
    ADDRESS = "an address that may not be contacted"
    QUERY = "a query that leads away from the server's base URL"


@dataclass(frozen=True, slots=True)
class FetchProblem:
    """What went wrong; `status` is the HTTP status if there was one.

    `reason` is what the server itself said, without anything that could name a person.
    """

    kind: ProblemKind
    status: int | None = None
    reason: str = ""

    @property
    def refuses_query(self) -> bool:
        """Whether the server may answer the same question when it is asked otherwise."""
        return self.kind is ProblemKind.STATUS and self.status in _OTHERWISE_STATUSES


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What was read, over all pages, and the problem that ended it early, if any."""

    read: ReadResult
    problem: FetchProblem | None = None

    @property
    def complete(self) -> bool:
        """True when the server's whole answer was read: absence then means absence."""
        return self.problem is None and self.read.complete


class _DeadlineRetry(Retry):
    """urllib3's Retry, which gives up when the next attempt would start after the deadline."""

    ends_at: float = 0.0

    def new(self, **changes: Any) -> _DeadlineRetry:
        fresh = super().new(**changes)
        fresh.ends_at = self.ends_at
        return fresh

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> _DeadlineRetry:
        fresh = super().increment(method, url, response, error, _pool, _stacktrace)
        pause = (fresh.get_retry_after(response) if response is not None else None) or 0.0
        if time.monotonic() + max(pause, fresh.get_backoff_time()) >= self.ends_at:
            raise MaxRetryError(_pool, url or "", error)
        return fresh


class FhirClient:
    """Searches one FHIR server.

    `deadline_seconds` bounds each `fetch` as a whole. `page_limit` is the most pages read per
    query. `allow_private` admits http and private addresses, for development. `agreed_warnings`
    are those that cost no result its wholeness (`Outcome.is_agreed`). Inside `waiting` nothing is
    done but wait. Raises ServerRefused for a base URL that may not be contacted.
    """

    def __init__(
        self,
        base_url: str,
        access_token: str | None = None,
        *,
        deadline_seconds: float,
        page_limit: int = 20,
        session_factory: Callable[[], requests.Session] = requests.Session,
        allow_private: bool = False,
        max_page_bytes: int = 20_000_000,
        agreed_warnings: frozenset[str] = frozenset(),
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.base_url = checked_base(base_url, allow_private=allow_private)
        self._access_token = access_token
        self._deadline_seconds = deadline_seconds
        self._page_limit = page_limit
        self._session_factory = session_factory
        self._allow_private = allow_private
        self._max_page_bytes = max_page_bytes
        self._agreed_warnings = agreed_warnings
        self._waiting = waiting

    def __repr__(self) -> str:
        credential = "with a token" if self._access_token else "without a token"
        return f"<FhirClient {credential}>"

    def deadline(self) -> float:
        """When a reading that begins now has to end; give it to each `fetch` that belongs to it."""
        return time.monotonic() + self._deadline_seconds

    def fetch(
        self, queries: Mapping[str, str], ends_at: float | None = None
    ) -> Mapping[str, FetchResult]:
        """Run all queries in parallel; each name gets a result before the deadline.

        A query is relative to the base URL, such as `Observation?patient=1` or `Patient/1`. What
        was read of it before the deadline is kept. `ends_at` is a `deadline()` that several
        calls share; without it this call has one of its own.
        """
        if not queries:
            return {}
        if ends_at is None:
            ends_at = self.deadline()
        workers = min(len(queries), _MOST_PARALLEL)
        sockets = EndableSockets()
        session = self._session(ends_at, workers, sockets)
        pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="fhir")
        pages: dict[str, list[ReadResult]] = {name: [] for name in queries}
        futures: dict[str, Future[FetchResult]] = {
            name: pool.submit(self._run, session, query, ends_at, pages[name])
            for name, query in queries.items()
        }
        with self._waiting():
            wait(futures.values(), timeout=max(0.0, ends_at - time.monotonic()))
        pool.shutdown(wait=False, cancel_futures=True)
        results = {
            name: future.result()
            if future.done() and not future.cancelled()
            # A copy: the thread may still be adding to the list.
            else _failed(list(pages[name]), ProblemKind.DEADLINE)
            for name, future in futures.items()
        }
        # Nobody waits for threads that still read; without their connections they end at once. Only
        # now: an answer that is cut off must not count as one that came whole.
        sockets.end()
        session.close()
        return results

    def _session(self, ends_at: float, pool_size: int, sockets: EndableSockets) -> requests.Session:
        session = self._session_factory()
        # No proxy, .netrc or certificate store from the environment may redirect the token.
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        retry = _DeadlineRetry(
            total=3,
            allowed_methods={"GET"},
            status_forcelist=RETRIED_STATUSES,
            backoff_factor=_FIRST_WAIT_SECONDS,
            raise_on_status=False,
        )
        retry.ends_at = ends_at
        adapter = FhirAdapter(retry, pool_size, sockets, allow_private=self._allow_private)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _run(
        self, session: requests.Session, query: str, ends_at: float, pages: list[ReadResult]
    ) -> FetchResult:
        url = f"{self.base_url}/{query.lstrip('/')}"
        if "://" in query.split("?", 1)[0] or not is_below(url, self.base_url):
            return _failed([], ProblemKind.QUERY)
        plain, url = url, _in_large_pages(url)
        while True:
            page, problem = self._page(session, url, ends_at)
            refused = problem is not None and problem.status in _BAD_QUERY_STATUSES
            if refused and not pages and url != plain:
                url = plain
                continue
            if page is not None:
                pages.append(page)
            if problem is not None:
                return FetchResult(merged(pages) if pages else NOT_GIVEN, problem)
            link = pages[-1].next_link
            if link is None:
                whole = merged(pages)
                if whole.cut_short:
                    return FetchResult(whole, FetchProblem(ProblemKind.CUT_SHORT))
                return FetchResult(whole)
            if len(pages) >= self._page_limit:
                return _failed(pages, ProblemKind.TOO_MANY_PAGES)
            following = _following(url, link)
            if following is None or not is_below(following, self.base_url):
                return _failed(pages, ProblemKind.PAGE_LINK)
            url = following

    def _page(
        self, session: requests.Session, url: str, ends_at: float
    ) -> tuple[ReadResult | None, FetchProblem | None]:
        remaining = ends_at - time.monotonic()
        if remaining <= 0:
            return None, FetchProblem(ProblemKind.DEADLINE)
        headers = {"Accept": "application/fhir+json"}
        if self._access_token:
            headers["Authorization"] = f"Bearer {self._access_token}"
        try:
            with session.get(
                url, headers=headers, timeout=remaining, allow_redirects=False, stream=True
            ) as response:
                if 300 <= response.status_code < 400:
                    return None, FetchProblem(ProblemKind.REDIRECT, response.status_code)
                if response.status_code != 200:
                    reason = self._reason(response, url, ends_at)
                    return None, FetchProblem(ProblemKind.STATUS, response.status_code, reason)
                body = self._body(response, ends_at)
        except AddressRefused:
            return None, FetchProblem(ProblemKind.ADDRESS)
        except AnswerTooLarge:
            return None, FetchProblem(ProblemKind.TOO_LARGE)
        except (PastDeadline, requests.Timeout):
            return None, FetchProblem(ProblemKind.DEADLINE)
        except (requests.RequestException, HTTPError, OSError, UnicodeError):
            late = time.monotonic() >= ends_at
            return None, FetchProblem(ProblemKind.DEADLINE if late else ProblemKind.CONNECTION)
        page = replace(read_resources(body), texts=(body,)).without_agreed(self._agreed_warnings)
        if not page.given or any(entry.why in _NO_FHIR for entry in page.dropped):
            return None, FetchProblem(ProblemKind.NOT_FHIR, 200)
        return page, None

    def _reason(self, response: requests.Response, url: str, ends_at: float) -> str:
        """What the server says about a refusal; a reason that cannot be read is none."""
        try:
            body = self._body(response, ends_at, most=MOST_BYTES)
        except (AnswerTooLarge, PastDeadline, requests.RequestException, HTTPError, OSError):
            return ""
        values = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        own = [value for name, value in values if name in _NAMES_PATIENT]
        own += urlsplit(url).path.rsplit("/", 1)[-1:] if not values else []
        return server_reason(body, tuple(unquote(value) for value in own))

    def _body(self, response: requests.Response, ends_at: float, most: int | None = None) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK_BYTES):
            size += len(chunk)
            if size > (most or self._max_page_bytes):
                raise AnswerTooLarge
            # A server that drips bytes would otherwise keep each socket wait short for ever.
            if time.monotonic() >= ends_at:
                raise PastDeadline
            chunks.append(chunk)
        return b"".join(chunks)


_NO_FHIR = frozenset({DropReason.NOT_JSON})


def _in_large_pages(url: str) -> str:
    """The address of a search with the page size asked for, unless it names one itself."""
    _, question, parameters = url.partition("?")
    if not question or any(part.startswith("_count=") for part in parameters.split("&")):
        return url
    return f"{url}&_count={_PAGE_SIZE}"


def _following(url: str, link: str) -> str | None:
    """The address of the next page; None when it cannot be read."""
    try:
        return urljoin(url, link) if link else None
    except ValueError:
        return None


def _failed(pages: list[ReadResult], kind: ProblemKind) -> FetchResult:
    return FetchResult(merged(pages) if pages else NOT_GIVEN, FetchProblem(kind))
