"""Renders seeds to images with exact depth, any number of them, in groups that fit the machine."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from ...engine.errors import BackendUnavailable, InputError
from .draft import Draft
from .rays.camera import Cameras, cameras_of
from .render_batch import DrawnBatch
from .scene import Scenes, join_scenes
from .settings.compose import check_setting, draft_scene
from .textures.patterns import SIDE_PX
from .textures.textures import RENDERED_SLOTS, Bank, texture_bank

Change = Callable[[Draft], None]
_GROUP_PX = {"cpu": 1 << 19, "cuda": 1 << 24}  # pixels cast together
_GROUP_SCENES = 256  # scenes cast together at most; with more, shadow lookups would depend on the group
_GALLERY_SEED = 1 << 40  # of the first scene that is shown as a picture in other scenes


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
    change: Change | None = None,
) -> Scenes:
    """Render a scene for each seed; a seed is the same scene at any size and with any other seeds.

    On a CPU this uses a single core; stream_scenes uses several.

    Args:
        seeds: Seed of each scene, 0 or more.
        height_px, width_px: Size of the images.
        setting: "indoor", "outdoor", "mixed", or the name of a probe (see compose.SETTINGS).
        device: "cpu", "cuda" or "cuda:N".
        cameras: A camera for each scene; None for the cameras of the scenes.
        samples: Rays per pixel for the image, a square number; depth is always that of the pixel's centre.
        texture_seed: Seed of the textures; two seeds have no texture in common.
        change: Called with the draft of each scene before it is rendered, to light it otherwise.

    Raises:
        InputError, BackendUnavailable: See check_request.
    """
    seeds = [int(seed) for seed in seeds]
    check_request(seeds, height_px=height_px, width_px=width_px, setting=setting, device=device, samples=samples)
    if cameras is not None and len(cameras.fov_rad) != len(seeds):
        raise InputError(f"{len(cameras.fov_rad)} cameras found for {len(seeds)} seeds, expected a camera for each")
    group = min(max(1, _GROUP_PX[torch.device(device).type] // (height_px * width_px)), _GROUP_SCENES)
    parts = []
    with torch.no_grad(), _one_thread():
        bank = _bank(texture_seed, device)
        for start in range(0, len(seeds), group):
            part = slice(start, start + group)
            drafts = [draft_scene(seed, setting) for seed in seeds[part]]
            if change is not None:
                for _, draft in drafts:
                    change(draft)
            eyes = [draft.eye for _, draft in drafts]
            chosen = cameras_of(eyes, device) if cameras is None else _part_of(cameras, part, device)
            batch = DrawnBatch([draft for _, draft in drafts], chosen, (height_px, width_px), bank)
            parts.append(batch.render(tuple(seeds[part]), tuple(name for name, _ in drafts), samples))
    return join_scenes(parts)


def check_request(
    seeds: Sequence[int], *, height_px: int, width_px: int, setting: str, device: str, samples: int
) -> None:
    """Check the arguments of render_scenes.

    Raises:
        InputError: An unknown setting or device, a size below 1, a seed below 0, samples that are not a square number.
        BackendUnavailable: This machine does not have the device.
    """
    if not seeds or min(seeds) < 0 or min(height_px, width_px) < 1 or not _is_square(samples):
        raise InputError(
            f"seeds {list(seeds[:3])}..., size {height_px}x{width_px}, samples {samples} found; expected one or more "
            "seeds from 0, sides from 1 px, and a square number of samples"
        )
    check_setting(setting)
    check_device(device)


def check_device(device: str) -> None:
    """Check that scenes can be rendered on a device.

    Raises:
        InputError: The device is neither a CPU nor a CUDA device.
        BackendUnavailable: This machine has no CUDA device.
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
    """Return the bank of textures of a seed; some of its pictures are scenes, rendered with the other textures."""
    bank = texture_bank(texture_seed, device)
    first = _GALLERY_SEED + texture_seed * len(RENDERED_SLOTS)
    for index, slot in enumerate(RENDERED_SLOTS):
        name, draft = draft_scene(first + index, "mixed" if index % 4 else "cartoon")
        shown = DrawnBatch([draft], cameras_of([draft.eye], device), (SIDE_PX, SIDE_PX), bank).render((0,), (name,), 1)
        bank.replace(slot, (shown.image.float() / 255) ** 2.2)  # about linear light
    return bank


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use a single thread: steps are so small that threads wait for each other longer than they work.

    Measured on two cores that were busy with other work: 26 scenes/s with one thread, 0.8 with two.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def scene_cameras(seeds: Sequence[int], *, setting: str = "mixed", device: str = "cpu") -> Cameras:
    """Return the cameras of scenes, to move them or to change their angle of view before rendering."""
    return cameras_of([draft_scene(seed, setting)[1].eye for seed in seeds], device)


def _part_of(cameras: Cameras, part: slice, device: str) -> Cameras:
    return Cameras(
        cameras.position[part].to(device, torch.float64),
        cameras.rotation[part].to(device, torch.float64),
        cameras.fov_rad[part].to(device, torch.float64),
    )
