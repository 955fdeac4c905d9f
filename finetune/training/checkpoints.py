"""Keeps the best checkpoints of a training, ranked by a figure of its validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import InputError
from ...engine.terms import Kind
from ...export.checkpoint.checkpoint import save_checkpoint
from ...export.network.conv_depth import ConvDepth, fold_norms
from ...export.network.network import Network
from .options import TrainOptions


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
    directory: Path, course: Course, figures: Mapping[str, float], options: TrainOptions, network: Network
) -> bool:
    """Write the averaged network if it is among the best, and remove the checkpoint that it displaces.

    Args:
        directory: Folder of the training.
        course: Its `kept` and `waits` are updated.
        figures: Figures of the validation.
        options: Name the judge and the number of checkpoints kept.
        network: The network with the averaged weights.

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
        write_weights(directory / entry[2], network, {"step": course.step, **figures})
    for dropped in ranked[options.keep_best :]:
        if dropped is not entry:
            (directory / dropped[2]).unlink(missing_ok=True)
    return best


def write_weights(path: Path, network: Network, notes: Mapping[str, float], *, licence: str = "unknown") -> None:
    """Write a network as a checkpoint that names its family and kind, with norms folded and figures as notes."""
    if isinstance(network, ConvDepth):
        network = fold_norms(network)
    kind: Kind = "inverse" if network.max_depth_m is None else "metric"
    save_checkpoint(
        path,
        network,
        family=network.family,
        kind=kind,
        max_depth_m=network.max_depth_m,
        licence=licence,
        notes={name: f"{value:.6g}" for name, value in notes.items()},
    )


def _score(figures: Mapping[str, float], judge: str) -> float:
    """Return the judge's figure; infinity, which is never the best, if it is not finite."""
    if judge not in figures:
        raise InputError(f"the validation returned {', '.join(figures)}, not {judge}; choose the judge among them")
    return float(figures[judge]) if math.isfinite(figures[judge]) else math.inf
