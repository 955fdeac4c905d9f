"""Appearance: it varies images within bounds and repeatably, and changes neither its input nor depth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from depthrt.engine.errors import InputError
from depthrt.finetune.data.appearance import Appearance, vary_appearance
from depthrt.finetune.scenes.render import render_scenes

NONE = Appearance().milder(0)
ROUNDING = 2e-4  # of 1: the tone curve is a power and back


@pytest.fixture(scope="module")
def images() -> tuple[torch.Tensor, torch.Tensor]:
    scenes = render_scenes(range(24), height_px=64, width_px=80)
    return scenes.image.float() / 255, scenes.depth_m


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def detail(x: torch.Tensor) -> torch.Tensor:
    """Mean difference of neighbours in each image."""
    return (x[..., 1:] - x[..., :-1]).abs().mean((1, 2, 3))


def test_results_are_images(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    out = vary_appearance(images[0], generator(), depth_m=images[1])
    assert out.shape == images[0].shape
    assert out.dtype == torch.float32
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    assert bool(torch.isfinite(out).all())


def test_neither_the_input_nor_depth_is_changed(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    image, depth_m = images[0].clone(), images[1].clone()
    vary_appearance(image, generator(), depth_m=depth_m)
    assert torch.equal(image, images[0])
    assert torch.equal(depth_m, images[1])


def test_the_same_generator_gives_the_same_images(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    first, second, other = (vary_appearance(images[0], generator(seed), depth_m=images[1]) for seed in (3, 3, 4))
    assert torch.equal(first, second)
    assert (first - other).abs().mean() > 0.02


def test_every_image_of_a_batch_is_changed_differently() -> None:
    same = torch.rand((1, 3, 32, 40), generator=generator()).expand(8, -1, -1, -1)
    out = vary_appearance(same, generator())
    assert all((out[i] - out[j]).abs().mean() > 1e-3 for i in range(8) for j in range(i))


def test_no_strength_is_no_change(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    out = vary_appearance(images[0], generator(), depth_m=images[1], strength=NONE)
    assert (out - images[0]).abs().max() < ROUNDING


def test_milder_strengths_change_less(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    changes = [
        (vary_appearance(images[0], generator(), strength=Appearance().milder(share)) - images[0]).abs().mean()
        for share in (0.25, 0.5, 1.0)
    ]
    assert 0.01 < changes[0] < changes[1] < changes[2]
    assert Appearance().milder(0.5).least_scale == Appearance().least_scale  # a bound, not a strength


@pytest.mark.parametrize(
    ("strength", "finer"),
    [
        (replace(NONE, blur=1.0, blur_px=2.0), False),
        (replace(NONE, motion=1.0, motion_px=7.0), False),
        (replace(NONE, rescale=1.0), False),
        (replace(NONE, noise=0.2), True),
        (replace(NONE, sharpen=1.0), True),
    ],
)
def test_blur_removes_detail_and_noise_adds_it(
    strength: Appearance, finer: bool, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    out = vary_appearance(images[0], generator(), strength=strength)
    gained = detail(out) > detail(images[0])
    assert float(gained.float().mean()) == pytest.approx(float(finer), abs=0.15)  # blank images gain nothing


def test_depth_far_from_the_focus_is_blurred_and_the_focus_is_not() -> None:
    image = (torch.rand((16, 3, 64, 64), generator=generator()) > 0.5).float()
    depth_m = torch.full((16, 64, 64), 2.0)
    depth_m[:, :, 32:] = 0.4
    out = vary_appearance(image, generator(), depth_m=depth_m, strength=replace(NONE, defocus=1.0))
    changed = (out - image).abs().mean((1, 2))
    left, right = changed[:, 5:25].mean(1), changed[:, 40:60].mean(1)
    assert bool((torch.minimum(left, right) < ROUNDING).all())  # one half holds the focus
    assert bool((torch.maximum(left, right) > 0.1).all())


def test_blur_grows_with_inverse_depth() -> None:
    image = (torch.rand((16, 3, 64, 24), generator=generator()) > 0.5).float()
    image = torch.cat([image, torch.zeros((16, 3, 64, 80)), image], dim=3)
    depth_m = torch.full((16, 64, 128), 2.0)  # holds the focus
    depth_m[:, :, :24], depth_m[:, :, 104:] = 1.0, 1e6  # both half a dioptre from it
    out = vary_appearance(image, generator(), depth_m=depth_m, strength=replace(NONE, defocus=1.1))
    near, far = (out - image)[..., 8:16], (out - image)[..., 112:120]  # away from the edges
    assert near.abs().mean() > 0.1
    assert (near - far).abs().max() < ROUNDING


@pytest.mark.parametrize(("channel", "share"), [(0, 0.299), (1, 0.587), (2, 0.114)])
def test_grey_has_the_brightness_of_its_colour(channel: int, share: float) -> None:
    image = torch.zeros((1, 3, 8, 8))
    image[:, channel] = 1
    out = vary_appearance(image, generator(), strength=replace(NONE, grey=1.1))
    assert out.mean((0, 2, 3)).tolist() == pytest.approx([share] * 3, abs=2 * ROUNDING)


def test_jpeg_keeps_red_and_blue_apart() -> None:
    image = torch.zeros((1, 3, 16, 32))
    image[:, 0, :, :16], image[:, 2, :, 16:] = 1, 0.75
    out = vary_appearance(image, generator(), strength=replace(NONE, jpeg=1.1, least_quality=98))
    pixels = (out[0].permute(1, 2, 0) * 255).round().byte().numpy()
    given = (image[0].permute(1, 2, 0) * 255).byte().numpy()
    done, data = cv2.imencode(".jpg", given[..., ::-1].copy(), [cv2.IMWRITE_JPEG_QUALITY, 98])  # BGR
    assert done
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None and np.array_equal(pixels[..., ::-1], decoded)
    assert (out - image).abs().mean() < 0.02


def test_grey_images_have_equal_channels(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    out = vary_appearance(images[0], generator(), strength=replace(NONE, grey=1.1))
    assert (out - out.mean(1, keepdim=True)).abs().max() < ROUNDING


def test_jpeg_is_the_real_codec(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    strong = vary_appearance(images[0], generator(), strength=replace(NONE, jpeg=1.1, least_quality=5))
    levels = strong * 255
    assert (levels - levels.round()).abs().max() < 1e-3  # decoded bytes
    assert 0.001 < float((strong - images[0]).abs().mean()) < 0.1


@pytest.mark.parametrize(
    "image", [torch.zeros((3, 8, 8)), torch.zeros((1, 1, 8, 8)), torch.zeros((1, 3, 8, 8), dtype=torch.uint8)]
)
def test_an_input_that_is_not_a_batch_of_images_is_refused(image: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"expected \(b, 3, h, w\) floats in \[0, 1\]"):
        vary_appearance(image, generator())


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (8, 200)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    image = torch.rand((4, 3, *size), generator=generator())
    assert vary_appearance(image, generator(), depth_m=torch.ones((4, *size))).shape == image.shape
