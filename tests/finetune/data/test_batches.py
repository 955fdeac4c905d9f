"""Batches: the input of a network, inverse depth, and the move to a device."""

from __future__ import annotations

import pytest
import torch

from depthrt.finetune.data.batches import MEAN, STD, Batch


def batch_of(depth_m: list[float], valid: list[bool]) -> Batch:
    images = torch.rand((1, 3, 1, len(depth_m)), generator=torch.Generator().manual_seed(0))
    return Batch(images, torch.tensor([[depth_m]]), torch.tensor([[valid]]))


def test_inverse_depth_is_zero_for_the_sky_and_for_unknown_depth() -> None:
    batch = batch_of([2.0, torch.inf, torch.nan, 0.0, 4.0], [True, True, False, True, False])
    assert batch.inverse().flatten().tolist() == [0.5, 0.0, 0.0, 0.0, 0.0]


def test_normalised_images_are_those_of_the_channel_statistics() -> None:
    batch = batch_of([1.0, 1.0], [True, True])
    for channel, (mean, std) in enumerate(zip(MEAN, STD, strict=True)):
        expected = ((batch.images[0, channel, 0] - mean) / std).tolist()
        assert batch.normalised()[0, channel, 0].tolist() == pytest.approx(expected, rel=1e-6)


def test_a_batch_moves_to_a_device_as_a_whole() -> None:
    moved = batch_of([1.0], [True]).to(torch.device("meta"))
    assert {part.device.type for part in (moved.images, moved.depth_m, moved.valid)} == {"meta"}
    assert moved.normalised().device.type == moved.inverse().device.type == "meta"
