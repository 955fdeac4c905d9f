"""Marigold as a torch network: an image becomes a latent, noise becomes the latent of depth, a decoder its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ....engine.terms import AttentionOp, Family
from ..network import Network
from .architecture import MarigoldArchitecture
from .diffusers_parts import make_unet, make_vae
from .sampling import plan_steps, start_noise

if TYPE_CHECKING:
    import onnx_ir

    from ....engine.modelfile.contract import Contract


class Marigold(Network):
    """Depth in [0, 1], 0 near and 1 far, of an image in [-1, 1].

    Source: diffusers, pipelines/marigold/pipeline_marigold_depth.py (with ensemble_size 1)

    Args:
        architecture: Sizes and steps.
    """

    family: Family = "marigold"
    prompt: Tensor  # (1, 2, C), the embedding of the empty prompt

    def __init__(self, architecture: MarigoldArchitecture) -> None:
        super().__init__()
        self.architecture: MarigoldArchitecture = architecture
        self.unet: Any = make_unet(architecture.unet, architecture.vae.latent_channels)  # diffusers has no types
        self.vae: Any = make_vae(architecture.vae)
        self.register_buffer("prompt", torch.zeros(1, 2, architecture.unet.prompt_width))

    def forward(self, batch: Tensor) -> Tensor:
        """Return depth (N, h, w) for images (N, 3, h, w)."""
        self.cells(batch)
        sizes = self.architecture.vae
        moments = self.vae.quant_conv(self.vae.encoder(batch))
        image = moments[:, : sizes.latent_channels] * sizes.scale
        latent = self._start(image)
        prompt = self.prompt.expand(len(batch), -1, -1)
        for step in plan_steps(self.architecture.scheduler, self.architecture.sampling):
            both = torch.cat([image, latent], dim=1)
            velocity = self.unet(both, step.timestep, encoder_hidden_states=prompt, return_dict=False)[0]
            latent = step.keep * latent + step.add * velocity
        colours = self.vae.decoder(self.vae.post_quant_conv(latent / sizes.scale))
        depth: Tensor = (colours.mean(dim=1).clamp(-1, 1) + 1) / 2
        return depth

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Do nothing: it has no tables of positions."""

    def write_graph(self, contract: Contract) -> onnx_ir.Model:
        """Return the ONNX graph; see graph.write."""
        from .graph.write import write_graph

        attention: AttentionOp = "plain" if contract.attention == "plain" else "fused"
        return write_graph(self.architecture, self.state_dict(), contract, attention)

    def _start(self, image: Tensor) -> Tensor:
        """Return the latent that the steps start with, the same for each image of a batch."""
        seed = self.architecture.sampling.seed
        if seed is None:
            return torch.zeros_like(image)
        return start_noise(seed, image[0].numel()).view_as(image[:1]).expand_as(image)
