"""Compares an adopted file with the checkpoint that it is said to be made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...engine.errors import ParityError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.canary import canary_input, drift
from ...engine.modelfile.size_rule import in_px
from ..checkpoint.checkpoint import Checkpoint, conventions_of, load_network
from ..parity.parity import torch_answer
from .plan import Plan

# Largest drift of a file made of the same weights. Measured on a tiny network of transformers: dynamic int8 0.039, 4-bit
# weights 0.007, fp16 0.001; a vertical gradient 1.0.
SAME_WEIGHTS = 0.1


def compare_with(
    checkpoint: Checkpoint, plan: Plan, answer: Callable[[Float32], Float32], *, file: Path, batch: int
) -> float:
    """Return the drift of a file from a checkpoint on the same pixels: the worse of the canary and its mirror image.

    Args:
        checkpoint: Of a family that depthrt exports.
        plan: Of the file.
        answer: Runs the file: (N, 3, h, w) to (N, h, w), float32.
        file: For messages.
        batch: Number of images that it takes.

    Raises:
        ParityError: They are networks of different weights, or of different structure.
    """
    network, conventions = load_network(checkpoint), conventions_of(checkpoint)
    found = 0.0
    for mirrored in (False, True):
        theirs = canary_input(plan.canary_px, plan.mean, plan.std)
        ours = canary_input(plan.canary_px, conventions.mean, conventions.std)
        if mirrored:
            theirs, ours = (np.ascontiguousarray(batch[..., ::-1]) for batch in (theirs, ours))
        found = max(found, drift(answer(np.repeat(theirs, batch, axis=0))[0], torch_answer(network, ours)[0]))
    if not found <= SAME_WEIGHTS:
        raise ParityError(
            f"{file} is not the network of {checkpoint.path}: its drift is {found:.2g} of the range at "
            f"{in_px(plan.canary_px)} px, at most {SAME_WEIGHTS:g} expected of the same weights; give the checkpoint "
            "it was made from, or another --mean and --std"
        )
    return found
