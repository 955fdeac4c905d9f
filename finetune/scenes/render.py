"""Seeds to pictures with exact depth, whatever the number of scenes: in groups that fit the machine."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from ...engine.errors import BackendUnavailable, InputError
from .rays.camera import Cameras, cameras_of
from .render_batch import Batch
from .scene import Scenes, join_scenes
from .settings.compose import check_setting, draft_scene
from .textures.patterns import SIDE_PX
from .textures.textures import RENDERED_SLOTS, Bank, texture_bank

_GROUP_PX = {"cpu": 1 << 19, "cuda": 1 << 24}  # pixels cast together
_GROUP_SCENES = 256  # scenes cast together at most; more would cost the shadow lookups their exactness
_GALLERY_SEED = 1 << 40  # of the first scene that hangs as a picture in others


def render_scenes(
    seeds: Sequence[int],
    *,
    height_px: int = 256,
    width_px: int = 256,
    setting: str = "mixed",
    device: str = "cpu",
    cameras: Cameras | None = None,
    samples: int = 1,
    texture_seed: int = 0,
) -> Scenes:
    """Render one scene a seed; the same seed is the same scene at any size and in any company.

    On a CPU this takes one core; stream_scenes takes several.

    Args:
        seeds: One a scene, 0 or more.
        height_px, width_px: Size of the pictures.
        setting: "indoor", "outdoor", "mixed", or the name of a probe (see compose.SETTINGS).
        device: "cpu", "cuda".
        cameras: Look from here instead (position, rotation, angle of view), one a scene.
        samples: Rays a pixel for colour, 1 or a square number; depth is of the pixel's centre always.
        texture_seed: Which bank of textures is used; another seed has none in common.

    Raises:
        InputError, BackendUnavailable: As check_request.
    """
    seeds = [int(seed) for seed in seeds]
    check_request(seeds, height_px=height_px, width_px=width_px, setting=setting, device=device, samples=samples)
    if cameras is not None and len(cameras.fov_rad) != len(seeds):
        raise InputError(f"{len(cameras.fov_rad)} cameras found for {len(seeds)} seeds, expected one a seed")
    group = min(max(1, _GROUP_PX[torch.device(device).type] // (height_px * width_px)), _GROUP_SCENES)
    parts = []
    with torch.no_grad(), _one_thread():
        bank = _bank(texture_seed, device)
        for start in range(0, len(seeds), group):
            part = slice(start, start + group)
            drafts = [draft_scene(seed, setting) for seed in seeds[part]]
            own = cameras_of([draft.eye for _, draft in drafts], device)
            own = own if cameras is None else _part_of(cameras, part, device)
            batch = Batch([draft for _, draft in drafts], own, (height_px, width_px), bank)
            parts.append(batch.render(tuple(seeds[part]), tuple(name for name, _ in drafts), samples))
    return join_scenes(parts)


def check_request(
    seeds: Sequence[int], *, height_px: int, width_px: int, setting: str, device: str, samples: int
) -> None:
    """Refuse what cannot be rendered; arguments as of render_scenes.

    Raises:
        InputError: An unknown setting or device, a size below 1, a seed below 0, no square number of samples.
        BackendUnavailable: The device is not here.
    """
    if not seeds or min(seeds) < 0 or min(height_px, width_px) < 1 or not _is_square(samples):
        raise InputError(
            f"seeds {list(seeds[:3])}..., size {height_px}x{width_px}, samples {samples} found; expected one or more "
            "seeds from 0, sides from 1 px, and a square number of samples"
        )
    check_setting(setting)
    check_device(device)


def check_device(device: str) -> None:
    """Refuse a device that scenes are not rendered on, or that is not here.

    Raises:
        InputError: It is no CPU and no CUDA device.
        BackendUnavailable: There is no CUDA device.
    """
    name, _, number = device.partition(":")
    if name not in _GROUP_PX or (number and not number.isdecimal()):
        raise InputError(f"device {device!r} found, expected cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise BackendUnavailable(
            f"cuda was asked for, torch {torch.__version__} finds no CUDA device; take cpu, or install torch for "
            "CUDA and the GPU's driver"
        )


def _is_square(number: int) -> bool:
    return number > 0 and math.isqrt(number) ** 2 == number


@functools.lru_cache(maxsize=4)
def _bank(texture_seed: int, device: str) -> Bank:
    """Return the bank of textures of a seed; some of its pictures are scenes rendered with the others."""
    bank = texture_bank(texture_seed, device)
    first = _GALLERY_SEED + texture_seed * len(RENDERED_SLOTS)
    for index, slot in enumerate(RENDERED_SLOTS):
        name, draft = draft_scene(first + index, "mixed" if index % 4 else "cartoon")
        shown = Batch([draft], cameras_of([draft.eye], device), (SIDE_PX, SIDE_PX), bank).render((0,), (name,), 1)
        bank.replace(slot, (shown.image.float() / 255) ** 2.2)  # back to linear light, about
    return bank


@contextmanager
def _one_thread() -> Iterator[None]:
    """Work in one thread: the steps are so small that threads wait for each other longer than they work.

    Measured on two cores that were busy with other work: 26 scenes/s with one thread, 0.8 with two.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def scene_cameras(seeds: Sequence[int], *, setting: str = "mixed", device: str = "cpu") -> Cameras:
    """Return the cameras that scenes have of themselves, to look from elsewhere or with another angle of view."""
    return cameras_of([draft_scene(seed, setting)[1].eye for seed in seeds], device)


def _part_of(cameras: Cameras, part: slice, device: str) -> Cameras:
    return Cameras(
        cameras.position[part].to(device, torch.float64),
        cameras.rotation[part].to(device, torch.float64),
        cameras.fov_rad[part].to(device, torch.float64),
    )
