"""A Decision as a JSON document: what the decision page shows and the record keeps.

No name, no record number and no token: values, days, references and rules only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from cds_service.alk import Decision, Kind, Option, Recommendation
from cds_service.cards.evidence_words import evidence_line
from cds_service.cards.option_lines import start_words
from cds_service.cards.plotted import plot_document
from cds_service.cards.summaries import placeholders, summary
from cds_service.cards.text import dose_words
from cds_service.facts.patient import PatientFacts
from cds_service.facts.remarks import Remark
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Reason
from cds_service.rules.recovery_words import in_words


def decision_document(
    identifier: str,
    decision: Decision,
    knowledge: Knowledge,
    cards: Mapping[str, str],
    remarks: Iterable[Remark] = (),
    not_shown_because: Mapping[str, str] | None = None,
    facts: PatientFacts | None = None,
) -> dict[str, Any]:
    """The document of a decision.

    `cards` maps a rule id to the uuid of the card that shows it, `not_shown_because` one whose
    card was kept back to the reason. `facts` are those decided on; without them the document holds
    nothing to plot.
    """
    hidden = not_shown_because or {}
    document = {
        "id": identifier,
        "as_of": decision.as_of.isoformat(),
        "release": {
            "version": knowledge.release.version,
            "date": knowledge.release.date.isoformat(),
        },
        "moment": decision.question.moment,
        "recommendations": [
            _recommendation(item, knowledge, cards, hidden) for item in decision.recommendations
        ],
        "orders": [
            {
                "ingredients": sorted(order.ingredients),
                "daily_mg": _text(order.dose.daily_mg),
            }
            for order in decision.question.orders
        ],
        "requested_tests": sorted(list(key) for key in decision.requested_tests),
        "undecided": [
            {"rule_id": rule, "trace": trace.as_document()}
            for rule, trace in decision.undecided.items()
        ],
        "notes": list(decision.notes),
        "remarks": [{"subject": item.subject, "says": item.says} for item in remarks],
    }
    if facts is not None:
        document["plot"] = plot_document(decision, facts, knowledge, cards)
    return document


def _recommendation(
    item: Recommendation,
    knowledge: Knowledge,
    cards: Mapping[str, str],
    hidden: Mapping[str, str],
) -> dict[str, Any]:
    values = dict(placeholders(item, knowledge))
    return {
        "kind": item.kind.value,
        "topic": item.topic.value,
        "rule_id": item.rule_id,
        "algorithm_ids": list(item.algorithm_ids),
        "severity": item.severity,
        "drug": item.drug,
        "summary": summary(item, knowledge),
        "detail": _filled(item.detail, values),
        "ask": item.ask,
        "verified": item.verified,
        "level": None if item.row is None else item.row.level,
        "sources": list(item.sources),
        "reasons": [_reason(reason) for reason in item.reasons],
        "trace": item.trace.as_document() if item.trace is not None else None,
        "until": item.until.as_document() if item.until is not None else None,
        "dose": dose_words(item.dose) or None,
        "settled": item.settled or None,
        "resume_dose": dose_words(item.resume_dose) or None,
        "recovery": _recovery(item),
        "since": item.since.isoformat() if item.since is not None else None,
        "order": item.order.reference if item.order is not None else None,
        "tests": [
            {
                "test": knowledge.tests[test.test].label,
                "status": test.status,
                "last": test.last.isoformat() if test.last is not None else None,
                "due": test.due.isoformat(),
                "because": _filled(test.because, values),
                "rule_id": test.rule_id,
                "came": [_reason(reason) for reason in test.came],
                "not_delivered": list(test.lacking),
            }
            for test in item.tests
        ],
        "options": [_option(option, knowledge) for option in item.options],
        "evidence": [evidence_line(*knowledge.result(name)) for name in item.evidence],
        "also": [_recommendation(other, knowledge, cards, hidden) for other in item.also],
        "card": cards.get(item.rule_id),
        "not_shown_because": hidden.get(item.rule_id),
        "asks": _asks(item, knowledge),
    }


def _recovery(item: Recommendation) -> str | None:
    """What a hold waits for, in the words of the rule; None for all else."""
    until = item.row.rules.get("until") if item.row is not None else None
    if until is None or item.kind is not Kind.WITHHOLD:
        return None
    return in_words(until.expression) or None


def _asks(item: Recommendation, knowledge: Knowledge) -> dict[str, Any]:
    """What was asked for, so that it can be compared with what was ordered later."""
    dose = item.dose or item.resume_dose
    drugs = [option.drug for option in item.options if not option.speaks_against]
    about = item.order.ingredients if item.order is not None else ()
    return {
        "drugs": drugs or sorted({*about, *([item.drug] if item.drug is not None else [])}),
        "daily_mg": _text(dose.daily_mg if dose is not None else None),
        "tests": [
            list(order.key) for test in item.tests for order in knowledge.tests[test.test].orders
        ],
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _reason(reason: Reason) -> dict[str, str]:
    return {"subject": reason.subject, "kind": reason.kind_name, "detail": reason.detail}


def _option(option: Option, knowledge: Knowledge) -> dict[str, Any]:
    return {
        "drug": option.drug,
        "place": option.place,
        "start": start_words(option, knowledge),
        "says": option.says,
        "modifiers": [
            {"effect": item.effect, "says": item.says, "rule_id": item.rule_id}
            for item in option.modifiers
        ],
        "evidence": [evidence_line(*knowledge.result(name)) for name in option.evidence],
        "rule_id": option.rule_id,
        "verified": option.verified,
    }
