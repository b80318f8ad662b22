"""A project of the same shape as this one, small enough to be set up without a network.

It is set up by this project's own Makefile and ``tools/install.py``; only the two locks, the
packages that they name and the project itself are made up.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP_WITHOUT_THE_FAULT = (23, 3)
BUILDER = """
import zipfile
from pathlib import Path


def build_editable(folder, settings=None, metadata=None):
    info = "alk_cds-0.dist-info"
    with zipfile.ZipFile(Path(folder) / "alk_cds-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: alk-cds\\nVersion: 0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "alk_cds-0-py3-none-any.whl"
"""
PROJECT = """
[build-system]
requires = []
build-backend = "builder"
backend-path = ["."]

[project]
name = "alk-cds"
version = "0"
"""


class TinyProject:
    """``tool`` needs ``part[extra]``; the runtime lock names ``part``, the other one both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.index = folder / "index"
        self.index.mkdir(parents=True)
        shutil.copytree(ROOT / "tools", self.folder / "tools")
        shutil.copy(ROOT / "Makefile", self.folder)
        (self.folder / "builder.py").write_text(BUILDER, encoding="utf-8")
        (self.folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
        self.part = self.wheel("part", "1.0", extra="extra")
        self.tool = self.wheel("tool", "1.0", needs="part[extra]>=1")
        self.lock(self.part)

    @property
    def environment(self) -> Path:
        return self.folder / ".venv"

    def wheel(
        self, name: str, version: str, *, needs: str = "", extra: str = "", files: int = 1
    ) -> Path:
        """Put a package into the index; what pip takes for installed stands first in it."""
        path = self.index / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        metadata += f"Requires-Dist: {needs}\n" if needs else ""
        metadata += f"Provides-Extra: {extra}\n" if extra else ""
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            for number in range(files):
                archive.writestr(f"{name}/module_{number}.py", "")
            archive.writestr(f"{info}/RECORD", "")
        return path

    def large_wheel(self, name: str, megabytes: int) -> Path:
        path = self.wheel(name, "1.0")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"{name}/data", os.urandom(megabytes * 1_000_000))
        return path

    def lock(self, *run_time: Path, development: tuple[Path, ...] = ()) -> None:
        """Lock packages for run time, and these with others (``tool``) for development."""
        development = (*run_time, *(development or (self.tool,)))
        for name, wheels in (("", run_time), ("-dev", development)):
            text = "".join(map(locked, wheels))
            (self.folder / f"requirements{name}.lock").write_text(text, encoding="utf-8")

    def variables(self, **changed: str) -> dict[str, str]:
        offered = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index)}
        return pip_variables(**(offered | changed))

    def make(
        self, *arguments: str, python: str = sys.executable, **changed: str
    ) -> subprocess.CompletedProcess[str]:
        return run(
            "make", f"PYTHON={python}", *arguments, cwd=self.folder, **self.variables(**changed)
        )

    def installed(self) -> dict[str, str]:
        """What the environment's own Python finds, by name."""
        code = (
            "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"
        )
        result = run(str(self.environment / "bin" / "python"), "-c", code, cwd=self.folder)
        return dict(line.split() for line in result.stdout.splitlines())

    def log(self) -> str:
        return (self.environment / "install.log").read_text(encoding="utf-8")


def locked(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"


def pip_variables(**changed: str) -> dict[str, str]:
    """The caller's environment, without what would decide what pip or make do."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PIP_NO_", "MFLAGS"))}
    return {**kept, **changed}


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=variables or pip_variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )


def pip_version(environment: Path) -> tuple[int, ...]:
    result = run(str(environment / "bin" / "python"), "-m", "pip", "--version", cwd=environment)
    return tuple(int(part) for part in result.stdout.split()[1].split(".")[:2])


def runs(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def find_python(minor: str) -> str | None:
    """A Python of this version that really runs: on the path, or kept by pyenv."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{minor}")]
    candidates += [str(path) for path in sorted(kept.glob(f"{minor}.*/bin/python"))]
    return next((python for python in candidates if python and runs(python)), None)
