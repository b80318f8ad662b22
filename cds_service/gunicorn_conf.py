"""How gunicorn runs the service. Every way of running it uses this one command::

    gunicorn --config python:cds_service.gunicorn_conf "cds_service.app:create_app()"

Names in this module are gunicorn's own settings.
"""

from __future__ import annotations

import gc
import logging
import math
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from cds_service.logs import configure_logging
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


_loaded = _settings()
configure_logging(_loaded.log_level)

bind = _loaded.bind
workers = _loaded.workers
proc_name = "alk-cds"
logger_class = StructuredLogger
loglevel = _loaded.log_level.lower()
accesslog = None

# Synchronous workers had the shortest slow answers for this work, which keeps a processor busy.
worker_class = "sync"

# The rules are compiled once, before the workers start, which all use that copy.
preload_app = True

# A request ends itself at its deadline, with an answer; a worker that is silent for so much longer
# is stuck and is replaced, without one.
timeout = math.ceil(_loaded.request_deadline_seconds) + 20
graceful_timeout = 20

# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  not a temp file

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
