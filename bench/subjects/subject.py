"""A subject turns images into depth and can be measured: how it is opened, and when its times can be trusted.

A new kind of subject is a Subject whose `open` returns a DepthModel around a Runner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable, DepthrtError
from ...engine.images.preprocess import fit_image
from ...engine.images.read import read_image
from ...engine.model.depth_model import DepthModel
from ...engine.runners.openvino_runner import DEVICE as OPENVINO_CPU
from ...engine.runners.ort_session import CPU
from ..numbers.figures import COMPUTED_IN
from .stage import StageResult, failures_of

# Runners whose `run` returns with the answer in host memory, so the device is done by then.
# Sources: ONNX Runtime, Session.run with numpy arrays waits for its providers and copies the outputs back;
# OpenVINO, InferRequest.infer is the blocking form of start_async and wait.
BLOCKING_RUNNERS = ("onnxruntime", "openvino", "tensorrt", "tensorrt-rtx")
_HALF = ("fp16", "fp16-safe")
CPU_PROVIDERS = (CPU, OPENVINO_CPU, "cpu")  # as ONNX Runtime, OpenVINO and torch name it


@dataclass(frozen=True, slots=True)
class Subject:
    """A way to turn images into depth, which can be opened in this process or in another.

    Args:
        name: Unique in a run.
        open: Loads it; must be picklable: a function of a module, or functools.partial of such a function.
        facts: What is known before it is opened.
        needs: Modules that opening it imports; a cold start times their import apart from the load.
        read: Reads an image file as (H, W, 3) uint8 BGR in the scope "file".
    """

    name: str
    open: Callable[[], DepthModel]
    facts: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    read: Callable[[Path], NDArray[np.uint8]] = read_image


@dataclass(frozen=True, slots=True)
class Opened:
    """A loaded subject.

    Args:
        subject: What was loaded.
        model: The caller closes it.
        wait: Returns when the device has finished all work.
    """

    subject: Subject
    model: DepthModel
    wait: Callable[[], None]


def open_subject(subject: Subject) -> Opened:
    """Load a subject and make sure that its times can be trusted.

    Raises:
        DepthrtError: As the subject's `open`.
        BackendUnavailable: As find_wait.
    """
    model = subject.open()
    try:
        return Opened(subject, model, find_wait(model))
    except DepthrtError:
        model.close()
        raise


def open_subjects(subjects: Sequence[Subject]) -> StageResult[Opened]:
    """Load each subject; if one cannot be loaded, the others go on."""
    opened: dict[str, Opened] = {}

    def load(subject: Subject) -> None:
        opened[subject.name] = open_subject(subject)

    failures = failures_of({subject.name: partial(load, subject) for subject in subjects})
    return StageResult(opened, failures)


def find_wait(model: DepthModel) -> Callable[[], None]:
    """Return what waits for a model's device: the runner's `synchronise`, or nothing if `run` blocks.

    Raises:
        BackendUnavailable: The runner works on a device and has no `synchronise`, so its times would be those of the
            request and not of the answer.
    """
    runner = model.runner
    synchronise = getattr(runner, "synchronise", None)
    if callable(synchronise):
        wait: Callable[[], None] = synchronise
        return wait
    if runner.provider in CPU_PROVIDERS or runner.name in BLOCKING_RUNNERS:
        return _nothing
    raise BackendUnavailable(
        f"{runner.name} on {runner.provider} cannot wait for its device, so its times would be wrong; "
        "give its runner a method `synchronise`"
    )


def facts_of(opened: Opened, image_px: tuple[int, int]) -> dict[str, str]:
    """Return what a loaded subject is: model, runner, provider, precision, input size, source.

    Args:
        opened: The subject.
        image_px: (H, W) of an image, for the input size.
    """
    runner, contract = opened.model.runner, opened.model.contract
    height, width = fit_image(contract.size, image_px).input_px
    # No CPU runtime computes in fp16, and ONNX Runtime states the precision of the file.
    in_float32 = runner.name == "onnxruntime" and runner.provider in CPU_PROVIDERS and runner.precision in _HALF
    return opened.subject.facts | {
        "model": contract.model,
        "runner": runner.name,
        "provider": runner.provider,
        "precision": runner.precision,
        **({COMPUTED_IN: "fp32"} if in_float32 else {}),
        "input": f"{height}x{width}",
        "source": contract.source_name,
        "source sha256": contract.source_sha256,
    }


def _nothing() -> None:
    """Wait for nothing."""
