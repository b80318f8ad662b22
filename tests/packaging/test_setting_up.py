"""Setting up: the same on any day, and one sentence when it cannot be done."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.tiny_project import (
    PIP_WITHOUT_THE_FAULT,
    ROOT,
    TinyProject,
    find_python,
    pip_variables,
    pip_version,
    run,
)

TOO_OLD = [f"3.{minor}" for minor in range(6, 11)] + ["2.7"]
UNPINNED = "In --require-hashes mode, all requirements must have their versions pinned"


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    return TinyProject(tmp_path)


def told(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a set-up that failed; make adds its own line."""
    assert result.returncode != 0, result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    lines = [line for line in result.stderr.splitlines() if not re.match(r"make(\[\d+\])?: ", line)]
    assert len(lines) == 1, result.stderr
    return lines[0]


def python(minor: str) -> str:
    found = find_python(minor)
    if found is None:
        pytest.skip(f"no Python {minor} on this machine")
    return found


@pytest.mark.parametrize("minor", TOO_OLD)
def test_a_python_that_is_too_old_is_refused(project: TinyProject, minor: str) -> None:
    result = project.make("setup", python=python(minor))

    assert "Python 3.11 or newer was not found at" in told(result)
    assert not project.environment.exists()


@pytest.mark.parametrize("given", ["", "no-such-python", "/bin/false"])
def test_a_python_that_is_none_is_refused(project: TinyProject, given: str) -> None:
    assert "Python 3.11 or newer was not found" in told(project.make("setup", python=given))


def test_the_script_itself_tells_an_old_python_what_is_needed(project: TinyProject) -> None:
    result = run(python("3.10"), "tools/install.py", ".venv", cwd=project.folder)

    assert told(result) == "set-up stopped: this is Python 3.10; 3.11 or newer is needed"


def test_a_folder_that_is_no_environment_is_left_alone(project: TinyProject) -> None:
    project.environment.mkdir()
    (project.environment / "thesis.txt").write_text("two years of work", encoding="utf-8")

    assert ".venv is there and is no virtual environment: remove it" in told(project.make("setup"))
    assert [path.name for path in project.environment.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("minor", ["3.11", "3.12", "3.13", "3.14"])
def test_a_newer_release_of_a_part_changes_nothing(project: TinyProject, minor: str) -> None:
    # A part that the runtime lock has is there before pip could look for a newer one.
    other = project.wheel("other", "1.0")
    project.lock(other, development=(project.part, project.tool))
    project.wheel("part", "999", extra="extra")

    result = project.make("setup", python=python(minor))

    assert result.returncode == 0, result.stderr
    assert {"part": "1.0", "tool": "1.0", "alk-cds": "0"}.items() <= project.installed().items()
    resolving = run(
        *(".venv/bin/python", "-m", "pip", "install", "--dry-run", "--ignore-installed"),
        *("--require-hashes", "--requirement", "requirements-dev.lock"),
        cwd=project.folder,
        **project.variables(),
    )
    # What this holds off: the pip that comes with Python 3.11 looks for what is already locked.
    if pip_version(project.environment) < PIP_WITHOUT_THE_FAULT:
        assert UNPINNED in resolving.stderr


@pytest.mark.slow
def test_the_whole_development_lock_is_installed_beside_a_newer_release(tmp_path: Path) -> None:
    checkout, offered = tmp_path / "checkout", TinyProject(tmp_path / "offered")
    offered.wheel("coverage", "999", extra="toml")
    checkout.mkdir()
    for name in ("tools", "cds_service", "hooks", "fhir_fixtures"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("Makefile", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, checkout)
    for path in ROOT.glob("requirements*.lock"):
        shutil.copy(path, checkout)
    links = f"{os.environ.get('PIP_FIND_LINKS', '')} {offered.index}".strip()
    variables = pip_variables(PIP_FIND_LINKS=links)

    result = run("make", f"PYTHON={sys.executable}", "setup", cwd=checkout, **variables)

    if "cannot be reached" in result.stderr:
        pytest.skip("no package index can be reached")
    assert result.returncode == 0, result.stderr
    assert re.search(r"installing \d+ packages from requirements-dev\.lock", result.stdout)
    listed = run(".venv/bin/python", "-m", "pip", "freeze", cwd=checkout).stdout
    locked = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    version = re.search(r"^coverage==(\S+)", locked, re.MULTILINE)
    assert version
    assert f"coverage=={version[1]}\n" in listed
    if pip_version(checkout / ".venv") < PIP_WITHOUT_THE_FAULT:
        resolving = run(
            *(".venv/bin/python", "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            *("--require-hashes", "--requirement", "requirements-dev.lock"),
            cwd=checkout,
            **variables,
        )
        assert UNPINNED in resolving.stderr


@pytest.mark.slow
def test_a_lock_that_forgets_a_part_is_not_taken_for_installed(project: TinyProject) -> None:
    project.tool = project.wheel("tool", "1.0", needs="forgotten")
    project.lock(project.part)

    sentence = told(project.make("setup"))

    assert "does not fit together (tool 1.0 requires forgotten, which is not installed" in sentence
    assert not (project.environment / ".installed-requirements-dev.lock").exists()


@pytest.mark.slow
def test_a_second_set_up_does_nothing_and_a_new_lock_is_installed(project: TinyProject) -> None:
    first = project.make("setup")
    log = project.log()
    second = project.make("setup")

    assert re.search(r"making .venv with Python 3\.\d+\.\d+\n", first.stdout)
    assert "installing 1 packages from requirements.lock (about a minute)" in first.stdout
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert project.log() == log

    project.lock(project.wheel("part", "2.0", extra="extra"))
    assert project.make("setup").returncode == 0
    assert project.installed()["part"] == "2.0"


@pytest.mark.slow
def test_what_an_older_lock_left_behind_does_not_stop_a_set_up(project: TinyProject) -> None:
    tool = project.tool
    project.tool = project.wheel("old_tool", "1.0", needs="part<2")
    project.lock(project.part)
    assert project.make("setup").returncode == 0
    project.tool = tool
    project.lock(project.wheel("part", "2.0", extra="extra"))

    result = project.make("setup")

    assert result.returncode == 0, result.stderr
    assert "anew: what is in it does not fit together" in result.stdout
    assert "old_tool" not in project.installed()


@pytest.mark.slow
def test_without_a_network_it_says_so_and_goes_on_when_there_is_one(project: TinyProject) -> None:
    offline = project.make(
        "setup",
        PIP_NO_INDEX="0",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_FIND_LINKS="",
        PIP_RETRIES="1",
    )

    assert "the package index cannot be reached: check the network" in told(offline)
    assert "Connection refused" in project.log()
    again = project.make("setup")
    assert again.returncode == 0, again.stderr
    assert "anew" not in again.stdout


@pytest.mark.slow
def test_a_lost_network_leaves_what_was_installed_before(project: TinyProject) -> None:
    assert project.make("runtime-environment").returncode == 0

    told(project.make("setup", PIP_FIND_LINKS=""))

    again = project.make("runtime-environment", PIP_FIND_LINKS="")
    assert (again.returncode, again.stdout) == (0, "")
    assert project.installed()["part"] == "1.0"


@pytest.mark.slow
def test_a_package_that_was_altered_is_not_installed(project: TinyProject) -> None:
    project.wheel("part", "1.0", extra="extra", files=2)

    sentence = told(project.make("setup"))

    assert "is not the one whose hash stands in the lock" in sentence
    assert "part" not in project.installed()


@pytest.mark.slow
def test_a_package_that_the_index_does_not_have_is_named(project: TinyProject) -> None:
    project.part.unlink()

    assert "no ready-made file of part==1.0 for Python 3." in told(project.make("setup"))


def without_pip(environment: Path) -> None:
    for path in environment.glob("lib/python*/site-packages/pip*"):
        shutil.rmtree(path)


def without_its_python(environment: Path) -> None:
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").symlink_to(environment / "a-python-that-was-removed")


def moved(environment: Path) -> None:
    elsewhere = environment.parent / "elsewhere"
    environment.rename(elsewhere)
    shutil.copytree(elsewhere, environment, symlinks=True)
    (environment / ".made-at").write_text(str(elsewhere), encoding="utf-8")


def of_an_old_python(environment: Path) -> None:
    old = find_python("3.10") or find_python("3.9") or find_python("3.8")
    if old is None:
        pytest.skip("no older Python on this machine")
    shutil.rmtree(environment)
    subprocess.run([old, "-m", "venv", str(environment)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (without_pip, "its Python or its pip does not run"),
        (without_its_python, "its Python or its pip does not run"),
        (moved, "it was made at another place"),
        (of_an_old_python, "it holds Python 3."),
    ],
)
def test_an_environment_that_cannot_be_used_is_made_anew(
    project: TinyProject, spoil: Callable[[Path], None], why: str
) -> None:
    assert project.make("setup").returncode == 0
    spoil(project.environment)

    result = project.make("setup")

    assert result.returncode == 0, result.stderr
    assert f"making .venv anew: {why}" in result.stdout
    assert {"part": "1.0", "tool": "1.0", "alk-cds": "0"}.items() <= project.installed().items()


@pytest.mark.slow
def test_a_set_up_that_was_killed_recovers_by_itself(project: TinyProject) -> None:
    files = 4000
    project.lock(project.part, project.wheel("bulky", "1.0", files=files))

    def there() -> int:
        return len(list(project.environment.glob("lib/python*/site-packages/bulky/*.py")))

    process = subprocess.Popen(
        ["make", f"PYTHON={sys.executable}", "setup"],
        cwd=project.folder,
        env=project.variables(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and not there():
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Half a package is there, and looks whole to pip: the case that this is about.
    assert 0 < there() < files
    assert project.installed()["bulky"] == "1.0"

    result = project.make("setup")

    assert result.returncode == 0, result.stderr
    assert "anew: its last set-up did not come to the end" in result.stdout
    assert there() == files


@pytest.mark.slow
def test_two_set_ups_at_once_do_not_disturb_each_other(project: TinyProject) -> None:
    both = [
        subprocess.Popen(
            ["make", f"PYTHON={sys.executable}", "setup"],
            cwd=project.folder,
            env=project.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=1800) for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("making .venv with" in out for out, _ in outputs) == 1
    assert sum("waiting for another set-up" in out for out, _ in outputs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [5, 40])
def test_a_full_disk_is_named_and_room_is_all_it_needs(
    project: TinyProject, tmp_path: Path, megabytes: int
) -> None:
    """The smaller disk is full while the environment is made, the larger one while pip installs."""
    project.lock(project.part, project.large_wheel("large", 30))
    disk = tmp_path / "disk"
    disk.mkdir()
    small = f"mount -t tmpfs -o size={megabytes}m none {disk}"
    unshare = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    if not shutil.which("unshare") or run(*unshare, small, cwd=tmp_path).returncode:
        pytest.skip("a small disk cannot be mounted here")
    make = f"make PYTHON={sys.executable} VENV={disk}/venv setup"
    larger = f"mount -o remount,size=200m {disk}"

    result = run(
        *unshare,
        f"{small} && {make}; status=$?; {larger} && {make} >&2; echo then $?; exit $status",
        cwd=project.folder,
        **project.variables(),
    )

    assert result.returncode != 0
    assert result.stdout.rstrip().endswith("then 0"), result.stdout + result.stderr
    assert "set-up stopped: no space is left on the disk of" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
