from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from depthrt import ContractError, InputError
from depthrt.engine.modelfile.canary import canary_drift, canary_image, canary_input, drift, make_canary

# Golden: a canary is only worth something if its input is the same on every machine and in every version.
IMAGE_SHA256 = {
    (252, 336): "23c9d034c7c68f7c8d74435cb5cee903a075c7e9ed48df392e8fa3283b71e614",
    (518, 518): "c16bb55245da99ccb0ed2d527881de520e356f3e1d1b69a7c0f69762d537a967",
}
OUTPUT = np.random.default_rng(0).uniform(1, 5, (252, 336)).astype(np.float32)


@pytest.mark.parametrize("size", IMAGE_SHA256)
def test_the_golden_picture_never_changes(size: tuple[int, int]) -> None:
    assert hashlib.sha256(canary_image(size).tobytes()).hexdigest() == IMAGE_SHA256[size]


def test_the_golden_input_is_the_normalised_picture() -> None:
    mean, std = (0.5, 0.4, 0.3), (0.25, 0.5, 0.125)
    found = canary_input((28, 42), mean, std)
    assert found.shape == (1, 3, 28, 42) and found.dtype == np.float32
    back = found[0].transpose(1, 2, 0) * std + np.array(mean)
    assert np.abs(back * 255 - canary_image((28, 42))).max() < 1e-4


def test_the_right_answer_has_no_drift() -> None:
    canary = make_canary((252, 336), OUTPUT, tolerance=1e-5)
    assert canary_drift(canary, OUTPUT) == 0.0


@pytest.mark.parametrize("scale", [1.02, 0.98, -1.0])
def test_a_wrong_scale_shows(scale: float) -> None:
    canary = make_canary((252, 336), OUTPUT, tolerance=1e-5)
    found = canary_drift(canary, OUTPUT * np.float32(scale))
    middle = float(np.mean(OUTPUT))
    assert found == pytest.approx(abs(scale - 1) * middle / (0.96 * 4), rel=0.05)  # uniform: 96 % of the range of 4


def test_one_bad_number_is_infinite_drift() -> None:
    canary = make_canary((252, 336), OUTPUT, tolerance=1e-5)
    broken = OUTPUT.copy()
    broken[0, 0] = np.nan
    assert canary_drift(canary, broken) == float("inf")


def test_an_answer_of_another_size_or_formula_is_refused() -> None:
    canary = make_canary((252, 336), OUTPUT, tolerance=1e-5)
    with pytest.raises(ContractError, match="values, the output"):
        canary_drift(canary, OUTPUT[:100])
    with pytest.raises(ContractError, match="formula 'discs-9'"):
        canary_drift(replace(canary, formula="discs-9"), OUTPUT)  # type: ignore[arg-type]


def test_drift_is_relative_to_the_middle_of_the_range() -> None:
    reference = np.linspace(0, 100, 10_001, dtype=np.float32)
    assert drift(reference + 1, reference) == pytest.approx(1 / 96, rel=1e-3)
    assert drift(np.ones(4, np.float32), np.zeros(4, np.float32)) == float("inf")
    assert drift(np.ones(4, np.float32), np.ones(4, np.float32)) == 0.0


def test_a_picture_that_takes_gigabytes_is_refused() -> None:
    with pytest.raises(InputError, match="a canary of 4097x4096 found, expected at most 16777216 px"):
        canary_image((4097, 4096))
