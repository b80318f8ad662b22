"""One fault for each check: what a server would have to do wrong for the check to notice.

A fault stands between the client and the right server and changes what passes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where the server is reached if that is what is wrong."""

    distort: Distort = lambda _request, _response: None
    host: str = "127.0.0.1"


FAULTS: dict[str, Distort | Fault] = {
    # Transport, JSON
    "https": Fault(host="0.0.0.0"),
    "json-bodies": header(calling, "Content-Type", "text/html"),
    "no-nulls": in_card(detail=None),
    "no-empties": in_card(links=[]),
    "extension-objects": in_card(extension="text"),
    "extension-names": in_card(extension={"plain": 1}),
    "answer": instead(calling, lambda: Response(status=204)),
    "answer-has-guidance": in_answer(lambda content: content.update(cards=[])),
    "cards-are-objects": in_answer(lambda content: content.update(cards=["card"])),
    "speed": slow,
    # Discovery
    "discovery-answers": crashes(discovering),
    "discovery-services": in_discovery(lambda content: content.update(services={})),
    "service-hook": in_entry(hook=...),
    "service-description": in_entry(description=" "),
    "service-id": in_entry(id="a b"),
    "service-title": in_entry(title=...),
    "service-prefetch": in_entry(prefetch={"patient": 7}),
    "service-usage-requirements": in_entry(usageRequirements=7),
    "service-version": in_entry(version="STU2"),
    "service-hook-version": in_entry(hookVersion=7),
    "service-listed-once": in_discovery(
        lambda content: content["services"].append(content["services"][0])
    ),
    "hook-name": in_entry(hook="patient-veiw"),
    "service-at-its-id": in_entry(id="elsewhere"),
    # Prefetch templates
    "template-braces": with_template("Patient/{context.patientId}"),
    "template-tokens": with_template("Patient/{{user}}"),
    "template-fields": with_template("Medication?_id={{context.draftOrders}}"),
    "template-queries": with_template("Condition?subject.name=x"),
    "template-variables": with_template("Encounter/{{%later.id}}"),
    "template-clarity": with_template("Observation?date=ge2026&date=le2027"),
    # Cards
    "card-uuid": in_card(uuid=CARD_UUID),
    "card-summary": in_card(summary="x" * 140),
    "card-detail": in_card(detail=7),
    "card-detail-html": in_card(detail="A <b>bold</b> word"),
    "card-indicator": in_card(indicator="hard-stop"),
    "card-source": in_source(label=...),
    "source-addresses": in_source(url="/guideline"),
    "source-address-general": in_source(url="https://example.org/?id=conformance-patient"),
    "source-topic": in_source(topic={"code": "kit"}),
    "card-arrays": in_card(links="https://example.org"),
    "override-reasons": in_card(overrideReasons=[{"code": "no", "system": "urn:example"}]),
    "card-members": in_card(priority=1),
    "link-label": in_links(label=...),
    "link-address": in_links(url="/guideline"),
    "link-type": in_links(type="web"),
    "link-app-context": in_links(appContext="{}"),
    "link-autolaunch": in_links(autolaunchable="yes"),
    # Suggestions and actions
    "selection-behavior": in_card(selectionBehavior=...),
    "suggestion-label": in_suggestions(label=...),
    "suggestion-uuid": in_suggestions(uuid=CARD_UUID),
    "suggestion-recommended": in_suggestions(isRecommended="yes"),
    "suggestion-actions": in_suggestions(actions=[]),
    "action-selection-behavior": in_suggestions(actionSelectionBehavior="all"),
    "action-type": in_actions("any", type="patch"),
    "action-description": in_actions("any", description=...),
    "action-resource": in_actions("create", resource={"id": "1"}),
    "action-update-is-whole": in_answer(only_changes),
    "action-delete": in_actions("delete", resourceId="conformance-draft"),
    "action-delete-without-resource": in_actions("delete", resource="conformance-draft"),
    "action-target": in_actions("delete", resourceId="MedicationRequest/another"),
    "system-actions": in_answer(under_extension),
    "system-actions-are-no-orders": in_answer(
        lambda content: put(content["systemActions"][0], {"type": "create"})
    ),
    # Legal requests of every form
    "unknown-root-member": refuses(lambda request: "conformanceKitMember" in sent(request)),
    "unknown-context-field": refuses(lambda request: "conformanceKitField" in context(request)),
    "unknown-extension": refuses(lambda request: "extension" in sent(request)),
    "unknown-prefetch-key": refuses(lambda request: "conformanceKit" in prefetched(request)),
    "hook-instance-twice": seen_before(
        lambda request: sent(request).get("hookInstance"), refuses(calling)
    ),
    "hook-instance-odd": refuses(
        lambda request: str(sent(request).get("hookInstance")).startswith("00000000")
    ),
    "optional-null": refuses(lambda request: context(request).get("encounterId", 1) is None),
    "charset": refuses(lambda request: "charset" in request.mimetype_params),
    "prefetch-absent": crashes(call_with(lambda request: "prefetch" not in sent(request))),
    "prefetch-partial": refuses(
        call_with(lambda request: prefetched(request).keys() == {"patient"})
    ),
    "prefetch-null": crashes(lambda request: None in prefetched(request).values()),
    "prefetch-outcome": crashes(lambda request: any(map(outcome_in, prefetched(request).values()))),
    "prefetch-outcome-entry": crashes(
        lambda request: any(map(outcome_entry_in, prefetched(request).values()))
    ),
    "prefetch-other-patient": crashes(
        lambda request: b"somebody-else" in request.get_data(cache=True)
    ),
    "odd-orders": crashes(lambda request: b"a" * 200 in request.get_data(cache=True)),
    "injected-text": markup,
    # Requests that cannot be taken
    "unknown-service": accepts(lambda request: "no-such-service" in request.path),
    "wrong-hook": accepts(lambda request: sent(request).get("hook", "").startswith("org.")),
    "wrong-method": accepts(lambda request: request.method == "GET" and not discovering(request)),
    "not-json": accepts(call_with(broken)),
    "member-twice": accepts(
        lambda request: request.get_data(cache=True).startswith(b'{"hook": "patient-view", "hook"')
    ),
    "not-declared-json": accepts(lambda request: request.mimetype == "text/plain"),
    "large-body": crashes(lambda request: (request.content_length or 0) > 60_000_000),
    "required-root": accepts(call_with(lambda request: "hook" not in sent(request))),
    "required-context": accepts(
        call_with(lambda request: context(request) and "patientId" not in context(request))
    ),
    "authorization-without-server": accepts(
        lambda request: sent(request).get("fhirAuthorization") and "fhirServer" not in sent(request)
    ),
    "error-outcome": in_words,
    "error-tells-nothing": echoes,
    "slashes": instead(lambda request: request.path.endswith("/"), lambda: Response(status=308)),
    "no-store": header(calling, "Cache-Control", "max-age=60"),
    # Who is let in
    "token-needed": opened(lambda request: "Authorization" not in request.headers),
    "token-is-one-jwt": opened(
        lambda request: request.headers.get("Authorization", "").startswith("Basic")
    ),
    "token-unsigned": opened(lambda request: token(request, 0).get("alg") == "nOnE"),
    "token-symmetric": opened(lambda request: token(request, 0).get("alg") == "HS256"),
    "token-forged": opened(
        lambda request: token(request, 0).get("kid") == "conformance-kit-unknown"
    ),
    "token-header": opened(lambda request: token(request, 0) and "kid" not in token(request, 0)),
    "token-claims": opened(lambda request: token(request, 1) and "jti" not in token(request, 1)),
    "token-times": opened(lambda request: "nbf" in token(request, 1)),
    "token-audience": opened(
        lambda request: str(token(request, 1).get("aud")).endswith("conformance-kit-other")
    ),
    "token-replay": seen_before(
        lambda request: request.headers.get("Authorization"),
        lambda request, _: say(200, {"cards": []}),
    ),
    "token-issuer": opened(lambda request: str(token(request, 1).get("iss")).endswith(".invalid")),
    "unauthorized-is-bare": explains,
    "discovery-token": opened(
        lambda request: discovering(request) and "Authorization" in request.headers
    ),
    # Feedback, browsers
    "feedback": crashes(lambda request: b"userComment" in request.get_data(cache=True)),
    "feedback-of-clients-in-use": refuses(
        lambda request: b"overrideReasons" in request.get_data(cache=True)
    ),
    "feedback-faulty": crashes(
        lambda request: reporting(request) and b'outcome"' not in request.get_data(cache=True)
    ),
    "feedback-address": accepts(
        lambda request: reporting(request) and "no-such-service" in request.path
    ),
    "cors-preflight": refuses(lambda request: request.method == "OPTIONS"),
    "cors-answers": hides_refusals,
    "cors-strangers": header(lambda _: True, "Access-Control-Allow-Origin", "*"),
}
