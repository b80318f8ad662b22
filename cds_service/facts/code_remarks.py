"""Remarks about codes: what was read by a code of the site's own, and what was not recognised.

They hold codes, never the record's words. A remark is made once however often a code occurs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.facts.context import Context, folded
from cds_service.facts.medication_orders import like_an_inhibitor
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.datatypes import CodeableConcept, Coding
from cds_service.fhir.medications import MedicationConcept
from cds_service.fhir.questionnaires import has_uncoded_questions
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import (
    AdverseEvent,
    AllergyIntolerance,
    Condition,
    DiagnosticReport,
    MedicationUse,
    Observation,
    Procedure,
    QuestionnaireResponse,
    ServiceRequest,
)

_MEDICATIONS = "medications"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/|-]{0,80}")


def remark_on_codes(context: Context) -> None:
    """Remark on local codes that are used, and on results whose name matters but not their code."""
    readings = context.book.knowledge.local.readings
    if readings:
        for concept in _concepts(context):
            for key in concept_keys(concept):
                if key in readings:
                    context.remark("codes of this site", readings[key])
    if context.book.result_names:
        _remark_on_results(context)
    if any(map(has_uncoded_questions, context.record.of_type(QuestionnaireResponse))):
        context.remark("questionnaires", "answers to questions without a code were not read")


def _concepts(context: Context) -> Iterator[CodeableConcept | None]:
    record = context.record
    for observation in record.of_type(Observation):
        yield observation.code
        yield observation.value_codeable_concept
        for component in observation.component:
            yield component.code
            yield component.value_codeable_concept
    for condition in record.of_type(Condition):
        yield condition.code
        yield condition.severity
        yield from condition.body_site
        yield from (stage.summary for stage in condition.stage)
    for report in record.of_type(DiagnosticReport):
        yield report.code
        yield from report.conclusion_code
    for event in record.of_type(AdverseEvent):
        yield from (event.event, event.code, event.severity, event.seriousness)
    for allergy in record.of_type(AllergyIntolerance):
        for reaction in allergy.reaction:
            yield from (item.said for item in reaction.manifestation)
    for procedure in record.of_type(Procedure):
        yield procedure.code
        yield from procedure.complication
    yield from (request.code for request in record.of_type(ServiceRequest))
    for use in record.of_type(MedicationUse):
        yield CodeableConcept(coding=record.medication_concept(use).all_codings)


class NamedResults(dict[str, tuple[CodedResult, ...]]):
    """Results whose name is that of an analyte and whose code nobody knows, or has looked up, by
    analyte."""

    @classmethod
    def of(cls, context: Context) -> NamedResults:
        """Those of one patient; read them with `context.once`."""
        found: dict[str, list[CodedResult]] = {}
        for analyte, result in context.record.results_called(
            lambda code: _analyte_named(context, code)
        ):
            found.setdefault(analyte, []).append(result)
        return cls({analyte: tuple(results) for analyte, results in found.items()})


def _analyte_named(context: Context, code: CodeableConcept) -> str | None:
    """The analyte that a name, or a code that nobody has looked up, stands for, unless a code
    beside it is known."""
    keys = concept_keys(code)
    if any(key in context.book.known_results for key in keys):
        return None
    for key in keys:
        if key in context.book.doubtful_results:
            return context.book.doubtful_results[key]
    texts = (code.text, *(coding.display for coding in code.coding))
    names = (context.book.result_names.get(folded(text)) for text in texts if text)
    return next((name for name in names if name is not None), None)


def _remark_on_results(context: Context) -> None:
    for analyte, results in context.once(NamedResults, NamedResults.of).items():
        for result in results:
            codings = result.source.code.coding if result.source.code is not None else ()
            what = f"a result named like {analyte} has"
            context.remark(analyte, _not_known(what, codings))


def remark_on_medication(
    context: Context, concept: MedicationConcept, found: frozenset[str]
) -> None:
    """Remark on a medication that looks like an ALK inhibitor and was not taken for one.

    `found` are the ingredients that were recognised. Beside a recognised one only a name that
    contradicts its code is remarked on.
    """
    book = context.book
    named = {name for text in concept.texts for name in book.medication_names.in_text(text)}
    if found:
        if (named - found) & book.knowledge.inhibitors:
            what = "a medication is named as one ALK inhibitor and coded as another drug"
            believed = "its code" if named & found else "neither"
            context.remark(
                _MEDICATIONS, f"{what}; {believed} was believed{shown_codes(concept.codings)}"
            )
        return
    how = like_an_inhibitor(context, concept)
    if not how:
        return
    what = f"a medication {how} like an ALK inhibitor has"
    context.remark(_MEDICATIONS, f"{_not_known(what, concept.codings)}; it was not counted as one")


def _not_known(what: str, codings: tuple[Coding, ...]) -> str:
    shown = shown_codes(codings)
    return f"{what} a code that is not known here{shown}" if shown else f"{what} no code"


def shown_codes(codings: tuple[Coding, ...]) -> str:
    """The codes in words; what does not look like a code could be a text of the record."""
    shown = [
        f"{coding.code.strip()} of {coding.system.strip()}"
        for coding in codings
        if coding.code
        and coding.system
        and _PLAIN.fullmatch(coding.code.strip())
        and _PLAIN.fullmatch(coding.system.strip())
    ]
    if shown:
        return f" ({', '.join(shown[:3])})"
    return " (it is not shown)" if codings else ""
