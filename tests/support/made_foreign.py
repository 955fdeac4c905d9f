"""A depth network of transformers that somebody else exported: tiny, made on the spot, and it answers rooms like depth.

Its weights are random but for the last layer, which least squares fits to the depth of the probes' rooms. Positions are
smooth, so that it answers alike at two sizes.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

import onnx
import torch
from made import CONTRACT
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config
from transformers.models.depth_anything import modeling_depth_anything as theirs
from transformers.utils.generic import torch_int

from depthrt.engine.images.preprocess import fit_image, make_batch
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import Kind
from depthrt.export.adopt.probes.rooms import Room, read_rooms

PATCH_PX = 14
SIZE = SizeRule((98, 98), PATCH_PX, "lower_bound")
_FITTED_PX = (98, 56)  # short sides; the second is that of the probe of sizes
_WIDTH, _FEATURES = 32, 64
MAX_DEPTH_M = 20
OPSET = 18


@lru_cache(maxsize=2)
def trained(kind: str = "inverse") -> DepthAnythingForDepthEstimation:
    """Return the network, in eval mode; kind is "inverse" or "metric"."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        network = DepthAnythingForDepthEstimation(_config(kind))
        network.train(False)
        for weights in network.parameters():
            if weights.ndim > 1:
                weights.mul_(4)  # transformers starts with 0.02, which leaves all answers alike
        network.backbone.embeddings.position_embeddings[:, 1:] = _smooth_positions()
        colours = network.backbone.embeddings.patch_embeddings.projection.weight
        colours.copy_(torch.randn(_WIDTH, 3, 1, 1).expand_as(colours) * 2 / PATCH_PX**2)  # of a whole patch
        _fit(network, kind)
    return network


def export_theirs(
    path: Path, *, kind: str = "inverse", opset: int = OPSET, sides_px: tuple[int, int] | None = None
) -> Path:
    """Write the network as optimum does: pixel_values (b, 3, h, w) to predicted_depth (b, h, w).

    By itself the exporter bakes the size of the head's last resize; optimum patches it likewise. Attention is written
    out for opsets before 14, which have none.

    Args:
        path: The file.
        kind: "inverse" or "metric".
        opset: Of the operators.
        sides_px: (h, w) of a static graph for one image; None for dynamic axes.
    """
    network = trained(kind)
    network.backbone.set_attn_implementation("eager" if opset < 14 else "sdpa")
    axes = {0: "batch_size", 2: "height", 3: "width"}
    named = {"pixel_values": axes, "predicted_depth": {0: "batch_size", 1: "height", 2: "width"}}
    with warnings.catch_warnings(), patch.object(theirs, "int", torch_int, create=True):
        warnings.simplefilter("ignore")  # of the exporter that most files in use come from
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, *(sides_px or (98, 126))),),
            path,
            input_names=["pixel_values"],
            output_names=["predicted_depth"],
            dynamic_axes=None if sides_px is not None else named,
            opset_version=opset,
            dynamo=False,
        )
    return path


def in_our_names(theirs: Path, path: Path) -> Path:
    """Write a file with its input and output renamed to ours."""
    model = onnx.load(theirs)
    names = {"pixel_values": "image", "predicted_depth": "depth"}
    for value in (*model.graph.input, *model.graph.output):
        value.name = names.get(value.name, value.name)
    for node in model.graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) for name in ends]
    onnx.save(model, path)
    return path


def _config(kind: str) -> DepthAnythingConfig:
    backbone = Dinov2Config(
        hidden_size=_WIDTH,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=518,
        patch_size=PATCH_PX,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )  # type: ignore[call-arg]
    return DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=_WIDTH,
        neck_hidden_sizes=[8, 8, 12, 12],
        fusion_hidden_size=_FEATURES,
        head_hidden_size=_FEATURES,
        patch_size=PATCH_PX,
        depth_estimation_type="relative" if kind == "inverse" else "metric",
        max_depth=1 if kind == "inverse" else MAX_DEPTH_M,
    )


def _smooth_positions() -> torch.Tensor:
    ramp = torch.linspace(-1, 1, 37)
    y, x = (grid.flatten() for grid in torch.meshgrid(ramp, ramp, indexing="ij"))
    waves = torch.stack([y, x, y * y, x * x, x * y, torch.sin(3 * y)], dim=1)
    return 3 * waves @ torch.randn(6, _WIDTH)


def _fit(network: DepthAnythingForDepthEstimation, kind: str) -> None:
    """Fit the last layer to the rooms, on two sizes."""
    seen: list[torch.Tensor] = []
    hook = network.head.conv3.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0]))
    features, targets = [], []
    for short_px in _FITTED_PX:
        contract = replace(CONTRACT, size=replace(SIZE, base_px=(short_px, short_px)))
        for room in read_rooms():
            fit = fit_image(contract.size, (room.image.shape[0], room.image.shape[1]))
            network(torch.from_numpy(make_batch(room.image, contract, fit, "bgr")))
            features.append(seen.pop().flatten(1))
            targets.append(_target(room, fit.input_px, kind).flatten())
    hook.remove()
    columns, target = torch.cat(features, dim=1).T.double(), torch.cat(targets).double()
    columns = torch.cat([columns, torch.ones(len(columns), 1)], dim=1)
    ridge = 1e-4 * torch.eye(columns.shape[1])
    *weights, bias = torch.linalg.solve(columns.T @ columns + ridge, columns.T @ target)
    network.head.conv3.weight.copy_(torch.stack(weights).float().view(1, -1, 1, 1))
    assert network.head.conv3.bias is not None
    network.head.conv3.bias.fill_(float(bias))


def _target(room: Room, size_px: tuple[int, int], kind: str) -> torch.Tensor:
    """Return what the last layer should answer: inverse depth from 0.3 on, or the logit of a share of MAX_DEPTH_M."""
    depth_m = torch.from_numpy(room.depth_m)[None, None]
    far_m = torch.where(depth_m > 0, depth_m, torch.full((), 100.0))
    if kind == "inverse":
        target = 0.3 + 1 / far_m.clamp(min=0.5)
    else:
        target = torch.logit((far_m / MAX_DEPTH_M).clamp(0.02, 0.95))
    return torch.nn.functional.interpolate(target, size_px, mode="bilinear")[0, 0]


def contract_of_theirs(kind: Kind = "inverse") -> Contract:
    """Return the contract of the network in our names."""
    largest = float(MAX_DEPTH_M) if kind == "metric" else None
    return replace(CONTRACT, size=SIZE, kind=kind, max_depth_m=largest)
