"""Scenes that several tests look at: rendered once a test run."""

from __future__ import annotations

import pytest

from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes


@pytest.fixture(scope="session")
def indoor() -> Scenes:
    return render_scenes(range(20), height_px=96, width_px=128, setting="indoor")


@pytest.fixture(scope="session")
def outdoor() -> Scenes:
    return render_scenes(range(12), height_px=96, width_px=128, setting="outdoor")
