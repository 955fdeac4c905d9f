"""HDF5 data sets: kept to the file itself and to a size before anything is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.arrays import check_numbers, check_values
from ...engine.errors import BackendUnavailable, InputError
from ...engine.images.limits import Limits


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """Open a file for reading.

    Raises:
        OSError: It is missing, no regular file, or no HDF5 file.
        BackendUnavailable: h5py is missing.
    """
    h5py = import_h5py()
    if not path.is_file():
        raise OSError("it is missing, or no regular file")  # opening a pipe would wait for ever
    with h5py.File(path, "r") as file:
        yield file


def find_array(file: Any, key: str, path: Path) -> Any:  # noqa: ANN401 (h5py has no types)
    """Return the h5py data set of a name; nothing is read.

    Raises:
        KeyError: It is missing.
        InputError: Its values lie in another file.
    """
    h5py = import_h5py()
    link = file.get(key, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        raise InputError(f"{path}: {key} is a link to {_target(link)}, expected values in the file; copy them into it")
    found = file.get(key)
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"no array {key}; it holds {', '.join(file) or 'nothing'}")
    if found.external or found.is_virtual:
        raise InputError(f"{path}: the values of {key} lie in other files, expected all in one; copy them into it")
    return found


def read_array(found: Any, limits: Limits, name: str, *, index: int | None = None) -> NDArray[Any]:  # noqa: ANN401
    """Return an array, or its part of an index on the first axis.

    Raises:
        InputError: The array, or what is decompressed at once, is over the limit, or it holds no numbers.
        OSError: It is damaged.
    """
    check_numbers(found.dtype, name)
    check_values(found.shape if index is None else found.shape[1:], name, limits)
    if found.chunks is not None:
        check_values(tuple(map(min, found.chunks, found.shape)), f"a block of {name}", limits)
    return np.asarray(found[()] if index is None else found[index])


def import_h5py() -> ModuleType:
    """Import h5py.

    Raises:
        BackendUnavailable: It is missing.
    """
    try:
        import h5py
    except ImportError as error:
        raise BackendUnavailable(
            "h5py is missing, which this data set's files need: pip install 'depthrt[bench]'"
        ) from error
    module: ModuleType = h5py
    return module


def _target(link: Any) -> str:  # noqa: ANN401
    return ":".join(part for part in (getattr(link, "filename", ""), link.path) if part)
