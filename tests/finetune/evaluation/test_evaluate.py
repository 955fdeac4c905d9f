"""A whole evaluation: figures, changes, intervals and examples of models that answer what they are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_rooms import brightness, flat, looking, room_inverse, rooms, write_rooms
from made_subjects import unreadable
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import GroundTruth
from depthrt.bench.datasets.pair import Pair
from depthrt.bench.subjects.baselines import baseline_subjects
from depthrt.engine.errors import InputError
from depthrt.finetune.evaluation.evaluate import Evaluated, evaluate, judge_subjects
from depthrt.finetune.evaluation.request import EvaluateRequest

FLOAT32 = 1e-5


def knows(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answer the truth of a frontal room, whatever is shown."""
    return room_inverse().astype(np.float32)


def leaks(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answer the truth, and in mirrors and pictures what they show."""
    return (room_inverse() + 0.2 * (brightness(image) - 0.1 - 90 / 255)).astype(np.float32)


@pytest.fixture(scope="module")
def found() -> Evaluated:
    subjects = [looking("start", leaks), looking("trained", knows)]
    return judge_subjects(
        subjects, rooms(6), EvaluateRequest([], "rooms"), against="start", baselines=baseline_subjects()
    )


def test_a_network_that_learned_planes_is_seen_to_have_learned_them(found: Evaluated) -> None:
    start, trained, *_ = found.evaluation.models
    moved = trained.moved["flat_residual"].relative
    assert moved is not None and moved.high < -0.9
    assert start.figures["picture_leak"].value > 0.95 and abs(trained.figures["picture_leak"].value) < 0.2
    assert trained.figures["window_depth"].value == pytest.approx(1, abs=FLOAT32) and not start.moved
    assert trained.figures["drift"].value < 0.02


def test_baselines_are_flat_and_wrong(found: Evaluated) -> None:
    evaluation = found.evaluation
    assert evaluation.baselines == ("baseline: constant", "baseline: vertical gradient")
    assert [model.name for model in evaluation.judged()] == ["trained"]
    for model in evaluation.models[2:]:
        assert model.figures["flat_residual"].value < FLOAT32 < 0.1 < model.figures["abs_rel"].value


def test_an_evaluation_counts_what_it_judged(found: Evaluated) -> None:
    evaluation = found.evaluation
    assert (evaluation.images, evaluation.scenes, evaluation.parts) == (6, 6, {"mirror": 6, "art": 6, "window": 6})
    assert evaluation.models[1].facts["runner"] == "looking" and evaluation.models[1].alignment == "scale-and-shift"


def test_good_and_bad_examples_are_of_models_not_of_baselines(found: Evaluated) -> None:
    assert {picture.subject for picture in found.pictures} == {"start", "trained"}
    assert [picture.title.split(":")[0] for picture in found.pictures[:5]] == ["worst"] * 3 + ["best"] * 2


def test_the_same_seed_gives_the_same_intervals() -> None:
    def intervals(seed: int) -> object:
        request = EvaluateRequest([], "rooms", seed=seed, examples=False)
        return judge_subjects([looking("a", leaks)], rooms(3), request).evaluation.models[0].figures["abs_rel"]

    assert intervals(1) == intervals(1) != intervals(2)


def test_a_model_that_cannot_be_opened_has_the_reason() -> None:
    def broken() -> object:
        raise InputError("damaged.onnx is damaged; export it again")

    subject = looking("damaged.onnx", flat)
    object.__setattr__(subject, "open", broken)
    evaluation = judge_subjects([subject, looking("good", flat)], rooms(1), EvaluateRequest([], "r")).evaluation
    assert [model.failure for model in evaluation.models] == ["damaged.onnx is damaged; export it again", ""]


def test_a_data_set_that_cannot_be_read_is_refused() -> None:
    data = GroundTruth("rooms", (Pair("a", unreadable),), 20.0)
    with pytest.raises(InputError, match="no image of rooms could be read: a of rooms is left out"):
        judge_subjects([looking("a", flat)], data, EvaluateRequest([], "rooms"))


def test_files_are_judged_as_they_are_named(tmp_path: Path) -> None:
    data = write_rooms(tmp_path, 2)
    steps: list[tuple[str, int, int]] = []
    request = EvaluateRequest(["default"], data, examples=False)
    found = evaluate(request, on_step=lambda *step: steps.append(step)).evaluation
    assert found.models[0].name == "default" and found.images == 2 and not found.models[0].failure
    assert found.parts == {"mirror": 2, "art": 2, "window": 2} and found.models[0].figures["flat_residual"].value > 0
    assert steps[-1][1:] == (1, 2)
