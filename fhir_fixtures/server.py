"""A small read-only FHIR R4 server over the patient stories. Not for patient data.

It exists so that a CDS client can be tried without an electronic record: reads, searches with
paging, and cross-origin requests from a browser. It never writes anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from fhir_fixtures.search import (
    PARAMETERS,
    BadSearchError,
    Resource,
    matcher,
    ordered,
    sort_key,
    values_at,
)
from fhir_fixtures.stories import REFERENCE_DATE, load_story, story_names

SERVER_NAME = (
    "Fixture FHIR server for ALK decision support (synthetic people, not for patient data)"
)
FHIR_JSON = "application/fhir+json"
DEFAULT_PAGE = 50
LARGEST_PAGE = 200
_PAGE_OFFSET = "_offset"
_JSON_FORMATS = frozenset({"json", "application/json", FHIR_JSON})
_SILENT_PARAMETERS = frozenset({"_format", "_pretty"})
_ISSUE_CODES = {400: "invalid", 404: "not-found", 405: "not-supported", 406: "not-supported"}

Pairs = list[tuple[str, str]]
Store = dict[str, dict[str, Resource]]


def create_fixture_server(
    as_of: date | None = None, allowed_origins: str | Iterable[str] = "*"
) -> Flask:
    """The Flask application serving every story as told on ``as_of`` (default: the reference day).

    ``allowed_origins`` is ``"*"`` or the origins whose browsers may read the answers.
    """
    app = Flask("fhir_fixtures")
    store = _load_store(as_of)
    origins = None if allowed_origins == "*" else _origins(allowed_origins)

    @app.before_request
    def answer_preflight() -> Response | None:
        return Response(status=204) if request.method == "OPTIONS" else None

    @app.before_request
    def refuse_other_formats() -> Response | None:
        asked = request.args.get("_format")
        if asked is not None and asked not in _JSON_FORMATS:
            return _outcome_response(406, "this server speaks JSON only")
        return None

    @app.after_request
    def allow_browsers(response: Response) -> Response:
        return _with_cors(response, origins)

    @app.errorhandler(HTTPException)
    def as_outcome(error: HTTPException) -> Response:
        status = error.code or 500
        text = "this server is read-only" if status == 405 else error.name
        response = _outcome_response(status, text)
        if "Allow" in (headers := dict(error.get_headers())):
            response.headers["Allow"] = headers["Allow"]
        return response

    @app.errorhandler(BadSearchError)
    def as_bad_request(error: BadSearchError) -> Response:
        return _outcome_response(400, str(error))

    @app.get("/")
    def about() -> Response:
        return _fhir(_outcome("information", "informational", f"{SERVER_NAME}. See metadata."))

    @app.get("/metadata")
    def metadata() -> Response:
        return _fhir(_capability_statement(as_of or REFERENCE_DATE, _base_url()))

    @app.get("/<resource_type>/<resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        if resource_type not in PARAMETERS:
            return _unsupported_type()
        found = store[resource_type].get(resource_id)
        if found is None:
            return _outcome_response(404, "no such resource")
        return _fhir(found)

    @app.get("/<resource_type>")
    def search_by_get(resource_type: str) -> Response:
        return _searched(store, resource_type, list(request.args.items(multi=True)))

    @app.post("/<resource_type>/_search")
    def search_by_post(resource_type: str) -> Response:
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        return _searched(store, resource_type, pairs)

    return app


def _load_store(as_of: date | None) -> Store:
    store: Store = {resource_type: {} for resource_type in PARAMETERS}
    for name in story_names():
        for entry in load_story(name, as_of).bundle["entry"]:
            resource = entry["resource"]
            store[resource["resourceType"]][resource["id"]] = resource
    return store


def _origins(allowed: str | Iterable[str]) -> frozenset[str]:
    return frozenset([allowed] if isinstance(allowed, str) else allowed)


def _base_url() -> str:
    return request.url_root.rstrip("/")


# Search -----------------------------------------------------------------------------------------


def _searched(store: Store, resource_type: str, pairs: Pairs) -> Response:
    if resource_type not in PARAMETERS:
        return _unsupported_type()
    known = PARAMETERS[resource_type]
    found = list(store[resource_type].values())
    understood: Pairs = []
    warnings: list[str] = []
    # Clients that let a person choose a patient show the first page, and nobody behind it.
    count, offset = LARGEST_PAGE if resource_type == "Patient" else DEFAULT_PAGE, 0
    for name, value in pairs:
        base = name.partition(":")[0]
        if name in _SILENT_PARAMETERS:
            continue
        if name == "_count":
            count = min(_whole_number(name, value), LARGEST_PAGE)
        elif name == _PAGE_OFFSET:
            offset = _whole_number(name, value)
            continue
        elif name == "_id":
            wanted = set(value.split(","))
            found = [resource for resource in found if resource["id"] in wanted]
        elif name == "_sort":
            found = _sorted(resource_type, found, value, warnings)
        elif name == "_include":
            if _include_path(resource_type, value) is None:
                warnings.append("_include: not supported, ignored")
                continue
        elif base in known:
            matches = matcher(name, known[base], value)
            found = [resource for resource in found if matches(resource)]
        else:
            warnings.append(f"unknown search parameter ignored: {base[:40]}")
            continue
        understood.append((name, value))
    page = found[offset : offset + count]
    bundle = _searchset(store, resource_type, page, understood, warnings)
    bundle["total"] = len(found)
    bundle["link"] = _links(resource_type, understood, offset, count, len(found))
    return _fhir(bundle)


def _whole_number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise BadSearchError(name, "not a whole number")
    return int(value)


def _sorted(
    resource_type: str, found: list[Resource], given: str, warnings: list[str]
) -> list[Resource]:
    # Sorting is stable, so the last name is sorted by first.
    for name in reversed(given.split(",")):
        key = sort_key(resource_type, name.removeprefix("-"))
        if key is None:
            warnings.append(f"_sort: cannot sort by {name[:40]}, ignored")
        else:
            found = ordered(found, key, descending=name.startswith("-"))
    return found


def _include_path(resource_type: str, given: str) -> str | None:
    source, _, name = given.partition(":")
    parameter = PARAMETERS[resource_type].get(name.partition(":")[0])
    if source != resource_type or parameter is None or parameter.kind != "reference":
        return None
    return parameter.paths[0]


def _searchset(
    store: Store, resource_type: str, page: list[Resource], understood: Pairs, warnings: list[str]
) -> dict[str, Any]:
    base_url = _base_url()

    def entry(resource: Resource, mode: str) -> dict[str, Any]:
        return {
            "fullUrl": f"{base_url}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": mode},
        }

    entries = [entry(resource, "match") for resource in page]
    included: dict[str, Resource] = {}
    for name, value in understood:
        path = _include_path(resource_type, value) if name == "_include" else None
        if path is None:
            continue
        for resource in page:
            for reference in values_at(resource, f"{path}.reference"):
                kind, _, target_id = str(reference).partition("/")
                target = store.get(kind, {}).get(target_id)
                # A contained target ("#...") already came with its resource.
                if target is not None:
                    included[str(reference)] = target
    entries += [entry(resource, "include") for resource in included.values()]
    if warnings:
        outcome = {
            "resourceType": "OperationOutcome",
            "issue": [_issue("warning", "not-supported", text) for text in warnings],
        }
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": 0, "link": []}
    # FHIR allows no empty arrays, so an empty page has no entry element.
    if entries:
        bundle["entry"] = entries
    return bundle


def _links(
    resource_type: str, understood: Pairs, offset: int, count: int, total: int
) -> list[dict[str, str]]:
    def url(start: int) -> str:
        pairs = understood + ([(_PAGE_OFFSET, str(start))] if start else [])
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f"{_base_url()}/{resource_type}{query}"

    links = [{"relation": "self", "url": url(offset)}]
    if count and offset + count < total:
        links.append({"relation": "next", "url": url(offset + count)})
    if count and offset:
        links.append({"relation": "previous", "url": url(max(0, offset - count))})
    return links


# Answers ----------------------------------------------------------------------------------------


def _fhir(resource: Resource, status: int = 200) -> Response:
    return Response(json.dumps(resource, ensure_ascii=False), status=status, content_type=FHIR_JSON)


def _issue(severity: str, code: str, text: str) -> dict[str, str]:
    return {"severity": severity, "code": code, "diagnostics": text}


def _outcome(severity: str, code: str, text: str) -> Resource:
    return {"resourceType": "OperationOutcome", "issue": [_issue(severity, code, text)]}


def _outcome_response(status: int, text: str) -> Response:
    return _fhir(_outcome("error", _ISSUE_CODES.get(status, "exception"), text), status)


def _unsupported_type() -> Response:
    return _fhir(_outcome("error", "not-supported", "resource type not served here"), 404)


def _with_cors(response: Response, origins: frozenset[str] | None) -> Response:
    if origins is None:
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin", "")
        if origin not in origins:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
    response.headers["Access-Control-Allow-Headers"] = request.headers.get(
        "Access-Control-Request-Headers", "Accept, Authorization, Content-Type, Prefer"
    )
    response.headers["Access-Control-Expose-Headers"] = "Content-Location, Location"
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def _capability_statement(day: date, base_url: str) -> Resource:
    resources: list[dict[str, Any]] = []
    for resource_type, parameters in PARAMETERS.items():
        described: dict[str, Any] = {
            "type": resource_type,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
        }
        includes = [
            f"{resource_type}:{name}"
            for name, parameter in parameters.items()
            if parameter.kind == "reference"
        ]
        if includes:
            described["searchInclude"] = includes
        described["searchParam"] = [
            {"name": "_id", "type": "token"},
            *({"name": name, "type": parameter.kind} for name, parameter in parameters.items()),
        ]
        resources.append(described)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": True,
        "date": day.isoformat(),
        "kind": "instance",
        "title": SERVER_NAME,
        "description": "Read-only fixture server holding invented stories. Not for patient data.",
        "software": {"name": SERVER_NAME},
        "implementation": {"description": SERVER_NAME, "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Fixture server with synthetic stories, not for patient data.",
                "security": {"cors": True},
                "resource": resources,
            }
        ],
    }
