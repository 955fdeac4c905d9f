"""A float32 graph becomes an int8 graph: ranges from images, then as many layers in int8 as the drift budget allows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir

from ...engine.errors import InputError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.canary import canary_input
from ...engine.modelfile.contract import Canary, Contract
from ...engine.runners.ort_runner import NO_VNNI
from ...engine.system.machine import lacks_vnni
from ...engine.system.spread import spread
from ...engine.terms import OnStep
from ..onnx_file.scratch import scratch_folder
from ..parity.parity import make_batch
from .calibrate import calibrate
from .choose_layers import Trials, choose_layers
from .int8_graph import find_layers, insert_int8

logger = logging.getLogger("depthrt")
BUDGET = 0.01  # of the range, mean over images
MOST_RANGED, MOST_MEASURED = 48, 8  # images: with more, time grows while ranges and means hardly change
FEW = 4  # images: if there are fewer, drift is measured on the images that gave the ranges
# Tolerance of the canary, over the budget. OpenVINO, which rounds in other places than ONNX Runtime, measured 0.4 to
# 0.9 times a file's drift from it on six networks.
OTHER_RUNNER = 1.5


@dataclass(frozen=True, slots=True)
class Quantised:
    """How much of a graph computes in int8, and its drift.

    Args:
        layers, candidates: Number of layers in int8, and of those that could be.
        share: Of the candidates' products, the part in int8.
        drift, worst: From the float32 graph, mean and worst of the images that it was measured on.
        ranged, measured: Number of images that gave the ranges, and that drift was measured on.
        held_out: Whether the measured images are other images than the ranged ones.
        canary: With the file's own answer, whose distance from the checkpoint is drift.
    """

    layers: int
    candidates: int
    share: float
    drift: float
    worst: float
    ranged: int
    measured: int
    held_out: bool
    canary: Canary

    def __str__(self) -> str:
        """Return one line for people."""
        images = f"{self.measured} image{'s' if self.measured > 1 else ''}"
        return (
            f"int8 in {self.layers} of {self.candidates} layers ({self.share:.0%} of their products): drift "
            f"{self.drift:.2%} of the range, at most {self.worst:.2%}, on {images} "
            f"{'held out from' if self.held_out else 'used for'} calibration"
        )


def quantize(
    model: onnx_ir.Model,
    contract: Contract,
    *,
    images: Sequence[Path],
    budget: float = BUDGET,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Quantised:
    """Change as many layers of a graph to int8 as the budget allows, in place; blocks for minutes.

    Args:
        model: Float32.
        contract: Of the graph.
        images: Files like those to come. Some are held out, to measure drift on.
        budget: Largest mean drift, as a share of the reference's 2-98 % range.
        on_step: Called with (title, steps done, steps wanted).

    Raises:
        InputError: No image, a budget outside 0 to 1, or no room for temporary files.
        BudgetError: The layers within the budget are too few to be of use.
    """
    if not images or not 0 < budget < 1:
        raise InputError(f"{len(images)} images and a budget of {budget:g} found, expected an image, and 0 to 1")
    if lacks_vnni():
        logger.warning("depthrt: %s", NO_VNNI)
    ranged, measured = _split(list(dict.fromkeys(images)))
    candidates = find_layers(model)
    with scratch_folder() as folder:
        trials = Trials(folder, model, contract, [make_batch(path, contract) for path in measured])
        calibration = calibrate(trials.graph(), trials.path, candidates, _inputs(ranged, contract, on_step))
        chosen, found = choose_layers(trials, candidates, calibration, budget, on_step)
        canary = trials.own_canary(chosen, calibration, tolerance=OTHER_RUNNER * budget)
    insert_int8(model, chosen, calibration.ranges)
    return Quantised(
        layers=len(chosen),
        candidates=len(candidates),
        share=calibration.share(chosen),
        drift=float(np.mean(found)),
        worst=max(found),
        ranged=len(ranged),
        measured=len(measured),
        held_out=ranged != measured,
        canary=canary,
    )


def _split(images: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the images for ranges and those for drift: every third is for drift only, unless there are few."""
    if len(images) < FEW:
        return list(images), list(images)
    ranged = [path for number, path in enumerate(images) if number % 3 != 1]
    return spread(ranged, MOST_RANGED), spread(images[1::3], MOST_MEASURED)


def _inputs(images: Sequence[Path], contract: Contract, on_step: OnStep) -> Iterator[Float32]:
    """Yield the inputs that give the ranges: the images, and the canary's picture.

    The canary's colours and edges are harder than most photographs', so that few photographs exceed the ranges. On the
    model that comes with depthrt it reduced drift on other images from 1.6 % to 0.5 %.
    """
    for number, path in enumerate(images):
        on_step("find the ranges", number, len(images) + 1)
        yield make_batch(path, contract)
    on_step("find the ranges", len(images), len(images) + 1)
    yield canary_input(contract.canary.size_px, contract.mean, contract.std)
