"""The configs of a diffusers folder of Marigold: that its parts are those that are exported, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from .....engine.errors import ModelFileError
from .....engine.system.field_types import Count, Length, Name, Positive, Range
from ....checkpoint.safe_load import shown
from ....foreign_json import read_known
from ....network.marigold.architecture import MarigoldArchitecture, UNetSizes, VaeSizes
from ....network.marigold.sampling import LEAST_LEADING, Sampling, Scheduler
from ..settings import FolderSettings, refuse_other_settings
from .scheduler import read_scheduler

DEPTH = ("MarigoldDepthPipeline", "MarigoldPipeline")  # the second is the older name
UNNAMED = "StableDiffusionPipeline"  # E2E-FT's depth, its normals, and Stable Diffusion itself
OTHERS = {
    "MarigoldNormalsPipeline": "Marigold for surface normals",
    "MarigoldIntrinsicsPipeline": "Marigold for intrinsic images",
    "DepthNormalEstimationPipeline": "GeoWizard",
}
USUAL_SIDE_PX = 768  # Source: diffusers docs, api/pipelines/marigold
SEED = 0
DEFAULT_STEPS = 4  # of a DDIM scheduler with trailing timesteps. Source: huggingface.co/prs-eth/marigold-depth-v1-1

Levels = Annotated[tuple[Count, ...], Length(2, 8)]
Names = Annotated[tuple[Name, ...], Length(2, 8)]


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """A model_index.json; a default_processing_resolution of 0 means that of the image."""

    _class_name: Name | None = None
    prediction_type: Name | None = None
    default_denoising_steps: Annotated[int, Range(1, 1000)] | None = None
    default_processing_resolution: Annotated[int, Range(0, 1 << 14)] | None = None


# Source: diffusers models/unets/unet_2d_condition.py
@dataclass(frozen=True, slots=True)
class UNetConfig:
    """A config.json of UNet2DConditionModel, with its defaults.

    Args:
        attention_head_dim: Numbers of heads, in spite of the name; one number in a file is that of every level.
    """

    in_channels: Count = 4
    out_channels: Count = 4
    down_block_types: Names = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    up_block_types: Names = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
    block_out_channels: Levels = (320, 640, 1280, 1280)
    layers_per_block: Count = 2
    cross_attention_dim: Count = 1280
    attention_head_dim: Levels = (8, 8, 8, 8)
    norm_num_groups: Count = 32
    norm_eps: float = 1e-5
    act_fn: Name = "silu"
    use_linear_projection: bool = False
    mid_block_type: Name | None = "UNetMidBlock2DCrossAttn"
    transformer_layers_per_block: Count = 1
    center_input_sample: bool = False
    flip_sin_to_cos: bool = True
    freq_shift: float = 0.0
    only_cross_attention: bool = False
    dual_cross_attention: bool | None = None
    downsample_padding: int = 1
    mid_block_scale_factor: float = 1.0
    num_attention_heads: Count | None = None
    class_embed_type: Name | None = None
    addition_embed_type: Name | None = None
    encoder_hid_dim_type: Name | None = None
    num_class_embeds: Count | None = None
    resnet_time_scale_shift: Name = "default"
    time_embedding_type: Name = "positional"
    conv_in_kernel: int = 3
    conv_out_kernel: int = 3


# Source: diffusers models/autoencoders/autoencoder_kl.py
@dataclass(frozen=True, slots=True)
class VaeConfig:
    """A config.json of AutoencoderKL, with its defaults."""

    in_channels: Count = 3
    out_channels: Count = 3
    down_block_types: Names = ("DownEncoderBlock2D",) * 2
    up_block_types: Names = ("UpDecoderBlock2D",) * 2
    block_out_channels: Levels = (64, 64)
    layers_per_block: Count = 1
    act_fn: Name = "silu"
    latent_channels: Count = 4
    norm_num_groups: Count = 32
    scaling_factor: Positive = 0.18215
    shift_factor: float | None = None
    latents_mean: Annotated[tuple[float, ...], Length(0, 1000)] | None = None
    latents_std: Annotated[tuple[float, ...], Length(0, 1000)] | None = None
    use_quant_conv: bool = True
    use_post_quant_conv: bool = True
    mid_block_add_attention: bool = True


def read_index(settings: FolderSettings) -> IndexConfig:
    """Return what a model_index.json says of itself.

    Raises:
        ModelFileError: It is another model, which the message names, or a value is wrong.
    """
    index = read_known(IndexConfig, settings.config["model_index"], name=f"{settings.folder}/model_index.json: index")
    if index._class_name in OTHERS:
        raise ModelFileError(
            f"{settings.folder} is {OTHERS[index._class_name]}, which answers no depth; give Marigold for depth"
        )
    if index._class_name not in (*DEPTH, UNNAMED):
        raise ModelFileError(
            f"{settings.folder} is a {shown(index._class_name or 'pipeline without a _class_name')}; of diffusers' "
            f"pipelines this version exports {DEPTH[0]}"
        )
    if index.prediction_type not in (None, "depth"):
        raise ModelFileError(
            f"{settings.folder} is Marigold for {shown(index.prediction_type)}; give Marigold for depth"
        )
    return index


def read_architecture(settings: FolderSettings) -> MarigoldArchitecture:
    """Return the sizes of a folder's network and its default steps.

    Raises:
        ModelFileError: A value is wrong, or asks for something that is not exported.
    """
    index, vae, scheduler = read_index(settings), _vae(settings), read_scheduler(settings)
    named = index._class_name in DEPTH
    return MarigoldArchitecture(
        unet=_unet(settings, vae.latent_channels),
        vae=vae,
        scheduler=scheduler,
        side_px=index.default_processing_resolution or USUAL_SIDE_PX,
        named=named,
        sampling=_sampling(index, scheduler) if named else Sampling(1, None),
    )


def _sampling(index: IndexConfig, scheduler: Scheduler) -> Sampling:
    """Return the default steps; those of a consistency model are 1, whatever the folder says."""
    if scheduler.consistency:
        return Sampling(1, SEED)
    usual = LEAST_LEADING if scheduler.spacing == "leading" else DEFAULT_STEPS
    return Sampling(index.default_denoising_steps or usual, SEED)


def _unet(settings: FolderSettings, latent_channels: int) -> UNetSizes:
    found: dict[str, Any] = settings.config["unet"]
    heads = found.get("attention_head_dim", UNetConfig().attention_head_dim[0])
    if isinstance(heads, int):
        found = {**found, "attention_head_dim": [heads] * len(found.get("block_out_channels", ()) or (1, 2))}
    config = read_known(UNetConfig, found, name=f"{settings.folder / 'unet' / 'config.json'}: config")
    where = f"{settings.folder / 'unet'}: config.json says"
    if config.in_channels == latent_channels:
        raise ModelFileError(
            f"{settings.folder} is Stable Diffusion itself: its network reads one latent, Marigold's reads two; give a "
            "folder of Marigold"
        )
    attends = tuple(kind == "CrossAttnDownBlock2D" for kind in config.down_block_types)
    usual = UNetConfig(use_linear_projection=True, dual_cross_attention=False)
    refuse_other_settings(
        where,
        (
            ("in_channels", config.in_channels, 2 * latent_channels),
            ("out_channels", config.out_channels, latent_channels),
            ("down_block_types", config.down_block_types, _kinds(attends, "Down")),
            ("up_block_types", config.up_block_types, _kinds(attends[::-1], "Up")),
            *((name, getattr(config, name), getattr(usual, name)) for name in _FIXED),
        ),
    )
    sizes = UNetSizes(
        channels=config.block_out_channels,
        attends=attends,
        layers=config.layers_per_block,
        heads=config.attention_head_dim,
        prompt_width=config.cross_attention_dim,
        groups=config.norm_num_groups,
    )
    _check_levels(where, sizes.channels, (attends, sizes.heads), sizes.groups)
    if any(width % count for width, count in zip(sizes.channels, sizes.heads, strict=True)):
        raise ModelFileError(f"{where} {sizes.channels} channels for {sizes.heads} heads, which do not divide them")
    return sizes


_FIXED = (
    "norm_eps",
    "act_fn",
    "use_linear_projection",
    "mid_block_type",
    "transformer_layers_per_block",
    "center_input_sample",
    "flip_sin_to_cos",
    "freq_shift",
    "only_cross_attention",
    "dual_cross_attention",
    "downsample_padding",
    "mid_block_scale_factor",
    "num_attention_heads",
    "class_embed_type",
    "addition_embed_type",
    "encoder_hid_dim_type",
    "num_class_embeds",
    "resnet_time_scale_shift",
    "time_embedding_type",
    "conv_in_kernel",
    "conv_out_kernel",
)


def _vae(settings: FolderSettings) -> VaeSizes:
    found: dict[str, Any] = settings.config["vae"]
    config = read_known(VaeConfig, found, name=f"{settings.folder / 'vae' / 'config.json'}: config")
    where, levels = f"{settings.folder / 'vae'}: config.json says", len(config.block_out_channels)
    refuse_other_settings(
        where,
        (
            ("down_block_types", config.down_block_types, ("DownEncoderBlock2D",) * levels),
            ("up_block_types", config.up_block_types, ("UpDecoderBlock2D",) * levels),
            *((name, getattr(config, name), getattr(VaeConfig(), name)) for name in _FIXED_VAE),
        ),
    )
    _check_levels(where, config.block_out_channels, (), config.norm_num_groups)
    return VaeSizes(
        channels=config.block_out_channels,
        layers=config.layers_per_block,
        latent_channels=config.latent_channels,
        groups=config.norm_num_groups,
        scale=config.scaling_factor,
    )


_FIXED_VAE = (
    "in_channels",
    "out_channels",
    "act_fn",
    "shift_factor",
    "latents_mean",
    "latents_std",
    "use_quant_conv",
    "use_post_quant_conv",
    "mid_block_add_attention",
)


def _kinds(attends: tuple[bool, ...], way: str) -> tuple[str, ...]:
    return tuple(f"{'CrossAttn' if one else ''}{way}Block2D" for one in attends)


def _check_levels(where: str, channels: tuple[int, ...], others: tuple[tuple[Any, ...], ...], groups: int) -> None:
    """Refuse lists of different lengths, and channels that the groups do not divide."""
    if any(len(other) != len(channels) for other in others):
        raise ModelFileError(f"{where} block_out_channels {channels}, and another number of levels beside it")
    if any(width % groups for width in channels):
        raise ModelFileError(f"{where} norm_num_groups {groups}, which does not divide channels of {channels}")
