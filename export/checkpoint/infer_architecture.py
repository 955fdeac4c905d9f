"""Tensors under official names become an architecture, and are checked against it: every name, shape and value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ...engine.errors import ModelFileError
from ..network.architecture import HEAD_WIDTH, Architecture, ConvArchitecture
from ..network.make_network import AnyArchitecture, make_network
from .safe_load import shown
from .torch_file.stored import check_held

CONV_MARK = "pretrained.stem.0.weight"  # only in a convolutional network
LEAST_BLOCKS = 4  # as many as maps that feed the head
MOST_REPEATED = 1 << 29  # values of a network for which a file holds no number, 2 GiB as float32
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)

_CONV_BLOCK = re.compile(r"^pretrained\.stages\.(\d)\.(\d{1,3})\.")
# In every published file, never used by the network, and missing from files that a tool has trimmed.
_UNUSED = re.compile(r"^(pretrained\.mask_token|depth_head\.scratch\.refinenet4\.resConfUnit1\..*)$")


def infer_architecture(tensors: Mapping[str, Tensor], path: Path) -> AnyArchitecture:
    """Read the sizes of a network off its tensors; their names tell which network it is.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or the size is impossible.
    """
    shape = partial(_shape, tensors, path)
    if CONV_MARK in tensors:
        return _conv_architecture(tensors, shape)
    width = shape("pretrained.cls_token", 3)[2]
    if width % HEAD_WIDTH:
        raise ModelFileError(
            f"{path} has tokens of width {width}, expected a multiple of {HEAD_WIDTH} (the channels of an "
            "attention head); such an encoder cannot be exported"
        )
    positions = shape("pretrained.pos_embed", 3)[1] - 1
    if positions < 1 or math.isqrt(positions) ** 2 != positions:
        raise ModelFileError(f"{path} has a table of {positions} positions, expected a square number; save it again")
    gated = "pretrained.blocks.0.mlp.w12.weight" in tensors
    hidden = shape(f"pretrained.blocks.0.mlp.{'w12' if gated else 'fc1'}.weight", 2)[0]
    reassembled = [shape(f"depth_head.projects.{level}.weight", 4)[0] for level in range(4)]
    return Architecture(
        width=width,
        depth=_depth(tensors, path),
        patch_px=shape("pretrained.patch_embed.proj.weight", 4)[3],
        table_side=math.isqrt(positions),
        feed_forward="swiglu" if gated else "mlp",
        hidden=hidden // 2 if gated else hidden,
        features=shape("depth_head.scratch.layer1_rn.weight", 4)[0],
        reassembled=(reassembled[0], reassembled[1], reassembled[2], reassembled[3]),
    )


def check_dtypes(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are not plain floats.

    Raises:
        ModelFileError: Names the first such tensor.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in FLOATS or tensor.layout != torch.strided:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ModelFileError(
                f"{path}: {shown(name)} is {kind}, expected float weights; quantised checkpoints cannot be exported, "
                "give the checkpoint that it was made from"
            )


def fit(
    tensors: Mapping[str, Tensor], architecture: AnyArchitecture, path: Path
) -> tuple[dict[str, Tensor], list[str]]:
    """Check tensors against an architecture and convert them to float32.

    Args:
        tensors: By official name, of any float type. Float32 tensors are not copied.
        architecture: As inferred from them.
        path: For messages.

    Returns:
        Every tensor of the network, and remarks about what was changed, one sentence each.

    Raises:
        ModelFileError: A name or shape differs from the network, or a value is not finite.
    """
    expected = expected_shapes(architecture)
    _check_names(tensors, expected, path)
    try:
        check_held(tensors.values(), MOST_REPEATED)
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from error
    remarks = []
    absent = [name for name in expected if name not in tensors]
    if absent:
        remarks.append(f"Tensors that the network never uses ({len(absent)}) are not in the file; zeros replace them.")
    narrow = {str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()} - {"float32"}
    if narrow:
        remarks.append(f"Weights in {' and '.join(sorted(narrow))} were converted to float32.")
    fitted = {}
    for name, shape in expected.items():
        tensor = tensors[name].to(torch.float32) if name in tensors else torch.zeros(shape)
        _check_finite(name, tensor, path)
        fitted[name] = tensor
    return fitted, remarks


def expected_shapes(architecture: AnyArchitecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of a network by its official name."""
    with torch.device("meta"):  # shapes without memory
        network = make_network(architecture, family="depth-anything-v2")  # the family changes no shape
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _shape(tensors: Mapping[str, Tensor], path: Path, name: str, rank: int) -> tuple[int, ...]:
    """Return the shape of a tensor that shows a size."""
    if name not in tensors:
        raise ModelFileError(f"{path} lacks {name}, so the size of the network is unknown; save the whole model")
    found = tuple(tensors[name].shape)
    if len(found) != rank or 0 in found:
        raise ModelFileError(f"{path}: {name} has the shape {found}, expected {rank} dimensions; save it again")
    return found


def _conv_architecture(tensors: Mapping[str, Tensor], shape: Callable[[str, int], tuple[int, ...]]) -> ConvArchitecture:
    """Read the sizes of a convolutional network; `fit` finds blocks that are missing."""
    widths = [shape(f"pretrained.stages.{stage}.0.conv1.weight", 4)[0] for stage in range(4)]
    blocks = [_CONV_BLOCK.match(name) for name in tensors]
    depths = [1 + max(int(match[2]) for match in blocks if match and int(match[1]) == stage) for stage in range(4)]
    return ConvArchitecture(
        widths=(widths[0], widths[1], widths[2], widths[3]),
        depths=(depths[0], depths[1], depths[2], depths[3]),
        features=shape("depth_head.scratch.layer1_rn.weight", 4)[0],
    )


def _depth(tensors: Mapping[str, Tensor], path: Path) -> int:
    blocks = {int(match[1]) for name in tensors if (match := re.match(r"pretrained\.blocks\.(\d{1,4})\.", name))}
    if blocks != set(range(len(blocks))):
        missing = min(set(range(max(blocks))) - blocks)
        raise ModelFileError(f"{path} lacks block {missing} of {max(blocks) + 1}; save the whole model")
    if len(blocks) < LEAST_BLOCKS:
        raise ModelFileError(f"{path} has {len(blocks)} transformer blocks, expected {LEAST_BLOCKS} or more")
    return len(blocks)


def _check_names(tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]], path: Path) -> None:
    missing = [name for name in expected if name not in tensors and not _UNUSED.match(name)]
    extra = [name for name in tensors if name not in expected]
    other = [
        f"{name} is {tuple(tensors[name].shape)} and not {shape}"
        for name, shape in expected.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    phrases = (
        (f"lacks {len(missing)} of {len(expected)} tensors", missing),
        (f"holds unknown tensors ({len(extra)})", extra),
        (f"holds tensors of another shape ({len(other)})", other),
    )
    faults = [f"{phrase}: {_few(names)}" for phrase, names in phrases if names]
    if faults:
        raise ModelFileError(
            f"{path} is not a whole Depth Anything model: it {', '.join(faults)}; save the whole model"
        )


def _few(names: list[str]) -> str:
    listed = ", ".join(shown(name) for name in names[:3])
    return f"{listed} and {len(names) - 3} more" if len(names) > 3 else listed


def _check_finite(name: str, tensor: Tensor, path: Path) -> None:
    # A sum is one pass without a second tensor. Finite values can overflow it, so the second test is exact.
    if torch.isfinite(tensor.sum()) or bool(torch.isfinite(tensor).all()):
        return
    raise ModelFileError(f"{path}: {name} holds NaN or infinite values; the training diverged, take an earlier file")
