"""MiDaS: a batch of normalised images becomes inverse depth."""

from __future__ import annotations

import torch
from torch import Tensor

from ....engine.errors import InputError
from ....engine.terms import Family
from ..network import Network
from .architecture import CELL_PX, PATCH_PX, BeitArchitecture, TransformerArchitecture, VitArchitecture
from .beit import Beit
from .head import Scratch
from .hybrid import Hybrid
from .vit import Vit


class Midas(Network):
    """An encoder with a DPT head, exact to the published networks.

    Its tensors have the official names and shapes. Tensors of a published file that no output depends on (see
    architecture.UNUSED) are not among them, except those of the deepest fusion.

    Args:
        architecture: Sizes of the layers; its type decides about the encoder.
    """

    family: Family = "midas"
    architecture: TransformerArchitecture
    trainable = True

    def __init__(self, architecture: TransformerArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.pretrained = _make_encoder(architecture)
        self.scratch = Scratch(architecture.reassembled, architecture.features)
        self.baked_cells: tuple[int, int] | None = None

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth.

        Args:
            batch: (N, 3, h, w) RGB, normalised; h and w are multiples of CELL_PX.

        Returns:
            (N, h, w): inverse depth, zero or more, larger is nearer.

        Raises:
            InputError: A side is not a multiple of CELL_PX, or not the baked one.
        """
        return torch.relu(self.values(batch))

    def values(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), any sign: the output without the last activation."""
        cells = self.cells(batch)
        values: Tensor = self.scratch(self.pretrained(batch), cells).squeeze(1)  # (N, h, w)
        return values

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Resample the tables of positions for one input of grid_h by grid_w cells; other sizes are then refused.

        Call it after the weights are loaded: later changes of the tables have no effect.
        """
        patches = CELL_PX // PATCH_PX
        self.pretrained.bake_positions((grid_h * patches, grid_w * patches))
        self.baked_cells = (grid_h, grid_w)

    def cells(self, batch: Tensor) -> tuple[int, int]:
        """Return the number of cells along both sides of a batch, ints or symbolic ints.

        Raises:
            InputError: A side is not a multiple of CELL_PX, or not the baked one.
        """
        cells = super().cells(batch)
        if self.baked_cells is not None and cells != self.baked_cells:
            height, width = batch.shape[2:]
            rows, columns = self.baked_cells
            raise InputError(
                f"input of {height}x{width} px found, but positions are baked for {rows * CELL_PX}x"
                f"{columns * CELL_PX} px; use that input size or bake again"
            )
        return cells


def _make_encoder(architecture: TransformerArchitecture) -> Beit | Vit | Hybrid:
    if isinstance(architecture, BeitArchitecture):
        return Beit(architecture)
    return Vit(architecture) if isinstance(architecture, VitArchitecture) else Hybrid(architecture)
