"""Opaque keys for people: the same person gives the same key, and no key gives the person."""

from __future__ import annotations

import hashlib
import hmac

from cds_service.protocol import HookCall


class Pseudonyms:
    """Keyed hashes of the patient and the user of a call.

    Whoever has no secret cannot try out ids. With another secret nobody is recognised any more.
    Two EHRs, or two tenants of one, may use the same id for different people, so who they are is
    part of it.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def patient(self, call: HookCall) -> str:
        """The key of the patient in context."""
        return self.patient_of(call.client, call.fhir_server, call.patient_id)

    def patient_of(self, client: str, fhir_server: str | None, patient_id: str) -> str:
        """The key of a patient by the id that one client uses on one FHIR server, if on any."""
        return self._key(f"{client}|{fhir_server or ''}|{patient_id}")

    def user(self, call: HookCall) -> str | None:
        """The key of the user, None where the hook has none."""
        if not call.user_id:
            return None
        return self._key(f"user|{call.client}|{call.fhir_server or ''}|{call.user_id}")

    def _key(self, text: str) -> str:
        return hmac.new(
            self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()
