"""The sizes of a Marigold network, and how its steps run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .sampling import Sampling, Scheduler

Variant = Literal["v1-0", "v1-1", "lcm", "e2e-ft"]


@dataclass(frozen=True, slots=True)
class UNetSizes:
    """Sizes of the network that runs at each step.

    Args:
        channels: Of each level, from the finest.
        attends: Whether a level has attention.
        layers: Residual units of a level on the way down; on the way up it has one more.
        heads: Of the attention of each level.
        prompt_width: Channels of the prompt's embedding.
        groups: Of each group norm.
    """

    channels: tuple[int, ...]
    attends: tuple[bool, ...]
    layers: int
    heads: tuple[int, ...]
    prompt_width: int
    groups: int


@dataclass(frozen=True, slots=True)
class VaeSizes:
    """Sizes of the encoder from an image to a latent, and of the decoder back.

    Args:
        channels: Of each level, from the finest.
        layers: Residual units of a level of the encoder; the decoder has one more.
        latent_channels: Of the latent.
        groups: Of each group norm.
        scale: Factor of the latent between encoder and steps; the decoder divides by it.
    """

    channels: tuple[int, ...]
    layers: int
    latent_channels: int
    groups: int
    scale: float

    @property
    def patch_px(self) -> int:
        """Return how many px of the image one cell of the latent covers."""
        return 1 << (len(self.channels) - 1)


# Stable Diffusion 2, with twice the input channels. Source: huggingface.co/prs-eth/marigold-depth-v1-1, unet and vae
PUBLISHED_UNET = UNetSizes((320, 640, 1280, 1280), (True, True, True, False), 2, (5, 10, 20, 20), 1024, 32)
PUBLISHED_VAE = VaeSizes((128, 256, 512, 512), 2, 4, 32, 0.18215)


@dataclass(frozen=True, slots=True)
class MarigoldArchitecture:
    """The sizes of the network, and what the export chooses: scheduler, steps and noise.

    Args:
        unet: Of the network that runs at each step.
        vae: Of encoder and decoder.
        scheduler: Of the folder.
        side_px: Longest side that images are resized to.
        named: Whether the folder says that it is Marigold for depth.
        sampling: The steps.
    """

    unet: UNetSizes
    vae: VaeSizes
    scheduler: Scheduler
    side_px: int
    named: bool
    sampling: Sampling

    @property
    def variant(self) -> Variant:
        """Return which published model has these steps."""
        if self.sampling.seed is None:
            return "e2e-ft"
        if self.scheduler.consistency:
            return "lcm"
        return "v1-0" if self.scheduler.spacing == "leading" else "v1-1"

    @property
    def encoder(self) -> str:
        """Return the name of the published model, with the sizes if they are others: "v1-1", "v1-1-32x64"."""
        if (self.unet, self.vae) == (PUBLISHED_UNET, PUBLISHED_VAE):
            return self.variant
        return f"{self.variant}-{'x'.join(map(str, self.unet.channels))}"

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return self.vae.patch_px
