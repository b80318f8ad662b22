"""The numbers of trials stand beside the right assessor, report and source."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.evidence import Result, Study, load_evidence
from cds_service.knowledge.sources import load_sources


def studies() -> dict[str, Study]:
    return dict(load_evidence(load_sources()))


def results() -> dict[str, Result]:
    return {result.id: result for study in studies().values() for result in study.results}


def test_alex_investigator_medians_carry_their_own_hazard_ratio() -> None:
    row = results()["alex-pfs-investigator-2020"]
    assert row.assessor == "investigator"
    assert dict(row.values) == {"alectinib": "34.8", "crizotinib": "10.9"}
    assert row.comparison is not None
    assert row.comparison.value == "0.43"
    assert row.verified


def test_the_independent_medians_are_never_paired_with_the_investigator_hazard_ratio() -> None:
    for row in results().values():
        if "25.7" in row.values.values() or "10.4" in row.values.values():
            assert row.assessor == "independent review"
            assert row.comparison is None or row.comparison.value != "0.47"


def test_the_primary_hazard_ratio_of_alex_has_no_reached_median() -> None:
    row = results()["alex-pfs-investigator-2017"]
    assert row.comparison is not None
    assert row.comparison.value == "0.47"
    assert row.values["alectinib"] == "not reached"


def test_the_alex_response_difference_is_flagged_not_significant() -> None:
    row = results()["alex-response-2017"]
    assert (row.p, row.not_significant) == ("0.09", True)


def test_an_interval_that_crosses_one_is_flagged_not_significant() -> None:
    for row in results().values():
        interval = row.comparison.interval if row.comparison else None
        if interval is None or "not reached" in (interval.low, interval.high):
            continue
        crosses = float(interval.low) < 1 < float(interval.high)
        assert crosses == row.not_significant, row.id


def test_a_value_lies_inside_its_interval() -> None:
    for row in results().values():
        pairs = [(row.values[arm], span) for arm, span in row.intervals.items()]
        if row.comparison and row.comparison.interval:
            pairs.append((row.comparison.value, row.comparison.interval))
        for value, span in pairs:
            if "not reached" in (value, span.low):
                continue
            assert float(span.low) <= float(value), row.id
            if span.high != "not reached":
                assert float(value) <= float(span.high), row.id


def test_percentages_stay_between_nought_and_a_hundred() -> None:
    for row in results().values():
        if row.unit == "per cent":
            assert all(0 <= float(value) <= 100 for value in row.values.values()), row.id


def test_the_central_nervous_system_response_of_alex_is_83_to_40_nowhere() -> None:
    for row in results().values():
        assert {"83", "40"} - set(row.values.values()), row.id


def test_second_hand_numbers_are_not_verified() -> None:
    sources = load_sources()
    for row in results().values():
        if row.note and "second hand" in row.note:
            assert not row.verified, row.id
        assert row.source in sources


def test_the_crown_registry_number_was_read_in_the_register() -> None:
    assert studies()["crown"].registry == "NCT03052608"
    assert studies()["crown"].registry_verified is True


GOOD = """
trial:
  name: "Trial"
  setting: first line
  randomised: true
  population: "Patients"
  arms:
    - {name: "a", treatment: "drug a", n: 10}
    - {name: "b", treatment: "drug b", n: 10}
  sources: [alex-2017]
  results:
    - id: trial-response
      endpoint: "response"
      assessor: not stated
      report: "2026"
      unit: per cent
      values: {"a": "50", "b": "40"}
      verified: true
      source: alex-2017
"""


@pytest.mark.parametrize(
    ("old", "new", "where", "expected"),
    [
        ('{"a": "50", "b": "40"}', '{"c": "50"}', "trial", "names of the arms"),
        ('"50"', "50", "trial.results.0.values.a", "valid string"),
        ('"50"', '"about 50"', "trial.results.0.values.a", "match pattern"),
        ("source: alex-2017", "source: alex-1917", "trial.results.trial-response", "sources.yaml"),
        ("sources: [alex-2017]", "sources: []", "trial.sources", "at least 1 item"),
        ("assessor: not stated", "assessor: me", "trial.results.0.assessor", "'investigator'"),
        ('      values: {"a": "50", "b": "40"}\n', "", "trial.results.0", "values or a comparison"),
    ],
)
def test_a_bad_study_stops_with_file_and_place(
    tmp_path: Path, old: str, new: str, where: str, expected: str
) -> None:
    file = tmp_path / "evidence.yaml"
    assert old in GOOD
    file.write_text(GOOD, encoding="utf-8")
    assert list(load_evidence(load_sources(), file)) == ["trial"]
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_evidence(load_sources(), file)
    assert caught.value.file == str(file)
    assert where in caught.value.where
    assert expected in str(caught.value)


def test_a_result_id_is_used_once(tmp_path: Path) -> None:
    file = tmp_path / "evidence.yaml"
    file.write_text(GOOD + GOOD.replace("trial:", "second:", 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="a result id used once"):
        load_evidence(load_sources(), file)
