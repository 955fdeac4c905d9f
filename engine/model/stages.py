"""The records between the stages of an inference: Prepared, an image ready to run, and Answer, its output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ..cuda.device_image import DeviceImage, Image, is_on_device, read_interface
from ..depth.intrinsics import Intrinsics
from ..depth.provenance import Timings
from ..errors import InputError
from ..images.limits import check_image
from ..images.preprocess import Color, Fit, Float32

if TYPE_CHECKING:
    from ..cuda.pipeline import DevicePipeline
    from ..cuda.slot import DeviceAnswer


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image, ready to run.

    Args:
        input: The network's input (1, 3, h, w) float32; if the runner's device resizes, a function that makes it on
            the CPU; None for an image on the GPU.
        fit: Where the image lies in the input.
        image_px: (H, W) of the image.
        preprocess_ms: Time of the preparation.
        image: (H, W, 3) uint8 on the host or on the runner's GPU, for a runner whose device resizes.
        color: Order of the channels.
        focal_px: Of the image's camera, for a model that takes it; None if it is not known.
        camera: Of the image; None if it is not known.
    """

    input: Float32 | Callable[[], Float32] | None
    fit: Fit
    image_px: tuple[int, int]
    preprocess_ms: float
    image: Image | None = None
    color: Color = "bgr"
    focal_px: float | None = None
    camera: Intrinsics | None = None

    @property
    def batch(self) -> Float32:
        """Return the network's input; makes it now if the runner's device was to resize."""
        assert self.input is not None, "the GPU resizes an image that it holds"
        return self.input() if callable(self.input) else self.input


@dataclass(frozen=True, slots=True)
class Answer:
    """Output of the runner for a prepared image.

    Args:
        prepared: The prepared image.
        output: The network's output (h, w) float32; with `device`, depth at the image's size (H, W).
        run_ms: The network's time; with `device`, the time of both resizes too.
        device: Times of a runner whose device resized.
        sky: The network's value for the sky (h, w) float32, of a network that has it.
    """

    prepared: Prepared
    output: Float32
    run_ms: float
    device: Timings | None = None
    sky: Float32 | None = None


def alike(prepared: Sequence[Prepared]) -> Iterator[list[int]]:
    """Group indices by image size; groups with the same input size come one after the other."""

    def size(index: int) -> tuple[tuple[int, int], ...]:
        image = prepared[index]
        return (image.fit.input_px,) if image.image is None else (image.fit.input_px, image.image_px)

    for _, group in groupby(sorted(range(len(prepared)), key=size), key=size):
        yield list(group)


def find_image_there(image: object, pipeline: DevicePipeline | None) -> DeviceImage:
    """Return the address of an image (H, W, 3) uint8 on a GPU, with its shape and stream.

    Args:
        image: Anything but a numpy array.
        pipeline: Of the runner's GPU; None if the CPU resizes.

    Raises:
        InputError: It is not on a GPU, has another shape or type, or the runner has no GPU or another.
    """
    if not is_on_device(image):
        check_image(image)
        raise AssertionError("check_image takes numpy arrays only")
    if pipeline is None:
        raise InputError(
            f"image: {type(image).__name__} on a GPU found, and this model resizes on the CPU; copy it to the host"
        )
    found = read_interface(image)
    pipeline.check(found)
    return found


def answer_whole(prepared: Prepared, found: DeviceAnswer) -> Answer:
    """Return the answer of a device that resized the image itself."""
    return Answer(prepared, found.values, found.timings.run_ms, found.timings)
