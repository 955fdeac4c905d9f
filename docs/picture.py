"""Makes two pictures of the README: python docs/picture.py.

depth.jpg: scenes above their exact depth. motorcycle.jpg: a photograph, its measured depth and the depth of the model.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import depthrt
from depthrt.bench.datasets.ground_truth import STEREO_MOTORCYCLE, open_ground_truth
from depthrt.engine.depth.colour import colorize
from depthrt.finetune.scenes.render import render_scenes

SEEDS = (3, 15, 13, 23, 0)
SIZE_PX = (240, 320)
FARTHEST = 0.02  # 1/m: the colours end at 50 m
JPEG_QUALITY = 88
WIDTH_PX = 440  # of each part of motorcycle.jpg


def main() -> None:
    """Write the pictures beside this file."""
    for name, picture in (("depth.jpg", scenes()), ("motorcycle.jpg", motorcycle())):
        cv2.imwrite(str(Path(__file__).with_name(name)), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def scenes() -> NDArray[np.uint8]:
    """Return scenes above their exact depth."""
    rendered = render_scenes(SEEDS, height_px=SIZE_PX[0], width_px=SIZE_PX[1], samples=4)
    columns = []
    images, depths = rendered.image.numpy(), rendered.depth_m.numpy()
    for image, depth_m, valid in zip(images, depths, rendered.valid.numpy(), strict=True):
        inverse = np.where(valid, 1 / np.maximum(depth_m, 0.1), FARTHEST).astype(np.float32)
        near = float(np.quantile(inverse, 0.98))
        picture = colorize(inverse, np.ones_like(valid), larger_is_nearer=True, value_range=(FARTHEST, near))
        columns.append(np.concatenate([image.transpose(1, 2, 0)[:, :, ::-1], picture]))
    return np.concatenate(columns, axis=1)


def motorcycle() -> NDArray[np.uint8]:
    """Return a photograph, its measured depth (white: unknown) and the default model's depth, fitted to it."""
    (sample,) = open_ground_truth(STEREO_MOTORCYCLE)
    with depthrt.load("default", device="cpu") as model:
        values = model.infer(sample.image).values
    known = sample.truth.valid
    measured = np.where(known, 1 / np.where(known, sample.truth.values, 1), 0).astype(np.float32)
    scale, shift = np.polyfit(values[known], measured[known], 1)
    ends = (float(measured[known].min()), float(measured[known].max()))
    parts = [sample.image]
    for inverse, valid in ((measured, known), ((scale * values + shift).astype(np.float32), np.ones_like(known))):
        picture = colorize(inverse, valid, larger_is_nearer=True, value_range=ends)
        parts.append(np.where(valid[..., None], picture, np.uint8(255)))
    height_px = round(WIDTH_PX * sample.image.shape[0] / sample.image.shape[1])
    reduced = [cv2.resize(part, (WIDTH_PX, height_px), interpolation=cv2.INTER_AREA) for part in parts]
    return np.concatenate(reduced, axis=1).astype(np.uint8)


if __name__ == "__main__":
    main()
