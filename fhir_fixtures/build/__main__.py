"""Rewrite ``fhir_fixtures/patients`` from the stories told here, and then the stored requests."""

from __future__ import annotations

import sys
from pathlib import Path

from fhir_fixtures.build import write_stories
from fhir_fixtures.build.requests import write_requests

PATIENTS = Path(__file__).parent.parent / "patients"
REQUESTS = Path(__file__).parent.parent / "requests"


def main() -> int:
    """Write all stories and say how many."""
    written = write_stories(PATIENTS)
    sys.stdout.write(f"{written} stories written\n")
    return 0


def requests() -> int:
    """Write the requests made from the stories on file and say how many."""
    written = write_requests(REQUESTS)
    sys.stdout.write(f"{written} requests written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main() or requests())
