"""Log lines are JSON, one a line, whatever stands in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from depthrt.serve.watch.json_log import LOGGER, log, logs_as_json

NAMES = (LOGGER, "depthrt", "uvicorn.error", "uvicorn")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    found = io.StringIO()
    with logs_as_json(found):
        yield found
    assert [(logger.handlers, logger.propagate, logger.level) for logger in loggers] == before


def test_a_line_holds_its_fields(stream: io.StringIO) -> None:
    log("request", request_id="abc", status=200)
    (found,) = map(json.loads, stream.getvalue().splitlines())
    assert (found["message"], found["request_id"], found["status"], found["level"]) == ("request", "abc", 200, "info")
    assert found["time"].endswith("+00:00")


def test_a_text_with_line_ends_stays_one_line(stream: io.StringIO) -> None:
    log("two\nlines\x1b[31m", name='"\n}')
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_the_traceback_of_a_bug_stands_in_its_line(stream: io.StringIO) -> None:
    try:
        raise KeyError("a")
    except KeyError as error:
        log("a request failed", level=logging.ERROR, error=error)
    assert "KeyError" in json.loads(stream.getvalue())["traceback"]


def test_warnings_of_the_runtime_are_lines_too(stream: io.StringIO) -> None:
    logging.getLogger("depthrt").warning("depthrt: %s", "no GPU")
    logging.getLogger("uvicorn.error").info("not of interest")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["depthrt: no GPU"]
