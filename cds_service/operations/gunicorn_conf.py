"""How gunicorn runs the service. Every way of running it uses this one command::

    gunicorn --config python:cds_service.operations.gunicorn_conf "cds_service.app:create_app()"

Names in this module are gunicorn's own settings.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from gunicorn.glogging import Logger

from cds_service.knowledge.errors import KnowledgeError
from cds_service.operations.logs import configure_logging
from cds_service.operations.worker import Worker
from cds_service.records import RecordsError
from cds_service.releases import EXTENSION as RELEASES
from cds_service.settings import Settings, SettingsError, load_settings


class StructuredLogger(Logger):
    """gunicorn's logger without handlers of its own: the service's redaction writes every line."""

    def setup(self, cfg: Any) -> None:
        """Hand gunicorn's loggers to the root logger, which `configure_logging` owns."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        # gunicorn would otherwise log each request's path, and decision links carry a signature.
        self.access_log.setLevel(logging.CRITICAL)


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _say_plainly(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    """What the operator can mend is said in words; anything else keeps its stack trace."""
    if issubclass(kind, (SettingsError, KnowledgeError, RecordsError)):
        sys.stderr.write(f"{error}\n")
    else:
        sys.__excepthook__(kind, error, where)


# gunicorn lets what stops the application end the process, and Python tells it.
sys.excepthook = _say_plainly
_loaded = _settings()
configure_logging(_loaded.log_level)

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  not a temp file

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

# Each worker counts for itself, in a file; whoever is asked for the metrics adds them up. The
# library reads this variable when it is first imported, which is later. Numbers of an earlier run
# would be added too, so the folder is a new one.
_own_folder: str | None = None
if not os.environ.get(_METRICS_FOLDER):
    _own_folder = tempfile.mkdtemp(prefix="alk-cds-metrics-", dir=_MEMORY)
    os.environ[_METRICS_FOLDER] = _own_folder

bind = _loaded.bind
workers = _loaded.workers
proc_name = "alk-cds"
logger_class = StructuredLogger
loglevel = _loaded.log_level.lower()
accesslog = None

# Requests are taken in whole before a thread gets them, and one computes at a time.
worker_class = "cds_service.operations.worker.Worker"
threads = _loaded.threads
Worker.receive_seconds = _loaded.request_deadline_seconds
Worker.most_body_bytes = _loaded.max_body_bytes

# The rules are compiled once, before the workers start, which all use that copy.
preload_app = True

# A request ends itself at its deadline, with an answer; a worker that is silent for so much longer
# is stuck and is replaced, without one.
timeout = math.ceil(_loaded.request_deadline_seconds) + 20
graceful_timeout = 20

# The heartbeat file must not wait for a disk.
worker_tmp_dir = _MEMORY

# Nothing here uses gunicorn's control socket, and a read-only container cannot hold it.
control_socket_disable = True


def when_ready(server: Any) -> None:
    """Take what was loaded so far out of garbage collection, just before the workers start.

    A full collection would otherwise walk all compiled rules and models again in the middle of a
    call, in every worker; it was the main cause of slow answers when measured.
    """
    del server
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Begin with the release that is chosen now: it can be a later one than was loaded before."""
    releases = getattr(worker.wsgi, "extensions", {}).get(RELEASES)
    if releases is not None:
        releases.look()
        releases.watch()


def child_exit(server: Any, worker: Any) -> None:
    """Let go of what a worker that ended counted as its own; its sums are kept."""
    from prometheus_client.multiprocess import mark_process_dead

    del server
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Clear away the folder of the metrics."""
    del server
    if _own_folder is not None:
        shutil.rmtree(_own_folder, ignore_errors=True)
