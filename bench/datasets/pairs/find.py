"""A data set's path in, the files of its pairs out, with scene, split and layout: of a manifest, a list or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..manifest import Entry, Split, manifest_of, read_manifest
from .layouts import find_pairs
from .scenes import Layout, layout_of, scenes_of

KITTI_UNITS_PER_M = 256.0  # Source: the data set's development kit


@dataclass(frozen=True, slots=True)
class PairFiles:
    """The files of a pair, which may be missing.

    Args:
        image: The photograph.
        depth: Its depth.
        scene: That it shows.
        layout: How the depth file is read.
        mask: Region mask, None without one.
        split: None if the data set does not say.
        units_per_m: Units a metre of whole numbers; None if the data set does not say.
        shows: Region that a mask of 0 and one other value shows; None for a region mask.
    """

    image: Path
    depth: Path
    scene: str
    layout: Layout
    mask: Path | None = None
    split: Split | None = None
    units_per_m: float | None = None
    shows: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a data set.

    Args:
        root: Folder of the data set; images are named after their path below it.
        pairs: In a fixed order.
        is_manifest: Whether a manifest names the pairs.
        unpaired: Number of photographs without depth.
        alone: Those of them that should have some.
        depths_alone: Depth files without a photograph.
        left_out: What the folder holds beside its photographs, for people; "" if it holds nothing.
        notes: How the files were found, one sentence each.
    """

    root: Path
    pairs: tuple[PairFiles, ...]
    is_manifest: bool = False
    unpaired: int = 0
    alone: tuple[Path, ...] = ()
    depths_alone: tuple[Path, ...] = ()
    left_out: str = ""
    notes: tuple[str, ...] = ()


def find_files(path: Path, roots: Sequence[Path] = ()) -> Found | None:
    """Return the files of a manifest, a .txt list or a folder; None if it is something else.

    Args:
        path: The data set. A folder that holds a manifest is read by it.
        roots: Folders where the files of a list are looked for.

    Raises:
        InputError: A manifest or a list is damaged, or it is unclear which files belong together.
    """
    if (manifest := manifest_of(path)) is not None:
        root = manifest.parent
        return Found(root, tuple(_of_entry(entry, root) for entry in read_manifest(manifest)), is_manifest=True)
    pairs = find_pairs(path, roots)
    if pairs is None:
        return None
    root = path if path.is_dir() else path.parent
    scenes = scenes_of(pairs.layout, pairs.files, (root,) if path.is_dir() else (*roots, root))
    masks = pairs.masks or (None,) * len(pairs.files)
    units_per_m = KITTI_UNITS_PER_M if pairs.layout == "kitti" else None
    files = tuple(
        PairFiles(image, depth, scene, pairs.layout, mask, units_per_m=units_per_m)
        for (image, depth), scene, mask in zip(pairs.files, scenes, masks, strict=True)
    )
    alone = pairs.alone, pairs.depths_alone
    return Found(root, files, False, pairs.unpaired, *alone, pairs.left_out, pairs.notes)


def _of_entry(entry: Entry, root: Path) -> PairFiles:
    layout = entry.layout or layout_of(root / entry.depth)
    units_per_m = entry.units_per_m or (KITTI_UNITS_PER_M if layout == "kitti" else None)
    mask = root / entry.mask if entry.mask else None
    return PairFiles(root / entry.image, root / entry.depth, entry.scene, layout, mask, entry.split, units_per_m)
