"""Rewrite ``fhir_fixtures/patients`` from the stories told in this package."""

from __future__ import annotations

import sys
from pathlib import Path

from fhir_fixtures.build import write_stories

PATIENTS = Path(__file__).parent.parent / "patients"


def main() -> int:
    """Write all stories and say how many."""
    written = write_stories(PATIENTS)
    sys.stdout.write(f"{written} stories written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
