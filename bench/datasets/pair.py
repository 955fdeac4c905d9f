"""A pair of a data set: its files in, its picture, depth and regions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.images.limits import DEFAULT_LIMITS, Limits
from ...engine.images.read import read_image
from .hypersim_cameras import find_cameras
from .manifest import Split
from .masks import Masks
from .pairs.find import Found, PairFiles
from .regions import read_region, read_regions
from .same_view import check_same_view
from .true_depth import MM_PER_M, Sample, TrueDepth, read_hypersim, read_masked, read_true_depth, read_vkitti2

DepthReader = Callable[[Path], TrueDepth]
Readers = Mapping[PairFiles, DepthReader]


@dataclass(frozen=True, slots=True)
class Pair:
    """One image of a data set, which stays on disk until it is read.

    Args:
        name: Of the image.
        read: Reads the image and its depth.
        scene: That it shows; the image's name if the data set does not say.
        split: "train", "val" or "test"; None if the data set does not say.
        image, depth: Their files; None if the data set is one file.
        mask: File of the region mask, None without one.
    """

    name: str
    read: Callable[[], Sample]
    scene: str = ""
    split: Split | None = None
    image: Path | None = None
    depth: Path | None = None
    mask: Path | None = None

    def __post_init__(self) -> None:
        if not self.scene:
            object.__setattr__(self, "scene", self.name)


def depth_readers(
    pairs: Sequence[PairFiles], found: Found, *, units_per_m: float = MM_PER_M, limits: Limits = DEFAULT_LIMITS
) -> tuple[Readers, tuple[str, ...]]:
    """Return what reads the depth file of each pair, and notes on the cameras.

    Args:
        pairs: Some of those found.
        found: The files of the data set.
        units_per_m, limits: As in open_ground_truth.
    """
    with_camera = [one for one in pairs if one.layout == "hypersim"]
    depths = [one.depth for one in with_camera]
    cameras = find_cameras(depths, found.root)
    readers: dict[PairFiles, DepthReader] = {}
    for one in pairs:
        if one.layout == "hypersim":
            readers[one] = partial(read_hypersim, cameras=cameras, scene=one.scene, limits=limits)
        elif one.layout == "vkitti2":
            readers[one] = partial(read_vkitti2, limits=limits)
        else:
            readers[one] = partial(read_true_depth, units_per_m=one.units_per_m or units_per_m, limits=limits)
    return readers, cameras.notes(depths, [one.scene for one in with_camera]) if with_camera else ()


def make_pairs(
    pairs: Sequence[PairFiles], found: Found, readers: Readers, *, limits: Limits = DEFAULT_LIMITS
) -> tuple[Pair, ...]:
    """Return pairs of a data set, readable one by one; nothing is read.

    Args:
        pairs: Some of those found.
        found: The files of the data set.
        readers: Of these pairs.
        limits: Largest picture and largest region mask.
    """
    masks = None if found.is_manifest else Masks(found.root)
    return tuple(_pair(one, found.root, readers[one], masks, limits) for one in pairs)


def _pair(one: PairFiles, root: Path, reader: DepthReader, masks: Masks | None, limits: Limits) -> Pair:
    named = one.image.relative_to(root) if one.image.is_relative_to(root) else one.image
    name = named.with_suffix("").as_posix()
    read = partial(_read, one, name, reader, masks if one.mask is None else None, limits)
    return Pair(name, read, one.scene, one.split, one.image, one.depth, one.mask)


def _read(one: PairFiles, name: str, reader: DepthReader, masks: Masks | None, limits: Limits) -> Sample:
    truth = reader(one.depth)
    if masks is not None:
        truth = read_masked(one.depth, masks.find(one.depth, one.image), truth, limits)
    pixels = read_image(one.image, limits=limits)
    check_same_view(one.image, pixels, truth.shape)
    return Sample(name, pixels, truth, _read_regions(one, truth.shape))


def _read_regions(one: PairFiles, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    if one.mask is None:
        return None
    return read_regions(one.mask, shape) if one.shows is None else read_region(one.mask, one.shows, shape)
