"""The published models of Marigold for depth. E2E-FT's fine-tunes are not listed: their licence is not known here."""

from __future__ import annotations

from ..entry import CatalogEntry, HubSource, Verified

PARAMETERS = 949_576_107  # of the network of a step, encoder and decoder; the text encoder is not in a model file
SIDE_PX = 768  # longest side. Source: model_index.json of each folder, default_processing_resolution

# What is read of a folder; the tokens of the empty prompt are known.
_FILES = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors|text_encoder/pytorch_model.bin",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors|unet/diffusion_pytorch_model.bin",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors|vae/diffusion_pytorch_model.bin",
)
# Repository, its steps, licence, older names. Source: the model cards
_PUBLISHED: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("prs-eth/marigold-depth-v1-1", "v1-1", "OpenRAIL++-M", ()),
    ("prs-eth/marigold-depth-v1-0", "v1-0", "Apache-2.0", ("prs-eth/marigold-v1-0", "Bingxin/Marigold")),
    ("prs-eth/marigold-depth-lcm-v1-0", "lcm", "Apache-2.0", ("prs-eth/marigold-lcm-v1-0",)),
)
_VERIFIED = Verified(
    "reduced", "random", "MarigoldDepthPipeline of diffusers 0.42.1", 2.8e-5, by="tests/compare_marigold.py"
)


def _entry(repository: str, encoder: str, licence: str, other_names: tuple[str, ...]) -> CatalogEntry:
    name = repository.split("/")[1]
    return CatalogEntry(
        name=name,
        file_name=name,
        family="marigold",
        encoder=encoder,
        kind="affine",
        max_depth_m=None,
        parameters=PARAMETERS,
        licence=licence,
        licence_note="",
        repositories=(repository,),
        other_names=other_names,
        base_px=(SIDE_PX, SIDE_PX),
        rule="longest_floor",
        source=HubSource(repository, _FILES, folder=True),
        verified=_VERIFIED,
    )


ENTRIES = tuple(_entry(*published) for published in _PUBLISHED)
