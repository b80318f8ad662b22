"""The hooks of the HL7 hook library: what their context holds and what may be a prefetch token.

Source: CDS Hooks hook library 1.0.1 (STU1), and its continuous build for medication-verify.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from cds_service.protocol import models_request as models

USER_TOKENS = MappingProxyType(
    {
        "userPractitionerId": "Practitioner",
        "userPractitionerRoleId": "PractitionerRole",
        "userPatientId": "Patient",
        "userRelatedPersonId": "RelatedPerson",
    }
)

_REVERSED_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){2,}")


@dataclass(frozen=True)
class HookDefinition:
    """One hook.

    ``required_tokens`` are context fields that hold text and are always there;
    ``optional_tokens`` hold text and may be missing. No other field may stand in a template
    (R-43, R-44, R-210). ``bundle_field`` names the field with the draft resources.
    ``user_types`` are the resource types expected in ``userId``.
    """

    name: str
    context_model: type[models.HookContext]
    required_tokens: frozenset[str]
    optional_tokens: frozenset[str] = frozenset()
    bundle_field: str | None = None
    user_types: frozenset[str] = frozenset()

    @property
    def tokens(self) -> frozenset[str]:
        """Every context field that may be a prefetch token."""
        return self.required_tokens | self.optional_tokens


_PRACTITIONER = frozenset({"Practitioner"})
_CLINICIAN = frozenset({"Practitioner", "PractitionerRole"})
_ANYONE = _CLINICIAN | {"Patient", "RelatedPerson"}


def _definition(
    name: str,
    context_model: type[models.HookContext],
    user_types: frozenset[str],
    bundle_field: str | None = None,
) -> HookDefinition:
    return HookDefinition(
        name=name,
        context_model=context_model,
        required_tokens=frozenset({"userId", "patientId"}),
        optional_tokens=frozenset({"encounterId"}),
        bundle_field=bundle_field,
        user_types=user_types,
    )


_IN_ENCOUNTER = frozenset({"userId", "patientId", "encounterId"})

HOOKS = MappingProxyType(
    {
        definition.name: definition
        for definition in (
            _definition("patient-view", models.PatientViewContext, _ANYONE),
            _definition("order-select", models.OrderSelectContext, _CLINICIAN, "draftOrders"),
            _definition("order-sign", models.OrderSignContext, _CLINICIAN, "draftOrders"),
            HookDefinition(
                name="order-dispatch",
                context_model=models.OrderDispatchContext,
                required_tokens=frozenset({"patientId", "performer"}),
            ),
            _definition(
                "medication-prescribe",
                models.MedicationPrescribeContext,
                _PRACTITIONER,
                "medications",
            ),
            _definition("order-review", models.OrderReviewContext, _PRACTITIONER, "orders"),
            HookDefinition(
                name="medication-refill",
                context_model=models.MedicationRefillContext,
                required_tokens=frozenset({"patientId"}),
                optional_tokens=frozenset({"userId", "encounterId"}),
                bundle_field="medications",
                user_types=_CLINICIAN,
            ),
            HookDefinition(
                name="encounter-start",
                context_model=models.EncounterStartContext,
                required_tokens=_IN_ENCOUNTER,
                user_types=_CLINICIAN,
            ),
            HookDefinition(
                name="encounter-discharge",
                context_model=models.EncounterDischargeContext,
                required_tokens=_IN_ENCOUNTER,
                user_types=_CLINICIAN,
            ),
            _definition("appointment-book", models.AppointmentBookContext, _ANYONE, "appointments"),
            _definition(
                "problem-list-item-create",
                models.ProblemListItemCreateContext,
                _CLINICIAN,
                "conditions",
            ),
            _definition(
                "allergyintolerance-create",
                models.AllergyIntoleranceCreateContext,
                _PRACTITIONER,
            ),
            _definition("medication-verify", models.MedicationVerifyContext, _CLINICIAN),
        )
    }
)


def hook_definition(name: str) -> HookDefinition | None:
    """Return the definition of ``name``, or None if it is no name a hook may have.

    A hook of somebody's own is named like a reversed domain (R-198); of its context only the
    patient, the user and the encounter can be known.
    """
    known = HOOKS.get(name)
    if known is not None:
        return known
    if not _REVERSED_DOMAIN.fullmatch(name):
        return None
    return HookDefinition(
        name=name,
        context_model=models.HookContext,
        required_tokens=frozenset({"patientId"}),
        optional_tokens=frozenset({"userId", "encounterId"}),
    )
