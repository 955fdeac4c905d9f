"""Tiny folders of Marigold as diffusers writes them, with seeded weights, and the pipeline of diffusers around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

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
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

Variant = Literal["v1-0", "v1-1", "lcm", "e2e-ft"]

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


def tiny_parts(seed: int = 0) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
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
        pipeline.empty_text_embedding = text(torch.tensor([[49406, 49407]]))[0]
        generator, latents = torch.Generator().manual_seed(seed), None
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
