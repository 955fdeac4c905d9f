"""An engine gets a canary of a size that it takes, answered by a runner that was checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_engine import SHAPE, STATIC, write_mean
from tiny_model import TinyModel

from depthrt import ParityError
from depthrt.engine.modelfile.canary import canary_drift, canary_input
from depthrt.engine.modelfile.model_file import as_model_file, open_model_file
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.trt.build import fitting_canary
from depthrt.engine.trt.build.fitting_canary import with_fitting_canary
from depthrt.engine.trt.build_options import Profile

NARROW = Profile((1, 3, 126, 126), (2, 3, 126, 168), (4, 3, 168, 168))  # takes no 252x336, the canary's size
WIDE = Profile((1, 3, 126, 126), (2, 3, 126, 168), (4, 3, 252, 336))
SAME = 1e-6  # of the range: the same runner answers again


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))


def test_a_canary_that_fits_stays(tiny: TinyModel, tmp_path: Path) -> None:
    file = open_model_file(tiny.onnx)
    assert with_fitting_canary(file, WIDE) == file.contract
    static = open_model_file(write_mean(tmp_path / "mean.onnx"))
    assert with_fitting_canary(static, Profile(SHAPE, SHAPE, SHAPE)) == static.contract


def test_a_canary_that_does_not_fit_is_replaced_by_one_of_the_best_size(tiny: TinyModel) -> None:
    file = open_model_file(tiny.onnx)
    found = with_fitting_canary(file, NARROW)
    assert found.canary.size_px == (126, 168) and found.canary.tolerance == file.contract.canary.tolerance
    assert replace(found, canary=file.contract.canary) == file.contract
    runner = open_runner(file, device="cpu", threads=1)
    output = runner.run(canary_input((126, 168), found.mean, found.std))[0]
    assert canary_drift(found.canary, output) <= SAME and canary_drift(found.canary, output * np.float32(1.02)) > SAME


def test_a_runner_that_does_not_answer_the_files_canary_makes_no_new_one(tiny: TinyModel) -> None:
    file = open_model_file(tiny.onnx)
    wrong = as_model_file(tiny.onnx, replace(file.contract, mean=(0.0, 0.0, 0.0)))
    assert with_fitting_canary(wrong, NARROW) == wrong.contract


def test_without_a_runner_the_canary_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ParityError("no runner")

    monkeypatch.setattr(fitting_canary, "open_runner", refuse)
    file = open_model_file(write_mean(tmp_path / "mean.onnx", STATIC))
    assert with_fitting_canary(file, NARROW) == file.contract
