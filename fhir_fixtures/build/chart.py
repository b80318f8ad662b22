"""A chart under construction: the general FHIR resources every story is made of."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from zlib import crc32

from fhir_fixtures.build.codes import (
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    DATA_ABSENT_REASON,
    DISEASES,
    INTERPRETATION,
    LOCAL_LABORATORY,
    LOINC,
    OBSERVATION_CATEGORY,
    REFERENCE_RANGE_MEANING,
    SEVERITIES,
    SNOMED,
    Json,
    coding,
    concept,
    quantity,
)
from fhir_fixtures.build.laboratories import Analyte, Laboratory
from fhir_fixtures.stories import REFERENCE_DATE

BASE_URL = "https://fixtures.example.org/fhir"
TODAY = REFERENCE_DATE
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


def ago(days: int) -> date:
    """The day ``days`` before the day the stories are told on."""
    return TODAY - timedelta(days=days)


def wobble(key: str, spread: float) -> float:
    """A repeatable scatter between ``-spread`` and ``+spread``, decided by ``key`` alone."""
    return (crc32(key.encode()) / 0xFFFFFFFF * 2 - 1) * spread


def _number(value: float, digits: int) -> float | int:
    return round(value) if digits == 0 else round(value, digits)


class Chart:
    """Collects the resources of one story and writes them as Bundles.

    Ids are ``<story>-<slug>`` and ``<story>-<slug>-<n>`` from the second on, so that they are
    readable, stable and unique over all stories.
    """

    def __init__(
        self,
        story: str,
        laboratory: Laboratory,
        *,
        given: str,
        family: str,
        gender: str,
        birth_date: str,
    ) -> None:
        self.story = story
        self.laboratory = laboratory
        self.gender = gender
        self._used: Counter[str] = Counter()
        self._resources: list[Json] = []
        self._drafts: list[Json] = []
        self.organization_id = self.add(
            "Organization", "laboratory", {"active": True, "name": laboratory.name}
        )
        self.practitioner_id = self.add(
            "Practitioner",
            "oncologist",
            {"active": True, "name": [{"family": "Fixture", "given": ["Oncologist"]}]},
        )
        self.patient_id = self.add(
            "Patient",
            "patient",
            {
                "meta": {"profile": [US_CORE + "us-core-patient"]},
                "identifier": [
                    {"system": "http://hospital.example.org/patients", "value": f"FIXTURE-{story}"}
                ],
                "active": True,
                "name": [{"use": "official", "family": family, "given": [given]}],
                "gender": gender,
                "birthDate": birth_date,
            },
        )
        self.subject: Json = {"reference": f"Patient/{self.patient_id}"}

    def new_id(self, slug: str) -> str:
        """The next free id for ``slug``; raises ValueError beyond the 64 characters FHIR allows."""
        self._used[slug] += 1
        number = self._used[slug]
        made = f"{self.story}-{slug}" if number == 1 else f"{self.story}-{slug}-{number}"
        if len(made) > 64:
            message = f"resource id longer than 64 characters: {made}"
            raise ValueError(message)
        return made

    def add(self, resource_type: str, slug: str, body: Json) -> str:
        """Add one resource and return its id."""
        resource_id = self.new_id(slug)
        self.add_with_id(resource_type, resource_id, body)
        return resource_id

    def add_with_id(self, resource_type: str, resource_id: str, body: Json) -> None:
        """Add one resource under an id taken from ``new_id`` before."""
        self._resources.append({"resourceType": resource_type, "id": resource_id, **body})

    def add_draft(self, resource_type: str, slug: str, body: Json) -> str:
        """Add one resource to the draft orders and return its id."""
        resource_id = self.new_id(slug)
        self._drafts.append({"resourceType": resource_type, "id": resource_id, **body})
        return resource_id

    def moment(self, day: date, clock: str = "08:10:00") -> str:
        """A FHIR dateTime on ``day`` in the zone of the laboratory."""
        return f"{day.isoformat()}T{clock}{self.laboratory.offset}"

    def bundle(self) -> Json:
        """The chart as a Bundle of type collection."""
        return {
            "resourceType": "Bundle",
            "id": f"{self.story}-bundle",
            "type": "collection",
            "entry": [
                {
                    "fullUrl": f"{BASE_URL}/{resource['resourceType']}/{resource['id']}",
                    "resource": resource,
                }
                for resource in self._resources
            ],
        }

    def drafts(self) -> Json | None:
        """The draft orders as a Bundle without fullUrl (as order hooks send them), if any."""
        if not self._drafts:
            return None
        return {
            "resourceType": "Bundle",
            "id": f"{self.story}-draft-orders",
            "type": "collection",
            "entry": [{"resource": resource} for resource in self._drafts],
        }

    # Conditions ---------------------------------------------------------------------------------

    def condition(
        self,
        name: str,
        recorded: date,
        *,
        onset: date | None = None,
        abated: date | None = None,
        verification: str = "confirmed",
        category: str = "problem-list-item",
        severity: str | None = None,
        note: str | None = None,
    ) -> str:
        """A Condition by its name in ``DISEASES``; ``verification="refuted"`` excludes it.

        ``severity`` is a name of ``SEVERITIES``.
        """
        text, codings = DISEASES[name]
        body: Json = {}
        # A Condition entered as refuted has no clinical status worth sending.
        if verification != "refuted":
            status = "active" if abated is None else "resolved"
            body["clinicalStatus"] = concept(coding(CONDITION_CLINICAL, status))
        body["verificationStatus"] = concept(coding(CONDITION_VERIFICATION, verification))
        body["category"] = [concept(coding(CONDITION_CATEGORY, category))]
        if severity is not None:
            body["severity"] = concept(SEVERITIES[severity])
        body["code"] = concept(*codings, text=text)
        body["subject"] = self.subject
        if onset is not None:
            body["onsetDateTime"] = onset.isoformat()
        if abated is not None:
            body["abatementDateTime"] = abated.isoformat()
        body["recordedDate"] = recorded.isoformat()
        if note is not None:
            body["note"] = [{"text": note}]
        slug = name.replace(" ", "-").replace(
            "drug-induced-interstitial-lung-disease", "lung-injury"
        )
        if verification == "refuted":
            slug = f"no-{slug}"
        return self.add("Condition", slug, body)

    def excluded(self, name: str, day: date, note: str | None = None) -> str:
        """A finding that was looked for and excluded on ``day``."""
        return self.condition(name, day, verification="refuted", note=note)

    # Laboratory ---------------------------------------------------------------------------------

    def lab(
        self,
        name: str,
        day: date,
        value: float | None = None,
        *,
        times_upper_limit: float | None = None,
        with_range: bool = True,
        unit: str | None = None,
        status: str = "final",
        comparator: str | None = None,
        absent_reason: str | None = None,
        note: str | None = None,
    ) -> str:
        """One laboratory result.

        ``value`` is in the unit of the laboratory; ``times_upper_limit`` gives it as a multiple of
        the laboratory's upper limit; neither means a value scattered
        inside the reference range. ``unit`` replaces
        the unit by free text without a UCUM code. ``absent_reason`` sends no value at all.
        """
        test = self.laboratory.analytes[name]
        body: Json = {
            "meta": {"profile": [US_CORE + "us-core-observation-lab"]},
            "status": status,
            "category": [concept(coding(OBSERVATION_CATEGORY, "laboratory", "Laboratory"))],
            "code": self._test_code(name, test),
            "subject": self.subject,
            "effectiveDateTime": self.moment(day),
            "issued": self.moment(day, "13:45:00"),
            "performer": [{"reference": f"Organization/{self.organization_id}"}],
        }
        if absent_reason is not None:
            body["dataAbsentReason"] = concept(coding(DATA_ABSENT_REASON, absent_reason))
        else:
            number = self._value(name, test, day, value, times_upper_limit)
            measured: Json = (
                quantity(number, test.unit, test.ucum)
                if unit is None
                else {"value": number, "unit": unit}
            )
            if comparator is not None:
                measured["comparator"] = comparator
            body["valueQuantity"] = measured
            if with_range:
                body["interpretation"] = [self._flag(test, number)]
                body["referenceRange"] = [self._range(test)]
        if note is not None:
            body["note"] = [{"text": note}]
        return self.add("Observation", name, body)

    def _test_code(self, name: str, test: Analyte) -> Json:
        codings = [coding(LOINC, test.loinc, test.display)]
        if self.laboratory.local_codes:
            codings.insert(0, coding(LOCAL_LABORATORY, f"LAB-{name.upper()}", test.text))
        return concept(*codings, text=test.text)

    def _value(
        self, name: str, test: Analyte, day: date, value: float | None, times: float | None
    ) -> float | int:
        if times is not None:
            if test.high is None:
                message = f"{name} has no upper limit to multiply"
                raise ValueError(message)
            return _number(test.high * times, test.digits)
        if value is not None:
            return _number(value, test.digits)
        scatter = wobble(f"{self.story} {name} {day.isoformat()}", 0.16)
        healthy = test.typical * (1 + scatter)
        if test.low is not None:
            healthy = max(healthy, test.low)
        if test.high is not None:
            healthy = min(healthy, test.high)
        return _number(healthy, test.digits)

    def _flag(self, test: Analyte, number: float) -> Json:
        if test.high is not None and number > test.high:
            return concept(coding(INTERPRETATION, "H", "High"))
        if test.low is not None and number < test.low:
            return concept(coding(INTERPRETATION, "L", "Low"))
        return concept(coding(INTERPRETATION, "N", "Normal"))

    def _range(self, test: Analyte) -> Json:
        found: Json = {}
        if test.low is not None:
            found["low"] = quantity(test.low, test.unit, test.ucum)
        if test.high is not None:
            found["high"] = quantity(test.high, test.unit, test.ucum)
        if self.laboratory.typed_range:
            found["type"] = concept(coding(REFERENCE_RANGE_MEANING, "normal", "Normal Range"))
        if self.laboratory.range_text:
            if test.low is None:
                text = f"<={test.high}"
            elif test.high is None:
                text = f">={test.low}"
            else:
                text = f"{test.low}-{test.high}"
            found["text"] = f"{text} {test.unit}"
        return found

    # Vital signs, status and other observations -------------------------------------------------

    def observation(self, slug: str, category: str, code: Json, day: date, body: Json) -> str:
        """Any other final Observation; ``body`` holds the value."""
        return self.add(
            "Observation",
            slug,
            {
                "status": "final",
                "category": [concept(coding(OBSERVATION_CATEGORY, category))],
                "code": code,
                "subject": self.subject,
                "effectiveDateTime": self.moment(day, "08:40:00"),
                **body,
            },
        )

    def heart_rate(self, day: date, rate: int | None = None) -> str:
        """Resting heart rate in beats per minute; without ``rate`` a healthy one with scatter."""
        shown = rate if rate is not None else round(74 + wobble(f"{self.story} hr {day}", 7))
        return self.observation(
            "heart-rate",
            "vital-signs",
            concept(coding(LOINC, "8867-4", "Heart rate"), text="Heart rate"),
            day,
            {
                "meta": {"profile": [US_CORE + "us-core-heart-rate"]},
                "valueQuantity": quantity(shown, "beats/minute", "/min"),
            },
        )

    def blood_pressure(self, day: date, systolic: int = 124, diastolic: int = 76) -> str:
        """Blood pressure in mm[Hg] as the panel with two components, with a little scatter."""
        shift = round(wobble(f"{self.story} bp {day}", 6))

        def part(code: str, display: str, value: int) -> Json:
            return {
                "code": concept(coding(LOINC, code, display)),
                "valueQuantity": quantity(value, "mmHg", "mm[Hg]"),
            }

        return self.observation(
            "blood-pressure",
            "vital-signs",
            concept(
                coding(LOINC, "85354-9", "Blood pressure panel with all children optional"),
                text="Blood pressure",
            ),
            day,
            {
                "meta": {"profile": [US_CORE + "us-core-blood-pressure"]},
                "component": [
                    part("8480-6", "Systolic blood pressure", systolic + shift),
                    part("8462-4", "Diastolic blood pressure", diastolic + shift // 2),
                ],
            },
        )

    def weight(self, day: date, kilograms: float) -> str:
        """Body weight in kilograms."""
        return self.observation(
            "weight",
            "vital-signs",
            concept(coding(LOINC, "29463-7", "Body weight"), text="Weight"),
            day,
            {"valueQuantity": quantity(kilograms, "kg")},
        )

    def oxygen_saturation(self, day: date, percent: int) -> str:
        """Oxygen saturation by pulse oximetry in percent, with the two codings US Core asks for."""
        return self.observation(
            "oxygen-saturation",
            "vital-signs",
            concept(
                coding(LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
                coding(LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
                text="SpO2",
            ),
            day,
            {"valueQuantity": quantity(percent, "%")},
        )

    def pregnancy_status(self, day: date) -> str:
        """The pregnancy status observation of US Core, saying pregnant."""
        return self.observation(
            "pregnancy-status",
            "social-history",
            concept(coding(LOINC, "82810-3", "Pregnancy status"), text="Pregnancy status"),
            day,
            {"valueCodeableConcept": concept(coding(SNOMED, "77386006", "Pregnant"))},
        )
