"""Recomputed parts give the same answers and gradients, and keep less for the backward pass."""

from __future__ import annotations

import copy

import torch
from random_checkpoint import TINY, random_network
from tiny_training import small_convolutions
from torch import Tensor

from depthrt.export.network.network import Network
from depthrt.finetune.adapt.recompute import recompute_parts, recomputed_parts


def step(network: Network) -> tuple[Tensor, list[Tensor | None], int]:
    """Return the answer, the gradients, and the bytes kept for the backward pass."""
    sizes: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        sizes[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    batch = torch.rand((1, 3, 56, 56), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        answer = network.values(batch)
    answer.mean().backward()
    return answer, [parameter.grad for parameter in network.parameters()], sum(sizes.values())


def test_recomputed_parts_give_the_same_answers_and_gradients_and_keep_less() -> None:
    answer, gradients, kept = step(random_network(TINY).train())
    network = random_network(TINY).train()
    recompute_parts(network)
    assert list(network.state_dict()) == list(random_network(TINY).state_dict())
    copied = copy.deepcopy(network)
    found, its_gradients, its_kept = step(network)
    assert torch.equal(found, answer)
    for expected, gradient in zip(gradients, its_gradients, strict=True):
        assert (expected is None) == (gradient is None)
        assert expected is None or gradient is None or torch.equal(expected, gradient)
    assert its_kept < 0.7 * kept
    assert torch.equal(step(copied)[0], answer) and all(
        parameter.grad is not None for parameter in copied.depth_head.scratch.output_conv2.parameters()
    )


def test_parts_with_batch_norms_are_left_as_they_are() -> None:
    parts = recomputed_parts(small_convolutions())
    assert parts and not any(
        "Residual" in type(module).__name__
        for part in parts
        for module in part.children()
        if "conv1" in dict(module.named_children()) and hasattr(module.conv1, "norm")
    )
    with torch.inference_mode():
        network = random_network(TINY)
        recompute_parts(network)
        network(torch.zeros((1, 3, 28, 28)))
