"""The algorithm itself: the sections walked for one patient on one day, and settled as a whole."""

from __future__ import annotations

from datetime import date

from cds_service.alk.availability import surely_no_concern
from cds_service.alk.case import Case
from cds_service.alk.currency import currency_notes
from cds_service.alk.decision import Decision, Question
from cds_service.alk.section import incomplete, walk
from cds_service.alk.sections import SECTIONS
from cds_service.facts.patient import PatientFacts
from cds_service.knowledge.jurisdictions import under
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Evaluation


def decide(
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    as_of: date,
    *,
    thorough: bool = False,
) -> Decision:
    """Everything the knowledge has to say about one patient on one day.

    A section that breaks is named on a recommendation that leads, and the others are answered
    (D-13). Pure: the same facts, question, knowledge and day give the same Decision. `thorough`
    only makes the traces of rules that do not hold complete; no verdict depends on it.
    """
    knowledge = under(knowledge, question.jurisdiction)
    case = Case(facts, question, knowledge, Evaluation(facts, as_of, thorough=thorough))
    failures = walk(case, SECTIONS)
    found = sorted(case.answer.found, key=lambda item: item.rank)
    if failures and _concerned(case):
        found.insert(0, incomplete(failures))
    return Decision(
        question,
        as_of,
        knowledge.release.version,
        tuple(found),
        case.answer.undecided,
        case.answer.choice,
        currency_notes(knowledge.release, as_of),
        facts.requested_tests,
        tuple(failures),
    )


def _concerned(case: Case) -> bool:
    """Whether a part that broke is anybody's concern; when that cannot be told either, it is."""
    try:
        return not surely_no_concern(case.facts, case.question, case.knowledge, case.answer.found)
    except Exception:  # noqa: BLE001 - the fault that is being reported may strike here as well
        return True
