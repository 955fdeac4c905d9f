"""A whole evaluation: figures, changes, intervals and examples of models that answer what they are told."""

from __future__ import annotations

import numpy as np
import pytest
from judged_rooms import brightness, flat, looking, room_inverse, rooms
from made_subjects import unreadable
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import GroundTruth
from depthrt.bench.datasets.pair import Pair
from depthrt.bench.subjects.baselines import baseline_subjects
from depthrt.engine.errors import InputError
from depthrt.finetune.evaluation.evaluate import Evaluated, judge_subjects
from depthrt.finetune.evaluation.request import EvaluateRequest

FLOAT32 = 1e-5
TILT = 0.01  # the rooms are tilted a little, and the trained network answers a frontal one
ROOM = 90  # brightness of the wall


def knows(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answer the truth of a frontal room, whatever is shown."""
    return room_inverse().astype(np.float32)


def leaks(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answer the truth, and in mirrors and pictures what they show; a picture by itself is answered as such."""
    room = room_inverse() if image[0, 0, 0] == ROOM else 0.0
    return (room + 0.2 * brightness(image)).astype(np.float32)


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
    assert trained.figures["window_depth"].value == pytest.approx(1, abs=TILT) and not start.moved
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


def test_good_and_bad_examples_are_of_the_judged_models(found: Evaluated) -> None:
    assert {picture.subject for picture in found.pictures} == {"trained"}
    assert [picture.title.split(":")[0] for picture in found.pictures[:5]] == ["worst"] * 3 + ["best"] * 2


def test_the_same_seed_gives_the_same_intervals() -> None:
    def intervals(seed: int) -> object:
        request = EvaluateRequest([], "rooms", seed=seed, examples=False)
        return judge_subjects([looking("a", leaks)], rooms(7), request).evaluation.models[0].figures["abs_rel"]

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


def test_each_step_is_reported() -> None:
    steps: list[tuple[str, int, int]] = []
    judge_subjects([looking("a", knows)], rooms(2), EvaluateRequest([], "r"), on_step=lambda *step: steps.append(step))
    assert steps == [
        ("loading", 0, 1),
        ("judging on rooms", 0, 2),
        ("judging on rooms", 1, 2),
        ("drawing examples", 0, 1),
    ]
