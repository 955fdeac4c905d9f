"""`depthrt serve` as a program of a test, and requests to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Started:
    """A service that runs.

    Args:
        process: The program.
        address: Where it listens.
        errors: File of its standard error.
    """

    process: subprocess.Popen[str]
    address: str
    errors: Path

    def post(self, content: bytes, query: str = "", kind: str = "image/png") -> tuple[int, bytes, dict[str, str]]:
        """Post to /v1/depth; return status, body and headers."""
        return self._send(Request(f"{self.address}/v1/depth{query}", content, {"Content-Type": kind}))

    def get(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        return self._send(Request(self.address + path))

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the log so far."""
        return [json.loads(line) for line in self.errors.read_text().splitlines()]

    def stop(self, number: int) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    @staticmethod
    def _send(request: Request) -> tuple[int, bytes, dict[str, str]]:
        try:
            with urlopen(request, timeout=WAIT_S) as answer:
                return answer.status, answer.read(), _lower(answer.headers)
        except HTTPError as error:
            return error.code, error.read(), _lower(error.headers)


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextmanager
def started(
    errors: Path,
    *options: str,
    program: tuple[str, ...] = (sys.executable, "-m", "depthrt"),
    port: str | None = "0",
    **more: Any,  # noqa: ANN401
) -> Iterator[Started]:
    """Run the program in the block; give it once it is ready.

    Args:
        errors: File for its standard error.
        options: Of `depthrt serve`.
        program: Before them.
        port: To listen on; None leaves it to the variable PORT.
        more: For subprocess.Popen.
    """
    port_option = () if port is None else ("--port", port)
    command = [*program, "serve", *port_option, "--threads", "1", *options]
    env = {name: value for name, value in os.environ.items() if name != "PORT"}
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command, **{"stdout": subprocess.PIPE, "stderr": stderr, "text": True, "env": env, **more}
        ) as process,
    ):
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, errors.read_text()
            yield Started(process, address, errors)
        finally:
            process.kill()
