"""The files of an augmented frame; the sidecar is written last, so that a frame with a sidecar is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bench.datasets.manifest import Entry
from ...bench.datasets.regions import REGIONS, region, write_regions
from ...engine.images.write import write_image
from ...engine.system.files import atomic_path, make_folder
from .edit.kinds import Kind
from .edit.materials import Edit
from .geometry.find_planes import Planes
from .geometry.plane import Float64
from .preview import preview
from .source import Frame, Loaded

FOLDERS = ("image", "depth", "regions", "sidecar", "preview")
_SIDECAR_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SamplePaths:
    """The paths of an augmented frame; those of a copy are below a folder of its number."""

    image: Path
    depth: Path
    regions: Path
    sidecar: Path
    preview: Path

    def __iter__(self) -> Iterator[Path]:
        return iter((self.image, self.depth, self.regions, self.sidecar, self.preview))


def paths_of(directory: Path, frame: Frame, copy: int) -> SamplePaths:
    """Return the paths of a frame's copy of a number."""
    folders = [directory / folder / str(copy) for folder in FOLDERS]
    bare = [
        folder / f"{frame.name}{suffix}" for folder, suffix in zip(folders[2:], (".png", ".json", ".jpg"), strict=True)
    ]
    return SamplePaths(folders[0] / frame.image, folders[1] / frame.depth, *bare)


def entry_of(directory: Path, frame: Frame, copy: int) -> Entry:
    """Return the entry of a frame's copy in the manifest."""
    paths = paths_of(directory, frame, copy)
    image, depth, mask = (path.relative_to(directory).as_posix() for path in (paths.image, paths.depth, paths.regions))
    whole = frame.layout in ("files", "kitti")
    units_per_m = frame.units_per_m if whole else None
    return Entry(image, depth, frame.pair.scene, mask, frame.pair.split, frame.layout, units_per_m)


def write_sample(
    paths: SamplePaths,
    loaded: Loaded,
    about: dict[str, Any],
    *,
    frame: Frame,
    before: Float64 | None,
) -> None:
    """Write the files of an augmented frame.

    Args:
        paths: Where.
        loaded: The edited frame.
        about: The sidecar.
        frame: Its source; the files of a frame that was not edited are copied.
        before: (h, w), inverse depth before the edit, for a preview; None without one.
    """
    for path in (paths.image, paths.depth, paths.regions, paths.sidecar):
        make_folder(path.parent)
    canvas, pair = loaded.canvas, frame.pair
    touched = bool(canvas.changed.any() or canvas.erased.any())
    if about["edits"] or pair.image is None or pair.image.suffix != paths.image.suffix:
        write_image(paths.image, canvas.image)
    else:
        _copy(pair.image, paths.image)
    if touched or pair.depth is None:
        depth = _depth(canvas.inverse, loaded)
        raw = loaded.stored.edited(depth, canvas.changed, canvas.erased)
        loaded.stored.write(paths.depth, raw, canvas.changed, canvas.erased)
    else:
        _copy(pair.depth, paths.depth)
    write_regions(paths.regions, canvas.regions)
    if before is not None:
        make_folder(paths.preview.parent)
        write_image(paths.preview, preview(canvas.image, before, np.where(canvas.erased, np.nan, canvas.inverse)))
    with atomic_path(paths.sidecar) as unfinished:
        unfinished.write_text(json.dumps(about, indent=1), encoding="utf-8")


def sidecar(
    frame: Frame, copy: int, seed: int, kind: Kind, loaded: Loaded, planes: Planes | None, edits: tuple[Edit, ...]
) -> dict[str, Any]:
    """Return what is recorded of an augmented frame, as JSON."""
    canvas, pair = loaded.canvas, frame.pair
    focal_x, focal_y, centre_x, centre_y = (float(canvas.camera[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return {
        "format": _SIDECAR_FORMAT,
        "source": {
            "name": pair.name,
            "image": None if pair.image is None else pair.image.name,
            "depth": None if pair.depth is None else pair.depth.name,
            "scene": pair.scene,
        },
        "mask": f"regions/{copy}/{frame.name}.png",
        "region_bits": {name: 1 << place for place, name in enumerate(REGIONS)},
        "seed": seed,
        "copy": copy,
        "kind": kind,
        "edits": [asdict(edit) for edit in edits],
        "planes": [
            {"plane": plane.coefficients, "share": plane.share, "residual": plane.residual}
            for plane in (planes.planes if planes is not None else ())
        ],
        "camera_px": [focal_x, focal_y, centre_x, centre_y],
        "camera_is_known": frame.layout in ("hypersim", "vkitti2"),
        "depth_px": list(canvas.size_px),
        "regions_px": _counts(canvas.regions),
    }


def _counts(regions: NDArray[np.uint8]) -> dict[str, int]:
    counts = {name: int(region(regions, name).sum()) for name in REGIONS}
    return {name: count for name, count in counts.items() if count}


def _depth(inverse: Float64, loaded: Loaded) -> Float64:
    """Return inverse depth in the unit and of the kind of the frame's depth file."""
    if loaded.truth.kind == "inverse":
        return inverse
    with np.errstate(divide="ignore"):
        return 1 / inverse


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as unfinished:
        shutil.copyfile(source, unfinished)
