"""The model that comes with depthrt: found by its name, told for what it is, and better than knowing nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from tiny_model import PHOTOS

import depthrt
from depthrt.bench.accuracy.accuracy_meter import AccuracyMeter, Rules
from depthrt.bench.datasets.ground_truth import STEREO_MOTORCYCLE, open_ground_truth
from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.cli import main
from depthrt.engine.modelfile.shipped import DEFAULT_NOTE, model_path
from depthrt.finetune.evaluation.scene_validation import CAP_M, HELD_OUT_SEED, HELD_OUT_TEXTURES
from depthrt.finetune.scenes.render import render_scenes

SCENES = 12  # of each setting
SIZE_PX = (240, 320)
MARGIN = 0.65  # of the gradient's error, over few scenes; over a hundred it measured 0.28 indoors
LARGEST_BYTES = 20_000_000  # it travels in the wheel


def relative_error(answers: list[NDArray[np.float32]], truths: list[TrueDepth], cap_m: float | None) -> float:
    meter = AccuracyMeter("scenes", Rules("scale-and-shift", cap_m))
    for number, (values, truth) in enumerate(zip(answers, truths, strict=True)):
        meter.add(str(number), values, truth, kind="inverse")
    return meter.result().metrics["abs_rel"]


def downwards(size_px: tuple[int, int]) -> NDArray[np.float32]:
    """Return inverse depth that grows from top to bottom: the floor that most pictures have."""
    return np.repeat(np.linspace(0, 1, size_px[0], dtype=np.float32)[:, None], size_px[1], axis=1)


@pytest.mark.parametrize("setting", ["indoor", "outdoor"])
def test_it_knows_more_of_unseen_scenes_than_that_there_is_a_floor(setting: str) -> None:
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + SCENES)
    scenes = render_scenes(
        seeds, height_px=SIZE_PX[0], width_px=SIZE_PX[1], setting=setting, texture_seed=HELD_OUT_TEXTURES
    )
    truths = [
        TrueDepth(depth_m.numpy(), valid.numpy()) for depth_m, valid in zip(scenes.depth_m, scenes.valid, strict=True)
    ]
    images = scenes.image.permute(0, 2, 3, 1).numpy()
    with depthrt.load("default", device="cpu") as model:
        answers = [model.infer(np.ascontiguousarray(image), color="rgb").values for image in images]
    floor = relative_error([downwards(SIZE_PX)] * SCENES, truths, CAP_M[setting])
    assert relative_error(answers, truths, CAP_M[setting]) < MARGIN * floor


def test_it_knows_more_of_a_measured_photograph_than_that_there_is_a_floor() -> None:
    dataset = open_ground_truth(STEREO_MOTORCYCLE)
    (sample,) = dataset
    with depthrt.load("default", device="cpu") as model:
        answer = model.infer(sample.image).values
    floor = downwards((sample.image.shape[0], sample.image.shape[1]))
    assert relative_error([answer], [sample.truth], None) < relative_error([floor], [sample.truth], None)


def test_results_say_that_it_is_for_demonstration() -> None:
    with depthrt.load("default", device="cpu") as model:
        depth = model.infer(depthrt.read_image(PHOTOS / "coffee.jpg"))
        assert (model.contract.licence, model.contract.kind) == ("Apache-2.0", "inverse")
    assert DEFAULT_NOTE in depth.provenance.notes
    assert depth.provenance.model == "depthrt-conv384x9"


def test_run_needs_no_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("shipped") / "depth.png"
    found = CliRunner().invoke(main, ["run", str(PHOTOS / "coffee.jpg"), "-o", str(target)])
    assert found.exit_code == 0, found.output
    assert DEFAULT_NOTE in found.stderr
    assert target.is_file()


@pytest.mark.parametrize("written", ["./default", "default/"])
def test_a_folder_of_that_name_is_not_taken_for_it(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").mkdir()
    for verb in (["info"], ["run", str(PHOTOS / "coffee.jpg"), "--model"]):
        found = CliRunner().invoke(main, [*verb, written])
        assert found.exit_code == 1 and str(tmp_path / "default") in found.stderr, found.output


def test_it_is_small_enough_to_travel() -> None:
    assert model_path("default").stat().st_size < LARGEST_BYTES


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_name_is_no_model(path: str) -> None:
    with pytest.raises(depthrt.DepthrtError, match=r"model: '\s*' found, which names no file; give a path"):
        depthrt.load(path)
