"""Whether the service is alive, and whether it can do its work, with reasons.

Ready means that an EHR gets its cards. What is only kept back meanwhile, such as decisions that
wait on disk for their database, is told as degraded: taken out of service for it, every machine
would leave at once, and with them every check.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response

from cds_service.records import RecordsError

_LEAST_FREE_BYTES = 100_000_000
_KEPT_SECONDS = 2.0
"""A readiness that was just asked for is told again: asking must not become a load."""


class NotReadyError(Exception):
    """Why a part cannot do its work, in fixed words. ``is_fatal``: no cards without it."""

    def __init__(self, reason: str, *, is_fatal: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_fatal = is_fatal


Check = Callable[[], None]
"""Raises NotReadyError or RecordsError when its part cannot do its work."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What all checks said at one moment."""

    status: str
    checks: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        return self.status != "not ready"


class Health:
    """Asks each part by its name."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._told: tuple[float, Readiness] | None = None

    def readiness(self) -> Readiness:
        """What the parts say now, or said a moment ago."""
        with self._lock:
            if self._told is None or time.monotonic() - self._told[0] > _KEPT_SECONDS:
                self._told = (time.monotonic(), self._asked())
            return self._told[1]

    def _asked(self) -> Readiness:
        told: dict[str, str] = {}
        status = "ready"
        for name, check in self._checks.items():
            try:
                check()
            except NotReadyError as error:
                told[name] = error.reason
                status = "not ready" if error.is_fatal else _worse(status)
            except RecordsError as error:
                told[name] = str(error)
                status = _worse(status)
            except Exception as error:  # noqa: BLE001 - its text may hold anything
                told[name] = f"the check failed: {type(error).__name__}"
                status = "not ready"
            else:
                told[name] = "ok"
        return Readiness(status, told)


def _worse(status: str) -> str:
    return "degraded" if status == "ready" else status


def check_disk(folder: Path) -> None:
    """Whether decisions can wait in this folder."""
    if not os.access(folder, os.W_OK):
        raise NotReadyError("the folder of the queue cannot be written to", is_fatal=False)
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise NotReadyError("less than 100 MB of disk are free", is_fatal=False)


def create_health_blueprint(about: Mapping[str, str], health: Health) -> Blueprint:
    """``/health`` and ``/health/live`` say that it runs, ``/health/ready`` whether it can work."""
    blueprint = Blueprint("health", __name__)

    def up() -> Response:
        return _json({"status": "up", **about})

    def ready() -> Response:
        found = health.readiness()
        body = {"status": found.status, "checks": dict(found.checks), **about}
        return _json(body, 200 if found.is_ready else 503)

    blueprint.add_url_rule("/health", "health", up)
    blueprint.add_url_rule("/health/live", "live", up)
    blueprint.add_url_rule("/health/ready", "ready", ready)
    return blueprint


def _json(body: object, status: int = 200) -> Response:
    return Response(
        json.dumps(body),
        status=status,
        mimetype="application/json",
        headers={"Cache-Control": "no-store"},
    )
