"""A Bulk Data export as its client left it: read whole, or said not to be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from cds_service.cohort import CohortFileError, PatientResult
from cds_service.cohort.lines import LONGEST_LINE, Stretch, lines_of, stretches
from cds_service.cohort.run import TWO_PEOPLE
from tests.cohort.populations import (
    EVERY_TYPE,
    Json,
    all_results,
    export,
    lines,
    packed,
    run_over,
    told,
)

STOPPED, WELL = "alectinib-pneumonitis", "no-lung-cancer"
TREATED = f"{STOPPED}-patient"

pytestmark = pytest.mark.slow


def of(results: list[PatientResult]) -> dict[str | None, PatientResult]:
    return {item.patient: item for item in results}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[PatientResult]:
    return all_results(export(tmp_path_factory.mktemp("plain"), STOPPED, WELL))


def test_the_stop_stands_in_the_result_of_a_plain_export(plain: list[PatientResult]) -> None:
    assert "alectinib-lung-stop" in of(plain)[TREATED].rule_ids
    assert of(plain)[f"{WELL}-patient"].rule_ids == ()


def test_what_clients_leave_beside_and_around_the_data_changes_nothing(
    tmp_path: Path, plain: list[PatientResult]
) -> None:
    """Compressed, in dated subfolders, with a byte-order mark, a manifest and a log."""
    first = export(tmp_path / "2026-11-01T00-00", STOPPED)
    second = export(tmp_path / "2026-11-08T00-00", WELL)
    packed(first / "1.Observation.ndjson")
    patients = first / "1.Patient.ndjson"
    patients.write_bytes(b"\xef\xbb\xbf" + patients.read_bytes())
    manifest = {"transactionTime": "2026-11-08", "request": "https://ehr.example.org/$export",
                "output": [{"type": "Patient", "url": "x", "count": 1}], "error": []}  # fmt: skip
    (second / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    (second / "log.ndjson").write_bytes(lines([{"eventId": "kickoff"}, {"eventId": "complete"}]))
    (second / "attachments").mkdir()
    (second / "attachments" / "scan.pdf").write_bytes(b"%PDF")
    results, run = run_over(tmp_path)
    assert of(results) == of(plain)
    assert run.tally.whole
    assert run.lacking == {}


@pytest.mark.parametrize(
    "written",
    [
        {"reference": "Patient/{id}/_history/3"},
        {"reference": "https://ehr.example.org/fhir/Patient/{id}"},
        {"reference": "urn:uuid:{id}"},
        {"reference": "Patient?identifier=urn:mrn|{id}-number"},
        {"identifier": {"system": "urn:mrn", "value": "{id}-number"}, "display": "somebody"},
    ],
)
def test_a_patient_is_known_however_the_line_refers_to_one(
    tmp_path: Path, plain: list[PatientResult], written: Json
) -> None:
    def changed(item: Json) -> Json:
        if item["resourceType"] == "Patient":
            return {**item, "identifier": [{"system": "urn:mrn", "value": f"{item['id']}-number"}]}
        if "subject" not in item:
            return item
        patient = item["subject"]["reference"].partition("/")[2]
        return {**item, "subject": json.loads(json.dumps(written).replace("{id}", patient))}

    folder = export(tmp_path, STOPPED, WELL)
    # The last first: nothing hangs on the order of lines.
    everything = [changed(item) for item in told(STOPPED) + told(WELL)][::-1]
    for file in folder.iterdir():
        file.write_bytes(b"")
    (folder / "all.ndjson").write_bytes(lines(everything))
    found = of(all_results(folder))
    assert {name: item.rule_ids for name, item in found.items()} == {
        name: item.rule_ids for name, item in of(plain).items()
    }


def test_a_product_is_found_by_an_absolute_reference(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    orders = folder / "1.MedicationRequest.ndjson"
    text = orders.read_text(encoding="utf-8")
    assert '"reference": "Medication/' in text
    orders.write_text(
        text.replace(
            '"reference": "Medication/', '"reference": "https://ehr.example.org/Medication/'
        ),
        encoding="utf-8",
    )
    assert "alectinib-lung-stop" in of(all_results(folder))[TREATED].rule_ids


def test_without_its_orders_nobody_is_offered_a_first_drug(tmp_path: Path) -> None:
    folder = export(tmp_path, "alectinib-on-track")
    (folder / "1.MedicationRequest.ndjson").unlink()
    results, run = run_over(folder)
    (result,) = results
    assert "choose" not in result.kinds
    assert "start" not in result.kinds
    assert "data-not-available" in result.rule_ids
    assert run.tally.absent == {"MedicationRequest"}
    assert not run.tally.whole


def test_a_type_that_the_source_does_not_have_is_no_gap(tmp_path: Path) -> None:
    folder = export(tmp_path, WELL)
    (folder / "1.Procedure.ndjson").unlink()
    assert run_over(folder)[1].tally.absent == {"Procedure"}
    assert run_over(folder, without=["Procedure"])[1].whole


def test_a_type_that_many_systems_do_not_have_is_not_taken_for_none_and_is_no_gap(
    tmp_path: Path,
) -> None:
    folder = export(tmp_path, WELL)
    (folder / "1.AllergyIntolerance.ndjson").unlink()
    run = run_over(folder)[1]
    assert run.lacking.keys() == {"allergies"}
    assert run.whole


def test_an_export_without_patients_is_refused(tmp_path: Path) -> None:
    folder = export(tmp_path, WELL)
    (folder / "1.Patient.ndjson").unlink()
    with pytest.raises(CohortFileError, match="no Patient resource"):
        all_results(folder)


@pytest.mark.parametrize("said", ["deceasedBoolean", "deceasedDateTime", "active"])
def test_the_dead_and_the_inactive_are_left_out_and_named(tmp_path: Path, said: str) -> None:
    folder = export(tmp_path, STOPPED)
    value = {"deceasedBoolean": True, "deceasedDateTime": "2026-11-01", "active": False}[said]
    file = folder / "1.Patient.ndjson"
    file.write_bytes(lines([{**json.loads(file.read_bytes()), said: value}]))
    (result,) = all_results(folder)
    assert result.left_out == ("inactive" if said == "active" else "deceased")
    assert "rule_ids" not in result.as_document()


def test_who_died_after_the_day_asked_about_is_decided_for(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    file = folder / "1.Patient.ndjson"
    file.write_bytes(lines([{**json.loads(file.read_bytes()), "deceasedDateTime": "2026-12-24"}]))
    assert "alectinib-lung-stop" in of(all_results(folder))[TREATED].rule_ids


def deletion(*urls: str) -> bytes:
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return lines([{"resourceType": "Bundle", "type": "transaction", "entry": entries}])


def test_what_was_deleted_does_not_count_and_what_came_back_does(tmp_path: Path) -> None:
    order = next(item for item in told(STOPPED) if item["resourceType"] == "MedicationRequest")
    first = export(tmp_path / "2026-11-01", STOPPED)
    later = tmp_path / "2026-11-08" / "deleted"
    later.mkdir(parents=True)
    (later / "1.Bundle.ndjson").write_bytes(deletion(f"MedicationRequest/{order['id']}"))
    results, run = run_over(tmp_path)
    assert "alectinib-lung-stop" not in of(results)[TREATED].rule_ids
    assert sum(count for (why, _), count in run.tally.unused.items() if why == "deleted later") == 1
    again = tmp_path / "2026-11-15"
    again.mkdir()
    (again / "1.MedicationRequest.ndjson").write_bytes(
        (first / "1.MedicationRequest.ndjson").read_bytes()
    )
    assert "alectinib-lung-stop" in of(all_results(tmp_path))[TREATED].rule_ids


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("error/1.OperationOutcome.ndjson",
         {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}),
        ("manifest.json", {"request": "https://ehr.example.org/$export?_since=2026-10-01"}),
        ("manifest.json", {"request": "x?_typeFilter=Observation%3Fcode%3D1"}),
        ("manifest.json", {"request": "x", "error": [{"type": "OperationOutcome", "url": "y"}]}),
        ("log.ndjson", {"eventId": "download_error"}),
        ("deleted/1.Bundle.ndjson",
         {"entry": [{"request": {"method": "DELETE", "url": "nonsense"}}]}),
    ],
)  # fmt: skip
def test_an_export_that_says_that_it_is_not_whole_is_not(
    tmp_path: Path, name: str, content: Json
) -> None:
    folder = export(tmp_path, WELL)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(lines([content]))
    assert [fault.partition(":")[0] for fault in run_over(folder)[1].tally.faults] == [name]


def test_fewer_lines_than_the_manifest_counts_is_a_gap_for_everybody(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    manifest = {"output": [{"type": "Observation", "url": "x", "count": 5000}]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    results, run = run_over(folder)
    assert "laboratory" in run.lacking
    assert not run.whole
    assert "data-not-available" in of(results)[TREATED].rule_ids


def test_a_compressed_file_that_is_cut_off_is_a_gap_for_everybody(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    file = packed(folder / "1.Observation.ndjson")
    file.write_bytes(file.read_bytes()[:-40])
    results, run = run_over(folder)
    assert "laboratory" in run.lacking
    assert "data-not-available" in of(results)[TREATED].rule_ids
    assert list(run.tally.faults) == [
        "1.Observation.ndjson.gz: the compressed file is cut off or damaged"
    ]


def test_a_line_of_a_hundred_megabytes_costs_its_patient_nothing_but_itself(
    tmp_path: Path,
) -> None:
    """It is counted, its patient's answer is not whole, and memory holds a part of it only."""
    folder = export(tmp_path, STOPPED, WELL)
    observation = next(item for item in told(STOPPED) if item["resourceType"] == "Observation")
    head = json.dumps({**observation, "id": "huge"})[:-1]
    with (folder / "2.Observation.ndjson").open("wb") as file:
        file.write(head.encode() + b', "note": [{"text": "')
        for _ in range(100):
            file.write(b"x" * 1024 * 1024)
        file.write(b'"}]}\n')
    results, run = run_over(folder)
    assert run.tally.unused[("longer than a line may be", "Observation")] == 1
    assert "data-not-available" in of(results)[TREATED].rule_ids
    assert "alectinib-lung-stop" in of(results)[TREATED].rule_ids
    assert of(results)[f"{WELL}-patient"].rule_ids == ()


def test_a_line_that_is_no_json_is_told_of_its_patient_where_it_names_one(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    observation = next(item for item in told(STOPPED) if item["resourceType"] == "Observation")
    cut = json.dumps(observation)[:-9].encode()
    assert b"Patient/" in cut
    (folder / "2.Observation.ndjson").write_bytes(cut + b"\n{\n")
    results, run = run_over(folder)
    assert "data-not-available" in of(results)[TREATED].rule_ids
    assert [(item.source, item.error) for item in results if item.error] == [
        ("2.Observation.ndjson:2", "a line cannot be read")
    ]
    assert not run.tally.whole


def test_two_people_with_one_id_are_not_taken_for_one(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    file = folder / "1.Patient.ndjson"
    one = json.loads(file.read_bytes())
    other = {"resourceType": "Patient", "id": one["id"], "birthDate": "1931-02-03"}
    file.write_bytes(lines([one, other]))
    (result,) = all_results(folder)
    assert result.error == TWO_PEOPLE


def test_a_corrected_birth_date_is_no_second_person(tmp_path: Path) -> None:
    folder = export(tmp_path, STOPPED)
    file = folder / "1.Patient.ndjson"
    number = [{"system": "urn:mrn", "value": "7"}]
    one = {**json.loads(file.read_bytes()), "identifier": number}
    file.write_bytes(lines([one, {**one, "birthDate": "1931-02-03"}]))
    (result,) = all_results(folder)
    assert result.error is None


def test_every_line_of_a_file_is_in_exactly_one_stretch(tmp_path: Path) -> None:
    file = tmp_path / "lines.ndjson"
    texts = [b"%d" % number + b"x" * (number % 7) for number in range(200)]
    file.write_bytes(b"\n".join(texts))
    for longest in (1, 2, 3, 10, 64, 999, 5000):
        parts = stretches(file.stat().st_size, compressed=False, longest=longest)
        found = [line.text for part in parts
                 for line in lines_of(file, compressed=False, stretch=part)]  # fmt: skip
        assert found == texts, longest


def test_an_empty_compressed_file_holds_no_line(tmp_path: Path) -> None:
    file = tmp_path / "none.ndjson.gz"
    file.write_bytes(gzip.compress(b""))
    assert list(lines_of(file, compressed=True, stretch=Stretch())) == []


def test_the_needed_types_are_those_that_the_services_ask_for() -> None:
    assert {"Patient", "Condition", "MedicationRequest", "Observation"} < EVERY_TYPE
    assert LONGEST_LINE > 1024 * 1024
