"""Depth Anything in torch against an independent reference and against transformers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from network_answers import (
    GATED,
    SAME_FLOAT32,
    SAME_FORMULA,
    SAME_HALF,
    SMALL,
    UNUSED,
    answer,
    difference,
    photo,
    photo_batch,
)
from random_checkpoint import TINY, VITB, VITL, VITS, random_network
from reference_depth_anything import reference_forward, reference_preprocess
from torch import Tensor
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from depthrt.engine.errors import InputError
from depthrt.engine.terms import Family
from depthrt.export.network.architecture import Architecture
from depthrt.export.network.depth_anything import DepthAnything, randomise

VITG = Architecture(
    width=1536, depth=40, patch_px=14, table_side=37, feed_forward="swiglu", hidden=4096, features=384,
    reassembled=(1536, 1536, 1536, 1536),
)  # fmt: skip
DEEPER = replace(SMALL, depth=8)  # the least depth at which V1 and V2 take different blocks


@pytest.fixture(autouse=True, scope="module")
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


# ---- names and shapes ----


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [(VITS, 24_785_089), (VITB, 97_470_785), (VITL, 335_315_649)],  # Source: the published safetensors files
    ids=["vits", "vitb", "vitl"],
)
def test_a_network_has_as_many_weights_as_the_published_file(architecture: Architecture, parameters: int) -> None:
    with torch.device("meta"):
        network = unfilled(architecture)
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == parameters


def test_names_and_shapes_are_those_of_the_published_files() -> None:
    with torch.device("meta"):
        found = {key: tuple(value.shape) for key, value in unfilled(VITS).state_dict().items()}
    assert found == published_shapes(384, 12, 1536, 64, (48, 96, 192, 384))


def test_the_giant_has_a_gated_feed_forward_layer() -> None:
    with torch.device("meta"):
        found = {key: tuple(value.shape) for key, value in unfilled(VITG).state_dict().items()}
    mlp = {key: shape for key, shape in found.items() if key.startswith("pretrained.blocks.39.mlp.")}
    assert mlp == {
        "pretrained.blocks.39.mlp.w12.weight": (8192, 1536),
        "pretrained.blocks.39.mlp.w12.bias": (8192,),
        "pretrained.blocks.39.mlp.w3.weight": (1536, 4096),
        "pretrained.blocks.39.mlp.w3.bias": (1536,),
    }


def unfilled(architecture: Architecture) -> DepthAnything:
    return DepthAnything(architecture, family="depth-anything-v2")


def published_shapes(
    width: int, depth: int, hidden: int, features: int, reassembled: tuple[int, ...]
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "pretrained.cls_token": (1, 1, width),
        "pretrained.pos_embed": (1, 1370, width),
        "pretrained.mask_token": (1, width),
        "pretrained.norm.weight": (width,),
        "pretrained.norm.bias": (width,),
    }

    def layer(name: str, *weight: int, outputs: int | None = None) -> None:
        shapes[f"{name}.weight"] = weight
        shapes[f"{name}.bias"] = (weight[0] if outputs is None else outputs,)

    layer("pretrained.patch_embed.proj", width, 3, 14, 14)
    for index in range(depth):
        block = f"pretrained.blocks.{index}"
        for norm in ("norm1", "norm2"):
            layer(f"{block}.{norm}", width)
        for scale in ("ls1", "ls2"):
            shapes[f"{block}.{scale}.gamma"] = (width,)
        layer(f"{block}.attn.qkv", 3 * width, width)
        layer(f"{block}.attn.proj", width, width)
        layer(f"{block}.mlp.fc1", hidden, width)
        layer(f"{block}.mlp.fc2", width, hidden)
    first, second, _, fourth = reassembled
    for index, channels in enumerate(reassembled):
        layer(f"depth_head.projects.{index}", channels, width, 1, 1)
        shapes[f"depth_head.scratch.layer{index + 1}_rn.weight"] = (features, channels, 3, 3)
        fusion = f"depth_head.scratch.refinenet{index + 1}"
        layer(f"{fusion}.out_conv", features, features, 1, 1)
        for unit in ("resConfUnit1", "resConfUnit2"):
            for conv in ("conv1", "conv2"):
                layer(f"{fusion}.{unit}.{conv}", features, features, 3, 3)
    layer("depth_head.resize_layers.0", first, first, 4, 4)
    layer("depth_head.resize_layers.1", second, second, 2, 2)
    layer("depth_head.resize_layers.3", fourth, fourth, 3, 3)
    layer("depth_head.scratch.output_conv1", features // 2, features, 3, 3)
    layer("depth_head.scratch.output_conv2.0", 32, features // 2, 3, 3)
    layer("depth_head.scratch.output_conv2.2", 1, 32, 1, 1)
    return shapes


# ---- numbers ----


# Native, landscape and portrait for one of them; the others differ from it in what no shape touches.
@pytest.mark.parametrize(
    ("architecture", "family", "max_depth_m", "size_px"),
    [
        pytest.param(DEEPER, "depth-anything-v2", None, (224, 224), id="v2-native"),
        pytest.param(DEEPER, "depth-anything-v2", None, (168, 294), id="v2-landscape"),
        pytest.param(DEEPER, "depth-anything-v2", None, (294, 168), id="v2-portrait"),
        pytest.param(DEEPER, "depth-anything-v1", None, (168, 294), id="v1-landscape"),
        pytest.param(SMALL, "depth-anything-v2", 80.0, (294, 168), id="v2-metric-portrait"),
        pytest.param(GATED, "depth-anything-v2", None, (168, 294), id="v2-swiglu-landscape"),
        pytest.param(replace(SMALL, depth=24), "depth-anything-v1", None, (98, 126), id="v1-as-deep-as-large"),
        pytest.param(replace(SMALL, depth=24), "depth-anything-v2", None, (98, 126), id="v2-as-deep-as-large"),
        pytest.param(replace(GATED, depth=40), "depth-anything-v2", None, (98, 126), id="v2-as-deep-as-giant"),
    ],
)
def test_a_network_computes_what_the_reference_computes(
    architecture: Architecture, family: Family, max_depth_m: float | None, size_px: tuple[int, int]
) -> None:
    network = random_network(architecture, family=family, max_depth_m=max_depth_m)
    batch = photo_batch(*size_px)
    single = answer(network, batch)
    truth, exact = in_double(network, batch)
    assert difference(exact, truth) < SAME_FORMULA
    assert difference(single, truth) < SAME_FLOAT32


@pytest.mark.parametrize(
    ("image", "size_px"),
    [
        (photo("astronaut.jpg"), (518, 518)),
        (photo("chelsea.jpg"), (518, 784)),
        (np.ascontiguousarray(np.rot90(photo("coffee.jpg"))), (784, 518)),
    ],
    ids=["square", "landscape", "portrait"],
)
def test_a_network_computes_what_the_reference_computes_on_whole_photographs(
    image: np.ndarray, size_px: tuple[int, int]
) -> None:
    network = random_network(TINY)
    batch = torch.from_numpy(reference_preprocess(image))
    assert batch.shape[2:] == size_px
    with torch.inference_mode():
        reference = reference_forward(network.state_dict(), batch, family="depth-anything-v2")
    assert difference(answer(network, batch), reference) < SAME_FLOAT32


def test_the_small_network_computes_what_the_reference_computes() -> None:
    network = random_network(VITS)
    batch = photo_batch(112, 154)
    single = answer(network, batch)
    truth, exact = in_double(network, batch)
    assert difference(exact, truth) < SAME_FORMULA
    assert difference(single, truth) < SAME_FLOAT32


def in_double(network: DepthAnything, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the reference and the network answer in float64; the network stays float64."""
    network.double()
    with torch.inference_mode():
        truth = reference_forward(
            network.state_dict(), batch.double(), family=network.family, max_depth_m=network.max_depth_m
        )
    return truth, answer(network, batch.double())


def test_images_of_a_batch_do_not_meet() -> None:
    network = random_network(TINY).double()
    batch = torch.cat((photo_batch(140, 182), photo_batch(140, 182).flip(3))).double()
    together = answer(network, batch)
    for index in range(2):
        assert difference(together[index : index + 1], answer(network, batch[index : index + 1])) < SAME_FORMULA


@pytest.mark.parametrize("max_depth_m", [None, 20], ids=["inverse", "metric"])
def test_transformers_computes_the_same_at_the_native_grid(max_depth_m: int | None) -> None:
    architecture = replace(SMALL, width=128)  # two heads; transformers resamples other grids its own way
    network = random_network(architecture, max_depth_m=max_depth_m).double()
    witness = transformers_network(architecture, max_depth_m).double()
    witness.load_state_dict(as_transformers_names(network.state_dict()), strict=True)
    batch = photo_batch(224, 224).double()
    with torch.inference_mode():
        expected = witness(pixel_values=batch).predicted_depth
    assert difference(answer(network, batch), expected) < SAME_FORMULA


def transformers_network(architecture: Architecture, max_depth_m: int | None) -> DepthAnythingForDepthEstimation:
    backbone = Dinov2Config(
        hidden_size=architecture.width,
        num_hidden_layers=architecture.depth,
        num_attention_heads=architecture.heads,
        mlp_ratio=architecture.hidden // architecture.width,
        image_size=architecture.table_side * 14,
        patch_size=14,
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    backbone.out_indices = [tap + 1 for tap in architecture.taps("depth-anything-v2")]
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=architecture.width,
        neck_hidden_sizes=list(architecture.reassembled),
        fusion_hidden_size=architecture.features,
        head_hidden_size=32,
        depth_estimation_type="relative" if max_depth_m is None else "metric",
        max_depth=max_depth_m or 1,  # it multiplies inverse depth too
    )
    witness: DepthAnythingForDepthEstimation = DepthAnythingForDepthEstimation(config).train(False)
    return witness


def as_transformers_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    rules = [
        (r"pretrained\.(cls_token|mask_token)", r"backbone.embeddings.\1"),
        (r"pretrained\.pos_embed", "backbone.embeddings.position_embeddings"),
        (r"pretrained\.patch_embed\.proj", "backbone.embeddings.patch_embeddings.projection"),
        (r"pretrained\.norm", "backbone.layernorm"),
        (r"pretrained\.blocks", "backbone.encoder.layer"),
        (r"attn\.proj", "attention.o_proj"),
        (r"ls(\d)\.gamma", r"layer_scale\1.lambda1"),
        (r"depth_head\.projects\.(\d)", r"neck.reassemble_stage.layers.\1.projection"),
        (r"depth_head\.resize_layers\.(\d)", r"neck.reassemble_stage.layers.\1.resize"),
        (r"resConfUnit(\d)\.conv(\d)", r"residual_layer\1.convolution\2"),
        (r"out_conv", "projection"),
        (r"depth_head\.scratch\.output_conv1", "head.conv1"),
        (r"depth_head\.scratch\.output_conv2\.0", "head.conv2"),
        (r"depth_head\.scratch\.output_conv2\.2", "head.conv3"),
    ]
    renamed = {}
    for key, value in state.items():
        name = re.sub(r"depth_head\.scratch\.layer(\d)_rn", lambda found: f"neck.convs.{int(found[1]) - 1}", key)
        name = re.sub(
            r"depth_head\.scratch\.refinenet(\d)", lambda found: f"neck.fusion_stage.layers.{4 - int(found[1])}", name
        )
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        if ".attn.qkv." in name:
            for letter, third in zip("qkv", value.chunk(3), strict=True):
                renamed[name.replace("attn.qkv", f"attention.{letter}_proj")] = third
        else:
            renamed[name] = value
    return renamed


# ---- positions ----


def test_baked_positions_change_no_answer_and_no_name() -> None:
    network = random_network(TINY)
    batch = photo_batch(252, 336)
    names, before = list(network.state_dict()), answer(network, batch)
    network.bake_positions(18, 24)
    assert torch.equal(answer(network, batch), before)
    assert list(network.state_dict()) == names


def test_baked_positions_refuse_another_grid_until_baked_again() -> None:
    network = random_network(TINY)
    network.bake_positions(18, 24)
    with pytest.raises(InputError, match=r"^a grid of 24x18 patches found, but positions are baked for 18x24;.*$"):
        answer(network, photo_batch(336, 252))
    network.bake_positions(24, 18)
    assert answer(network, photo_batch(336, 252)).shape == (1, 336, 252)


# ---- options and refusals ----


@pytest.mark.parametrize("size_px", [(520, 518), (518, 15), (13, 518)])
def test_a_side_that_is_no_multiple_of_the_patch_is_refused_in_one_line(size_px: tuple[int, int]) -> None:
    expected = rf"^input of {size_px[0]}x{size_px[1]} px found, both sides must be multiples of 14; resize the image$"
    with pytest.raises(InputError, match=expected):
        answer(random_network(TINY), photo_batch(*size_px))


def test_every_weight_but_the_unused_ones_learns() -> None:
    network = random_network(TINY).train()
    network(photo_batch(70, 84)).sum().backward()
    still = {name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()}
    assert still == {name for name, _ in network.named_parameters() if name.startswith(UNUSED)}


def test_half_precision_stays_close() -> None:
    network = random_network(TINY)
    batch = photo_batch(140, 182)
    single = answer(network, batch)
    half = answer(network.half(), batch.half())
    assert half.dtype == torch.float16
    assert difference(half, single) < SAME_HALF


# ---- random weights ----


@pytest.mark.parametrize(
    ("architecture", "max_depth_m", "seeds"),
    [(TINY, None, 3), (TINY, 20.0, 3), (GATED, None, 3), (VITS, None, 1)],
    ids=["tiny", "metric", "gated", "vits"],
)
def test_random_weights_answer_a_photograph_with_variation(
    architecture: Architecture, max_depth_m: float | None, seeds: int
) -> None:
    for seed in range(seeds):
        depth = answer(random_network(architecture, max_depth_m=max_depth_m, seed=seed), photo_batch(168, 224))
        assert depth.std() / depth.mean() > 0.05
        assert (depth > 0).float().mean() > 0.98
        assert max_depth_m is None or depth.max() < max_depth_m


def test_the_seed_decides_the_random_weights() -> None:
    first, again, other = (random_network(TINY, seed=seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first if not key.endswith("output_conv2.2.bias"))


def test_randomising_replaces_every_weight() -> None:
    network = unfilled(TINY)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(float("nan"))
    randomise(network, 0)
    assert all(parameter.isfinite().all() for parameter in network.parameters())
