"""Where the pictures of art come from: a folder, or the data set's other frames and pictures painted for the scenes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ....engine.errors import InputError
from ....engine.images.kinds import IMAGE_SUFFIXES
from ....engine.images.read import read_image
from ....engine.images.walk import files_below
from ...scenes.textures.pictures import PICTURES, paint_picture

Image = NDArray[np.uint8]

SIDE_PX = 640  # longest side of a picture
_PAINTED = 0.25  # share of painted pictures, where no folder is given
_LEAST_CROP = 0.6  # of the sides
_TEXTURE_SEED = 0


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures by number.

    Args:
        names: Of the pictures that are read, in order.
        read: Returns the picture of a number, (H, W, 3) uint8 BGR.
        painted: Share of pictures that are painted instead.
    """

    names: Sequence[str]
    read: Callable[[int], Image]
    painted: float = 0.0
    _known: dict[int, Image] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, rng: np.random.Generator, *, other_than: int | None = None) -> tuple[str, Image]:
        """Return the name of a picture, and a part of it, at most SIDE_PX long and mirrored or not.

        Args:
            rng: Draws it.
            other_than: Number of a picture that is left out.
        """
        number = int(rng.integers(len(self.names) or 1))
        if number == other_than:
            number = (number + 1) % len(self.names)
        painted = rng.random() < self.painted or number == other_than or not self.names
        crop, flip = rng.uniform(_LEAST_CROP, 1, 2), rng.random() < 0.5
        start = rng.random(2)
        if painted:
            number = int(rng.integers(PICTURES))
            name, image = f"painted {number}", self._paint(number)
        else:
            name, image = self.names[number], self.read(number)
        part = _cropped(image, crop, start)
        return name, np.ascontiguousarray(part[:, ::-1]) if flip else part

    def _paint(self, number: int) -> Image:
        with self._lock:
            if number not in self._known:
                self._known[number] = _to_bgr(paint_picture(_TEXTURE_SEED, number))
            return self._known[number]


def folder_gallery(folder: Path) -> Gallery:
    """Return the pictures below a folder.

    Raises:
        InputError: There are none, or the folder does not exist.
    """
    if not folder.is_dir():
        raise InputError(f"pictures {folder} is no folder; give a folder of images")
    files = sorted(files_below(folder, IMAGE_SUFFIXES))
    if not files:
        raise InputError(f"pictures {folder} has no images, expected {' '.join(sorted(IMAGE_SUFFIXES))}")
    return Gallery([file.relative_to(folder).as_posix() for file in files], lambda number: read_image(files[number]))


def frames_gallery(names: Sequence[str], read: Callable[[int], Image]) -> Gallery:
    """Return the frames of a data set and the painted pictures."""
    return Gallery(names, read, _PAINTED)


def _cropped(image: Image, crop: NDArray[np.float64], start: NDArray[np.float64]) -> Image:
    """Return a part of an image, shrunk to SIDE_PX."""
    sides = np.maximum(2, np.array(image.shape[:2]) * crop).astype(int)
    top, left = ((np.array(image.shape[:2]) - sides) * start).astype(int)
    part = image[top : top + sides[0], left : left + sides[1]]
    scale = SIDE_PX / max(part.shape[:2])
    if scale < 1:
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(part, np.uint8)


def _to_bgr(linear: NDArray[np.float32]) -> Image:
    """Return a painted picture (3, h, w), RGB, linear light, as pixels (h, w, 3) of about sRGB, BGR."""
    pixels = np.clip(linear, 0, 1) ** (1 / 2.2) * 255
    return np.ascontiguousarray(pixels.transpose(1, 2, 0)[..., ::-1].round(), np.uint8)
