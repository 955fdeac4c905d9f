"""Finds the image and depth files of a data set by their layout: Hypersim, Virtual KITTI 2, a list, a plain folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...engine.depth.read import READERS
from ...engine.errors import InputError
from ...engine.images.kinds import IMAGE_SUFFIXES
from ...engine.images.walk import LeftOut, files_below, matches_below
from .masks import masked_stems

Layout = Literal["hypersim", "vkitti2", "files"]

_IMAGE_FOLDERS = ("rgb", "image", "images", "color", "colour", "photos")
_DEPTH_FOLDERS = ("depth", "depths", "gt", "ground_truth")
_DEPTH_ENDINGS = ("_depth", "-depth", ".depth")
_PICTURE_SUFFIXES = (".png", ".tif", ".tiff")  # without a depth ending they are photographs

Files = tuple[Path, Path]  # an image and its depth


@dataclass(frozen=True, slots=True)
class Pairs:
    """The files of a data set.

    Args:
        layout: Of the files.
        files: In a fixed order.
        unpaired: Number of photographs without depth, which are not among the files.
        left_out: What the folder holds beside its photographs, for people; "" if it holds nothing.
    """

    layout: Layout
    files: tuple[Files, ...]
    unpaired: int = 0
    left_out: str = ""


def find_pairs(path: Path) -> Pairs | None:
    """Return the pairs of a folder or of a .txt list, None if it has none.

    Raises:
        InputError: A list is damaged or mixes layouts, or it is unclear which files belong together.
    """
    if path.is_file():
        return _listed(path) if path.suffix.lower() == ".txt" else None
    depths = sorted(_matching(path, "**/images/scene_cam_*_geometry_hdf5/frame.*.depth_meters.hdf5"))
    if depths:
        return Pairs("hypersim", tuple((_hypersim_image(depth), depth) for depth in depths))
    depths = sorted(_matching(path, "**/frames/depth/Camera_*/depth_*.png"))
    if depths:
        return Pairs("vkitti2", tuple((_vkitti2_image(depth), depth) for depth in depths))
    return _in_two_folders(path) or _side_by_side(path)


def _listed(path: Path) -> Pairs:
    """Read a list as upstream and the scene generator write it; relative paths start at the list's folder."""
    lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if not lines or any(len(words) != 2 for words in lines):
        raise InputError(f"{path} is not a list of pairs, expected an image and a depth path on each line, no spaces")
    files = tuple((path.parent / image, path.parent / depth) for image, depth in lines)
    layouts = sorted({_layout_of(depth) for _, depth in files})
    if len(layouts) > 1:
        raise InputError(f"{path} mixes {' and '.join(layouts)}, expected files of one layout; split the list")
    return Pairs(layouts[0], files)


def _layout_of(depth: Path) -> Layout:
    if depth.name.endswith(".depth_meters.hdf5"):
        return "hypersim"
    return "vkitti2" if depth.match("frames/depth/Camera_*/depth_*.png") else "files"


def _hypersim_image(depth: Path) -> Path:
    folder = depth.parent.name.replace("geometry_hdf5", "final_preview")
    return depth.parent.with_name(folder) / depth.name.replace("depth_meters.hdf5", "tonemap.jpg")


def _vkitti2_image(depth: Path) -> Path:
    folder = depth.parents[2] / "rgb" / depth.parent.name
    return folder / depth.name.replace("depth_", "rgb_").replace(".png", ".jpg")


def _in_two_folders(path: Path) -> Pairs | None:
    images, depths = _folder_named(path, _IMAGE_FOLDERS), _folder_named(path, _DEPTH_FOLDERS)
    if images is None or depths is None:
        return None
    left_out = LeftOut()
    photos = files_below(images, IMAGE_SUFFIXES, left_out=left_out, repeats=True)
    return _matched(photos, images, files_below(depths, READERS, repeats=True), depths, left_out)


def _folder_named(path: Path, names: Sequence[str]) -> Path | None:
    """Return the folder of one of the names, None without one.

    Raises:
        InputError: There are several.
    """
    found = sorted(child for child in path.iterdir() if child.name.lower() in names and child.is_dir())
    if len(found) > 1:
        raise InputError(
            f"{path} has the folders {found[0].name} and {found[1].name}, expected one; move the other away"
        )
    return found[0] if found else None


def _side_by_side(path: Path) -> Pairs | None:
    depths = [
        depth
        for depth in files_below(path, READERS, repeats=True)
        if depth.suffix.lower() not in _PICTURE_SUFFIXES or depth.stem.endswith(_DEPTH_ENDINGS)
    ]
    left_out = LeftOut()
    found = files_below(path, IMAGE_SUFFIXES, left_out=left_out, repeats=True)
    photos = [photo for photo in found if not photo.stem.endswith(_DEPTH_ENDINGS)]
    bare = {photo.with_suffix("") for photo in photos}
    masks = {photo for photo in photos if any(photo.with_name(stem) in bare for stem in masked_stems(photo.stem))}
    return _matched([photo for photo in photos if photo not in masks], path, depths, path, left_out)


def _matched(
    photos: Sequence[Path], images: Path, depths: Sequence[Path], truth: Path, left_out: LeftOut
) -> Pairs | None:
    """Pair the photographs of a folder with depth files of the same bare name; None without a pair.

    Raises:
        InputError: Two depth files or two photographs have one bare name.
    """
    files: dict[Path, list[Path]] = {}
    for depth in depths:
        files.setdefault(_bare(depth.relative_to(truth)), []).append(depth)
    pairs: dict[Path, Files] = {}
    for photo in photos:
        bare = _bare(photo.relative_to(images))
        if bare in files:
            first, *more = files[bare]
            if more:
                raise InputError(
                    f"{photo} has the depth files {first} and {more[0]}, expected one; move the other away"
                )
            if bare in pairs:
                raise InputError(f"{first} has the photographs {pairs[bare][0]} and {photo}; move one away")
            pairs[bare] = photo, first
    said = str(left_out) if left_out else ""
    return Pairs("files", tuple(pairs.values()), len(photos) - len(pairs), said) if pairs else None


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Return the files below a folder that match a pattern, linked folders entered."""
    return [path for path in matches_below(folder, pattern, LeftOut()) if path.is_file()]


def _bare(path: Path) -> Path:
    """Return a path without its suffix and depth ending."""
    stem = path.stem
    for ending in _DEPTH_ENDINGS:
        stem = stem.removesuffix(ending)
    return path.with_name(stem)
