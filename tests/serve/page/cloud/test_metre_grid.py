"""The grid of metres has round steps, lies on the floor that the camera sees, and says its distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from page_modules import call, floats

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRID = """
const { metreGrid } = await load("cloud/metre_grid.js");
const { lines, labels, step } = metreGrid(extent, camera, image);
return { lines: write(new Uint8Array(lines.buffer)), labels, step };
"""
CAMERA = {"fx": 500, "fy": 500, "cx": 319.5, "cy": 239.5}
IMAGE = {"width": 640, "height": 480}
ROUNDED = 1e-4  # px of the image; float32


@pytest.mark.parametrize(
    ("length", "step"), [(5.9, 1), (8, 1), (8.1, 2), (16.5, 5), (42, 10), (300, 50), (0.3, 0.05), (0.009, 0.002)]
)
def test_steps_are_round(modules: Page, length: float, step: float) -> None:
    found = call(modules, 'return (await load("cloud/metre_grid.js")).stepOf(length);', length=length)
    assert found == pytest.approx(step)


@pytest.mark.parametrize(
    ("extent", "step", "count", "words"),
    [
        ({"middle": 3, "x": [-2.2, 2.6], "y": [-1, 1.2], "z": [1.5, 5.6]}, 1, 6, "1 m, 2 m, 3 m, 4 m, 5 m, 6 m"),
        ({"middle": 0.4, "x": [-0.3, 0.3], "y": [-0.1, 0.1], "z": [0.3, 0.9]}, 0.2, 5, "0.2 m, 0.4 m, 0.6 m, 0.8 m"),
        ({"middle": 9, "x": [-40, 70], "y": [-3, 1.5], "z": [3, 60]}, 10, 6, "10 m, 20 m, 50 m"),
    ],
    ids=["room", "desk", "street"],
)
def test_the_grid_lies_on_the_floor_in_the_view_of_the_camera(
    modules: Page, extent: dict[str, object], step: float, count: int, words: str
) -> None:
    found = call(modules, GRID, extent=extent, camera=CAMERA, image=IMAGE)
    assert found["step"] == pytest.approx(step)
    assert ", ".join(label["text"] for label in found["labels"]) == words, "labels do not cover each other"
    lines = floats(found["lines"]).reshape(-1, 2, 3)
    floor, outline = lines[:-8], lines[-8:]  # the camera: four edges from its place, four around the photograph
    assert (outline[::2, 0] == 0).all()
    assert np.unique(floor[..., 1]).tolist() == [np.float32(extent["y"][1])]  # type: ignore[index]
    x, z = floor[..., 0], floor[..., 2]
    left, right = -0.5 - ROUNDED, IMAGE["width"] - 0.5 + ROUNDED
    column_times_z = CAMERA["fx"] * x + CAMERA["cx"] * z
    assert (column_times_z >= left * z).all() and (column_times_z <= right * z).all()
    across = floor[z[:, 0] == z[:, 1]][:, 0, 2]
    np.testing.assert_allclose(across, step * np.arange(1, count + 1), rtol=1e-6)
