"""A served model has answered its canary, is warm, and tells no path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
from made_image import crop_of_photo
from tiny_model import TinyModel

import depthrt
from depthrt.engine.errors import ParityError
from depthrt.engine.images.limits import DEFAULT_LIMITS, Limits
from depthrt.engine.model.focal_length import Lens
from depthrt.engine.runners.canary_check import Verdict
from depthrt.serve.infer import served_model
from depthrt.serve.infer.served_model import ServedModel
from depthrt.serve.infer.stages import Stages


def open_model(path: Path) -> ServedModel:
    return ServedModel(path, device="cpu", threads=1, limits=DEFAULT_LIMITS, turn=Lock())


@pytest.fixture(scope="module")
def model(tiny_metric: TinyModel) -> Iterator[ServedModel]:
    found = open_model(tiny_metric.onnx)
    yield found
    found.close()


def test_it_infers_as_the_library_does(model: ServedModel, tiny_metric: TinyModel) -> None:
    stages = Stages()
    depth = model.infer(crop_of_photo(), stages, lens=Lens())
    with depthrt.load(tiny_metric.onnx, threads=1) as loaded:
        expected = loaded.infer(crop_of_photo())
    assert np.array_equal(depth.values, expected.values) and depth.kind == "metric"
    assert {"prepare", "wait", "run", "finish"} == stages.seconds.keys()


def test_it_says_what_it_is_and_not_where(model: ServedModel, tiny_metric: TinyModel) -> None:
    told = model.describe()
    assert (told["kind"], told["unit"], told["takes_focal_length"]) == ("metric", "m", False)
    assert len(told["sha256"]) == 64 and told["sha256"] != told["source_sha256"]
    notes = [*told["notes"], *model.infer(crop_of_photo(), Stages(), lens=Lens()).provenance.notes]
    assert notes and not any(str(tiny_metric.onnx.parent) in note for note in notes)
    assert any(tiny_metric.onnx.name in note for note in notes)


def test_an_absolute_path_in_a_note_loses_its_folders(model: ServedModel) -> None:
    note = "the engine /root/.cache/depthrt/plans/a.engine is old, see https://example.org/a/b; 3/4 of it"
    assert model._public(note) == "the engine a.engine is old, see https://example.org/a/b; 3/4 of it"


def test_small_limits_do_not_stop_it(tiny: TinyModel) -> None:
    limits = Limits(max_pixels=10_000, max_aspect=1)
    ServedModel(tiny.onnx, device="cpu", threads=1, limits=limits, turn=Lock()).close()


def test_a_model_whose_canary_is_wrong_now_is_not_served(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_model, "ask_canary", lambda *_: Verdict(0.5, 1.0, 1e-4, 1e-3))
    with pytest.raises(ParityError, match=r"drift 0\.5 on the canary"):
        open_model(tiny.onnx)


def test_a_focal_length_reaches_a_model_that_needs_it(tiny_sky: TinyModel) -> None:
    found = open_model(tiny_sky.onnx)
    image = crop_of_photo()
    near, far = (found.infer(image, Stages(), lens=Lens(focal)) for focal in (100.0, 200.0))
    assert found.takes_focal and near.kind == "metric"
    both = near.valid & far.valid
    assert np.allclose(far.values[both], 2 * near.values[both], rtol=1e-5)
    assert found.infer(image, Stages(), lens=Lens()).kind == "scale"
    found.close()
