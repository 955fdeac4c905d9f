"""The distribution over the bins: the published formula, and every digit of a small share."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from transformers.models.zoedepth.modeling_zoedepth import LogBinomialSoftmax

from depthrt.export.network.zoedepth.log_binomial import LogBinomial, expected_depth, resize_to, softplus

RELATIVE = 1e-6  # of float32
BINS = 64


def test_softplus_keeps_every_digit_of_small_results() -> None:
    values = torch.linspace(-30, 30, 10_001)
    truth = torch.log1p(torch.exp(values.double()))
    assert ((softplus(values) - truth) / truth).abs().max() < RELATIVE


@pytest.mark.parametrize("probability", [0.0, 1e-3, 0.3, 0.999])
@pytest.mark.parametrize("warmth", [0.0, 0.5, 1.0])
def test_the_mean_is_that_of_the_published_distribution(probability: float, warmth: float) -> None:
    centres = torch.rand(1, BINS, 2, 3).double().cumsum(dim=1)
    shares = torch.tensor([probability, 1 - probability, warmth, 1 - warmth]).double().view(1, 4, 1, 1)
    parts = shares.expand(1, 4, 2, 3) * 50  # so that what is added to a part hardly counts
    first = (parts[:, 0] + 1e-4) / (parts[:, 0] + parts[:, 1] + 2e-4)
    temperature = (parts[:, 2:3] + 1e-4) / (parts[:, 2:3] + parts[:, 3:] + 2e-4) * (50 - 0.0212) + 0.0212
    distribution: Any = LogBinomialSoftmax
    expected = (distribution(BINS)(first, temperature) * centres).sum(dim=1)
    assert torch.allclose(expected_depth(parts, centres), expected, rtol=RELATIVE)


def test_the_mean_lies_between_the_bins() -> None:
    centres, parts = torch.rand(2, BINS, 4, 5) * 10, torch.rand(2, 4, 4, 5) * 5
    depth = expected_depth(parts, centres)
    assert depth.shape == (2, 4, 5)
    assert (depth >= centres.amin(dim=1)).all()
    assert (depth <= centres.amax(dim=1)).all()


def test_the_first_layer_reads_the_embedding_before_or_after_it_is_resized() -> None:
    network = LogBinomial(5, 6, 7)
    last, embedding = torch.randn(2, 5, 8, 12), torch.randn(2, 6, 4, 6)
    with torch.inference_mode():
        joined = torch.cat((last, resize_to(embedding, last)), dim=1)
        expected = F.softplus(network.mlp[:3](joined))
        assert torch.allclose(network(last, embedding), expected, rtol=1e-4)
