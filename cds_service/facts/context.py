"""What every reader of facts needs: the record, the day, the code sets, and a place for remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo

from cds_service.facts.patient import Remark
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.dates import Moment, effective_moment, parse_moment
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.terminology import CodeSet, concept_keys
from cds_service.fhir.units import UnitTable
from cds_service.fhir.views import Observation
from cds_service.knowledge.release import Knowledge


@dataclass(frozen=True)
class CodeBook:
    """Code sets and unit tables in the form the FHIR room matches with; built once."""

    knowledge: Knowledge
    value_sets: Mapping[str, CodeSet]
    analytes: Mapping[str, CodeSet]
    units: Mapping[str, UnitTable]

    @classmethod
    def of(cls, knowledge: Knowledge) -> CodeBook:
        """The code book of one knowledge release. Only verified codes are matched on."""
        codes = knowledge.codes
        return cls(
            knowledge,
            {name: CodeSet.of(name, item.code_keys()) for name, item in codes.value_sets.items()},
            {name: CodeSet.of(name, item.code_keys()) for name, item in codes.analytes.items()},
            {name: UnitTable(item.unit, item.units) for name, item in codes.analytes.items()},
        )

    def says(self, concept: CodeableConcept | None, *names: str) -> bool:
        """Whether a concept carries a code of one of the named value sets."""
        keys = concept_keys(concept)
        return any(key in self.value_sets[name].keys for key in keys for name in names)


@dataclass
class Context:
    """One reading: which patient, as of which day, and what was remarked on the way."""

    book: CodeBook
    record: PatientRecord
    as_of: date
    zone: tzinfo
    complete: frozenset[str]
    remarks: dict[Remark, None] = field(default_factory=dict)
    _moments: dict[tuple[str | None, ...], Moment | None] = field(default_factory=dict)

    def effective(self, observation: Observation) -> Moment | None:
        """When an observation was true; worked out once for results of the same blood sample."""
        period = observation.effective_period
        sent = (
            observation.effective_date_time,
            period.end if period is not None else None,
            observation.effective_instant,
            observation.issued if observation.effective_date_time is None else None,
        )
        if sent not in self._moments:
            self._moments[sent] = effective_moment(observation, self.zone)
        return self._moments[sent]

    def remark(self, subject: str, says: str) -> None:
        """Note something about the data once; never with words from the record."""
        self.remarks.setdefault(Remark(subject, says))

    def day_of(self, *texts: str | None) -> date | None:
        """The day of the first text that was sent, None when it is absent or imprecise."""
        for text in texts:
            if text and text.strip():
                moment = parse_moment(text, self.zone)
                return moment.day if moment is not None else None
        return None

    def usable(self, moment: Moment | None, subject: str) -> bool:
        """Whether a result's moment can be used; undated and future ones are remarked on."""
        if moment is None or moment.day is None:
            self.remark(subject, "a result without a usable date was left out")
            return False
        if moment.day > self.as_of:
            self.remark(subject, "a result dated in the future was left out")
            return False
        return True
