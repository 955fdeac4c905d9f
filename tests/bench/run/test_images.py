"""The images of a run: how many are timed, and how the report names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made import make_contract
from numpy.typing import NDArray
from planted_runner import PlantedRunner, Time

from depthrt.bench.latency.rate import FrameRate
from depthrt.bench.latency.turns import Rounds
from depthrt.bench.numbers.figures import IMAGE_NAMES, name_images
from depthrt.bench.numbers.result import Report
from depthrt.bench.run.images import TIMED_IMAGES, choose_timed, image_settings
from depthrt.bench.run.measurement import Measurement
from depthrt.bench.run.run_bench import run_bench
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.write import write_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import TimedScope

QUICK = Rounds(count=4, calls=2)


class Reading:
    """Reads every file as one small image, and counts."""

    def __init__(self) -> None:
        self.read: list[Path] = []

    def __call__(self, path: Path) -> NDArray[np.uint8]:
        self.read.append(path)
        return np.zeros((28, 28, 3), np.uint8)


def timed(
    folder: Path,
    images: int,
    *readings: Reading,
    rounds: Rounds = QUICK,
    scopes: tuple[TimedScope, ...] = ("kernel", "host"),
) -> Report:
    """Measure one subject for each way to read, over so many images, which come into the folder."""
    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))

    def open_one() -> DepthModel:
        return DepthModel(PlantedRunner(Time()), contract, limits=Limits())

    subjects = [Subject(f"subject {number}", open_one, read=read) for number, read in enumerate(readings)]
    paths = [folder / f"{number}.png" for number in range(images)]
    for path in paths:
        write_image(path, np.zeros((28, 28, 3), np.uint8))
    measurement = Measurement(
        replace(rounds, scopes=scopes),
        narrowing=None,
        frame_rate=FrameRate(rate_hz=1000, frames=10, bursts=2),
        loads=(),
        processes=0,
        energy=False,
    )
    return run_bench(subjects, paths, measurement).report


@pytest.mark.parametrize("images", [5, 50])
def test_times_hold_a_few_images_however_many_there_are(images: int, tmp_path: Path) -> None:
    own, shared = Reading(), Reading()
    report = timed(tmp_path, images, own, shared, shared)
    for reading in (own, shared):  # once for the turns and once for the frames, whoever else reads in the same way
        assert len(reading.read) == 2 * TIMED_IMAGES and len(set(reading.read)) == TIMED_IMAGES
    assert report.made.settings["times on"] == f"{TIMED_IMAGES} of {images} images"
    assert [len(one.latency) for one in report.subjects] == [3, 3, 3]


def test_warm_up_meets_no_image_that_is_never_timed(tmp_path: Path) -> None:
    reading = Reading()
    report = timed(tmp_path, 50, reading, rounds=Rounds(count=2, calls=1, warmup_calls=1), scopes=("file",))
    assert len(set(reading.read)) == 2 and report.made.settings["times on"] == "2 of 50 images"
    assert report.subjects[0].latency[0].warmup == 2 + 1


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [(None, 4), (Rounds(), 4), (Rounds(count=1, calls=3), 3), (Rounds(count=0), 1)],
    ids=["not timed", "many", "few", "none"],
)
def test_no_more_images_are_timed_than_the_rounds_reach(rounds: Rounds | None, expected: int) -> None:
    images = [Path(f"{number}.png") for number in range(10)]
    chosen = choose_timed(images, rounds)
    assert len(chosen) == expected and chosen[0] == images[0] and chosen == sorted(set(chosen))


def test_the_settings_name_the_images_and_how_many_are_timed() -> None:
    images = [Path(f"photos/{number}.png") for number in range(10)]
    nothing_timed = Measurement(None, frame_rate=None)
    found = image_settings(images, nothing_timed)
    assert found == {"images": "10, first 0.png", IMAGE_NAMES: name_images(images)}
    assert image_settings(images, Measurement())["times on"] == f"{TIMED_IMAGES} of 10 images"
    assert image_settings(images, replace(nothing_timed, frame_rate=FrameRate()))["times on"] == "4 of 10 images"
    assert image_settings(images[:2], Measurement())["times on"] == "2 of 2 images"
