"""The sizes of MiDaS with a Swin transformer, and how they are read off its tensors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from ...tensor_sizes import TensorSizes
from ..architecture import CELL_PX, Four

Version = Literal[1, 2]

PATCH_PX = 4  # side of a patch; each later stage joins 2x2 of the cells before
STAGES = range(4)
MARK = "pretrained.model.patch_embed.norm.weight"  # only with a Swin transformer
VERSION_2_MARK = "pretrained.model.layers.0.blocks.0.attn.logit_scale"  # only in version 2
# In official files, never used by the network: the classifier, and constants that each block computes.
UNUSED = re.compile(
    r"^pretrained\.model\.((norm|head)\.|layers\.\d\.blocks\.\d+\.(attn_mask$"
    r"|attn\.(relative_position_index|relative_coords_table|k_bias)$))"
)
# Windows that the tables of relative positions were scaled for, by the network's own window: a network with windows of
# 24 continues one with 12. No tensor shows them. Source: timm swinv2_*_window12to24_192to384
PRETRAINED_WINDOWS: dict[int, Four] = {24: (12, 12, 12, 6)}


@dataclass(frozen=True, slots=True)
class SwinArchitecture:
    """A Swin transformer with a DPT head.

    Args:
        version: 1 or 2 of the transformer.
        width: Channels of a token in the first stage; each stage doubles them.
        depths: Blocks of each stage.
        heads: Attention heads of each stage.
        side_px: Side of the input, the only one the network takes.
        window: Side of an attention window in cells; a stage with fewer cells has one window.
        features: Channels of the DPT fusion blocks.
    """

    version: Version
    width: int
    depths: Four
    heads: Four
    side_px: int
    window: int
    features: int

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return CELL_PX

    @property
    def widths(self) -> Four:
        """Return the channels of the four maps, shallow to deep."""
        return (self.width, 2 * self.width, 4 * self.width, 8 * self.width)

    @property
    def encoder(self) -> str:
        """Return the official name, e.g. "dpt_swin2_large_384", or e.g. "swin2-8x5-64" for any other sizes."""
        official = next((name for name, published in PUBLISHED.items() if published == self), None)
        start = "swin2" if self.version == 2 else "swin"
        return official or f"{start}-{self.width}x{sum(self.depths)}-{self.side_px}"

    def side(self, stage: int) -> int:
        """Return the cells along a side of a stage's map."""
        return self.side_px // (PATCH_PX << stage)

    def window_of(self, stage: int) -> int:
        """Return the side of a stage's windows: the whole map, if it is smaller than a window."""
        return min(self.window, self.side(stage))

    def shift_of(self, stage: int) -> int:
        """Return by how many cells the windows of every second block are shifted: none, if one window holds all."""
        return self.window // 2 if self.side(stage) > self.window else 0

    def scaled_window(self, stage: int) -> int:
        """Return the window that version 2 scales relative positions by."""
        earlier = PRETRAINED_WINDOWS.get(self.window)
        return self.window_of(stage) if earlier is None else earlier[stage]


# Source: MiDaS 3.1 midas/backbones/swin.py and swin2.py, and the networks of timm that they name
PUBLISHED: dict[str, SwinArchitecture] = {
    "dpt_swin2_large_384": SwinArchitecture(2, 192, (2, 2, 18, 2), (6, 12, 24, 48), 384, 24, 256),
    "dpt_swin2_base_384": SwinArchitecture(2, 128, (2, 2, 18, 2), (4, 8, 16, 32), 384, 24, 256),
    "dpt_swin2_tiny_256": SwinArchitecture(2, 96, (2, 2, 6, 2), (3, 6, 12, 24), 256, 16, 256),
    "dpt_swin_large_384": SwinArchitecture(1, 192, (2, 2, 18, 2), (6, 12, 24, 48), 384, 12, 256),
}


def infer(tensors: Mapping[str, Tensor], path: Path) -> SwinArchitecture:
    """Read the sizes of a network off its tensors; `fit` finds what is missing beyond these.

    The window and the input's side show in the masks that official files hold, else in the published sizes.

    Args:
        tensors: By official name, with those that match UNUSED.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or its shape is impossible.
    """
    version: Version = 2 if VERSION_2_MARK in tensors else 1
    part = "logit_scale" if version == 2 else "relative_position_bias_table"
    sizes = TensorSizes(tensors, path)
    depths = [sizes.count(f"pretrained.model.layers.{stage}.blocks.") for stage in STAGES]
    heads = []
    for stage in STAGES:
        shape = sizes.shape(f"pretrained.model.layers.{stage}.blocks.0.attn.{part}", 3 if version == 2 else 2)
        heads.append(shape[0] if version == 2 else shape[-1])
    width = sizes.shape("pretrained.model.patch_embed.proj.weight", 4)[0]
    window, side_px = _window_and_side(tensors, sizes, version, width)
    found = SwinArchitecture(
        version=version,
        width=width,
        depths=(depths[0], depths[1], depths[2], depths[3]),
        heads=(heads[0], heads[1], heads[2], heads[3]),
        side_px=side_px,
        window=window,
        features=sizes.shape("scratch.layer1_rn.weight", 4)[0],
    )
    _check(found, sizes)
    return found


def _window_and_side(
    tensors: Mapping[str, Tensor], sizes: TensorSizes, version: Version, width: int
) -> tuple[int, int]:
    """Return the side of a window in cells, and of the input in px."""
    mask = tensors.get("pretrained.model.layers.0.blocks.1.attn_mask")  # (windows, cells, cells of a window)
    if mask is not None and mask.ndim == 3:
        window = math.isqrt(mask.shape[1])
        return window, math.isqrt(mask.shape[0]) * window * PATCH_PX
    for published in PUBLISHED.values():
        if (published.version, published.width) == (version, width):
            return published.window, published.side_px
    raise sizes.error(
        f"holds no attn_mask and is {width} channels wide, so its windows and input size are unknown; "
        "save the whole model"
    )


def _check(found: SwinArchitecture, sizes: TensorSizes) -> None:
    """Refuse sizes that do not go together."""
    for stage in STAGES:
        side, window = found.side(stage), found.window_of(stage)
        if found.side_px % CELL_PX or window < 2 or side % window:
            raise sizes.error(
                f"is for images of {found.side_px} px with windows of {found.window} cells, which do not fit "
                f"into stage {stage} of {side} cells; such a network cannot be exported"
            )
        if found.widths[stage] % found.heads[stage]:
            raise sizes.error(
                f"has {found.heads[stage]} attention heads in stage {stage}, expected a divisor of "
                f"{found.widths[stage]} channels; save it again"
            )
