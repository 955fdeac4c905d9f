"""Keeps the best checkpoints of a training, ranked by a figure of its validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...engine.errors import InputError
from ...engine.terms import Kind
from ...export.checkpoint.checkpoint import save_checkpoint
from ...export.network.conv_depth import ConvDepth, fold_norms
from ...export.network.network import Network
from ..adapt.lora import with_updates_added
from .options import TrainOptions


@dataclass(frozen=True, slots=True)
class Origin:
    """What the checkpoints of a training record of where they come from.

    Args:
        licence: Of the weights that the training began with.
        notes: Texts by name: the starting checkpoint, the data sets, the preset.
    """

    licence: str = "unknown"
    notes: Mapping[str, str] = field(default_factory=dict)


UNKNOWN = Origin()


@dataclass(slots=True)
class Course:
    """Progress of a training.

    Args:
        step: Steps done.
        kept: (score, step, file name) of the best checkpoints, best first.
        waits: Validations since the best score.
    """

    step: int = 0
    kept: list[tuple[float, int, str]] | None = None
    waits: int = 0


def keep_checkpoint(
    directory: Path,
    course: Course,
    figures: Mapping[str, float],
    options: TrainOptions,
    network: Network,
    origin: Origin = UNKNOWN,
) -> bool:
    """Write the averaged network if it is among the best, and remove the checkpoint that it displaces.

    Args:
        directory: Folder of the training.
        course: Its `kept` and `waits` are updated.
        figures: Figures of the validation.
        options: Name the judge and the number of checkpoints kept.
        network: The network with the averaged weights.
        origin: Recorded in the checkpoint.

    Returns:
        Whether it is the best so far.
    """
    kept = course.kept or []
    score = _score(figures, options.judge)
    best = not kept or score < kept[0][0]
    course.waits = 0 if best else course.waits + 1
    entry = (score, course.step, f"best-{course.step:07d}.safetensors")
    ranked = sorted([*kept, entry])
    course.kept = ranked[: options.keep_best]
    if entry in course.kept:
        write_weights(directory / entry[2], network, {"step": course.step, **figures}, origin)
    for dropped in ranked[options.keep_best :]:
        if dropped is not entry:
            (directory / dropped[2]).unlink(missing_ok=True)
    return best


def write_weights(path: Path, network: Network, figures: Mapping[str, float], origin: Origin = UNKNOWN) -> None:
    """Write a network as a plain checkpoint that names its family and kind: norms folded, updates of LoRA added.

    Args:
        path: Ends with .safetensors.
        network: Not changed.
        figures: Recorded as notes.
        origin: Recorded too.
    """
    network = with_updates_added(network)
    if isinstance(network, ConvDepth):
        network = fold_norms(network)
    kind: Kind = "inverse" if network.max_depth_m is None else "metric"
    save_checkpoint(
        path,
        network,
        family=network.family,
        kind=kind,
        max_depth_m=network.max_depth_m,
        licence=origin.licence,
        notes={**origin.notes, **{name: f"{value:.6g}" for name, value in figures.items()}},
    )


def _score(figures: Mapping[str, float], judge: str) -> float:
    """Return the judge's figure; infinity, which is never the best, if it is not finite."""
    if judge not in figures:
        raise InputError(f"the validation returned {', '.join(figures)}, not {judge}; choose the judge among them")
    return float(figures[judge]) if math.isfinite(figures[judge]) else math.inf
