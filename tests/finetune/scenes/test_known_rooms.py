"""The rooms of `depthrt adopt` are the ones that the command renders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthrt.engine.images.read import read_image
from depthrt.finetune.scenes import known_rooms
from depthrt.finetune.scenes.known_rooms import FOLDER, write_rooms

OTHER_CPU = 1e-4  # relative, of depth on a CPU with other instructions
EDGE_SHARE = 0.01  # of the pixels, that may fall to the other side of an edge there


def test_the_command_renders_the_rooms_that_come_with_depthrt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_rooms, "ROOMS", known_rooms.ROOMS[-1:])  # one says it for all, in a second
    image, depth = write_rooms(tmp_path)
    with np.load(depth) as ours, np.load(FOLDER / "depth.npz") as shipped:
        off = np.abs(ours["depth_m"][0] - shipped["depth_m"][-1]) > OTHER_CPU * shipped["depth_m"][-1]
        assert off.mean() < EDGE_SHARE
        assert ours["focal_px"][0] == pytest.approx(shipped["focal_px"][-1])
    pictures = [read_image(path).astype(int) for path in (image, FOLDER / "room-3.jpg")]
    assert np.abs(pictures[0] - pictures[1]).mean() < 1


def test_the_folder_holds_the_rooms_and_nothing_else() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == ["depth.npz", *(f"room-{n}.jpg" for n in range(4))]
