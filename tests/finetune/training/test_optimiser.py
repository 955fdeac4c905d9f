"""Learning rates, the groups of the optimisers, Muon on kernels, and the moving average of weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from random_checkpoint import TINY, random_network
from tiny_training import QUICK, small_convolutions

from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.finetune.adapt.lora import add_updates
from depthrt.finetune.training.objective import DepthObjective
from depthrt.finetune.training.optimiser import MovingAverage, Optimiser, rate_factor
from depthrt.finetune.training.options import TrainOptions

MUON_GAIN = 0.2  # factor that makes a step of Muon as long as one of AdamW. Source: Liu et al. 2025, section 2.2


def test_the_rate_rises_holds_and_falls() -> None:
    options = TrainOptions(steps=100, warmup_steps=10, hold_steps=50, decay_power=2.0)
    assert [rate_factor(step, options) for step in (0, 4, 9, 30, 50)] == pytest.approx([0.1, 0.5, 1, 1, 1])
    assert [rate_factor(step, options) for step in (75, 90, 100)] == pytest.approx([0.25, 0.04, 0])


def test_the_encoder_has_a_separate_rate_and_vectors_do_not_decay() -> None:
    network = random_network(TINY)
    options = TrainOptions(learning_rate=1e-3, encoder_factor=0.1, weight_decay=0.02)
    groups = Optimiser(DepthObjective(network, options), options).groups
    found = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    named = {name: found.get(id(parameter)) for name, parameter in network.named_parameters()}
    assert named["pretrained.blocks.0.mlp.fc1.weight"] == pytest.approx((1e-4, 0.02))
    assert named["pretrained.blocks.0.mlp.fc1.bias"] == pytest.approx((1e-4, 0))
    assert named["pretrained.pos_embed"] == pytest.approx((1e-4, 0))
    assert named["depth_head.projects.0.weight"] == pytest.approx((1e-3, 0.02))
    assert named["pretrained.mask_token"] is None
    assert [name for name, group in named.items() if group is None and "refinenet4.resConfUnit1" not in name] == [
        "pretrained.mask_token"
    ]


def test_muon_turns_kernels_alike_in_either_order_of_their_memory() -> None:
    moved = []
    for order in (torch.contiguous_format, torch.channels_last):
        network = ConvDepth(ConvArchitecture((32, 32, 64, 64), (1, 1, 1, 1), features=32), norms=True)
        kernel = network.get_parameter("pretrained.stages.2.0.conv2.convolution.weight")
        kernel.data = torch.zeros_like(kernel.data, memory_format=order)
        optimiser = Optimiser(network, replace(QUICK, muon_factor=1.0, encoder_factor=1.0))
        kernel.grad = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0))
        optimiser.step()
        moved.append(kernel.detach().flatten(1))
    first, second = moved
    assert torch.allclose(first, second, atol=0.05 * float(first.abs().max()))  # bfloat16, added in another order
    lengths = torch.linalg.svdvals(first) / (QUICK.learning_rate * MUON_GAIN * max(first.shape) ** 0.5)
    assert 0.5 < float(lengths.min()) <= float(lengths.max()) < 1.5


def test_the_average_follows_fast_at_first_and_slowly_later() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average = MovingAverage(network, 0.99)
    torch.nn.init.ones_(network.weight)
    average.follow(network)  # decay 2/11
    assert float(average.module.state_dict()["weight"]) == pytest.approx(9 / 11)
    average.count = 10_000
    average.follow(network)  # decay 0.99
    assert float(average.module.state_dict()["weight"]) == pytest.approx(1 - 0.99 * 2 / 11)


def test_the_average_holds_buffers_as_well_and_counts_as_they_are() -> None:
    network = small_convolutions()
    average = MovingAverage(network, 0.5)
    norm = next(module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    assert norm.running_mean is not None and norm.num_batches_tracked is not None
    norm.running_mean.fill_(11.0)
    norm.num_batches_tracked.fill_(7)
    average.follow(network)
    found = average.module.state_dict()
    name = next(name for name, value in network.named_buffers() if value is norm.running_mean)
    assert found[name].tolist() == pytest.approx([9.0] * len(norm.running_mean))  # 2/11 of 0 and 9/11 of 11
    assert int(found[name.replace("running_mean", "num_batches_tracked")]) == 7


def test_a_rate_is_a_share_of_each_group_s_highest() -> None:
    optimiser = Optimiser(DepthObjective(random_network(TINY), QUICK), QUICK)
    peaks = [group["lr"] for group in optimiser.groups]
    assert len(set(peaks)) == 2  # encoder and head
    for factor in (0.5, 0.25):
        optimiser.set_rate(factor)
        assert [group["lr"] for group in optimiser.groups] == pytest.approx([peak * factor for peak in peaks])


def test_frozen_weights_are_shared_with_the_average_and_keep_every_bit() -> None:
    network = torch.nn.Linear(2, 1)
    network.weight.requires_grad_(False)
    network.weight.copy_(torch.tensor([[-0.0, 0.1]]))
    average = MovingAverage(network, 0.9)
    average.follow(network)
    assert average.module.get_parameter("weight") is network.weight
    assert average.module.get_parameter("bias") is not network.bias
    assert network.weight.detach().numpy().tobytes() == torch.tensor([[-0.0, 0.1]]).numpy().tobytes()


def test_without_decay_the_average_is_the_network() -> None:
    network = torch.nn.Linear(1, 1)
    average = MovingAverage(network, 0.0)
    torch.nn.init.ones_(network.weight)
    average.follow(network)
    assert average.module is network and float(network.weight.detach()) == 1


def test_the_rate_of_the_encoder_s_blocks_falls_towards_the_image() -> None:
    network = random_network(TINY)
    options = TrainOptions(learning_rate=1e-3, encoder_factor=0.1, layer_decay=0.5)
    groups = Optimiser(DepthObjective(network, options), options).groups
    found = {id(p): group["lr"] for group in groups for p in group["params"]}
    named = {name: found.get(id(parameter)) for name, parameter in network.named_parameters()}
    rates = [named[f"pretrained.blocks.{block}.mlp.fc1.weight"] for block in range(4)]
    assert rates == pytest.approx([1e-4 / 8, 1e-4 / 4, 1e-4 / 2, 1e-4])
    assert named["pretrained.pos_embed"] == pytest.approx(1e-4 / 16)
    assert named["pretrained.norm.weight"] == pytest.approx(1e-4)
    assert named["depth_head.projects.0.weight"] == pytest.approx(1e-3)


def test_updates_of_lora_have_a_rate_above_the_head_s() -> None:
    network = random_network(TINY)
    options = TrainOptions(learning_rate=1e-3, lora_rank=2)
    add_updates(network, 2, seed=0)
    groups = Optimiser(DepthObjective(network, options), options).groups
    assert sorted({group["lr"] for group in groups}) == pytest.approx([1e-3, 4e-3])
