"""How many patients of a cohort one processor decides: `python -m benchmarks.batch`.

The charts are those of the stories in which an ALK inhibitor is or was taken, as files that were
read already; they are decided as `alk-cds cohort` decides them, in one process, and again and
again. The figure counts the processor's time, so that what else the machine does is left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from datetime import UTC, date, datetime

import orjson

from benchmarks.report import DOCUMENT, machine, rewrite
from cds_service.cohort import Chart, Setup, run_cohort
from cds_service.knowledge.release import Knowledge, load_knowledge
from fhir_fixtures import load_story, story_names


def charts(knowledge: Knowledge, today: date) -> list[Chart]:
    """The charts in which an ALK inhibitor stands among the medications."""
    found: list[Chart] = []
    for name in story_names():
        bundle = load_story(name, today).bundle
        orders = [
            entry["resource"]
            for entry in bundle["entry"]
            if entry["resource"]["resourceType"].startswith("Medication")
        ]
        words = orjson.dumps(orders).decode().lower()
        if any(drug in words for drug in knowledge.inhibitors):
            found.append(Chart(name, None, orjson.dumps(bundle)))
    return found


def main() -> int:
    """Decide, print the figure and, if asked, write it to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=int, default=10, help="how often each chart in a round")
    parser.add_argument("--write", action="store_true", help=f"write the result to {DOCUMENT}")
    asked = parser.parse_args()
    today = datetime.now(UTC).date()
    chosen = charts(load_knowledge(), today)
    rates: list[float] = []
    # Asked for in one run: loading the release and the first round are not counted.
    results = run_cohort(
        (chart for _ in range(asked.times * (asked.rounds + 1)) for chart in chosen),
        Setup(today, today=today),
    )
    for number in range(asked.rounds + 1):
        started = time.process_time()
        for _ in range(asked.times * len(chosen)):
            if (error := next(results).error) is not None:
                raise RuntimeError(f"a chart was not decided: {error}")
        if number:
            rates.append(asked.times * len(chosen) / (time.process_time() - started))
    text = (
        f"Measured {machine()}: {statistics.median(rates):.0f} patients a second and processor"
        f" ({min(rates):.0f} to {max(rates):.0f} in {asked.rounds} rounds), of {len(chosen)} charts"
        " with ALK inhibitors."
    )
    sys.stdout.write(text + "\n")
    if asked.write:
        rewrite("batch", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
