"""Errors in the style of the house: what happened and what to do, for whoever looks at a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException


@dataclass(frozen=True)
class Trouble:
    """What a page says when it cannot show what was asked for."""

    status: int
    title: str
    happened: str
    advice: str


_NOT_FOUND = Trouble(
    404,
    "There is no such page",
    "Nothing of this service stands at this address.",
    "Check the address, or begin at the page about this service: it leads to all others.",
)
_METHOD = Trouble(
    405,
    "This address is not asked in this way",
    "The page exists, but not for a request of this kind.",
    "Open it as a page, or follow the API description.",
)
_FAILED = Trouble(
    500,
    "The service failed on this page",
    "That is a fault of this service, not of the address. It was noted in the service's log.",
    "Try again in a minute. If it stays so, tell the people who run this service.",
)
_KNOWN = {item.status: item for item in (_NOT_FOUND, _METHOD, _FAILED)}
_MACHINES = "/cds-services"


def error_page(error: HTTPException) -> Response | HTTPException:
    """The page of an error, or the same as data for who asks for JSON.

    At the addresses that only programs call it stays as it is.
    """
    if request.path.startswith(_MACHINES):
        return error
    status = error.code or 500
    trouble = _KNOWN.get(status) or Trouble(
        status,
        HTTPStatus(status).phrase if status in set(HTTPStatus) else "Not possible",
        "The service cannot answer this request.",
        "Go back, or begin at the page about this service.",
    )
    wanted = request.accept_mimetypes
    if wanted["application/json"] > wanted["text/html"]:
        refusal = {
            "error": trouble.title,
            "happened": trouble.happened,
            "advice": trouble.advice,
        }
        answer = Response(json.dumps(refusal), status=status, mimetype="application/json")
    else:
        body = render_template("web/trouble.html", trouble=trouble)
        answer = Response(body, status=status, mimetype="text/html")
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers.add(name, value)
    return answer
