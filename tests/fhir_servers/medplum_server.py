"""Medplum's FHIR R4 router over its repository in memory, run by Node (`medplum/server.mjs`)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fhir_servers.starting import ServerMissingError, built, copied, needed, running

OLDEST_NODE = (20, 19)
INSTALL_SECONDS = 180
START_SECONDS = 60


@contextmanager
def medplum_server(folder: Path) -> Iterator[str]:
    """The address below which each segment is an empty server. Raises ServerMissingError."""
    wanted = ".".join(map(str, OLDEST_NODE))
    node = needed("node", f"Node {wanted} or newer")
    npm = needed("npm", "npm fetches the Medplum packages")
    version = _node_version(node)
    if version < OLDEST_NODE:
        found = ".".join(map(str, version))
        raise ServerMissingError(f"Node {found} is too old, Medplum needs {wanted} or newer")
    project = copied("medplum", folder)
    built(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], project,
        seconds=INSTALL_SECONDS,
    )  # fmt: skip
    with running([node, "server.mjs", "0"], project, seconds=START_SECONDS) as address:
        yield address


def _node_version(node: str) -> tuple[int, int]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major, _, rest = said.strip().removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)
