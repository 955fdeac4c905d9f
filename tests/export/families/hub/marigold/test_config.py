"""Settings of a part that this version does not compute are refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_marigold import TINY_UNET, TINY_VAE, tiny_architecture

from depthrt.engine.errors import ModelFileError
from depthrt.export.families.hub.marigold.config import read_architecture
from depthrt.export.families.hub.settings import FolderSettings


def settings(folder: Path, part: str = "unet", **changes: object) -> FolderSettings:
    """Return the settings of a folder with changes in one part."""
    config: dict[str, Any] = {name: json.loads((folder / name / "config.json").read_text()) for name in ("unet", "vae")}
    config["scheduler"] = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
    config["model_index"] = json.loads((folder / "model_index.json").read_text())
    config[part] |= changes
    return FolderSettings(folder, "marigold", config, None)


def test_sizes_are_those_of_the_configs(marigold_folder: Path) -> None:
    assert read_architecture(settings(marigold_folder)) == tiny_architecture("v1-1")
    alike = read_architecture(settings(marigold_folder, attention_head_dim=4))
    assert alike.unet.heads == (4, 4) and alike.vae == TINY_VAE
    assert read_architecture(settings(marigold_folder, "model_index", default_denoising_steps=1)).sampling.steps == 1
    small = read_architecture(settings(marigold_folder, "model_index", default_processing_resolution=0))
    assert small.side_px == 768 and small.unet == TINY_UNET


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("unet", {"in_channels": 4}, "is Stable Diffusion itself: its network reads one latent, Marigold's reads two"),
        ("unet", {"in_channels": 12}, "in_channels is 12, this version exports 8 only"),
        ("unet", {"use_linear_projection": False}, "use_linear_projection is false, this version exports true only"),
        ("unet", {"class_embed_type": "projection"}, "class_embed_type is 'projection', this version exports None"),
        ("unet", {"norm_eps": 1e-6}, "norm_eps is 1e-06, this version exports 1e-05 only"),
        ("unet", {"up_block_types": ["UpBlock2D", "UpBlock2D"]}, "up_block_types is .* exports .*CrossAttnUpBlock2D"),
        ("unet", {"attention_head_dim": [2, 3]}, r"\(16, 32\) channels for \(2, 3\) heads, which do not divide them"),
        ("unet", {"attention_head_dim": [2, 4, 4]}, "another number of levels beside it"),
        ("unet", {"norm_num_groups": 5}, "norm_num_groups 5, which does not divide channels"),
        ("unet", {"layers_per_block": "two"}, r"config\.layers_per_block is 'two', expected"),
        ("vae", {"shift_factor": 0.1}, "shift_factor is 0.1, this version exports None only"),
        ("vae", {"use_quant_conv": False}, "use_quant_conv is false, this version exports true only"),
        ("vae", {"norm_num_groups": 3}, "norm_num_groups 3, which does not divide channels"),
        ("vae", {"down_block_types": ["AttnDownEncoderBlock2D"] * 4}, "down_block_types is "),
    ],
)
def test_what_is_not_computed_is_refused(
    part: str, changes: dict[str, Any], message: str, marigold_folder: Path
) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_architecture(settings(marigold_folder, part, **changes))
