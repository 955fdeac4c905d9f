"""A camera on the network, as a test needs it: Motion JPEG over HTTP on loopback, with numbered frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import cv2
import numpy as np

STEP = 4  # gray levels between two frames
SIZE_PX = (48, 64)


@dataclass
class NetworkCamera:
    """How the camera behaves; may be changed while it runs.

    Args:
        period_s: Time between two frames.
        frames: Number of frames of a connection, None for no end.
        hangs: Whether it keeps the connection open after them, silent.
        closed: Set when the test ends.
    """

    period_s: float = 0.01
    frames: int | None = None
    hangs: bool = False
    closed: Event = field(default_factory=Event)
    connections: int = 0
    address: str = ""

    def parts(self) -> Iterator[bytes]:
        """Yield the frames of a connection, each as a part of the answer."""
        number = 0
        while not self.closed.wait(self.period_s) and (self.frames is None or number < self.frames):
            picture = np.full((*SIZE_PX, 3), number * STEP % 256, np.uint8)
            jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
            yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)
            number += 1
        if self.hangs:
            self.closed.wait()


@contextmanager
def network_camera(**options: object) -> Iterator[NetworkCamera]:
    """Serve a camera while the block runs."""
    camera = NetworkCamera(**options)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            camera.connections += 1
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with suppress(OSError):
                for part in camera.parts():
                    self.wfile.write(part)
                    self.wfile.flush()

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    camera.address = f"http://127.0.0.1:{server.server_port}/live.mjpg"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()
