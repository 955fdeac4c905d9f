"""The gauge turns differences of inverse depth of any scale and shift into shares of depth."""

from __future__ import annotations

import pytest
import torch

from depthrt.finetune.training.regions.gauge import InverseGauge, gauge_of, spread_of

NEAR = 1e-4  # float32 after a fit
PARTS = torch.zeros((1, 32, 32), dtype=torch.bool)
PARTS[:, 8:20, 8:20] = True
EVERYWHERE = torch.ones_like(PARTS)


def truth() -> torch.Tensor:
    """Return inverse depth of a slanted wall with a plane before it, (1, 32, 32)."""
    rows = torch.linspace(0.3, 1, 32)[:, None].expand(32, 32)
    return torch.where(PARTS, rows + 0.5, rows)


def gauge(answer: torch.Tensor, *, known: torch.Tensor = EVERYWHERE, true: torch.Tensor | None = None) -> InverseGauge:
    return gauge_of(answer, truth() if true is None else true, known, PARTS, ~PARTS)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (3.0, -1.0), (0.2, 5.0)])
def test_scale_and_shift_bring_an_answer_to_the_truth_outside(scale: float, shift: float) -> None:
    answer = scale * truth() + shift
    answer[PARTS] = 0  # wrong inside, where it is not asked
    found = gauge(answer)
    torch.testing.assert_close((found.scale * answer + found.shift)[~PARTS], truth()[~PARTS], rtol=NEAR, atol=NEAR)
    torch.testing.assert_close(found.level, truth(), rtol=NEAR, atol=NEAR)
    assert bool(found.fits.all())


def test_a_percent_of_depth_counts_the_same_near_and_far() -> None:
    answer = 2 * truth() + 1
    found = gauge(answer)
    other = 2 * truth() / 1.01 + 1  # every depth is farther by 1 %
    share = found.scale * (answer - other) / found.level
    torch.testing.assert_close(share, torch.full_like(share, 1 - 1 / 1.01), rtol=0.02, atol=0)


def test_past_the_farthest_depth_the_level_is_that_depth() -> None:
    noisy = truth() + torch.where(torch.rand((32, 32), generator=torch.Generator().manual_seed(0)) > 0.9, -0.5, 0.0)
    assert float(gauge(noisy).level.min()) == pytest.approx(0.3, rel=NEAR)


def test_no_level_is_below_a_quarter_of_the_image_s_mean() -> None:
    steep = torch.linspace(0.01, 1, 32)[:, None].expand(1, 32, 32)
    found = gauge(steep, true=steep)
    assert float(found.level.min()) == pytest.approx(0.25 * float(steep.mean()), rel=0.05)


@pytest.mark.parametrize("case", ["no truth", "sky", "falling", "constant"])
def test_an_answer_that_does_not_fit_is_measured_by_its_own_spread(case: str) -> None:
    answer = torch.ones((1, 32, 32)) if case == "constant" else (-3 if case == "falling" else 3) * truth()
    known = ~EVERYWHERE if case == "no truth" else EVERYWHERE
    found = gauge(answer, known=known, true=torch.zeros_like(answer) if case == "sky" else None)
    assert not bool(found.fits.any())
    assert torch.equal(found.scale, 1 / spread_of(answer)) and not found.shift.any()
    assert torch.equal(found.level, torch.ones_like(answer))
