"""A trial's result in one line, for the page of the decision."""

from __future__ import annotations

from cds_service.knowledge.evidence import Result, Study


def evidence_line(study: Study, result: Result) -> str:
    """One result with trial, endpoint, assessor, report, values and interval."""
    alone = list(result.values) == ["all"]
    values = " vs ".join(
        value if alone else f"{arm} {value}" for arm, value in result.values.items()
    )
    unit = {"months": " months", "per cent": " %"}.get(result.unit, "") if values else ""
    text = f"{study.name}, {result.endpoint}"
    if result.assessor in ("investigator", "independent review"):
        text += f" ({result.assessor}, {result.report})"
    else:
        text += f" ({result.report})"
    if values:
        text += f": {values}{unit}"
    comparison = result.comparison
    if comparison is not None:
        interval = comparison.interval
        bounds = f" ({interval.low} to {interval.high})" if interval is not None else ""
        text += f", {comparison.measure} {comparison.value}{bounds}"
    if result.not_significant:
        text += ", difference not significant"
    if not result.verified:
        text += " (not verified)"
    return text
