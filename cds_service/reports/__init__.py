"""What became of the cards, for the people who look after the service."""

from cds_service.reports.feedback import GROUPINGS, FeedbackLine, feedback_lines
from cds_service.reports.rows import ROW_NAMES, feedback_rows
from cds_service.reports.shadow import ShadowLine, shadow_lines

__all__ = [
    "GROUPINGS",
    "ROW_NAMES",
    "FeedbackLine",
    "ShadowLine",
    "feedback_lines",
    "feedback_rows",
    "shadow_lines",
]
