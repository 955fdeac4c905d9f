"""Writes procedural scenes as data sets in the layout of Hypersim or Virtual KITTI 2, with region masks and lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...bench.datasets.hypersim_cameras import HYPERSIM_FOCAL_PX
from ...bench.datasets.regions import REGIONS, join_regions, write_regions
from ...engine.errors import BackendUnavailable, InputError
from ...engine.system.field_types import Name, Range
from ...engine.system.files import make_folder
from ..scenes.render import check_request, render_scenes, scene_cameras
from ..scenes.scene import Scenes
from .dataset_files import (
    HYPERSIM_SIZE_PX,
    VKITTI2_FOCAL_PX,
    VKITTI2_SIZE_PX,
    hypersim_distance,
    vkitti2_centimetres,
    write_h5,
    write_hypersim_camera,
    write_hypersim_table,
    write_jpeg,
    write_png,
    write_vkitti2_cameras,
)
from .recipe_file import keep_recipe, resolve_folder
from .scene_files import VKITTI2_FRAMES, SceneFiles, hypersim_files, vkitti2_files, write_lists

_BATCH_PX = 1 << 20  # pixels rendered together
_MOST_SCENES = 10_000_000  # of a data set

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A written data set.

    Args:
        directory: Folder of the data set.
        train, val: Lists of image and depth paths, a pair on each line; one scene of ten is in `val`, and stays
            in it if scenes are added. Paths are relative to the folder if its own path has a blank.
        pairs: Number of images.
    """

    directory: Path
    train: Path
    val: Path
    pairs: int


@dataclass(frozen=True, slots=True)
class _Recipe:
    """Everything that decides what is rendered; kept in the folder, so that scenes of two recipes are never mixed."""

    layout: Literal["hypersim", "vkitti2"]
    count: Annotated[int, Range(1, _MOST_SCENES)]
    seed: Annotated[int, Range(0)]
    setting: Name
    height_px: Annotated[int, Range(1)]
    width_px: Annotated[int, Range(1)]
    samples: Annotated[int, Range(1)]
    texture_seed: int


def write_hypersim(
    directory: str | Path,
    count: int,
    *,
    seed: int = 0,
    setting: str = "indoor",
    height_px: int = HYPERSIM_SIZE_PX[0],
    width_px: int = HYPERSIM_SIZE_PX[1],
    samples: int = 1,
    texture_seed: int = 0,
    device: str = "cpu",
    on_progress: Progress | None = None,
) -> Dataset:
    """Write scenes as Hypersim: ai_VVV_NNN/images/scene_cam_00_*, distance in metres, NaN for the sky.

    Beside them lie their region masks, and a manifest. Files that exist are kept, so a stopped run resumes.

    Args:
        directory: Folder of the data set; created if missing.
        count: Number of scenes, one frame each.
        seed: Seed of the first scene; the next scenes have the next seeds.
        setting: As render_scenes takes it.
        height_px, width_px: Size of the images; readers of the real data set expect 768 x 1024.
        samples: Rays per pixel of the images.
        texture_seed: Seed of the textures.
        device: "cpu" or "cuda".
        on_progress: Called with (frames done, all frames).

    Raises:
        InputError: The folder holds a data set of other scenes, or cannot be written.
        BackendUnavailable: h5py is missing.
    """
    _need_h5py()
    recipe = _Recipe("hypersim", count, seed, setting, height_px, width_px, samples, texture_seed)
    root = _begin(directory, recipe, hypersim_files, device)
    pairs = [hypersim_files(root, index) for index in range(count)]
    fov_rad = 2 * math.atan(HYPERSIM_SIZE_PX[1] / 2 / HYPERSIM_FOCAL_PX)
    if height_px > width_px:
        fov_rad = 2 * math.atan(math.tan(fov_rad / 2) * height_px / width_px)  # the longer side is the height
    for part, scenes in _rendered(pairs, recipe, fov_rad, device, on_progress):
        for index, (pair, image, depth_m) in enumerate(_each(part, scenes)):
            write_jpeg(pair.image, image)
            write_regions(pair.regions, _regions(scenes, index))
            write_hypersim_camera(pair.folder, scenes.cameras, index)
            write_h5(pair.depth, hypersim_distance(depth_m))
    write_hypersim_table(root, [pair.name for pair in pairs], (height_px, width_px))
    return _finish(root, pairs)


def write_vkitti2(
    directory: str | Path,
    count: int,
    *,
    seed: int = 0,
    setting: str = "outdoor",
    height_px: int = VKITTI2_SIZE_PX[0],
    width_px: int = VKITTI2_SIZE_PX[1],
    samples: int = 1,
    texture_seed: int = 0,
    device: str = "cpu",
    on_progress: Progress | None = None,
) -> Dataset:
    """Write scenes as Virtual KITTI 2: SceneNN/clone/frames/{rgb,depth}/Camera_0, 16-bit centimetres, sky 65535.

    Beside them lie their region masks, and a manifest. Files that exist are kept, so a stopped run resumes. Each frame
    shows another scene.

    Args:
        directory: Folder of the data set; created if missing.
        count: Number of frames.
        seed: Seed of the first frame; the next frames have the next seeds.
        setting: As render_scenes takes it.
        height_px, width_px: Size of the images; that of the real data set is 375 x 1242.
        samples: Rays per pixel of the images.
        texture_seed: Seed of the textures.
        device: "cpu" or "cuda".
        on_progress: Called with (frames done, all frames).

    Raises:
        InputError: The folder holds a data set of other scenes, or cannot be written.
    """
    recipe = _Recipe("vkitti2", count, seed, setting, height_px, width_px, samples, texture_seed)
    root = _begin(directory, recipe, vkitti2_files, device)
    pairs = [vkitti2_files(root, index) for index in range(count)]
    focal_px = VKITTI2_FOCAL_PX * width_px / VKITTI2_SIZE_PX[1]
    fov_rad = 2 * math.atan(max(height_px, width_px) / 2 / focal_px)
    for part, scenes in _rendered(pairs, recipe, fov_rad, device, on_progress):
        for index, (pair, image, depth_m) in enumerate(_each(part, scenes)):
            write_jpeg(pair.image, image)
            write_regions(pair.regions, _regions(scenes, index))
            write_png(pair.depth, vkitti2_centimetres(depth_m))
    for start in range(0, count, VKITTI2_FRAMES):
        frames = range(seed + start, seed + min(start + VKITTI2_FRAMES, count))
        cameras = scene_cameras(frames, setting=setting)
        write_vkitti2_cameras(pairs[start].folder, cameras, (height_px, width_px), focal_px)
    return _finish(root, pairs)


def _need_h5py() -> None:
    """Raise BackendUnavailable if h5py is missing."""
    try:
        import h5py  # noqa: F401
    except ImportError as error:
        raise BackendUnavailable(
            "h5py is missing, which writes Hypersim's files; pip install 'depthrt[finetune]'"
        ) from error


def _begin(directory: str | Path, recipe: _Recipe, place: Callable[[Path, int], SceneFiles], device: str) -> Path:
    """Create the folder, or check that it holds scenes of the same recipe, of which the count may be larger now."""
    if not 1 <= recipe.count <= _MOST_SCENES:
        raise InputError(f"count {recipe.count} found, expected 1 to {_MOST_SCENES} scenes")
    root = resolve_folder(directory)
    if not _is_text(str(root)):
        raise InputError(f"{str(root)!r} is not Unicode, and the lists are written in UTF-8; choose another folder")
    check_request(  # before the folder gets this recipe
        [recipe.seed],
        height_px=recipe.height_px,
        width_px=recipe.width_px,
        setting=recipe.setting,
        device=device,
        samples=recipe.samples,
    )
    return keep_recipe(root, recipe, growing="count", is_there=lambda root, index: place(root, index).depth.is_file())


def _is_text(path: str) -> bool:
    """Return whether a path can be written as UTF-8; a file name of arbitrary bytes cannot."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _rendered(
    pairs: Sequence[SceneFiles], recipe: _Recipe, fov_rad: float, device: str, on_progress: Progress | None
) -> Iterator[tuple[list[SceneFiles], Scenes]]:
    """Render the missing pairs, several at a time, from each scene's camera with the data set's angle of view."""
    missing = [pair for pair in pairs if not pair.depth.is_file()]  # depth is written last
    done = len(pairs) - len(missing)
    size = max(1, _BATCH_PX // (recipe.height_px * recipe.width_px))
    if on_progress is not None:
        on_progress(done, len(pairs))
    for start in range(0, len(missing), size):
        part = missing[start : start + size]
        yield part, _render(part, recipe, fov_rad, device)
        done += len(part)
        if on_progress is not None:
            on_progress(done, len(pairs))


def _render(part: Sequence[SceneFiles], recipe: _Recipe, fov_rad: float, device: str) -> Scenes:
    seeds = [recipe.seed + pair.index for pair in part]
    cameras = scene_cameras(seeds, setting=recipe.setting)
    return render_scenes(
        seeds,
        height_px=recipe.height_px,
        width_px=recipe.width_px,
        setting=recipe.setting,
        device=device,
        cameras=replace(cameras, fov_rad=torch.full_like(cameras.fov_rad, fov_rad)),
        samples=recipe.samples,
        texture_seed=recipe.texture_seed,
    )


def _each(
    part: Sequence[SceneFiles], scenes: Scenes
) -> Iterator[tuple[SceneFiles, NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield each scene as (paths, RGB (h, w, 3), depth (h, w)), after making its folders."""
    images, depths = scenes.image.permute(0, 2, 3, 1).cpu().numpy(), scenes.depth_m.cpu().numpy()
    for pair, image, depth_m in zip(part, images, depths, strict=True):
        for path in (pair.image, pair.depth, pair.regions):
            make_folder(path.parent)
        yield pair, image, depth_m


def _regions(scenes: Scenes, index: int) -> NDArray[np.uint8]:
    """Return the region mask of a scene of a batch, (h, w)."""
    return join_regions({name: getattr(scenes, name)[index].cpu().numpy() for name in REGIONS})


def _finish(root: Path, files: Sequence[SceneFiles]) -> Dataset:
    train, val = write_lists(root, files)
    return Dataset(root, train, val, len(files))
