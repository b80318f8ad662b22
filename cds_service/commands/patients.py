"""The patients of a FHIR server, decided one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import click

from cds_service.cohort import PatientResult
from cds_service.commands.local import LocalServices, NotObtainableError
from cds_service.fhir.client import FhirClient
from cds_service.fhir.errors import ServerRefused
from cds_service.fhir.smart import NoAccessToken
from cds_service.fhir.views import Patient
from cds_service.knowledge.release import Knowledge

Access = Callable[[], str | None]


def decided_from_server(
    fhir_server: str,
    patients: Sequence[str],
    access: Access,
    day: date,
    deadline: float,
    knowledge: Knowledge | None,
) -> Iterator[PatientResult]:
    """What the card at the opening of the chart would say, for these patients or for all.

    `access` is asked for a token before each patient, so that one which ends is renewed. Raises
    NotObtainableError when the patients themselves cannot be listed.
    """
    services = LocalServices(day, deadline, knowledge)
    service = services.find("patient-view")
    for patient in patients or _listed(fhir_server, access, deadline):
        source = f"Patient/{patient}"
        try:
            answer = services.answer_from_server(service, fhir_server, patient, access=access)
        except (NotObtainableError, click.UsageError) as error:
            yield PatientResult(source, patient, error=error.message)
            continue
        shown = [item for item in answer.document["recommendations"] if item["card"]]
        yield PatientResult(
            source,
            patient,
            tuple(item["rule_id"] for item in shown),
            tuple(item["kind"] for item in shown),
            tuple(item["severity"] for item in shown),
            tuple(item["rule_id"] for item in answer.document["undecided"]),
        )


def _listed(fhir_server: str, access: Access, deadline: float) -> list[str]:
    try:
        client = FhirClient(
            fhir_server, access(), deadline_seconds=deadline, page_limit=1000, allow_private=True
        )
    except ServerRefused as error:
        raise click.UsageError(f"--fhir-server: {error}") from None
    except NoAccessToken as error:
        raise NotObtainableError(f"{error}.") from None
    result = client.fetch({"patients": "Patient?_elements=id"})["patients"]
    if not result.complete and result.read.outcomes:
        # A server that does not know `_elements` warns: asked without it, it need not.
        result = client.fetch({"patients": "Patient"})["patients"]
    if not result.complete:
        why = result.problem.kind.value if result.problem is not None else "incomplete"
        status = result.problem.status if result.problem is not None else None
        shown = f" (HTTP {status})" if status is not None else ""
        raise NotObtainableError(
            f"The FHIR server did not list its patients: {why}{shown}. Name them with --patient."
        )
    found = (item.id for item in result.read.resources if isinstance(item, Patient))
    return [identity for identity in found if identity]
