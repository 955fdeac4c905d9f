"""Tiling patterns: shape, range, repeatability, and edges that meet."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.scenes.textures.patterns import PATTERNS, SIDE_PX, Map, spectral_noise

SEAM = 3.0  # the mean step over the border, over that inside; of a map that does not tile it is far larger
KINDS = sorted(PATTERNS)


def step_over_the_border(values: Map, axis: int) -> float:
    """Return the mean step over the border over the mean step inside."""
    values = np.moveaxis(values, axis, 0)
    return float(np.abs(values[0] - values[-1]).mean() / (np.abs(np.diff(values, axis=0)).mean() + 1e-9))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pattern_is_three_maps_of_weights_that_follow_from_its_generator(kind: str) -> None:
    _, draw = PATTERNS[kind]
    first, again, other = (draw(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.shape == (3, SIDE_PX, SIDE_PX)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.isfinite(first).all()
    assert np.quantile(first, 0.02) > -0.5 and np.quantile(first, 0.98) < 1.5  # the bank clips the rest
    assert first[0].std() > 0.01


@pytest.mark.parametrize("axis", [0, 1])
def test_noise_tiles(axis: int) -> None:
    for slope in (0.3, 1.0, 1.6):
        noise = spectral_noise(np.random.default_rng(0), slope)
        assert step_over_the_border(noise, axis) < SEAM
        assert step_over_the_border(noise[: SIDE_PX // 2, : SIDE_PX // 2], axis) > step_over_the_border(noise, axis)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.5])
def test_noise_has_the_mean_and_deviation_that_patterns_rely_on(slope: float) -> None:
    noise = spectral_noise(np.random.default_rng(1), slope)
    assert float(noise.mean()) == pytest.approx(0.5, abs=1e-3)
    assert float(noise.std()) == pytest.approx(0.2, rel=1e-3)


def test_noise_is_limited_in_frequency_and_stretched_along_x() -> None:
    spectrum = np.abs(np.fft.fft2(spectral_noise(np.random.default_rng(2), 0.0, lowest=4, highest=12) - 0.5))
    cycles = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SIDE_PX) * SIDE_PX] * 2))
    outside = (cycles < 3.9) | (cycles > 12.1)
    assert spectrum[outside].max() < 1e-3 * spectrum.max()
    drawn_out = spectral_noise(np.random.default_rng(2), 1.2, stretch=8)
    assert np.abs(np.diff(drawn_out, axis=1)).mean() < 0.5 * np.abs(np.diff(drawn_out, axis=0)).mean()
