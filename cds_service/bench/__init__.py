"""The what-if bench: change a fictional patient or a pasted request, play a hook, see the answer.

It changes the FHIR resources of the request and then takes the way of every call, so what it shows
is what an EHR would get. Nothing pasted is stored or logged.
"""

from __future__ import annotations

from cds_service.bench.blueprint import create_bench_blueprint

__all__ = ["create_bench_blueprint"]
