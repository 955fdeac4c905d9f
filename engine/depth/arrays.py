"""Arrays of .npy files and of .npz members: the header is read and checked before the values are allocated."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..images.limits import Limits
from ..system.files import open_file

_NUMBERS = "biuf"  # kinds of dtype: booleans, whole numbers, floats
_LARGEST_ITEM = 8  # bytes
_LARGEST_TEXT = 2**24  # bytes of a text in a record


def check_values(shape: Sequence[int], name: str, limits: Limits) -> None:
    """Raise InputError if a file holds more values than a picture may have pixels; called before they are read."""
    found = math.prod(shape)
    if found > limits.max_pixels:
        size = "x".join(map(str, shape))
        raise InputError(
            f"{name} holds {size} values, {found} in all, expected at most {limits.max_pixels}; "
            "shrink it, or raise max_pixels (--max-pixels)"
        )


def check_numbers(dtype: np.dtype[Any], name: str) -> None:
    """Raise InputError unless an array holds booleans or real numbers of at most 8 bytes."""
    if dtype.kind not in _NUMBERS or dtype.itemsize > _LARGEST_ITEM:
        raise InputError(f"{name} holds {dtype}, expected real numbers; write it as float32")


def read_npy_array(path: Path, limits: Limits) -> NDArray[Any]:
    """Return the array of an .npy file.

    Raises:
        InputError: It is over the limit, or holds no numbers.
        OSError, ValueError: It is missing or damaged.
    """
    with open_file(path) as file:
        _check_header(file, str(path), limits)
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def read_npz_arrays(path: Path, limits: Limits, names: Collection[str] | None = None) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name; of some names only, if they are given.

    Raises:
        InputError: An array is over the limit, or holds no numbers and no short text.
        OSError, ValueError, zipfile.BadZipFile: It is missing or damaged.
    """
    found = {}
    with open_file(path) as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if names is not None and name not in names:
                continue
            with archive.open(member) as header:
                _check_header(header, f"{name} in {path}", limits, text=True)
            with archive.open(member) as data:
                found[name] = np.lib.format.read_array(data, allow_pickle=False)
    return found


def _check_header(file: IO[bytes], name: str, limits: Limits, *, text: bool = False) -> None:
    """Check the header of an array; text: whether a short text is taken too."""
    version = np.lib.format.read_magic(file)
    if version not in {(1, 0), (2, 0)}:
        raise InputError(f"{name} is an array of format {version}, expected 1.0 or 2.0; write plain numbers")
    old, new = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = (old if version == (1, 0) else new)(file)
    except (OSError, ValueError):
        raise
    except Exception as error:  # numpy parses it as Python, which has errors of every kind for damaged text
        raise ValueError(f"the header of {name} is damaged") from error
    if text and dtype.kind in "US" and math.prod(shape) * dtype.itemsize <= _LARGEST_TEXT:
        return
    check_numbers(dtype, name)
    check_values(shape, name, limits)
