"""The frames of a data set as they are augmented: paths, layout, scene, and a canvas with its stored depth."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from ...bench.datasets.ground_truth import Pair, open_ground_truth
from ...bench.datasets.hypersim_cameras import STANDARD, Cameras, find_cameras
from ...bench.datasets.pairs.find import Found, PairFiles, find_files
from ...bench.datasets.pairs.scenes import Layout
from ...bench.datasets.regions import join_regions
from ...bench.datasets.stored.stored_depth import StoredDepth, read_stored, stored_truth
from ...bench.datasets.true_depth import MM_PER_M, TrueDepth
from ...engine.errors import InputError
from ...engine.images.write import WRITABLE_SUFFIXES
from .edit.canvas import Canvas
from .geometry.camera import camera_of


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a data set.

    Args:
        pair: It, as the data set reads it.
        name: Path of its image below the folder of images, without suffix; unique.
        image, depth: Paths of the augmented files below their folders.
        layout: How the depth file is read; None if the data set is one file.
        units_per_m: Units a metre of whole numbers.
        cameras: Of Hypersim's scenes.
    """

    pair: Pair
    name: str
    image: PurePosixPath
    depth: PurePosixPath
    layout: Layout | None
    units_per_m: float
    cameras: Cameras = STANDARD


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A frame in memory.

    Args:
        canvas: To edit.
        stored: Its depth file.
        truth: Its depth.
    """

    canvas: Canvas
    stored: StoredDepth
    truth: TrueDepth


def open_frames(source: str | Path, *, units_per_m: float = MM_PER_M) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """Return the frames of a data set, and notes on it; arguments and errors as open_ground_truth.

    Raises:
        InputError: Also if two frames would have one name.
    """
    truth = open_ground_truth(source, units_per_m=units_per_m)
    if any(pair.image is None for pair in truth.pairs):
        frames = tuple(_of_one_file(pair) for pair in truth.pairs)
    else:
        found = find_files(Path(source))
        assert found is not None  # it was opened
        frames = _of_files(truth.pairs, found, units_per_m)
    names: dict[str, Frame] = {}
    for frame in frames:
        other = names.setdefault(frame.name, frame)
        if other is not frame:
            raise InputError(f"{frame.pair.image} and {other.pair.image} have one name, {frame.name}; rename one")
    return frames, truth.notes


def load(frame: Frame) -> Loaded:
    """Read a frame.

    Raises:
        InputError: As Pair.read; or its depth cannot be written back.
    """
    sample = frame.pair.read()
    truth, size_px = sample.truth, sample.truth.shape
    stored = _stored(frame, truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = truth.values.astype(np.float64)
        inverse = np.where(truth.valid, values if truth.kind == "inverse" else 1 / values, np.nan)
    sky = np.zeros(size_px, np.bool_) if stored.sky is None else stored.raw == stored.sky
    inverse[sky] = 0
    regions = sample.regions if sample.regions is not None else join_regions({"sky": sky})
    own = frame.cameras.of_scene.get(frame.pair.scene)
    canvas = Canvas(sample.image.copy(), inverse, regions.copy(), camera_of(frame.layout, size_px, own))
    if "by masks" in truth.left_out:  # the augmented folder has no masks of validity: its files must say it
        canvas.erased |= ~truth.valid
    return Loaded(canvas, stored, truth)


def _stored(frame: Frame, truth: TrueDepth) -> StoredDepth:
    pair = frame.pair
    if pair.depth is None or frame.layout is None:
        return stored_truth(truth)
    share = None
    if frame.layout == "hypersim":
        share = frame.cameras.planar_share(pair.depth, truth.shape, pair.scene)
    return read_stored(pair.depth, frame.layout, units_per_m=frame.units_per_m, planar_share=share)


def _of_one_file(pair: Pair) -> Frame:
    name = PurePosixPath(pair.name)
    return Frame(pair, pair.name, name.with_name(f"{name.name}.png"), name.with_name(f"{name.name}.npy"), None, 1.0)


def _of_files(pairs: Sequence[Pair], found: Found, units_per_m: float) -> tuple[Frame, ...]:
    files = {(one.image, one.depth): one for one in found.pairs}
    own = [files[pair.image, pair.depth] for pair in pairs if pair.image is not None and pair.depth is not None]
    images = [one.image for one in own]
    depths = [one.depth for one in own]
    with_camera = [one.depth for one in own if one.layout == "hypersim"]
    cameras = find_cameras(with_camera, found.root) if with_camera else STANDARD
    place = partial(_place, root=found.root)
    image_root, depth_root = _common(images), _common(depths)
    return tuple(
        _of_pair(
            pair, one, place(one.image, common=image_root), place(one.depth, common=depth_root), units_per_m, cameras
        )
        for pair, one in zip(pairs, own, strict=True)
    )


def _of_pair(
    pair: Pair, one: PairFiles, image: PurePosixPath, depth: PurePosixPath, units_per_m: float, cameras: Cameras
) -> Frame:
    if image.suffix.lower() not in WRITABLE_SUFFIXES:
        image = image.with_suffix(".png")
    name = image.with_suffix("").as_posix()
    return Frame(pair, name, image, depth, one.layout, one.units_per_m or units_per_m, cameras)


def _place(file: Path, *, root: Path, common: Path) -> PurePosixPath:
    """Return the path of a file below the folder of its data set, or below what its files have in common."""
    whole = file.absolute()
    base = root.absolute() if whole.is_relative_to(root.absolute()) else common
    parts = [part for part in whole.relative_to(base).parts if part != ".."]
    return PurePosixPath(*parts)


def _common(files: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([file.absolute().parent for file in files]))
