"""The default model: its architecture, its first weights and the course that trains it from scratch."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..export.network import Architecture, DepthAnything
from ..export.network.architecture import HEAD_WIDTH
from .appearance import Appearance
from .evaluate import CAP_M, SceneValidation, held_out_scenes
from .options import TrainOptions
from .scene_pool import PoolSource, Stage, render_pool
from .train import train
from .training_state import STATE_NAME, load_average, write_weights

ARCHITECTURE = Architecture(
    width=192,
    depth=12,
    patch_px=14,
    table_side=16,
    feed_forward="mlp",
    hidden=768,
    features=32,
    reassembled=(24, 48, 96, 96),
)
LICENCE = "Apache-2.0"
SHARDS = 384  # of 64 scenes
HELD_OUT = 32  # scenes of each setting
VALIDATION_PX = (126, 168)  # (h, w)
# A transformer from scratch learns from its tokens first, then through the head.
TOKEN_OPTIONS = TrainOptions(
    objective="tokens",
    steps=2600,
    learning_rate=2.5e-4,  # 1e-3 stayed at a loss of 1.19; a quarter of it fell to 1.10 in 60 steps
    encoder_factor=1.0,
    muon_factor=2.0,
    weight_decay=0.05,
    betas=(0.9, 0.98),
    warmup_steps=100,
    hold_steps=2500,
    average_decay=0.99,
    bf16=False,
    gradient_weight=0.5,
    relative_weight=0.5,
    save_every=50,
)
OPTIONS = TrainOptions(
    steps=1600,
    learning_rate=1e-3,
    encoder_factor=0.7,
    muon_factor=2.0,
    weight_decay=0.05,
    betas=(0.9, 0.98),
    warmup_steps=50,
    hold_steps=600,
    decay_power=1.0,
    average_decay=0.99,
    bf16=False,
    affine_weight=0.0,
    scaled_weight=1.0,
    gradient_weight=0.5,
    relative_weight=0.5,
    validate_every=200,
    save_every=50,
    judge="indoor_abs_rel",
)
TOKEN_STAGES = (Stage(0, ((98, 126), (112, 112), (126, 98)), 64),)
STAGES = (
    Stage(0, ((98, 126), (112, 112), (126, 98)), 64),
    Stage(1200, ((126, 168), (140, 154), (154, 140), (168, 126)), 32),
)
# Milder than the default, judged by eye at 140 px; no difference in the loss of the first 2000 pictures was measured.
APPEARANCE = Appearance(
    blur=0.2,
    blur_px=1.0,
    motion=0.05,
    motion_px=4.0,
    defocus=0.1,
    noise=0.03,
    rescale=0.15,
    least_scale=0.6,
    jpeg=0.3,
    least_quality=40,
)

# Of the first weights. Source: Trockman and Kolter 2023, Mimetic Initialization of Self-Attention Layers, section 4
_QUERY_KEY = (0.7, 0.7)  # random and identity part of the product of query and key weights
_VALUE_OUT = (0.4, -0.4)  # the same of value and output weights
_POSITION_GAIN = 0.5
_RESIDUAL_GAIN = 0.2
_POSITION_BASE = 100.0  # longest wave of the position table over the shortest; a table of 16 needs no more
_FIRST_LEVEL = 1.0  # of the answer, which is inverse depth over its median


def train_default(
    out_dir: str | Path, *, device: str = "cpu", on_shard: Callable[[int, int], None] | None = None
) -> Path:
    """Make the default model from nothing: render scenes, train the encoder by its tokens, then with the head; blocks.

    Whatever out_dir holds already is continued, so it can be stopped and started at any time.

    Args:
        out_dir: For the pool of scenes, the two trainings and default.safetensors.
        device: "cpu" or "cuda".
        on_shard: Called with (shards done, shards wanted) while scenes are rendered.

    Returns:
        The checkpoint, for `depthrt export --half-storage`.

    Raises:
        KeyboardInterrupt: A training was interrupted; its state is saved.
    """
    out_dir = Path(out_dir)
    render_pool(out_dir / "pool", SHARDS, device=device, on_shard=on_shard)
    network = DepthAnything(ARCHITECTURE, family="depth-anything-v2")
    initialise(network, TOKEN_OPTIONS.seed)
    held_out = {setting: held_out_scenes(setting, HELD_OUT, VALIDATION_PX) for setting in CAP_M}
    for name, options, stages, validation in (
        ("tokens", TOKEN_OPTIONS, TOKEN_STAGES, None),
        ("depth", OPTIONS, STAGES, SceneValidation(held_out)),
    ):
        source = PoolSource(out_dir / "pool", shards=SHARDS, stages=stages, seed=options.seed, appearance=APPEARANCE)
        begun = (out_dir / name / STATE_NAME).is_file()
        result = train(network, source, validation, options, out_dir / name, resume=begun, device=device)
        if result.ending == "interrupted":
            raise KeyboardInterrupt
    path = out_dir / "default.safetensors"
    write_default(out_dir / "depth", path)
    return path


def write_default(out_dir: str | Path, path: str | Path) -> None:
    """Write the averaged weights of a training of the default model as a float16 checkpoint.

    Args:
        out_dir: Of the training, under way or ended.
        path: Ends with .safetensors.

    Raises:
        InputError: out_dir holds no training.
        ModelFileError: What it holds is damaged or another network's.
    """
    network = DepthAnything(ARCHITECTURE, family="depth-anything-v2")
    step = load_average(Path(out_dir), network)
    write_weights(Path(path), network.half(), {"step": step}, licence=LICENCE)


def initialise(network: DepthAnything, seed: int) -> None:
    """Fill a network with weights to train from scratch; the same seed gives the same weights.

    Sines and cosines stand for positions, and the attention of each block begins near the one that trained
    transformers have, so that fewer pictures are needed.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(_first_values(name, parameter, generator))
        for block in network.pretrained.blocks:
            _mimic_attention(block.get_submodule("attn"), generator)
        side, width = network.architecture.table_side, network.architecture.width
        network.pretrained.pos_embed[0, 1:] = _POSITION_GAIN * _sines(side, width)
        network.depth_head.scratch.output_conv2[2].get_parameter("bias").fill_(_FIRST_LEVEL)


def _first_values(name: str, parameter: Tensor, generator: torch.Generator) -> Tensor:
    if name.endswith("gamma") or (".norm" in name and name.endswith("weight")):
        return torch.ones_like(parameter)
    if name.endswith(("bias", "_token", "pos_embed")):
        return torch.zeros_like(parameter)
    noise = torch.randn(parameter.shape, generator=generator)
    transposed = name.startswith(("depth_head.resize_layers.0", "depth_head.resize_layers.1"))  # (in, out, k, k)
    fan_in = parameter.shape[0] if transposed else parameter[0].numel()
    if name.endswith("mlp.fc2.weight") or ("resConfUnit" in name and "conv2" in name) or "output_conv2.2" in name:
        return noise * (_RESIDUAL_GAIN / math.sqrt(fan_in))  # what is added begins small
    return noise * math.sqrt((2.0 if "output_conv" in name else 1.0) / fan_in)


def _mimic_attention(attention: nn.Module, generator: torch.Generator) -> None:
    qkv, out = (
        attention.get_submodule("qkv").get_parameter("weight"),
        attention.get_submodule("proj").get_parameter("weight"),
    )
    width = out.shape[0]
    eye = torch.eye(width)
    for head in range(width // HEAD_WIDTH):
        rows = slice(head * HEAD_WIDTH, (head + 1) * HEAD_WIDTH)
        random, identity = _QUERY_KEY
        noise = torch.randn((width, width), generator=generator) / math.sqrt(width)
        left, values, right = torch.linalg.svd(random * noise + identity * eye)
        root = values[:HEAD_WIDTH].sqrt()
        qkv[rows] = (left[:, :HEAD_WIDTH] * root).T
        qkv[width:][rows] = root[:, None] * right[:HEAD_WIDTH]
    random, identity = _VALUE_OUT
    noise = torch.randn((width, width), generator=generator) / math.sqrt(width)
    left, values, right = torch.linalg.svd(random * noise + identity * eye)
    qkv[2 * width :] = values.sqrt()[:, None] * right
    out.copy_(left * values.sqrt())


def _sines(side: int, width: int) -> Tensor:
    """Return (side * side, width): a quarter of the channels each for sine and cosine of row and column."""
    waves = math.pi * _POSITION_BASE ** (-torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * waves / 2  # (side, width / 4)
    line = torch.cat((angles.sin(), angles.cos()), dim=1)  # (side, width / 2)
    rows = line[:, None].expand(side, side, -1)
    columns = line[None].expand(side, side, -1)
    return torch.cat((rows, columns), dim=2).reshape(side * side, width)
