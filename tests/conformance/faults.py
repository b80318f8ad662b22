"""One fault for each check: what a server would have to do wrong for the check to notice."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.wrappers import Response

from tests.conformance.distortions import (
    CARD_UUID,
    Distort,
    accepts,
    broken,
    call_with,
    calling,
    context,
    crashes,
    discovering,
    echoes,
    explains,
    header,
    hides_refusals,
    in_actions,
    in_answer,
    in_card,
    in_discovery,
    in_entry,
    in_links,
    in_source,
    in_suggestions,
    in_words,
    instead,
    markup,
    only_changes,
    opened,
    outcome_entry_in,
    outcome_in,
    prefetched,
    put,
    refuses,
    reporting,
    say,
    seen_before,
    sent,
    slow,
    token,
    under_extension,
    with_template,
)


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
