"""Makes the README's picture, scenes above their exact depth: python docs/picture.py."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from depthrt.engine.colour import colorize
from depthrt.finetune.scenes import render_scenes

SEEDS = (3, 15, 13, 23, 0)
SIZE_PX = (240, 320)
FARTHEST = 0.02  # 1/m: beyond 50 m all is far
JPEG_QUALITY = 88


def main() -> None:
    """Write docs/depth.jpg beside this file."""
    scenes = render_scenes(SEEDS, height_px=SIZE_PX[0], width_px=SIZE_PX[1], samples=4)
    columns = []
    for image, depth_m, valid in zip(scenes.image.numpy(), scenes.depth_m.numpy(), scenes.valid.numpy(), strict=True):
        inverse = np.where(valid, 1 / np.maximum(depth_m, 0.1), FARTHEST).astype(np.float32)
        near = float(np.quantile(inverse, 0.98))
        picture = colorize(inverse, np.ones_like(valid), larger_is_nearer=True, value_range=(FARTHEST, near))
        columns.append(np.concatenate([image.transpose(1, 2, 0)[:, :, ::-1], picture]))
    sheet = np.concatenate(columns, axis=1)
    cv2.imwrite(str(Path(__file__).with_name("depth.jpg")), sheet, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


if __name__ == "__main__":
    main()
