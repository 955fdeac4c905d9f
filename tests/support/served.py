"""Services of tests: one with the model that comes with depthrt, and what a test asks of any service."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from made_image import crop_of_photo
from numpy.typing import NDArray
from starlette.testclient import TestClient

from depthrt.engine.images.write import encode_image
from depthrt.serve.app import create_app
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


def read_npy(content: bytes) -> NDArray[np.float32]:
    """Return the array of an .npy body."""
    return np.asarray(np.load(io.BytesIO(content)), np.float32)
