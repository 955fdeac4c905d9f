"""The whole way of Marigold: a folder of diffusers, export, two runtimes, depth at the image's size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from made_marigold import SIDE_PX, pipeline_answer, write_folder
from network_answers import photo
from one_thread import one_thread
from run_verb import run

import depthrt
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.choice import Choice
from depthrt.engine.terms import CPU_RUNNERS, CpuRunner

ALLOWED = 5e-5  # of [0, 1]; 2e-6 to 3e-5 measured


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marigold")
    write_folder(folder / "parts", "v1-1")
    with one_thread():
        done = run("export", folder / "parts", "-o", folder / "model.onnx", "--steps", 1, "--seed", 3, "--json")
    assert done.exit_code == 0, done.stderr
    assert "The graph has 1 step and starts with the noise of seed 3." in done.stderr
    return folder / "model.onnx"


@pytest.mark.parametrize("runner", CPU_RUNNERS)
def test_a_file_gives_the_depth_of_the_pipeline_each_time(file: Path, runner: CpuRunner) -> None:
    with depthrt.load(file, device="cpu", choice=Choice(runner, "fp32", 1)) as model, one_thread():
        for size_px in ((40, 60), (300, 200)):  # smaller and larger than what is computed
            bgr = np.asarray(cv2.resize(photo("coffee.jpg"), size_px[::-1], interpolation=cv2.INTER_AREA), np.uint8)
            expected = pipeline_answer("v1-1", np.ascontiguousarray(bgr[..., ::-1]), steps=1, seed=3)
            depth = model.infer(bgr)
            assert np.abs(depth.values - expected).max() < ALLOWED
            assert np.array_equal(model.infer(bgr).values, depth.values)
            assert (depth.kind, depth.unit) == ("affine", "")


def test_its_contract_says_how_images_come_to_it(file: Path) -> None:
    contract = read_contract(file)
    assert (contract.family, contract.model, contract.kind) == ("marigold", "marigold-v1-1-16x32", "affine")
    assert (contract.steps, contract.seed, contract.batch, contract.precision) == (1, 3, 1, "fp32")
    assert (contract.size.rule, contract.size.pad, contract.size.base_px) == (
        "longest_floor",
        "edge_end",
        (SIDE_PX, SIDE_PX),
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ((), "error: {folder} does not say what it is"),
        (("--family", "marigold"), "error: the folder does not say how its steps start"),
        (("--family", "marigold", "--noise", "zeros", "--steps", "4"), "error: --noise zeros with --steps 4"),
    ],
)
def test_what_a_folder_does_not_say_is_asked_for_in_one_line(
    options: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "e2e", "e2e-ft")
    done = run("export", folder, "-o", tmp_path / "model.onnx", *options)
    assert done.exit_code == 1 and done.stderr.startswith(line.format(folder=folder))
    assert done.stderr.count("\n") == 1 and not (tmp_path / "model.onnx").exists()
