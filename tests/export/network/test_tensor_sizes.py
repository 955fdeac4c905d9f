"""Sizes are read off named tensors, and a missing block is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from depthrt.engine.errors import ModelFileError
from depthrt.export.network.tensor_sizes import TensorSizes


def sizes_of(*names: str) -> TensorSizes:
    return TensorSizes({name: torch.zeros(1, 1, 64) for name in names}, Path("a.pt"))


def test_numbers_behind_a_prefix_are_counted() -> None:
    assert sizes_of("blocks.0.a", "blocks.0.b", "blocks.1.a", "other.7.a").count("blocks.") == 2
    assert sizes_of("other.7.a").count("blocks.") == 0


def test_a_missing_number_is_named() -> None:
    with pytest.raises(ModelFileError, match=r"^a\.pt lacks blocks\.1 of 3; save the whole model$"):
        sizes_of("blocks.0.a", "blocks.2.a").count("blocks.")


def test_too_few_blocks_are_refused() -> None:
    with pytest.raises(ModelFileError, match=r"^a\.pt has 2 transformer blocks, expected 4 or more$"):
        sizes_of("m.cls_token", "m.blocks.0.a", "m.blocks.1.a").transformer("m.")
