"""The sizes of MiDaS v2.1, and how they are read off its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ...tensor_sizes import TensorSizes

CELL_PX = 32  # a cell of the deepest map
BOTTLENECK_GAIN = 4  # channels of a stage's maps over those of its stem. Source: He et al. 2016, table 1
LITE_KERNELS = (3, 3, 5, 3, 5, 5, 3)  # of the seven stages. Source: tensorflow/tpu efficientnet/lite
LITE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
LITE_EXPANSION = 6  # channels inside a block over those at its entry; the first stage has no expansion
LITE_TAPS = (1, 2, 4, 6)  # stages whose maps feed the decoder

LARGE_MARK = "pretrained.layer1.4.0.conv3.weight"  # a bottleneck: only in the large network
SMALL_MARK = "pretrained.layer1.3.0.conv_dw.weight"  # a depthwise convolution: only in the small one
# In official files, never used by the network: a counter of training steps.
UNUSED = re.compile(r"\.num_batches_tracked$")

_LITE_STAGES = (("layer1.3", "layer1.4"), ("layer2.0",), ("layer3.0", "layer3.1"), ("layer4.0", "layer4.1"))


@dataclass(frozen=True, slots=True)
class LargeArchitecture:
    """A ResNeXt with a RefineNet decoder.

    Args:
        stem: Channels of the first convolution.
        inner: Channels inside a bottleneck of the first stage.
        groups: Of every grouped convolution.
        depths: Bottlenecks of each stage.
        features: Channels of the decoder.
    """

    stem: int
    inner: int
    groups: int
    depths: tuple[int, int, int, int]
    features: int

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return CELL_PX

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Return the channels of the four maps, shallow to deep."""
        first = self.stem * BOTTLENECK_GAIN
        return (first, 2 * first, 4 * first, 8 * first)

    @property
    def encoder(self) -> str:
        """Return "midas_v21_384", or e.g. "resnext256x5" for other sizes: deepest width, number of blocks."""
        return "midas_v21_384" if self == PUBLISHED_LARGE else f"resnext{self.widths[-1]}x{sum(self.depths)}"


@dataclass(frozen=True, slots=True)
class SmallArchitecture:
    """An EfficientNet-Lite with a RefineNet decoder whose channels double with each level.

    Args:
        stem: Channels of the first convolution.
        widths: Channels of the seven stages.
        depths: Blocks of the seven stages.
        features: Channels of the decoder's shallowest level.
    """

    stem: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    features: int

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return CELL_PX

    @property
    def tapped(self) -> tuple[int, int, int, int]:
        """Return the channels of the four maps, shallow to deep."""
        first, second, third, fourth = (self.widths[stage] for stage in LITE_TAPS)
        return (first, second, third, fourth)

    @property
    def encoder(self) -> str:
        """Return "midas_v21_small_256", or e.g. "lite64x8" for other sizes: deepest width, number of blocks."""
        return "midas_v21_small_256" if self == PUBLISHED_SMALL else f"lite{self.widths[-1]}x{sum(self.depths)}"


# ResNeXt101 32x8d. Source: facebookresearch/WSL-Images
PUBLISHED_LARGE = LargeArchitecture(stem=64, inner=256, groups=32, depths=(3, 4, 23, 3), features=256)
# EfficientNet-Lite3. Source: rwightman/gen-efficientnet-pytorch
PUBLISHED_SMALL = SmallArchitecture(
    stem=32, widths=(24, 32, 48, 96, 136, 232, 384), depths=(1, 3, 3, 5, 5, 6, 1), features=64
)


def infer(tensors: Mapping[str, Tensor], path: Path) -> LargeArchitecture | SmallArchitecture:
    """Read the sizes of a network off its tensors; `fit` finds what is missing beyond these.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or its shape is impossible.
    """
    sizes = TensorSizes(tensors, path)
    return _infer_small(sizes) if SMALL_MARK in tensors else _infer_large(sizes)


def _infer_large(sizes: TensorSizes) -> LargeArchitecture:
    inner, in_group = sizes.shape("pretrained.layer1.4.0.conv2.weight", 4)[:2]
    if inner % in_group:
        raise sizes.error(
            f"holds pretrained.layer1.4.0.conv2 with {inner} channels in groups of {in_group}, expected whole groups; "
            "save it again"
        )
    depths = [sizes.count(f"pretrained.{stage}.") for stage in ("layer1.4", "layer2", "layer3", "layer4")]
    return LargeArchitecture(
        stem=sizes.shape("pretrained.layer1.0.weight", 4)[0],
        inner=inner,
        groups=inner // in_group,
        depths=(depths[0], depths[1], depths[2], depths[3]),
        features=sizes.shape("scratch.layer1_rn.weight", 4)[0],
    )


def _infer_small(sizes: TensorSizes) -> SmallArchitecture:
    stages = [stage for level in _LITE_STAGES for stage in level]
    last = ("conv_pw", *("conv_pwl",) * (len(stages) - 1))  # the first stage's blocks have no expansion
    return SmallArchitecture(
        stem=sizes.shape("pretrained.layer1.0.weight", 4)[0],
        widths=tuple(
            sizes.shape(f"pretrained.{stage}.0.{name}.weight", 4)[0] for stage, name in zip(stages, last, strict=True)
        ),
        depths=tuple(sizes.count(f"pretrained.{stage}.") for stage in stages),
        features=sizes.shape("scratch.layer1_rn.weight", 4)[0],
    )
