"""NYU v2's labelled .mat: which images it holds, of which scenes, and its images and depth one by one.

MATLAB wrote its arrays with the axes in reverse order. rawDepths holds the sensor's depth, 0 for unknown; in depths the
unknown pixels are filled in. Source: the data set's page; BTS (Lee et al. 2019), which judges rawDepths.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import InputError
from ...engine.images.limits import Limits
from ...engine.system.field_types import printable
from .hdf5 import find_array, import_h5py, open_hdf5, read_array
from .true_depth import Sample, TrueDepth

_MOST_IMAGES = 1_000_000  # a header can state any number
_SCENES = ("scenes", "sceneTypes")  # kitchen_0004, and kitchen
_LONGEST_SCENE = 255  # characters
_DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError, IndexError, AttributeError)


@dataclass(frozen=True, slots=True)
class Nyu:
    """What the file holds.

    Args:
        path: The file.
        key: Name of its array of depth.
        names: Of the images.
        scenes: Of the images; the name of the image where the file names no scene.
    """

    path: Path
    key: str
    names: tuple[str, ...]
    scenes: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know, one sentence each."""
        filled = "it has no rawDepths, and the unknown pixels of its depths were filled in"
        return ("the training images of NYU v2 are among those judged", *((filled,) if self.key != "rawDepths" else ()))


def open_nyu(path: Path) -> Nyu:
    """Read the headers of the file.

    Raises:
        InputError: It is another file, or damaged.
        BackendUnavailable: h5py is missing.
    """
    try:
        with open_hdf5(path) as file:
            key = "rawDepths" if "rawDepths" in file else "depths"
            arrays = find_array(file, "images", path), find_array(file, key, path)
            (images, depths), types = (found.shape for found in arrays), tuple(str(found.dtype) for found in arrays)
            _check(path, key, images, depths, types)
            names = tuple(f"{index + 1:04d}" for index in range(images[0]))
            return Nyu(path, key, names, _scenes(file, path, names))
    except InputError:
        raise
    except (OSError, KeyError, RuntimeError) as error:
        raise InputError(f"{path} is not NYU v2's labelled .mat ({error}); download it again") from error


def read_nyu(path: Path, key: str, index: int, name: str, limits: Limits) -> Sample:
    """Read an image and its depth.

    Raises:
        InputError: They are over the limits, or hold no numbers.
        OSError: The file is damaged.
    """
    with open_hdf5(path) as file:
        rgb, depth_m = (
            read_array(find_array(file, array, path), limits, f"{array} in {path}", index=index)
            for array in ("images", key)
        )  # (3, W, H), (W, H)
    values = np.ascontiguousarray(depth_m.T, np.float32)
    image = np.ascontiguousarray(rgb.transpose(2, 1, 0)[..., ::-1], np.uint8)
    return Sample(name, image, TrueDepth(values, np.isfinite(values)))


def _check(path: Path, key: str, images: tuple[int, ...], depths: tuple[int, ...], types: tuple[str, ...]) -> None:
    if len(images) != 4 or images[1] != 3 or depths != (images[0], *images[2:]) or images[0] > _MOST_IMAGES:
        raise InputError(f"{path}: images {images}, {key} {depths} found, expected (N, 3, W, H) and (N, W, H)")
    if types[0] != "uint8" or not types[1].startswith("float"):
        raise InputError(f"{path}: images {types[0]}, {key} {types[1]} found, expected uint8 and floats in metres")


def _scenes(file: Any, path: Path, names: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 (h5py has no types)
    """Return the scene of each image; where the file names none, each image is a scene."""
    for key in _SCENES:
        if key in file:
            try:
                cells = find_array(file, key, path)
                if cells.size == len(names) and import_h5py().check_ref_dtype(cells.dtype) is not None:
                    return tuple(_text(file, cell) or name for cell, name in zip(cells[()].flat, names, strict=True))
            except _DAMAGED:
                continue
    return names


def _text(file: Any, cell: Any) -> str:  # noqa: ANN401
    """Return the text of a cell of MATLAB: a reference to an array of 16-bit characters."""
    codes = file[cell]
    if codes.size > _LONGEST_SCENE or codes.dtype.kind != "u" or codes.external or codes.is_virtual:
        return ""
    return printable("".join(chr(int(code)) for code in codes[()].flat), _LONGEST_SCENE)
