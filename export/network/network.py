"""What every torch network here offers, and every record of a network's sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol

import torch
from torch import Tensor, nn

from ...engine.errors import InputError
from ...engine.terms import Family
from .attention import AttentionForm, set_attention

if TYPE_CHECKING:
    import onnx_ir

    from ...engine.modelfile.contract import Contract


class AnyArchitecture(Protocol):
    """The sizes of a network of any family, as the names and shapes of its tensors show them."""

    @property
    def encoder(self) -> str:
        """Short name of the encoder, e.g. "vits"; that of the published model if the sizes are the published ones."""

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""


class Network(nn.Module, ABC):
    """A batch of normalised images becomes depth: what the export needs of a network of any family.

    Its state_dict has exactly the names and shapes of a published checkpoint, unused tensors included.

    Attributes:
        architecture: Sizes of the layers.
        family: Of the network.
        max_depth_m: Upper end of a metric network's output; None for inverse depth and for output without a bound.
        trainable: Whether it offers `values`, which training needs.
        has_sky: Whether it says where the sky is, too; see `with_sky`.
        float32_parts: Children that stay in float32 in every precision; the network converts what they read.
    """

    architecture: AnyArchitecture
    family: Family
    max_depth_m: float | None = None
    trainable: ClassVar[bool] = False
    has_sky: bool = False
    float32_parts: tuple[str, ...] = ()

    @abstractmethod
    def forward(self, batch: Tensor) -> Tensor:
        """Return depth (N, h, w) for images (N, 3, h, w), RGB, normalised; sides are multiples of patch_px."""

    def with_sky(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return depth (N, h, w) as forward does, and the sky's value (N, h, w), of a network that has it."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of the sky")

    def set_attention(self, form: AttentionForm) -> None:
        """Choose how attention is computed, if the network has any; "fused" is for export only.

        Raises:
            InputError: The form is unknown.
        """
        set_attention(self, form)

    @abstractmethod
    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Resample tables of positions for one input size, in units of patch_px; does nothing without such tables."""

    def write_graph(self, contract: Contract) -> onnx_ir.Model | None:
        """Return the ONNX graph for a contract, if the network writes it itself; None leaves it to torch's exporter."""
        return None

    def cells(self, batch: Tensor) -> tuple[int, int]:
        """Return how often patch_px goes into both sides of a batch (N, 3, h, w), ints or symbolic ints.

        Raises:
            InputError: A side is not a multiple of patch_px.
        """
        unit_px = self.architecture.patch_px
        height, width = batch.shape[2:]
        if height % unit_px or width % unit_px:
            raise InputError(
                f"input of {height}x{width} px found, both sides must be multiples of {unit_px}; resize the image"
            )
        return height // unit_px, width // unit_px

    def values(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), any sign: the output without the last activation, for training.

        Raises:
            InputError: The network is not trainable.
        """
        raise InputError(
            f"{self.architecture.encoder} cannot be trained here; give a checkpoint of Depth Anything or MiDaS"
        )


def mirror_mean(answer: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    """Return the mean of the answers (N, h, w) for images (N, 3, h, w) and for their mirror images, turned back."""
    values, mirrored = answer(torch.cat([batch, batch.flip(-1)])).unflatten(0, (2, -1)).unbind()
    mean: Tensor = (values + mirrored.flip(-1)) / 2
    return mean
