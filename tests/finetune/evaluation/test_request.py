"""What an evaluation is of: one subject for each model, short names that differ, and the images of a split."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged_rooms import write_rooms

from depthrt.bench.datasets.manifest import Split
from depthrt.engine.errors import InputError
from depthrt.finetune.evaluation.request import EvaluateRequest, find_models, open_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rooms(tmp_path_factory.mktemp("rooms"))


def test_the_starting_network_comes_first_and_no_model_twice(tmp_path: Path) -> None:
    for name in ("a/best.onnx", "b/best.onnx", "start.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    models = [tmp_path / "a/best.onnx", tmp_path / "b/best.onnx"]
    subjects, against = find_models(EvaluateRequest(models, "rooms", against=tmp_path / "start.onnx"))
    assert [one.name for one in subjects] == ["start.onnx", "a/best.onnx", "b/best.onnx"] and against == "start.onnx"
    subjects, against = find_models(EvaluateRequest([*models, models[0]], "rooms", against=models[1]))
    assert [one.name for one in subjects] == ["a/best.onnx", "b/best.onnx"] and against == "b/best.onnx"


def test_the_model_that_comes_with_depthrt_has_its_name() -> None:
    subjects, _ = find_models(EvaluateRequest(["default"], "rooms"))
    assert [one.name for one in subjects] == ["default"]


def test_a_model_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.onnx does not exist, expected a model file or a checkpoint"):
        find_models(EvaluateRequest([tmp_path / "nothing.onnx"], "rooms"))


def test_a_starting_network_without_models_is_refused() -> None:
    with pytest.raises(InputError, match="default is the starting network and the only model"):
        find_models(EvaluateRequest(["default"], "rooms", against="default"))


@pytest.mark.parametrize(
    ("split", "count", "names"), [(None, None, 3), (None, 2, 2), ("train", None, 2), ("test", 5, 1)]
)
def test_images_are_taken_by_split_and_count(data: Path, split: Split | None, count: int | None, names: int) -> None:
    assert len(open_data(EvaluateRequest([], data, split=split, count=count))) == names


def test_a_split_that_no_image_has_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no image of .* is of split 'val', expected one of test, train"):
        open_data(EvaluateRequest([], data, split="val"))
    plain = write_rooms(tmp_path / "plain")
    (plain / "manifest.jsonl").unlink()
    for mask in plain.glob("mask*"):
        mask.unlink()
    with pytest.raises(InputError, match="has no splits; leave it out, or give a manifest"):
        open_data(EvaluateRequest([], plain, split="val"))


def test_the_settings_say_what_was_asked_for() -> None:
    settings = EvaluateRequest([], "rooms", cap_m=5.0, count=3).settings()
    assert (settings["cap"], settings["images"], settings["split"]) == ("5 m", "3 at most", "all")
