"""The head's tensors have the official names, and the outdoor range scales its answer."""

from __future__ import annotations

import pytest
import torch
from random_zoedepth import random_zoe, tiny_zoe

from depthrt.export.network.zoedepth.architecture import Variant, published
from depthrt.export.network.zoedepth.metric_bins import MIN_DEPTH_M, MetricBins


def convolutions(name: str, channels: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Return the tensors of two convolutions of one pixel."""
    inputs, hidden, outputs = channels
    shapes: dict[str, tuple[int, ...]] = {f"{name}0.weight": (hidden, inputs, 1, 1), f"{name}0.bias": (hidden,)}
    return shapes | {f"{name}2.weight": (outputs, hidden, 1, 1), f"{name}2.bias": (outputs,)}


@pytest.mark.parametrize(
    ("variant", "attractors"), [("N", (16, 8, 4, 1)), ("K", (32, 16, 8, 2)), ("NK", (16, 16, 16, 16))]
)
def test_names_and_shapes_are_those_of_the_published_file(variant: Variant, attractors: tuple[int, ...]) -> None:
    with torch.device("meta"):
        state = MetricBins(published(variant), None).state_dict()
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    routed = variant == "NK"
    seed_hidden, hidden, read, mixed = (64, 64, 32, 40) if routed else (256, 128, 33, 80)
    expected: dict[str, tuple[int, ...]] = {"conv2.weight": (256, 256, 1, 1), "conv2.bias": (256,)}
    expected |= convolutions("seed_projector._net.", (256, hidden, 128))
    for level in range(4):
        expected |= convolutions(f"projectors.{level}._net.", (256, hidden, 128))
    for route in (".nyu", ".kitti") if routed else ("",):
        seeds = f"seed_bin_regressors{route}" if routed else "seed_bin_regressor"
        expected |= convolutions(f"{seeds}._net.", (256, seed_hidden, 64))
        for level, values in enumerate(attractors):
            expected |= convolutions(f"attractors{route}.{level}._net.", (128, 128, values))
        expected |= convolutions(f"conditional_log_binomial{route}.mlp.", (read + 128, mixed, 4))
    router = {name for name in found if name.startswith(("patch_transformer.", "mlp_classifier."))}
    assert {name: shape for name, shape in found.items() if name not in router} == expected
    assert len(router) == (4 * 12 + 2 + 4 if routed else 0)
    if routed:
        layer = "patch_transformer.transformer_encoder.layers.3."
        assert found[f"{layer}self_attn.in_proj_weight"] == (384, 128)
        assert found[f"{layer}linear1.weight"] == (1024, 128)
        assert found["mlp_classifier.2.weight"] == (2, 128)


def test_the_outdoor_answer_is_proportional_to_the_range() -> None:
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        trained, hub = (random_zoe(tiny_zoe("K"), max_depth_m=metres)(batch) for metres in (None, 10.0))
    shares = (trained - MIN_DEPTH_M) / (80 - MIN_DEPTH_M)
    assert torch.allclose((hub - MIN_DEPTH_M) / (10 - MIN_DEPTH_M), shares, rtol=1e-5)
    assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.parametrize(("variant", "expected"), [("N", None), ("K", 80.0), ("NK", None)])
def test_only_the_outdoor_network_has_an_upper_end(variant: Variant, expected: float | None) -> None:
    assert random_zoe(tiny_zoe(variant)).max_depth_m == expected
