"""Make a virtual environment, and install locks into it without resolving anything.

    python tools/install.py [--editable FOLDER] [--this-python] ENVIRONMENT LOCK...

It needs nothing but a Python with ``venv``, and is the one way in which the Makefile, the image
and the CI script install a lock. A second call with the same locks finds its marks and does
nothing. Each failure ends in one sentence on standard error and status 1; what pip said stands in
``install.log`` inside the environment.
"""

import sys

# Kept readable for Python 3.8, so that one too old can say so.
if sys.version_info < (3, 11):
    sys.exit("set-up stopped: this is Python %d.%d; 3.11 or newer is needed" % sys.version_info[:2])

import argparse
import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

NEWEST_TESTED = (3, 14)
SPACE_NEEDED = "1 GB"
NO_NETWORK = (
    "the package index cannot be reached: check the network (behind a proxy also HTTPS_PROXY, "
    "with an index of your own also PIP_INDEX_URL), then run the same command again"
)
NO_SPACE = (
    "no space is left on the disk of {path} or of {temporary}: free about {needed}, then run the "
    "same command again"
)
ALTERED = (
    "a package that the index gave is not the one whose hash stands in the lock, so it was not "
    "installed: ask whoever runs the index, and see {log}"
)
NO_FILE = "the index has no ready-made file of {package} for Python {version} on this machine{hint}"
NO_VENV = (
    "this Python ({python}) cannot make virtual environments: install its venv module (on Debian "
    "and Ubuntu the package python{version}-venv), or name another with PYTHON="
)
NOT_OURS = (
    "{path} is there and is no virtual environment: remove it, or name another folder with VENV="
)
NO_MATCH = (
    "what the locks name does not fit together ({words}): make the locks anew with make lock, or "
    "take those of a released version"
)
OTHER = "installing failed ({words}): see {log}"


class RefusedError(Exception):
    """The set-up cannot go on; the text is the one sentence that says what to do."""


class MismatchError(RefusedError):
    """What is installed does not fit together."""


class Environment:
    """One virtual environment, the marks of what was installed into it, and the log of that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.python = path / "bin" / "python"
        self.log = path / "install.log"
        # There from the first change to the last. What was killed in between may leave a package
        # half there, and pip takes such a package for installed.
        self.unfinished = path / ".unfinished"
        # Scripts in it name this place, so it cannot be moved or copied.
        self.made_at = path / ".made-at"
        self.version = dotted(sys.version_info[:2])
        self.lock_handle = -1

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second set-up of the same folder waiting until this one has ended.

        The handle is passed on to pip: should this process be killed, pip still holds it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lock_handle = os.open(self.path.parent, os.O_RDONLY)
        try:
            try:
                fcntl.flock(self.lock_handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another set-up of {self.path} to end")
                fcntl.flock(self.lock_handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(self.lock_handle)

    def mark(self, name: str) -> Path:
        return self.path / f".installed-{name}"

    def has(self, name: str, digest: str) -> bool:
        try:
            return self.mark(name).read_text(encoding="ascii") == digest
        except (OSError, ValueError):
            return False

    def fault(self, this_python: bool) -> str:
        """Why the environment has to be made anew; empty if it can stay."""
        if self.unfinished.exists():
            return "its last set-up did not come to the end"
        report = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
        try:
            found = subprocess.run(
                [self.python, "-c", report], capture_output=True, text=True, check=True
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return "its Python or its pip does not run"
        too_old = tuple(map(int, found.split("."))) < (3, 11)
        if too_old or (this_python and found != self.version):
            return f"it holds Python {found}"
        if self.made_at.exists() and self.made_at.read_text("utf-8") != str(self.path.resolve()):
            return "it was made at another place"
        self.version = found
        return ""

    def make(self, why: str) -> None:
        """Make the environment, after removing what is left of an earlier one."""
        if self.path.exists():
            self.remove(why)
        self.path.mkdir(parents=True, exist_ok=True)
        self.unfinished.touch()
        self.made_at.write_text(str(self.path.resolve()), encoding="utf-8")
        self.version = dotted(sys.version_info[:2])
        say(f"making {self.path} with Python {dotted(sys.version_info[:3])}")
        # Started from an environment, possibly the one just removed, this is the Python below it.
        base = getattr(sys, "_base_executable", sys.executable)
        status, output = self.run(base, "-m", "venv", str(self.path))
        if status:
            raise RefusedError(
                NO_VENV.format(python=base, version=self.version)
                if "ensurepip" in output and not self.disk_is_full(output)
                else self.explain(output)
            )
        self.unfinished.unlink()

    def remove(self, why: str) -> None:
        left = list(self.path.iterdir()) if self.path.is_dir() else None
        ours = ("pyvenv.cfg", self.unfinished.name, self.log.name)
        if left is None or (left and not any((self.path / name).exists() for name in ours)):
            raise RefusedError(NOT_OURS.format(path=self.path))
        if why and left:
            say(f"making {self.path} anew: {why}")
        for entry in left:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def install_lock(self, lock: Path) -> None:
        """Install what the lock names, and nothing that it does not name.

        Without ``--no-deps`` old pips look for newer releases of what is already locked, and stop
        at the first; without ``--only-binary`` a package could be built, for which pip fetches
        tools that no lock names.
        """
        count = len(re.findall(r"^[A-Za-z0-9][^=\s]*==", lock.read_text("utf-8"), re.MULTILINE))
        say(f"installing {count} packages from {lock.name} (about a minute)")
        self.pip(
            "install", "--no-deps", "--only-binary", ":all:", "--require-hashes",
            "--requirement", str(lock), total=count,
        )  # fmt: skip

    def install_folder(self, folder: Path) -> None:
        self.pip("install", "--no-deps", "--no-build-isolation", "--editable", str(folder))

    def check(self) -> None:
        """Ask pip whether all that is installed fits together."""
        status, output = self.run(str(self.python), "-m", "pip", "check")
        if status:
            words = (output.strip().splitlines() or ["pip check said nothing"])[0]
            raise MismatchError(NO_MATCH.format(words=words))

    def pip(self, *arguments: str, total: int = 0) -> None:
        self.unfinished.touch()
        command = ["-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
        status, output = self.run(str(self.python), *command, total=total)
        if status:
            if "Installing collected packages" not in output and status > 0:
                # It ended by itself before it changed anything: the environment is as it was.
                self.unfinished.unlink(missing_ok=True)
            raise RefusedError(self.explain(output))

    def run(self, *command: str, total: int = 0) -> tuple[int, str]:
        """Run a command, add what it says to the log, and return its status and its words."""
        lines: list[str] = []
        done = 0
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=[self.lock_handle],
        )
        with process, self.log.open("a", encoding="utf-8", buffering=1) as log:
            for line in process.stdout or ():
                lines.append(line)
                log.write(line)
                if total and line.startswith(("Collecting ", "Processing ")):
                    done += 1
                    show(f"  {done} of {total} looked up")
                elif total and line.startswith("Installing collected packages"):
                    show("  unpacking")
        show("")
        return process.returncode, "".join(lines)

    def disk_is_full(self, words: str) -> bool:
        if re.search(r"No space left on device|Errno 28\b|Disk quota exceeded", words):
            return True
        # venv says only that one of its steps failed.
        places = (self.path, Path(tempfile.gettempdir()))
        return any(shutil.disk_usage(place).free < 10_000_000 for place in places)

    def explain(self, output: str) -> str:
        """One sentence for what made pip fail."""
        if self.disk_is_full(output):
            return no_space(self.path)
        if "DO NOT MATCH THE HASHES" in output:
            return ALTERED.format(log=self.log)
        if re.search(r"connection broken by|ConnectionError|Could not fetch URL", output):
            return NO_NETWORK
        if missing := re.search(r"No matching distribution found for ([^\s=]+==[^\s;]+)", output):
            newer = tuple(map(int, self.version.split("."))) > NEWEST_TESTED
            hint = ": use Python 3.11 to 3.14 by naming it with PYTHON=" if newer else ""
            hint = hint or f", or is not complete: see {self.log}"
            return NO_FILE.format(package=missing[1], version=self.version, hint=hint)
        errors = re.findall(r"^ERROR: (.+)$", output, re.MULTILINE)
        words = (errors or output.strip().splitlines() or ["it said nothing"])[-1].strip()
        return OTHER.format(words=words[:200].rstrip("."), log=self.log)


def no_space(path: Path) -> str:
    return NO_SPACE.format(path=path, temporary=tempfile.gettempdir(), needed=SPACE_NEEDED)


def dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def say(text: str) -> None:
    print(text, flush=True)


def show(text: str) -> None:
    """Put a short-lived line on a terminal; logs of others are spared it."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bring_up_to_date(
    environment: Environment, locks: Sequence[Path], folder: Path | None, this_python: bool
) -> None:
    """Make the environment if there is none that can be used, and install what it lacks."""
    if why := environment.fault(this_python):
        environment.make(why)
    try:
        install(environment, locks, folder)
    except MismatchError:
        if why:
            raise
        # An older lock may have left packages behind that the new one does not name.
        environment.make("what is in it does not fit together")
        install(environment, locks, folder)


def install(environment: Environment, locks: Sequence[Path], folder: Path | None) -> None:
    """Install each lock that is not marked as installed, and after the first the folder.

    A mark is written only when pip finds that all fits together.
    """
    for number, lock in enumerate(locks):
        marks = [] if environment.has(lock.name, digest(lock)) else [(lock.name, digest(lock))]
        with_folder = folder if number == 0 else None
        if with_folder:
            project = digest(with_folder / "pyproject.toml")
            if marks or not environment.has("project", project):
                marks.append(("project", project))
        if not marks:
            continue
        if marks[0][0] == lock.name:
            environment.install_lock(lock)
        if with_folder:
            environment.install_folder(with_folder)
        environment.check()
        for name, value in marks:
            environment.mark(name).write_text(value, encoding="ascii")
        environment.unfinished.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environment", type=Path)
    parser.add_argument("locks", type=Path, nargs="*", metavar="lock")
    parser.add_argument("--editable", type=Path, metavar="FOLDER", help="install this folder too")
    parser.add_argument(
        "--this-python", action="store_true", help="make anew what holds another Python"
    )
    given = parser.parse_args(arguments)
    environment = Environment(given.environment)
    try:
        with environment.alone():
            bring_up_to_date(environment, given.locks, given.editable, given.this_python)
    except RefusedError as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason = "interrupted; run the same command again"
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = f"{error.strerror or error}: {error.filename or environment.path}"
        reason = no_space(environment.path) if full else reason
    else:
        return 0
    print(f"set-up stopped: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
