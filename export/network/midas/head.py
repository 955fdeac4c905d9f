"""The DPT head of MiDaS: four maps of an encoder become one map at the size of the input.

Source: Ranftl et al., Vision Transformers for Dense Prediction, section 3; names of isl-org/MiDaS midas/dpt_depth.py.
All sizes are computed from the number of cells, so that a graph with symbolic sides has symbolic outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from ..head import READOUT_WIDTH, Fusion, resize
from .architecture import CELL_PX


class Scratch(nn.Module):
    """The layers of the head that fuse the maps and read the depth off.

    Args:
        reassembled: Channels of the four maps, shallow to deep.
        features: Channels of the fusion blocks.
    """

    def __init__(self, reassembled: Sequence[int], features: int) -> None:
        super().__init__()
        for level, channels in enumerate(reassembled, start=1):
            self.add_module(f"layer{level}_rn", nn.Conv2d(channels, features, kernel_size=3, padding=1, bias=False))
        for level in range(1, 5):
            self.add_module(f"refinenet{level}", Fusion(features))
        self.output_conv = nn.Sequential(
            nn.Conv2d(features, features // 2, kernel_size=3, padding=1),
            nn.Identity(),  # the place of the resize to the input's size, whose size is known in forward only
            nn.Conv2d(features // 2, READOUT_WIDTH, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(READOUT_WIDTH, 1, kernel_size=1),
        )

    def forward(self, maps: Sequence[Tensor], cells: tuple[int, int]) -> Tensor:
        """Return (N, 1, h, w), any sign: the output without the last ReLU.

        Args:
            maps: Four maps, shallow to deep, at 1/4, 1/8, 1/16 and 1/32 of the input's size.
            cells: (h / CELL_PX, w / CELL_PX), ints or symbolic ints.
        """
        return self.read_out(self.fuse(maps, cells)[-1], cells)[1]

    def fuse(self, maps: Sequence[Tensor], cells: tuple[int, int]) -> list[Tensor]:
        """Return the deepest map with `features` channels, and the results of the four fusions, deep to shallow.

        Their sizes are 1/32, 1/16, 1/8, 1/4 and 1/2 of the input's.
        """
        rows, columns = cells
        found = [self.get_submodule("layer4_rn")(maps[3])]
        fused: Tensor | None = None
        for level, parts in ((4, 2), (3, 4), (2, 8), (1, 16)):  # parts of the result along a side of a cell
            refined = self.get_submodule(f"layer{level}_rn")(maps[level - 1]) if level < 4 else found[0]
            fused = self.get_submodule(f"refinenet{level}")(refined, fused, (rows * parts, columns * parts))
            assert fused is not None
            found.append(fused)
        return found

    def read_out(self, fused: Tensor, cells: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return what the last layer reads, (N, READOUT_WIDTH, h, w), and its output (N, 1, h, w), any sign.

        Args:
            fused: Result of the last fusion.
            cells: As in forward.
        """
        narrow, _, refine, _, last = self.output_conv
        features = resize(narrow(fused), (cells[0] * CELL_PX, cells[1] * CELL_PX))
        features = F.relu(refine(features))
        return features, last(features)
