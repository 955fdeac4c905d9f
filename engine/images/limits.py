"""Limits on images, and the check whether an array is an image."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest image that is taken; checked by its header, before its pixels are decoded.

    Args:
        max_pixels: Height times width.
        max_aspect: Longer side over shorter side; the network's input grows with it.
        max_file_mib: Size of the file or stream, MiB.
    """

    max_pixels: int = 100_000_000
    max_aspect: float = 8.0
    max_file_mib: float = 512

    def check_shape(self, height_px: int, width_px: int, name: str) -> None:
        """Raise InputError if an image of this size is empty or over a limit."""
        self.check_pixels(height_px, width_px, name)
        aspect = max(height_px, width_px) / min(height_px, width_px)
        if aspect > self.max_aspect:
            found = f"{_size(height_px, width_px, name)}, one side {aspect:g} times the other"
            raise InputError(
                f"{found}, expected at most {self.max_aspect:g} times; crop it, or raise max_aspect (--max-aspect)"
            )

    def check_pixels(self, height_px: int, width_px: int, name: str) -> None:
        """Raise InputError if an image of this size is empty or has too many pixels."""
        size = _size(height_px, width_px, name)
        if min(height_px, width_px) < 1:
            raise InputError(f"{size}, expected at least 1x1; give an image that has pixels")
        if height_px * width_px > self.max_pixels:
            raise InputError(
                f"{size}, {height_px * width_px} pixels, expected at most {self.max_pixels}; "
                "shrink it, or raise max_pixels (--max-pixels)"
            )

    def check_file(self, size_bytes: int, name: str) -> None:
        """Raise InputError if a file of this size is over the limit."""
        if size_bytes > self.max_file_bytes:
            raise InputError(
                f"{name} has more than {self.max_file_mib:g} MiB, expected at most that; "
                "save it smaller, or raise max_file_mib (--max-file-mib)"
            )

    @property
    def max_file_bytes(self) -> int:
        """Return max_file_mib in bytes, rounded down; infinity is a number that no file reaches."""
        return math.floor(min(self.max_file_mib * _MIB, sys.maxsize // 2))


DEFAULT_LIMITS = Limits()


def check_image(image: object) -> None:
    """Raise InputError unless image is a non-empty (H, W, 3) uint8 array; strides do not matter."""
    expected = "expected a numpy array (H, W, 3), uint8, BGR"
    if not isinstance(image, np.ndarray):
        hint = "is the path that cv2.imread got right" if image is None else "convert it, or give a path to read_image"
        raise InputError(f"image: {type(image).__name__} found, {expected}; {hint}")
    found = f"image: {image.shape} {image.dtype} found"
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise InputError(f"{found}, {expected}; {_shape_hint(image.shape)}")
    if image.dtype != np.uint8:
        raise InputError(f"{found}, {expected}; {_dtype_hint(image)}")


def _size(height_px: int, width_px: int, name: str) -> str:
    return f"{name} is {height_px}x{width_px} px (HxW)"


def _shape_hint(shape: tuple[int, ...]) -> str:
    """Return how an array of this wrong shape becomes an image."""
    if 0 in shape:
        return "it is empty"
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return "turn gray into colour with cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)"
    if len(shape) == 3 and shape[2] == 4:
        return "drop the alpha channel with image[..., :3]"
    if len(shape) == 3 and shape[0] == 3:
        return "put the channels last with image.transpose(1, 2, 0)"
    return "give one image at a time" if len(shape) == 4 else "give a picture"


def _dtype_hint(image: NDArray[np.generic]) -> str:
    """Return how an array of this wrong dtype becomes an image."""
    if image.dtype == np.uint16:
        return "divide by 257 and convert with .astype(numpy.uint8)"
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        return "it holds NaN or infinity, which no image does"
    if image.dtype.kind == "f":
        return "if it is in [0, 1] multiply by 255, then convert with .round().astype(numpy.uint8)"
    return "bring it to [0, 255] and convert with .astype(numpy.uint8)"
