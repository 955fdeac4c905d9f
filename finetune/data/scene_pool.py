"""A pool of rendered scenes on disk: shards of images and depth, and a source of batches cut from them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.system.field_types import Count, Name, Range
from ...engine.system.files import atomic_path, check_plain
from ..scenes.render import render_scenes
from .appearance import Appearance, vary_appearance
from .batches import Batch
from .recipe_file import keep_recipe

SHARD = 64  # scenes in a file
SHARDS_PER_BANK = 16  # shards with the same textures
SIZES_PX = ((192, 256), (256, 192), (224, 224))  # (h, w) of shards 0, 1, 2, and so on in turn
LEAST_CROP = 0.6
_OPEN_SHARDS = 100  # each takes two file descriptors, and some systems allow a program 256


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a training: size, number and variation of its images.

    Args:
        first: Step that it begins with.
        sizes_px: Sizes (h, w), one of which is drawn for each batch; multiples of the network's patch.
        batch: Images in a batch.
        least_crop: Side of the smallest crop over that of the largest.
        variation: Factor of the strengths in the source's Appearance; 0 leaves images unchanged.
    """

    first: int
    sizes_px: tuple[tuple[int, int], ...]
    batch: int
    least_crop: float = LEAST_CROP
    variation: float = 1.0


@dataclass(frozen=True, slots=True)
class _Recipe:
    """Everything that decides what is rendered."""

    layout: Literal["pool"]
    seed: Annotated[int, Range(0)]
    setting: Name
    sizes_px: tuple[tuple[Count, Count], ...]
    shard: Count
    shards_per_bank: Count
    indoor_from: Annotated[int, Range(0)] | None = None


def render_pool(
    directory: str | Path,
    shards: int,
    *,
    first_seed: int = 0,
    setting: str = "mixed",
    indoor_from: int | None = None,
    device: str = "cpu",
    on_shard: Callable[[int, int], None] | None = None,
) -> None:
    """Render shards of scenes; finished shards are kept, so rendering can stop and resume at any time.

    Args:
        directory: Folder of the pool; created if missing.
        shards: Number of shards, SHARD scenes each.
        first_seed: Seed of the first scene; the next scenes have the next seeds.
        setting: As render_scenes takes it.
        indoor_from: Number of the first shard that holds indoor scenes only; None for no such shard.
        device: "cpu" or "cuda".
        on_shard: Called with (shards done, all shards).

    Raises:
        InputError: The folder holds other scenes or something else, or cannot be used.
    """
    recipe = _Recipe("pool", first_seed, setting, SIZES_PX, SHARD, SHARDS_PER_BANK, indoor_from)
    directory = keep_recipe(directory, recipe)
    for shard in range(shards):
        if not _depth_path(directory, shard).is_file():
            indoor = indoor_from is not None and shard >= indoor_from
            _render_shard(directory, shard, first_seed, "indoor" if indoor else setting, device)
        if on_shard is not None:
            on_shard(shard + 1, shards)


def _render_shard(directory: Path, shard: int, first_seed: int, setting: str, device: str) -> None:
    height_px, width_px = SIZES_PX[shard % len(SIZES_PX)]
    start = first_seed + shard * SHARD
    scenes = render_scenes(
        range(start, start + SHARD),
        height_px=height_px,
        width_px=width_px,
        setting=setting,
        device=device,
        texture_seed=start // (SHARD * SHARDS_PER_BANK),
    )
    depth_m = stored_depth(scenes.depth_m, scenes.valid)
    images = scenes.image.permute(0, 2, 3, 1)  # (SHARD, h, w, 3)
    # Depth is written last: a shard with depth is whole.
    for path, array in (
        (_image_path(directory, shard), images.cpu().numpy()),
        (_depth_path(directory, shard), depth_m.cpu().numpy()),
    ):
        with atomic_path(path) as unfinished:
            np.save(unfinished, np.ascontiguousarray(array))


def stored_depth(depth_m: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Return depth as float16: infinite for the sky, and never infinite where something is seen."""
    most = torch.finfo(torch.float16).max
    return torch.where(valid, depth_m.clamp(max=most), torch.inf).half()


class PoolSource:
    """Batches of random crops of a pool, some mirrored, in varied appearance; a batch depends only on its number.

    Args:
        directory: Folder of the pool.
        shards: Number of shards.
        stages: Stages in order; the first begins at step 0.
        batches_a_step: Number of batches that all processes together take for a step.
        seed: Seed of the choice of scenes, crops and appearance.
        appearance: Strength of the variation.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        shards: int,
        stages: Sequence[Stage],
        batches_a_step: int = 1,
        seed: int,
        appearance: Appearance = Appearance(),  # noqa: B008 - frozen, so sharing it is safe
    ) -> None:
        self._directory, self._shards, self._stages, self._seed = Path(directory), shards, tuple(stages), seed
        self._batches_a_step, self._appearance = batches_a_step, appearance
        self._open = functools.lru_cache(maxsize=_OPEN_SHARDS)(self._open_shard)

    def batch(self, index: int) -> Batch:
        """Return batch number `index`."""
        stage = [stage for stage in self._stages if stage.first <= index // self._batches_a_step][-1]
        rng = np.random.default_rng([self._seed, index])
        height_px, width_px = stage.sizes_px[rng.integers(len(stage.sizes_px))]
        scenes = rng.integers(self._shards * SHARD, size=stage.batch)
        cuts = [self._cut(int(scene), rng, (height_px, width_px), stage.least_crop) for scene in scenes]
        images = torch.from_numpy(np.stack([image for image, _ in cuts])).permute(0, 3, 1, 2).float().div_(255)
        depth_m = torch.from_numpy(np.stack([depth for _, depth in cuts]))
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        near_m = torch.where(depth_m.isinf(), 0.0, depth_m)  # vary_appearance expects 0 for the sky
        strength = self._appearance.milder(stage.variation)
        varied = vary_appearance(images.contiguous(), generator, depth_m=near_m, strength=strength)
        return Batch(varied, depth_m, torch.ones_like(depth_m, dtype=torch.bool))

    def _cut(
        self, scene: int, rng: np.random.Generator, size_px: tuple[int, int], least_crop: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return a crop of a scene at a size: (h, w, 3) and (h, w)."""
        height_px, width_px = size_px
        images, depths = self._open(scene // SHARD)
        image, depth_m = images[scene % SHARD], depths[scene % SHARD]
        rows, columns = _crop_size(image.shape[:2], size_px, float(rng.uniform(least_crop, 1.0)))
        top = int(rng.integers(image.shape[0] - rows + 1))
        left = int(rng.integers(image.shape[1] - columns + 1))
        window = np.s_[top : top + rows, left : left + columns]
        cubic = cv2.INTER_CUBIC  # as the images that the model is used on
        pixels = cv2.resize(np.asarray(image[window]), (width_px, height_px), interpolation=cubic)  # (w, h)
        exact = cv2.INTER_NEAREST_EXACT  # INTER_NEAREST takes a pixel's corner: depth would lie half a pixel off
        metres = cv2.resize(depth_m[window].astype(np.float32), (width_px, height_px), interpolation=exact)
        if rng.random() < 0.5:
            pixels, metres = pixels[:, ::-1], metres[:, ::-1]
        return pixels.astype(np.uint8), metres.astype(np.float32)

    def _open_shard(self, shard: int) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        depth = _map(_depth_path(self._directory, shard))  # first, as it is written last
        return _map(_image_path(self._directory, shard)), depth


def _map(path: Path) -> NDArray[Any]:
    """Return an array of a shard, read as it is used."""
    try:
        check_plain(path, advice="render the pool again")
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; render the pool, then resume") from error
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read ({error}); remove it and render the pool, then resume") from error
    return array


def _crop_size(available: tuple[int, ...], wanted: tuple[int, int], share: float) -> tuple[int, int]:
    """Return (h, w) of a crop of the wanted aspect whose sides are `share` of the largest that fits."""
    scale = min(available[0] / wanted[0], available[1] / wanted[1]) * share
    return min(available[0], max(1, round(wanted[0] * scale))), min(available[1], max(1, round(wanted[1] * scale)))


def _image_path(directory: Path, shard: int) -> Path:
    return directory / f"images-{shard:05d}.npy"


def _depth_path(directory: Path, shard: int) -> Path:
    return directory / f"depth-{shard:05d}.npy"
