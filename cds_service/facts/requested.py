"""Which tests are on order already."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.facts.context import Context
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import ServiceRequest


def requested_tests(
    context: Context, drafts: Iterable[ServiceRequest]
) -> frozenset[tuple[str, str]]:
    """(system, code) of tests that are already on order or in the draft orders.

    An order without a code is known by its exact text, with an empty system: some of our own
    have no code in any public system.
    """
    keys: set[tuple[str, str]] = set()
    active = (
        request
        for request in context.record.of_type(ServiceRequest)
        if status_of(request) in ("active", "draft")
    )
    for request in (*active, *drafts):
        if request.do_not_perform or request.code is None:
            continue
        coded = concept_keys(request.code)
        keys.update(coded or {("", (request.code.text or "").strip())})
    return frozenset(keys)
