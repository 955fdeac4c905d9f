"""The camera of a frame is that of its data set, or the scene's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthrt.bench.datasets.hypersim_cameras import Cameras
from depthrt.finetune.augment.geometry.camera import camera_of

SIZE_PX = (96, 128)
SHIFT = 0.2  # of the lens, in Hypersim's u


def test_hypersim_s_standard_camera_scales_with_the_width() -> None:
    assert camera_of("hypersim", SIZE_PX)[0, 0] == pytest.approx(886.81 / 8)
    assert camera_of("vkitti2", (375, 1242))[0, 0] == pytest.approx(725.0087)
    assert camera_of(None, SIZE_PX)[0, 0] == pytest.approx(64 / np.tan(np.pi / 6))


def test_a_scene_s_own_camera_gives_the_rays_of_its_matrix() -> None:
    matrix = np.array([[0.58, 0, SHIFT], [0, 0.43, 0], [0, 0, -1.0]])
    back = np.linalg.inv(camera_of("hypersim", SIZE_PX, matrix))
    u, v = 2 * (100 + 0.5) / 128 - 1, 1 - 2 * (20 + 0.5) / 96
    wanted = matrix @ (u, v, 1)
    ray = back @ (100, 20, 1)
    assert ray == pytest.approx(wanted * (1, -1, -1) / -wanted[2], abs=1e-9)
    share = Cameras(None, {"one": matrix}).planar_share(  # planar depth over distance
        Path("one"), SIZE_PX, "one"
    )
    assert share[20, 100] == pytest.approx(1 / np.linalg.norm(ray), rel=1e-9)
