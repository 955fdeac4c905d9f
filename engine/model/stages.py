"""What stands between the stages of an inference: an image that is ready to run, and the answer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ..cuda.device_image import DeviceImage, Image, is_on_device, read_interface
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
        input: The network's input (1, 3, h, w) float32; or what makes it, where the runner's device does that itself;
            None for an image that lies there.
        fit: Where the image lies in it.
        image_px: (H, W) of the image.
        preprocess_ms: The time that this took.
        image: (H, W, 3) uint8, for a runner that takes it whole; on its GPU, or on the host.
        color: Order of its channels.
    """

    input: Float32 | Callable[[], Float32] | None
    fit: Fit
    image_px: tuple[int, int]
    preprocess_ms: float
    image: Image | None = None
    color: Color = "bgr"

    @property
    def batch(self) -> Float32:
        """Return the network's input, made now where it was not needed before."""
        assert self.input is not None, "an image on the GPU is resized there"
        return self.input() if callable(self.input) else self.input


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runner answered for a prepared image.

    Args:
        prepared: It.
        output: The network's output (h, w) float32; with `device`, depth at the image's size (H, W).
        run_ms: The network's time; with `device`, that of both resizes too.
        device: Times of a runner that took the image whole.
    """

    prepared: Prepared
    output: Float32
    run_ms: float
    device: Timings | None = None


def alike(prepared: Sequence[Prepared]) -> Iterator[list[int]]:
    """Yield the indices of images of one size, those whose inputs have one size side by side."""

    def size(index: int) -> tuple[tuple[int, int], ...]:
        one = prepared[index]
        return (one.fit.input_px,) if one.image is None else (one.fit.input_px, one.image_px)

    for _, group in groupby(sorted(range(len(prepared)), key=size), key=size):
        yield list(group)


def find_image_there(image: object, pipeline: DevicePipeline | None) -> DeviceImage:
    """Return where an image (H, W, 3) uint8 lies on a GPU.

    Args:
        image: Whatever is no numpy array.
        pipeline: What takes images on the runner's GPU; None where there is none.

    Raises:
        InputError: It is not on a GPU, has another shape or type, or the runner has no GPU or another.
    """
    if not is_on_device(image):
        check_image(image)
        raise AssertionError("check_image takes numpy arrays alone")
    if pipeline is None:
        raise InputError(
            f"image: {type(image).__name__} on a GPU found, and this model resizes on the CPU; copy it to the host"
        )
    found = read_interface(image)
    pipeline.check(found)
    return found


def answer_whole(prepared: Prepared, found: DeviceAnswer) -> Answer:
    """Return what a device answered that took the image whole."""
    return Answer(prepared, found.values, found.timings.run_ms, found.timings)
