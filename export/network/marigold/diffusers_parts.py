"""The UNet and the autoencoder of diffusers, built from sizes; nothing is loaded from a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ....engine.errors import BackendUnavailable
from .architecture import UNetSizes, VaeSizes

if TYPE_CHECKING:
    from types import ModuleType


def make_unet(sizes: UNetSizes, latent_channels: int) -> nn.Module:
    """Return the network of a step with torch's initial weights.

    Raises:
        BackendUnavailable: diffusers is not installed.
    """
    down = tuple("CrossAttnDownBlock2D" if attends else "DownBlock2D" for attends in sizes.attends)
    up = tuple("CrossAttnUpBlock2D" if attends else "UpBlock2D" for attends in reversed(sizes.attends))
    made: nn.Module = _diffusers().UNet2DConditionModel(
        in_channels=2 * latent_channels,
        out_channels=latent_channels,
        down_block_types=down,
        up_block_types=up,
        block_out_channels=sizes.channels,
        layers_per_block=sizes.layers,
        norm_num_groups=sizes.groups,
        cross_attention_dim=sizes.prompt_width,
        attention_head_dim=sizes.heads,  # numbers of heads, in spite of the name
        use_linear_projection=True,
    )
    return made


def make_vae(sizes: VaeSizes) -> nn.Module:
    """Return encoder and decoder with torch's initial weights; see make_unet."""
    levels = len(sizes.channels)
    made: nn.Module = _diffusers().AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=sizes.channels,
        layers_per_block=sizes.layers,
        latent_channels=sizes.latent_channels,
        norm_num_groups=sizes.groups,
        scaling_factor=sizes.scale,
    )
    return made


def _diffusers() -> ModuleType:
    try:
        import diffusers
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[marigold]'") from error
    module: ModuleType = diffusers
    return module
