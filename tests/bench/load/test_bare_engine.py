"""The bare engine makes the body that the service answers."""

from __future__ import annotations

import pytest
from served import read_npy
from tiny_model import PHOTOS

from depthrt import DepthModel
from depthrt.bench.load.bare_engine import Bare, bare_answer, run_bare
from depthrt.engine.images.read import read_image

PHOTO = (PHOTOS / "coffee.jpg").read_bytes()


def test_the_body_is_that_of_the_service(model: DepthModel) -> None:
    image = read_image(PHOTO)
    assert read_npy(bare_answer(model, "npy")(PHOTO)).shape == image.shape[:2]
    picture = read_image(bare_answer(model, "form")(PHOTO))
    assert picture.shape[:2] == (image.shape[0], 2 * image.shape[1] + 50)


@pytest.mark.parametrize("workers", [1, 2])
def test_photographs_are_answered_in_turns(workers: int) -> None:
    seen: list[bytes] = []
    found = run_bare(seen.append, [b"a", b"b"], workers=workers, seconds=0)
    assert found.images == len(seen) == 2 * workers and {*seen} == {b"a", b"b"}
    assert found.cpu_s >= 0 and found.per_second > 0


def test_throughput_is_between_the_first_end_and_the_last() -> None:
    assert Bare(images=5, seconds=2.0, cpu_s=1.0).per_second == 2.0
    assert Bare(images=1, seconds=0.0, cpu_s=1.0).per_second == 0.0
