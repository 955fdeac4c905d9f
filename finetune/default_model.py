"""The default model: its architecture, its first weights and the recipe that trains it from scratch."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..export.network.architecture import ConvArchitecture
from ..export.network.conv_depth import ConvDepth, fold_norms
from .data.appearance import Appearance
from .data.scene_pool import SHARD, PoolSource, Stage, render_pool
from .evaluation.scene_validation import CAP_M, SceneValidation, held_out_scenes
from .scenes.render import check_device
from .training.checkpoints import Origin, write_weights
from .training.group import announced_group
from .training.options import TrainOptions
from .training.train import train
from .training.training_state import STATE_NAME, load_average

ARCHITECTURE = ConvArchitecture(widths=(64, 128, 256, 384), depths=(2, 2, 3, 2), features=48)
LICENCE = "Apache-2.0"
SHARDS = 1920  # of 64 scenes
MIXED_SHARDS = 1201  # the other shards are indoor scenes only, because the judge is indoor_abs_rel
HELD_OUT = 48  # scenes of each setting
VALIDATION_PX = (160, 224)  # (h, w)
OPTIONS = TrainOptions(
    steps=28250,
    learning_rate=5e-4,
    encoder_factor=1.0,
    muon_factor=2.0,
    weight_decay=0.05,
    betas=(0.9, 0.99),
    warmup_steps=150,
    hold_steps=18050,
    decay_power=1.0,
    average_decay=0.995,
    affine_weight=0.0,
    scaled_weight=1.0,
    aligned_weight=3.0,
    gradient_weight=1.0,
    gradient_scales=6,
    relative_weight=0.5,
    validate_every=500,
    save_every=100,
    judge="indoor_abs_rel",
)
# Small images first: a step on them costs less, and teaches what an image shows. The largest images are nearly as large
# as the pool's, so that a smaller crop would be enlarged and blurred. The last images are varied less, like the images
# that the model is used on.
STAGES = (
    Stage(0, ((96, 128), (128, 96)), 64),
    Stage(18800, ((128, 160), (160, 128)), 48),
    Stage(22900, ((128, 160), (160, 128)), 48, variation=0.5),
    Stage(26100, ((160, 224), (224, 160)), 32, least_crop=0.85, variation=0.5),
)
# Milder than Appearance's defaults, chosen by eye at 140 px; the loss of the first 2000 images showed no difference.
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

# Of the first weights.
_RESIDUAL_GAIN = 0.2  # residual branches start small
_FIRST_LEVEL = 1.0  # of the prediction, inverse depth over its mean


def render_default(
    out_dir: str | Path, *, device: str = "cpu", on_progress: Callable[[int, int], None] | None = None
) -> None:
    """Render the scenes that the default model is trained on; scenes that were rendered before are kept.

    Args:
        out_dir: The scenes are written to its folder "pool".
        device: "cpu" or "cuda".
        on_progress: Called with (scenes done, all scenes).

    Raises:
        BackendUnavailable: This machine does not have the device.
    """
    check_device(device)

    def on_shard(done: int, wanted: int) -> None:
        if on_progress is not None:
            on_progress(done * SHARD, wanted * SHARD)

    render_pool(Path(out_dir) / "pool", SHARDS, indoor_from=MIXED_SHARDS, device=device, on_shard=on_shard)


def train_default(out_dir: str | Path, *, device: str = "cpu") -> Path:
    """Train the default model from scratch on rendered scenes; blocks.

    A training that was stopped is resumed. Under torchrun the number of steps stays the same and the processes take
    different batches, so that a step sees as many times the images; the first process writes the checkpoint.

    Args:
        out_dir: Folder of the scenes; the training and default.safetensors are written to it.
        device: "cpu" or "cuda".

    Returns:
        The checkpoint, for `depthrt export --half-storage`.

    Raises:
        InputError: Scenes are missing, or the training began with another number of processes.
        BackendUnavailable: This machine does not have the device.
        KeyboardInterrupt: The training was interrupted; its state is saved.
    """
    check_device(device)
    out_dir = Path(out_dir)
    network = first_network(OPTIONS.seed)
    held_out = {setting: held_out_scenes(setting, HELD_OUT, VALIDATION_PX) for setting in CAP_M}
    rank, processes = announced_group()
    source = PoolSource(
        out_dir / "pool",
        shards=SHARDS,
        stages=STAGES,
        batches_a_step=processes * OPTIONS.accumulate,
        seed=OPTIONS.seed,
        appearance=APPEARANCE,
    )
    course = out_dir / "course"
    begun = (course / STATE_NAME).is_file()
    result = train(network, source, SceneValidation(held_out), OPTIONS, course, resume=begun, device=device)
    if result.ending == "interrupted":
        raise KeyboardInterrupt
    path = out_dir / "default.safetensors"
    if rank == 0:
        write_default(course, path)
    return path


def write_default(course: str | Path, path: str | Path) -> None:
    """Write the averaged weights of a training of the default model as a float16 checkpoint with folded batch norms.

    Args:
        course: Folder of the training, which may still run.
        path: Ends with .safetensors.

    Raises:
        InputError: The folder holds no training.
        ModelFileError: The state is damaged or of another network.
    """
    network = ConvDepth(ARCHITECTURE, norms=True)
    step = load_average(Path(course), network)
    write_weights(Path(path), fold_norms(network).half(), {"step": step}, Origin(LICENCE))


def first_network(seed: int) -> ConvDepth:
    """Return the network with random weights; the same seed gives the same weights."""
    network = ConvDepth(ARCHITECTURE, norms=True)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(_first_values(name, parameter, generator))
        network.depth_head.scratch.output_conv2[2].get_parameter("bias").fill_(_FIRST_LEVEL)
    return network


def _first_values(name: str, parameter: Tensor, generator: torch.Generator) -> Tensor:
    residual = (
        name.endswith("conv2.norm.weight") or ("resConfUnit" in name and "conv2" in name) or "output_conv2.2" in name
    )
    gain = _RESIDUAL_GAIN if residual else 1.0
    if parameter.ndim == 1:
        return torch.full_like(parameter, gain if name.endswith("weight") else 0.0)
    linear = residual or any(part in name for part in ("_rn.", "out_conv.", "shortcut."))  # no ReLU halves the variance
    noise = torch.randn(parameter.shape, generator=generator)
    return noise * gain * math.sqrt((1.0 if linear else 2.0) / parameter[0].numel())
