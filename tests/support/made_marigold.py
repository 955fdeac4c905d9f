"""Tiny folders of Marigold as diffusers writes them, with seeded weights, and the pipeline of diffusers around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    LCMScheduler,
    MarigoldDepthPipeline,
    UNet2DConditionModel,
)
from made import CONTRACT, canary_of_zeros
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.network.marigold.architecture import MarigoldArchitecture, UNetSizes, VaeSizes, Variant
from depthrt.export.network.marigold.marigold import Marigold
from depthrt.export.network.marigold.sampling import Sampling, Scheduler

TOKENS = [49406, 49407]  # of the empty prompt, as the tokenizer of every published folder gives them
TINY_UNET = UNetSizes((16, 32), (True, False), 1, (2, 4), 24, 8)
TINY_VAE = VaeSizes((4, 8, 8, 16), 1, 4, 4, 0.18215)
HALF = (0.5, 0.5, 0.5)
Px = tuple[int, int]

SIDE_PX = 96  # longest side that images are resized to; 768 in published folders
WIDTH = 24  # of the prompt's embedding
STEPS: Mapping[Variant, int] = {"v1-0": 10, "v1-1": 4, "lcm": 1, "e2e-ft": 1}
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction"}
# Source: scheduler_config.json of the published folders
SCHEDULERS: Mapping[Variant, tuple[type[Any], dict[str, Any]]] = {
    "v1-0": (DDIMScheduler, {"timestep_spacing": "leading", "steps_offset": 1}),
    "v1-1": (DDIMScheduler, {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "steps_offset": 1}),
    "lcm": (LCMScheduler, {"timestep_spacing": "leading", "steps_offset": 1}),
    "e2e-ft": (DDPMScheduler, {"timestep_spacing": "trailing"}),
}


def tiny_parts(seed: int = 0) -> tuple[Any, Any, Any]:
    """Return the smallest parts that have every kind of block, and 8 px to a cell of the latent."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        in_channels=8,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=WIDTH,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 8, 8, 16),
        layers_per_block=1,
        norm_num_groups=4,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=WIDTH,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            hidden_act="gelu",
            max_position_embeddings=8,
        )
    )
    for part in (unet, vae, text):
        _liven(part)
    return unet, vae, text


def _liven(part: nn.Module) -> None:
    """Make a module's answer depend on every weight: torch's initial biases and norms do nothing."""
    part.eval()
    with torch.no_grad():
        for parameter in part.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
            elif parameter.shape[0] < 10_000:  # not the table of tokens
                parameter.mul_(1.5)


def tiny_architecture(variant: Variant, steps: int | None = None, seed: int = 0) -> MarigoldArchitecture:
    """Return what a tiny folder of a variant holds."""
    config = make_scheduler(variant).config
    scheduler = Scheduler(
        consistency=variant == "lcm",
        spacing="leading" if config.timestep_spacing == "leading" else "trailing",
        offset=config.steps_offset,
        zero_snr=variant == "v1-1",
        ends_at_one=variant == "e2e-ft",
    )
    sampling = Sampling(steps or STEPS[variant], None if variant == "e2e-ft" else seed)
    return MarigoldArchitecture(TINY_UNET, TINY_VAE, scheduler, SIDE_PX, variant != "e2e-ft", sampling)


@cache
def tiny_marigold(variant: Variant, steps: int | None = None) -> Marigold:
    """Return the network that a tiny folder of a variant holds, in eval mode."""
    unet, vae, text = tiny_parts()
    network = Marigold(tiny_architecture(variant, steps))
    network.unet, network.vae = unet, vae
    with torch.inference_mode():
        prompt = text(torch.tensor([TOKENS]))[0]
    network.prompt.copy_(prompt)
    return network.eval()


def contract_of(network: Marigold, size_px: Px | None = None) -> Contract:
    """Return the contract of a graph of a tiny network: dynamic, or static of a size."""
    rule = SizeRule((SIDE_PX, SIDE_PX), 8, "longest_floor", pad="edge_end")
    if size_px is not None:
        rule = SizeRule(size_px, 8, "letterbox")
    sampling = network.architecture.sampling
    return replace(
        CONTRACT,
        family="marigold",
        encoder=network.architecture.encoder,
        kind="affine",
        size=rule,
        mean=HALF,
        std=HALF,
        input_resize="bilinear_antialias",
        final_resize="bilinear_centres",
        batch=1,
        steps=sampling.steps,
        seed=sampling.seed,
        canary=canary_of_zeros(size_px or (72, 96)),
    )


def write_folder(folder: Path, variant: Variant, *, seed: int = 0, index: Mapping[str, Any] | None = None) -> Path:
    """Write a tiny folder of a published variant; `index` replaces parts of its model_index.json."""
    for name, part in zip(("unet", "vae", "text_encoder"), tiny_parts(seed), strict=True):
        part.save_pretrained(folder / name)
    make_scheduler(variant).save_pretrained(folder / "scheduler")
    content: dict[str, Any] = {"_class_name": "StableDiffusionPipeline"}
    if variant != "e2e-ft":
        content = {
            "_class_name": "MarigoldDepthPipeline",
            "prediction_type": "depth",
            "default_denoising_steps": STEPS[variant],
        }
    content |= {"default_processing_resolution": SIDE_PX} | dict(index or {})
    (folder / "model_index.json").write_text(json.dumps(content))
    return folder


def make_scheduler(variant: Variant) -> Any:  # noqa: ANN401 (diffusers has no types)
    """Return the scheduler of a published variant."""
    kind, settings = SCHEDULERS[variant]
    if kind is not LCMScheduler:
        settings = settings | {"clip_sample": False}
    return kind(**BETAS, **({} if kind is DDPMScheduler else {"set_alpha_to_one": False}), **settings)


class PredictedSample(DDIMScheduler):  # type: ignore[misc]
    """A scheduler whose step ends at the predicted sample, as E2E-FT's single step does."""

    def step(self, *arguments: Any, **options: Any) -> SimpleNamespace:  # noqa: ANN401
        return SimpleNamespace(prev_sample=super().step(*arguments, **options).pred_original_sample)


def pipeline_answer(
    variant: Variant, image: NDArray[np.uint8], *, steps: int, seed: int = 0, weights: int = 0
) -> NDArray[np.float32]:
    """Return the depth (H, W) of diffusers' pipeline for an image (H, W, 3) uint8, RGB."""
    unet, vae, text = tiny_parts(weights)
    zeros = variant == "e2e-ft"
    scheduler = (
        PredictedSample(**BETAS, timestep_spacing="trailing", clip_sample=False) if zeros else make_scheduler(variant)
    )
    pipeline = MarigoldDepthPipeline(
        unet,
        vae,
        scheduler,
        text,
        tokenizer=None,
        prediction_type="depth",
        default_denoising_steps=steps,
        default_processing_resolution=SIDE_PX,
    )
    pipeline.set_progress_bar_config(disable=True)
    with torch.inference_mode():
        pipeline.empty_text_embedding = text(torch.tensor([TOKENS]))[0]
        generator: torch.Generator | None = torch.Generator().manual_seed(seed)
        latents = None
        if zeros:
            batch, _, _ = pipeline.image_processor.preprocess(
                Image.fromarray(image), SIDE_PX, "bilinear", torch.device("cpu"), torch.float32
            )
            generator, latents = (
                None,
                torch.zeros(1, 4, *(side // pipeline.vae_scale_factor for side in batch.shape[2:])),
            )
        found = pipeline(Image.fromarray(image), num_inference_steps=steps, generator=generator, latents=latents)
    answer: NDArray[np.float32] = found.prediction[0, :, :, 0]
    return answer
