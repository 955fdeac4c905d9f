"""Opens data sets of images with measured depth, recognised by the layout of their files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from ...engine.depth.read import READERS
from ...engine.errors import BackendUnavailable, InputError
from ...engine.images.limits import DEFAULT_LIMITS, Limits
from ...engine.images.read import read_image
from ...engine.system.files import check_named, check_plain
from ...engine.system.spread import spread
from ...engine.terms import MEANINGS, Kind
from .hdf5 import find_array, open_hdf5, read_array
from .hypersim_cameras import find_cameras
from .masks import Masks
from .pair_layouts import Files, Pairs, find_pairs
from .same_view import check_same_view
from .true_depth import MM_PER_M, Sample, TrueDepth, read_hypersim, read_masked, read_true_depth, read_vkitti2

STEREO_MOTORCYCLE = "stereo_motorcycle"
CAP_M = {"hypersim": 20.0, "vkitti2": 80.0, "nyu": 10.0}  # Source: Depth Anything V2, metric_depth; BTS for NYU
FOLDER_CAP_M = 80.0  # of files that do not state their range
# Calibration of the down-sampled left camera. Source: scikit-image, data.stereo_motorcycle; Middlebury 2014
_MOTORCYCLE_FOCAL_PX = 994.978
_MOTORCYCLE_OFFSET_PX = 31.086  # between the principal points of the two cameras
_MOTORCYCLE_BASELINE_M = 0.193001

_MOST_NYU = 1_000_000  # images of a .mat; a header can state any number

UNDERSTOOD = (
    "a folder with images and depth files of the same names in rgb/ and depth/, or side by side as a.jpg with "
    f"a_depth.png or a.npy (depth in {' '.join(READERS)})",
    "a .txt list with an image and a depth path on each line",
    "Hypersim (ai_VVV_NNN/images/scene_cam_00_*)",
    "Virtual KITTI 2 (SceneNN/VARIANT/frames/depth/Camera_0)",
    "NYU v2's labelled .mat",
    f"the name {STEREO_MOTORCYCLE} (scikit-image)",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One image of a data set, which stays on disk until it is read."""

    name: str
    read: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """A data set; each iteration reads its images from disk.

    Args:
        name: Short.
        pairs: In a fixed order, one or more.
        cap_m: Depth beyond it is by custom not judged; None if the truth has no unit.
        notes: Assumptions, one sentence each.
        unitless: Kind of a truth that has no unit.
    """

    name: str
    pairs: tuple[Pair, ...]
    cap_m: float | None
    notes: tuple[str, ...] = ()
    unitless: Kind = "inverse"

    @property
    def kind(self) -> Kind:
        """Return the kind of the truth."""
        return self.unitless if self.cap_m is None else "metric"

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Sample]:
        return (pair.read() for pair in self.pairs)

    def spread(self, count: int) -> GroundTruth:
        """Return the data set with `count` of its images, evenly spread; with all if it has fewer."""
        if count < 1:
            raise InputError(f"{count} images of {self.name} found, expected 1 or more")
        return replace(self, pairs=tuple(spread(self.pairs, count)))


def open_ground_truths(
    sources: Sequence[str | Path], *, units_per_m: float = MM_PER_M, limits: Limits = DEFAULT_LIMITS
) -> list[GroundTruth]:
    """Open the data sets of one run; data sets of the same name get parts of their paths as names.

    Args:
        sources: As in open_ground_truth; a source that is given twice is opened once.
        units_per_m, limits: As in open_ground_truth.

    Raises:
        InputError, BackendUnavailable: As open_ground_truth.
    """
    found = {
        Path(source).resolve(): open_ground_truth(source, units_per_m=units_per_m, limits=limits) for source in sources
    }
    paths: dict[str, list[Path]] = {}
    for path, dataset in found.items():
        paths.setdefault(dataset.name, []).append(path)
    return [replace(dataset, name=_unique(dataset.name, path, paths[dataset.name])) for path, dataset in found.items()]


def open_ground_truth(
    source: str | Path, *, units_per_m: float = MM_PER_M, limits: Limits = DEFAULT_LIMITS
) -> GroundTruth:
    """Open a data set; its files are found now and read later.

    Args:
        source: One of UNDERSTOOD. A file or folder of that name goes before stereo_motorcycle.
        units_per_m: Units a metre of files that hold whole numbers and state no unit, such as 256 for KITTI's.
        limits: Largest picture and largest depth map.

    Raises:
        InputError: The source does not exist, or its layout is not understood.
        BackendUnavailable: A package that the data set needs is missing.
    """
    if not 0 < units_per_m < np.inf:
        raise InputError(f"{units_per_m} units a metre found, expected a positive number, such as 1000 or 256")
    check_named(source, "ground truth")
    path = Path(source)
    if not path.exists():
        if str(source) == STEREO_MOTORCYCLE:
            return _stereo_motorcycle()
        raise InputError(f"{source} does not exist, expected {'; or '.join(UNDERSTOOD)}")
    if not path.is_dir():
        check_plain(path)
    if path.suffix.lower() == ".mat":
        return _nyu(path, limits)
    pairs = find_pairs(path)
    if pairs is None:
        raise InputError(f"{source} has an unknown layout, expected {'; or '.join(UNDERSTOOD)}")
    return _on_disk(path, pairs, units_per_m, limits)


def _unique(name: str, path: Path, paths: Sequence[Path]) -> str:
    """Return a name with as many last parts of its path as make it unique among the paths of that name."""
    if len(paths) == 1:
        return name
    parts = next(parts for parts in count(1) if len({other.parts[-parts:] for other in paths}) == len(paths))
    end = Path(*path.parts[-parts:])
    own = end.name.removesuffix(".txt") == name
    return end.as_posix() if own else f"{name} {end.as_posix()}"


def _on_disk(path: Path, pairs: Pairs, units_per_m: float, limits: Limits) -> GroundTruth:
    """Return the data set of the pairs that have an image file."""
    found = [(image, depth) for image, depth in pairs.files if image.is_file()]
    if not found:
        raise InputError(f"{path} has {len(pairs.files)} depth files, but no image {pairs.files[0][0]}; add the images")
    notes = []
    if len(found) < len(pairs.files):
        notes.append(f"{len(pairs.files) - len(found)} of {len(pairs.files)} depth files have no image")
    if pairs.unpaired:
        notes.append(f"{pairs.unpaired} of {pairs.unpaired + len(pairs.files)} photographs have no depth")
    if pairs.left_out:
        notes.append(pairs.left_out)
    root = path if path.is_dir() else path.parent
    reader, more = _reader(pairs, found, units_per_m, limits)
    first = _first_readable(reader, found)  # a missing package or a wrong unit is noticed before anything is measured
    name, cap_m = path.resolve().name.removesuffix(".txt"), FOLDER_CAP_M
    if pairs.layout != "files":
        name, cap_m = pairs.layout, CAP_M[pairs.layout]
    elif MEANINGS[first.kind].unit:
        notes.append(f"depth files without a unit are read as metres, whole numbers as 1/{units_per_m:g} m")
    masks = Masks(root)
    made = tuple(_pair(image, depth, root, reader, masks, limits) for image, depth in found)
    capped = cap_m if MEANINGS[first.kind].unit else None
    return GroundTruth(name, made, capped, (*notes, *more), first.kind)


def _reader(
    pairs: Pairs, found: Sequence[Files], units_per_m: float, limits: Limits
) -> tuple[Callable[[Path], TrueDepth], tuple[str, ...]]:
    """Return what reads the depth files of a layout, and notes on it."""
    if pairs.layout == "hypersim":
        depths = [depth for _, depth in found]
        cameras = find_cameras(depths)
        return partial(read_hypersim, cameras=cameras, limits=limits), cameras.notes(depths)
    if pairs.layout == "vkitti2":
        return partial(read_vkitti2, limits=limits), ()
    return partial(read_true_depth, units_per_m=units_per_m, limits=limits), ()


def _first_readable(reader: Callable[[Path], TrueDepth], files: Sequence[Files]) -> TrueDepth:
    """Return the first depth that can be read; raise the first file's error if none can."""
    first: InputError | None = None
    for _, depth in files:
        try:
            return reader(depth)
        except InputError as error:  # noqa: PERF203 (one damaged file must not lose the others)
            first = first or error
    assert first is not None  # a data set has files
    raise first


def _pair(
    image: Path, depth: Path, root: Path, reader: Callable[[Path], TrueDepth], masks: Masks, limits: Limits
) -> Pair:
    named = image.relative_to(root) if image.is_relative_to(root) else image
    name = named.with_suffix("").as_posix()

    def read() -> Sample:
        truth = read_masked(depth, masks.find(depth, image), reader(depth), limits)
        pixels = read_image(image, limits=limits)
        check_same_view(image, pixels, truth.shape)
        return Sample(name, pixels, truth)

    return Pair(name, read)


def _nyu(path: Path, limits: Limits) -> GroundTruth:
    """Open the labelled part of NYU v2; MATLAB wrote its arrays with the axes in reverse order.

    rawDepths holds the sensor's depth, 0 for unknown; in depths the unknown pixels are filled in.
    Source: the data set's page; BTS (Lee et al. 2019), which judges rawDepths.
    """
    try:
        with open_hdf5(path) as file:
            key = "rawDepths" if "rawDepths" in file else "depths"
            arrays = find_array(file, "images", path), find_array(file, key, path)
            (images, depths), types = (found.shape for found in arrays), tuple(str(found.dtype) for found in arrays)
    except InputError:
        raise
    except (OSError, KeyError, RuntimeError) as error:
        raise InputError(f"{path} is not NYU v2's labelled .mat ({error}); download it again") from error
    if len(images) != 4 or images[1] != 3 or depths != (images[0], *images[2:]) or images[0] > _MOST_NYU:
        raise InputError(f"{path}: images {images}, {key} {depths} found, expected (N, 3, W, H) and (N, W, H)")
    if types[0] != "uint8" or not types[1].startswith("float"):
        raise InputError(f"{path}: images {types[0]}, {key} {types[1]} found, expected uint8 and floats in metres")
    names = [f"{index + 1:04d}" for index in range(images[0])]
    pairs = tuple(Pair(name, partial(_read_nyu, path, key, name, index, limits)) for index, name in enumerate(names))
    notes = ["the training images of NYU v2 are among those judged"]
    if key != "rawDepths":
        notes.append("it has no rawDepths, and the unknown pixels of its depths were filled in")
    return GroundTruth("nyu", pairs, CAP_M["nyu"], tuple(notes))


def _read_nyu(path: Path, key: str, name: str, index: int, limits: Limits) -> Sample:
    with open_hdf5(path) as file:
        rgb, depth_m = (
            read_array(find_array(file, array, path), limits, f"{array} in {path}", index=index)
            for array in ("images", key)
        )  # (3, W, H), (W, H)
    values = np.ascontiguousarray(depth_m.T, np.float32)
    image = np.ascontiguousarray(rgb.transpose(2, 1, 0)[..., ::-1], np.uint8)
    return Sample(name, image, TrueDepth(values, np.isfinite(values)))


def _stereo_motorcycle() -> GroundTruth:
    """Open Middlebury's motorcycle; its calibration turns disparity into metres."""
    try:
        from skimage.data import stereo_motorcycle
    except ImportError as error:
        raise BackendUnavailable(
            f"scikit-image is missing, {STEREO_MOTORCYCLE} comes with it; pip install 'depthrt[bench]'"
        ) from error
    left, _, disparity_px = stereo_motorcycle()  # type: ignore[no-untyped-call, unused-ignore]
    offset_px = np.asarray(disparity_px, np.float64) + _MOTORCYCLE_OFFSET_PX
    known = np.isfinite(offset_px) & (offset_px > 0)
    depth_m = _MOTORCYCLE_FOCAL_PX * _MOTORCYCLE_BASELINE_M / np.where(known, offset_px, 1)
    image = np.ascontiguousarray(left[..., ::-1], np.uint8)
    sample = Sample(STEREO_MOTORCYCLE, image, TrueDepth(depth_m.astype(np.float32), known))
    return GroundTruth(STEREO_MOTORCYCLE, (Pair(STEREO_MOTORCYCLE, lambda: sample),), 10.0)
