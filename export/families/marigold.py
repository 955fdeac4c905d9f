"""Marigold: Stable Diffusion 2 turned into a model of depth; affine-invariant, 0 near and 1 far.

The tensors of its models for normals are the same; the folder's model_index.json tells them apart, and for E2E-FT's
fine-tunes only a name or an option.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ...engine.errors import ModelFileError
from ...engine.terms import Family, Kind, Noise, Precision
from ..network.marigold.architecture import MarigoldArchitecture
from ..network.marigold.marigold import Marigold
from ..network.marigold.sampling import FEW_STEPS, choose_sampling
from .claim import Claim
from .hub.marigold.config import read_architecture
from .hub.settings import FolderSettings
from .published import marigold as published
from .rules import HALF, Conventions, FamilyRules, Kinds


class MarigoldRules(FamilyRules[MarigoldArchitecture]):
    """The row of Marigold."""

    name = "Marigold"
    title = "Marigold"
    kinds: ClassVar[Kinds] = {"marigold": ("affine",)}
    model_types = ("marigold",)
    mark = re.compile(r"^(unet|vae)\.")
    anchor = (
        r"unet\.(?:conv_(?:in|out|norm_out)|time_embedding|(?:down|up)_blocks|mid_block)\."
        r"|vae\.(?:encoder|decoder|quant_conv|post_quant_conv)\."
    )
    parts = (("unet", "vae"),)
    beside = re.compile(r"^prompt$")
    entries = published.ENTRIES
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32",)
    look_alikes = (
        "a folder of StableDiffusionPipeline can be E2E-FT's model of depth (--noise zeros) or of normals, which have "
        "the same tensors"
    )

    def infer(
        self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None
    ) -> MarigoldArchitecture:
        """Read the sizes and the steps off the folder's configs; its tensors must then fit."""
        if settings is None:
            raise ModelFileError(
                f"{path} holds the weights of a diffusion model without its scheduler; give the folder that has a "
                "model_index.json"
            )
        return read_architecture(settings)

    def shown_by_tensors(self, architecture: MarigoldArchitecture) -> Claim:
        """Return the only kind, and the family if the folder says it."""
        if architecture.named:
            return Claim("its model_index.json", "marigold", "affine")
        return Claim("its tensors", kind="affine")

    def make(
        self,
        architecture: MarigoldArchitecture,
        *,
        family: Family,
        kind: Kind,
        max_depth_m: float | None,
        mirror: bool = True,
    ) -> Marigold:
        """Return the network with torch's initial weights."""
        return Marigold(architecture)

    def with_steps(
        self, architecture: MarigoldArchitecture, *, steps: int | None, seed: int | None, noise: Noise | None
    ) -> MarigoldArchitecture:
        """Return the architecture with the steps that the options ask for."""
        chosen = choose_sampling(
            architecture.scheduler,
            architecture.sampling,
            named=architecture.named,
            steps=steps,
            seed=seed,
            noise=noise,
        )
        return replace(architecture, sampling=chosen)

    def conventions(self, architecture: MarigoldArchitecture, family: Family) -> Conventions:
        """Return the official size and resizes. Source: diffusers pipelines/marigold/marigold_image_processing.py."""
        side_px = -(-architecture.side_px // architecture.patch_px) * architecture.patch_px
        return Conventions(
            base_px=(side_px, side_px),
            rule="longest_floor",
            pad="edge_end",
            final_resize="bilinear_centres",
            mean=HALF,
            std=HALF,
            input_resize="bilinear_antialias",
            batch=1,
            steps=architecture.sampling.steps,
            seed=architecture.sampling.seed,
        )

    def remarks(self, architecture: MarigoldArchitecture, family: Family) -> tuple[str, ...]:
        """Return the steps, and that many of them load slowly."""
        steps, seed = architecture.sampling.steps, architecture.sampling.seed
        start = "zeros" if seed is None else f"the noise of seed {seed}"
        said = f"The graph has {steps} step{'' if steps == 1 else 's'} and starts with {start}."
        if steps <= FEW_STEPS:
            return (said,)
        return (said, f"A graph of more than {FEW_STEPS} steps is slow to load: minutes for 10; --steps gives fewer.")
