"""Tensor names of networks that depthrt does not export become the name of their model, for a clear refusal."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The first pattern that any name matches decides, so parts of a model stand before the whole.
# Source: the published checkpoints of each project and their loaders.
_PATTERNS = tuple(
    (re.compile(pattern), label)
    for pattern, label in (
        (r"\.lora_[AB]\.|lora_(down|up)\.", "a LoRA adapter, which must be merged into its model first"),
        (r"motion_modules\.", "Video Depth Anything"),
        (r"resConfUnit_depth\.|prompt_depth_layer", "Prompt Depth Anything"),
        (r"register_tokens", "a network with register tokens, which Depth Anything does not have"),
        (
            r"(^|\.)da3_metric\.",
            "Depth Anything 3's nested networks, whose metric one is published as DA3METRIC-LARGE",
        ),
        (r"pretrained\.model\.features\.", "MiDaS dpt_next_vit_large_384, whose encoder this version does not have"),
        (
            r"pretrained\.model\.blocks\.\d+\.m\.|scratch\.stem_transpose\.",
            "MiDaS dpt_levit_224, whose encoder this version does not have",
        ),
        (r"pixel_encoder\.|pixel_decoder\.", "UniDepth"),
        (r"patch_encoder\.|fov\.encoder", "Depth Pro"),
        (r"depth_model\.(encoder|decoder)\.", "Metric3D"),
        (
            r"model\.diffusion_model\.|^(?!.*\b(unet|vae)\.)(.*\.)?(down|up)_blocks\.\d+\.(attentions|resnets)\.",
            "a part of a diffusion model, and Marigold is exported from its whole folder, which has a model_index.json",
        ),
        (
            r"^(blocks\.\d+\.attn\.qkv|cls_token$)|^(dinov2\.)?embeddings\.cls_token$",
            "a DINOv2 encoder without a depth head",
        ),
        (r"^(module\.|model\.)?layer1\.0\.conv1\.", "a ResNet"),
    )
)


def name_other_model(names: Iterable[str]) -> str | None:
    """Return the model that tensors with these names belong to, or None if it is not known.

    Depth Anything itself is not in the table, so that its tensors give None unless they are part of another model.
    """
    names = list(names)
    for pattern, label in _PATTERNS:
        if any(pattern.search(name) for name in names):
            return label
    return None
