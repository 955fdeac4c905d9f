"""Services of tests, in this process or listening on a port, and what a test asks of any service."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import uvicorn
from made_image import crop_of_photo
from numpy.typing import NDArray
from starlette.testclient import TestClient

from depthrt.engine.images.write import encode_image
from depthrt.serve.app import create_app
from depthrt.serve.limits.patience import PatientProtocol
from depthrt.serve.program import address_of, bind
from depthrt.serve.service import Service
from depthrt.serve.settings import Settings

PHOTO_PX = (60, 90)  # (H, W) of PHOTO
PHOTO = encode_image(crop_of_photo(), ".png")
IMAGE = {"Content-Type": "image/png"}
MOST_CONNECTIONS = 20  # of the service that runs in its own process


@contextmanager
def served(settings: Settings) -> Iterator[TestClient]:
    """Serve in this process."""
    with TestClient(create_app(Service(settings))) as client:
        yield client


@contextmanager
def listening(settings: Settings) -> Iterator[str]:
    """Serve on a free port of this machine from a thread; give the address."""
    bound = bind("127.0.0.1", 0)
    app = create_app(Service(settings))
    config = uvicorn.Config(app, http=PatientProtocol, ws="none", lifespan="on", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield address_of("127.0.0.1", bound.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def read_npy(content: bytes) -> NDArray[np.float32]:
    """Return the array of an .npy body."""
    return np.asarray(np.load(io.BytesIO(content)), np.float32)
