"""Finds the image and depth files of a data set by their layout, and the scene that each pair shows.

Layouts: Hypersim, Virtual KITTI 2, KITTI, a list, a plain folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....engine.depth.read import READERS
from ....engine.errors import InputError
from ....engine.images.kinds import IMAGE_SUFFIXES
from ....engine.images.walk import LeftOut, files_below, matches_below
from ..masks import masked_stems
from .lists import LIST_SUFFIX, read_list
from .scenes import IMAGE_FOLDERS, KITTI_DEPTHS, VKITTI2_DEPTH, Files, Layout, ends_as, kitti_frame, layout_of

_DEPTH_FOLDERS = ("depth", "depths", "gt", "ground_truth")
_DEPTH_ENDINGS = ("_depth", "-depth", ".depth")
_PICTURE_SUFFIXES = (".png", ".tif", ".tiff")  # without a depth ending they are photographs

_HYPERSIM = "images/scene_cam_*_geometry_hdf5/frame.*.depth_meters.hdf5"
_HYPERSIM_IMAGE = "images/scene_cam_*_final_preview/frame.*.tonemap.jpg"
_KITTI_IMAGES = ("image_0?/data/*.png", "image_0?/data/*.jpg", "image/*_image_*_image_0?.png")
_VKITTI2_IMAGE = "frames/rgb/Camera_*/rgb_*.jpg"


@dataclass(frozen=True, slots=True)
class Pairs:
    """The files of a data set.

    Args:
        layout: Of the files.
        files: In a fixed order.
        unpaired: Number of photographs without depth, which are not among the files.
        left_out: What the folder holds beside its photographs, for people; "" if it holds nothing.
        alone: Photographs without depth that should have some.
        depths_alone: Depth files without a photograph, which are not among the files.
        masks: Region masks, one for each pair; none if no pair has one.
        notes: How a list was read, one sentence each.
    """

    layout: Layout
    files: tuple[Files, ...]
    unpaired: int = 0
    left_out: str = ""
    alone: tuple[Path, ...] = field(default=(), compare=False)
    depths_alone: tuple[Path, ...] = field(default=(), compare=False)
    masks: tuple[Path | None, ...] = ()
    notes: tuple[str, ...] = ()


def find_pairs(path: Path, roots: Sequence[Path] = ()) -> Pairs | None:
    """Return the pairs of a folder or of a .txt list, None if it has none.

    Args:
        path: The folder or list.
        roots: Folders where the files of a list are looked for.

    Raises:
        InputError: A list is damaged or mixes layouts, or it is unclear which files belong together.
    """
    if path.is_file():
        return _listed(path, roots) if path.suffix.lower() == LIST_SUFFIX else None
    found = matches_below(path, "**/*.*", LeftOut())
    if pairs := _in_layout("hypersim", found, _HYPERSIM, _hypersim_image, _HYPERSIM_IMAGE):
        return pairs
    if pairs := _in_layout("vkitti2", found, VKITTI2_DEPTH, _vkitti2_image, _VKITTI2_IMAGE):
        return pairs
    return _kitti(found) or _in_two_folders(path) or _side_by_side(path)


def _listed(path: Path, roots: Sequence[Path]) -> Pairs:
    """Return the pairs of a list; lines without depth are counted as unpaired."""
    listed, notes = read_list(path, roots)
    with_depth = [(one.image, one.depth, one.mask) for one in listed if one.depth is not None]
    if not with_depth:
        raise InputError(f"{path} names no depth, expected an image and a depth path on each line")
    layouts = sorted({layout_of(depth) for _, depth, _ in with_depth})
    if len(layouts) > 1:
        raise InputError(f"{path} mixes {' and '.join(layouts)}, expected files of one layout; split the list")
    masks = tuple(mask for _, _, mask in with_depth)
    files = tuple((image, depth) for image, depth, _ in with_depth)
    return Pairs(layouts[0], files, masks=masks if any(masks) else (), notes=notes)


def _in_layout(
    layout: Layout, found: Sequence[Path], pattern: str, image_of: Callable[[Path], Path], images: str
) -> Pairs | None:
    """Return the pairs of the depth files that match a pattern, and the images that lack one; None without depth."""
    depths = sorted(file for file in found if ends_as(file, pattern) and file.is_file())
    files = tuple((image_of(depth), depth) for depth in depths)
    with_depth = {image for image, _ in files}
    alone = sorted(file for file in found if ends_as(file, images) and file not in with_depth)
    return Pairs(layout, files, len(alone), alone=tuple(alone)) if files else None


def _hypersim_image(depth: Path) -> Path:
    folder = depth.parent.name.replace("geometry_hdf5", "final_preview")
    return depth.parent.with_name(folder) / depth.name.replace("depth_meters.hdf5", "tonemap.jpg")


def _vkitti2_image(depth: Path) -> Path:
    folder = depth.parents[2] / "rgb" / depth.parent.name
    return folder / depth.name.replace("depth_", "rgb_").replace(".png", ".jpg")


def _kitti(found: Sequence[Path]) -> Pairs | None:
    """Pair KITTI's depth with the frames of the same drive, camera and number; None without depth.

    Frames without depth are usual there. Source: the data set's development kit.
    """
    depths = sorted(file for file in found if ends_as(file, *KITTI_DEPTHS) and file.is_file())
    images = {kitti_frame(file): file for file in found if depths and ends_as(file, *_KITTI_IMAGES)}
    files = tuple((images.get(frame := kitti_frame(depth), _kitti_image(*frame)), depth) for depth in depths)
    return Pairs("kitti", files) if files else None


def _kitti_image(drive: str, camera: str, number: str) -> Path:
    """Return the usual path of a frame that was not found."""
    return Path(drive[: len("2011_09_26")], drive, camera, "data", f"{number}.png")


def _in_two_folders(path: Path) -> Pairs | None:
    images, depths = _folder_named(path, IMAGE_FOLDERS), _folder_named(path, _DEPTH_FOLDERS)
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
    taken = {photo for photo, _ in pairs.values()}
    alone = tuple(photo for photo in photos if photo not in taken)
    others = (depth for bare, found in files.items() if bare not in pairs for depth in found)
    lonely = tuple(depth for depth in others if not masked_stems(depth.stem))
    return Pairs("files", tuple(pairs.values()), len(alone), said, alone, lonely) if pairs else None


def _bare(path: Path) -> Path:
    """Return a path without its suffix and depth ending."""
    stem = path.stem
    for ending in _DEPTH_ENDINGS:
        stem = stem.removesuffix(ending)
    return path.with_name(stem)
