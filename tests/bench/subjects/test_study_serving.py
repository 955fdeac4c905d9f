"""The study's serving of a checkpoint, measured as a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_subjects import OPTIONS, TOLERANCE, distance, find
from random_checkpoint import TINY, random_network, save_official
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.subjects import study_serving
from depthrt.bench.subjects.study_serving import read_as_study
from depthrt.bench.subjects.subject import open_subject
from depthrt.engine.errors import DepthrtError, InputError, ModelFileError
from depthrt.engine.images.read import read_image
from depthrt.engine.modelfile.contract import read_contract

COFFEE = PHOTOS / "coffee.jpg"


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    """A subject sets torch's threads for the whole process; the tests after these get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_study_reads_the_weights_for_every_request(tmp_path: Path) -> None:
    path = save_official(random_network(TINY, seed=1), tmp_path / "served.pth")
    eager, study = find(path, study=True)
    image = read_image(COFFEE)
    with open_subject(eager).model as kept, open_subject(study).model as read_again:
        before = kept.infer(image).values
        assert distance(read_again.infer(image).values, before) <= TOLERANCE
        save_official(random_network(TINY, seed=2), path)
        assert np.array_equal(kept.infer(image).values, before)
        assert distance(read_again.infer(image).values, before) > 100 * TOLERANCE


def test_the_study_takes_either_colour_order(tiny: TinyModel) -> None:
    _, study = find(tiny.checkpoint, study=True)
    image = read_image(COFFEE)
    with open_subject(study).model as model:
        rgb = model.infer(np.ascontiguousarray(image[:, :, ::-1]), color="rgb")
        assert np.array_equal(rgb.values, model.infer(image).values)


def test_the_study_reads_images_with_opencv(tmp_path: Path) -> None:
    assert np.array_equal(read_as_study(COFFEE), read_image(COFFEE))
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(InputError, match=r"text\.jpg cannot be read by cv2\.imread"):
        read_as_study(tmp_path / "text.jpg")


@pytest.mark.parametrize("kept", ["wrapped", "static"])
def test_what_a_studys_scripts_do_not_take_is_refused(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "made.pth"
    state = random_network(TINY).state_dict()
    torch.save({"model": state} if kept == "wrapped" else state, path)
    options = OPTIONS if kept == "wrapped" else replace(OPTIONS, size=(126, 196))
    expected: tuple[type[DepthrtError], str] = (
        (ModelFileError, "not in upstream's layout") if kept == "wrapped" else (InputError, "take no static size")
    )
    _, study = find(path, options=options, study=True)
    with pytest.raises(expected[0], match=expected[1]):
        open_subject(study)


def test_a_family_that_resizes_otherwise_is_refused(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(read_contract(tiny.onnx), input_resize="bilinear_corners")
    monkeypatch.setattr(study_serving, "torch_contract", lambda *_: other)
    _, study = find(tiny.checkpoint, study=True)
    with pytest.raises(InputError, match=r"of the family depth-anything-v2, and the study's scripts .* leave out"):
        open_subject(study)
