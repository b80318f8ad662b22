"""The log: one JSON object a line, and nothing in it that belongs to a patient or a caller."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cds_service.operations.logs import LOGGABLE_KEYS, configure_logging
from cds_service.settings import SettingsError

NAME = "Rosalind Quillfeather"
RECORD_NUMBER = "MRN-00731955"
TOKEN = "eyJhbGciOiJFUzM4NCJ9.eyJpc3MiOiJodHRwczovL2VociJ9.c2lnbmF0dXJlLWJ5dGVz"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("INFO", stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = True
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def only_line(stream: io.StringIO) -> dict[str, Any]:
    (line,) = lines(stream)
    return line


def raise_with_patient_data() -> None:
    raise KeyError(f"no such resource for {NAME}, {RECORD_NUMBER}")


def test_an_answered_call_is_logged_with_its_allowed_keys(log: io.StringIO) -> None:
    structlog.get_logger().info(
        "answered",
        hook="order-sign",
        service="alk-order-sign",
        hook_instance="2f1b8a44-6f3c-4a5e-9a58-0d6e3f1f2a10",
        status=200,
        duration_ms=12.5,
        client="Example EHR",
        rule_ids=["alectinib/withhold-alt", "gate.alk-confirmed"],
        card_count=2,
    )

    line = only_line(log)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "answered",
        "level": "info",
        "hook": "order-sign",
        "service": "alk-order-sign",
        "hook_instance": "2f1b8a44-6f3c-4a5e-9a58-0d6e3f1f2a10",
        "status": 200,
        "duration_ms": 12.5,
        "client": "Example EHR",
        "rule_ids": ["alectinib/withhold-alt", "gate.alk-confirmed"],
        "card_count": 2,
    }


def test_keys_that_are_not_on_the_list_are_dropped_and_counted(log: io.StringIO) -> None:
    structlog.get_logger().info("read", patient=NAME, resource={"id": RECORD_NUMBER}, status=200)

    line = only_line(log)
    assert line["dropped_keys"] == 2
    assert set(line) <= LOGGABLE_KEYS
    assert NAME not in log.getvalue()
    assert RECORD_NUMBER not in log.getvalue()


@pytest.mark.parametrize("key", ["outcome", "service", "hook", "reason_code", "rule_ids"])
@pytest.mark.parametrize("value", [NAME, [NAME], {"name": NAME}, NAME.encode(), [[NAME]]])
def test_a_key_for_codes_takes_no_sentence_and_no_structure(
    log: io.StringIO, key: str, value: object
) -> None:
    structlog.get_logger().info("read", **{key: value})

    assert "Quillfeather" not in log.getvalue()
    assert only_line(log)[key] in ("[withheld]", ["[withheld]"])


def test_a_key_for_numbers_takes_only_numbers(log: io.StringIO) -> None:
    structlog.get_logger().info("read", status=NAME, card_count=3, duration_ms=None)

    line = only_line(log)
    assert line["status"] == "[withheld]"
    assert line["card_count"] == 3
    assert line["duration_ms"] is None


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        TOKEN[:25],
        f"Bearer {TOKEN}",
        "bearer 0123456789abcdef",
        "Basic dXNlcjpwYXNzd29yZA==",
        "postgresql://cds:hunter2hunter2@database/cds",
    ],
)
def test_credentials_are_masked_wherever_they_stand(log: io.StringIO, secret: str) -> None:
    structlog.get_logger().info(f"refused {secret} here", outcome=secret, client=secret)
    logging.getLogger("cds_service.protocol").warning(f"refused {secret} here")

    assert len(lines(log)) == 2
    for part in (TOKEN[:25], "0123456789abcdef", "dXNlcjpwYXNzd29yZA", "hunter2"):
        assert part not in log.getvalue()
    assert "[masked credential]" in lines(log)[0]["event"]
    assert "[masked credential]" in lines(log)[1]["event"]


def test_an_exception_is_its_type_and_our_own_call_sites(log: io.StringIO) -> None:
    try:
        configure_logging(NAME)
    except KeyError as error:
        try:
            raise_with_patient_data()
        except KeyError as second:
            second.__traceback__ = error.__traceback__
            structlog.get_logger().error("failed", exc_info=True)

    line = only_line(log)
    assert line["exception"]["type"] == "builtins.KeyError"
    (frame,) = line["exception"]["frames"]
    assert frame.startswith("cds_service/operations/logs.py:")
    assert line["exception"]["caused_by"] == ["builtins.KeyError"]
    assert "message" not in line["exception"]
    assert "Quillfeather" not in log.getvalue()
    assert RECORD_NUMBER not in log.getvalue()


def test_an_exception_of_a_library_logger_is_reduced_too(log: io.StringIO) -> None:
    try:
        raise_with_patient_data()
    except KeyError:
        logging.getLogger("flask.app").exception("Exception on %s [%s]", f"/{NAME}", "POST")

    line = only_line(log)
    assert line["event"] == "Exception on %s [%s]"
    assert line["level"] == "error"
    assert line["exception"]["type"] == "builtins.KeyError"
    assert "Quillfeather" not in log.getvalue()


def test_an_exception_that_declares_its_text_safe_keeps_it(log: io.StringIO) -> None:
    error = SettingsError({"ALK_CDS_BIND": "must be host:port"})
    structlog.get_logger().error("cannot start", exc_info=error)

    assert "ALK_CDS_BIND: must be host:port" in only_line(log)["exception"]["message"]


def test_a_library_message_keeps_its_fixed_text_without_what_was_filled_in(
    log: io.StringIO,
) -> None:
    path = f"/Observation?patient={RECORD_NUMBER}"
    logging.getLogger("some.library").warning("Retrying %s", path)

    line = only_line(log)
    assert line["event"] == "Retrying %s"
    assert line["where"].startswith("test_logs:")
    assert RECORD_NUMBER not in log.getvalue()


def test_a_library_message_that_was_put_together_beforehand_is_withheld(log: io.StringIO) -> None:
    logging.getLogger("some.library").error(f"cannot parse {NAME}")

    assert only_line(log)["event"] == "[withheld]"


def test_a_bad_request_quoted_by_the_server_is_withheld(log: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").warning(f"Invalid request from ip=1: /decisions/{TOKEN}")

    assert only_line(log)["event"] == "[withheld]"


def test_our_own_messages_are_filled_in_with_codes_only(log: io.StringIO) -> None:
    own = logging.getLogger("alk_cds.protocol")
    own.warning("refused: %s", "expired", extra={"client": None, "status": 401})
    own.warning("refused: %s", NAME)
    own.warning("all of %(things)s", {"things": NAME})
    own.warning("status %d", NAME)
    own.error("unhandled %s at %s", "KeyError", "blueprint.py:204 dispatch > reading.py:12 read")

    assert [line["event"] for line in lines(log)] == [
        "refused: expired",
        "refused: [withheld]",
        "all of %(things)s",
        "status %d",
        "unhandled KeyError at blueprint.py:204 dispatch > reading.py:12 read",
    ]
    assert lines(log)[0]["client"] is None


def test_a_warning_that_quotes_a_value_is_withheld(log: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"unexpected value {NAME}", stacklevel=1)

    assert len(lines(log)) == 1
    assert "Quillfeather" not in log.getvalue()


def test_extra_values_of_a_library_logger_pass_the_same_list(log: io.StringIO) -> None:
    logging.getLogger("cds_service.protocol").warning(
        "token refused", extra={"reason_code": "expired", "token_claims": NAME}
    )

    line = only_line(log)
    assert line["event"] == "token refused"
    assert line["reason_code"] == "expired"
    assert line["dropped_keys"] == 1
    assert "Quillfeather" not in log.getvalue()


def test_the_server_says_where_it_listens(log: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").info("Listening at: %s (%s)", "http://127.0.0.1:1", 7)

    assert only_line(log)["event"] == "Listening at: http://127.0.0.1:1 (7)"


def test_a_line_that_cannot_be_written_leaves_no_trace_of_its_arguments(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("gunicorn.error").info("Listening at: %s (%s)", NAME)

    assert "Quillfeather" not in log.getvalue()
    assert "Quillfeather" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "logger", ["alembic.runtime.migration", "some.library", "gunicorn.error", "werkzeug"]
)
def test_what_a_library_tells_of_itself_is_not_written(log: io.StringIO, logger: str) -> None:
    logging.getLogger(logger).info("Running %s", "upgrade")
    assert log.getvalue() == ""

    logging.getLogger(logger).warning("Gave up on %s", "upgrade")
    assert only_line(log)["event"] == "Gave up on %s"


def test_lines_below_the_level_are_not_written(log: io.StringIO) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("urllib3").debug("detail %s", "x")

    assert log.getvalue() == ""


def test_values_bound_to_a_call_pass_the_same_list(log: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(correlation_id="c-1", patient=NAME)
    structlog.get_logger().info("answered")

    line = only_line(log)
    assert line["correlation_id"] == "c-1"
    assert line["dropped_keys"] == 1
