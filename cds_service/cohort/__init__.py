"""Deciding for many patients at once, from files, with the same algorithm as a hook call."""

from __future__ import annotations

from cds_service.cohort.charts import Chart
from cds_service.cohort.folder import CohortFileError
from cds_service.cohort.population import Limits, OtherRunError, Population
from cds_service.cohort.run import (
    PatientResult,
    Setup,
    chart_facts,
    chart_patients,
    run_cohort,
)
from cds_service.cohort.tally import Tally

__all__ = [
    "Chart",
    "CohortFileError",
    "Limits",
    "OtherRunError",
    "PatientResult",
    "Population",
    "Setup",
    "Tally",
    "chart_facts",
    "chart_patients",
    "run_cohort",
]
