"""The CDS services: one file each, and the straight line that they share.

A new service is a new file with a `SERVICE` and one entry in `DEFINITIONS`.
"""

from __future__ import annotations

from hooks import (
    encounter_start,
    medication_prescribe,
    medication_refill,
    order_dispatch,
    order_select,
    order_sign,
    patient_view,
)
from hooks.engine import AnsweredCall, Engine
from hooks.service import ServiceDefinition, as_service

DEFINITIONS: tuple[ServiceDefinition, ...] = (
    patient_view.SERVICE,
    order_select.SERVICE,
    order_sign.SERVICE,
    medication_prescribe.SERVICE,
    medication_refill.SERVICE,
    order_dispatch.SERVICE,
    encounter_start.SERVICE,
)

__all__ = ["DEFINITIONS", "AnsweredCall", "Engine", "ServiceDefinition", "as_service"]
