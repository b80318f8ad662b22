"""Checks that legal requests of every form are answered (S2 "Calling a CDS Service", I-50 on).

The negative suite N-20, N-21 and N-30 is here as well: data that are missing, null or odd, which
a service must bear without a crash, and without silence where it should speak.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from cds_service.conformance import samples
from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.exchange import Answer
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Asked, Json, Subject

CHECKS = Register()

_EPIC = "com.epic.cdshooks.request."


def _as_before(item: Asked, answer: Answer, change: str) -> Found:
    """The answer to a harmless change must be as the one before it."""
    if answer.cards is None:
        yield f"{item.place}: answered with {answer.status} to {change}"
    elif len(answer.cards) != len(item.answer.cards or []):
        yield f"{item.place}: other guidance because of {change}"


@CHECKS.check("unknown-root-member", "I-50", "C-08")
def unknown_root_member(subject: Subject) -> Found:
    """A member that nobody knows changes nothing."""
    for item, body in subject.variants(conformanceKitMember="kqzvwbxnyfjhgtrp"):
        yield from _as_before(item, subject.call(item.service, body), "an unknown root member")


@CHECKS.check("unknown-context-field", "I-51", "C-06", "R-199")
def unknown_context_field(subject: Subject) -> Found:
    """A context field that nobody knows changes nothing."""
    for item, body in subject.variants():
        body["context"]["conformanceKitField"] = {"value": "kqzvwbxnyfjhgtrp"}
        yield from _as_before(item, subject.call(item.service, body), "an unknown context field")


@CHECKS.check("unknown-extension", "I-52", "C-08", "E-04")
def unknown_extension(subject: Subject) -> Found:
    """An extension of the request changes nothing."""
    extension = {f"{_EPIC}fhir-version": "R4", f"{_EPIC}criteria-id": "1", "other": {"a": [1]}}
    for item, body in subject.variants(extension=extension):
        yield from _as_before(item, subject.call(item.service, body), "an extension")


@CHECKS.check("unknown-prefetch-key", "C-07")
def unknown_prefetch_key(subject: Subject) -> Found:
    """A prefetch key that was not asked for changes nothing."""
    for item, body in subject.variants():
        body["prefetch"] = {**body.get("prefetch", {}), "conformanceKit": samples.failed_search()}
        yield from _as_before(item, subject.call(item.service, body), "an unknown prefetch key")


@CHECKS.check("hook-instance-twice", "C-03", strength="ours")
def hook_instance_twice(subject: Subject) -> Found:
    """The same hookInstance twice is answered twice."""
    for item, body in subject.variants():
        yield from _as_before(item, subject.call(item.service, body), "a hookInstance seen before")


@CHECKS.check("hook-instance-odd", "C-03", "E-10", strength="ours")
def hook_instance_odd(subject: Subject) -> Found:
    """A hookInstance of no known UUID version is accepted, as clients in use send it."""
    for item, body in subject.variants(hookInstance="00000000-007b-9f33-e810-0123456789ab"):
        yield from _as_before(item, subject.call(item.service, body), "an odd hookInstance")


@CHECKS.check("optional-null", "C-10", strength="ours")
def optional_null(subject: Subject) -> Found:
    """An optional member that is null or empty counts as absent."""
    for item, body in subject.variants(fhirAuthorization=None, extension={}):
        body.pop("fhirServer", None)
        body["context"]["encounterId"] = None
        if "encounterId" in samples.required_fields(item.service["hook"]):
            del body["context"]["encounterId"]
            body["context"]["encounterId"] = item.body["context"].get("encounterId")
        yield from _as_before(item, subject.call(item.service, body), "null in optional members")


@CHECKS.check("charset", "D-06", strength="ours")
def charset(subject: Subject) -> Found:
    """A charset behind the media type changes nothing."""
    for item, body in subject.variants():
        headers = {"Content-Type": "application/json; charset=utf-8"}
        found = subject.call(item.service, body, headers=headers)
        yield from _as_before(item, found, "a charset")


def _asking(subject: Subject) -> Iterator[tuple[Asked, Json]]:
    """Working requests of services that ask for prefetch, without a server to ask instead."""
    found = False
    for item, body in subject.variants():
        if item.service.get("prefetch") and item.body.get("prefetch"):
            found = True
            body.pop("fhirServer", None)
            body.pop("fhirAuthorization", None)
            yield item, body
    if not found:
        raise NotTestedError("no service asks for prefetch")


def _bears(item: Asked, answer: Answer, what: str) -> Found:
    """Missing data give cards, or 412; a crash or another refusal is neither."""
    if answer.status != 412 and answer.cards is None:
        yield f"{item.place}: answered with {answer.status} to {what}"


@CHECKS.check("prefetch-absent", "R-63", "R-64", "R-89", "C-07", "C-11", "N-20", "N-21")
def prefetch_absent(subject: Subject) -> Found:
    """Without prefetch and without a FHIR server the answer is cards or 412."""
    for item, body in _asking(subject):
        empty = {**body, "prefetch": {}}
        del body["prefetch"]
        for sent, what in ((body, "no prefetch"), (empty, "an empty prefetch")):
            found = subject.call(item.service, sent)
            yield from _bears(item, found, what)
            if found.cards == []:
                # "All clear" and "I could not look" must not read the same.
                text = f"{item.place}: {what} is answered as if everything had been checked"
                yield Problem(text, "ours")


@CHECKS.check("prefetch-partial", "R-60", "R-63", "C-11", "C-15", "E-55", "N-20")
def prefetch_partial(subject: Subject) -> Found:
    """With any one key missing the answer is cards or 412."""
    for item, body in _asking(subject):
        for key in item.body["prefetch"]:
            rest = {name: value for name, value in body["prefetch"].items() if name != key}
            found = subject.call(item.service, {**body, "prefetch": rest})
            yield from _bears(item, found, f"prefetch without {key}")


@CHECKS.check("prefetch-null", "R-62", "C-16", "D-20", "N-20")
def prefetch_null(subject: Subject) -> Found:
    """A key that is null is answered with cards or 412."""
    for item, body in _asking(subject):
        for key in item.body["prefetch"]:
            sent = {**body, "prefetch": {**body["prefetch"], key: None}}
            yield from _bears(item, subject.call(item.service, sent), f"null in {key}")


@CHECKS.check("prefetch-outcome", "R-61", "C-14", "D-21", "N-20")
def prefetch_outcome(subject: Subject) -> Found:
    """A key that holds an OperationOutcome is answered with cards or 412."""
    for item, body in _asking(subject):
        for key in item.body["prefetch"]:
            sent = {**body, "prefetch": {**body["prefetch"], key: samples.failed_search()}}
            found = subject.call(item.service, sent)
            yield from _bears(item, found, f"an OperationOutcome in {key}")


@CHECKS.check("prefetch-outcome-entry", "R-61", "E-14", "N-20")
def prefetch_outcome_entry(subject: Subject) -> Found:
    """A search that holds only an OperationOutcome entry is answered with cards or 412."""
    entry = {"resource": samples.failed_search(), "search": {"mode": "outcome"}}
    page = {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry]}
    for item, body in _asking(subject):
        for key, template in item.service["prefetch"].items():
            if isinstance(template, str) and "?" in template:
                sent = {**body, "prefetch": {**body["prefetch"], key: page}}
                found = subject.call(item.service, sent)
                yield from _bears(item, found, f"an outcome as only entry of {key}")


@CHECKS.check("prefetch-other-patient", "R-70", "N-20", strength="robust")
def prefetch_other_patient(subject: Subject) -> Found:
    """Data of another patient, or of another type than asked for, break nothing."""
    stranger = {"resourceType": "Condition", "subject": {"reference": "Patient/somebody-else"}}
    for item, body in _asking(subject):
        for key in item.body["prefetch"]:
            for odd, what in ((stranger, "another patient's data"), ({}, "an empty object")):
                sent = {**body, "prefetch": {**body["prefetch"], key: odd}}
                found = subject.call(item.service, sent)
                if found.status >= 500:
                    yield f"{item.place}: answered with {found.status} to {what} in {key}"


def _odd_orders() -> dict[str, list[Json]]:
    order = samples.medication_order
    dose = {"doseQuantity": {"value": 1, "unit": "mg"}}
    doses = [{**dose, "type": {"text": "calculated"}}, {**dose, "type": {"text": "ordered"}}]
    none = order(medicationCodeableConcept=None)
    sibling = {"resourceType": "Medication", "id": "conformance-sibling", "code": {"text": "kit"}}
    return {
        "an order without a medication": [none],
        "a medication that cannot be found": [
            {**none, "medicationReference": {"reference": "Medication/nowhere", "display": "kit"}}
        ],
        "a contained medication": [
            {
                **none,
                "contained": [{**sibling, "id": "inside"}],
                "medicationReference": {"reference": "#inside"},
            }
        ],
        "a medication beside its order": [
            {**none, "medicationReference": {"reference": "Medication/conformance-sibling"}},
            sibling,
        ],
        "an id of 200 characters": [order(id="a" * 200)],
        "a category that is an object": [order(category={"text": "outpatient"})],
        "two doses in one instruction": [order(dosageInstruction=[{"doseAndRate": doses}])],
        "an order of a type nobody knows": [{"resourceType": "ConformanceOrder", "id": "x"}],
        "empty codings": [order(medicationCodeableConcept={"coding": [{}]}, reasonCode=[])],
    }


def _with_orders(item: Asked, orders: list[Json]) -> Json:
    """The request with other draft orders, of the same patient, the first of them selected."""
    hook, body = str(item.service["hook"]), copy.deepcopy(item.body)
    subject = {"reference": f"Patient/{body['context']['patientId']}"}
    drafts = [{**order, "subject": subject} if "subject" in order else order for order in orders]
    body["context"][samples.BUNDLES[hook]] = samples.bundle(*drafts)
    if hook == "order-select":
        body["context"]["selections"] = [f"{orders[0]['resourceType']}/{orders[0]['id']}"]
    return body


def _ordering(subject: Subject) -> list[Asked]:
    """A working call of each service on a hook about orders. Raises NotTestedError."""
    found = [item for item in subject.working if item.service["hook"] in samples.BUNDLES]
    if not found:
        raise NotTestedError("no service on a hook about orders answers a request")
    return found


@CHECKS.check("odd-orders", "N-30", "D-18", "E-11", "E-12", "E-13", "S-06", "C-10",
              strength="robust")  # fmt: skip
def odd_orders(subject: Subject) -> Found:
    """Orders as real clients send them are answered."""
    for item in _ordering(subject):
        for what, orders in _odd_orders().items():
            found = subject.call(item.service, _with_orders(item, orders))
            if found.status >= 500:
                yield f"{item.place}: answered with {found.status} to {what}"
            elif found.cards is None:
                yield Problem(f"{item.place}: answered with {found.status} to {what}", "ours")


@CHECKS.check("injected-text", "N-41", "R-103", "S-12", strength="robust")
def injected_text(subject: Subject) -> Found:
    """Markup in the name of a drug does not become markup in a card."""
    name = "kit <script>alert(1)</script> [x](javascript:alert(1))"
    order = samples.medication_order(medicationCodeableConcept={"text": name})
    for item in _ordering(subject):
        found = subject.call(item.service, _with_orders(item, [order]))
        if found.status >= 500:
            yield f"{item.place}: answered with {found.status} to markup in the name of a drug"
        for card in found.cards or []:
            shown = _shown(card)
            if "<script" in shown or "](javascript:" in shown:
                yield f"{item.place}: a card repeats markup that was in the name of a drug"


def _shown(card: Any) -> str:
    """What a client shows as Markdown."""
    detail = card.get("detail") if isinstance(card, dict) else None
    return detail.replace("\\<", "").replace("\\]", "") if isinstance(detail, str) else ""
