"""The probes of answers, on answers: what is not finite, the same for all pictures, or another each time."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.export.adopt.probes.answers import probe_finite, probe_image, probe_repeat

RAMP = np.linspace(1, 5, 48, dtype=np.float32).reshape(6, 8)


def test_values_that_are_not_finite_are_counted_and_their_picture_is_named() -> None:
    bad = RAMP.copy()
    bad[0, :6] = np.nan
    found = probe_finite([("a photograph", RAMP), ("a black image", bad)])
    assert not found.passed and found.figures["bad_px"] == 6
    assert found.sentence.startswith("12% of its answer to a black image is not finite")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (np.full_like(RAMP, 2.5), "its answer to a picture is 2.5 everywhere"),
        (RAMP * 1.0001, "its answers to two pictures differ by"),
    ],
)
def test_answers_that_do_not_depend_on_the_picture_are_found(second: np.ndarray, words: str) -> None:
    found = probe_image([RAMP, second])
    assert not found.passed and found.sentence.startswith(words)
    assert "does not depend on the image" in found.sentence


def test_answers_of_different_pictures_pass() -> None:
    assert probe_image([RAMP, RAMP[::-1].copy()]).passed


def test_the_same_picture_has_the_same_answer() -> None:
    assert probe_repeat(RAMP, RAMP).passed
    found = probe_repeat(RAMP, RAMP[::-1].copy())
    assert not found.passed and "draws random numbers" in found.sentence
