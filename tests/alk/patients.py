"""Patients in memory, written so that a case reads like a row of a table.

Laboratory values are multiples of the upper limit of normal ("6.2"), other quantities plain
numbers in the unit of the fact. A list gives several results as (days ago, value). `None` means
that nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from cds_service.alk import Decision, Option, Question, Recommendation, Topic, decide
from cds_service.facts import (
    DoseTaken,
    OrderedMedication,
    PatientFacts,
    TreatmentLine,
    TreatmentOrder,
)
from cds_service.facts.drug_asked_about import INTOLERANCES
from cds_service.facts.intolerances import WITHOUT_A_REACTION
from cds_service.facts.patient import doses_taken
from cds_service.knowledge.release import Knowledge
from cds_service.rules import (
    Collection,
    CollectionOf,
    Event,
    Events,
    FactValue,
    Item,
    Measurement,
    Quantity,
    Reason,
    ReasonKind,
    Series,
    State,
    Statement,
    Statements,
)
from tests.alk.findings_in_words import finding_words, with_findings
from tests.packaged import packaged_knowledge

AS_OF = date(2026, 11, 20)
START_DAYS_AGO = 170
"""First dose of the running drug: past the intensive phase of monitoring."""

UPPER_LIMITS = {
    "ALT": Decimal(40),
    "AST": Decimal(40),
    "total bilirubin": Decimal(20),
    "ALP": Decimal(120),
    "CPK": Decimal(200),
    "creatinine": Decimal(100),
    "lipase": Decimal(60),
    "amylase": Decimal(100),
    "uric acid": Decimal(400),
}
NORMAL: Mapping[str, object] = {
    "potassium": "4",
    "magnesium": "2",
    "lymphocytes": "1.5",
    "ALT": "0.8",
    "AST": "0.8",
    "total bilirubin": "0.6",
    "CPK": "0.9",
    "creatinine": "0.8",
    "heart rate": "72",
    "cholestasis": "absent",
    "haemolysis": "absent",
    "bradycardia symptoms": "absent",
    "bradycardia": "absent",
    "contributing medication": "none",
    "sex": "male",
    "age": "58",
}
"""A patient in whom everything was looked at and nothing is wrong."""

NORMAL_ON_TREATMENT: Mapping[str, object] = {
    "lipase": "0.5",
    "amylase": "0.5",
    "systolic blood pressure": "122",
    "diastolic blood pressure": "76",
    "QTc": "410",
    "PR interval": "160",
    "neutrophils": "4",
    "platelets": "220",
    "haemoglobin": "13.5",
    "total cholesterol": "190",
    "triglycerides": "130",
    "glucose": "95",
}
"""What is looked at besides on treatment, in the canonical unit of each fact."""

FULL = ("600", 2)
LOWER = ("450", 2)
LOWEST = ("300", 2)

Dose = tuple[str | None, int | None]
Facts = Mapping[str, object]


@cache
def knowledge() -> Knowledge:
    """The packaged release, loaded once."""
    return packaged_knowledge()


def day(days_ago: int) -> date:
    """The day so many days before the day asked about."""
    return AS_OF - timedelta(days=days_ago)


def treatment(
    *orders: tuple[int | None, str, Dose], ingredient: str = "alectinib"
) -> TreatmentLine:
    """A line from (days ago or None, status, dose)."""
    built = (
        TreatmentOrder(
            ingredient,
            status,
            day(ago) if ago is not None else None,
            None,
            taken(dose),
            f"MedicationRequest/{ingredient}-{number}",
        )
        for number, (ago, status, dose) in enumerate(orders)
    )
    return TreatmentLine(ingredient, tuple(built))


def taken(dose: Dose) -> DoseTaken:
    """A dose as the patient takes it."""
    amount, per_day = dose
    return DoseTaken(
        Decimal(amount) if amount is not None else None,
        Decimal(per_day) if per_day is not None else None,
        f"{amount} mg x {per_day}",
    )


AND_MORE = "..."
"""Among the members of a collection: there may be others."""

ON_ALECTINIB = (treatment((START_DAYS_AGO, "active", FULL)),)


def order(ingredient: str, amount: str | None = None, per_day: int | None = 1) -> OrderedMedication:
    """A draft order of one ingredient."""
    classes = knowledge().codes.classes_of(ingredient, include_unverified=True)
    dose = taken((amount, per_day if amount is not None else None))
    reference = f"MedicationRequest/draft-{ingredient}-{amount}"
    return OrderedMedication(
        reference, ingredient, (ingredient,), frozenset({ingredient, *classes}), dose, {}
    )


def of_the_day(ingredient: str, total: str) -> OrderedMedication:
    """A draft order that says what is taken a day, and not in how many doses."""
    made = order(ingredient)
    dose = DoseTaken(None, None, f"{total} mg per day", Decimal(total))
    return replace(made, dose=dose, reference=f"{made.reference}-{total}")


def drafted(ingredient: str, amount: str | None, per_day: int | None) -> OrderedMedication:
    """A draft order as it came, so that it can be changed or taken back."""
    made = order(ingredient, amount, per_day)
    resource: dict[str, object] = {
        "resourceType": "MedicationRequest",
        "id": made.reference.split("/")[1],
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": ingredient},
        "authoredOn": AS_OF.isoformat(),
    }
    return replace(made, resource=resource)


def first_order(option: Option) -> OrderedMedication:
    """The order that an option of a choice leads to, with the lower dose of its first days."""
    assert option.dose is not None
    begun = order(option.drug, str(option.dose.amount_mg), option.dose.per_day)
    lead_in = knowledge().drugs[option.drug].drug.dosing.lead_in
    if lead_in is None:
        return begun
    return replace(begun, first_dose=taken((str(lead_in.amount_mg), lead_in.per_day)))


def patient(
    *,
    lines: Sequence[TreatmentLine] = ON_ALECTINIB,
    cancers: Iterable[str] | None = ("non-small cell lung cancer",),
    medications: Iterable[str] | None = (),
    **facts: object,
) -> PatientFacts:
    """`NORMAL` with some facts changed; underscores in names stand for blanks.

    `cancers` or `medications` None means that the list did not arrive whole and holds nothing.
    """
    said = {"setting": "advanced", "ALK": "confirmed", **NORMAL}
    said |= {name.replace("_", " "): value for name, value in facts.items()}
    values: dict[str, FactValue] = {}
    for name, value in said.items():
        found = _value(name, value) if finding_words(name) is None else None
        if found is not None:
            values[name] = found
    started = [line.start for line in lines if line.status != "ended"]
    told = {name.replace("_", " "): value for name, value in facts.items()}
    for words in (NORMAL, told):
        values = with_findings(values, words, AS_OF, started)
    values["cancers"] = _collection(cancers)
    values["medications"] = _collection(medications)
    for name, status in (("active", "active"), ("paused", "paused"), ("prior", "ended")):
        listed = [line.ingredient for line in lines if line.status == status]
        values[f"{name} ALK inhibitors"] = _collection(listed)
    values |= _course(lines, said)
    values.setdefault("dose taken", doses_taken(lines, AS_OF, complete=True))
    return PatientFacts("p", AS_OF, values, tuple(lines))


def running(drug: str, days_ago: int = START_DAYS_AGO) -> TreatmentLine:
    """A drug taken at its full label dose since so many days."""
    full = knowledge().drugs[drug].drug.dosing.full_dose
    dose = (str(full.amount_mg), full.per_day)
    return treatment((days_ago, "active", dose), ingredient=drug)


def _course(lines: Sequence[TreatmentLine], said: Facts) -> dict[str, FactValue]:
    """Which ALK inhibitors were used and why they ended: without a reason unless one is given."""
    found = {"ALK inhibitors used": _collection(line.ingredient for line in lines)}
    explained: set[str] = set()
    for why in ("for progression", "for toxicity", "for another reason"):
        name = f"ALK inhibitors stopped {why}"
        drugs = said.get(name) or ()
        assert isinstance(drugs, tuple)
        explained.update(drugs)
        found[name] = _collection(drugs)
    ended = [line.ingredient for line in lines if line.status == "ended"]
    found["ALK inhibitors stopped without a reason"] = _collection(
        drug for drug in ended if drug not in explained
    )
    last = max(
        (line.start for line in lines if line.status == "ended" and line.start), default=None
    )
    why = {
        reason: line.ingredient
        for line in lines
        if line.status == "ended" and line.start == last
        for reason in _reasons(line.ingredient, said)
    }
    found["end of the last ALK inhibitor"] = Collection(
        tuple(
            Item(frozenset({reason}), reason, None, drug, f"Resource/{reason}")
            for reason, drug in sorted(why.items())
        ),
        complete=True,
    )
    for name in ("earlier medications", "ordered procedures", INTOLERANCES):
        found.setdefault(name, _collection(said.get(name, ())))  # type: ignore[arg-type]
    return dict(found)


def _reasons(drug: str, said: Facts) -> list[str]:
    found = []
    for reason in ("progression", "toxicity", "another reason"):
        drugs = said.get(f"ALK inhibitors stopped for {reason}") or ()
        assert isinstance(drugs, tuple)
        found += [reason] if drug in drugs else []
    return found or ["unexplained"]


def described(facts: Facts, drug: str = "alectinib") -> PatientFacts:
    """A patient on a drug from a mapping whose keys are fact names (or `lines`, `medications`)."""
    said: dict[str, object] = {"lines": (running(drug),), **NORMAL_ON_TREATMENT, **facts}
    return patient(**{name.replace(" ", "_"): value for name, value in said.items()})  # type: ignore[arg-type]


def with_facts(facts: PatientFacts, said: Facts) -> PatientFacts:
    """The same patient with these facts laid over, also those worked out from other facts."""
    started = [line.start for line in facts.lines if line.status != "ended"]
    values = with_findings(facts.values, said, facts.as_of, started)
    for name, value in said.items():
        if finding_words(name) is None:
            found = _value(name, value)
            values.pop(name, None)
            if found is not None:
                values[name] = found
    return PatientFacts(facts.patient_id, facts.as_of, values, facts.lines)


def without(facts: PatientFacts, name: str) -> PatientFacts:
    """The same patient of whom one fact is not known."""
    if finding_words(name) is not None:
        return with_facts(facts, {name: None})
    values = {key: value for key, value in facts.values.items() if key != name}
    return PatientFacts(facts.patient_id, facts.as_of, values, facts.lines)


def _also_called(name: str) -> list[str]:
    """What a member answers to besides its name."""
    if name.endswith(f" {WITHOUT_A_REACTION}"):
        drug = name.removesuffix(f" {WITHOUT_A_REACTION}")
        return [drug, *_also_called(drug), WITHOUT_A_REACTION]
    if name in knowledge().inhibitors:
        return list(knowledge().generation_names[name])
    alike = (named for named in knowledge().generation_names.values() if name == named[0])
    if (found := next(alike, None)) is not None:
        return list(found[1:])
    return ["compound mutation"] if " + " in name else []


def _collection(members: Iterable[str] | None) -> Collection:
    reason = Reason.of(ReasonKind.MISSING, "list", "the list was not supplied whole")
    if members is None:
        return Collection((), complete=False, incomplete=(reason,))
    named = tuple(members)
    items = (
        Item(
            frozenset({name, *_also_called(name)}),
            name,
            None,
            name,
            f"Resource/{name}",
        )
        for name in named
        if name != AND_MORE
    )
    if AND_MORE in named:
        return Collection(tuple(items), complete=False, incomplete=(reason,))
    return Collection(tuple(items), complete=True)


def _value(name: str, value: object) -> FactValue | None:
    kind = knowledge().vocabulary.find(name)
    if value is None:
        return None
    if isinstance(kind, Quantity):
        return _series(name, value)
    if isinstance(kind, State):
        dated = name != "contributing medication"
        statements = value if isinstance(value, list) else [(2 if dated else None, value)]
        return Statements(
            tuple(
                Statement(str(said), day(ago) if ago is not None else None, "", f"Source/{name}")
                for ago, said in statements
            )
        )
    if isinstance(kind, CollectionOf):
        assert isinstance(value, tuple | list), f"{name} takes the names of its members"
        return _collection(value)
    assert isinstance(value, int), f"{name} takes days ago"
    return Events((Event(day(value)),), complete=True)


def _series(name: str, value: object) -> Series:
    results = value if isinstance(value, list) else [(3, value)]
    found = [_measured(name, ago, str(number)) for ago, number in results]
    if name in UPPER_LIMITS and not any(ago >= START_DAYS_AGO for ago, _ in results):
        found.append(_measured(name, START_DAYS_AGO + 5, "0.8"))
    return Series(tuple(sorted(found, key=lambda item: item.day, reverse=True)))


def _measured(name: str, ago: int, text: str) -> Measurement:
    """`text` is a number, or one with "no range", "unknown unit" or "without severity" behind.

    A sign in front (`<5`) means that the laboratory sent a bound only.
    """
    number, _, flaw = text.partition(" ")
    sign = number[: len(number) - len(number.lstrip("<>="))]
    number = number.removeprefix(sign)
    limit = UPPER_LIMITS.get(name)
    value = Decimal(number) * (limit if limit is not None else 1)
    source = f"Observation/{name}-{ago}"
    if flaw == "unknown unit":
        problem = Reason.of(ReasonKind.UNKNOWN_UNIT, name, "result")
        return Measurement(None, day(ago), as_sent=text, source=source, problem=problem)
    if flaw == "without severity":
        problem = Reason.of(ReasonKind.MISSING, name, "severity not recorded")
        return Measurement(None, day(ago), as_sent=text, source=source, problem=problem)
    limit = None if flaw == "no range" else limit
    return Measurement(
        value, day(ago), upper_limit=limit, comparator=sign or None, as_sent=text, source=source
    )


def asked(
    facts: PatientFacts,
    *orders: OrderedMedication,
    jurisdiction: str = "US",
    moment: str = "order-sign",
) -> Decision:
    """The decision on the day `AS_OF`."""
    question = Question(moment, orders, jurisdiction=jurisdiction)
    return decide(facts, question, knowledge(), AS_OF)


@cache
def _standing() -> dict[str, str]:
    return {
        row.identifier: (*row.entries("jurisdiction"), "US")[0]
        for tables in knowledge().drugs.values()
        for table in tables.by_name.values()
        for row in table
    }


def jurisdiction_of(row: str) -> str:
    """Where a row is asked: in the first jurisdiction that it names, else in the United States."""
    return _standing().get(row, "US")


def reactions(decision: Decision) -> dict[str, Recommendation]:
    """Every reaction to a drug by the row that spoke, leading or not."""
    leading = [item for item in decision.recommendations if item.topic is Topic.TOXICITY]
    return {item.rule_id: item for first in leading for item in (first, *first.also)}


def rows_heard(decision: Decision) -> set[str]:
    """The ids of all rows that spoke, also as options, modifiers and tests."""
    heard: set[str] = set()
    for first in decision.recommendations:
        for item in (first, *first.also):
            heard.add(item.rule_id)
            heard.update(test.rule_id for test in item.tests)
            heard.update(finding.rule_id for finding in item.findings)
            for option in item.options:
                heard.add(option.rule_id)
                heard.update(modifier.rule_id for modifier in option.modifiers)
    return heard
