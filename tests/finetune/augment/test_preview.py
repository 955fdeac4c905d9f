"""A preview has four tiles, and gray where depth is unknown."""

from __future__ import annotations

import numpy as np

from depthrt.finetune.augment.preview import preview


def test_four_tiles_show_image_and_depth() -> None:
    image = np.full((48, 64, 3), (10, 20, 230), np.uint8)
    before, after = np.full((48, 64), 0.1), np.full((48, 64), 0.1)
    after[10:20, 10:20], after[30:, :] = 0.5, np.nan
    picture = preview(image, before, after)
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    assert (picture[height // 2, width // 2] == (10, 20, 230)).all()
    assert (picture[height - 40, width + 60] == 128).all(), "unknown"
    assert (picture[height + 150, width + 150] == 255).all(), "near"
    assert (picture[height + 150, 150] == 0).all(), "as far as the rest, before"


def test_depth_that_is_unknown_everywhere_is_gray() -> None:
    unknown = np.full((30, 40), np.nan)
    assert (preview(np.zeros((30, 40, 3), np.uint8), unknown, unknown)[500:900, 20:600] == 128).all()
