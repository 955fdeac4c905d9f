"""The service as a program: binds its address, loads its models, answers until a signal, then ends what it accepted."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from ..engine.errors import InputError
from ..engine.system.process.signals import ENDING, note
from .app import create_app
from .limits.patience import patient_protocol
from .replicas.replica import Replicas
from .replicas.scale import Scale
from .service import Service
from .settings import Settings
from .watch.json_log import log

_AFTER_S = 5  # beyond the longest request, in which answers are still sent


class Program(uvicorn.Server):
    """uvicorn's server, which on a signal first says that it stops, then stops.

    Args:
        config: Of uvicorn.
        service: That the app serves.
        on_ready: Called once connections are taken.
    """

    def __init__(self, config: uvicorn.Config, service: Service, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._on_ready = service, on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections.

        Raises:
            InputError: Another program took the address since it was bound.
        """
        try:
            await super().startup(sockets)
        except OSError as error:
            self._service.close()
            raise _cannot_listen("the address", error) from error
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Obey signals in the block; one that is ignored, as nohup does it, stays ignored."""
        before = {number: signal.getsignal(number) for number in ENDING}
        ours = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in ours:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in ours:
                signal.signal(number, before[number])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after drain_s, in which new requests are still taken; a second Ctrl-C stops at once."""
        if self._service.draining:
            self.force_exit = sig == signal.SIGINT
            return
        self._service.draining = True
        note(sig)
        timer = threading.Timer(self._service.settings.drain_s, self._stop)
        timer.daemon = True
        timer.start()

    def _stop(self) -> None:
        self.should_exit = True


def serve(
    settings: Settings, *, host: str, port: int, on_ready: Callable[[str], None], scale: Scale | None = None
) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C; every request that was accepted by then is answered.

    Args:
        settings: Of the service.
        host, port: Where it listens; port 0 takes a free one.
        on_ready: Called with the address once the models are loaded and connections are taken.
        scale: Number of replicas in processes of Ray Serve; None runs the models in this process.

    Raises:
        InputError: The address cannot be used.
        DepthrtError: A model cannot be served.
    """
    bound = bind(host, port)
    try:
        address = address_of(host, bound.getsockname()[1])
        service = Service(settings, None if scale is None else _replicas(settings, scale, address))
        config = uvicorn.Config(
            create_app(service),
            http=patient_protocol(settings.max_connections),
            loop="asyncio",  # Ray brings another one
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(longest_end_s(settings) - settings.drain_s),
        )

        def ready() -> None:
            log("ready", address=address, models=service.models.names)
            on_ready(address)

        Program(config, service, ready).run(sockets=[bound])
        log("stopped")
    finally:
        bound.close()


def _replicas(settings: Settings, scale: Scale, address: str) -> Replicas:
    """Start the replicas of a service, in an application of Ray Serve that is named after its address."""
    from .replicas.ray_replicas import RayReplicas

    where = "".join(char if char.isalnum() else "-" for char in address.partition("//")[2])
    return RayReplicas(settings, scale, name=f"depthrt-{socket.gethostname()}-{where}")


def longest_end_s(settings: Settings) -> float:
    """Return the time from a signal to the end of the program in the worst case."""
    return settings.drain_s + settings.upload_timeout_s + settings.timeout_s + _AFTER_S


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound and takes no connections yet.

    Raises:
        InputError: The address is taken, or is not one of this machine.
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":  # where it lets another program take the port as well
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except (OSError, OverflowError, UnicodeError) as error:
        found.close()
        raise _cannot_listen(f"{host} port {port}", error) from error
    return found


def address_of(host: str, port: int) -> str:
    """Return the address that a browser takes."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"


def _cannot_listen(place: str, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{place} cannot be listened on: {reason}; give another --host or --port")
