"""Writes the good pairs of data sets as a manifest, which is also how a list of another program becomes one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from ....bench.datasets.manifest import SUFFIX, Entry, write_manifest
from ....bench.datasets.pairs.find import PairFiles
from ....bench.datasets.regions import read_region, write_regions
from ....engine.errors import InputError
from ....engine.system.files import make_folder, try_place
from .dataset import Checked

REGIONS_FOLDER = "regions"  # beside a manifest


def check_place(path: Path) -> None:
    """Raise InputError if a manifest cannot be written to a path; called before the data sets are read."""
    if path.suffix.lower() != SUFFIX:
        raise InputError(f"{path} found as the manifest to write, expected a name that ends in {SUFFIX}")
    try_place(path)


def write_good(checked: Sequence[Checked], path: Path) -> int:
    """Write the good pairs of data sets as a manifest; return their number.

    Masks of 0 and one other value that show a region become region masks in REGIONS_FOLDER beside the manifest.

    Args:
        checked: The data sets.
        path: The manifest.

    Raises:
        InputError: No pair is good, a data set is one file or has masks that a manifest cannot name, or the file cannot
            be written.
    """
    check_place(path)
    folder = path.parent.resolve()
    for one in checked:
        if one.good and not one.files:
            raise InputError(f"{one.source} is one file, and a manifest names a file for each image; use it as it is")
        if one.masked is not None:
            raise InputError(
                f"{one.masked} says which pixels of {one.source} count, which a manifest cannot; use it as it is"
            )
    files = [one for found in checked for one in found.files]
    if not files:
        raise InputError(f"{path} is not written, because no pair is good")
    write_manifest(path, [_entry(one, folder) for one in files])
    return len(files)


def _entry(one: PairFiles, folder: Path) -> Entry:
    image, depth = _relative(one.image, folder), _relative(one.depth, folder)
    layout = None if one.layout == "files" else one.layout  # a shorter path may not say it
    mask = _write_shown(one.mask, one.shows, image, folder) if one.mask and one.shows else one.mask
    regions = None if mask is None else _relative(mask, folder)
    units_per_m = one.units_per_m if one.layout == "files" else None  # other layouts state theirs
    return Entry(image, depth, one.scene, regions, one.split, layout, units_per_m)


def _write_shown(mask: Path, shows: str, image: str, folder: Path) -> Path:
    """Write the region mask of a mask that shows a region, and return its path: regions/, and the image's path."""
    parts = ["_" if part == ".." else part for part in PurePosixPath(image).parts]
    path = folder.joinpath(REGIONS_FOLDER, *parts[:-1], f"{parts[-1]}.png")  # a.jpg and a.png may be two images
    make_folder(path.parent)
    write_regions(path, read_region(mask, shows))
    return path


def _relative(path: Path, folder: Path) -> str:
    """Return a path from a resolved folder on; links to folders are resolved, as .. leads out of their targets."""
    return Path(os.path.relpath(_resolved(path.parent) / path.name, folder)).as_posix()


@cache
def _resolved(folder: Path) -> Path:
    return folder.resolve()
