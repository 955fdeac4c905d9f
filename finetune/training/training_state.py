"""A training on disk: the state it continues from, and its best checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

from ...engine.errors import InputError, ModelFileError
from ...engine.system.files import atomic_path
from ...engine.terms import Kind
from ...export.checkpoint.checkpoint import save_checkpoint
from ...export.network.conv_depth import ConvDepth, fold_norms
from ...export.network.make_network import Network
from .objective import DepthObjective
from .optimiser import Optimiser
from .options import TrainOptions

STATE_NAME = "state.pt"
FORMAT = 6  # of the state; a reader refuses others


@dataclass(slots=True)
class Course:
    """How far a training has come.

    Args:
        step: Steps done.
        kept: (score, step, file name) of the best checkpoints, best first.
        waits: Validations since the best one.
    """

    step: int = 0
    kept: list[tuple[float, int, str]] | None = None
    waits: int = 0


@dataclass(slots=True)
class Moving:
    """Everything that a step changes."""

    network: Network
    objective: DepthObjective
    optimiser: Optimiser
    average: AveragedModel
    course: Course


def save_state(directory: Path, moving: Moving, options: TrainOptions, *, processes: int) -> None:
    """Write the state whole or not at all.

    Args:
        directory: Of the training.
        moving: What is saved.
        options: Kept with it, and so is the next.
        processes: How many share each step.

    Raises:
        InputError: The disk refuses.
    """
    state = {
        "format": FORMAT,
        "options": asdict(options),
        "processes": processes,
        "network": moving.network.state_dict(),
        "optimiser": moving.optimiser.state_dict(),
        "average": moving.average.module.state_dict(),
        "course": asdict(moving.course),
        "rng": torch.get_rng_state(),
    }
    path = directory / STATE_NAME
    try:
        with atomic_path(path) as unfinished:
            torch.save(state, unfinished)
    except RuntimeError as error:  # what torch makes of a full disk
        raise InputError(f"{path} cannot be written ({_first_line(error)}); check the disk and its rights") from error


def restore_state(directory: Path, moving: Moving, options: TrainOptions, *, processes: int) -> None:
    """Bring a fresh network, optimiser, average and course to where a saved state stopped.

    Raises:
        InputError: There is no state, or the options or the number of processes would make it another run.
        ModelFileError: The file is damaged or another network's.
    """
    path = directory / STATE_NAME
    if not path.is_file():
        raise InputError(f"{path} is not there, so nothing can be resumed; start a new run")
    state = _load(path)
    state["options"]["betas"] = tuple(state["options"]["betas"])
    before = TrainOptions(**state["options"])
    options.check_resumable(before)
    if processes != state["processes"]:
        raise InputError(
            f"processes is {processes} and was {state['processes']} when the run began; start {state['processes']} "
            "again or a new run"
        )
    try:
        moving.network.load_state_dict(state["network"])
        moving.average.module.load_state_dict(state["average"])  # in place: it is on the device that trains
    except RuntimeError as error:
        raise ModelFileError(f"{path} is of another network ({_first_line(error)}); resume with its own") from error
    moving.optimiser.load_state_dict(state["optimiser"])
    moving.average.n_averaged.fill_(1 + state["course"]["step"])
    moving.course = Course(**state["course"])
    # One that a validation displaced after this state was saved is gone.
    moving.course.kept = [one for one in moving.course.kept or () if (directory / one[2]).is_file()]
    if options.judge != before.judge:  # its scores say nothing beside another's; the files that it kept stay
        moving.course.kept, moving.course.waits = None, 0
    torch.set_rng_state(state["rng"])


def keep_checkpoint(
    directory: Path, moving: Moving, figures: Mapping[str, float], options: TrainOptions, network: Network
) -> bool:
    """Keep the averaged network if it is among the best; remove the one that it displaces.

    Args:
        directory: Of the training.
        moving: Its course is brought up to date.
        figures: Of the validation.
        options: Name the judge and how many are kept.
        network: With the averaged weights.

    Returns:
        Whether it is the best so far.
    """
    course = moving.course
    kept = course.kept or []
    score = _judged(figures, options.judge)
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
    """Write a network as a checkpoint that says what it is, norms folded away; the figures become its notes."""
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


def load_average(directory: Path, network: Network) -> int:
    """Fill a network with the averaged weights of a saved state; returns its step.

    Raises:
        InputError: There is no state.
        ModelFileError: The file is damaged or another network's.
    """
    path = directory / STATE_NAME
    if not path.is_file():
        raise InputError(f"{path} is not there; give the folder of a training")
    state = _load(path)
    try:
        network.load_state_dict(state["average"])
    except RuntimeError as error:
        raise ModelFileError(f"{path} is of another network ({_first_line(error)}); give its own") from error
    return int(state["course"]["step"])


def _load(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damaged bytes lead it to
        raise ModelFileError(
            f"{path} cannot be read ({_first_line(error)}); take an older copy or start again"
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ModelFileError(f"{path} is no training state of format {FORMAT}; resume with the depthrt that wrote it")
    return state


def _judged(figures: Mapping[str, float], judge: str) -> float:
    if judge not in figures:
        raise InputError(f"the validation gives {', '.join(figures)}, not {judge}; choose the judge among them")
    return figures[judge] if math.isfinite(figures[judge]) else math.inf  # nothing is lower than NaN


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
