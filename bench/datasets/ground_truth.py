"""Opens data sets of images with measured depth, recognised by the layout of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from ...engine.depth.read import READERS
from ...engine.errors import InputError
from ...engine.images.limits import DEFAULT_LIMITS, Limits
from ...engine.system.files import check_named, check_plain
from ...engine.system.spread import spread
from ...engine.terms import MEANINGS, Kind
from .manifest import MANIFEST, SUFFIX
from .nyu import open_nyu, read_nyu
from .pair import Pair, Readers, depth_readers, make_pairs
from .pairs.find import Found, PairFiles, find_files
from .stereo_motorcycle import STEREO_MOTORCYCLE, read_motorcycle
from .true_depth import MM_PER_M, Sample, TrueDepth

__all__ = ["CAP_M", "STEREO_MOTORCYCLE", "GroundTruth", "Pair", "open_ground_truth", "open_ground_truths"]

# Source: Depth Anything V2, metric_depth; BTS for NYU
CAP_M = {"hypersim": 20.0, "vkitti2": 80.0, "kitti": 80.0, "nyu": 10.0}
FOLDER_CAP_M = 80.0  # of files that do not state their range

UNDERSTOOD = (
    "a folder with images and depth files of the same names in rgb/ and depth/, or side by side as a.jpg with "
    f"a_depth.png or a.npy (depth in {' '.join(READERS)})",
    f"a manifest ({MANIFEST})",
    "a .txt list with an image and a depth path on each line",
    "Hypersim (ai_VVV_NNN/images/scene_cam_00_*)",
    "Virtual KITTI 2 (SceneNN/VARIANT/frames/depth/Camera_0)",
    "KITTI (DRIVE/proj_depth/groundtruth/image_02 and DATE/DRIVE/image_02/data)",
    "NYU v2's labelled .mat",
    f"the name {STEREO_MOTORCYCLE} (scikit-image)",
)


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
    sources: Sequence[str | Path],
    *,
    units_per_m: float = MM_PER_M,
    limits: Limits = DEFAULT_LIMITS,
    roots: Sequence[Path] = (),
) -> list[GroundTruth]:
    """Open the data sets of one run; data sets of the same name get parts of their paths as names.

    Args:
        sources: As in open_ground_truth; a source that is given twice is opened once.
        units_per_m, limits, roots: As in open_ground_truth.

    Raises:
        InputError, BackendUnavailable: As open_ground_truth.
    """
    found = {
        Path(source).resolve(): open_ground_truth(source, units_per_m=units_per_m, limits=limits, roots=roots)
        for source in sources
    }
    paths: dict[str, list[Path]] = {}
    for path, dataset in found.items():
        paths.setdefault(dataset.name, []).append(path)
    return [replace(dataset, name=_unique(dataset.name, path, paths[dataset.name])) for path, dataset in found.items()]


def open_ground_truth(
    source: str | Path,
    *,
    units_per_m: float = MM_PER_M,
    limits: Limits = DEFAULT_LIMITS,
    roots: Sequence[Path] = (),
) -> GroundTruth:
    """Open a data set; its files are found now and read later.

    Args:
        source: One of UNDERSTOOD. A file or folder of that name goes before stereo_motorcycle. A folder that holds a
            manifest is opened by it.
        units_per_m: Units a metre of files that hold whole numbers and state no unit; KITTI's, 256, are known.
        limits: Largest picture and largest depth map.
        roots: Folders where the files of a list are looked for; its own folder always is.

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
            sample = read_motorcycle()
            return GroundTruth(STEREO_MOTORCYCLE, (Pair(STEREO_MOTORCYCLE, lambda: sample),), 10.0)
        raise InputError(f"{source} does not exist, expected {'; or '.join(UNDERSTOOD)}")
    if not path.is_dir():
        check_plain(path)
    if path.suffix.lower() == ".mat":
        return _nyu(path, limits)
    found = find_files(path, roots)
    if found is None:
        raise InputError(f"{source} has an unknown layout, expected {'; or '.join(UNDERSTOOD)}")
    return _on_disk(path, found, units_per_m, limits)


def _nyu(path: Path, limits: Limits) -> GroundTruth:
    found = open_nyu(path)
    pairs = tuple(
        Pair(name, partial(read_nyu, path, found.key, index, name, limits), scene)
        for index, (name, scene) in enumerate(zip(found.names, found.scenes, strict=True))
    )
    return GroundTruth("nyu", pairs, CAP_M["nyu"], found.notes)


def _unique(name: str, path: Path, paths: Sequence[Path]) -> str:
    """Return a name with as many last parts of its path as make it unique among the paths of that name."""
    if len(paths) == 1:
        return name
    parts = next(parts for parts in count(1) if len({other.parts[-parts:] for other in paths}) == len(paths))
    end = Path(*path.parts[-parts:])
    own = end.name.removesuffix(".txt").removesuffix(SUFFIX) == name
    return end.as_posix() if own else f"{name} {end.as_posix()}"


def _on_disk(path: Path, found: Found, units_per_m: float, limits: Limits) -> GroundTruth:
    """Return the data set of the pairs that have both files."""
    pairs, missing = _present(path, found)
    readers, cameras = depth_readers(pairs, found, units_per_m=units_per_m, limits=limits)
    first = _first_readable(readers, pairs)  # a missing package or a wrong unit is noticed before anything is measured
    layouts = {one.layout for one in found.pairs}
    has_unit = bool(MEANINGS[first.kind].unit)
    name, cap_m = _name_of(path), FOLDER_CAP_M
    if len(layouts) == 1 and "files" not in layouts:
        name = next(iter(layouts))
        cap_m = CAP_M[name]
    notes = [*missing, *found.notes]
    if found.left_out:
        notes.append(found.left_out)
    if has_unit and any(one.layout == "files" and one.units_per_m is None for one in pairs):
        notes.append(f"depth files without a unit are read as metres, whole numbers as 1/{units_per_m:g} m")
    made = make_pairs(pairs, found, readers, limits=limits)
    return GroundTruth(name, made, cap_m if has_unit else None, (*notes, *cameras), first.kind)


def _name_of(path: Path) -> str:
    whole = path.resolve()
    return whole.parent.name if whole.name == MANIFEST else whole.name.removesuffix(".txt").removesuffix(SUFFIX)


def _present(path: Path, found: Found) -> tuple[list[PairFiles], list[str]]:
    """Return the pairs that have both files, and notes on the others."""
    with_image = [one for one in found.pairs if one.image.is_file()]
    if not with_image:
        raise InputError(
            f"{path} has {len(found.pairs)} depth files, but no image {found.pairs[0].image}; add the images"
        )
    notes = []
    if len(with_image) < len(found.pairs):
        notes.append(f"{len(found.pairs) - len(with_image)} of {len(found.pairs)} depth files have no image")
    pairs = [one for one in with_image if one.depth.is_file()] or with_image  # an error says why none can be read
    if len(pairs) < len(with_image):
        notes.append(f"{len(with_image) - len(pairs)} of {len(found.pairs)} images have no depth file")
    if found.unpaired:
        notes.append(f"{found.unpaired} of {found.unpaired + len(found.pairs)} photographs have no depth")
    return pairs, notes


def _first_readable(readers: Readers, pairs: Sequence[PairFiles]) -> TrueDepth:
    """Return the first depth that can be read; raise the first file's error if none can."""
    first: InputError | None = None
    for one in pairs:
        try:
            return readers[one](one.depth)
        except InputError as error:  # noqa: PERF203 (one damaged file must not lose the others)
            first = first or error
    assert first is not None  # a data set has files
    raise first
