"""What can be asked of `bench` and of `tune`, checked when it is asked; light to import."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.errors import InputError
from ...engine.terms import ALIGNMENTS, CPU_RUNNERS, CROPS, EXPORTED_KINDS, FAMILIES, HARDWARE_DEVICES, TIMED_SCOPES
from ..subjects.checkpoint_options import TORCH_PRECISIONS, TorchPrecision

if TYPE_CHECKING:
    from ...engine.runners.choice import Choice
    from ...engine.terms import Alignment, CpuRunner, Crop, Family, HardwareDevice, Kind, TimedScope

LEAST_ROUNDS = 2
MAX_PIXELS = 100_000_000  # as engine/images/limits.py, which imports numpy
# For a first look; `depthrt bench --quick`, or BenchRequest(models, **QUICK).
QUICK: Mapping[str, Any] = {"rounds": 8, "bursts": 1, "cold": 1, "throughput": False, "energy": False}


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What a benchmark measures, on what, and where its report goes; `depthrt bench` has an option for each field.

    Args:
        models: Model files and checkpoints; "default" is the model that comes with depthrt.
        reference: File that drift is measured against. None takes the first checkpoint among the models, run by torch
            in float32; without a checkpoint there is no drift.
        images: Images, folders or patterns; empty takes a photograph that comes with depthrt.
        ground_truth: Data sets of images with measured depth, as in open_ground_truth.
        units_per_m: Units a metre of depth files that hold whole numbers and state no unit; KITTI's have 256.
        max_pixels: Largest picture and largest depth map of a data set, height times width.
        count: Images taken of each data set, evenly spread; None takes all.
        alignment: As in RuleChoices.
        cap_m: Depth beyond it is not judged; None takes the data set's custom.
        crop: Which pixels are judged.
        video: Whether the images are consecutive frames; measures flicker too.
        devices: Empty takes each that works here.
        runners: Of model files on the CPU; empty takes each that works here, in each of its precisions.
        threads: CPU threads; None takes the cores that this process may use.
        rounds: Turns of each subject. None takes 30, and up to 120 until each speed against the reference is known to
            2 %.
        scopes: What is timed.
        rate_hz: Of frames in the rate-driven scope; 0 leaves it out.
        bursts: Of frames, for each subject.
        throughput: Whether batches and streams are measured.
        energy: Whether energy is measured, if a counter exists.
        cold: Fresh processes of the cold start; 0 leaves it out.
        builds: Times that each subject is loaded to measure the spread; 0 leaves it out.
        compiled: Whether torch.compile of checkpoints is measured too.
        study: Whether checkpoints are measured as the study serves them too: weights read for every request.
        precisions: Of checkpoints in torch.
        family, kind, max_depth_m, size: Of checkpoints; as in `depthrt export`.
        drift_budget: Largest drift, as a share of the range, of the subject that the headline may recommend.
        output: Folder for report.html, report.json and report.md; None writes no files.
        command: How the run is made again, for the report; "" states the request.

    Raises:
        InputError: A field has a wrong value.
    """

    models: Sequence[str | Path]
    _: KW_ONLY
    reference: str | Path | None = None
    images: Sequence[str | Path] = ()
    ground_truth: Sequence[str | Path] = ()
    units_per_m: float = 1000.0
    max_pixels: int = MAX_PIXELS
    count: int | None = None
    alignment: Alignment | None = None
    cap_m: float | None = None
    crop: Crop = "none"
    video: bool = False
    devices: Sequence[HardwareDevice] = ()
    runners: Sequence[CpuRunner] = ()
    threads: int | None = None
    rounds: int | None = None
    scopes: Sequence[TimedScope] = TIMED_SCOPES
    rate_hz: float = 30.0
    bursts: int = 3
    throughput: bool = True
    energy: bool = True
    cold: int = 3
    builds: int = 0
    compiled: bool = True
    study: bool = False
    precisions: Sequence[TorchPrecision] = ("fp32",)
    family: Family | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    size: int | tuple[int, int] | None = None
    drift_budget: float = 0.01
    output: str | Path | None = None
    command: str = ""

    def __post_init__(self) -> None:
        _check_lists(self, "models", "images", "ground_truth")
        if not self.models:
            raise InputError("models is empty, expected one model file or checkpoint, or more")
        for name, known in _AMONG.items():
            _check_among(name, getattr(self, name), known)
        for name, least in _LEAST.items():
            _check_whole(name, getattr(self, name), least)
        for name in ("units_per_m", "cap_m", "max_depth_m"):
            _check_number(name, getattr(self, name), above=True)
        for name in ("rate_hz", "drift_budget"):
            _check_number(name, getattr(self, name))


# Fields of BenchRequest: what they may hold, and their least values.
_AMONG: Mapping[str, Sequence[str]] = {
    "alignment": ALIGNMENTS,
    "crop": CROPS,
    "devices": HARDWARE_DEVICES,
    "runners": CPU_RUNNERS,
    "scopes": TIMED_SCOPES,
    "precisions": TORCH_PRECISIONS,
    "family": FAMILIES,
    "kind": EXPORTED_KINDS,
}
_LEAST = {"count": 1, "max_pixels": 1, "threads": 1, "rounds": LEAST_ROUNDS, "bursts": 1, "cold": 0, "builds": 0}


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What `tune` measures; `depthrt tune` has an option for each field but the last.

    Args:
        model: The model file; "default" is the model that comes with depthrt.
        images: Images, folders or patterns like those to come; empty takes a photograph that comes with depthrt.
        drift_budget: Largest mean drift from float32, as a share of the range; 0 takes float32 only.
        threads: As given to load; None takes the cores that this process may use.
        rounds: Turns of each choice.
        choices: Ways to run the file; None takes all that exist for this file and machine.

    Raises:
        InputError: A field has a wrong value.
    """

    model: str | Path
    _: KW_ONLY
    images: Sequence[str | Path] = ()
    drift_budget: float = 0.005
    threads: int | None = None
    rounds: int = 10
    choices: Sequence[Choice] | None = None

    def __post_init__(self) -> None:
        _check_lists(self, "images")
        _check_whole("threads", self.threads, 1)
        _check_whole("rounds", self.rounds, LEAST_ROUNDS)
        if not 0 <= self.drift_budget < 1:
            raise InputError(
                f"drift_budget {self.drift_budget!r} found, expected a share from 0 to below 1, such as 0.005"
            )


def as_call(request: BenchRequest) -> str:
    """Return the Python call of a request, without the fields that have their default."""
    given = [
        f"{field.name}={_plain(getattr(request, field.name))!r}"
        for field in fields(request)
        if field.default is MISSING or getattr(request, field.name) != field.default
    ]
    return f"bench(BenchRequest({', '.join(given)}))"


def _plain(value: object) -> object:
    """Return a value with paths as text."""
    if isinstance(value, Path):
        return str(value)
    return [*map(_plain, value)] if isinstance(value, (list, tuple)) else value


def _check_lists(request: object, *names: str) -> None:
    for name in names:
        value = getattr(request, name)
        if isinstance(value, (str, Path)):  # a text would be taken letter by letter
            raise InputError(f"{name} {str(value)!r} found, expected a list, such as [{str(value)!r}]")


def _check_among(name: str, value: object, known: Sequence[str]) -> None:
    for found in value if isinstance(value, (list, tuple)) else [value]:
        if found is not None and found not in known:
            raise InputError(f"{name} {found!r} found, expected among {', '.join(known)}")


def _check_whole(name: str, value: object, least: int) -> None:
    if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and value >= least):
        raise InputError(f"{name} {value!r} found, expected a whole number of {least} or more")


def _check_number(name: str, value: float | None, *, above: bool = False) -> None:
    """Raise InputError for a number below 0, not finite, or 0 if it must be `above`."""
    if value is not None and not (math.isfinite(value) and (value > 0 if above else value >= 0)):
        raise InputError(f"{name} {value!r} found, expected a finite number {'above 0' if above else 'of 0 or more'}")
