"""What a fault is made of: telling requests apart, and changing what passes.

A fault stands between the client and the right server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from tests.conformance.right_server import a_moment

Json = dict[str, Any]
Distort = Callable[[Request, Response], Response | None]
Test = Callable[[Request], Any]

CARD_UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


class Faulty:
    """The application with a fault in front of it."""

    def __init__(self, app: Any, distort: Distort) -> None:
        self._app = app
        self._distort = distort

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        response = Response.from_app(self._app, environ)
        environ["wsgi.input"] = BytesIO(body)
        distorted = self._distort(Request(environ), response)
        return (response if distorted is None else distorted)(environ, start)


# -- telling requests apart ---------------------------------------------------------------------


def discovering(request: Request) -> bool:
    return request.path == "/cds-services" and request.method == "GET"


def calling(request: Request) -> bool:
    return (
        request.method == "POST"
        and request.path.startswith("/cds-services/")
        and "feedback" not in request.path
    )


def reporting(request: Request) -> bool:
    return request.path.endswith("/feedback")


def sent(request: Request) -> Json:
    try:
        content = json.loads(request.get_data(cache=True))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def prefetched(request: Request) -> Json:
    found = sent(request).get("prefetch")
    return found if isinstance(found, dict) else {}


def context(request: Request) -> Json:
    found = sent(request).get("context")
    return found if isinstance(found, dict) else {}


def token(request: Request, part: int) -> Json:
    """The header (0) or the claims (1) of the token, unverified."""
    words = request.headers.get("Authorization", "").removeprefix("Bearer ").split(".")
    if len(words) != 3:
        return {}
    padded = words[part] + "=" * (-len(words[part]) % 4)
    return dict(json.loads(base64.urlsafe_b64decode(padded)))


def broken(request: Request) -> bool:
    try:
        return not isinstance(json.loads(request.get_data(cache=True)), dict)
    except ValueError:
        return True


# -- faults -------------------------------------------------------------------------------------


def say(status: int, content: Any = None) -> Response:
    text = "" if content is None else json.dumps(content)
    return Response(text, status=status, content_type="application/json")


def instead(test: Test, response: Callable[[], Response]) -> Distort:
    return lambda request, _: response() if test(request) else None


def accepts(test: Test) -> Distort:
    """What must be refused is answered as if nothing were wrong."""
    return instead(test, lambda: say(200, {"cards": []}))


def crashes(test: Test) -> Distort:
    return instead(test, lambda: say(500, {"resourceType": "OperationOutcome"}))


def refuses(test: Test) -> Distort:
    return instead(test, lambda: say(400, {"resourceType": "OperationOutcome"}))


def rewrites(test: Test, change: Callable[[Json], object]) -> Distort:
    """Changes the JSON of a successful answer."""

    def distort(request: Request, response: Response) -> None:
        if response.status_code == 200 and test(request):
            content = json.loads(response.get_data())
            change(content)
            response.set_data(json.dumps(content))

    return distort


def in_discovery(change: Callable[[Json], object]) -> Distort:
    return rewrites(discovering, change)


def in_entry(**members: Any) -> Distort:
    """Sets members of the first service; Ellipsis takes one away."""
    return in_discovery(lambda content: put(content["services"][0], members))


def with_template(text: str) -> Distort:
    return in_discovery(lambda content: content["services"][0]["prefetch"].update(extra=text))


def in_answer(change: Callable[[Json], object]) -> Distort:
    return rewrites(calling, change)


def put(target: Json, members: Json) -> None:
    for name, value in members.items():
        if value is ...:
            target.pop(name, None)
        else:
            target[name] = value


def in_card(**members: Any) -> Distort:
    return in_answer(lambda content: [put(card, members) for card in content["cards"]])


def in_source(**members: Any) -> Distort:
    return in_answer(lambda content: [put(card["source"], members) for card in content["cards"]])


def in_links(**members: Any) -> Distort:
    return in_answer(
        lambda content: [put(link, members) for card in content["cards"] for link in card["links"]]
    )


def _suggestions(content: Json) -> list[Json]:
    return [item for card in content["cards"] for item in card["suggestions"]]


def in_suggestions(**members: Any) -> Distort:
    return in_answer(lambda content: [put(item, members) for item in _suggestions(content)])


def in_actions(kind: str, **members: Any) -> Distort:
    return in_answer(
        lambda content: [
            put(action, members)
            for item in _suggestions(content)
            for action in item["actions"]
            if kind in ("any", action["type"])
        ]
    )


def header(test: Test, name: str, value: str | None) -> Distort:
    def distort(request: Request, response: Response) -> None:
        if test(request):
            response.headers.pop(name, None)
            if value is not None:
                response.headers[name] = value

    return distort


def only_changes(content: Json) -> None:
    for item in _suggestions(content):
        for action in item["actions"]:
            if action["type"] == "update":
                resource = action["resource"]
                action["resource"] = {
                    name: resource[name] for name in ("resourceType", "id", "note")
                }


def under_extension(content: Json) -> None:
    content["extension"] = {"systemActions": content.pop("systemActions")}


def markup(request: Request, response: Response) -> None:
    if calling(request) and b"<script" in request.get_data(cache=True):
        in_card(detail="For <script>alert(1)</script>")(request, response)


def seen_before(key: Callable[[Request], Any], distort: Distort) -> Distort:
    """The fault shows from the second time on that the request has the same key."""
    seen: set[str] = set()

    def again(request: Request, response: Response) -> Response | None:
        value = key(request) if calling(request) else None
        if not isinstance(value, str):
            return None
        if value in seen:
            return distort(request, response)
        seen.add(value)
        return None

    return again


def echoes(request: Request, response: Response) -> Response | None:
    if response.status_code == 400:
        return Response(request.get_data(cache=True), 400, content_type="application/json")
    return None


def explains(request: Request, response: Response) -> None:
    if response.status_code == 401:
        response.set_data(f"wrong: {sorted(token(request, 1))} {request.headers}")


def slow(request: Request, response: Response) -> None:
    if calling(request):
        a_moment()


def hides_refusals(request: Request, response: Response) -> None:
    if response.status_code >= 400:
        response.headers.pop("Access-Control-Allow-Origin", None)


def in_words(request: Request, response: Response) -> Response | None:
    if 400 <= response.status_code < 500 and response.status_code != 401:
        return Response("no", response.status_code, content_type="text/plain")
    return None


def opened(test: Test) -> Distort:
    """Lets a token in that must be refused, for one fault that the test sees."""

    def distort(request: Request, response: Response) -> Response | None:
        if response.status_code == 401 and test(request):
            return say(200, {"cards": [], "services": []})
        return None

    return distort


def outcome_in(value: Any) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"


def outcome_entry_in(value: Any) -> bool:
    entries = value.get("entry", []) if isinstance(value, dict) else []
    return any(outcome_in(entry.get("resource")) for entry in entries)


def call_with(test: Test) -> Test:
    return lambda request: calling(request) and test(request)
