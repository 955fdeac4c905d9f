"""Images and depth resized by the kernels on the CPU, in numpy arrays."""

from __future__ import annotations

import numpy as np
from kernels_on_host import HostKernels

from depthrt.engine.cuda.kernels.kernels import TAP_BYTES, Axis, image_to_batch
from depthrt.engine.cuda.kernels.resizes import depth_taps, depth_to_image, image_taps
from depthrt.engine.images.fit import Fit
from depthrt.engine.images.preprocess import Color
from depthrt.engine.modelfile.contract import Contract

AXES: tuple[Axis, Axis] = (0, 1)
UNWRITTEN = np.float32(np.nan)

Sides = tuple[int, int]


def batch_on_host(
    host: HostKernels, image: np.ndarray, contract: Contract, fit: Fit, *, color: Color, spare_bytes: int = 0
) -> np.ndarray:
    """Return the network's input (3, h, w) for an image; spare bytes follow every row of the image."""
    height, width = image.shape[:2]
    row_bytes = 3 * width + spare_bytes
    rows = np.full((height, row_bytes), 255, np.uint8)
    rows[:, : 3 * width] = image.reshape(height, 3 * width)
    taps = _tables(fit.input_px)
    for axis in AXES:
        host.launch(image_taps(_address(taps[axis]), contract, fit, axis, (height, width)))
    out = np.full((3, *fit.input_px), UNWRITTEN)
    host.launch(
        image_to_batch(
            image=_address(rows),
            row_bytes=row_bytes,
            image_px=(height, width),
            taps=(_address(taps[0]), _address(taps[1])),
            batch=_address(out),
            input_px=fit.input_px,
            contract=contract,
            color=color,
        )
    )
    return out


def depth_on_host(host: HostKernels, output: np.ndarray, contract: Contract, fit: Fit, image_px: Sides) -> np.ndarray:
    """Return a network's output (h, w) at the image's size."""
    taps = _tables(image_px)
    for axis in AXES:
        host.launch(depth_taps(_address(taps[axis]), contract, fit, axis, image_px))
    values = np.full(image_px, UNWRITTEN)
    host.launch(
        depth_to_image(
            depth=_address(output),
            contract=contract,
            fit=fit,
            taps=(_address(taps[0]), _address(taps[1])),
            values=_address(values),
            image_px=image_px,
        )
    )
    return values


def _address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def _tables(side_px: Sides) -> list[np.ndarray]:
    return [np.zeros(side * TAP_BYTES, np.uint8) for side in side_px]
