"""The vignettes: how `vignettes.yaml` is written, and the patient that each one describes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cds_service.facts import OrderedMedication, PatientFacts, Supplied, TreatmentLine
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest
from cds_service.rules import Collection, Item
from fhir_fixtures import load_story, story_names
from tests.alk.findings_in_words import finding_words
from tests.alk.patients import START_DAYS_AGO, Dose, knowledge, order, patient, treatment
from tests.facts import records

FILE = Path(__file__).parent / "vignettes.yaml"
DoseText = Annotated[str, StringConstraints(pattern=r"^\d+ x \d$")]
Words = tuple[str, ...]


class _Written(BaseModel):
    """A part of the file: a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Written):
    """An ALK inhibitor taken before or now, at the full label dose unless a dose is given."""

    drug: str
    status: Literal["active", "paused", "ended"] = "active"
    dose: DoseText | None = None
    since: int | None = None


class Order(_Written):
    """A draft order."""

    drug: str
    dose: DoseText


class Given(_Written):
    """The patient: `facts` as `patients.patient` takes them, on top of a healthy adult with
    ALK-positive advanced lung cancer. `medications` are ingredients."""

    moment: Literal["patient-view", "order-select", "order-sign"] = "order-sign"
    jurisdiction: Literal["US", "EU"] = "US"
    lines: tuple[Line, ...] = ()
    cancers: tuple[str, ...] = ("non-small cell lung cancer",)
    medications: tuple[str, ...] = ()
    facts: dict[str, str | int | tuple[str, ...] | None] = Field(default_factory=dict)
    orders: tuple[Order, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Given:
        unknown = [
            name
            for name in self.facts
            if name not in knowledge().vocabulary and finding_words(name) is None
        ]
        drugs = (*(line.drug for line in self.lines), *(item.drug for item in self.orders))
        unknown += [
            name
            for name in (*drugs, *self.medications)
            if name not in knowledge().codes.ingredients
        ]
        if unknown:
            raise ValueError(f"neither a fact nor an ingredient: {', '.join(unknown)}")
        return self


class Options(_Written):
    """Drugs that are offered: in this order, or as a set."""

    ranked: Words = ()
    set: Words = ()


class Says(Options):
    """One thing that must be on a card of this moment.

    By the id of its `row`, or, while its table is not written, by the `rules` of the algorithm
    alone. `words` stand on the card, `buttons` are among its suggestions, `resume` is the dose
    after a hold, `dose` (for `months`) the dose to order now.
    """

    row: str | None = None
    rules: Words = ()
    level: Literal["critical", "warning", "info"] | None = None
    action: Literal["stop", "withhold", "reduce", "avoid", "ask", "choose", "start", "inform"] = (
        Field(default=None, validate_default=False)  # type: ignore[assignment]
    )
    resume: DoseText | None = None
    dose: DoseText | None = None
    months: int | None = None
    tests: Words = ()
    words: Words = ()
    buttons: Words = ()

    @model_validator(mode="after")
    def _finds_something(self) -> Says:
        if self.row is None and not self.rules:
            raise ValueError("says needs a row or rules")
        return self


class Never(_Written):
    """What must not happen on any card of this moment.

    `offered`: drugs among the options, or `any` for no option and no medication order at all;
    `ordered`: drugs that a suggestion must not put into an order; `tests`, `rows` and `words`.
    """

    offered: Literal["any"] | Words = ()
    ordered: Words = ()
    tests: Words = ()
    rows: Words = ()
    words: Words = ()


class Then(_Written):
    """The answer. `choice` is the first-line choice that stands behind the suggestions, `missing`
    what a card that asks or stops must name."""

    says: tuple[Says, ...] = Field(min_length=1)
    choice: Options | None = None
    never: Never = Never()
    missing: Words = ()


class Vignette(_Written):
    """One patient. `chart` names a FHIR story of the same patient, who must get the same answer."""

    id: Annotated[str, StringConstraints(pattern=r"^V-\d\d[a-z]?$")]
    title: str
    given: Given
    chart: str | None = None
    then: Then

    @model_validator(mode="after")
    def _chart_exists(self) -> Vignette:
        if self.chart is not None and self.chart not in story_names():
            raise ValueError(f"there is no story {self.chart}")
        return self


class Vignettes(_Written):
    """The whole file."""

    never_anywhere: Words
    vignettes: tuple[Vignette, ...]

    @model_validator(mode="after")
    def _ids_once(self) -> Vignettes:
        ids = [item.id for item in self.vignettes]
        if len(ids) != len(set(ids)):
            raise ValueError("an id is used twice")
        return self


@cache
def vignettes() -> Vignettes:
    """The file as read."""
    return Vignettes.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


Asked = tuple[PatientFacts, tuple[OrderedMedication, ...]]


def in_memory(given: Given) -> Asked:
    """Patient and orders built from the words of the vignette."""
    facts = patient(
        lines=tuple(_line(line) for line in given.lines),
        cancers=given.cancers,
        **{name.replace(" ", "_"): value for name, value in given.facts.items()},
    )
    values = {**facts.values, "medications": _taken(given.medications)}
    orders = tuple(_order(item) for item in given.orders)
    return PatientFacts(facts.patient_id, facts.as_of, values, facts.lines), orders


def from_chart(story: str) -> Asked:
    """Patient and orders read from a FHIR chart."""
    told = load_story(story)
    drafts = []
    for entry in (told.draft_orders or {}).get("entry", ()):
        (draft,) = read_resources(json.dumps(entry["resource"]).encode()).resources
        if isinstance(draft, MedicationRequest):
            drafts.append((draft, entry["resource"]))
    found = read_resources(json.dumps(told.bundle).encode())
    record = PatientRecord.build(told.patient_id, [found])
    supplied = Supplied(record, records.ALL, {}, drafts)
    return records.reader().read(supplied, told.as_of)


def amount_and_times(text: str) -> Dose:
    """`600 x 2` as amount and times a day."""
    amount, _, per_day = text.partition(" x ")
    return amount, int(per_day)


def _line(line: Line) -> TreatmentLine:
    full = knowledge().drugs[line.drug].drug.dosing.full_dose
    dose = amount_and_times(line.dose) if line.dose else (str(full.amount_mg), full.per_day)
    usual = 400 if line.status == "ended" else START_DAYS_AGO
    since = usual if line.since is None else line.since
    return treatment((since, line.status, dose), ingredient=line.drug)


def _order(written: Order) -> OrderedMedication:
    """A draft with a resource behind it, so that a suggestion can change it."""
    draft = order(written.drug, *amount_and_times(written.dose))
    resource = {
        "resourceType": "MedicationRequest",
        "id": draft.reference.rpartition("/")[2],
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": written.drug},
    }
    return replace(draft, resource=resource)


def _taken(names: Iterable[str]) -> Collection:
    classes = knowledge().codes.classes_of
    items = (
        Item(
            frozenset({name, *classes(name, include_unverified=True)}),
            name,
            None,
            name,
            f"MedicationRequest/{name}",
        )
        for name in names
    )
    return Collection(tuple(items), complete=True)
