"""Morphologies that a laboratory reports in a result of its own, by the tumour they are of."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.facts.alk_status import GIVEN
from cds_service.facts.context import Context
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import CodeKey, concept_keys
from cds_service.fhir.views import Condition

OF_THE_LUNG = ""
"""Under this key stand morphologies whose result names no Condition and the lung as its site."""


def reported_morphologies(context: Context) -> Mapping[str, frozenset[CodeKey]]:
    """By key of a Condition the morphologies that were reported of it.

    Somebody may have two tumours: a result that names neither the Condition nor the lung is of
    an unknown one, and is not used.
    """
    book = context.book
    found: dict[str, frozenset[CodeKey]] = {}
    for result in context.record.observations(book.value_sets["tumour histology"]):
        observation = result.observation
        moment = context.effective(observation)
        if status_of(observation) not in GIVEN or not context.usable(moment, "histology"):
            continue
        about = [context.record.resolve(item, observation) for item in observation.focus]
        keys = [item.key for item in about if isinstance(item, Condition)]
        if not observation.focus and book.tumours.at_lung((observation.body_site,)):
            keys = [OF_THE_LUNG]
        if not keys:
            context.remark("histology", "a histology of no named tumour was left out")
        said = frozenset(concept_keys(result.source.value_codeable_concept))
        for key in keys:
            found[key] = found.get(key, frozenset()) | said
    return found
