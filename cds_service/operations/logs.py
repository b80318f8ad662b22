"""Structured logging that cannot carry patient data.

Every line, whether it comes from this service or from a library, passes one processor. It keeps
only the keys of a closed list, masks what looks like a credential, reduces an exception to its
type and our own call sites, and keeps a library's message only as the fixed text that stands in
that library's code. What it takes out it counts, so that a gap in the log is visible.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog

EVENT_KEYS = frozenset({"client", "event", "server_reason"})
"""Keys whose values may be words with spaces: fixed texts of our code, configured names, and what
`fhir.server_reasons` lets through of a server's words."""

CODE_KEYS = frozenset(
    {
        "correlation_id",
        "environment",
        "hook",
        "hook_instance",
        "jurisdiction",
        "kind",
        "level",
        "logger",
        "method",
        "outcome",
        "prefetch_key",
        "reason_code",
        "release",
        "resource_type",
        "route",
        "rule_ids",
        "service",
        "timestamp",
        "where",
    }
)
"""Keys whose values are codes or lists of codes: no spaces, so no sentence and no full name."""

NUMBER_KEYS = frozenset(
    {
        "attempt",
        "body_bytes",
        "card_count",
        "dropped_keys",
        "duration_ms",
        "fhir_duration_ms",
        "fhir_queries",
        "process_id",
        "received",
        "resource_count",
        "status",
        "unknown_count",
        "workers",
    }
)
"""Keys whose values are numbers or booleans."""

LOGGABLE_KEYS = EVENT_KEYS | CODE_KEYS | NUMBER_KEYS | {"exception"}

WITHHELD = "[withheld]"
MASKED = "[masked credential]"

_OWN_PACKAGES = ("cds_service", "hooks", "fhir_fixtures")

_OWN_LOGGERS = (*_OWN_PACKAGES, "alk_cds")
"""Loggers of this service: their messages are fixed texts, filled in with codes at most."""

_SAFE_TEMPLATES = frozenset(
    {
        "Starting gunicorn %s",
        "Listening at: %s (%s)",
        "Using worker: %s",
        "Booting worker with pid: %s",
        "Handling signal: %s",
        "Shutting down: %s",
        "Worker exiting (pid: %s)",
        "Worker (pid:%s) was sent %s!",
        "Worker (pid:%s) exited with code %s",
        "WORKER TIMEOUT (pid:%s)",
    }
)
"""Messages of the server that say only how it runs, and that an operator needs filled in."""

_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message"}
"""What every log record carries; anything else on a record was put there by its caller."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+/-]{0,127}")
_CALL_SITES = re.compile(r"[\w.]+\.py:\d+ [\w<>]+(?: > [\w.]+\.py:\d+ [\w<>]+)*")
_LONGEST_TEXT = 300

_CREDENTIALS = re.compile(
    r"(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"  # an Authorization header
    r"|\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,4}"  # a JSON Web Token, whole or cut off
    r"|[a-z][a-z0-9+]*://[^\s/@:]+:[^\s/@]+@"  # a password inside an address
)


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Route all logging through the redaction and write it as one JSON object a line.

    Safe to call more than once; the last call decides.

    :param level: least severe level to write, for example ``"INFO"``.
    :param stream: where to write; standard error when left out.
    """
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RecordFormatter())
    if number > logging.DEBUG:
        handler.addFilter(_no_chatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # logging would otherwise print the arguments of a line that it cannot write.
    logging.raiseExceptions = False
    # A warning's text may quote the value that it warns about.
    logging.captureWarnings(capture=True)


def _no_chatter(record: logging.LogRecord) -> bool:
    """Whether a line says something: of a library only what it warns of, and how the server runs.

    Below that a library's line is its template alone, such as "Running %s", which tells nobody
    anything.
    """
    family = record.name.split(".", 1)[0]
    return (
        record.levelno >= logging.WARNING
        or family in _OWN_LOGGERS
        or (family == "gunicorn" and record.msg in _SAFE_TEMPLATES)
    )


def redact(
    logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep what may be logged and count the rest. The only door to the log (a processor)."""
    del logger, method_name
    kept: dict[str, Any] = {}
    dropped = 0
    for key, value in event_dict.items():
        if key == "exc_info":
            described = _describe_exception(value)
            if described is not None:
                kept["exception"] = described
        elif key in EVENT_KEYS:
            kept[key] = _text(value)
        elif key in CODE_KEYS:
            kept[key] = _codes(value)
        elif key in NUMBER_KEYS:
            kept[key] = value if isinstance(value, int | float) or value is None else WITHHELD
        else:
            dropped += 1
    if dropped:
        kept["dropped_keys"] = dropped
    return kept


class RecordFormatter(logging.Formatter):
    """Writes a library's log record as our own line, without the text that may hold data."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object: the fixed text, where it was logged, and the allowed extra values."""
        line: dict[str, Any] = {
            key: value for key, value in vars(record).items() if key not in _RECORD_ATTRIBUTES
        }
        line |= structlog.contextvars.get_contextvars()
        moment = datetime.fromtimestamp(record.created, tz=UTC)
        line |= {
            "event": _fixed_text(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
            "where": f"{record.module}:{record.lineno}",
        }
        if record.exc_info:
            line["exc_info"] = record.exc_info
        return _render(None, "", redact(None, "", line))


def _fixed_text(record: logging.LogRecord) -> str:
    """The part of a record's message that stands in the source and so cannot hold data."""
    if not isinstance(record.msg, str):
        return WITHHELD
    family = record.name.split(".", 1)[0]
    if family == "gunicorn" and record.msg in _SAFE_TEMPLATES:
        return record.getMessage()
    if family in _OWN_LOGGERS:
        return _filled_in(record.msg, record.args)
    # Without arguments the text may have been put together from data before it got here.
    return record.msg if record.args else WITHHELD


def _filled_in(template: str, arguments: object) -> str:
    if not isinstance(arguments, tuple) or not arguments:
        return template
    try:
        return template % tuple(_codes(value) for value in arguments)
    except (TypeError, ValueError):
        # A number's place cannot show a withheld value; the template alone still says what it was.
        return template


def _render(logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> str:
    del logger, method_name
    return orjson.dumps(event_dict).decode()


def _codes(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        masked = _mask(value)
        harmless = masked == MASKED or _CODE.fullmatch(masked) or _CALL_SITES.fullmatch(masked)
        return masked if harmless else WITHHELD
    if isinstance(value, Sequence | frozenset | set) and not isinstance(value, bytes | bytearray):
        return [_codes(item) if isinstance(item, str | int) else WITHHELD for item in value]
    return WITHHELD


def _text(value: object) -> str | None:
    if value is None:
        return None
    return _mask(value) if isinstance(value, str) else WITHHELD


def _mask(text: str) -> str:
    masked = _CREDENTIALS.sub(MASKED, text)
    if len(masked) > _LONGEST_TEXT:
        return masked[:_LONGEST_TEXT] + "…"
    return masked


def _describe_exception(value: object) -> Mapping[str, Any] | None:
    """Type, causes and our own call sites of an exception; its text only if it says it is safe.

    The text of an unknown exception may quote a resource. A class whose text never holds anything
    from a request can say so with ``safe_to_log = True``.
    """
    if value is True:
        value = sys.exc_info()
    error = value[1] if isinstance(value, tuple) else value
    if not isinstance(error, BaseException):
        return None
    described: dict[str, Any] = {
        "type": _type_name(error),
        "frames": _own_frames(error.__traceback__),
    }
    if getattr(error, "safe_to_log", False):
        described["message"] = _mask(str(error))
    causes = _causes(error)
    if causes:
        described["caused_by"] = causes
    return described


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _causes(error: BaseException) -> list[str]:
    seen = {id(error)}
    names: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        names.append(_type_name(cause))
        cause = cause.__cause__ or cause.__context__
    return names


def _own_frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        package = module.split(".", 1)[0]
        path = traceback.tb_frame.f_code.co_filename.replace("\\", "/")
        if package in _OWN_PACKAGES and f"/{package}/" in path:
            inside = path.rsplit(f"/{package}/", 1)[1]
            frames.append(f"{package}/{inside}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return frames
