"""What MiDaS's ViT and hybrid compute, written a second time as formulas over a state dict.

Shares nothing with the package, so that a mistake there cannot hide here. Slow and plain on purpose.
Source: Ranftl et al., Vision Transformers for Dense Prediction; Dosovitskiy et al., An Image is Worth 16x16 Words;
Kolesnikov et al., Big Transfer; isl-org/MiDaS; timm.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]
PATCH_PX = 16
HEAD_WIDTH = 64


def reference_midas(state: State, batch: Tensor) -> Tensor:
    """Return (N, h, w) from the official keys; state and batch in the same dtype, float32 or float64."""
    grid = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
    stages = _stages(state, batch) if any("patch_embed.backbone" in name for name in state) else []
    stride = 1 if stages else PATCH_PX
    patches = _layer(F.conv2d, state, "pretrained.model.patch_embed.proj", stages[-1] if stages else batch, stride)
    tokens = torch.cat((state["pretrained.model.cls_token"].repeat(len(batch), 1, 1), _as_tokens(patches)), dim=1)
    tokens = tokens + _positions(state["pretrained.model.pos_embed"], grid)
    outputs = []
    depth = len({name.split(".")[3] for name in state if name.startswith("pretrained.model.blocks.")})
    for block in range(depth):
        tokens = _block(state, f"pretrained.model.blocks.{block}", tokens)
        outputs.append(tokens)
    maps = stages[:2]
    for level in range(len(maps), 4):
        maps.append(_reassemble(state, level + 1, outputs[(level + 1) * depth // 4 - 1], grid))
    return _head(state, maps)


def _layer(
    function: object, state: State, name: str, values: Tensor, stride: int = 1, padding: int | None = None
) -> Tensor:
    assert callable(function)
    options = {} if function is F.linear else {"stride": stride, "padding": padding or 0}
    found: Tensor = function(values, state[f"{name}.weight"], state.get(f"{name}.bias"), **options)
    return found


def _as_tokens(maps: Tensor) -> Tensor:
    return maps.permute(0, 2, 3, 1).reshape(len(maps), -1, maps.shape[1])


def _positions(table: Tensor, grid: tuple[int, int]) -> Tensor:
    side = math.isqrt(table.shape[1] - 1)
    square = table[:, 1:].reshape(1, side, side, -1)
    for axis, count in enumerate(grid, start=1):  # bilinear is linear along one axis after the other
        square = _linear(square, axis, count)
    return torch.cat((table[:, :1], square.reshape(1, grid[0] * grid[1], -1)), dim=1)


def _linear(values: Tensor, axis: int, count: int) -> Tensor:
    cells = values.shape[axis]
    places = ((torch.arange(count, dtype=torch.float64) + 0.5) * cells / count - 0.5).clamp(0, cells - 1)
    below = places.floor().long()
    above = (below + 1).clamp(max=cells - 1)
    shape = [-1 if number == axis else 1 for number in range(4)]
    share = (places - below).to(values.dtype).reshape(shape)
    return values.index_select(axis, below) * (1 - share) + values.index_select(axis, above) * share


def _block(state: State, name: str, tokens: Tensor) -> Tensor:
    count, length, width = tokens.shape
    heads = width // HEAD_WIDTH
    query, key, value = (
        part.reshape(count, length, heads, HEAD_WIDTH).transpose(1, 2)
        for part in _layer(F.linear, state, f"{name}.attn.qkv", _norm(state, f"{name}.norm1", tokens)).chunk(3, -1)
    )
    weights = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(HEAD_WIDTH), dim=-1)
    mixed = (weights @ value).transpose(1, 2).reshape(count, length, width)
    tokens = tokens + _layer(F.linear, state, f"{name}.attn.proj", mixed)
    hidden = _gelu(_layer(F.linear, state, f"{name}.mlp.fc1", _norm(state, f"{name}.norm2", tokens)))
    return tokens + _layer(F.linear, state, f"{name}.mlp.fc2", hidden)


def _norm(state: State, name: str, tokens: Tensor) -> Tensor:
    centred = tokens - tokens.mean(-1, keepdim=True)
    deviation = torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-6)
    return centred / deviation * state[f"{name}.weight"] + state[f"{name}.bias"]


def _gelu(values: Tensor) -> Tensor:
    return values * (1 + torch.erf(values / math.sqrt(2))) / 2


# ---- the convolutional part of the hybrid ----


def _stages(state: State, batch: Tensor) -> list[Tensor]:
    root = "pretrained.model.patch_embed.backbone"
    maps = F.relu(_group_norm(state, f"{root}.stem.norm", _standard(state, f"{root}.stem.conv", batch, 2)))
    maps = F.max_pool2d(_same(maps, 3, 2, -math.inf), 3, stride=2)
    found = []
    for stage in range(3):
        block = 0
        while f"{root}.stages.{stage}.blocks.{block}.conv1.weight" in state:
            maps = _bottleneck(
                state, f"{root}.stages.{stage}.blocks.{block}", maps, 2 if stage > 0 and block == 0 else 1
            )
            block += 1
        found.append(maps)
    return found


def _bottleneck(state: State, name: str, maps: Tensor, stride: int) -> Tensor:
    shortcut = maps
    if f"{name}.downsample.conv.weight" in state:
        shortcut = _group_norm(
            state, f"{name}.downsample.norm", _standard(state, f"{name}.downsample.conv", maps, stride)
        )
    inner = F.relu(_group_norm(state, f"{name}.norm1", _standard(state, f"{name}.conv1", maps, 1)))
    inner = F.relu(_group_norm(state, f"{name}.norm2", _standard(state, f"{name}.conv2", inner, stride)))
    return F.relu(shortcut + _group_norm(state, f"{name}.norm3", _standard(state, f"{name}.conv3", inner, 1)))


def _standard(state: State, name: str, maps: Tensor, stride: int) -> Tensor:
    kernels = state[f"{name}.weight"]
    rows = kernels.flatten(1)
    rows = (rows - rows.mean(1, keepdim=True)) / torch.sqrt(rows.var(1, keepdim=True, unbiased=False) + 1e-8)
    side = kernels.shape[-1]
    return F.conv2d(_same(maps, side, stride, 0.0), rows.reshape(kernels.shape), stride=stride)


def _same(maps: Tensor, kernel: int, stride: int, value: float) -> Tensor:
    edges: list[int] = []
    for side in (maps.shape[3], maps.shape[2]):
        missing = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        edges += [missing // 2, missing - missing // 2]
    return F.pad(maps, edges, value=value)


def _group_norm(state: State, name: str, maps: Tensor) -> Tensor:
    groups = maps.reshape(len(maps), 32, -1)
    centred = groups - groups.mean(2, keepdim=True)
    normed = (centred / torch.sqrt((centred**2).mean(2, keepdim=True) + 1e-5)).reshape(maps.shape)
    return normed * state[f"{name}.weight"][:, None, None] + state[f"{name}.bias"][:, None, None]


# ---- the head ----


def _reassemble(state: State, level: int, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
    name = f"pretrained.act_postprocess{level}"
    pairs = torch.cat((tokens[:, 1:], tokens[:, :1].repeat(1, tokens.shape[1] - 1, 1)), dim=-1)
    read = _gelu(_layer(F.linear, state, f"{name}.0.project.0", pairs))
    maps = read.reshape(len(read), *grid, -1).permute(0, 3, 1, 2)
    maps = _layer(F.conv2d, state, f"{name}.3", maps)
    if level < 3:
        return _layer(F.conv_transpose2d, state, f"{name}.4", maps, 4 // level)
    return maps if level == 3 else _layer(F.conv2d, state, f"{name}.4", maps, 2, 1)


def _head(state: State, maps: list[Tensor]) -> Tensor:
    fused: Tensor | None = None
    for level in (4, 3, 2, 1):
        name = f"scratch.refinenet{level}"
        refined = _layer(F.conv2d, state, f"scratch.layer{level}_rn", maps[level - 1], 1, 1)
        merged = refined if fused is None else fused + _residual(state, f"{name}.resConfUnit1", refined)
        merged = _residual(state, f"{name}.resConfUnit2", merged)
        fused = _layer(F.conv2d, state, f"{name}.out_conv", _twice(merged))
    assert fused is not None
    values = _twice(_layer(F.conv2d, state, "scratch.output_conv.0", fused, 1, 1))
    values = F.relu(_layer(F.conv2d, state, "scratch.output_conv.2", values, 1, 1))
    return F.relu(_layer(F.conv2d, state, "scratch.output_conv.4", values))[:, 0]


def _residual(state: State, name: str, maps: Tensor) -> Tensor:
    inner = _layer(F.conv2d, state, f"{name}.conv1", F.relu(maps), 1, 1)
    return maps + _layer(F.conv2d, state, f"{name}.conv2", F.relu(inner), 1, 1)


def _twice(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True)
