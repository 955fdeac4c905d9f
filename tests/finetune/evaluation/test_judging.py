"""Models judged image by image: what is left out is said, and a model that fails leaves the others alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judged_rooms import flat, looking, room_inverse, room_sample, rooms
from made_subjects import unreadable
from numpy.typing import NDArray

from depthrt.bench.accuracy.judge import CUSTOM
from depthrt.bench.datasets.ground_truth import GroundTruth
from depthrt.bench.datasets.pair import Pair
from depthrt.bench.datasets.true_depth import Sample
from depthrt.bench.subjects.subject import Subject, open_subject
from depthrt.finetune.evaluation.judging import Judging


def judged(data: GroundTruth, *subjects: Subject, against: str = "") -> Judging:
    judging = Judging(data, {one.name: open_subject(one) for one in subjects}, against, CUSTOM)
    judging.judge_all(lambda title, done, wanted: None)
    return judging


def knows(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return room_inverse().astype(np.float32)


def bends(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (room_inverse() ** 1.3).astype(np.float32)


def fails(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    raise RuntimeError("the device is gone")


def test_a_model_that_fails_has_the_reason_and_the_others_go_on() -> None:
    found = judged(rooms(2), looking("bad", fails), looking("good", flat))
    assert found.failures == {"bad": "RuntimeError: the device is gone"}
    assert list(found.found()) == ["good"] and len(found.found()["good"]) == 2
    assert found.parts == {"mirror": 2, "art": 2, "window": 2} and found.scenes == ["scene 0", "scene 1"]


def test_drift_is_measured_against_the_starting_network_wherever_it_stands() -> None:
    found = judged(rooms(1), looking("new", knows), looking("start", bends), against="start").found()
    assert found["new"][0].image.figures["drift"] > 0 and "drift" not in found["start"][0].image.figures


def plain(name: str) -> Pair:
    return Pair(name, lambda: replace(room_sample(name), regions=None))


def covered() -> Sample:
    return replace(room_sample(), regions=np.ones((96, 128), np.uint8))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([plain("a")], "rooms has no masks of mirror, art, window and sky, so whole images are all that is judged."),
        ([plain("a"), Pair("b", room_sample)], "images of rooms without a mask: 1 of 2."),
        ([Pair("a", unreadable), Pair("b", room_sample)], "a of rooms is left out: room.png cannot be read as depth"),
        ([Pair("a", covered)], "images of rooms that are mirror and art almost whole have whole figures only: 1."),
        ([Pair("a", room_sample, "s", "train")], "training images of rooms are among those judged"),
    ],
    ids=["no masks", "some masks", "unreadable", "covered", "training"],
)
def test_what_a_reader_must_know_is_said(pairs: list[Pair], message: str) -> None:
    found = [*judged(GroundTruth("rooms", tuple(pairs), 20.0), looking("a", flat)).warnings()]
    assert any(line.startswith(message) for line in found)
    assert not [*judged(rooms(1), looking("a", flat)).warnings()]


def test_a_model_that_answers_the_wrong_way_round_is_doubted() -> None:
    def opposed(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return (1 - room_inverse()).astype(np.float32)

    (line,) = judged(rooms(1), looking("odd", opposed), looking("good", flat)).doubts()
    assert line.startswith("odd: in 1 of 1 images of rooms the measured depth grows where the answer comes nearer")
