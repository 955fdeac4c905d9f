"""Reads the sizes of Depth Anything and of depthrt's own networks off the names and shapes of their tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from .architecture import Architecture, ConvArchitecture
from .tensor_sizes import TensorSizes


def infer(tensors: Mapping[str, Tensor], path: Path) -> Architecture:
    """Read the sizes of a transformer off its tensors.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or the size is impossible.
    """
    return dinov2_sizes(TensorSizes(tensors, path), "pretrained.", "depth_head.")


def dinov2_sizes(sizes: TensorSizes, encoder: str, head: str) -> Architecture:
    """Read the sizes of a DINOv2 encoder with a DPT head off its tensors; for errors see infer.

    Args:
        sizes: Of the tensors, by official name.
        encoder, head: What the names of each begin with.
    """
    gated = f"{encoder}blocks.0.mlp.w12.weight" in sizes
    width, depth, hidden = sizes.transformer(encoder, feed_forward="w12" if gated else "fc1")
    positions = sizes.shape(f"{encoder}pos_embed", 3)[1] - 1
    if positions < 1 or math.isqrt(positions) ** 2 != positions:
        raise sizes.error(f"has a table of {positions} positions, expected a square number; save it again")
    first, second, third, fourth = (sizes.shape(f"{head}projects.{level}.weight", 4)[0] for level in range(4))
    return Architecture(
        width=width,
        depth=depth,
        patch_px=sizes.shape(f"{encoder}patch_embed.proj.weight", 4)[3],
        table_side=math.isqrt(positions),
        feed_forward="swiglu" if gated else "mlp",
        hidden=hidden // 2 if gated else hidden,
        features=sizes.shape(f"{head}scratch.layer1_rn.weight", 4)[0],
        reassembled=(first, second, third, fourth),
    )


def infer_convolutional(tensors: Mapping[str, Tensor], path: Path) -> ConvArchitecture:
    """Read the sizes of a convolutional network off its tensors.

    Args, Raises: As infer.
    """
    sizes = TensorSizes(tensors, path)
    stages = [f"pretrained.stages.{stage}." for stage in range(4)]
    widths = [sizes.shape(f"{stage}0.conv1.weight", 4)[0] for stage in stages]
    depths = [sizes.count(stage) for stage in stages]
    return ConvArchitecture(
        widths=(widths[0], widths[1], widths[2], widths[3]),
        depths=(depths[0], depths[1], depths[2], depths[3]),
        features=sizes.shape("depth_head.scratch.layer1_rn.weight", 4)[0],
    )
