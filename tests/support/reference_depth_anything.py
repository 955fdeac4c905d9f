"""What Depth Anything computes, written a second time as formulas over a state dict.

Shares nothing with the package, so that a mistake there cannot hide here. Slow and plain on purpose.
Source: Oquab et al., DINOv2; Ranftl et al., Vision Transformers for Dense Prediction; Yang et al., Depth Anything.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PATCH_PX = 14
BASE_PX = 518
HEAD_WIDTH = 64
MEAN = np.array([0.485, 0.456, 0.406])  # of RGB in [0, 1]
STD = np.array([0.229, 0.224, 0.225])


def reference_forward(
    state: dict[str, Tensor], batch: Tensor, *, family: str, max_depth_m: float | None = None
) -> Tensor:
    """Return (N, h, w) from the official keys; state and batch in the same dtype, float32 or float64."""
    gh, gw = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
    taps = _encode(state, batch, family)
    values = _decode(state, taps, gh, gw)
    if max_depth_m is None:
        return F.relu(values[:, 0])
    return torch.sigmoid(values[:, 0]) * max_depth_m


def reference_maps(state: dict[str, Tensor], batch: Tensor, family: str) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Return what the last layer reads, its values (N, 1, h, w), and the maps of the head: deepest, then fused ones."""
    gh, gw = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
    levels = _levels(state, _encode(state, batch, family), gh, gw)
    features = _features(state, levels[-1], gh, gw)
    return features, _conv(state, "depth_head.scratch.output_conv2.2", features), levels


def reference_preprocess(image_bgr: np.ndarray, *, base_px: int = BASE_PX) -> np.ndarray:
    """Return (1, 3, h, w) float32 from (H, W, 3) uint8 BGR: lower bound, multiples of 14, cubic in float64."""
    height, width = image_bgr.shape[:2]
    scale = max(base_px / height, base_px / width)
    size_w, size_h = (_multiple(scale * side, base_px) for side in (width, height))
    rgb = image_bgr[:, :, ::-1] / 255.0
    resized = cv2.resize(rgb, (size_w, size_h), interpolation=cv2.INTER_CUBIC)  # OpenCV takes (w, h)
    normalised: np.ndarray = ((resized - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)
    return normalised


def reference_infer(
    state: dict[str, Tensor],
    image_bgr: np.ndarray,
    family: str,
    max_depth_m: float | None = None,
    *,
    base_px: int = BASE_PX,
) -> np.ndarray:
    """Return (H, W) float32 at the size of the image; the network runs in the dtype of the state."""
    batch = torch.from_numpy(reference_preprocess(image_bgr, base_px=base_px)).to(next(iter(state.values())).dtype)
    with torch.no_grad():
        depth = reference_forward(state, batch, family=family, max_depth_m=max_depth_m)
    corners = family == "depth-anything-v2"
    resized = F.interpolate(depth[None], image_bgr.shape[:2], mode="bilinear", align_corners=corners)
    return resized[0, 0].to(torch.float32).numpy()


def _multiple(side: float, base_px: int) -> int:
    """Round to a multiple of the patch, half to even, but up where that falls under the base."""
    rounded = int(np.round(side / PATCH_PX) * PATCH_PX)
    return rounded if rounded >= base_px else math.ceil(side / PATCH_PX) * PATCH_PX


def _taps(depth: int, family: str) -> list[int]:
    if family == "depth-anything-v1":
        return list(range(depth - 4, depth))
    published = {12: [2, 5, 8, 11], 24: [4, 11, 17, 23], 40: [9, 19, 29, 39]}
    return published.get(depth) or [depth * quarter // 4 - 1 for quarter in (1, 2, 3, 4)]


def _positions(state: dict[str, Tensor], gh: int, gw: int) -> Tensor:
    embedded = state["pretrained.pos_embed"]
    side = math.isqrt(embedded.shape[1] - 1)
    if gh == gw == side:
        return embedded
    table = embedded[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    factors = ((gh + 0.1) / side, (gw + 0.1) / side)
    table = F.interpolate(table, scale_factor=factors, mode="bicubic", align_corners=False)
    assert table.shape[2:] == (gh, gw)
    return torch.cat((embedded[:, :1], table.flatten(2).transpose(1, 2)), dim=1)


def _norm(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-6)


def _linear(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def _conv(state: dict[str, Tensor], name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state.get(f"{name}.bias"), stride=stride, padding=weight.shape[-1] // 2)


def _attend(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    count, tokens, width = x.shape
    qkv = _linear(state, f"{name}.qkv", x).reshape(count, tokens, 3, width // HEAD_WIDTH, HEAD_WIDTH)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    weights = torch.einsum("nhid,nhjd->nhij", q / math.sqrt(HEAD_WIDTH), k).softmax(dim=-1)
    mixed = torch.einsum("nhij,nhjd->nihd", weights, v).reshape(count, tokens, width)
    return _linear(state, f"{name}.proj", mixed)


def _feed_forward(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    if f"{name}.fc1.weight" in state:
        hidden = _linear(state, f"{name}.fc1", x)
        return _linear(state, f"{name}.fc2", 0.5 * hidden * (1 + torch.erf(hidden / math.sqrt(2))))
    gate, passed = _linear(state, f"{name}.w12", x).chunk(2, dim=-1)
    return _linear(state, f"{name}.w3", gate * torch.sigmoid(gate) * passed)


def _encode(state: dict[str, Tensor], batch: Tensor, family: str) -> list[Tensor]:
    gh, gw = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
    embed = "pretrained.patch_embed.proj"
    patches = F.conv2d(batch, state[f"{embed}.weight"], state[f"{embed}.bias"], stride=PATCH_PX)
    patches = patches.flatten(2).transpose(1, 2)
    x = torch.cat((state["pretrained.cls_token"].repeat(len(batch), 1, 1), patches), dim=1)
    x = x + _positions(state, gh, gw)
    depth = 1 + max(int(key.split(".")[2]) for key in state if key.startswith("pretrained.blocks."))
    outputs = []
    for index in range(depth):
        block = f"pretrained.blocks.{index}"
        mixed = _attend(state, f"{block}.attn", _norm(state, f"{block}.norm1", x))
        x = x + state[f"{block}.ls1.gamma"] * mixed
        refined = _feed_forward(state, f"{block}.mlp", _norm(state, f"{block}.norm2", x))
        x = x + state[f"{block}.ls2.gamma"] * refined
        outputs.append(_norm(state, "pretrained.norm", x)[:, 1:])
    return [outputs[index] for index in _taps(depth, family)]


def _residual(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x + _conv(state, f"{name}.conv2", F.relu(_conv(state, f"{name}.conv1", F.relu(x))))


def _decode(state: dict[str, Tensor], taps: list[Tensor], gh: int, gw: int) -> Tensor:
    features = _features(state, _levels(state, taps, gh, gw)[-1], gh, gw)
    return _conv(state, "depth_head.scratch.output_conv2.2", features)


def _levels(state: dict[str, Tensor], taps: list[Tensor], gh: int, gw: int) -> list[Tensor]:
    maps = []
    for index, tap in enumerate(taps):
        planes = tap.permute(0, 2, 1).reshape(tap.shape[0], tap.shape[2], gh, gw)
        planes = _conv(state, f"depth_head.projects.{index}", planes)
        layer = f"depth_head.resize_layers.{index}"
        if index < 2:
            stride = 4 >> index
            planes = F.conv_transpose2d(planes, state[f"{layer}.weight"], state[f"{layer}.bias"], stride=stride)
        elif index == 3:
            planes = _conv(state, layer, planes, stride=2)
        maps.append(_conv(state, f"depth_head.scratch.layer{index + 1}_rn", planes))
    path = torch.zeros(())
    found = [maps[3]]
    for level in (4, 3, 2, 1):
        fusion = f"depth_head.scratch.refinenet{level}"
        merged = maps[level - 1]
        if level < 4:
            merged = path + _residual(state, f"{fusion}.resConfUnit1", merged)
        merged = _residual(state, f"{fusion}.resConfUnit2", merged)
        if level > 1:
            merged = F.interpolate(merged, maps[level - 2].shape[2:], mode="bilinear", align_corners=True)
        else:
            merged = F.interpolate(merged, scale_factor=2, mode="bilinear", align_corners=True)
        path = _conv(state, f"{fusion}.out_conv", merged)
        found.append(path)
    return found


def _features(state: dict[str, Tensor], finest: Tensor, gh: int, gw: int) -> Tensor:
    narrow = _conv(state, "depth_head.scratch.output_conv1", finest)
    wide = F.interpolate(narrow, (gh * PATCH_PX, gw * PATCH_PX), mode="bilinear", align_corners=True)
    return F.relu(_conv(state, "depth_head.scratch.output_conv2.0", wide))
