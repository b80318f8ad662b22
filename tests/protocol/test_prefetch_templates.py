"""Prefetch templates: what they become, and what no client could run."""

from __future__ import annotations

import pytest

from cds_service.protocol import PrefetchTemplate, lint, resolve
from cds_service.protocol.hook_definitions import HOOKS

CONTEXT = {"patientId": "p1", "userId": "Practitioner/abc", "encounterId": "e1"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Patient/{{context.patientId}}", "Patient/p1"),
        (
            "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4&_count=1",
            "Observation?patient=p1&code=http://loinc.org|4548-4&_count=1",
        ),
        ("Practitioner?_id={{userPractitionerId}}", "Practitioner?_id=abc"),
        ("PractitionerRole?_id={{userPractitionerRoleId}}", None),
        ("Patient/{{userPatientId}}", None),
        ("RelatedPerson/{{userRelatedPersonId}}", None),
        ("{{context.userId}}", "Practitioner/abc"),
        ("Encounter/{{context.encounterId}}", "Encounter/e1"),
        ("Encounter/{{context.performer}}", None),
        ("Patient/{{nonsense}}", None),
        ("Patient/{{context.patientId", None),
    ],
)
def test_a_template_is_filled_in_or_cannot_be(template: str, expected: str | None) -> None:
    """R-40, R-41, R-42, R-46, R-52."""
    assert resolve(template, CONTEXT) == expected
    assert resolve(PrefetchTemplate("k", template, False, "why"), CONTEXT) == expected


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        ("1&_count=9", "Patient?_id=1%26_count%3D9"),
        ("a/b", "Patient?_id=a%2Fb"),
        ("{{x}}", "Patient?_id=%7B%7Bx%7D%7D"),
        ("..", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_a_value_cannot_change_the_query(patient: object, expected: str | None) -> None:
    """R-46, S-08: an unresolved token is never sent as text."""
    assert resolve("Patient?_id={{context.patientId}}", {"patientId": patient}) == expected


@pytest.mark.parametrize("user", [None, 5, "abc", "Practitioner/", "Practitioner/.."])
def test_a_user_token_needs_a_reference_of_its_type(user: object) -> None:
    """R-46."""
    assert resolve("Practitioner/{{userPractitionerId}}", {"userId": user}) is None


def test_an_absolute_user_reference_gives_its_id() -> None:
    """E-13."""
    user = "https://ehr.example.org/fhir/Practitioner/abc"
    assert resolve("Practitioner/{{userPractitionerId}}", {"userId": user}) == "Practitioner/abc"


@pytest.mark.parametrize(
    "template",
    [
        "Patient/{{context.patientId}}",
        (
            "Condition?patient={{context.patientId}}&category=problem-list-item"
            "&clinical-status=active,recurrence"
        ),
        (
            "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4,http://loinc.org|1-8"
            "&_sort=-date&_count=100"
        ),
        "Observation?patient={{context.patientId}}&date=ge2024-01-01",
        "Observation?patient={{context.patientId}}&code:in=http://example.org/ValueSet/x",
        "Encounter/{{context.encounterId}}",
        "PractitionerRole?_id={{userPractitionerRoleId}}",
        "{{context.userId}}",
    ],
)
def test_a_template_of_the_allowed_subset_passes(template: str) -> None:
    """R-45, R-47, R-52, R-211."""
    assert lint(template, "order-sign") == []


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("", id="empty"),
        pytest.param("Patient/{context.patientId}", id="R-40 single braces"),
        pytest.param("Patient/{{context.patientId}", id="R-40 unbalanced"),
        pytest.param("Patient/{{user}}", id="R-41 legacy"),
        pytest.param("Patient/{{Patient.id}}", id="R-41"),
        pytest.param("Patient/{{patientId}}", id="R-42"),
        pytest.param("Patient/{{%patient.id}}", id="R-41 variable"),
        pytest.param("Observation?date=ge{{today()}}", id="R-41 function"),
        pytest.param("Medication?_id={{context.draftOrders.entry}}", id="R-43"),
        pytest.param("Medication?_id={{context.draftOrders}}", id="R-44 R-210"),
        pytest.param("Medication?_id={{context.selections}}", id="R-44 R-210 selections"),
        pytest.param("Medication?_id={{context.unknown}}", id="R-44 unknown"),
        pytest.param("Observation?subject.name=x", id="R-47 chain"),
        pytest.param("Patient?_has:Observation:patient:code=1", id="R-47 has"),
        pytest.param("Observation?patient=1&_include=Observation:encounter", id="R-47 X-03"),
        pytest.param("Observation?patient=1&_summary=count", id="R-47 result parameter"),
        pytest.param("Observation?code:not=1", id="R-47 not"),
        pytest.param("Observation?code:text=1", id="R-47 text"),
        pytest.param("Observation?date=ne2024", id="R-47 prefix"),
        pytest.param("Observation?date=ap2024", id="R-47 prefix ap"),
        pytest.param("Observation?value-quantity=gt5", id="R-47 quantity"),
        pytest.param("Patient?family=Doe", id="R-47 string"),
        pytest.param("Observation?code-value-concept=a$b", id="R-47 composite"),
        pytest.param("Observation?patient=1&sort:desc=date", id="X-02"),
        pytest.param("Observation?patient=1&_sort=date desc", id="R-47 sort"),
        pytest.param("Observation?patient=1&_sort=", id="R-47 empty"),
        pytest.param("Observation?patient=1&_sort=1", id="R-47 sort form"),
        pytest.param("Observation?patient=1&_count=0", id="R-47 count"),
        pytest.param("Observation?date=ge2024&date=le2025", id="R-51 S-09"),
        pytest.param("Observation", id="no criteria"),
        pytest.param("Patient/1/$everything", id="operation"),
        pytest.param("https://ehr.example.org/Patient/1", id="absolute"),
        pytest.param("/Patient/1", id="leading slash"),
        pytest.param("patient?_id=1", id="lower case type"),
        pytest.param("{{context.patientId}}", id="an id alone"),
    ],
)
def test_a_template_outside_the_subset_is_found_out(template: str) -> None:
    """The clause is the id of the case."""
    assert lint(template, "order-select") != []


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_every_hook_lets_its_patient_be_a_token(hook: str) -> None:
    """R-211."""
    assert lint("Patient/{{context.patientId}}", hook) == []


def test_a_user_token_needs_a_hook_with_a_user() -> None:
    """H-04: order-dispatch has none."""
    assert lint("Practitioner/{{userPractitionerId}}", "order-dispatch") != []


@pytest.mark.parametrize(
    "template",
    ["Practitioner/{{userPractitionerId}}", "Encounter/{{context.encounterId}}"],
)
def test_a_template_that_may_not_resolve_cannot_be_required(template: str) -> None:
    """R-46, R-52."""
    assert lint(PrefetchTemplate("key", template, False, "why"), "order-sign") == []
    assert lint(PrefetchTemplate("key", template, True, "why"), "order-sign") != []


def test_an_encounter_may_be_required_where_it_always_comes() -> None:
    """H-08."""
    template = PrefetchTemplate("key", "Encounter/{{context.encounterId}}", True, "why")
    assert lint(template, "encounter-start") == []


@pytest.mark.parametrize("key", ["", "1a", "a b", "-user", "a.b"])
def test_a_key_must_be_fit_for_a_variable(key: str) -> None:
    """R-51."""
    assert lint(PrefetchTemplate(key, "Patient/{{context.patientId}}", True, "why"), "order-sign")


def test_a_purpose_must_be_given() -> None:
    """R-179: nothing is asked for without a use."""
    assert lint(PrefetchTemplate("a", "Patient/{{context.patientId}}", True, " "), "order-sign")


def test_a_hook_that_does_not_exist_is_found_out() -> None:
    """R-198."""
    assert lint("Patient/{{context.patientId}}", "order-signn") != []
