"""Deciding for many patients at once, from files, with the same algorithm as a hook call."""

from __future__ import annotations

from cds_service.cohort.charts import Chart, CohortFileError, read_charts
from cds_service.cohort.run import (
    PatientResult,
    Setup,
    chart_facts,
    chart_patients,
    run_cohort,
)

__all__ = [
    "Chart",
    "CohortFileError",
    "PatientResult",
    "Setup",
    "chart_facts",
    "chart_patients",
    "read_charts",
    "run_cohort",
]
