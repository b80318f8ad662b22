"""The cases of a drug as a pharmacist writes them, in `<ingredient>.yaml` beside this module.

`dose_changes` holds cases of the dose-change table, `rows` those of every other row of the drug.
Each is a patient in whom a row must speak, and a change by which it just does not:

    dose_changes:
    - row: alectinib-liver-hold
      asks: withhold
      facts: {ALT: 5.01}
      near: {ALT: 5}

`facts` are laid over a patient in whom everything is normal and who has taken the full dose for
170 days; `near` is laid over these. Laboratory values that have an upper limit are multiples of
it, other numbers are in the unit of the fact; null is what nobody recorded; a list of `value` and
`days_ago` is several results. An event is a number of days ago. Besides facts there are
`medications` and `cancers`, `taking` (ALK inhibitors, or an empty list) and `orders`.

A row of one jurisdiction is asked there, every other row in the United States.

Of a dose change no other row may speak but those in `also`, and in the patient close by none but
those in `instead`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate
from cds_service.rules import CollectionOf, Occurrence, Quantity, State
from cds_service.rules.vocabulary import FLAG_VALUES
from tests.alk.case_errors import CasesError
from tests.alk.drug_cases.cases import Reaction
from tests.alk.findings_in_words import finding_words
from tests.alk.order_cases import Case
from tests.alk.patients import jurisdiction_of, knowledge, order, running, treatment

Asks = Literal["withhold", "stop", "ask", "inform", "reduce"]
Facts = dict[str, Any]


class Taken(Frozen):
    """An ALK inhibitor of the patient, at the full label dose unless a dose is given."""

    drug: str
    dose: str | None = Field(default=None, pattern=r"^\d+(\.\d+)? x \d$")
    since_days: int = Field(default=170, ge=0)
    status: Literal["active", "paused", "ended"] = "active"


class Ordered(Frozen):
    """A draft order, such as `120 x 2`: mg and times a day."""

    drug: str
    dose: str = Field(pattern=r"^\d+(\.\d+)? x \d$")


class Result(Frozen):
    """One of several results."""

    value: Any
    days_ago: int = Field(ge=0)


class RowCase(Frozen):
    """A row that must speak in a patient, and keep silent in the one close by."""

    row: str
    says: str = ""
    facts: Facts
    near: Facts = Field(min_length=1)


class DoseChangeCase(RowCase):
    """The same of a dose change, with what it asks for and which other rows speak."""

    asks: Asks
    also: dict[str, Asks] = Field(default_factory=dict)
    instead: dict[str, Asks] = Field(default_factory=dict)


class Written(Frozen):
    """The whole file."""

    dose_changes: tuple[DoseChangeCase, ...] = ()
    rows: tuple[RowCase, ...] = ()


class DrugCases(NamedTuple):
    """The cases of one drug, as the tests ask them."""

    reactions: tuple[Reaction, ...]
    rows: tuple[Case, ...]


def read_cases(file: Path, drug: str) -> DrugCases:
    """The cases in a file. Raises CasesError naming the file and the field to mend."""
    try:
        written = validate(Written, read_mapping(file), str(file), "")
    except KnowledgeError as error:
        raise CasesError(str(error)) from None
    read = _Reader(file, drug)
    reactions: list[Reaction] = []
    for number, one in enumerate(written.dose_changes):
        place = f"dose_changes.{number}"
        read.row(f"{place}.row", one.row, dose_change=True)
        for field in ("also", "instead"):
            for name in getattr(one, field):
                read.row(f"{place}.{field}", name, dose_change=True)
        facts, near = read.facts(f"{place}.facts", one.facts), read.facts(f"{place}.near", one.near)
        title = one.says or f"{one.row}: {_told(one.facts)}"
        place_of_row = jurisdiction_of(one.row)
        reactions.append(Reaction(title, facts, {one.row: one.asks, **one.also}, place_of_row))
        reactions.append(Reaction(f"{title}; near: {_told(one.near)}", {**facts, **near},
                                  dict(one.instead), place_of_row))  # fmt: skip
    rows: list[Case] = []
    for number, other in enumerate(written.rows):
        place = f"rows.{number}"
        read.row(f"{place}.row", other.row, dose_change=False)
        facts = {"lines": (running(drug),), **read.facts(f"{place}.facts", other.facts)}
        near = read.facts(f"{place}.near", other.near)
        rows.append(Case(other.row, _as_arguments(facts), _as_arguments(near)))
    return DrugCases(tuple(reactions), tuple(rows))


def _told(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items()) or "nothing"


def _as_arguments(facts: Mapping[str, object]) -> dict[str, object]:
    return {name.replace(" ", "_"): value for name, value in facts.items()}


class _Reader:
    """Turns what is written into what `patients.patient` takes, or says what is wrong where."""

    def __init__(self, file: Path, drug: str) -> None:
        self._file = file
        tables = {table.name: table for table in knowledge().all_tables()}
        changes = tables.pop(f"drugs/{drug}/dose_changes")
        self._dose_changes = {row.identifier for row in changes}
        self._rows = {row.identifier for table in tables.values() for row in table}

    def _fault(self, where: str, expected: str) -> CasesError:
        return CasesError(str(KnowledgeError(str(self._file), where, expected)))

    def _known(self, where: str, name: str, known: Iterable[str], what: str) -> None:
        names = sorted(known)
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise self._fault(where, f"{what}, not {name!r}{hint}")

    def row(self, where: str, name: str, *, dose_change: bool) -> None:
        """Refuse a row that the tables do not have."""
        if dose_change:
            self._known(where, name, self._dose_changes, "a row of the drug's dose_changes.csv")
        else:
            self._known(where, name, self._rows, "a row of another table than dose_changes.csv")

    def facts(self, where: str, said: Facts) -> dict[str, object]:
        """The facts as arguments of a patient."""
        return {_ARGUMENTS.get(name, name): self._one(f"{where}.{name}", name, value)
                for name, value in said.items()}  # fmt: skip

    def _one(self, where: str, name: str, value: Any) -> object:
        match name:
            case "taking":
                return tuple(self._taken(where, item) for item in self._list(where, value, Taken))
            case "orders":
                return tuple(self._order(where, item) for item in self._list(where, value, Ordered))
        vocabulary = knowledge().vocabulary
        names = {fact.name for fact in vocabulary}
        if (words := finding_words(name)) is None:
            self._known(where, name, {*names, "taking", "orders"}, "the name of a fact")
        if value is None:
            return None
        if words is not None:
            if isinstance(value, list):
                told = self._list(where, value, Result)
                return [(item.days_ago, self._flag(where, item.value)) for item in told]
            return self._flag(where, value)
        match kind := vocabulary.find(name):
            case CollectionOf():
                members = self._list(where, value, str)
                for member in members:
                    self._known(where, member, kind.members, "a member of the list")
                return tuple(members)
            case Occurrence():
                if isinstance(value, bool) or not isinstance(value, int):
                    raise self._fault(where, "a whole number of days ago")
                return value
            case Quantity() | State() if isinstance(value, list):
                results = self._list(where, value, Result)
                return [(item.days_ago, self._value(where, kind, item.value)) for item in results]
            case Quantity() | State():
                return self._value(where, kind, value)
        raise self._fault(where, "a fact that a case can set")

    def _flag(self, where: str, value: Any) -> str:
        self._known(where, str(value), FLAG_VALUES, "a value of the fact")
        return str(value)

    def _value(self, where: str, kind: Quantity | State, value: Any) -> str:
        if isinstance(kind, State):
            self._known(where, str(value), kind.values, "a value of the fact")
            return str(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._fault(where, "a number, null, or a list of value and days_ago")
        return str(value)

    def _list(self, where: str, value: Any, of: Any) -> list[Any]:
        try:
            return TypeAdapter(list[of]).validate_python(value)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            path = ".".join((where, *(str(part) for part in fault["loc"])))
            raise self._fault(path, f"something else: {fault['msg']}") from None

    def _dose(self, text: str) -> tuple[str, int]:
        amount, _, per_day = text.partition(" x ")
        return amount, int(per_day)

    def _taken(self, where: str, line: Taken) -> object:
        self._known(where, line.drug, knowledge().drugs, "an ALK inhibitor with tables")
        if line.dose is None:
            full = knowledge().drugs[line.drug].drug.dosing.full_dose
            dose = str(full.amount_mg), full.per_day
        else:
            dose = self._dose(line.dose)
        return treatment((line.since_days, line.status, dose), ingredient=line.drug)

    def _order(self, where: str, written: Ordered) -> object:
        self._known(where, written.drug, knowledge().codes.ingredients, "an ingredient")
        return order(written.drug, *self._dose(written.dose))


_ARGUMENTS = {"taking": "lines"}
"""What is called otherwise in `patients.patient`."""
