"""The subjects of files: a model file by each runner and precision, a checkpoint by torch in each form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable, DepthrtError, ModelFileError
from ...engine.model.depth_model import CHECKPOINT_SUFFIXES, DepthModel, load
from ...engine.model.doctor import examine
from ...engine.modelfile.contract import ENGINE_SUFFIX, read_contract
from ...engine.modelfile.shipped import model_path
from ...engine.runners.choice import Choice
from ...engine.runners.open_runner import available_choices
from ...engine.system.cores import usable_cores
from ...engine.terms import CpuRunner, HardwareDevice
from .checkpoint_options import CheckpointOptions, TorchPrecision
from .subject import CPU_PROVIDERS, Subject

AS_RECORDED = CheckpointOptions()


def find_subjects(
    models: Sequence[str | Path],
    *,
    devices: Sequence[HardwareDevice] | None = None,
    runners: Sequence[CpuRunner] | None = None,
    threads: int | None = None,
    checkpoint: CheckpointOptions = AS_RECORDED,
    precisions: Sequence[TorchPrecision] = ("fp32",),
    compiled: bool = True,
    study: bool = False,
) -> list[Subject]:
    """Return the subjects of files, with unique names, in the order of the files.

    A model file gives a subject for each runner and precision of the CPU and one for each other device. An engine file
    gives one subject. A checkpoint gives torch eager, and compiled if asked for, in each precision on each device, and
    the study's serving if asked for.

    Args:
        models: Model files and checkpoints; a file that is named twice gives its subjects twice.
        devices: None takes each that works here.
        runners: Of model files on the CPU; None takes each that works here.
        threads: On the CPU; None takes the cores that this process may use.
        checkpoint: How checkpoints are read.
        precisions, compiled, study: Of checkpoints, as in BenchRequest.
    """
    found: list[Subject] = []
    for model in models:
        path = Path(model)
        if is_checkpoint(path):
            found += _torch_subjects(path, devices, threads, checkpoint, precisions, compiled)
            found += [_study_subject(path, checkpoint, threads)] if study else []
        elif path.suffix == ENGINE_SUFFIX:
            found.append(_engine_subject(path))
        else:
            for device in devices or _onnx_devices():
                on_cpu = device == "cpu"
                found += _cpu_subjects(path, threads, runners) if on_cpu else [_file_subject(path, device, threads)]
    return _with_unique_names(found)


def is_checkpoint(path: Path) -> bool:
    """Whether a file or folder is measured as a checkpoint."""
    return path.is_dir() or path.suffix in CHECKPOINT_SUFFIXES


def check_checkpoint(path: Path, options: CheckpointOptions) -> None:
    """Raise InputError if the options do not suit a checkpoint: its family or kind is unclear, or the size is wrong.

    A damaged checkpoint is not refused: opening its subjects gives the reason, and the others are measured.
    """
    if find_spec("torch") is None:
        return
    from .torch_runner import torch_contract

    try:
        torch_contract(options.read(path), options.size, "fp32")
    except ModelFileError:
        return


def _cpu_subjects(path: Path, threads: int | None, runners: Sequence[CpuRunner] | None) -> Iterator[Subject]:
    """Yield a model file's subjects on the CPU: the untuned choice, named after the device, then the others."""
    cores = threads or usable_cores()
    try:
        contract = read_contract(model_path(path))
    except DepthrtError:  # opening the subject raises it again
        yield _file_subject(path, "cpu", threads)
        return
    choices = available_choices(contract, cores)
    available = {choice.runner for choice in choices}
    missing = [runner for runner in runners or () if runner not in available]  # opening the subject says why
    for choice in (*choices, *(Choice(runner, contract.precision, cores) for runner in missing)):
        if runners is None or choice.runner in runners:
            how = "cpu" if choice == choices[0] else f"{choice.runner} {choice.precision}"
            yield _file_subject(path, "cpu", threads, choice=choice, how=how)


def _file_subject(
    path: Path, device: HardwareDevice, threads: int | None, *, choice: Choice | None = None, how: str = ""
) -> Subject:
    return Subject(
        f"{path.name} {how or device}",
        partial(open_file, path, device, threads, choice),
        _facts(path, threads),
        needs=("onnxruntime" if choice is None else choice.runner, "cv2"),
    )


def open_file(path: Path, device: HardwareDevice, threads: int | None, choice: Choice | None) -> DepthModel:
    """Load a model file to run as its subject's name says; a fallback's figures would carry that name.

    Raises:
        BackendUnavailable: Another runner, precision or device was opened in its place.
    """
    model = load(path, device=device, threads=threads, choice=choice)
    runner = model.runner
    chosen = choice is None or (runner.name, runner.precision) == (choice.runner, choice.precision)
    if chosen and (runner.provider in CPU_PROVIDERS) == (device == "cpu"):
        return model
    model.close()
    raise BackendUnavailable(f"{runner.name} {runner.precision} on {runner.provider} was opened in its place")


def _engine_subject(path: Path) -> Subject:
    return Subject(
        f"{path.name} cuda", partial(load, path), {"file": str(path)}, needs=("depthrt.engine.trt.runner", "cv2")
    )


def _torch_subjects(
    path: Path,
    devices: Sequence[HardwareDevice] | None,
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
                    needs=("depthrt.bench.subjects.torch_runner",),
                )


def _study_subject(path: Path, options: CheckpointOptions, threads: int | None) -> Subject:
    return Subject(
        f"{path.name} study",
        partial(_open_study, path, options, threads),
        _facts(path, threads),
        needs=("depthrt.bench.subjects.study_serving",),
        read=_read_as_study,
    )


def _open_torch(
    path: Path,
    options: CheckpointOptions,
    device: HardwareDevice,
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


def _onnx_devices() -> list[HardwareDevice]:
    """Return the devices on which ONNX Runtime ran a model here."""
    cuda = any(finding.name == "onnxruntime CUDA" and finding.works for finding in examine())
    return ["cpu", "cuda"] if cuda else ["cpu"]


def _torch_devices() -> list[HardwareDevice]:
    if find_spec("torch") is None:
        return ["cpu"]  # opening the subject names the extra to install
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
