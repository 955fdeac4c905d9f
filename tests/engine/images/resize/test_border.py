from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depthrt.engine.images.resize.border import pad_input, with_margin


def random_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("image_px", "margin_px"), [((9, 13), (4, 12)), ((5, 7), (0, 3)), ((480, 640), (46, 53))])
def test_a_margin_is_torchs_reflection(image_px: tuple[int, int], margin_px: tuple[int, int]) -> None:
    image = random_image(*image_px)
    rows, columns = margin_px
    planes = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None]
    expected = F.pad(planes, (columns, columns, rows, rows), mode="reflect")[0].numpy().transpose(1, 2, 0)
    assert np.array_equal(with_margin(image, margin_px), expected)


@pytest.mark.parametrize(("image_px", "margin_px"), [((1, 1), (2, 2)), ((4, 2), (4, 3)), ((3, 1), (9, 2))])
def test_an_image_smaller_than_its_margin_is_mirrored_again(
    image_px: tuple[int, int], margin_px: tuple[int, int]
) -> None:
    image = random_image(*image_px)
    margins = [(margin_px[0],) * 2, (margin_px[1],) * 2, (0, 0)]
    assert np.array_equal(with_margin(image, margin_px), np.pad(image, margins, mode="reflect"))


def test_without_a_margin_nothing_is_copied() -> None:
    image = random_image(4, 5)
    assert with_margin(image, (0, 0)) is image


def test_the_padding_mirrors_around_the_content_or_repeats_its_end() -> None:
    content = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    out = np.full((3, 5, 5), np.nan, np.float32)
    pad_input(content, (1, 0), out, pad="mirror")
    assert out[0].tolist()[:3] == [[3, 4, 5, 4, 3], [0, 1, 2, 1, 0], [3, 4, 5, 4, 3]]
    pad_input(content, (0, 0), out, pad="edge_end")
    assert out[0].tolist() == [[0, 1, 2, 2, 2]] + 4 * [[3, 4, 5, 5, 5]]
