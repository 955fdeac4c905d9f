"""Saves the state of a training and restores it, after strict checks of what the file holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from ...engine.errors import InputError, ModelFileError
from ...engine.system.field_types import Count, Pattern
from ...engine.system.files import atomic_path
from ...engine.system.records import read_record
from ...export.network.network import Network
from .checkpoints import Course
from .objective import DepthObjective
from .optimiser import MovingAverage, Optimiser
from .options import Step, TrainOptions, read_options

STATE_NAME = "state.pt"
FORMAT = 7  # of the state file; other formats are refused
_TENSORS = {"network": dict, "optimiser": list, "average": dict, "rng": Tensor}  # parts of a state file, by type
_REMEDY = "take an older copy or start again"

_FileName = Annotated[str, Pattern(r"best-[0-9]{7,12}\.safetensors", "such as best-0000500.safetensors")]


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
    average: MovingAverage
    course: Course


@dataclass(frozen=True, slots=True)
class _SavedCourse:
    """A Course in a state file; a score that is not finite is null."""

    step: Step
    kept: tuple[tuple[float | None, Step, _FileName], ...] | None
    waits: Step

    def to_course(self) -> Course:
        """Return the course, with infinity for null."""
        kept = [(math.inf if score is None else score, step, name) for score, step, name in self.kept or ()]
        return Course(self.step, None if self.kept is None else kept, self.waits)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a state file holds besides its format, tensors and options."""

    processes: Count
    course: _SavedCourse


@dataclass(frozen=True, slots=True)
class _Saved:
    """A state file after its checks."""

    options: TrainOptions
    processes: int
    course: Course
    tensors: Mapping[str, Any]


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
        raise InputError(f"{path} is missing, so nothing can be resumed; start a new run")
    saved = _load(path)
    options.check_resumable(saved.options)
    if processes != saved.processes:
        raise InputError(
            f"processes is {processes} and was {saved.processes} when the run began; start {saved.processes} "
            "again or a new run"
        )
    _restore_tensors(path, state, saved.tensors)
    state.course = saved.course
    state.average.count = 1 + state.course.step
    # A validation after this state was saved may have removed a checkpoint.
    state.course.kept = [entry for entry in state.course.kept or () if (directory / entry[2]).is_file()]
    if options.judge != saved.options.judge:  # scores of two judges do not compare; the files of the old one stay
        state.course.kept, state.course.waits = None, 0


def _restore_tensors(path: Path, state: TrainingState, tensors: Mapping[str, Any]) -> None:
    try:
        state.network.load_state_dict(tensors["network"])
        state.average.module.load_state_dict(tensors["average"])  # in place: it is on the device that trains
    except (AttributeError, RuntimeError, TypeError) as error:
        raise ModelFileError(f"{path} is of another network ({_first_line(error)}); resume with its own") from error
    try:
        state.optimiser.load_state_dict(tensors["optimiser"])
        torch.set_rng_state(tensors["rng"])
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:  # depends on the damage
        raise ModelFileError(f"{path} cannot be restored ({_first_line(error)}); {_REMEDY}") from error


def load_average(directory: Path, network: Network) -> int:
    """Load the averaged weights of a saved state into a network and return the steps done.

    Raises:
        InputError: There is no saved state.
        ModelFileError: The file is damaged or of another network.
    """
    path = directory / STATE_NAME
    if not path.is_file():
        raise InputError(f"{path} is missing; give the folder of a training")
    saved = _load(path)
    try:
        network.load_state_dict(saved.tensors["average"])
    except (AttributeError, RuntimeError, TypeError) as error:
        raise ModelFileError(f"{path} is of another network ({_first_line(error)}); give its own") from error
    return saved.course.step


def _load(path: Path) -> _Saved:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make torch raise errors of any type
        raise ModelFileError(f"{path} cannot be read ({_first_line(error)}); {_REMEDY}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ModelFileError(
            f"{path} is not a training state of format {FORMAT}; resume with the depthrt that wrote it"
        )
    for name, kind in _TENSORS.items():
        if not isinstance(found.get(name), kind):
            raise ModelFileError(f"{path}.{name} is missing or is not what torch saved; {_REMEDY}")
    facts = {name: value for name, value in found.items() if name not in ("format", "options", *_TENSORS)}
    read = read_record(_Facts, _with_null_scores(facts), name=str(path), remedy=_REMEDY, failure=ModelFileError)
    options = read_options(found.get("options"), name=f"{path}.options", remedy=_REMEDY, failure=ModelFileError)
    return _Saved(options, read.processes, read.course.to_course(), found)


def _with_null_scores(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts with null for infinite scores, as a record has them."""
    course = facts.get("course")
    kept = course.get("kept") if isinstance(course, dict) else None
    if not isinstance(course, dict) or not isinstance(kept, (list, tuple)):
        return facts
    finite = [(None, *entry[1:]) if _is_infinite(entry) else entry for entry in kept]
    return {**facts, "course": {**course, "kept": finite}}


def _is_infinite(entry: object) -> bool:
    return isinstance(entry, (list, tuple)) and tuple(entry[:1]) == (math.inf,)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
