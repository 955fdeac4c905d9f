"""DepthModel, a loaded model file that turns images into depth, and load()."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..cuda.device_depth import DeviceDepth
from ..cuda.device_image import Image, OnDevice
from ..depth.depth import Depth, valid_pixels
from ..depth.intrinsics import Intrinsics
from ..depth.provenance import NO_FOCAL, Provenance, Timings
from ..errors import InputError, ModelFileError
from ..images.limits import Limits, check_image
from ..images.preprocess import Color, Fit, Float32, fit_image, make_batch, to_image_size
from ..modelfile.contract import CHECKPOINT_SUFFIXES, ENGINE_SUFFIX, Contract
from ..modelfile.model_file import open_model_file
from ..modelfile.shipped import DEFAULT, DEFAULT_NOTE, model_path
from ..runners.calls import enough_memory
from ..runners.choice import Choice
from ..runners.runner import ImageRunner, Runner, SkyRunner
from ..system.closable import Closable
from ..system.process.overlap import run_ahead
from ..terms import Device, Kind, Precision
from ..trt.engine_file import open_engine_file
from .focal_length import camera_of, metres_factor
from .open_proven import open_proven
from .sky import depth_and_sky
from .stages import Answer, Prepared, alike, answer_whole, find_image_there

__all__ = ["CHECKPOINT_SUFFIXES", "Answer", "DepthModel", "Prepared", "load"]

logger = logging.getLogger("depthrt")


class DepthModel(Closable):
    """A loaded model. Safe to call from several threads; a context manager; close() frees it.

    Args:
        runner: The opened runner; the model closes it.
        contract: Of the file.
        limits: Of the largest image.
        notes: Recorded in every result, after the runner's notes.
    """

    def __init__(self, runner: Runner, contract: Contract, *, limits: Limits, notes: Sequence[str] = ()) -> None:
        self.contract = contract
        self.runner = runner
        self.limits = limits
        self._own_notes = tuple(notes)
        self._said = set(runner.notes)
        self._pipeline = runner.pipeline if isinstance(runner, ImageRunner) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return every fallback and compromise so far, a sentence each; every result has them."""
        return (*self.runner.notes, *self._own_notes)

    @property
    def kind(self) -> Kind:
        """Return the kind of the depth that infer gives without a focal length."""
        return self.contract.kind_for(None)

    def infer(
        self,
        image: NDArray[np.uint8] | OnDevice,
        *,
        color: Color = "bgr",
        focal_px: float | None = None,
        camera: Intrinsics | None = None,
    ) -> Depth:
        """Return the depth of one image, at the image's own size; blocks.

        Args:
            image: (H, W, 3) uint8, [0, 255]: a numpy array; or if the model resizes on a GPU, any object there with a
                __cuda_array_interface__, which is read in place once its stream is done.
            color: Order of the channels: "bgr" (OpenCV) or "rgb" (Pillow).
            focal_px: Focal length of the image's camera in px of the image, for a model that gives metres with it
                (Depth Anything 3 metric); without it the scale of its depth is unknown.
            camera: That took the image; the depth has it as its intrinsics, and it stands for focal_px. One of images
                of another size but the same aspect is scaled.

        Raises:
            InputError: The image has another shape or type, or is over the limits; or the model takes no focal length;
                or the camera is one of other images.
            BackendUnavailable: Memory is short, or a GPU is lost.
            ModelFileError: The runtime cannot run the file on this input.
        """
        return self.finish(self.run(self._prepare(image, color, focal_px, camera)))

    def infer_on_device(
        self, image: NDArray[np.uint8] | OnDevice, *, color: Color = "bgr", camera: Intrinsics | None = None
    ) -> DeviceDepth:
        """Return the depth of one image as infer does, but leave it on the GPU; blocks until it is computed.

        Args:
            image, color, camera: As in infer.

        Raises:
            InputError, BackendUnavailable: As for infer; also if the model does not resize on a GPU.
        """
        if self._pipeline is None:
            raise InputError(f"depth that stays on a GPU was asked for, {self!r} resizes on the CPU; use infer")
        prepared = self._prepare(image, color, camera=camera)
        assert prepared.image is not None
        found = self._pipeline.infer_kept(prepared.image, color=color)
        timings = Timings(prepared.preprocess_ms + found.timings.preprocess_ms, found.timings.run_ms, 0.0)
        return DeviceDepth(found.memory, self.contract, self._provenance(prepared, timings))

    def infer_batch(
        self,
        images: Sequence[NDArray[np.uint8] | OnDevice],
        *,
        color: Color = "bgr",
        focal_px: float | None = None,
        camera: Intrinsics | None = None,
    ) -> list[Depth]:
        """Return the depth of each image; images of one size run together if the graph or the GPU takes several.

        Args:
            images, color: As in infer.
            focal_px, camera: As in infer, of every image.
        """
        prepared = [self._prepare(image, color, focal_px, camera) for image in images]
        depths: dict[int, Depth] = {}
        for indices in alike(prepared):
            group = [prepared[index] for index in indices]
            answers = self._run_together(group) if self._pipeline is None else self._run_on_device(group, color)
            depths.update(zip(indices, map(self.finish, answers), strict=True))
        return [depths[index] for index in range(len(images))]

    def stream(
        self,
        images: Iterable[NDArray[np.uint8] | OnDevice],
        *,
        color: Color = "bgr",
        focal_px: float | None = None,
        camera: Intrinsics | None = None,
    ) -> Generator[Depth]:
        """Yield the depth of each image in order, while the next image runs, or on a GPU the next few.

        An array may be written again once the next image is asked for, so a camera can use one buffer; an image on a
        GPU must not change before its depth is yielded. A bad image raises after the depths of the images before it.
        The focal length or the camera is that of every image; see infer. Every image is used, so that one that waits
        gets old; LatestFrame takes the newest alone.
        """
        refused: list[InputError] = []

        def prepared() -> Iterator[Prepared]:
            for image in images:
                try:
                    ready = self._prepare(image, color, focal_px, camera)
                except InputError as error:
                    refused.append(error)
                    return
                yield ready

        on_device = self._pipeline is not None
        answers = self._run_on_device(prepared(), color) if on_device else run_ahead(prepared(), self.run)
        # Closed here: the garbage collector would close it at any time in any thread, and closing waits for threads.
        with closing(answers):
            yield from map(self.finish, answers)
        if refused:
            raise refused[0]

    def prepare(
        self,
        image: NDArray[np.uint8],
        *,
        color: Color = "bgr",
        focal_px: float | None = None,
        camera: Intrinsics | None = None,
    ) -> Prepared:
        """Do the first stage of infer: check the image; unless a device does it, resize and normalise."""
        start = perf_counter()
        check_image(image)
        image_px = (image.shape[0], image.shape[1])
        camera, focal_px = camera_of(camera, focal_px, self.contract, image_px)
        fit = self._fit(image_px, color)
        make = partial(make_batch, image, self.contract, fit, color)
        if self._pipeline is not None:
            return Prepared(make, fit, image_px, _ms_since(start), image, color, focal_px, camera)
        with enough_memory("resize an image"):
            return Prepared(make(), fit, image_px, _ms_since(start), focal_px=focal_px, camera=camera)

    def run(self, prepared: Prepared) -> Answer:
        """Do the second stage of infer: the network; if a device takes the image, also both resizes."""
        if self._pipeline is not None and prepared.image is not None:
            return answer_whole(prepared, self._pipeline.infer(prepared.image, color=prepared.color))
        return self._run_together([prepared])[0]

    def finish(self, answer: Answer) -> Depth:
        """Do the last stage of infer: bring the output to the image's size, to metres and to its provenance."""
        start = perf_counter()
        prepared, device = answer.prepared, answer.device
        kind = self.contract.kind_for(prepared.focal_px)
        with enough_memory("resize depth to its image"):
            values, sky = self._at_image_size(answer)
            factor = metres_factor(prepared.focal_px, self.contract, prepared.fit, prepared.image_px, prepared.camera)
            if factor != 1:
                values = values * np.float32(factor)
            valid = valid_pixels(values, kind)
            if sky is not None:
                valid &= ~sky
        before_ms, after_ms = (device.preprocess_ms, device.postprocess_ms) if device else (0.0, 0.0)
        timings = Timings(prepared.preprocess_ms + before_ms, answer.run_ms, after_ms + _ms_since(start))
        return Depth(values, kind, valid, self._provenance(prepared, timings), self.contract.max_depth_m)

    def close(self) -> None:
        """Free the runner; the model cannot infer afterwards."""
        self.runner.close()

    def __repr__(self) -> str:
        return (
            f"<DepthModel {self.contract.model} on {self.runner.name} {self.runner.provider} {self.runner.precision}>"
        )

    def _at_image_size(self, answer: Answer) -> tuple[Float32, NDArray[np.bool_] | None]:
        """Return an answer's values at the image's size, and which pixels are sky, both (H, W); None if it has none."""
        prepared, values = answer.prepared, answer.output
        if answer.sky is not None:
            return depth_and_sky(values, answer.sky, self.contract, prepared.fit, prepared.image_px)
        if answer.device is None:
            values = to_image_size(values, self.contract, prepared.fit, prepared.image_px)
        return values, None

    def _prepare(
        self,
        image: NDArray[np.uint8] | OnDevice,
        color: Color,
        focal_px: float | None = None,
        camera: Intrinsics | None = None,
    ) -> Prepared:
        """Do the first stage for an image on the host or on a GPU."""
        if isinstance(image, np.ndarray):
            return self.prepare(image, color=color, focal_px=focal_px, camera=camera)
        start = perf_counter()
        found = find_image_there(image, self._pipeline)
        camera, focal_px = camera_of(camera, focal_px, self.contract, found.image_px)
        fit = self._fit(found.image_px, color)
        return Prepared(None, fit, found.image_px, _ms_since(start), found, color, focal_px, camera)

    def _fit(self, image_px: tuple[int, int], color: Color) -> Fit:
        """Check an image's size and `color`; return where the image lies in the network's input."""
        if color not in ("bgr", "rgb"):
            raise InputError(f"color {color!r} found, expected 'bgr' or 'rgb'")
        self.limits.check_shape(*image_px, "the image")
        return fit_image(self.contract.size, image_px)

    def _run_together(self, group: Sequence[Prepared]) -> list[Answer]:
        """Run inputs of one size, as one batch if the graph takes several images."""
        if len(group) > 1 and self.contract.batch == 1:
            return [self._run_together([prepared])[0] for prepared in group]
        start = perf_counter()
        with enough_memory(f"run {len(group)} images at once"):
            batch = group[0].batch if len(group) == 1 else np.concatenate([prepared.batch for prepared in group])
        outputs = self._run_network(batch)
        expected = (len(group), *group[0].fit.input_px)
        for output in outputs:
            if output.shape != expected:
                raise ModelFileError(f"the model answered {output.shape} for an input of {expected}; export it again")
        share_ms = _ms_since(start) / len(group)
        return [
            Answer(prepared, depth, share_ms, sky=sky[0] if sky else None)
            for prepared, (depth, *sky) in zip(group, zip(*outputs, strict=True), strict=True)
        ]

    def _run_network(self, batch: Float32) -> tuple[Float32, ...]:
        """Return the network's depth (N, h, w), and its value for the sky if the file has it."""
        if self.contract.sky_from is None:
            return (self.runner.run(batch),)
        assert isinstance(self.runner, SkyRunner), f"{self.runner.name} says nothing of the sky"
        return self.runner.run_with_sky(batch)

    def _run_on_device(self, prepared: Iterable[Prepared], color: Color) -> Generator[Answer]:
        """Yield the answer of each image in order, several of them on the device at once."""
        assert self._pipeline is not None
        waiting: deque[Prepared] = deque()

        def images() -> Iterator[Image]:
            for ready in prepared:
                assert ready.image is not None
                waiting.append(ready)
                yield ready.image

        with closing(self._pipeline.stream(images(), color=color)) as answers:
            for answer in answers:
                yield answer_whole(waiting.popleft(), answer)

    def _provenance(self, prepared: Prepared, timings: Timings) -> Provenance:
        for note in self.runner.notes:
            if note not in self._said:  # a note that came up while images ran
                self._said.add(note)
                logger.warning("depthrt: %s", note)
        needs_focal = self.contract.focal_unit_px is not None and prepared.focal_px is None
        return Provenance(
            model=self.contract.model,
            source_sha256=self.contract.source_sha256,
            runner=self.runner.name,
            provider=self.runner.provider,
            precision=self.runner.precision,
            input_px=prepared.fit.input_px,
            image_px=prepared.image_px,
            producer=self.contract.producer,
            notes=(*self.notes, NO_FOCAL) if needs_focal else self.notes,
            timings=timings,
            focal_px=prepared.focal_px,
            camera=prepared.camera,
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
    """Load a model file that `depthrt export` or `depthrt build` wrote.

    On a CPU the file runs as `depthrt tune` found best on this machine, else in ONNX Runtime at the file's precision.
    At the first load of a file the runner answers its canary; a runner that departs is not used.

    Args:
        path: The `.onnx` file; an `.engine` file; or "default", the small model that comes with depthrt.
        device: "cpu"; "cuda": TensorRT, which builds an engine at the first load and keeps it, else ONNX Runtime's
            CUDA; or "auto": an engine that was built before, else ONNX Runtime's CUDA, else the CPU. A fallback is a
            warning.
        precision: Run at this precision or fail; None takes the tuned precision, else the file's. "bf16" runs a
            float32 file in bf16 if the CPU can.
        threads: CPU threads; None takes the cores that this process may use.
        choice: Run the file on the CPU in exactly this way or fail; it has the precision and the threads.
        limits: Of the largest image; None takes the defaults.

    Raises:
        ModelFileError: The file is missing or is not a model file.
        ContractError: The file has no contract of depthrt, or that of another version, or a wrong value in it.
        BackendUnavailable: No runner for the device; the message names what to install.
        BuildError: TensorRT refuses the file, and nothing else runs it.
        ParityError: No runner answers the canary; the message has the numbers.
    """
    path = model_path(path)
    is_engine = path.suffix == ENGINE_SUFFIX
    if is_engine and (device == "cpu" or choice is not None):
        raise InputError(f"{path} is a TensorRT engine, which runs on NVIDIA GPUs only; on a CPU use the .onnx file")
    file = open_engine_file(path) if is_engine else open_model_file(path)
    if choice is not None and (precision not in (None, choice.precision) or threads not in (None, choice.threads)):
        raise InputError(f"choice {choice} found beside another precision or number of threads; give one of them")
    opened = open_proven(file, device=device, threads=threads, choice=choice, precision=precision)
    doubts = () if file.contract.adopted is None else file.contract.adopted.notes
    for warning in (*opened.runner.notes, *opened.warnings, *doubts):
        logger.warning("depthrt: %s", warning)
    for remark in opened.remarks:
        logger.info("depthrt: %s", remark)
    demonstration = (DEFAULT_NOTE,) if path == model_path(DEFAULT) else ()
    notes = (*opened.warnings, *doubts, *opened.remarks, *demonstration)
    return DepthModel(opened.runner, file.contract, limits=limits or Limits(), notes=notes)


def _ms_since(start: float) -> float:
    return (perf_counter() - start) * 1e3
