"""One row for each answer: what certified EHRs must be able to export about interventions.

The fields follow 45 CFR 170.315(b)(11)(ii)(C): the intervention, the action taken, the user's
feedback, user, date and location.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.records import Outcome

ROW_NAMES = (
    "intervention",
    "intervention_kind",
    "intervention_indicator",
    "release",
    "service",
    "hook",
    "shown_at",
    "action_taken",
    "accepted_suggestions",
    "feedback_code",
    "feedback_system",
    "feedback_comment",
    "user",
    "date",
    "location",
)


def feedback_rows(
    outcomes: Iterable[Outcome], *, comments: bool = False
) -> Iterator[dict[str, str]]:
    """Every answered card as text by ROW_NAMES.

    The user is the service's opaque key: the same for the same person, and nobody's name. The
    location is the operator's name for the EHR, because CDS Hooks carries no other. Comments are
    free text that may name a patient, and are left out unless asked for.
    """
    for item in outcomes:
        if item.outcome is None or item.outcome_at is None:
            continue
        yield {
            "intervention": item.rule_id,
            "intervention_kind": item.kind or "",
            "intervention_indicator": item.indicator,
            "release": item.release,
            "service": item.service_id,
            "hook": item.hook,
            "shown_at": item.shown_at.isoformat(),
            "action_taken": item.outcome,
            "accepted_suggestions": " ".join(item.suggestion_ids),
            "feedback_code": item.reason_code or "",
            "feedback_system": item.reason_system or "",
            "feedback_comment": (item.user_comment or "") if comments else "",
            "user": item.user_key or "",
            "date": item.outcome_at.isoformat(),
            "location": item.client,
        }
