"""The sizes of a Depth Anything 3 network, how tensors show them, and the published ones by official name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from torch import Tensor

from ..architecture import PUBLISHED, FeedForward
from ..infer import dinov2_sizes
from ..tensor_sizes import TensorSizes

Four = tuple[int, int, int, int]

ENCODER, HEAD = "backbone.pretrained.", "head."  # in front of the official names
SKY_MARK = "head.scratch.sky_output_conv2.0.weight"  # of mono and metric
CAMERA_MARK = "backbone.pretrained.camera_token"  # of the networks for any number of views
# Parts of files for cameras, rays and 3D Gaussians, on which the depth of one view does not depend.
OTHER_TASKS = re.compile(r"^(?P<part>cam_enc|cam_dec|gs_head|gs_adapter)\.|^head\.scratch\.\w+(?P<rays>_aux)\.")

LEAST_TURNED = 6  # blocks of a network for any number of views, so that its four taps differ


@dataclass(frozen=True, slots=True)
class Da3Architecture:
    """A DINOv2 encoder with a DPT head.

    Args:
        width: Channels of a token.
        depth: Number of transformer blocks.
        patch_px: Side of a patch.
        table_side: Side of the square grid the position table was trained for.
        feed_forward: "mlp" (GELU) or "swiglu" (giant).
        hidden: Width of the feed-forward hidden layer; for swiglu, half the rows of its first matrix.
        features: Channels of the DPT fusion blocks.
        reassembled: Channels of the four reassembled maps, shallow to deep.
        turned_from: First block with turned queries and keys and a camera token, in networks for any number of views.
            None in mono and metric, which have a sky output instead.
    """

    width: int
    depth: int
    patch_px: int
    table_side: int
    feed_forward: FeedForward
    hidden: int
    features: int
    reassembled: Four
    turned_from: int | None = None

    @property
    def has_sky(self) -> bool:
        """Whether the network says where the sky is."""
        return self.turned_from is None

    @property
    def encoder(self) -> str:
        """Return "vitl" of mono and metric, "any-view-vits" and the like, or e.g. "vit64x8" for any other sizes."""
        size = PUBLISHED.get((self.width, self.depth))
        if size is None or self != published(size, any_view=not self.has_sky):
            size = f"vit{self.width}x{self.depth}"
        return size if self.has_sky else f"any-view-{size}"

    @property
    def taps(self) -> Four:
        """Return the four blocks whose outputs feed the head; unpublished depths follow the proportions of others.

        Source: Depth-Anything-3 src/depth_anything_3/configs/*.yaml (out_layers)
        """
        d = self.depth
        if self.has_sky:
            return (4, 11, 17, 23) if d == 24 else (d // 4 - 1, d // 2 - 1, 3 * d // 4 - 1, d - 1)
        return (19, 27, 33, 39) if d == 40 else (d // 2 - 1, 2 * d // 3 - 1, 5 * d // 6 - 1, d - 1)


_HEADS: dict[str, tuple[int, Four]] = {  # features and reassembled
    "vits": (64, (48, 96, 192, 384)),
    "vitb": (128, (96, 192, 384, 768)),
    "vitl": (256, (256, 512, 1024, 1024)),
    "vitg": (256, (256, 512, 1024, 1024)),
}
_TURNED_FROM = {"vits": 4, "vitb": 4, "vitl": 8, "vitg": 13}


def published(size: str, *, any_view: bool) -> Da3Architecture:
    """Return the sizes of a published network.

    Args:
        size: "vits", "vitb", "vitl" or "vitg".
        any_view: False for mono and metric, which are "vitl".
    """
    width, depth = next(sizes for sizes, name in PUBLISHED.items() if name == size)
    features, reassembled = _HEADS[size]
    gated = size == "vitg"
    return Da3Architecture(
        width=width,
        depth=depth,
        patch_px=14,
        table_side=37,
        feed_forward="swiglu" if gated else "mlp",
        hidden=(width * 8 // 3 + 7) // 8 * 8 if gated else 4 * width,
        features=features,
        reassembled=reassembled,
        turned_from=_TURNED_FROM[size] if any_view else None,
    )


def infer(tensors: Mapping[str, Tensor], path: Path) -> Da3Architecture:
    """Read the sizes of a network off its tensors.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or the size is impossible.
    """
    sizes = TensorSizes(tensors, path)
    found = dinov2_sizes(sizes, ENCODER, HEAD)
    same = {field.name: getattr(found, field.name) for field in fields(found)}
    return Da3Architecture(**same, turned_from=_turned_from(tensors, sizes, found.depth))


def _turned_from(tensors: Mapping[str, Tensor], sizes: TensorSizes, depth: int) -> int | None:
    """Return the first block with norms of queries and keys; None without a camera token."""
    if CAMERA_MARK not in tensors:
        if SKY_MARK not in tensors:
            raise sizes.error("has neither a camera token nor a sky output; save the whole model")
        return None
    if depth < LEAST_TURNED:
        raise sizes.error(f"has a camera token and {depth} transformer blocks, expected {LEAST_TURNED} or more")
    turned = [block for block in range(depth) if f"{ENCODER}blocks.{block}.attn.q_norm.weight" in tensors]
    if not turned or turned != list(range(turned[0], depth)) or turned[0] == 0:
        raise sizes.error(
            f"has norms of queries in {len(turned)} of {depth} blocks, expected them from one block to the last"
        )
    return turned[0]
