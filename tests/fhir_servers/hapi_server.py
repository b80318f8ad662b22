"""A real HAPI FHIR R4 server, built by Maven from published artifacts (`hapi/pom.xml`)."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fhir_servers.starting import ServerMissingError, built, copied, needed, running

OLDEST_JAVA = 17
BUILD_SECONDS = 300
START_SECONDS = 240
# A short life: the second compiler and the parallel collector would cost more than they save.
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g")


@contextmanager
def hapi_server(folder: Path) -> Iterator[str]:
    """The base address of a fresh, empty HAPI server. Raises ServerMissingError."""
    java = needed("java", f"Java {OLDEST_JAVA} or newer")
    needed("javac", f"a Java development kit, {OLDEST_JAVA} or newer")
    maven = needed("mvn", "Maven fetches the HAPI server")
    version = _java_version(java)
    if version < OLDEST_JAVA:
        raise ServerMissingError(f"Java {version} is too old, HAPI needs {OLDEST_JAVA} or newer")
    project = copied("hapi", folder)
    built(
        [maven, "--batch-mode", "--quiet", "compile", "dependency:build-classpath",
         "-Dmdep.outputFile=target/classpath.txt"],
        project,
        seconds=BUILD_SECONDS,
    )  # fmt: skip
    jars = (project / "target" / "classpath.txt").read_text(encoding="utf-8").strip()
    classes = os.pathsep.join([str(project / "target" / "classes"), jars])
    command = [java, *JAVA_OPTIONS, "-cp", classes, "alkcds.HapiServer", "0"]
    with running(command, project, seconds=START_SECONDS) as address:
        yield address


def _java_version(java: str) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(found.group(1)) if found else 0
