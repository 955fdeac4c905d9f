"""Denormal numbers count as zero inside the block, and as before after it, whatever ends it."""

from __future__ import annotations

import pytest
import torch

from depthrt.finetune.training.process.denormals import flushed_denormals, flushes_denormals

DENORMAL = 1e-310


def test_a_block_counts_denormals_as_zero_and_leaves_no_trace() -> None:
    assert not flushes_denormals()
    with pytest.raises(ValueError, match="the end"), flushed_denormals():
        assert flushes_denormals() and float(torch.tensor(DENORMAL, dtype=torch.float64) * 1) == 0
        raise ValueError("the end")
    assert not flushes_denormals() and float(torch.tensor(DENORMAL, dtype=torch.float64) * 1) > 0


def test_a_thread_that_flushed_before_flushes_after() -> None:
    with flushed_denormals():
        with flushed_denormals():
            assert flushes_denormals()
        assert flushes_denormals()
