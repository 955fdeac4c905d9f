"""MiDaS v2.1 a second time, straight from the state dict, in the order of the published code; nothing of depthrt."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]


def reference_large(state: State, batch: Tensor) -> Tensor:
    """Return the depth (N, h, w) that ResNeXt101 and the decoder with ReLUs in place compute."""
    groups = (
        state["pretrained.layer1.4.0.conv2.weight"].shape[0] // state["pretrained.layer1.4.0.conv2.weight"].shape[1]
    )
    x = F.conv2d(batch, state["pretrained.layer1.0.weight"], stride=2, padding=3)
    x = F.max_pool2d(F.relu(_norm(state, "pretrained.layer1.1", x, 1e-5)), 3, stride=2, padding=1)
    maps = []
    for number, stage in enumerate(("layer1.4", "layer2", "layer3", "layer4")):
        index = 0
        while f"pretrained.{stage}.{index}.conv1.weight" in state:
            name = f"pretrained.{stage}.{index}"
            stride = 2 if number > 0 and index == 0 else 1
            y = F.relu(_norm(state, f"{name}.bn1", F.conv2d(x, state[f"{name}.conv1.weight"]), 1e-5))
            y = F.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1, groups=groups)
            y = F.relu(_norm(state, f"{name}.bn2", y, 1e-5))
            y = _norm(state, f"{name}.bn3", F.conv2d(y, state[f"{name}.conv3.weight"]), 1e-5)
            if f"{name}.downsample.0.weight" in state:
                x = F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
                x = _norm(state, f"{name}.downsample.1", x, 1e-5)
            x = F.relu(y + x)
            index += 1
        maps.append(x)
    return _decode(state, maps, _unit_in_place)


def reference_small(state: State, batch: Tensor) -> Tensor:
    """Return the depth (N, h, w) that EfficientNet-Lite3 and the decoder with doubling channels compute."""
    x = _same(batch, state["pretrained.layer1.0.weight"], 2)
    x = _norm(state, "pretrained.layer1.1", x, 1e-3).clamp(0, 6)
    maps = []
    for level, stages in enumerate((("1.3", 1), ("1.4", 2)), start=0):
        x = _lite_stage(state, f"pretrained.layer{stages[0]}", x, stages[1])
        if level == 1:
            maps.append(x)
    maps.append(_lite_stage(state, "pretrained.layer2.0", maps[-1], 2))
    x = _lite_stage(state, "pretrained.layer3.0", maps[-1], 2)
    maps.append(_lite_stage(state, "pretrained.layer3.1", x, 1))
    x = _lite_stage(state, "pretrained.layer4.0", maps[-1], 2)
    maps.append(_lite_stage(state, "pretrained.layer4.1", x, 1))
    return _decode(state, maps, _unit)


def _lite_stage(state: State, stage: str, x: Tensor, stride: int) -> Tensor:
    index = 0
    while f"{stage}.{index}.conv_dw.weight" in state:
        name, now = f"{stage}.{index}", stride if index == 0 else 1
        inside, y = 1, x
        if f"{name}.conv_pwl.weight" in state:
            y = _norm(state, f"{name}.bn1", F.conv2d(y, state[f"{name}.conv_pw.weight"]), 1e-3).clamp(0, 6)
            inside = 2
        y = _same(y, state[f"{name}.conv_dw.weight"], now, groups=y.shape[1])
        y = _norm(state, f"{name}.bn{inside}", y, 1e-3).clamp(0, 6)
        last = "conv_pwl" if inside == 2 else "conv_pw"
        y = _norm(state, f"{name}.bn{inside + 1}", F.conv2d(y, state[f"{name}.{last}.weight"]), 1e-3)
        x = y + x if now == 1 and y.shape == x.shape else y
        index += 1
    return x


def _same(x: Tensor, weight: Tensor, stride: int, groups: int = 1) -> Tensor:
    """Pad as TensorFlow does for any size: the output has ceil(side / stride) cells, the odd cell comes after."""
    pads: list[int] = []
    for side, kernel in ((x.shape[3], weight.shape[3]), (x.shape[2], weight.shape[2])):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)


def _norm(state: State, name: str, x: Tensor, eps: float) -> Tensor:
    mean, variance, weight, bias = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias


def _decode(state: State, maps: list[Tensor], unit: object) -> Tensor:
    assert callable(unit)
    path: Tensor | None = None
    for level in (4, 3, 2, 1):
        x = F.conv2d(maps[level - 1], state[f"scratch.layer{level}_rn.weight"], padding=1)
        name = f"scratch.refinenet{level}"
        x = x if path is None else path + unit(state, f"{name}.resConfUnit1", x)
        x = unit(state, f"{name}.resConfUnit2", x)
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        if f"{name}.out_conv.weight" in state:
            x = F.conv2d(x, state[f"{name}.out_conv.weight"], state[f"{name}.out_conv.bias"])
        path = x
    assert path is not None
    x = _conv(state, "scratch.output_conv.0", path)
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    x = F.relu(_conv(state, "scratch.output_conv.2", x))
    x = F.conv2d(x, state["scratch.output_conv.4.weight"], state["scratch.output_conv.4.bias"])
    return F.relu(x)[:, 0]


def _unit(state: State, name: str, x: Tensor) -> Tensor:
    return x + _conv(state, f"{name}.conv2", F.relu(_conv(state, f"{name}.conv1", F.relu(x))))


def _unit_in_place(state: State, name: str, x: Tensor) -> Tensor:
    out = F.relu_(x)  # x too, as in the published code
    out = F.relu_(_conv(state, f"{name}.conv1", out))
    return _conv(state, f"{name}.conv2", out) + x


def _conv(state: State, name: str, x: Tensor) -> Tensor:
    return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)
