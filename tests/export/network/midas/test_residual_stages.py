"""Weight standardisation and "SAME" padding of the hybrid's convolutions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from random_midas import TINY_HYBRID

from depthrt.export.network.midas.residual_stages import ResidualStages, StandardisedConvolution, Stem


def test_each_kernel_has_mean_0_and_variance_1() -> None:
    kernels = StandardisedConvolution(8, 6, kernel=3).standardised().flatten(1)
    assert kernels.mean(1).abs().max() < 1e-6
    assert (kernels.var(1, unbiased=False) - 1).abs().max() < 1e-5


def test_kernels_in_half_precision_are_standardised_in_float32() -> None:
    layer = StandardisedConvolution(8, 6, kernel=1).half()
    layer.weight.data *= 1e-3  # half precision does not hold the squares
    found = layer.standardised()
    assert torch.equal(found, layer.float().standardised().half())
    assert bool(found.any())


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_a_stride_of_2_puts_the_odd_pixel_behind(kernel: int) -> None:
    layer, maps = StandardisedConvolution(2, 3, kernel=kernel, stride=2), torch.randn(1, 2, 8, 12)
    missing = max(kernel - 2, 0)
    padded = F.pad(maps, (missing // 2, missing - missing // 2) * 2)
    with torch.inference_mode():
        assert torch.equal(layer(maps), F.conv2d(padded, layer.standardised(), stride=2))
        assert layer(maps).shape == (1, 3, 4, 6)


def test_the_pooling_of_the_stem_never_takes_its_padding() -> None:
    stem, batch = Stem(32), torch.randn(1, 3, 32, 64)
    with torch.inference_mode():
        before = F.relu(stem.norm(stem.conv(batch)))
        expected = F.max_pool2d(F.pad(before, (0, 1, 0, 1), value=-torch.inf), 3, stride=2)
        assert torch.equal(stem(batch), expected)


def test_the_maps_have_a_quarter_an_eighth_and_a_sixteenth_of_the_size() -> None:
    with torch.inference_mode():
        maps = ResidualStages(TINY_HYBRID)(torch.randn(1, 3, 64, 96))
    assert [tuple(part.shape[2:]) for part in maps] == [(16, 24), (8, 12), (4, 6)]
