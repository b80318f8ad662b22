"""From the resources of a chart to a decision, without the web around it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cds_service.alk import Decision, Question, decide
from cds_service.facts import Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest
from tests.facts.records import ALL, AS_OF, Json, knowledge, reader


def decided(patient: str, resources: Sequence[Json], drafts: Sequence[Json]) -> Decision:
    """The decision at the signature of the drafts, or at the opening of the chart without any."""
    entries = [{"resource": item} for item in resources]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    record = PatientRecord.build(patient, [read_resources(json.dumps(bundle).encode())], (), "")
    orders = []
    for draft in drafts:
        (view,) = read_resources(json.dumps(draft).encode()).resources
        if isinstance(view, MedicationRequest):
            orders.append((view, draft))
    facts, ordered = reader().read(Supplied(record, ALL, {}, orders), AS_OF)
    question = Question("order-sign" if ordered else "patient-view", ordered)
    return decide(facts, question, knowledge(), AS_OF)
