"""Renders the scenes of a probe: pictures with exact depth, and the regions that its figure compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ..scenes.render import Change, render_scenes
from ..scenes.scene import Scenes
from .align import Map, Mask
from .regions import Regions

SIZE_PX = (384, 512)  # (h, w) of the pictures
FIRST_SEED = 20_000_000  # no training or validation uses scenes of this seed and later ones
TEXTURES = 1_000_000  # of the held-out scenes, which no training uses
LEAST_PX = 60  # of a region; a scene with a smaller region is left out, and another seed taken
_BATCH = 8  # seeds rendered together
_TRIES = 4  # seeds for each scene, at most


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A scene of a probe.

    Args:
        images: (H, W, 3) uint8 BGR: one, or two of the same scene in another light.
        inverse: (H, W) float64, true inverse depth, 1/m; 0 for the sky.
        known: (H, W) bool, False for the sky.
        regions: Masks (H, W) by name.
    """

    images: tuple[NDArray[np.uint8], ...]
    inverse: Map
    known: Mask
    regions: Mapping[str, Mask]


def shoot(
    setting: str, regions: Regions, count: int, *, change: Change | None = None, size_px: tuple[int, int] = SIZE_PX
) -> Iterator[Shot]:
    """Yield scenes of a setting, a few rendered at a time.

    Args:
        setting: As in render_scenes.
        regions: Finds the regions of a scene.
        count: Number of scenes.
        change: Gives each scene a second picture.
        size_px: (h, w) of the pictures.

    Raises:
        InputError: Too many scenes lack a region.
    """
    found, seed = 0, FIRST_SEED
    while found < count and seed < FIRST_SEED + _TRIES * count:
        seeds = range(seed, seed + min(_BATCH, count - found))
        seed = seeds.stop
        for shot in filter(_shows, _shots(seeds, setting, regions, change, size_px)):
            found += 1
            yield shot
    if found == count:
        return
    raise InputError(
        f"{found} of {count} scenes {setting!r} show all they should at {size_px[0]}x{size_px[1]} px (HxW); "
        "take larger pictures"
    )


def _shots(
    seeds: Sequence[int], setting: str, regions: Regions, change: Change | None, size_px: tuple[int, int]
) -> Iterator[Shot]:
    options: dict[str, Any] = {
        "height_px": size_px[0],
        "width_px": size_px[1],
        "setting": setting,
        "texture_seed": TEXTURES,
    }
    scenes = render_scenes(seeds, **options)
    images = [_pictures(scenes)]
    if change is not None:
        images.append(_pictures(render_scenes(seeds, **options, change=change)))
    for index, own in enumerate(zip(*images, strict=True)):
        known = scenes.valid[index].numpy()
        depth_m = np.where(known, scenes.depth_m[index].numpy().astype(np.float64), np.inf)
        yield Shot(own, 1 / depth_m, known, regions(scenes.thing[index].numpy()))


def _pictures(scenes: Scenes) -> list[NDArray[np.uint8]]:
    """Return the images, (H, W, 3) uint8 BGR."""
    return [np.ascontiguousarray(image.permute(1, 2, 0).numpy()[..., ::-1]) for image in scenes.image]


def _shows(shot: Shot) -> bool:
    return all(int(np.count_nonzero(region)) >= LEAST_PX for region in shot.regions.values())
