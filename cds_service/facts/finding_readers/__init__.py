"""One reader for each kind of resource that can hold a finding.

A reader is a function from a `Context` to the `Reading`s of its resources. A new kind of resource
is one file here and one name in `READERS`, whose order settles which record gives a merged finding
its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cds_service.facts.context import Context
from cds_service.facts.finding_readers import (
    adverse_event,
    allergy,
    condition,
    device,
    encounter,
    flag,
    impression,
    observation,
    procedure,
    reasons,
    report,
    telling_results,
)
from cds_service.facts.finding_readings import Reading

READERS: tuple[Callable[[Context], Iterable[Reading]], ...] = (
    condition.read,
    encounter.read,
    adverse_event.read,
    allergy.read,
    report.read,
    procedure.read,
    observation.read,
    telling_results.read,
    impression.read,
    flag.read,
    device.read,
    reasons.read,
)
