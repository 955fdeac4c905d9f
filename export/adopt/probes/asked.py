"""A model file whose answers to pictures are asked for, as a user would get them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....engine.errors import ModelFileError
from ....engine.images.preprocess import Fit, Float32, fit_image, make_batch, to_image_size
from ....engine.modelfile.contract import Contract
from ....engine.modelfile.model_file import as_model_file
from ....engine.modelfile.size_rule import in_px
from ....engine.runners.open_runner import open_runner
from ....engine.runners.runner import Runner

Image = NDArray[np.uint8]
_SMALLER = 0.6  # of the rule's size: another grid of patches, and a third of the time


class Asked:
    """A file in ONNX Runtime on the CPU; every answer has its image's size."""

    def __init__(self, runner: Runner, contract: Contract) -> None:
        self.contract = contract
        self._runner = runner

    def under(self, contract: Contract) -> Asked:
        """Return the same file, read by another contract."""
        return Asked(self._runner, contract)

    def answer(self, image: Image) -> Float32:
        """Return depth (H, W) float32 of an image (H, W, 3) uint8 BGR.

        Raises:
            ModelFileError: The file cannot be run, or its output is not as large as its input.
        """
        return self.answers([image])[0]

    def answers(self, images: Sequence[Image]) -> list[Float32]:
        """Return the depth of images of one size in one batch; the last fills a batch of fixed number."""
        image_px = (images[0].shape[0], images[0].shape[1])
        fit = fit_image(self.contract.size, image_px)
        inputs = [make_batch(image, self.contract, fit, "bgr") for image in images]
        wanted = self.contract.batch or len(images)
        batch = np.concatenate([*inputs, *[inputs[-1]] * (wanted - len(images))])
        output = self._runner.run(batch)
        _check_shape(output, batch)
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is a finding, not a warning
            return [to_image_size(values, self.contract, fit, image_px) for values in output[: len(images)]]

    def factor(self, focal_px: float, image_px: tuple[int, int]) -> float:
        """Return what makes metres of a metric file's answer to an image of a focal length in px.

        Source: as in engine/model/focal_length.py (metres_factor)
        """
        if self.contract.focal_unit_px is None:
            return 1.0
        return focal_px * _scale(fit_image(self.contract.size, image_px), image_px) / self.contract.focal_unit_px


@contextmanager
def ask(path: Path, contract: Contract) -> Iterator[Asked]:
    """Open a file to ask it, without notes about its precision.

    Raises:
        ModelFileError: ONNX Runtime refuses it.
    """
    runner = open_runner(as_model_file(path, replace(contract, precision="fp32")), device="cpu", threads=None)
    try:
        yield Asked(runner, contract)
    finally:
        runner.close()


def smaller(contract: Contract) -> Contract:
    """Return the contract of a dynamic file with a smaller size."""
    rule = contract.size
    h, w = (max(1, round(side * _SMALLER / rule.multiple_px)) * rule.multiple_px for side in rule.base_px)
    return replace(contract, size=replace(rule, base_px=(h, w)))


def _check_shape(output: Float32, batch: Float32) -> None:
    expected = (len(batch), *batch.shape[2:])
    if output.shape != expected:
        sides = output.shape[-2:] if output.ndim > 1 else (1, 1)
        raise ModelFileError(
            f"its output is {'x'.join(map(str, output.shape))} for {len(batch)} inputs of {in_px(batch.shape[2:])} px, "
            f"expected {'x'.join(map(str, expected))}: "
            + ("the graph baked a size" if sides != expected[1:] else "the graph baked a batch")
            + "; say which one with --size HxW, or export it again"
        )


def _scale(fit: Fit, image_px: tuple[int, int]) -> float:
    """Return px of the input for a px of the image, the mean of both axes."""
    framed_px = fit.framed_px(image_px)
    down, across = (content / framed for content, framed in zip(fit.content_px, framed_px, strict=True))
    return (down + across) / 2
