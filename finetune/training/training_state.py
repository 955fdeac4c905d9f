"""The files of a training: the state that it resumes from, and its best checkpoints."""

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
FORMAT = 6  # of the state file; other formats are refused


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


@dataclass(slots=True)
class TrainingState:
    """Everything that a step changes.

    Args:
        network: The network that is trained.
        objective: The same network with its losses.
        optimiser: Moves the network's weights.
        average: Moving average of the network's weights.
        course: Progress.
    """

    network: Network
    objective: DepthObjective
    optimiser: Optimiser
    average: AveragedModel
    course: Course


def save_state(directory: Path, state: TrainingState, options: TrainOptions, *, processes: int) -> None:
    """Write the state file whole or not at all.

    Args:
        directory: Folder of the training.
        state: The state to save.
        options: Saved too, because a resumed training must have the same.
        processes: Number of processes that share each step; saved for the same reason.

    Raises:
        InputError: The file cannot be written.
    """
    saved = {
        "format": FORMAT,
        "options": asdict(options),
        "processes": processes,
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "average": state.average.module.state_dict(),
        "course": asdict(state.course),
        "rng": torch.get_rng_state(),
    }
    path = directory / STATE_NAME
    try:
        with atomic_path(path) as unfinished:
            torch.save(saved, unfinished)
    except RuntimeError as error:  # torch raises it for a full disk
        raise InputError(f"{path} cannot be written ({_first_line(error)}); check the disk and its rights") from error


def restore_state(directory: Path, state: TrainingState, options: TrainOptions, *, processes: int) -> None:
    """Restore a saved state into a fresh one of the same network and options.

    Raises:
        InputError: There is no saved state, or the options or the number of processes differ from the saved training.
        ModelFileError: The file is damaged or of another network.
    """
    path = directory / STATE_NAME
    if not path.is_file():
        raise InputError(f"{path} is not there, so nothing can be resumed; start a new run")
    saved = _load(path)
    saved["options"]["betas"] = tuple(saved["options"]["betas"])
    before = TrainOptions(**saved["options"])
    options.check_resumable(before)
    if processes != saved["processes"]:
        raise InputError(
            f"processes is {processes} and was {saved['processes']} when the run began; start {saved['processes']} "
            "again or a new run"
        )
    try:
        state.network.load_state_dict(saved["network"])
        state.average.module.load_state_dict(saved["average"])  # in place: it is on the device that trains
    except RuntimeError as error:
        raise ModelFileError(f"{path} is of another network ({_first_line(error)}); resume with its own") from error
    state.optimiser.load_state_dict(saved["optimiser"])
    state.course = Course(**saved["course"])
    state.average.n_averaged.fill_(1 + state.course.step)
    # A validation after this state was saved may have removed a checkpoint.
    state.course.kept = [entry for entry in state.course.kept or () if (directory / entry[2]).is_file()]
    if options.judge != before.judge:  # scores of two judges do not compare; the files of the old one stay
        state.course.kept, state.course.waits = None, 0
    torch.set_rng_state(saved["rng"])


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


def load_average(directory: Path, network: Network) -> int:
    """Load the averaged weights of a saved state into a network and return the steps done.

    Raises:
        InputError: There is no saved state.
        ModelFileError: The file is damaged or of another network.
    """
    path = directory / STATE_NAME
    if not path.is_file():
        raise InputError(f"{path} is not there; give the folder of a training")
    saved = _load(path)
    try:
        network.load_state_dict(saved["average"])
    except RuntimeError as error:
        raise ModelFileError(f"{path} is of another network ({_first_line(error)}); give its own") from error
    return int(saved["course"]["step"])


def _load(path: Path) -> dict[str, Any]:
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make torch raise errors of any type
        raise ModelFileError(
            f"{path} cannot be read ({_first_line(error)}); take an older copy or start again"
        ) from error
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        raise ModelFileError(
            f"{path} is not a training state of format {FORMAT}; resume with the depthrt that wrote it"
        )
    return saved


def _score(figures: Mapping[str, float], judge: str) -> float:
    """Return the judge's figure; infinity, which is never the best, if it is not finite."""
    if judge not in figures:
        raise InputError(f"the validation returned {', '.join(figures)}, not {judge}; choose the judge among them")
    return figures[judge] if math.isfinite(figures[judge]) else math.inf


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
