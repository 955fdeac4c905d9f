"""The server under load: `depthrt serve` in its own process on this machine, its memory and its CPU time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

from ...engine.errors import DepthrtError
from ...engine.system.machine import read_fields

_END_S = 60  # in which a server that is asked to end answers what it accepted
_TAIL = 2000  # characters of its log that an error shows


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that runs.

    Args:
        host, port: Where it listens.
        pid: Of its process.
    """

    host: str
    port: int
    pid: int

    def memory_mib(self) -> float:
        """Return its memory in RAM; 0 where the system does not tell."""
        return _kib(read_fields(self._proc / "status").get("VmRSS", "0 kB")) / 1024

    def peak_mib(self) -> float:
        """Return the most memory in RAM that it has had; 0 where the system does not tell."""
        return _kib(read_fields(self._proc / "status").get("VmHWM", "0 kB")) / 1024

    def cpu_s(self) -> float:
        """Return the CPU time of all its threads so far; 0 where the system does not tell."""
        try:
            text = (self._proc / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return 0.0
        # Source: proc_pid_stat(5): utime and stime are fields 14 and 15; the name, field 2, may hold spaces.
        ticks = text.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    @property
    def _proc(self) -> Path:
        return Path("/proc") / str(self.pid)


@contextmanager
def open_server(options: Sequence[str]) -> Iterator[ServerProcess]:
    """Start `depthrt serve` with options on a free port and yield it once it is ready; end it after the block.

    Raises:
        DepthrtError: It did not start, or it did not end in order.
    """
    command = [sys.executable, "-m", "depthrt", "serve", "--port", "0", *options]
    with TemporaryFile("w+", encoding="utf-8") as log:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            try:
                assert process.stdout is not None
                address = urlsplit(process.stdout.readline().strip())
                if address.port is None:
                    process.wait(_END_S)
                    raise DepthrtError(f"depthrt serve did not start: {_tail(log)}")
                yield ServerProcess(str(address.hostname), address.port, process.pid)
                process.terminate()
                process.wait(_END_S)
            finally:
                process.kill()
        if process.returncode not in (0, 143):
            raise DepthrtError(f"depthrt serve ended with code {process.returncode}: {_tail(log)}")


def _tail(log: IO[str]) -> str:
    log.seek(0)
    return log.read()[-_TAIL:].strip()


def _kib(text: str) -> float:
    return float(text.split(maxsplit=1)[0])
