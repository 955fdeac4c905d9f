"""Drift of several subjects: a subject that fails leaves with its reason, and the others are measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_subjects import (
    fails_at,
    opened,
    slope,
    write_images,
)

from depthrt.bench.drift.measure_drifts import measure_drifts


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.mark.parametrize("number", [1, 2, 4], ids=["at once", "on the second image", "for its pictures"])
def test_a_subject_that_fails_in_drift_leaves_and_the_others_go_on(images: list[Path], number: int) -> None:
    base, bad, good = opened("base", slope()), opened("bad", fails_at(number)), opened("good", slope(0.1))
    drifts = measure_drifts(base, [bad, good], images)
    assert drifts.found["good"].images == 3 and {one.subject for one in drifts.pictures} == {"good"}
    if number > len(images):
        assert drifts.notes == {"bad": ("no pictures of its drift: RuntimeError: the device is gone",)}
        assert drifts.found["bad"].mean == drifts.found["good"].mean and not drifts.failures
    else:
        assert drifts.failures == {"bad": "RuntimeError: the device is gone"} and "bad" not in drifts.found


def test_a_subject_of_another_kind_has_no_drift_and_a_note(images: list[Path]) -> None:
    base = opened("base", slope())
    others = [opened(kind, slope(), kind) for kind in ("metric", "affine", "scale")]
    drifts = measure_drifts(base, others, images)
    assert not drifts.found
    assert drifts.notes == {
        "metric": ("no drift: it gives metric depth, the reference inverse depth",),
        "affine": ("no drift: it gives affine-invariant depth, the reference inverse depth",),
        "scale": ("no drift: it gives scale-invariant depth, the reference inverse depth",),
    }


def test_only_images_of_a_video_are_compared_from_frame_to_frame(images: list[Path]) -> None:
    base, other = opened("base", slope()), opened("other", slope(0.1))
    assert measure_drifts(base, [other], images).found["other"].temporal is None
    assert measure_drifts(base, [other], images, video=True).found["other"].temporal is not None
