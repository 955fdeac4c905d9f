"""Fine-tunes a checkpoint on data sets: read whole, trained with losses of regions, written as a plain one."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..bench.datasets.true_depth import MM_PER_M
from ..engine.errors import InputError
from ..engine.modelfile.shipped import DEFAULT, model_path
from ..engine.system.field_types import printable
from ..engine.system.files import atomic_path
from ..engine.terms import Family, Kind, WhichWeights
from ..export.checkpoint.checkpoint import Checkpoint, conventions_of, load_network, read_checkpoint
from ..export.network.network import Network
from . import default_model
from .adapt.data_parts import DataPart, Progress, open_parts
from .adapt.freeze import freeze
from .adapt.held_out import HeldOutSet, PairValidation
from .adapt.lora import add_updates
from .adapt.memory import StepMemory, free_memory, step_memory
from .adapt.plan import Plan, Wishes, make_plan
from .adapt.recompute import recompute_parts
from .adapt.run_record import RunRecord, keep_record, names_sha256
from .data.pair_source import PairSource, check_side, resized
from .scenes.render import check_device
from .shipped_checkpoint import write_shipped_checkpoint
from .training.checkpoints import Origin, write_weights
from .training.group import announced_group, speaks_for_all
from .training.objective import check_trainable
from .training.regions.distillation import starting_network
from .training.train import TrainResult, attention_form, train
from .training.training_state import STATE_NAME

TRAINED_NAME = "trained.safetensors"


@dataclass(frozen=True, slots=True)
class FineTuning:
    """A fine-tuning that is prepared: everything is read and decided, and nothing is written yet.

    Args:
        checkpoint: What it begins with.
        network: That checkpoint's network, with the updates of LoRA if they are trained.
        start: The network that distillation keeps to; None without distillation.
        parts: The data.
        plan: What is done.
        image_px: (h, w) of the images of a step; of whole images, those of the data set's first one.
        preset: Name of the preset.
        memory: Of a step.
        free_mib: Free memory of the GPU; None if it trains on the CPU.
    """

    checkpoint: Checkpoint
    network: Network
    start: Network | None
    parts: tuple[DataPart, ...]
    plan: Plan
    image_px: tuple[int, int]
    preset: str | None
    memory: StepMemory
    free_mib: float | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished fine-tuning.

    Args:
        path: The trained checkpoint, which `depthrt export` reads.
        result: Of the loop.
    """

    path: Path
    result: TrainResult


def prepare(
    checkpoint: str | Path,
    datasets: Sequence[str | Path],
    wishes: Wishes,
    *,
    held_out: Sequence[str | Path] = (),
    family: Family | None = None,
    kind: Kind | None = None,
    max_depth_m: float | None = None,
    weights: WhichWeights = "auto",
    units_per_m: float = MM_PER_M,
    device: str = "cpu",
    on_masks: Progress | None = None,
) -> FineTuning:
    """Read a checkpoint and data sets, and decide what a fine-tuning does.

    Args:
        checkpoint: Any that `depthrt export` takes and that is trainable; or the model file that comes with depthrt.
        datasets: As open_ground_truth takes them.
        wishes: Of the user.
        held_out: Data sets to validate on; without any, a fifth of the scenes of each data set is held out.
        family, kind, weights: As in read_checkpoint.
        max_depth_m: As in read_checkpoint; a preset's, if a metric checkpoint does not record its own.
        units_per_m: As in open_ground_truth.
        device: "cpu" or "cuda", for which the memory is said.
        on_masks: Called with (masks read, all masks) of a data set.

    Raises:
        InputError: Something is missing, does not fit together or cannot be trained.
        ModelFileError: The checkpoint is damaged.
    """
    with _as_checkpoint(checkpoint) as source:
        read = _read(source, wishes, family, kind, max_depth_m, weights)
        network = load_network(read)
    check_trainable(network)
    parts = open_parts(datasets, held_out, wishes, units_per_m=units_per_m, on_masks=on_masks)
    pairs, marked = (sum(map(len, found)) for found in ([p.pairs for p in parts], [p.mixed.marked for p in parts]))
    patch_px = network.architecture.patch_px
    plan = make_plan(
        wishes,
        pairs=pairs,
        marked=marked,
        size_px=min(conventions_of(read).base_px),
        processes=announced_group()[1],
        recipe=default_model.OPTIONS if read.family == "depthrt" else None,
    )
    check_side(plan.size_px, patch_px)
    image_px = (plan.size_px, plan.size_px)
    for part in (part for part in parts if part.pairs):
        first = resized(part.pairs[0].read(), plan.size_px, patch_px, metric=network.max_depth_m is not None)
        if plan.whole:
            image_px = max(image_px, first.depth_m.shape, key=math.prod)
    options = plan.options
    start = starting_network(network, bf16=options.bf16) if options.distillation_weight else None
    if options.lora_rank:
        add_updates(network, options.lora_rank, options.seed)
    freeze(network, options)
    network.set_attention(attention_form(device))
    memory = step_memory(network, options, size_px=image_px, batch=plan.batch)
    return FineTuning(read, network, start, parts, plan, image_px, wishes.preset, memory, free_memory(device))


def fine_tune(
    prepared: FineTuning,
    out_dir: str | Path,
    *,
    device: str = "cpu",
    quiet: bool = False,
    on_begin: Callable[[Mapping[str, float]], None] | None = None,
) -> Trained:
    """Train; blocks. A training that was stopped in the folder goes on, if it began with the same.

    Args:
        prepared: As prepare returns it; its network is trained in place.
        out_dir: Gets the state, the log, the best checkpoints, and in the end TRAINED_NAME: the best checkpoint, or the
            last weights if nothing was held out.
        device: "cpu" or "cuda".
        quiet: Show nothing on stderr.
        on_begin: Called with the figures of the starting network on what is held out.

    Raises:
        InputError: As train; or the folder holds another training.
        BackendUnavailable: This machine does not have the device.
        KeyboardInterrupt: The training was interrupted; its state is saved.
    """
    check_device(device)
    directory, plan, network = Path(out_dir), prepared.plan, prepared.network
    unit_px, usual = network.architecture.patch_px, conventions_of(prepared.checkpoint)
    source = PairSource(
        [part.mixed for part in prepared.parts if part.pairs],
        side_px=plan.size_px,
        unit_px=unit_px,
        batch=plan.batch,
        seed=plan.options.seed,
        metric=network.max_depth_m is not None,
        clean_share=plan.clean_share,
        variation=plan.variation,
        whole=plan.whole,
        mean=usual.mean,
        std=usual.std,
    )
    first = speaks_for_all()
    if first:
        keep_record(directory, _record(prepared))
    if plan.options.recompute:
        recompute_parts(network)
    origin, validation = _origin(prepared), _validation(prepared)
    if first and validation is not None:
        figures = validation.begin(network.to(device))
        if on_begin is not None:
            on_begin(figures)
    result = train(
        network,
        source,
        validation,
        plan.options,
        directory,
        start=prepared.start,
        origin=origin,
        resume=(directory / STATE_NAME).is_file(),
        device=device,
        quiet=quiet,
    )
    if result.ending == "interrupted":
        raise KeyboardInterrupt
    path = directory / TRAINED_NAME
    if first:
        _write_trained(path, result, network, origin)
    return Trained(path, result)


@contextmanager
def _as_checkpoint(path: str | Path) -> Iterator[Path]:
    """Yield a path; for the model file that comes with depthrt a checkpoint of its weights, for as long as needed."""
    if Path(path) != model_path(DEFAULT):
        yield Path(path)
        return
    with TemporaryDirectory() as folder:
        yield write_shipped_checkpoint(Path(folder) / "default.safetensors")


def _read(
    checkpoint: str | Path,
    wishes: Wishes,
    family: Family | None,
    kind: Kind | None,
    max_depth_m: float | None,
    weights: WhichWeights,
) -> Checkpoint:
    """Read a checkpoint; a preset knows the maximum depth of a metric one that says nothing."""
    try:
        return read_checkpoint(checkpoint, family=family, kind=kind, max_depth_m=max_depth_m, weights=weights)
    except InputError:
        preset = wishes.chosen
        if preset is None or kind != "metric" or max_depth_m is not None:
            raise
    return read_checkpoint(checkpoint, family=family, kind=kind, max_depth_m=preset.max_depth_m, weights=weights)


def _validation(prepared: FineTuning) -> PairValidation | None:
    sets = [HeldOutSet(part.held_out, part.cap_m) for part in prepared.parts if part.held_out]
    if not sets:
        return None
    usual = conventions_of(prepared.checkpoint)
    return PairValidation(
        sets,
        side_px=prepared.plan.size_px,
        unit_px=prepared.network.architecture.patch_px,
        mean=usual.mean,
        std=usual.std,
    )


def _record(prepared: FineTuning) -> RunRecord:
    plan, parts = prepared.plan, prepared.parts
    return RunRecord(
        checkpoint=prepared.checkpoint.path.name,
        checkpoint_sha256=prepared.checkpoint.sha256,
        data=tuple(printable(part.name, 255) for part in parts),
        pairs_sha256=names_sha256(pair.name for part in parts for pair in part.pairs),
        mix=tuple(part.mixed.share for part in parts if part.pairs),
        preset=prepared.preset,
        batch=plan.batch,
        size_px=plan.size_px,
        clean_share=plan.clean_share,
        variation=plan.variation,
        whole=plan.whole,
    )


def _origin(prepared: FineTuning) -> Origin:
    """Return the notes of the checkpoints."""
    data = "; ".join(
        f"{part.name} ({len(part.pairs)} pairs, {len(part.mixed.marked)} with flat regions)"
        for part in prepared.parts
        if part.pairs
    )
    notes = {
        "started_from": printable(prepared.checkpoint.path.name, 255),
        "started_from_sha256": prepared.checkpoint.sha256,
        "data": printable(data),
        "preset": prepared.preset or "none",
        "size_px": str(prepared.plan.size_px),
    }
    return Origin(prepared.checkpoint.licence, notes)


def _write_trained(path: Path, result: TrainResult, network: Network, origin: Origin) -> None:
    """Write the best checkpoint under its final name, or the last weights if nothing was validated."""
    if result.best is None:
        write_weights(path, network, {"step": result.step}, origin)
        return
    with atomic_path(path) as unfinished:
        shutil.copyfile(result.best, unfinished)
