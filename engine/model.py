"""What a user holds: a model file, loaded, that turns images into depth."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from time import perf_counter
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from .choice import Choice
from .contract import Contract, Precision, read_contract
from .depth import Depth, Provenance, Timings
from .errors import InputError, ModelFileError
from .image import Limits, check_image
from .overlap import overlap
from .preprocess import Color, Fit, Float32, fit_image, to_image_size, to_input
from .runner import Device, Runner
from .shipped import DEFAULT, DEFAULT_NOTE, model_path
from .trusted import open_trusted

CHECKPOINT_SUFFIXES = (".pth", ".pt", ".safetensors", ".ckpt", ".bin")

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image, ready to run: its network input (1, 3, h, w) float32 and where it lies in it."""

    batch: Float32
    fit: Fit
    image_px: tuple[int, int]
    preprocess_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The network's output (h, w) float32 for a prepared image."""

    prepared: Prepared
    output: Float32
    run_ms: float


class DepthModel:
    """A loaded model. Safe to call from several threads; a context manager; close() frees it.

    Args:
        runner: What answers; the model closes it.
        contract: Of the file.
        limits: Largest image taken.
        notes: Recorded in every result, after the runner's own.
    """

    def __init__(self, runner: Runner, contract: Contract, *, limits: Limits, notes: Sequence[str] = ()) -> None:
        self.contract = contract
        self.runner = runner
        self.limits = limits
        self.notes = (*runner.notes, *notes)

    def infer(self, image: NDArray[np.uint8], *, color: Color = "bgr") -> Depth:
        """Return the depth of one image, at the image's own size; blocks.

        Args:
            image: (H, W, 3) uint8, [0, 255].
            color: Order of the channels: "bgr" (OpenCV) or "rgb" (Pillow).

        Raises:
            InputError: The image has another shape or type, or is over the limits.
        """
        return self.finish(self.run(self.prepare(image, color=color)))

    def infer_batch(self, images: Sequence[NDArray[np.uint8]], *, color: Color = "bgr") -> list[Depth]:
        """Return the depth of each image; those of one input size run together where the graph takes batches."""
        prepared = [self.prepare(image, color=color) for image in images]
        by_size = sorted(range(len(prepared)), key=lambda index: prepared[index].fit.input_px)
        depths: dict[int, Depth] = {}
        for _, group in groupby(by_size, key=lambda index: prepared[index].fit.input_px):
            indices = list(group)
            answers = self._run_together([prepared[index] for index in indices])
            depths.update(zip(indices, map(self.finish, answers), strict=True))
        return [depths[index] for index in range(len(images))]

    def stream(self, images: Iterable[NDArray[np.uint8]], *, color: Color = "bgr") -> Iterator[Depth]:
        """Yield the depth of each image in order, preparing the next and finishing the last meanwhile."""
        outcomes = overlap(images, read=lambda image: self.prepare(image, color=color), run=self.run, write=self.finish)
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            assert outcome.result is not None
            yield outcome.result

    def prepare(self, image: NDArray[np.uint8], *, color: Color = "bgr") -> Prepared:
        """Do the first stage of infer: check, resize and normalise."""
        start = perf_counter()
        check_image(image)
        if color not in ("bgr", "rgb"):
            raise InputError(f"color {color!r} found, expected 'bgr' or 'rgb'")
        image_px = (image.shape[0], image.shape[1])
        self.limits.check_shape(*image_px, "the image")
        fit = fit_image(self.contract.size, image_px)
        batch = np.empty((1, 3, *fit.input_px), np.float32)
        to_input(image, self.contract, fit, color=color, out=batch[0])
        return Prepared(batch, fit, image_px, _ms_since(start))

    def run(self, prepared: Prepared) -> Answer:
        """Do the second stage of infer: the network."""
        return self._run_together([prepared])[0]

    def finish(self, answer: Answer) -> Depth:
        """Do the last stage of infer: bring the output to the image's size and say where it came from."""
        start = perf_counter()
        prepared = answer.prepared
        values = to_image_size(answer.output, self.contract, prepared.fit, prepared.image_px)
        valid = np.isfinite(values)
        if self.contract.kind == "metric":
            valid &= values > 0
        timings = Timings(prepared.preprocess_ms, answer.run_ms, _ms_since(start))
        return Depth(values, self.contract.kind, valid, self._provenance(prepared, timings), self.contract.max_depth_m)

    def close(self) -> None:
        """Free the runner; the model cannot infer afterwards."""
        self.runner.close()

    def __enter__(self) -> DepthModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<DepthModel {self.contract.model} on {self.runner.name} {self.runner.provider} {self.runner.precision}>"
        )

    def _run_together(self, group: Sequence[Prepared]) -> list[Answer]:
        """Run inputs of one size, as one batch where the graph takes it."""
        if len(group) > 1 and self.contract.batch == 1:
            return [self._run_together([one])[0] for one in group]
        start = perf_counter()
        batch = group[0].batch if len(group) == 1 else np.concatenate([one.batch for one in group])
        output = self.runner.run(batch)
        expected = (len(group), *group[0].fit.input_px)
        if output.shape != expected:
            raise ModelFileError(f"the model answered {output.shape} for an input of {expected}; export it again")
        share_ms = _ms_since(start) / len(group)
        return [Answer(one, plane, share_ms) for one, plane in zip(group, output, strict=True)]

    def _provenance(self, prepared: Prepared, timings: Timings) -> Provenance:
        return Provenance(
            model=self.contract.model,
            source_sha256=self.contract.source_sha256,
            runner=self.runner.name,
            provider=self.runner.provider,
            precision=self.runner.precision,
            input_px=prepared.fit.input_px,
            image_px=prepared.image_px,
            producer=self.contract.producer,
            notes=self.notes,
            timings=timings,
        )


def load(
    path: str | Path,
    *,
    device: Device = "auto",
    precision: Precision | None = None,
    threads: int | None = None,
    choice: Choice | None = None,
    limits: Limits | None = None,
) -> DepthModel:
    """Load a model file that `depthrt export` wrote.

    On a CPU the file runs as `depthrt tune` found best on this machine, else in ONNX Runtime at its own precision.
    The first load of a file has the runner answer the canary in it; one that departs is not used.

    Args:
        path: The `.onnx` file; or "default", the small model that comes with depthrt.
        device: "cpu", "cuda", or "auto": CUDA where it works, else the CPU, and it is said which.
        precision: Run at this precision or fail; None takes the tuned one, else that of the file. "bf16" runs a
            float32 file so where the CPU can.
        threads: CPU threads; None takes the cores that this process may use.
        choice: Run the file on the CPU in exactly this way or fail; it has the precision and the threads.
        limits: Largest image taken; None takes the defaults.

    Raises:
        ModelFileError: The file is missing or is no model file.
        ContractError: The file carries no contract of depthrt, or of another version.
        BackendUnavailable: No runner for the device; the message names what to install.
        ParityError: No runner answers the canary; the message has the numbers.
    """
    path = model_path(path)
    _refuse_other_files(path)
    contract = read_contract(path)
    if choice is not None and (precision not in (None, choice.precision) or threads not in (None, choice.threads)):
        raise InputError(f"choice {choice} found beside another precision or number of threads; give one of them")
    opened = open_trusted(path, contract, device=device, threads=threads, choice=choice, precision=precision)
    for warning in (*opened.runner.notes, *opened.warnings):
        logger.warning("depthrt: %s", warning)
    for remark in opened.remarks:
        logger.info("depthrt: %s", remark)
    notes = (*opened.warnings, *opened.remarks, *((DEFAULT_NOTE,) if path == model_path(DEFAULT) else ()))
    return DepthModel(opened.runner, contract, limits=limits or Limits(), notes=notes)


def _refuse_other_files(path: Path) -> None:
    """Raise with the way out for what looks like something else than a model file."""
    if path.is_dir() or path.suffix in CHECKPOINT_SUFFIXES:
        raise ModelFileError(
            f"{path} is a checkpoint; make a model file of it first: depthrt export {path} -o model.onnx"
        )
    if path.suffix == ".engine":
        raise ModelFileError(f"{path} is a TensorRT engine, which this version does not run; give the .onnx file")
    if not path.exists():
        raise ModelFileError(f"{path} does not exist; give the .onnx file that `depthrt export` wrote")


def _ms_since(start: float) -> float:
    return (perf_counter() - start) * 1e3
