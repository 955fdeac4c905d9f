"""The study's way answers what the study's page showed, and takes turns with ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from refusal import refusal
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.load import study_way
from depthrt.bench.load.server_process import ServerProcess
from depthrt.bench.load.study_way import GAP_PX, answer_as_study, export, time_ways, ways_of, write_checkpoint
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.bench.subjects.study_serving import open_study
from depthrt.engine.errors import DepthrtError
from depthrt.engine.images.read import read_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.export.checkpoint.checkpoint import read_checkpoint

PHOTO = (PHOTOS / "coffee.jpg").read_bytes()


@pytest.fixture(scope="module")
def study(tiny: TinyModel) -> Iterator[DepthModel]:
    before = torch.get_num_threads()
    with open_study(tiny.checkpoint, CheckpointOptions(126, "depth-anything-v2", "inverse"), 1) as model:
        yield model
    torch.set_num_threads(before)


def test_the_answer_is_image_gap_and_depth(study: DepthModel) -> None:
    image, picture = read_image(PHOTO), read_image(answer_as_study(study, PHOTO))
    width = image.shape[1]
    assert picture.shape == (image.shape[0], 2 * width + GAP_PX, 3)
    assert np.array_equal(picture[:, :width], image) and (picture[:, width : width + GAP_PX] == 255).all()
    assert "give a JPEG or PNG" in refusal(lambda: answer_as_study(study, b"text"))


def test_every_way_answers_in_every_round(study: DepthModel, server: ServerProcess) -> None:
    found = time_ways(ways_of("vits", study, server, PHOTO), rounds=2)
    assert [len(way.times_ms) for way in found] == [2, 2, 2] and all(way.median_ms > 0 for way in found)
    assert "vits, torch" in found[0].name and found[1].name == "depthrt serve, vits"


def test_a_service_that_does_not_answer_ends_the_measurement(study: DepthModel) -> None:
    ways = ways_of("vits", study, ServerProcess("127.0.0.1", 1, pid=-1), PHOTO)
    with pytest.raises(DepthrtError, match="the service did not answer: Connection"):
        ways["depthrt serve, vits"]()


def test_a_checkpoint_is_in_the_published_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_way, "_SIZES", {"vits": (384, 4, 64, 16, (8, 8, 8, 8))})
    write_checkpoint("vits", tmp_path / "vits.pth")
    assert read_checkpoint(tmp_path / "vits.pth", family="depth-anything-v2", kind="inverse").tensors


def test_an_export_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(DepthrtError, match=r"depthrt export failed: error: .*missing\.pth does not exist"):
        export(tmp_path / "missing.pth", tmp_path / "x.onnx")
