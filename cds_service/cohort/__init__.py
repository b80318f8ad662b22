"""Deciding for many patients at once, from files, with the same algorithm as a hook call."""

from __future__ import annotations

from cds_service.cohort.charts import Chart, CohortFileError, read_charts
from cds_service.cohort.run import PatientResult, Setup, run_cohort

__all__ = ["Chart", "CohortFileError", "PatientResult", "Setup", "read_charts", "run_cohort"]
