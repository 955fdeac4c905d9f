"""Ray on this machine, started for the service and ended with it, or the cluster that RAY_ADDRESS names."""

from __future__ import annotations

import logging
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray

from ...engine.system.process.signals import ENDING
from ..settings import MIB
from ..watch.json_log import log_too

ADDRESS = "RAY_ADDRESS"
_STORE_MIB = 512  # of shared memory, in which images and answers pass
_SHORT = Path("/tmp")  # paths of sockets have at most 107 characters, and Ray's own part takes 70


class RayCluster:
    """Ray, once it is joined.

    Attributes:
        own: Whether it is started for the service.
        joined: Whether it runs.
    """

    def __init__(self) -> None:
        self.own = not os.environ.get(ADDRESS)
        self.joined = False
        self._folder: TemporaryDirectory[str] | None = None

    def join(self, *, cpus: int) -> None:
        """Start or join Ray.

        Args:
            cpus: That Ray counts on this machine if it starts it: the threads of all replicas, however many cores.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers otherwise
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self.own:
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # its ports listen on every network
            log_too("ray", level=logging.ERROR)  # it warns of the token
            place = _SHORT if _SHORT.is_dir() else None
            self._folder = TemporaryDirectory(prefix="depthrt-ray-", dir=place, ignore_cleanup_errors=True)
            options |= {"address": "local", "num_cpus": cpus, "include_dashboard": False}
            options |= {"object_store_memory": _STORE_MIB * MIB, "_temp_dir": self._folder.name}
        with signals_kept():
            ray.init(**options)
        self.joined = True

    def leave(self) -> None:
        """End or leave Ray, and remove its logs if it was started for the service."""
        if self.joined:
            ray.shutdown()
        if self._folder is not None:
            self._folder.cleanup()
        self.joined = False


@contextmanager
def signals_kept() -> Iterator[None]:
    """Undo that the block takes over a signal that ends the program, as Ray does it."""
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
