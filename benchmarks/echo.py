"""What the service is compared with: Flask applications that answer without deciding anything."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request

_CARDS = orjson.dumps(
    {
        "cards": [
            {
                "uuid": f"00000000-0000-4000-8000-00000000000{number}",
                "summary": f"Static card {number} of an application that decides nothing",
                "detail": "The same text for every patient.",
                "indicator": "info",
                "source": {"label": "Benchmark"},
            }
            for number in (1, 2, 3)
        ]
    }
)


def parsing() -> Flask:
    """An application that parses the whole body with orjson and sends three fixed cards."""
    app = Flask("parsing_echo")

    @app.post("/cds-services/<service_id>")
    def answer(service_id: str) -> Response:
        del service_id
        orjson.loads(request.get_data())
        return Response(_CARDS, mimetype="application/json")

    return app


def receiving() -> Flask:
    """An application that only receives the body and sends three fixed cards."""
    app = Flask("receiving_echo")

    @app.post("/cds-services/<service_id>")
    def answer(service_id: str) -> Response:
        del service_id
        request.get_data()
        return Response(_CARDS, mimetype="application/json")

    return app
