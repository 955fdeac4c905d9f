"""What is measured: each model file on each provider, and each checkpoint in each way that torch runs it.

Another kind of subject is a Subject whose `open` returns a DepthModel around its own Runner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..engine.doctor import examine
from ..engine.errors import BackendUnavailable, DepthrtError
from ..engine.image import read_image
from ..engine.model import CHECKPOINT_SUFFIXES, DepthModel, load
from ..engine.ort_runner import CPU
from ..engine.preprocess import fit_image
from ..engine.runner import usable_cores
from .checkpoint_options import CheckpointOptions
from .result import SubjectResult

if TYPE_CHECKING:
    from .torch_runner import TorchDevice, TorchPrecision

SubjectDevice = Literal["cpu", "cuda"]

# Runners whose `run` returns with the answer in host memory, which ends only after the device is done.
# Source: ONNX Runtime, Session.run with numpy arrays waits for its providers and copies the outputs back.
BLOCKING_RUNNERS = ("onnxruntime",)
BLOCKING_PROVIDERS = (CPU, "cpu")
AS_RECORDED = CheckpointOptions()


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that turns images into depth, and can be opened here or in another process.

    Args:
        name: Unique in a run.
        open: Loads it; goes through pickle: a function of a module, or functools.partial of one.
        facts: What is known before it is opened.
        needs: Modules that opening it imports, so that a cold start can tell importing from loading.
        read: How an image file becomes (H, W, 3) uint8 BGR on the way from file to file.
    """

    name: str
    open: Callable[[], DepthModel]
    facts: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    read: Callable[[Path], NDArray[np.uint8]] = read_image


@dataclass(frozen=True, slots=True)
class Opened:
    """A subject, loaded.

    Args:
        model: The caller closes it.
        wait: Returns when the device is done with what was asked of it.
    """

    subject: Subject
    model: DepthModel
    wait: Callable[[], None]


def find_subjects(
    models: Sequence[str | Path],
    *,
    devices: Sequence[SubjectDevice] | None = None,
    threads: int | None = None,
    checkpoint: CheckpointOptions = AS_RECORDED,
    precisions: Sequence[TorchPrecision] = ("fp32",),
    compiled: bool = True,
    study: bool = False,
) -> list[Subject]:
    """Return the subjects that files stand for, each under its own name, in the order of the files.

    A model file gives one subject a device. A checkpoint gives torch eager and, where asked for, compiled, in
    each precision on each device, and the study's way of serving it.

    Args:
        models: Model files and checkpoints; one named twice gives two subjects.
        devices: None takes each that works here.
        threads: On the CPU; None takes the cores that this process may use.
        checkpoint: How checkpoints are read.
        precisions, compiled, study: Of checkpoints.
    """
    found: list[Subject] = []
    for model in models:
        path = Path(model)
        if path.is_dir() or path.suffix in CHECKPOINT_SUFFIXES:
            found += _torch_subjects(path, devices, threads, checkpoint, precisions, compiled)
            found += [_study_subject(path, checkpoint, threads)] if study else []
        else:
            found += [_file_subject(path, device, threads) for device in devices or _onnx_devices()]
    return _with_unique_names(found)


def open_subject(subject: Subject) -> Opened:
    """Load a subject and make sure that its times can be trusted.

    Raises:
        DepthrtError: As its open; BackendUnavailable where its runner cannot say when its device is done.
    """
    model = subject.open()
    try:
        return Opened(subject, model, find_wait(model))
    except DepthrtError:
        model.close()
        raise


def open_subjects(subjects: Sequence[Subject]) -> tuple[list[Opened], list[SubjectResult]]:
    """Load each subject; one that cannot be loaded is a result with its failure, and the others go on."""
    outcomes = [_open_or_fail(subject) for subject in subjects]
    opened = [outcome for outcome in outcomes if isinstance(outcome, Opened)]
    return opened, [outcome for outcome in outcomes if isinstance(outcome, SubjectResult)]


def find_wait(model: DepthModel) -> Callable[[], None]:
    """Return what waits for a model's device: its runner's `synchronise`, or nothing where `run` blocks anyway.

    Raises:
        BackendUnavailable: The runner works on a device and offers no `synchronise`; its times would be those of
            asking and not of answering.
    """
    runner = model.runner
    synchronise = getattr(runner, "synchronise", None)
    if callable(synchronise):
        wait: Callable[[], None] = synchronise
        return wait
    if runner.provider in BLOCKING_PROVIDERS or runner.name in BLOCKING_RUNNERS:
        return _nothing
    raise BackendUnavailable(
        f"{runner.name} on {runner.provider} does not say when its device is done, so no time of it would be true; "
        "give its runner a method `synchronise`"
    )


def facts_of(opened: Opened, image_px: tuple[int, int]) -> dict[str, str]:
    """Return what a loaded subject is.

    Args:
        image_px: (H, W) of an image, for the input size.
    """
    runner, contract = opened.model.runner, opened.model.contract
    height, width = fit_image(contract.size, image_px).input_px
    return opened.subject.facts | {
        "model": contract.model,
        "runner": runner.name,
        "provider": runner.provider,
        "precision": runner.precision,
        "input": f"{height}x{width}",
        "source": contract.source_name,
        "source sha256": contract.source_sha256,
    }


def failure_of(error: Exception) -> str:
    """Return an error as one line; one that is not ours says its type."""
    line = " ".join(str(error).split())
    return line if isinstance(error, DepthrtError) else f"{type(error).__name__}: {line}"


def _open_or_fail(subject: Subject) -> Opened | SubjectResult:
    try:
        return open_subject(subject)
    except Exception as error:  # whatever a backend raises is the finding
        return SubjectResult(subject.name, subject.facts, failure=failure_of(error))


def _nothing() -> None:
    """Wait for nothing."""


def _file_subject(path: Path, device: SubjectDevice, threads: int | None) -> Subject:
    return Subject(
        f"{path.name} {device}",
        partial(load, path, device=device, threads=threads),
        _facts(path, threads),
        needs=("onnxruntime", "cv2"),
    )


def _torch_subjects(
    path: Path,
    devices: Sequence[SubjectDevice] | None,
    threads: int | None,
    options: CheckpointOptions,
    precisions: Sequence[TorchPrecision],
    compiled: bool,
) -> Iterator[Subject]:
    for device in devices or _torch_devices():
        for precision in precisions:
            for mode in ("torch", "torch.compile") if compiled else ("torch",):
                yield Subject(
                    f"{path.name} {mode} {precision} {device}",
                    partial(_open_torch, path, options, device, precision, mode == "torch.compile", threads),
                    _facts(path, threads),
                    needs=("depthrt.bench.torch_runner",),
                )


def _study_subject(path: Path, options: CheckpointOptions, threads: int | None) -> Subject:
    return Subject(
        f"{path.name} study",
        partial(_open_study, path, options, threads),
        _facts(path, threads),
        needs=("depthrt.bench.study_serving",),
        read=_read_as_study,
    )


def _open_torch(
    path: Path,
    options: CheckpointOptions,
    device: TorchDevice,
    precision: TorchPrecision,
    compiled: bool,
    threads: int | None,
) -> DepthModel:
    _need_torch()
    from .torch_runner import TorchForm, open_torch

    return open_torch(path, options, TorchForm(device, precision, compiled, threads))


def _open_study(path: Path, options: CheckpointOptions, threads: int | None) -> DepthModel:
    _need_torch()
    from .study_serving import open_study

    return open_study(path, options, threads)


def _read_as_study(path: Path) -> NDArray[np.uint8]:
    from .study_serving import read_as_study

    return read_as_study(path)


def _need_torch() -> None:
    if find_spec("torch") is None:
        raise BackendUnavailable("a checkpoint needs torch, which is not installed: pip install 'depthrt[export]'")


def _onnx_devices() -> list[SubjectDevice]:
    """Return the devices on which ONNX Runtime truly ran a model."""
    cuda = any(finding.name == "onnxruntime CUDA" and finding.works for finding in examine())
    return ["cpu", "cuda"] if cuda else ["cpu"]


def _torch_devices() -> list[SubjectDevice]:
    if find_spec("torch") is None:
        return ["cpu"]  # which fails with what to install
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _facts(path: Path, threads: int | None) -> dict[str, str]:
    return {"file": str(path), "threads": str(threads or usable_cores())}


def _with_unique_names(subjects: Sequence[Subject]) -> list[Subject]:
    """Number the subjects that share a name, from the second on."""
    seen: Counter[str] = Counter()
    named = []
    for subject in subjects:
        seen[subject.name] += 1
        again = seen[subject.name]
        named.append(subject if again == 1 else replace(subject, name=f"{subject.name} ({again})"))
    return named
