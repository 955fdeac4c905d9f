"""Bins start where their network says, and move towards attractors."""

from __future__ import annotations

import torch

from depthrt.export.network.zoedepth.bins import ATTRACTOR_ALPHA, Attractor, Projection, SeedBins, attract

ROUNDING = 1e-5  # of float32 sums


def test_normed_bins_rise_and_lie_in_the_range() -> None:
    with torch.inference_mode():
        centres = SeedBins(8, 6, 16, normed=True)(torch.randn(2, 8, 3, 4) * 5)
    assert centres.shape == (2, 16, 3, 4)
    assert (centres.diff(dim=1) > 0).all()
    assert ((centres > 0) & (centres < 1)).all()


def test_normed_bins_are_the_middles_of_widths_that_fill_the_range() -> None:
    seeds, maps = SeedBins(8, 6, 16, normed=True), torch.randn(2, 8, 3, 4)
    with torch.inference_mode():
        widths = torch.relu(Projection.forward(seeds, maps)) + 1e-3
        edges = torch.cumsum(widths / widths.sum(dim=1, keepdim=True), dim=1)
        middles = edges - 0.5 * widths / widths.sum(dim=1, keepdim=True)
        assert torch.allclose(seeds(maps), middles, atol=ROUNDING)
    assert torch.allclose(edges[:, -1], torch.ones(()), atol=ROUNDING)


def test_other_bins_are_positive() -> None:
    with torch.inference_mode():
        assert (SeedBins(8, 6, 16, normed=False)(torch.randn(2, 8, 3, 4) * 5) > 0).all()


def test_a_normed_attractor_is_the_first_of_its_two_values() -> None:
    network, maps = Attractor(8, 3, normed=True), torch.randn(2, 8, 3, 4)
    with torch.inference_mode():
        found = network(maps)
        network.last.get_parameter("bias").view(3, 2)[:, 1] += 100.0
        assert torch.equal(network(maps), found)
    assert found.shape == (2, 3, 3, 4)
    assert (found > 0).all()


def test_bins_move_towards_attractors_and_less_if_they_are_far() -> None:
    attractor = torch.full((1, 1, 1, 1), 2.0)
    centres = torch.tensor([1.0, 1.9, 2.0, 2.1, 5.0]).view(1, 5, 1, 1)
    moved = (attract(centres, attractor) - centres).flatten()
    distance = (attractor - centres).flatten()
    assert torch.allclose(moved, distance / (1 + ATTRACTOR_ALPHA * distance**2), atol=ROUNDING)
    assert (moved.sign() == distance.sign()).all()


def test_several_attractors_move_a_bin_by_their_mean() -> None:
    centres, attractors = torch.rand(2, 16, 3, 4), torch.rand(2, 5, 3, 4)
    distance = attractors[:, :, None] - centres[:, None]
    expected = centres + (distance / (1 + ATTRACTOR_ALPHA * distance**2)).mean(dim=1)
    assert torch.allclose(attract(centres, attractors), expected, atol=ROUNDING)
