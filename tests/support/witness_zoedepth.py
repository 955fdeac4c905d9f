"""transformers' ZoeDepth with the weights of one of ours: an independent witness; and the official steps around it."""

from __future__ import annotations

import re
from typing import Any

import torch
import torch.nn.functional as F
from reference_depth_anything import reference_maps
from torch import Tensor
from transformers import BeitConfig, ZoeDepthConfig, ZoeDepthForDepthEstimation
from transformers.models.zoedepth.modeling_zoedepth import ZoeDepthMetricDepthEstimationHead
from witness_midas import hub_state

from depthrt.export.network.midas.architecture import BeitArchitecture
from depthrt.export.network.midas.network import Midas
from depthrt.export.network.zoedepth.architecture import ZoeArchitecture
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth

_BRANCH = r"^((?:seed_bin_regressors?|seed_projector|projectors|attractors)(?:\.\w+)*)\._net\."


def transformers_zoe(network: ZoeDepth) -> ZoeDepthForDepthEstimation:
    """Return transformers' network with the weights of `network`, in eval mode and in the same dtype."""
    witness: Any = ZoeDepthForDepthEstimation(_config(network.architecture, network.max_depth_m or 10.0))
    witness.to(next(network.parameters()).dtype)
    witness.load_state_dict(_renamed(network))
    made: ZoeDepthForDepthEstimation = witness.eval()
    return made


def witness_answer(witness: ZoeDepthForDepthEstimation, batch: Tensor, *, mirrored: bool) -> Tensor:
    """Return metres (N, h, w), image by image as upstream, since a batch shares its route there."""
    with torch.inference_mode():
        alone = torch.cat([witness(image[None]).predicted_depth for image in batch])
        return (alone + witness_answer(witness, batch.flip(-1), mirrored=False).flip(-1)) / 2 if mirrored else alone


def witness_on_depth_anything(network: ZoeDepth, batch: Tensor) -> Tensor:
    """Return metres (N, h, w) of a network on Depth Anything: the formulas of that one, transformers' head on its maps.

    The answer is the mean with the mirror image, as in LiheYoung/Depth-Anything, metric_depth/evaluate.py.
    """
    state = network.state_dict()
    sizes = network.architecture
    config = ZoeDepthConfig(
        fusion_hidden_size=sizes.core.features,
        bottleneck_features=sizes.core.features,
        num_attractors=list(sizes.attractors),
        bin_embedding_dim=sizes.embedding,
        bin_configurations=[{"name": "nyu", "n_bins": sizes.bins, "min_depth": 1e-3, "max_depth": 10.0}],
    )
    make: Any = ZoeDepthMetricDepthEstimationHead
    head = make(config).eval().to(batch.dtype)
    head.load_state_dict({name.removeprefix("metric_head."): value for name, value in _renamed_head(state).items()})
    core = {name.removeprefix("core.core."): value for name, value in state.items() if name.startswith("core.")}

    def alone(images: Tensor) -> Tensor:
        features, relative, (deepest, *fused) = reference_maps(core, images, "depth-anything-v1")
        metres: Tensor = head(features, deepest, fused, F.relu(relative[:, 0]))[0][:, 0]
        return metres

    with torch.inference_mode():
        return (alone(batch) + alone(batch.flip(-1)).flip(-1)) / 2


def official_answer(witness: ZoeDepthForDepthEstimation, image: Tensor, base_px: tuple[int, int]) -> Tensor:
    """Return metres of an image, as isl-org/ZoeDepth infers it: margin, resize, mean with the mirror image, crop.

    Source: isl-org/ZoeDepth zoedepth/models/depth_model.py and base_models/midas.py.

    Args:
        witness: Estimates one image.
        image: (1, 3, H, W), RGB in [0, 1].
        base_px: (h, w) that the size rule aims at.
    """
    ours, mirrored = (_with_margin(witness, each, base_px) for each in (image, image.flip(-1)))
    return (ours + mirrored.flip(-1)) / 2


def official_input(padded: Tensor, base_px: tuple[int, int]) -> Tensor:
    """Return a padded image as the network's input: to the size that scales least, then normalised."""
    scales = [base / side for base, side in zip(base_px, padded.shape[2:], strict=True)]
    scale = scales[1] if abs(1 - scales[1]) < abs(1 - scales[0]) else scales[0]
    size = [round(scale * side / 32) * 32 for side in padded.shape[2:]]
    return (F.interpolate(padded, size=size, mode="bilinear", align_corners=True) - 0.5) / 0.5


def with_margin(image: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Return an image (1, 3, H, W) with its margin, and the margin's height and width."""
    rows, columns = (int((side / 2) ** 0.5 * 3) for side in image.shape[2:])
    return F.pad(image, (columns, columns, rows, rows), mode="reflect"), (rows, columns)


def without_margin(depth: Tensor, padded: Tensor, margin: tuple[int, int]) -> Tensor:
    """Return metres (H, W) from the output (1, h, w) for an image with a margin."""
    size = (padded.shape[2], padded.shape[3])
    depth = F.interpolate(depth[None], size=size, mode="bicubic", align_corners=False)[0, 0]
    return depth[margin[0] : -margin[0], margin[1] : -margin[1]]


def _with_margin(witness: ZoeDepthForDepthEstimation, image: Tensor, base_px: tuple[int, int]) -> Tensor:
    padded, margin = with_margin(image)
    answer = witness_answer(witness, official_input(padded, base_px), mirrored=False)
    return without_margin(answer, padded, margin)


def _config(architecture: ZoeArchitecture, max_depth_m: float) -> ZoeDepthConfig:
    core = architecture.core
    assert isinstance(core, BeitArchitecture)
    backbone: dict[str, Any] = {
        "image_size": core.table_side * 16,
        "num_hidden_layers": core.depth,
        "hidden_size": core.width,
        "intermediate_size": core.hidden,
        "num_attention_heads": core.heads,
        "layer_norm_eps": 1e-6,
        "use_relative_position_bias": True,
        "reshape_hidden_states": False,
        "out_features": [f"stage{block + 1}" for block in core.taps],
    }
    names = ("nyu", "kitti") if architecture.routed else ("nyu",)
    bins = {"n_bins": architecture.bins, "min_depth": 1e-3, "max_depth": max_depth_m}
    return ZoeDepthConfig(
        backbone_config=BeitConfig(**backbone),
        neck_hidden_sizes=list(core.reassembled),
        fusion_hidden_size=core.features,
        bottleneck_features=core.features,
        num_attractors=[1, 1, 1, 1] if architecture.routed else list(architecture.attractors),  # NK: 16, fixed there
        bin_embedding_dim=architecture.embedding,
        bin_centers_type="normed" if architecture.normed else "softplus",
        bin_configurations=[{"name": name, **bins} for name in names],
        num_patch_transformer_layers=4,
        patch_transformer_hidden_size=128,
        patch_transformer_intermediate_size=architecture.router_hidden,
        patch_transformer_num_attention_heads=4,
    )


def _renamed(network: ZoeDepth) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    core = network.core.core
    assert isinstance(core, Midas)
    for name, tensor in hub_state(core).items():
        layer = re.fullmatch(r"head\.head\.(\d)\.(\w+)", name)
        found[f"relative_head.conv{int(layer[1]) // 2 + 1}.{layer[2]}" if layer else name] = tensor
    return found | _renamed_head(network.state_dict())


def _renamed_head(state: dict[str, Tensor]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for official, tensor in state.items():
        if official.startswith("core."):
            continue
        name = official.replace("transformer_encoder.layers.", "transformer_encoder.")
        name = re.sub(r"^mlp_classifier\.(\d)", lambda match: f"mlp_classifier.linear{int(match[1]) // 2 + 1}", name)
        name = re.sub(_BRANCH + r"(\d)", lambda match: f"{match[1]}.conv{int(match[2]) // 2 + 1}", name)
        joined = re.fullmatch(r"(.*self_attn\.)in_proj_(\w+)", name)
        if joined is None:
            found[f"metric_head.{name}"] = tensor
        else:
            for part, rows in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                found[f"metric_head.{joined[1]}{part}.{joined[2]}"] = rows
    return found
