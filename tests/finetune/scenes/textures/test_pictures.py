"""Painted pictures: range, repeatability and variety."""

from __future__ import annotations

import numpy as np

from depthrt.finetune.scenes.textures.patterns import SIDE_PX
from depthrt.finetune.scenes.textures.pictures import PICTURES, paint_pictures

BLANK = 0.02  # standard deviation of a picture that shows nothing


def test_pictures_are_images_that_differ_and_follow_from_their_seed() -> None:
    pictures = paint_pictures(0)
    assert pictures.shape == (PICTURES, 3, SIDE_PX, SIDE_PX) and pictures.dtype == np.float32
    assert 0 <= pictures.min() < pictures.max() <= 1
    assert pictures.std(axis=(1, 2, 3)).min() > BLANK
    small = pictures[:, :, ::16, ::16].reshape(PICTURES, -1)
    apart = np.abs(small[:, None] - small[None]).mean(-1) + np.eye(PICTURES)
    assert apart.min() > BLANK
    assert np.abs(pictures - paint_pictures(1)).mean() > BLANK
