"""A threshold of a rule as a number in the unit of what it is compared with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds_service.facts.patient import since
from cds_service.rules import Series
from cds_service.rules.measuring import Threshold
from cds_service.rules.syntax import X_UPPER_LIMIT


def level_of(threshold: Threshold, series: Series, first_dose: date | None) -> Decimal | None:
    """The level in the unit of the series.

    None for a multiple of each result's own upper limit, for one of a baseline that is not known,
    and for an empty series. `first_dose` is the day before which a baseline lies, None for the
    baseline of the series itself.
    """
    if threshold.amount.unit == X_UPPER_LIMIT or not series.measurements:
        return None
    baseline = series.baseline
    if threshold.amount.by_baseline and first_dose is not None:
        baseline = since(series, first_dose).baseline
    # No limit of a result is asked for here, so any measurement answers.
    level = threshold.limit(series.measurements[0], baseline)
    return level if isinstance(level, Decimal) else None
