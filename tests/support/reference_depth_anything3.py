"""What Depth Anything 3 computes for one view, written a second time as formulas over a state dict.

Shares nothing with the package, so that a mistake there cannot hide here. Slow and plain on purpose.
Source: ByteDance-Seed/Depth-Anything-3 src/depth_anything_3/model/ (da3.py, dpt.py, dualdpt.py, dinov2/).
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from reference_depth_anything import resampled_positions
from torch import Tensor

State = dict[str, Tensor]

PATCH_PX, HEAD_WIDTH = 14, 64
SKY_FROM, FOCAL_UNIT_PX, FILL = 0.3, 300.0, 0.99
HALF = 0.5001  # exactly half is common, and rounds to either side
_PUBLISHED_TAPS = {  # by depth, with a camera token or not
    (24, False): (4, 11, 17, 23),
    (12, True): (5, 7, 9, 11),
    (24, True): (11, 15, 19, 23),
    (40, True): (19, 27, 33, 39),
}


def reference_outputs(state: State, batch: Tensor, taps: tuple[int, ...] | None = None) -> tuple[Tensor, Tensor | None]:
    """Return depth and the sky's value (None without it), each (N, h, w), from the official keys without "model."."""
    any_view = "backbone.pretrained.camera_token" in state
    depth_of = 1 + max(int(name.split(".")[3]) for name in state if ".blocks." in name)
    tapped = _encode(state, batch, taps or _PUBLISHED_TAPS[depth_of, any_view])
    features = _features(state, tapped, batch.shape[2:], any_view)
    depth = _readout(state, "head.scratch.output_conv2", features)[:, 0].exp()
    return depth, None if any_view else F.relu(_readout(state, "head.scratch.sky_output_conv2", features)[:, 0])


def reference_infer(
    values: np.ndarray, sky: np.ndarray | None, image_px: tuple[int, int], focal_px: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return depth and its sky, both (H, W), of outputs (h, w) that no padding surrounds.

    Upstream stops at the network's size. A pixel that is at least half sky has the fill, any other the mean of the
    cells around it that are not sky.
    """
    height, width = values.shape
    depth, ground, fill = torch.from_numpy(values), torch.ones(height, width), 0.0
    if sky is not None and 10 < (sky >= SKY_FROM).sum() < sky.size - 10:
        ground = torch.from_numpy(sky < SKY_FROM).float()
        fill = float(torch.quantile(depth[ground > 0].double(), FILL))
    planes = torch.stack([depth * ground, ground])[None]
    total, weight = F.interpolate(planes, size=image_px, mode="bilinear", align_corners=False)[0]
    resized = torch.where(weight > HALF, total / weight, fill)
    if focal_px is not None:
        fx, fy = focal_px * width / image_px[1], focal_px * height / image_px[0]
        resized = resized * ((fx + fy) / 2 / FOCAL_UNIT_PX)
    return resized.numpy(), (weight <= HALF).numpy()


def _norm(state: State, name: str, x: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps=eps)


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def _conv(state: State, name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state.get(f"{name}.bias"), stride=stride, padding=weight.shape[-1] // 2)


def _rotated(x: Tensor, positions: Tensor) -> Tensor:
    """Turn (N, heads, T, 64): its first 32 channels by positions[:, 0], the others by positions[:, 1]."""
    parts = []
    for part, place in zip(x.split(32, dim=-1), positions.T, strict=True):
        angles = torch.outer(place.to(x.dtype), 1 / 100 ** (torch.arange(0, 32, 2, dtype=x.dtype) / 32))
        angles = torch.cat((angles, angles), dim=-1)  # (T, 32)
        half = torch.cat((-part[..., 16:], part[..., :16]), dim=-1)
        parts.append(part * angles.cos() + half * angles.sin())
    return torch.cat(parts, dim=-1)


def _attend(state: State, name: str, x: Tensor, positions: Tensor | None) -> Tensor:
    count, tokens, width = x.shape
    qkv = _linear(state, f"{name}.qkv", x).reshape(count, tokens, 3, width // HEAD_WIDTH, HEAD_WIDTH)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    if positions is not None:
        q = _rotated(_norm(state, f"{name}.q_norm", q, 1e-5), positions)
        k = _rotated(_norm(state, f"{name}.k_norm", k, 1e-5), positions)
    weights = (q / math.sqrt(HEAD_WIDTH) @ k.transpose(-2, -1)).softmax(dim=-1)
    return _linear(state, f"{name}.proj", (weights @ v).permute(0, 2, 1, 3).reshape(count, tokens, width))


def _feed_forward(state: State, name: str, x: Tensor) -> Tensor:
    if f"{name}.fc1.weight" in state:
        hidden = _linear(state, f"{name}.fc1", x)
        return _linear(state, f"{name}.fc2", 0.5 * hidden * (1 + torch.erf(hidden / math.sqrt(2))))
    gate, passed = _linear(state, f"{name}.w12", x).chunk(2, dim=-1)
    return _linear(state, f"{name}.w3", gate * torch.sigmoid(gate) * passed)


def _encode(state: State, batch: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
    gh, gw = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
    root = "backbone.pretrained"
    patches = F.conv2d(
        batch, state[f"{root}.patch_embed.proj.weight"], state[f"{root}.patch_embed.proj.bias"], stride=PATCH_PX
    )
    x = torch.cat((state[f"{root}.cls_token"].repeat(len(batch), 1, 1), patches.flatten(2).transpose(1, 2)), dim=1)
    x = x + resampled_positions(state["backbone.pretrained.pos_embed"], gh, gw)
    places = torch.cartesian_prod(torch.arange(gh), torch.arange(gw)) + 1
    own = torch.cat((torch.zeros(1, 2, dtype=torch.int64), places))
    shared = torch.cat((torch.zeros(1, 2, dtype=torch.int64), torch.ones_like(places)))
    local, outputs, turned = x, [], False
    for index in range(max(taps) + 1):
        block = f"{root}.blocks.{index}"
        if not turned and f"{block}.attn.q_norm.weight" in state:
            turned = True
            x = torch.cat((state[f"{root}.camera_token"][:, :1].repeat(len(batch), 1, 1), x[:, 1:]), dim=1)
        is_global = turned and index % 2 == 1
        positions = (shared if is_global else own) if turned else None
        mixed = _attend(state, f"{block}.attn", _norm(state, f"{block}.norm1", x, 1e-6), positions)
        x = x + state[f"{block}.ls1.gamma"] * mixed
        refined = _feed_forward(state, f"{block}.mlp", _norm(state, f"{block}.norm2", x, 1e-6))
        x = x + state[f"{block}.ls2.gamma"] * refined
        local = local if is_global else x
        if index in taps:
            normed = _norm(state, f"{root}.norm", x, 1e-5)
            camera = f"{root}.camera_token" in state
            outputs.append((torch.cat((local, normed), dim=-1) if camera else normed)[:, 1:])
    return outputs


def _waves(x: Tensor, size_px: torch.Size) -> Tensor:
    """Add the embedding of a grid from corner to corner, whose diagonal has a length of 2."""
    channels, height, width = x.shape[1:]
    aspect = size_px[1] / size_px[0]
    diagonal = math.sqrt(aspect**2 + 1)
    span_x, span_y = aspect / diagonal * (width - 1) / width, 1 / diagonal * (height - 1) / height
    xs = torch.linspace(-span_x, span_x, width, dtype=torch.float64)
    ys = torch.linspace(-span_y, span_y, height, dtype=torch.float64)
    quarter = channels // 4
    omega = 1 / 100 ** (torch.arange(quarter, dtype=torch.float64) / quarter)
    planes = []
    for grid in (xs[None].expand(height, width), ys[:, None].expand(height, width)):
        angles = grid[None] * omega[:, None, None]
        planes += [angles.sin(), angles.cos()]
    return x + 0.1 * torch.cat(planes).to(x.dtype)


def _residual(state: State, name: str, x: Tensor) -> Tensor:
    return x + _conv(state, f"{name}.conv2", F.relu(_conv(state, f"{name}.conv1", F.relu(x))))


def _features(state: State, tapped: list[Tensor], size_px: torch.Size, any_view: bool) -> Tensor:
    gh, gw = size_px[0] // PATCH_PX, size_px[1] // PATCH_PX
    maps = []
    for index, tokens in enumerate(tapped):
        normed = _norm(state, "head.norm", tokens, 1e-5) if any_view else tokens
        planes = normed.permute(0, 2, 1).reshape(normed.shape[0], normed.shape[2], gh, gw)
        planes = _conv(state, f"head.projects.{index}", planes)
        planes = _waves(planes, size_px) if any_view else planes
        layer = f"head.resize_layers.{index}"
        if index < 2:
            planes = F.conv_transpose2d(planes, state[f"{layer}.weight"], state[f"{layer}.bias"], stride=4 >> index)
        elif index == 3:
            planes = _conv(state, layer, planes, stride=2)
        maps.append(_conv(state, f"head.scratch.layer{index + 1}_rn", planes))
    path = torch.zeros(())
    for level in (4, 3, 2, 1):
        fusion = f"head.scratch.refinenet{level}"
        merged = maps[level - 1]
        if level < 4:
            merged = path + _residual(state, f"{fusion}.resConfUnit1", merged)
        merged = _residual(state, f"{fusion}.resConfUnit2", merged)
        size = maps[level - 2].shape[2:] if level > 1 else [2 * side for side in merged.shape[2:]]
        merged = F.interpolate(merged, size=list(size), mode="bilinear", align_corners=True)
        path = _conv(state, f"{fusion}.out_conv", merged)
    path = F.interpolate(
        _conv(state, "head.scratch.output_conv1", path), size=list(size_px), mode="bilinear", align_corners=True
    )
    return _waves(path, size_px) if any_view else path


def _readout(state: State, name: str, features: Tensor) -> Tensor:
    return _conv(state, f"{name}.2", F.relu(_conv(state, f"{name}.0", features)))
