"""Batch normalisation with fixed statistics."""

from __future__ import annotations

import torch
from torch import nn

from depthrt.export.network.midas.v21.norm import FixedNorm


def test_a_fixed_norm_is_torchs_norm_in_eval_mode_without_its_counter() -> None:
    generator = torch.Generator().manual_seed(0)
    theirs = nn.BatchNorm2d(4, eps=1e-3).eval()
    for tensor in theirs.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    ours = FixedNorm(4, eps=1e-3).train()  # no mode changes it
    state = theirs.state_dict()
    del state["num_batches_tracked"]
    ours.load_state_dict(state, strict=True)
    maps = torch.randn(2, 4, 5, 6, generator=generator)
    assert torch.equal(ours(maps), theirs(maps))
    assert torch.equal(ours.running_mean, theirs.running_mean)
