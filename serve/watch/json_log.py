"""Log lines as JSON objects, one a line, for machines that collect them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, TextIO

from ...engine.system.escape import escaped

LOGGER = "depthrt.serve"
_LOGGERS = (LOGGER, "depthrt", "uvicorn.error", "uvicorn")
_FIELDS = "fields"  # attribute of a record: what a line says besides its message


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message, the record's fields, an error's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        found: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": escaped(record.getMessage()),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=True, default=str)


def log(message: str, *, level: int = logging.INFO, error: BaseException | None = None, **fields: object) -> None:
    """Write a line of the service."""
    logging.getLogger(LOGGER).log(level, message, extra={_FIELDS: fields}, exc_info=error)


def log_too(*names: str, level: int = logging.WARNING) -> None:
    """Send what other loggers say from a level on to where the service's lines go."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = list(logging.getLogger(LOGGER).handlers), False
        logger.setLevel(level)


@contextmanager
def logs_as_json(stream: TextIO | None = None) -> Iterator[None]:
    """Send the lines of depthrt and of its server to a stream as JSON while the block runs; for programs.

    Args:
        stream: None takes standard error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING if logger.name.startswith("uvicorn") else logging.INFO)
    try:
        yield
    finally:
        for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
