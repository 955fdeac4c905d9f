"""Something that turns images into depth and can be measured: how it is opened, and when its times can be trusted.

Another kind of subject is a Subject whose `open` returns a DepthModel around its own Runner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable, DepthrtError
from ...engine.images.preprocess import fit_image
from ...engine.images.read import read_image
from ...engine.model.depth_model import DepthModel
from ...engine.runners.openvino_runner import DEVICE as OPENVINO_CPU
from ...engine.runners.ort_session import CPU
from ..numbers.result import SubjectResult

# Runners whose `run` returns with the answer in host memory, which ends only after the device is done.
# Sources: ONNX Runtime, Session.run with numpy arrays waits for its providers and copies the outputs back;
# OpenVINO, InferRequest.infer is the blocking form of start_async and wait.
BLOCKING_RUNNERS = ("onnxruntime", "openvino", "tensorrt", "tensorrt-rtx")
CPU_PROVIDERS = (CPU, OPENVINO_CPU, "cpu")  # as ONNX Runtime, OpenVINO and torch name it


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
    if runner.provider in CPU_PROVIDERS or runner.name in BLOCKING_RUNNERS:
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


Count = Callable[[int, int], None]  # images done, images wanted


def failures_of(works: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """Do each work in order; return why some failed, by name. The others go on."""
    failures = {}
    for name, work in works.items():
        try:
            work()
        except Exception as error:  # noqa: PERF203 (whatever a backend raises is the finding)
            failures[name] = failure_of(error)
    return failures
