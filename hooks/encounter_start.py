"""`encounter-start`: a visit or an admission begins. The same overview as on opening the chart."""

from __future__ import annotations

from hooks.patient_view import matters
from hooks.service import ServiceDefinition

SERVICE = ServiceDefinition(
    id="alk-encounter-start",
    hook="encounter-start",
    title="ALK-positive lung cancer: at the start of an encounter",
    description=(
        "The overview of alk-patient-view once at the start of a visit or an admission, for"
        " places where the chart is opened too often to be told each time."
    ),
    matters=matters,
)
