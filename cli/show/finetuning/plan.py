"""What `depthrt finetune train` says before it trains, and what `merge` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..printing import print_result, say

if TYPE_CHECKING:
    from ....finetune.adapt.data_parts import DataPart
    from ....finetune.adapt.memory import StepMemory
    from ....finetune.adapt.merge import Merged
    from ....finetune.fine_tune import FineTuning
    from ....finetune.training.options import TrainOptions

_MILLION = 1e6
_NAMED = 3  # tensors
_MIB_A_GB = 1e9 / (1 << 20)


def show_plan(prepared: FineTuning) -> None:
    """Say what a training begins with, learns from, changes, and how much memory its step takes."""
    read, plan = prepared.checkpoint, prepared.plan
    for remark in read.remarks:
        say(f"note: {remark}")
    bound = "" if read.max_depth_m is None else f" up to {read.max_depth_m:g} m"
    say(f"checkpoint  {read.path.name}: {read.family}, {read.architecture.encoder}, {read.kind}{bound}")
    for part in prepared.parts:
        say(f"data        {_data(part)}")
        for note in part.notes:
            say(f"note: {note}")
    if not any(part.held_out for part in prepared.parts):
        say("note: all pairs are of one scene, so none is held out and nothing is validated; --held-out DATASET")
    say(f"trained     {_trained(plan.options, prepared.memory)}")
    processes = f"{plan.processes} processes with " if plan.processes > 1 else ""
    height_px, width_px = prepared.image_px
    images = f"{processes}{plan.options.accumulate} x {plan.batch} images of {height_px}x{width_px}"
    say(f"steps       {plan.options.steps} of {images}, {plan.epochs} epochs; {_weights(plan.options)}")
    say(f"memory      {_memory(prepared.memory)}")
    if prepared.free_mib is not None and prepared.free_mib < prepared.memory.total_mib:
        less = "--lora 16, --recompute, --freeze encoder or a smaller --size needs less"
        say(f"note: {_gb(prepared.free_mib)} GB are free on the GPU; {less}")
    _show_differences(prepared)


def show_begin(figures: Mapping[str, float]) -> None:
    """Say how good the starting network is on what is held out."""
    say(f"before the training: {'  '.join(f'{name} {value:.4g}' for name, value in figures.items())}")


def _data(part: DataPart) -> str:
    flat = f", {len(part.mixed.marked)} of them with flat regions" if part.mixed.marked else ", no flat region"
    scenes = len({pair.scene for pair in part.held_out})
    return f"{part.name}: {len(part.pairs)} pairs{flat}; {len(part.held_out)} held out, of {scenes} scenes"


def _trained(options: TrainOptions, memory: StepMemory) -> str:
    rates = f"head at {options.learning_rate:g}, encoder at {options.learning_rate * options.encoder_factor:g}"
    if options.lora_rank:
        rates = f"head at {options.learning_rate:g}, encoder by LoRA of rank {options.lora_rank}"
    if options.layer_decay < 1:
        rates += f", each block at {options.layer_decay:g} of the next one's rate"
    return f"{memory.trained / _MILLION:.1f} of {memory.weights / _MILLION:.1f} million weights; {rates}"


def _weights(options: TrainOptions) -> str:
    return f"planarity weight {options.planarity_weight:g}, distillation weight {options.distillation_weight:g}"


def _memory(memory: StepMemory) -> str:
    parts = {
        "weights": memory.weights_mib,
        "gradients": memory.gradients_mib,
        "AdamW": memory.optimiser_mib,
        "moving average": memory.average_mib,
        "starting network": memory.start_mib,
        "kept for the backward pass": memory.kept_mib,
        "backward pass": memory.backward_mib,
    }
    listed = ", ".join(f"{name} {_gb(mib)}" for name, mib in parts.items() if mib)
    return f"{_gb(memory.total_mib)} GB a step: {listed}; and what the driver takes"


def _gb(mib: float) -> str:
    return f"{mib / _MIB_A_GB:.2f}"


def _show_differences(prepared: FineTuning) -> None:
    """Say where a preset differs from the study."""
    from ....finetune.adapt.presets import BY_NAME, PRESETS

    for name in PRESETS:
        if name != prepared.preset:
            continue
        preset = BY_NAME[name]
        say(f"preset      {name}, {preset.title}; corrected where the study went wrong:")
        for line in preset.differences:
            say(f"  - {line}")
        bound_m = prepared.checkpoint.max_depth_m
        if bound_m is not None and bound_m != preset.max_depth_m:
            say(f"note: the checkpoint answers up to {bound_m:g} m, the preset is for {preset.max_depth_m:g} m")


def show_merged(merged: Merged) -> None:
    """Print which tensors a merge replaced and kept; those that did not fit go to standard error."""
    for name in merged.mismatched:
        say(f"note: {name}; the official tensor was kept")
    if merged.unknown:
        say(f"note: {len(merged.unknown)} tensors are in no official file and were left out: {_few(merged.unknown)}")
    if merged.kept:
        say(f"note: {len(merged.kept)} tensors were kept as they are in the official file: {_few(merged.kept)}")
    print_result(
        f"{merged.path}: {len(merged.replaced)} tensors replaced, {len(merged.kept)} kept, "
        f"{len(merged.mismatched)} mismatched"
    )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
